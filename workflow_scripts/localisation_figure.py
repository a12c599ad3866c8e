"""Draw how well maps find lesions, beside what needs no network."""

from pathlib import Path

from retinopathy import lesion_types, localisation_figures, localisation_tables, methods, tables
from retinopathy.logs import logged


def main(table: Path, figure: Path) -> None:
    """Draw the table of localisation."""
    titles = {**methods.TITLES, **lesion_types.CONTROLS}
    rows = tables.read(table, localisation_tables.COLUMNS)
    localisation_figures.localisation(rows, titles, figure)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(Path(job.input.table), Path(job.output.figure))
