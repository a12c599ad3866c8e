"""Sheets of photographs: rows and columns of images with what is to be said of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.cm import ScalarMappable
from numpy.typing import NDArray

from retinopathy import plotting

HEAT = "inferno"
"""Colour map of heat maps: its brightness rises steadily, so it prints in grey."""


@dataclass(frozen=True)
class Row:
    """One row of a sheet.

    Attributes:
        title: What is said of the row, at its left.
        images: uint8 (h, w, 3) or (h, w), one per column.
    """

    title: str
    images: Sequence[NDArray[np.uint8]]


def draw(rows: Sequence[Row], columns: Sequence[str], path: Path, *, heat: str = "") -> None:
    """Draw `rows` under the titles `columns`; a colour bar for heat maps when `heat` names it."""
    with plotting.figure(path, 2.1 * len(columns) + 1.6, 2.1 * len(rows) + 0.5) as drawn:
        grid = drawn.subplots(len(rows), len(columns), squeeze=False)
        for number, row in enumerate(rows):
            for axes, image in zip(grid[number], row.images, strict=True):
                axes.imshow(image, cmap="gray", vmin=0, vmax=255)
                axes.set_xticks([])
                axes.set_yticks([])
                axes.grid(visible=False)
                axes.spines[:].set_visible(False)
            grid[number][0].set_ylabel(
                row.title, rotation=0, ha="right", va="center", fontsize=8, labelpad=8
            )
        for axes, title in zip(grid[0], columns, strict=True):
            axes.set_title(title, fontsize=9)
        if heat:
            drawn.colorbar(
                ScalarMappable(cmap=HEAT), ax=grid.ravel().tolist(), label=heat, shrink=0.5
            )


def say(sentence: str, path: Path) -> None:
    """Draw a figure that says why there is nothing to show."""
    with plotting.figure(path, 6, 1.5) as drawn:
        plotting.empty(drawn.subplots(), sentence)
