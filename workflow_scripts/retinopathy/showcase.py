"""Photographs to show: chosen by rule, seen as the network sees them and as they were taken."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import photographs

SHOWN_SIDE = 448
"""Side, in pixels, at which a photograph is shown under its maps."""

KINDS = ("confident and right", "confident and wrong", "near the threshold")


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


def choose(predictions: pd.DataFrame, threshold: float, count: int) -> pd.DataFrame:
    """Choose up to `count` photographs by a rule that does not look at them.

    In turn: the most confident right one, the most confident wrong one, the one nearest the
    threshold; diseased and healthy ones alternate. Confidence is the distance of the probability
    from the threshold.

    Args:
        predictions: Predictions of one split.
        threshold: Probability from which a photograph is called diseased.
        count: How many to choose at most.

    Returns:
        The chosen rows of `predictions`, with `kind` (one of `KINDS`).
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
    return rows.sort_values("kind", key=lambda kinds: kinds.map(order), kind="stable")


def _alternate(rows: pd.DataFrame, margin: pd.Series, *, ascending: bool) -> list[int]:
    """Return places of `rows` by margin, the two labels in turn, the diseased one first."""
    # An empty table would take over the index of a longer column.
    order = rows.assign(margin=margin[rows.index]).sort_values(
        ["margin", "image"], ascending=ascending
    )
    turn = order.groupby("label").cumcount()
    ranked = order.assign(turn=turn).sort_values(["turn", "label"], ascending=[True, False])
    return [int(place) for place in ranked.index]


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
