"""Put the manifest together: photographs, labels, and what was rejected with the reason."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retinopathy import duplicates, manifest, sources
from retinopathy.files import written
from retinopathy.logs import LOG, logged
from retinopathy.parts import linked


def main(
    shards: Sequence[Path],
    labels: Sequence[Path],
    columns: tuple[str, str],
    refused: Sequence[Path],
    quality: Sequence[Path],
    quality_columns: Sequence[str],
    reject_limit: float,
    table: Path,
    rejects: Path,
    kept_rejects: Path,
) -> None:
    """Write manifest and rejects.

    Args:
        shards: The shards of the manifest, without levels.
        labels: Label files; together they label all photographs.
        columns: Names of their columns with the image and the level.
        refused: Tables of what could not be taken out of an archive, and why.
        quality: Tables of published grades of quality: one or none.
        quality_columns: Names of its columns with the image and the grade.
        reject_limit: Largest share of rejects that is acceptable, in [0, 1].
        table: Where to write the manifest.
        rejects: Where to write the rejects.
        kept_rejects: The same once more, where it outlives a job that fails.

    Raises:
        Explained: More than the share `reject_limit` of the photographs was rejected.
    """
    inspected = manifest.combine([manifest.read_manifest(shard) for shard in shards])
    given = pd.concat([sources.read_labels(path, *columns) for path in labels])
    labelled = manifest.label(inspected, given, sources.read_refused(refused))
    photographs = _without_copies(manifest.mark_same_bytes(labelled))
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


def _without_copies(photographs: pd.DataFrame) -> pd.DataFrame:
    """Reject pictures of one patient that are there in other bytes under another's name."""
    usable = manifest.usable(photographs)
    candidates = duplicates.candidates(usable)
    pairs = duplicates.same_pixels(usable, candidates)
    LOG.info(
        "%d pairs of different patients are alike in hash and light; of the first %d, %d are one "
        "picture",
        len(candidates),
        duplicates.LOOKED_AT,
        len(pairs),
    )
    group = linked(zip(pairs["image"], pairs["same_as"], strict=True))
    return manifest.mark(photographs, pd.Series(group, dtype="str"), "copy")


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            [Path(path) for path in job.input.shards],
            [Path(path) for path in job.input.labels],
            (job.params.image_column, job.params.level_column),
            [Path(path) for path in job.input.refused],
            [Path(path) for path in job.input.quality],
            job.params.quality_columns,
            job.params.reject_limit,
            Path(job.output.manifest),
            Path(job.output.rejects),
            Path(job.log[0]).with_suffix(".rejects.csv"),
        )
