"""The table of external sets: final runs on photographs of other cameras and populations.

Nothing is trained or chosen on them: thresholds and temperatures are those that validation
predictions of the study froze. Where the final runs are cross-validated, the model of every fold
predicts the whole set. Its predictions are pooled with the fold that they come from: rankings are
within a fold, so that the AUC is the mean over the folds' models, and so are average precision,
accuracy, sensitivity, specificity and Brier score; the rest is of the calls and probabilities of
all models together. A patient is resampled with what all models say of him. `n` counts photographs,
each once.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from retinopathy import calibration, intervals, tables
from retinopathy.study_tables import Evidence, described, diverged, grouped, pooled

_VALUES = (
    "auc",
    "average_precision",
    "accuracy",
    "balanced_accuracy",
    "sensitivity",
    "specificity",
    "ppv",
    "npv",
    "f1",
    "matthews",
    "brier",
    "ece",
    "brier_scaled",
    "ece_scaled",
)

_KNOWN = ("set", *tables.METRICS, "case", "outcome", "positives", "threshold", "reason")

COLUMNS = (
    *_KNOWN,
    *(column for column in intervals.bounded(*_VALUES) if column not in _KNOWN),
)
"""Columns: one row per set, task, case and seed. `positives` of the `n` photographs are diseased;
`threshold` is the mean over folds; `reason` says why there are no numbers; `brier_scaled` and
`ece_scaled` are of the probabilities at the frozen temperatures."""


def rows(evidence: Mapping[str, Iterable[Evidence]], repetitions: int) -> pd.DataFrame:
    """Return how the final runs do on external sets, at their frozen operating points.

    Args:
        evidence: Name of a set → the runs with their predictions of it.
        repetitions: Bootstrap samples of patients behind every interval.

    Returns:
        `COLUMNS`; empty without sets. A case has no numbers, but a reason, where a run diverged,
        where a class is absent from the set, or where it has one patient only.

    Raises:
        Explained: A value is not a number.
    """
    table = tables.metric_rows(
        {"set": name} | _row(group, repetitions)
        for name, items in evidence.items()
        for group in grouped(items)
    )
    return table.reindex(columns=list(COLUMNS)).astype({"positives": "Int64"})


def _row(group: list[Evidence], repetitions: int) -> dict[str, Any]:
    """Return the row of one case and seed on one set."""
    row = described(group, "external")
    if diverged(group):
        return row | {"reason": "a run diverged"}
    predictions = pooled(group)
    photographs = predictions.drop_duplicates("image")
    row |= {
        "n": len(photographs),
        "positives": int(photographs["label"].sum()),
        "threshold": float(np.mean([item.threshold for item in group])),
    }
    if reason := _undefined(photographs):
        return row | {"reason": reason}
    seed = group[0].run.seed
    measured = intervals.evaluate(predictions, predictions["threshold"], seed, repetitions)
    scaled = calibration.scaled(predictions, predictions["temperature"])
    errors = intervals.with_intervals(scaled, calibration.errors(scaled), seed, repetitions)
    return measured | {_scaled(name): value for name, value in errors.items()} | row


def _undefined(photographs: pd.DataFrame) -> str:
    """Return why photographs have no metrics; empty where they have."""
    if photographs.empty:
        return "no photographs of the task's levels"
    labels = set(photographs["label"])
    if len(labels) == 1:
        return f"no {'healthy' if labels == {1} else 'diseased'} photographs"
    return "one patient only" if photographs["patient"].nunique() == 1 else ""


def _scaled(name: str) -> str:
    """Return `brier_low` as `brier_scaled_low`."""
    value, _, end = name.partition("_")
    return "_".join([value, "scaled", *filter(None, [end])])
