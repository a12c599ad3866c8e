"""Maps of one photograph while weights become random, drawn."""

from pathlib import Path

import numpy as np

from retinopathy import plotting, sheets
from retinopathy.numerals import decimals
from retinopathy.sanity_maps import Sheet
from retinopathy.scales import sized
from retinopathy.similarity import enlarged

KNOWN = (
    "Guided backpropagation is known to change little when weights become random, and gives Guided "
    "Grad-CAM its fine structure (Adebayo et al. 2018).\nBelow each map: rank correlation, over "
    "the retina, of its strength with that of the trained network's map."
)
"""What a sheet says of itself."""


def draw(sheet: Sheet, path: Path) -> None:
    """Draw maps by method, in rows, and state, in columns, each with its similarity.

    What is drawn is what is compared: how strongly a map speaks, for or against, scaled to its own
    largest value within the retina.
    """
    columns = ("photograph", *sheet.states)
    with plotting.figure(path, 1.9 * len(columns) + 1.4, 1.95 * len(sheet.heat) + 1.1) as drawn:
        grid = drawn.subplots(len(sheet.heat), len(columns), squeeze=False)
        for row, (method, heat) in zip(grid, sheet.heat.items(), strict=True):
            row[0].imshow(sheet.seen)
            row[0].set_ylabel(method, rotation=0, ha="right", va="center", labelpad=8)
            for axes, one, alike in zip(row[1:], heat, sheet.similarity[method], strict=True):
                strength = sized(enlarged(one, len(sheet.inside)), sheet.inside)
                axes.imshow(strength, cmap=sheets.HEAT, vmin=0, vmax=1)
                axes.set_xlabel("undefined" if np.isnan(alike) else decimals(alike, 2), fontsize=8)
        for axes in grid.ravel():
            axes.set(xticks=[], yticks=[])
            axes.grid(visible=False)
            axes.spines[:].set_visible(False)
        for axes, title in zip(grid[0], columns, strict=True):
            axes.set_title(title, fontsize=9)
        drawn.suptitle(f"{sheet.title}\n{KNOWN}", fontsize=9)
