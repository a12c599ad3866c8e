"""Put the shards together: the manifest, and what was rejected with the reason."""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import manifest, sources
from retinopathy.files import written
from retinopathy.logs import LOG, logged


def main(
    shards: Sequence[Path],
    quality: Sequence[Path],
    quality_columns: Sequence[str],
    reject_limit: float,
    table: Path,
    rejects: Path,
    kept_rejects: Path,
) -> None:
    """Write manifest and rejects.

    Args:
        shards: The shards of the manifest.
        quality: Tables of published grades of quality: one or none.
        quality_columns: Names of its columns with the image and the grade.
        reject_limit: Largest share of rejects that is acceptable, in [0, 1].
        table: Where to write the manifest.
        rejects: Where to write the rejects.
        kept_rejects: The same once more, where it outlives a job that fails.

    Raises:
        Explained: More than the share `reject_limit` of the photographs was rejected.
    """
    photographs = manifest.combine([manifest.read_manifest(shard) for shard in shards])
    for path in quality:
        grades = sources.read_grades(path, *quality_columns)
        photographs = manifest.join_quality(photographs, grades, LOG.info)
    rejected = manifest.rejects(photographs)
    LOG.info("%d photographs, %d rejected", len(photographs), len(rejected))
    for reason, count in manifest.kinds(rejected["reason"]).value_counts().items():
        LOG.info("rejected, %s: %d", reason, count)
    for path, rows in ((rejects, rejected), (kept_rejects, rejected), (table, photographs)):
        with written(path) as beside:
            rows.to_csv(beside, index=False)
    manifest.check_rejects(photographs, reject_limit, kept_rejects)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            [Path(path) for path in job.input.shards],
            [Path(path) for path in job.input.get("quality", [])],
            job.params.quality_columns,
            job.params.reject_limit,
            Path(job.output.manifest),
            Path(job.output.rejects),
            Path(job.log[0]).with_suffix(".rejects.csv"),
        )
