"""Figures of the data card."""

import math
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

TILES = 24
"""Thumbnails on a sheet at most."""

GREYS = ("#f2f2f2", "#c9c9c9", "#999999", "#5c5c5c", "#111111")
"""Levels from light to dark."""

_COLUMNS = 6  # thumbnails in a row
_SIDE = 200  # pixels of the larger side of a thumbnail


@dataclass(frozen=True)
class Tile:
    """A thumbnail of a sheet.

    Attributes:
        title: What is said above it.
        image: uint8 (h, w, 3), or None where there is none.
    """

    title: str
    image: Pixels | None


def examples(usable: pd.DataFrame) -> list[Pixels]:
    """Return one photograph per level: the one of median brightness, which is seldom a bad one."""
    images = []
    for _, rows in usable.groupby("level"):
        middle = rows.sort_values(["brightness", "image"]).iloc[len(rows) // 2]
        box = photographs.CropBox(middle["crop_left"], middle["crop_top"], middle["crop_side"])
        data = Path(middle["path"]).read_bytes()
        images.append(photographs.prepare(data, box, EXAMPLE_SIDE, "none"))
    return images


def rejects(rows: pd.DataFrame) -> list[Tile]:
    """Return a tile for each row of a manifest, titled with its image and status."""
    return [
        Tile(f"{image}\n{status}", _thumbnail(Path(path)) if path else None)
        for image, status, path in zip(rows["image"], rows["status"], rows["path"], strict=True)
    ]


def sheet(tiles: Sequence[Tile], path: Path) -> None:
    """Draw thumbnails in rows; a tile without an image is an empty frame."""
    rows = math.ceil(len(tiles) / _COLUMNS)
    with plotting.figure(path, 1.7 * _COLUMNS, 1.9 * rows) as drawn:
        grid = drawn.subplots(rows, _COLUMNS, squeeze=False).ravel()
        for axes, tile in zip(grid, tiles, strict=False):
            axes.set(xticks=[], yticks=[], xlim=(0, _SIDE), ylim=(_SIDE, 0), aspect="equal")
            axes.grid(visible=False)
            axes.spines[:].set_visible(tile.image is None)
            if tile.image is not None:
                axes.imshow(tile.image)
            # Names may hold dollars, which are no formulas.
            axes.set_title(_wrapped(tile.title), fontsize=6, parse_math=False)
        for axes in grid[len(tiles) :]:
            axes.axis("off")


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
        axes.set(xlim=(0, 1.08), xlabel="share of the photographs of a size, pixels")
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
