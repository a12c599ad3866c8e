"""Deletion and insertion: what a network says while the strongest places go, or come back first.

Petsiuk, Das, Saenko, RISE, BMVC 2018. In deletion the pixels of the retina are replaced by those of
a strongly blurred copy, the strongest of a map first; in insertion the blurred copy gets them back.
A map that finds what the network goes by has a small area under the first curve and a large one
under the second. What is not retina stays as it is.

Controls are orders that no network made: pixels by chance, patches by chance, and the middle of the
photograph first. Scattered pixels act on a network in another way than patches of the same area do,
and may look like small lesions: a coarse map should be read beside patches, a fine one beside both.
Patches are as large as the cells of the network's own coarse maps.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from retinopathy import similarity
from retinopathy.methods import MIDDLE, PATCHES, PIXELS

Heat = NDArray[np.float32]
Inside = NDArray[np.bool_]
Order = NDArray[np.intp]

AREAS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
"""Shares of the retina at which the network is asked."""

DELETION, INSERTION = "deletion", "insertion"

CURVES = ("image", "patient", "method", "kind", "share", "logit", "probability")
"""Columns of curves: one row per photograph, method, kind and share of the retina."""

Score = Callable[[Heat], NDArray[np.floating]]
"""Photographs, float32 (n, size, size, 3) → logits of the diseased class, (n,)."""


def controls(size: int, cells: tuple[int, ...], generator: np.random.Generator) -> dict[str, Heat]:
    """Return the maps of the controls, `methods.ORDERS`, (size, size).

    Args:
        size: Side of the photographs.
        cells: Patches down and across: as many as the coarse maps of the network have cells, so
            that these are judged against patches as large as their own. A single one points
            nowhere.
        generator: Deals pixels and patches.
    """
    along = np.arange(size) - (size - 1) / 2
    patches = generator.random(cells, dtype=np.float32)
    return {
        PIXELS: generator.random((size, size), dtype=np.float32),
        PATCHES: similarity.enlarged(patches, size),
        MIDDLE: -np.hypot(along, along[:, None]).astype(np.float32),
    }


def ranked(heat: Heat, inside: Inside, generator: np.random.Generator) -> Order | None:
    """Return the places of the retina's pixels, flat, the highest value of a map first.

    What speaks against the class comes last. Equal pixels are in an order by chance: from top to
    bottom would be a hint of its own. None for a map that points nowhere.

    Args:
        heat: A map (size, size).
        inside: Where there is retina, (size, size).
        generator: Deals the equal ones.
    """
    if similarity.points_nowhere(heat, inside):
        return None
    places = np.flatnonzero(inside)
    chance = generator.random(len(places))
    return places[np.lexsort((chance, -heat.ravel()[places]))]


def curves(
    score: Score,
    photograph: Heat,
    blurred: Heat,
    inside: Inside,
    orders: Mapping[str, Order | None],
) -> pd.DataFrame:
    """Return what the network says of one photograph at every share of every order.

    Args:
        score: The network.
        photograph: RGB in [0, 255], float32 (size, size, 3).
        blurred: The same without what is to be found.
        inside: Where there is retina, (size, size).
        orders: Method → places of the retina's pixels, as `ranked` gives them; None where a map
            points nowhere.

    Returns:
        Columns method, kind, share, logit and probability; the last two NaN where there is no
        order.
    """
    emptied = np.where(inside[..., None], blurred, photograph)
    ends = {DELETION: (photograph, emptied), INSERTION: (emptied, photograph)}
    whole, nothing = score(np.stack([photograph, emptied]))
    known = {DELETION: (whole, nothing), INSERTION: (nothing, whole)}
    rows = []
    for method, order in orders.items():
        for kind, (start, end) in ends.items():
            logits = np.full(len(AREAS), np.nan)
            if order is not None:
                logits[[0, -1]] = known[kind]
                logits[1:-1] = score(_mixtures(start, end, order))
            row = {"method": method, "kind": kind, "share": AREAS}
            rows.append(pd.DataFrame(row | {"logit": logits, "probability": expit(logits)}))
    return pd.concat(rows, ignore_index=True)


def areas(table: pd.DataFrame) -> pd.DataFrame:
    """Return the areas under the curves of every photograph, method and kind.

    Args:
        table: `CURVES`.

    Returns:
        Columns image, patient, method, kind, and, by the trapezoidal rule over the share of the
        retina: `probability_area` in [0, 1] and `logit_area`; and `over_pixels` and `over_patches`,
        by how much the area of the logit is better than that of the control by chance of the same
        photograph: smaller in deletion, larger in insertion. They are NaN where that control has
        no order, as patches of a single cell, and of the control itself.
    """
    keys = ["image", "patient", "method", "kind"]
    rows = pd.DataFrame(
        (
            (*key, *(area(one["share"], one[name]) for name in ("probability", "logit")))
            for key, one in table.groupby(keys, sort=False)
        ),
        columns=[*keys, "probability_area", "logit_area"],
    )
    better = np.where(rows["kind"] == DELETION, -1, 1)
    for name, control in (("over_pixels", PIXELS), ("over_patches", PATCHES)):
        own = rows[rows["method"] == control].set_index(["image", "kind"])["logit_area"]
        places = pd.MultiIndex.from_frame(rows[["image", "kind"]])
        gain = better * (rows["logit_area"].to_numpy() - own.loc[places].to_numpy())
        rows[name] = np.where(rows["method"] == control, np.nan, gain)
    return rows


def area(share: Any, values: Any) -> float:
    """Return the area under a curve over shares from 0 to 1, by the trapezoidal rule."""
    return float(np.trapezoid(np.asarray(values, np.float64), np.asarray(share, np.float64)))


def _mixtures(start: Heat, end: Heat, order: Order) -> Heat:
    """Return a photograph on its way to another at all of `AREAS` but the first and the last."""
    mixed = np.repeat(start[None], len(AREAS) - 2, axis=0)
    for one, share in zip(mixed, AREAS[1:-1], strict=True):
        # As many pixels as come nearest to the share.
        gone = order[: round(share * len(order))]
        one.reshape(-1, 3)[gone] = end.reshape(-1, 3)[gone]
    return mixed
