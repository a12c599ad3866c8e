"""How well a map finds lesions.

A map is judged on the grid of `lesions`, on the cells that show the retina: black borders are easy
to leave out, and would flatter every map. What is negative speaks against disease and becomes 0.

- `pointing`: whether the strongest cell of a map lies on a lesion or within `TOLERANCE` of one:
  the pointing game of Zhang et al., Top-down neural attention by excitation backprop, IJCV 126,
  2018. Of several strongest cells, the share that does.
- `energy`: the share of the map's sum that lies on lesions: the energy-based pointing game of Wang
  et al., Score-CAM, CVPR workshops 2020.
- `average_precision`: the area under the precision–recall curve of the map's cells as a detector of
  the cells with lesions, in steps, as in scikit-learn: Σ (Rₖ − Rₖ₋₁) Pₖ over distinct values.
- `sensitivity`: the share of the lesions' cells among the strongest `AREA` of the retina. Of
  cells of equal strength, some of which are within that area, each counts by its chance.

A map that is the same everywhere, 0 too, thus has the energy and average precision of the lesions'
share of the retina, the sensitivity `AREA`, and the pointing of the share of cells near a lesion.
All four stay the same when a map is multiplied; average precision and sensitivity do with every
transformation that keeps its order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from retinopathy.lesions import GRID, Marked, Mask, together

TOLERANCE = 0.03
"""How far beside a lesion the strongest cell may lie, in diameters of the retina: the 15 pixels of
Zhang et al. are 3 % of their photographs' side, about 500 pixels."""

AREA = 0.05
"""The share of the retina within which `sensitivity` counts lesions."""

Heat = NDArray[np.float32]
Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Target:
    """Where one type of lesion is, on the cells of a retina.

    Attributes:
        on: The cells that have it, bool (cells,), at least one.
        near: Those cells and the ones within the tolerance, bool (cells,).
    """

    on: Mask
    near: Mask


@dataclass(frozen=True)
class Ranked:
    """The cells of a map from the strongest to the weakest.

    Attributes:
        values: float64 (cells,) ≥ 0, in the order of the retina's cells.
        order: Places of the cells, strongest first, int64 (cells,).
        ends: For each distinct value from the strongest on, how many cells have at least it.
    """

    values: Floats
    order: Whole
    ends: Whole


def targets(marked: Marked) -> dict[str, Target]:
    """Return what there is to find in a photograph: by type, and all lesions together."""
    reach = TOLERANCE * GRID
    return {
        kind: Target(mask[marked.field], (_distance(mask) <= reach)[marked.field])
        for kind, mask in together(marked.lesions).items()
    }


def score(heat: Heat, marked: Marked, found: Mapping[str, Target]) -> list[dict[str, Any]]:
    """Return the scores of one map of one photograph: a row per type of lesion.

    Args:
        heat: float32 (GRID, GRID), any sign.
        marked: The photograph on the grid.
        found: Its `targets`.

    Returns:
        Rows with lesion, lesion_share and `lesion_types.METRICS`.

    Raises:
        ValueError: A value of the map is not finite.
    """
    ranked = rank(heat[marked.field])
    return [
        {
            "lesion": kind,
            "lesion_share": float(target.on.mean()),
            "pointing": pointing(ranked, target),
            "energy": energy(ranked, target),
            **detection(ranked, target),
        }
        for kind, target in found.items()
    ]


def rank(values: NDArray[Any]) -> Ranked:
    """Return the cells of a map in order; once per map, for all types.

    Args:
        values: (cells,), any sign.

    Raises:
        ValueError: A value is not finite.
    """
    if not np.isfinite(values).all():
        raise ValueError("a map with values that are not finite cannot be scored")
    positive = np.maximum(values, 0)
    order = np.argsort(-positive)
    last = np.flatnonzero(np.diff(positive[order])) + 1
    ends = np.append(last, len(order)).astype(np.int64)
    return Ranked(positive.astype(np.float64), order, ends)


def pointing(ranked: Ranked, target: Target) -> float:
    """Return the share of the strongest cells that lie near the target, in [0, 1]."""
    return float(target.near[ranked.order[: ranked.ends[0]]].mean())


def energy(ranked: Ranked, target: Target) -> float:
    """Return the share of the map's sum that lies on the target, in [0, 1]."""
    whole = ranked.values.sum()
    if whole == 0:
        return float(target.on.mean())
    return float(ranked.values[target.on].sum() / whole)


def detection(ranked: Ranked, target: Target) -> dict[str, float]:
    """Return `average_precision` and `sensitivity`, both in [0, 1]."""
    hits = np.cumsum(target.on[ranked.order])[ranked.ends - 1].astype(np.float64)
    gained = np.diff(hits, prepend=0)
    # From the target's first cell on, expected hits rise evenly between one end and the next.
    sizes, found = np.append(0, ranked.ends), np.append(0, hits)
    return {
        "average_precision": float((gained * hits / ranked.ends).sum() / hits[-1]),
        "sensitivity": float(np.interp(AREA * sizes[-1], sizes, found) / hits[-1]),
    }


def _distance(mask: Mask) -> Heat:
    """Return the distance of every cell to the nearest one of a mask, in cells."""
    beside = np.asarray(~mask).view(np.uint8)
    distance = cv2.distanceTransform(beside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance, np.float32)
