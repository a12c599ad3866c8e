"""Maps as pictures: scaled, put into the coordinates of a photograph, and laid over it."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Heat = NDArray[np.float32]
Pixels = NDArray[np.uint8]


def normalise(heat: NDArray[Any], percentile: float = 100.0) -> Heat:
    """Return maps scaled to [0, 1]: negative values become 0, the largest 1.

    A map without a positive value becomes 0 everywhere rather than noise.

    Args:
        heat: One map (h, w) or several (n, h, w), each scaled by itself.
        percentile: The percentile, instead of the largest value, that becomes 1; what exceeds it
            is cut. Guided maps have a few very strong pixels that would leave the rest dark.

    Raises:
        ValueError: A value is not finite.
    """
    if not np.isfinite(heat).all():
        raise ValueError("a map with values that are not finite cannot be drawn")
    positive = np.maximum(heat, 0, dtype=np.float64)
    top = np.percentile(positive, percentile, axis=(-2, -1), keepdims=True)
    scaled = np.divide(positive, top, out=np.zeros_like(positive), where=top > 0)
    return np.asarray(np.minimum(scaled, 1), dtype=np.float32)


def place(heat: Heat, box: tuple[int, int, int], shape: tuple[int, int]) -> Heat:
    """Return a map in the coordinates of the photograph, 0 outside the crop box.

    Args:
        heat: A map (h, w) of what the box holds.
        box: Left, top and side of the crop, pixels of the photograph; may reach beyond it.
        shape: Height and width of the photograph.
    """
    left, top, side = box
    shrinks = side < max(heat.shape)
    large = cv2.resize(
        np.asarray(heat, np.float32),
        (side, side),
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
    )
    placed = np.zeros(shape, np.float32)
    rows, columns = _inside(box, shape)
    placed[rows, columns] = large[
        rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
    ]
    return placed


def overlay(
    image: Pixels,
    heat: Heat,
    box: tuple[int, int, int] | None = None,
    alpha: float = 0.5,
) -> Pixels:
    """Return a photograph with a map laid over it, in the colours of matplotlib's `inferno`.

    Args:
        image: The photograph, uint8 RGB (height, width, 3).
        heat: A map in [0, 1], (h, w), of what the box holds.
        box: Left, top and side of the crop, pixels of `image`; what lies outside stays as it is.
            By default the map covers the photograph.
        alpha: Opacity of the map, 0 to 1.
    """
    height, width = image.shape[:2]
    if box is None:
        placed = cv2.resize(
            np.asarray(heat, np.float32), (width, height), interpolation=cv2.INTER_LINEAR
        )
        rows, columns = slice(0, height), slice(0, width)
    else:
        placed = place(heat, box, (height, width))
        rows, columns = _inside(box, (height, width))
    covered = image[rows, columns]
    if covered.size == 0:
        return image.copy()
    levels = np.rint(placed[rows, columns].clip(0, 1) * 255).astype(np.uint8)
    colours = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    drawn = image.copy()
    drawn[rows, columns] = cv2.addWeighted(covered, 1 - alpha, colours, alpha, 0)
    return drawn


def _inside(box: tuple[int, int, int], shape: tuple[int, int]) -> tuple[slice, slice]:
    """Return the rows and columns of a photograph that lie in the box."""
    left, top, side = box
    height, width = shape
    rows = slice(min(max(top, 0), height), max(min(top + side, height), 0))
    columns = slice(min(max(left, 0), width), max(min(left + side, width), 0))
    return rows, columns
