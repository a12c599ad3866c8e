"""Translate the labels of an external set to levels."""

from collections.abc import Mapping
from pathlib import Path

from retinopathy import external, sources
from retinopathy.files import written
from retinopathy.logs import LOG, logged


def main(labels: Path, columns: tuple[str, str], levels: Mapping[str, int], table: Path) -> None:
    """Write columns image, level.

    Args:
        labels: The set's own table.
        columns: Names of its columns with the image and the grade.
        levels: Grade, as the set writes it, to level.
        table: Where to write.
    """
    grades = sources.read_table(labels, columns)
    translated = external.translate(grades, columns, levels)
    LOG.info(
        "%d labels, %d of them outside the map", len(translated), (translated["level"] < 0).sum()
    )
    with written(table) as beside:
        translated.to_csv(beside, index=False)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.labels),
            (job.params.image_column, job.params.level_column),
            job.params.levels,
            Path(job.output.labels),
        )
