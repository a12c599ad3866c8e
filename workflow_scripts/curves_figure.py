"""Draw the figure of a study from its table and learning curves."""

from pathlib import Path

from retinopathy import figures, tables
from retinopathy.logs import logged


def main(study: str, table: Path, curves: Path, figure: Path) -> None:
    """Draw the figure of `study`."""
    figures.CURVES[study](
        tables.read(table, tables.METRICS), tables.read(curves, tables.CURVES), figure
    )


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            job.wildcards.name,
            Path(job.input.table),
            Path(job.input.curves),
            Path(job.output.figure),
        )
