"""Photographs that flip: wrong at one size and right at the other."""

import pandas as pd

from retinopathy.runs import Run

COLUMNS = (
    "task",
    "network",
    "seed",
    "image",
    "level",
    "label",
    "right_at",
    "probability_small",
    "probability_large",
    "gain",
)
"""`gain` is the rise in the probability of the true class from the small to the large size."""


def decide(predictions: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """Return predictions with `correct`: whether the decision at `threshold` is the label."""
    decision = (predictions["probability"] >= threshold).astype(int)
    return predictions.assign(correct=decision == predictions["label"])


def compare(run: Run, small: pd.DataFrame, large: pd.DataFrame) -> pd.DataFrame:
    """Return the photographs on which two decided tables differ, largest gain first.

    Args:
        run: Either of the two runs, which differ in size alone.
        small: Decided predictions at the small size.
        large: Decided predictions at the large size, of the same photographs.
    """
    keys = ["image", "level", "label"]
    both = small[[*keys, "probability", "correct"]].merge(
        large[[*keys, "probability", "correct"]], on=keys, suffixes=("_small", "_large")
    )
    flipped = both[both["correct_small"] != both["correct_large"]]
    sign = 2 * flipped["label"] - 1
    return flipped.assign(
        task=run.task,
        network=run.network,
        seed=run.seed,
        right_at=flipped["correct_large"].map({True: "large", False: "small"}),
        gain=sign * (flipped["probability_large"] - flipped["probability_small"]),
    ).sort_values("gain", ascending=False)[list(COLUMNS)]


def clearest(flips: pd.DataFrame, task: str, network: str, seed: int) -> str | None:
    """Return the photograph, wrong when small and right when large, with the largest gain."""
    chosen = flips[
        (flips["task"] == task)
        & (flips["network"] == network)
        & (flips["seed"] == seed)
        & (flips["right_at"] == "large")
    ]
    return None if chosen.empty else str(chosen.sort_values("gain").iloc[-1]["image"])
