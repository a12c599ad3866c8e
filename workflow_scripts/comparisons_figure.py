"""Draw the differences between models with their intervals."""

from pathlib import Path

from retinopathy import comparison_figures, comparisons, tables
from retinopathy.logs import logged


def main(table: Path, figure: Path) -> None:
    """Draw the differences of test AUC."""
    comparison_figures.forest(tables.read(table, comparisons.COLUMNS), figure)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(Path(job.input.table), Path(job.output.figure))
