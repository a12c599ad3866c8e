"""How strongly a map speaks, on a scale from 0 to 1."""

import numpy as np
from numpy.typing import NDArray

Heat = NDArray[np.float32]

BRIGHTEST = 99.8
"""Percentile of a map of pixels that counts as its largest value: a few would outshine the rest."""


def sized(heat: Heat, inside: NDArray[np.bool_]) -> Heat:
    """Return how strongly a map speaks, for or against: absolute values scaled to [0, 1].

    What exceeds `BRIGHTEST` within the retina is cut; what lies beyond it is 0.

    Args:
        heat: A map (h, w).
        inside: Where there is retina, (h, w).
    """
    strength = np.where(inside, np.abs(heat), 0)
    top = np.percentile(strength[inside], BRIGHTEST) if inside.any() else 0
    # A few pixels may be all that a map has.
    top = top or strength.max()
    return np.asarray(np.minimum(strength / top, 1) if top > 0 else strength, np.float32)
