"""What finds lesions without a network: maps that every map of a network has to beat.

Each is made of the photograph alone, on the grid of `lesions`, and the same for every type of
lesion. Two know only where the retina is, two look at it.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from retinopathy.decoding import Pixels
from retinopathy.lesions import GRID, Mask
from retinopathy.localisation import Heat

WIDTH = 0.25
"""Standard deviation of the centre prior, in diameters of the retina."""

VESSEL = 0.027
"""Length of the lines that the vessel filter opens with, in diameters of the retina: longer than
vessels are wide. The 15 pixels of Zana and Klein, on retinas about 550 pixels wide."""

_DIRECTIONS = 12
_FINE = 2.0  # standard deviation of the edge filter, cells: finer is noise and compression


def uniform(_crop: Pixels, field: Mask) -> Heat:
    """Return the same everywhere."""
    return np.ones(field.shape, np.float32)


def centre(_crop: Pixels, field: Mask) -> Heat:
    """Return a Gaussian about the middle of the crop box, of standard deviation `WIDTH`."""
    rows, columns = field.shape
    down, across = np.mgrid[:rows, :columns]
    middle = ((down + 0.5) / rows - 0.5) ** 2 + ((across + 0.5) / columns - 0.5) ** 2
    return np.asarray(np.exp(-middle / (2 * WIDTH**2)), np.float32)


def rim(_crop: Pixels, field: Mask) -> Heat:
    """Return how near each cell is to the retina's edge: 1 there, falling evenly to 0."""
    padded = np.pad(field, 1).view(np.uint8)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    return np.asarray(1 - depth / max(float(depth.max()), 1.0), np.float32)


def vessels(crop: Pixels, field: Mask) -> Heat:
    """Return how much each cell is part of something dark and narrow: vessels, and small bleedings.

    The sum of top-hats of the inverted green channel by lines in twelve directions: Zana and Klein,
    Segmentation of vessel-like patterns using mathematical morphology and curvature evaluation,
    IEEE Transactions on Image Processing 10, 2001, equation 3 without the reconstruction before it.
    """
    dark = cv2.GaussianBlur(255 - _green(crop, field), (0, 0), 1.0)
    total = np.zeros(field.shape, np.float32)
    for turn in range(_DIRECTIONS):
        line = _line(round(VESSEL * GRID), np.pi * turn / _DIRECTIONS)
        total += dark - cv2.morphologyEx(dark, cv2.MORPH_OPEN, line)
    return total


def edges(crop: Pixels, field: Mask) -> Heat:
    """Return the gradient of the green channel, smoothed by a Gaussian.

    Canny, A computational approach to edge detection, IEEE PAMI 8, 1986, without thinning.
    """
    smooth = cv2.GaussianBlur(_green(crop, field), (0, 0), _FINE)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *way) for way in ((1, 0), (0, 1)))
    return np.asarray(np.hypot(across, down), np.float32)


CONTROLS: Mapping[str, Callable[[Pixels, Mask], Heat]] = {
    "uniform": uniform,
    "centre": centre,
    "rim": rim,
    "vessels": vessels,
    "edges": edges,
}
"""Name, of `lesion_types.CONTROLS` → map, float32 (h, w) ≥ 0, of a crop, uint8 (h, w, 3), and its
field, bool (h, w)."""


def _green(crop: Pixels, field: Mask) -> Heat:
    """Return the green channel, float32, continued beyond the retina: its rim is no edge.

    Beyond it is what the retina nearby has on average.
    """
    inside = field.astype(np.float32)
    green = crop[..., 1].astype(np.float32)
    spread = GRID / 20
    weight = cv2.GaussianBlur(inside, (0, 0), spread)
    nearby = cv2.GaussianBlur(green * inside, (0, 0), spread) / np.maximum(weight, 1e-6)
    return np.asarray(np.where(field, green, nearby), np.float32)


def _line(length: int, angle: float) -> Pixels:
    """Return a line through the middle of an odd square, uint8 (length | 1, length | 1)."""
    half = length // 2
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.uint8)
    reach = half * np.array([np.cos(angle), np.sin(angle)])
    ends = [tuple(int(one) for one in np.rint(half + sign * reach)) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1)
    # The same from either end: an opening by another shape may be brighter than the photograph.
    return np.asarray(kernel | kernel[::-1, ::-1], np.uint8)
