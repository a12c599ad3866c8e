"""How alike two maps of the same photograph are, where there is retina.

The border of a photograph is black and gets much the same from every method: it would make all maps
alike. A map that is the same everywhere points nowhere: its similarity to another is undefined.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Heat = NDArray[np.float32]
Inside = NDArray[np.bool_]
Pixels = NDArray[np.uint8]

SIMILARITIES = (
    "image",
    "patient",
    "method",
    "kind",
    "stage",
    "random_share",
    "similarity",
    "ssim",
)
"""Columns of what random weights do to maps: one row per photograph, method, kind and stage.
`random_share` is the share of all numbers of the network that are random."""

SWAPS = ("image", "patient", "method", "similarity", "difference")
"""Columns of what the other class does to maps: one row per photograph and method."""

_EVEN = 1e-5  # range, as a share of the largest value, of a map that is the same everywhere
_DEVIATION, _WINDOW = 1.5, 11  # pixels: of the window of the structural similarity
_LUMINANCE, _CONTRAST = 0.01**2, 0.03**2  # its constants, for values from 0 to 1


def enlarged(heat: Heat, size: int) -> Heat:
    """Return a map, (h, w), on the pixels of a photograph, (size, size)."""
    large = cv2.resize(np.asarray(heat, np.float32), (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32)


def points_nowhere(heat: Heat, inside: Inside) -> bool:
    """Return whether a map says nothing of where: it is the same everywhere, or not finite."""
    values = heat[inside]
    if values.size == 0 or not np.isfinite(values).all():
        return True
    # Enlarging a map of one cell leaves errors of rounding, which have an order.
    return bool(np.ptp(values) <= _EVEN * np.abs(values).max())


def spearman(first: Heat, second: Heat, inside: Inside) -> float:
    """Return the rank correlation of two maps, (h, w), in [−1, 1]; NaN where one points nowhere.

    Ties get their mean rank (Spearman, Am. J. Psychol. 15, 1904).
    """
    if points_nowhere(first, inside) or points_nowhere(second, inside):
        return float("nan")
    ranks = [rankdata(heat[inside]) for heat in (first, second)]
    return float(np.corrcoef(*ranks)[0, 1])


def ssim(first: Heat, second: Heat, inside: Inside) -> float:
    """Return the mean structural similarity of two maps, (h, w), in [−1, 1]; NaN as `spearman`.

    Wang, Bovik, Sheikh, Simoncelli, Image quality assessment: from error visibility to structural
    similarity, IEEE Trans. Image Process. 13, 2004: with means, variances and covariance in a
    Gaussian window of 11 × 11 pixels and a standard deviation of 1.5,
    (2 μ₁μ₂ + 0.01²)(2 σ₁₂ + 0.03²) / ((μ₁² + μ₂² + 0.01²)(σ₁² + σ₂² + 0.03²)).

    Args:
        first: A map with values in [0, 1].
        second: Another.
        inside: The pixels that count.
    """
    if points_nowhere(first, inside) or points_nowhere(second, inside):
        return float("nan")
    one, other = first.astype(np.float64), second.astype(np.float64)
    mean_one, mean_other = _windowed(one), _windowed(other)
    variance_one = _windowed(one**2) - mean_one**2
    variance_other = _windowed(other**2) - mean_other**2
    covariance = _windowed(one * other) - mean_one * mean_other
    likeness = (2 * mean_one * mean_other + _LUMINANCE) * (2 * covariance + _CONTRAST)
    most = (mean_one**2 + mean_other**2 + _LUMINANCE) * (variance_one + variance_other + _CONTRAST)
    return float((likeness / most)[inside].mean())


def difference(first: Heat, second: Heat, inside: Inside) -> float:
    """Return the mean absolute difference of two maps, each scaled by its largest absolute value.

    It is in [0, 2]; NaN as `spearman`.
    """
    if points_nowhere(first, inside) or points_nowhere(second, inside):
        return float("nan")
    one, other = (heat[inside] / np.abs(heat[inside]).max() for heat in (first, second))
    return float(np.abs(one - other).mean())


def _windowed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(cv2.GaussianBlur(values, (_WINDOW, _WINDOW), _DEVIATION), np.float64)
