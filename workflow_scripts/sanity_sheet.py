"""Draw the maps of one photograph while the weights become random."""

from pathlib import Path

from retinopathy import sanity_maps, sanity_sheets, sheets
from retinopathy.logs import logged


def main(network: str, kept: Path, figure: Path) -> None:
    """Draw the sheet of a network, or say that it has none."""
    sheet = sanity_maps.read(kept)
    if sheet is None:
        sheets.say(f"{network} has no test predictions: its training diverged.", figure)
        return
    sanity_sheets.draw(sheet, figure)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(job.wildcards.network, Path(job.input.sheet), Path(job.output.figure))
