"""Measure what an image-level split would leak: the level of the fellow eye as a prediction."""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import display, fellow, manifest, tables
from retinopathy.logs import logged
from retinopathy.splits import Task


def main(
    photographs: Path,
    tasks: Sequence[Task],
    seed: int,
    repetitions: int,
    table: Path,
    markdown: Path,
) -> None:
    """Write the metrics of the fellow eye, one row per task."""
    usable = manifest.usable(manifest.read_manifest(photographs))
    rows = tables.metric_rows(fellow.baseline(usable, task, seed, repetitions) for task in tasks)
    rows = rows.reindex(columns=[*tables.METRICS, *fellow.COLUMNS])
    tables.write(rows, table, tables.METRICS)
    display.write_markdown(rows, markdown)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.manifest),
            [Task.of(name, values) for name, values in job.params.tasks.items()],
            job.params.seed,
            job.params.repetitions,
            Path(job.output.table),
            Path(job.output.markdown),
        )
