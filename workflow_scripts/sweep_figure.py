"""Draw which learning rate and which L2 constant are best."""

from pathlib import Path

from retinopathy import study_figures, tables
from retinopathy.logs import logged


def main(table: Path, curves: Path, recommendation: Path, figure: Path) -> None:
    """Draw the curves of every setting and the heat map of their best values."""
    study_figures.sweep(
        tables.read(table, (*tables.METRICS, "case", "rate", "l2")),
        tables.read(curves, tables.CURVES),
        tables.read(recommendation, tables.RECOMMENDATION),
        figure,
    )


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.table),
            Path(job.input.curves),
            Path(job.input.recommendation),
            Path(job.output.figure),
        )
