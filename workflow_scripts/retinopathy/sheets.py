"""Sheets of photographs: rows and columns of images with what is to be said of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from numpy.typing import NDArray

from retinopathy import plotting

HEAT = "inferno"
"""Colour map of heat maps: its brightness rises steadily, so it prints in grey."""

_SIDE, _GAP, _BESIDE, _BAR, _ABOVE, _LINE = 2.2, 0.08, 1.6, 1.0, 0.3, 0.3
"""Inches: of an image, between rows, for their titles, the colour bar, the titles of columns, and
a line of text."""


@dataclass(frozen=True)
class Row:
    """One row of a sheet.

    Attributes:
        title: What is said of the row, at its left.
        images: uint8 (h, w, 3) or (h, w), one per column.
    """

    title: str
    images: Sequence[NDArray[np.uint8]]


def draw(
    rows: Sequence[Row],
    columns: Sequence[str],
    path: Path,
    *,
    heat: str = "",
    title: str = "",
    note: str = "",
) -> None:
    """Draw `rows` under the titles `columns`.

    Args:
        rows: At least one.
        columns: A title for each image of a row.
        path: Where to draw.
        heat: What the colours of heat maps mean; with it there is a colour bar.
        title: A line above all.
        note: A line below all.
    """
    width = _SIDE * len(columns) + _BESIDE + (_BAR if heat else 0)
    height = (_SIDE + _GAP) * len(rows) + _ABOVE + _LINE * (bool(title) + bool(note))
    with plotting.figure(path, width, height) as drawn:
        drawn.set_layout_engine("compressed", h_pad=_GAP / 2, hspace=0)
        grid = drawn.subplots(len(rows), len(columns), squeeze=False)
        for axes, row in zip(grid, rows, strict=True):
            _draw_row(axes, row)
        for axes, name in zip(grid[0], columns, strict=True):
            axes.set_title(name, fontsize=9)
        if heat:
            drawn.colorbar(
                ScalarMappable(cmap=HEAT),
                ax=grid.ravel().tolist(),
                label=heat,
                shrink=min(1, 2 / len(rows)),
                aspect=30,
            )
        if title:
            drawn.suptitle(title, fontsize=10)
        if note:
            drawn.supxlabel(note, fontsize=8)


def _draw_row(grid: NDArray[Any], row: Row) -> None:
    for axes, image in zip(grid, row.images, strict=True):
        axes.imshow(image, cmap="gray", vmin=0, vmax=255)
        axes.set(xticks=[], yticks=[])
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
    grid[0].set_ylabel(row.title, rotation=0, ha="right", va="center", fontsize=8, labelpad=8)


def say(sentence: str, path: Path) -> None:
    """Draw a figure that says why there is nothing to show."""
    with plotting.figure(path, 6, 1.5) as drawn:
        plotting.empty(drawn.subplots(), sentence)
