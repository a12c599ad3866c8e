"""Draw what a split that ignores patients would have pretended."""

from pathlib import Path

from retinopathy import learning_figures, tables
from retinopathy.logs import logged


def main(table: Path, figure: Path) -> None:
    """Draw test AUC with intervals of the two cases."""
    columns = (*tables.METRICS, "case", "fellow_in_train")
    learning_figures.leakage(tables.read(table, columns), figure)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(Path(job.input.table), Path(job.output.figure))
