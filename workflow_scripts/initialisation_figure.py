"""Draw what transfer gives: final runs beside random controls."""

from pathlib import Path

from retinopathy import figures, tables
from retinopathy.logs import logged


def main(table: Path, figure: Path) -> None:
    """Draw test AUC with intervals."""
    figures.initialisation(tables.read(table, (*tables.METRICS, "case")), figure)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(Path(job.input.table), Path(job.output.figure))
