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
    from snakemake.script import snakemake

    with logged(snakemake.log[0]):
        main(
            snakemake.wildcards.name,
            Path(snakemake.input.table),
            Path(snakemake.input.curves),
            Path(snakemake.output.figure),
        )
