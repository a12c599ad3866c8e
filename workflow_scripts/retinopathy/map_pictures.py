"""Maps as pictures: laid over the photograph, and in rows of a sheet."""

from collections.abc import Mapping

import cv2
import numpy as np

from retinopathy import overlays
from retinopathy.maps import Heat, Pixels
from retinopathy.methods import COARSE, FEATURES, FINE, METHODS
from retinopathy.scales import BRIGHTEST

MEANING = "share of the map's largest value"
"""What the colours of a drawn map mean."""

HALF = 0.5
"""Share of the largest value around which a line is drawn, to be seen without colours too."""

_EDGE = 3  # pixels between that line and the border of the picture


def scaled(heat: Heat, method: str) -> Heat:
    """Return a map, (h, w), as it is drawn: from 0 to 1, what speaks against the class is 0."""
    return overlays.normalise(heat, 100 if METHODS[method].layer == FEATURES else BRIGHTEST)


def over(picture: Pixels, heat: Heat, method: str) -> Pixels:
    """Return a picture, uint8 (side, side, 3), with a map of the same crop laid over it."""
    return overlays.overlay(picture, scaled(heat, method))


def alone(heat: Heat, method: str, side: int) -> Pixels:
    """Return a map as a picture of its own, uint8 (side, side, 3)."""
    return overlays.overlay(np.zeros((side, side, 3), np.uint8), scaled(heat, method), alpha=1.0)


def panels(picture: Pixels, heat: Mapping[str, Heat]) -> list[Pixels]:
    """Return the pictures of one photograph on a sheet, in the order of `columns`.

    Args:
        picture: The photograph, cropped, uint8 (side, side, 3).
        heat: Method → its map, (h, w).
    """
    fine = heat[FINE]
    return [
        picture,
        lined(picture, heat[COARSE], COARSE),
        over(picture, fine, FINE),
        alone(fine, FINE, len(picture)),
    ]


def lined(picture: Pixels, heat: Heat, method: str) -> Pixels:
    """Return what `over` does, with a line around at least `HALF` of the largest value."""
    side = len(picture)
    large = cv2.resize(scaled(heat, method), (side, side), interpolation=cv2.INTER_LINEAR)
    half = np.zeros((side, side), np.uint8)
    # Along the border of the picture the line runs within it: it tells which side is meant.
    within = slice(_EDGE, side - _EDGE)
    half[within, within] = large[within, within] >= HALF
    around, _ = cv2.findContours(half, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    laid = over(picture, heat, method)
    return np.asarray(cv2.drawContours(laid, around, -1, (255, 255, 255), 2), np.uint8)


def heading(method: str, heat: Heat) -> str:
    """Return the title of a column of maps, (…, h, w): a coarse grid is told."""
    title = METHODS[method].title
    height, width = heat.shape[-2:]
    return f"{title}, {height} × {width} cells" if METHODS[method].layer == FEATURES else title


def columns(heat: Mapping[str, Heat]) -> list[str]:
    """Return the titles of what `panels` returns."""
    fine = heading(FINE, heat[FINE])
    return ["photograph", heading(COARSE, heat[COARSE]), fine, f"{fine} alone"]


def remark(cam: Heat) -> str:
    """Return a line on a map that would be drawn black, to be put below others, else nothing."""
    return "" if cam.max() > 0 else "\nno place speaks for disease"
