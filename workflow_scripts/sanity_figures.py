"""Draw the sanity checks of maps."""

from pathlib import Path

from retinopathy import methods, sanity_figures, sanity_tables, tables
from retinopathy.logs import logged


def main(randomisation: Path, areas: Path, curves: Path, randomised: Path, deleted: Path) -> None:
    """Draw two figures from the tables alone.

    Args:
        randomisation: Table of what random weights do to maps.
        areas: Table of the areas under the curves of deletion and insertion.
        curves: Table of these curves.
        randomised: Where to draw the first.
        deleted: Where to draw the other two.
    """
    rows = tables.read(randomisation, sanity_tables.RANDOMISATION)
    sanity_figures.randomisation(rows, methods.TITLES, randomised)
    sanity_figures.deletion(
        tables.read(curves, sanity_tables.CURVES),
        tables.read(areas, sanity_tables.DELETION),
        {**methods.TITLES, **methods.ORDERS},
        deleted,
    )


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.randomisation),
            Path(job.input.areas),
            Path(job.input.curves),
            Path(job.output.randomisation),
            Path(job.output.deletion),
        )
