"""Draw how deep one should fine-tune."""

from pathlib import Path

from retinopathy import figures, tables
from retinopathy.logs import logged


def main(table: Path, figure: Path) -> None:
    """Draw validation AUC and accuracy against depth."""
    figures.depth(tables.read(table, tables.METRICS), figure)


if __name__ == "__main__":
    from snakemake.script import snakemake

    with logged(snakemake.log[0]):
        main(Path(snakemake.input.table), Path(snakemake.output.figure))
