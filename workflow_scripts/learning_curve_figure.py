"""Draw what more photographs give."""

from pathlib import Path

from retinopathy import learning_figures, tables
from retinopathy.logs import logged


def main(table: Path, figure: Path) -> None:
    """Draw test AUC with intervals against the number of photographs."""
    columns = (*tables.METRICS, "case", "photographs")
    learning_figures.learning_curve(tables.read(table, columns), figure)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(Path(job.input.table), Path(job.output.figure))
