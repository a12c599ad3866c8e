"""Draw how deep one should fine-tune."""

from pathlib import Path

from retinopathy import figures, tables
from retinopathy.logs import logged


def main(table: Path, figure: Path) -> None:
    """Draw validation AUC and accuracy against depth."""
    figures.depth(tables.read(table, tables.METRICS), figure)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(Path(job.input.table), Path(job.output.figure))
