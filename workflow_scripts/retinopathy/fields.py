"""Where a photograph shows the retina: one definition for all who ask."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

BLACK = 12
"""Grey levels, of 255: what is darker in every colour and reaches the edge is no retina."""


def retina(pixels: NDArray[Any], beyond: Mask | None = None) -> Mask:
    """Return where a photograph, or a square crop of one, shows the retina.

    What is black and does not reach the edge, also across corners, is dark retina.

    Args:
        pixels: RGB in [0, 255], (height, width, 3). A change of contrast that turns the black
            grey makes all of it retina.
        beyond: Pixels that are none of the retina whatever they show, (height, width).

    Returns:
        bool (height, width).
    """
    outside = pixels.max(axis=-1) < BLACK
    if beyond is not None:
        outside = outside | beyond
    # The frame joins what reaches the edge anywhere to one region: that of its own corner.
    framed = np.pad(outside, 1, constant_values=True)
    _, regions = cv2.connectedComponents(framed.view(np.uint8), connectivity=8)
    return np.asarray(regions[1:-1, 1:-1] != regions[0, 0])


def shrunk(picture: NDArray[np.uint8], size: int) -> Mask:
    """Return which pixels of a square crop, made smaller, show the retina, (size, size).

    Args:
        picture: The crop without a change of contrast, RGB uint8 (side, side, 3), side ≥ size.
        size: Side of what a network sees.
    """
    return retina(cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA))
