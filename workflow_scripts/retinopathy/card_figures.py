"""Figures of the data card."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retinopathy import decoding, photographs, plotting
from retinopathy.decoding import Pixels
from retinopathy.figures import LEVELS

EXAMPLE_SIDE = 360
"""Side of an example in pixels."""

COLUMNS = 4
"""Thumbnails in a row."""

TILES = 24
"""Thumbnails on a sheet at most."""

GREYS = ("#f2f2f2", "#c9c9c9", "#999999", "#5c5c5c", "#111111")
"""Levels from light to dark."""

_SIDE = 280  # pixels of the larger side of a thumbnail
_WIDTH = 8.0  # inches of a sheet
_LINE = 0.16  # inches of a line of a title
_FRAME = 0.7  # height of an empty tile, as a share of its width


@dataclass(frozen=True)
class Tile:
    """A thumbnail of a sheet.

    Attributes:
        title: What is said above it.
        image: uint8 (h, w, 3), or None where there is none.
    """

    title: str
    image: Pixels | None


def examples(usable: pd.DataFrame) -> list[Tile]:
    """Return one photograph per level: the one of median brightness, which is seldom a bad one."""
    tiles = []
    for level, name in enumerate(LEVELS):
        rows = usable[usable["level"] == level]
        if rows.empty:
            continue
        middle = rows.sort_values(["brightness", "image"]).iloc[len(rows) // 2]
        box = photographs.CropBox(middle["crop_left"], middle["crop_top"], middle["crop_side"])
        data = Path(middle["path"]).read_bytes()
        tiles.append(Tile(name, photographs.prepare(data, box, EXAMPLE_SIDE, "none")))
    return tiles


def rejects(rows: pd.DataFrame) -> list[Tile]:
    """Return a tile for each row of a manifest, titled with its image and status."""
    return [
        Tile(f"{image}\n{status}", _thumbnail(Path(path)) if path else None)
        for image, status, path in zip(rows["image"], rows["status"], rows["path"], strict=True)
    ]


def sheet(tiles: Sequence[Tile], columns: int, path: Path) -> None:
    """Draw thumbnails in rows; a tile without an image is an empty frame.

    Args:
        tiles: At least one.
        columns: How many there are in a row.
        path: Where to write the sheet.
    """
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    sides = [side for tile in tiles if tile.image is not None for side in tile.image.shape[:2]]
    width = max(sides, default=_SIDE)  # pixels of a tile
    heights = [_height(row, width) for row in rows]
    titles = [1 + max(_wrapped(tile.title).count("\n") for tile in row) for row in rows]
    inches = [
        _WIDTH / columns * height / width + _LINE * lines
        for height, lines in zip(heights, titles, strict=True)
    ]
    with plotting.figure(path, _WIDTH, sum(inches)) as drawn:
        grid = drawn.subplots(len(rows), columns, squeeze=False, height_ratios=inches)
        for line, row, height in zip(grid, rows, heights, strict=True):
            for axes, tile in zip(line, row, strict=False):
                _draw(axes, tile, width, height)
            for axes in line[len(row) :]:
                axes.axis("off")


def _height(tiles: Sequence[Tile], width: int) -> int:
    """Return the pixels of the tallest of some tiles that are `width` wide."""
    shown = [tile.image.shape[0] for tile in tiles if tile.image is not None]
    return max(shown, default=round(_FRAME * width))


def _draw(axes: Axes, tile: Tile, width: int, height: int) -> None:
    """Draw a tile at the upper left of `width` × `height` pixels."""
    axes.grid(visible=False)
    axes.spines[:].set_visible(tile.image is None)
    if tile.image is not None:
        axes.imshow(tile.image)
    axes.set(xticks=[], yticks=[], xlim=(0, width), ylim=(height, 0), aspect="equal", anchor="N")
    # Names may hold dollars, which are no formulas.
    axes.set_title(_wrapped(tile.title), fontsize=8, parse_math=False)


def sizes(table: pd.DataFrame, path: Path) -> None:
    """Draw the shares of the levels in each size, with its number of photographs.

    Args:
        table: Columns size, photographs, level_0 … level_4.
        path: Where to write the figure.
    """
    counts = table[[f"level_{level}" for level in range(len(LEVELS))]].to_numpy(float)
    shares = counts / counts.sum(axis=1, keepdims=True)
    places = np.arange(len(table))
    with plotting.figure(path, 8, 1.2 + 0.3 * len(table)) as drawn:
        axes = drawn.subplots()
        for level, name in enumerate(LEVELS):
            left = shares[:, :level].sum(axis=1)
            axes.barh(
                places, shares[:, level], left=left, color=GREYS[level], edgecolor="k", label=name
            )
        for place, n in enumerate(table["photographs"]):
            axes.text(1.01, place, f"{n}", va="center", fontsize=8)
        axes.set_yticks(places, table["size"])
        axes.invert_yaxis()
        axes.set(xlim=(0, 1.08), xlabel="share of the photographs of that size")
        axes.set_ylabel("width × height, pixels")
        axes.grid(visible=False)
        drawn.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=5)


def light(usable: pd.DataFrame, path: Path) -> None:
    """Draw histograms of brightness and saturation, one row per level.

    Args:
        usable: Columns level, brightness, saturation (0–255).
        path: Where to write the figure.
    """
    edges = list(range(0, 257, 8))
    with plotting.figure(path, 8, 6) as drawn:
        grid = drawn.subplots(len(LEVELS), 2, sharex=True)
        for level, name in enumerate(LEVELS):
            rows = usable[usable["level"] == level]
            for axes, column in zip(grid[level], ("brightness", "saturation"), strict=True):
                _histogram(axes, rows[column].dropna(), edges)
            grid[level][0].set_ylabel(f"{name}\nn = {len(rows)}", fontsize=8)
        for axes, column in zip(grid[-1], ("brightness", "saturation"), strict=True):
            axes.set_xlabel(f"{column}, 0 to 255")


def _histogram(axes: Axes, values: pd.Series, edges: list[int]) -> None:
    axes.set_yticks([])
    axes.set_xlim(0, 256)
    if len(values):
        axes.hist(values, edges, color="#999999", edgecolor="white", linewidth=0.3)
        axes.axvline(float(values.median()), color="black", linewidth=1)


def _wrapped(title: str) -> str:
    lines = [line for part in title.split("\n") for line in textwrap.wrap(part, 26)]
    return "\n".join(lines[:4])


def _thumbnail(path: Path) -> Pixels | None:
    """Return a photograph within a square of `_SIDE` pixels; None when it cannot be decoded."""
    try:
        data = decoding.read(path)
        larger = max(decoding.dimensions(data))
        small = decoding.decode(data, decoding.strongest_reduction(larger, _SIDE))
    except decoding.Unusable:
        return None
    scale = _SIDE / max(small.shape[:2])
    height, width = (max(1, round(scale * side)) for side in small.shape[:2])
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
