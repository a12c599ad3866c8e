"""Photographs to show: chosen by rule, seen as the network sees them and as they were taken."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import fields, photographs, registry
from retinopathy.runs import INITIALISATIONS, Run

SHOWN_SIDE = 448
"""Side, in pixels, at which a photograph is shown under its maps."""

KINDS = (
    "right, farthest from the threshold",
    "wrong, farthest from the threshold",
    "nearest the threshold",
)
"""Why a photograph is shown, in the order of a sheet."""

LISTED = "named in the configuration"
"""Why another one is."""


@dataclass(frozen=True)
class Shown:
    """A photograph to show.

    Attributes:
        image: Its id.
        box: Its crop, in pixels of the original.
        seen: What the network sees: uint8 (size, size, 3).
        picture: The same crop at `SHOWN_SIDE`: uint8 (side, side, 3).
    """

    image: str
    box: photographs.CropBox
    seen: NDArray[np.uint8]
    picture: NDArray[np.uint8]


def choose(
    predictions: pd.DataFrame, threshold: float, count: int, listed: Sequence[str] = ()
) -> pd.DataFrame:
    """Choose up to `count` photographs by a rule that does not look at them, and those listed.

    In turn: of the right ones the farthest from the threshold, of the wrong ones the farthest from
    it, and the nearest to it; diseased and healthy ones alternate. Distances are of probabilities.

    Args:
        predictions: Predictions of one split.
        threshold: Probability from which a photograph is called diseased.
        count: How many to choose at most by the rule.
        listed: Ids of photographs that are shown besides, where they are among the predictions;
            `absent` tells of the others.

    Returns:
        The chosen rows of `predictions`, with `kind`: one of `KINDS`, in their order, then `LISTED`
        for what the rule did not choose already.
    """
    margin = (predictions["probability"] - threshold).abs()
    right = (predictions["probability"] >= threshold) == (predictions["label"] == 1)
    queues = {
        KINDS[0]: _alternate(predictions[right], margin, ascending=False),
        KINDS[1]: _alternate(predictions[~right], margin, ascending=False),
        KINDS[2]: _alternate(predictions, margin, ascending=True),
    }
    chosen: dict[int, str] = {}
    while len(chosen) < count and any(queues.values()):
        for kind, queue in queues.items():
            fresh = next((place for place in queue if place not in chosen), None)
            if fresh is None:
                queue.clear()
            elif len(chosen) < count:
                chosen[fresh] = kind
    rows = predictions.loc[list(chosen)].assign(kind=list(chosen.values()))
    order = {kind: place for place, kind in enumerate(KINDS)}
    ruled = rows.sort_values("kind", key=lambda kinds: kinds.map(order), kind="stable")
    besides = predictions[predictions["image"].isin(set(listed) - set(rows["image"]))]
    return pd.concat([ruled, besides.assign(kind=LISTED)])


def absent(predictions: pd.DataFrame, listed: Sequence[str]) -> str:
    """Return what is said of listed ids that are not among the predictions, else nothing."""
    known = set(predictions["image"])
    others = [image for image in listed if image not in known]
    if not others:
        return ""
    return f"Named in the configuration, but not among the test photographs: {', '.join(others)}."


def _alternate(rows: pd.DataFrame, margin: pd.Series, *, ascending: bool) -> list[int]:
    """Return places of `rows` by margin, the two labels in turn, the diseased one first."""
    # An empty table would take over the index of a longer column.
    order = rows.assign(margin=margin[rows.index]).sort_values(
        ["margin", "image"], ascending=ascending
    )
    turn = order.groupby("label").cumcount()
    ranked = order.assign(turn=turn).sort_values(["turn", "label"], ascending=[True, False])
    return [int(place) for place in ranked.index]


def heading(runs: Sequence[Run], starts_from: str) -> str:
    """Return the line above a sheet: which network, at which sizes, from which weights.

    Args:
        runs: The runs whose maps are shown; they differ in size alone.
        starts_from: What its record says: one of the values of `INITIALISATIONS`.
    """
    if starts_from == INITIALISATIONS["imagenet"]:
        weights = "ImageNet weights"
    else:
        weights = f"random weights: a control ({starts_from})"
    network = registry.NETWORKS[runs[0].network].title
    sizes = " and ".join(str(run.size) for run in runs)
    return f"{network} at {sizes} px, {runs[0].task}, seed {runs[0].seed}, {weights}"


def truth(row: Mapping[Hashable, Any]) -> str:
    """Return two lines on a row of predictions: its id, and what it shows."""
    return f"{row['image']}\nlevel {row['level']}: {'diseased' if row['label'] else 'healthy'}"


def reason(row: Mapping[Hashable, Any]) -> str:
    """Return why a row of `choose` is shown, in brackets, broken where it is long."""
    return f"({row['kind']})".replace(" from the", "\nfrom the")


def verdict(row: Mapping[Hashable, Any], threshold: float) -> str:
    """Return two lines on a row of predictions: what was decided, and from which probability."""
    diseased = row["probability"] >= threshold
    decided = "diseased" if diseased else "healthy"
    right = "right" if diseased == (row["label"] == 1) else "wrong"
    both = (row["probability"], threshold)
    # As many digits as tell the two apart.
    digits = next((d for d in range(2, 6) if len({f"{one:.{d}f}" for one in both}) == 2), 2)
    shown, limit = (f"{one:.{digits}f}" for one in both)
    return f"called {decided}: {right}\nprobability {shown} {'≥' if diseased else '<'} {limit}"


def load(rows: pd.DataFrame, size: int, contrast: str) -> list[Shown]:
    """Return photographs, prepared as records are.

    Args:
        rows: Rows of a manifest.
        size: Side of the network's input.
        contrast: Contrast normalisation, as in the records.
    """
    shown = []
    for row in rows.to_dict("records"):
        box = photographs.CropBox(row["crop_left"], row["crop_top"], row["crop_side"])
        data = Path(row["path"]).read_bytes()
        seen = photographs.prepare(data, box, size, contrast)
        picture = photographs.prepare(data, box, SHOWN_SIDE, "none")
        shown.append(Shown(row["image"], box, seen, picture))
    return shown


def stacked(shown: Sequence[Shown]) -> tuple[NDArray[np.uint8], list[fields.Mask]]:
    """Return what a network sees of photographs, and where each shows the retina.

    Returns:
        uint8 (n, size, size, 3), and n masks (size, size).
    """
    seen = np.stack([one.seen for one in shown])
    return seen, [fields.shrunk(one.picture, seen.shape[1]) for one in shown]
