"""Put the shards together: the manifest, and what was rejected with the reason."""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import manifest
from retinopathy.files import written
from retinopathy.logs import LOG, logged


def main(shards: Sequence[Path], reject_limit: float, table: Path, rejects: Path) -> None:
    """Write manifest and rejects.

    Raises:
        Explained: More than the share `reject_limit` of the photographs was rejected.
    """
    photographs = manifest.combine([manifest.read_manifest(shard) for shard in shards])
    rejected = manifest.rejects(photographs)
    LOG.info("%d photographs, %d rejected", len(photographs), len(rejected))
    for reject in rejected.itertuples():
        LOG.info("rejected %s: %s", reject.image, reject.reason)
    for path, rows in ((rejects, rejected), (table, photographs)):
        with written(path) as beside:
            rows.to_csv(beside, index=False)
    manifest.check_rejects(photographs, reject_limit)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            [Path(path) for path in job.input.shards],
            job.params.reject_limit,
            Path(job.output.manifest),
            Path(job.output.rejects),
        )
