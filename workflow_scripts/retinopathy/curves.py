"""ROC and precision–recall curves with bands, and the confusion matrix.

Bands are pointwise 95 % intervals by bootstrap over patients, on a fixed grid. Where folds are
pooled, a curve is the mean of the curves of the folds with the weights that make its area the
pooled metric: pairs of a diseased and a healthy photograph for the ROC curve, diseased photographs
for the precision–recall curve. Logits of different models are never ranked against each other.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.metrics import confusion_matrix

from retinopathy import intervals, metrics
from retinopathy.metrics import Floats, Integers, Measure, check

STEPS = 100
"""Steps of the grid from 0 to 1."""

_FPR = np.arange(STEPS + 1) / STEPS
_RECALL = _FPR[1:]


def roc_band(predictions: pd.DataFrame, seed: int, repetitions: int) -> pd.DataFrame:
    """Return the ROC curve on a grid: `fpr`, `tpr` and the bounds `tpr_low` and `tpr_high`.

    Where the curve is vertical, `tpr` is its upper end. Between thresholds the curve is straight.

    Args:
        predictions: Columns patient, label, logit, probability, and fold where folds are pooled.
        seed: Governs the bootstrap.
        repetitions: Bootstrap samples of patients.

    Raises:
        Explained: A class is absent, a value is not a number, or there is only one patient.
    """

    def height(found: Integers, false: Integers) -> tuple[Floats, float]:
        pairs = float(found[-1] * false[-1])
        if not pairs:
            return np.zeros_like(_FPR), 0.0
        return np.interp(_FPR, _from_zero(false), _from_zero(found)), pairs

    return _band(predictions, height, ("fpr", "tpr"), _FPR, seed, repetitions)


def precision_recall_band(predictions: pd.DataFrame, seed: int, repetitions: int) -> pd.DataFrame:
    """Return the precision–recall curve on a grid: `recall`, `precision` and its bounds.

    The bounds are `precision_low` and `precision_high`. The precision is that of the highest
    threshold with at least the recall, as in the average precision: interpolation between
    thresholds would flatter (Davis and Goadrich, ICML 2006). The grid begins at its first step,
    because nothing is called diseased at a recall of 0.

    Args:
        predictions: Columns patient, label, logit, probability, and fold where folds are pooled.
        seed: Governs the bootstrap.
        repetitions: Bootstrap samples of patients.

    Raises:
        Explained: A class is absent, a value is not a number, or there is only one patient.
    """

    def height(found: Integers, false: Integers) -> tuple[Floats, float]:
        diseased = int(found[-1])
        if not diseased:
            return np.zeros_like(_RECALL), 0.0
        # The margin is for products such as 0.07 × 100, which come out above 7.
        first = np.searchsorted(found, np.ceil(_RECALL * diseased - 1e-9))
        return found[first] / (found[first] + false[first]), float(diseased)

    return _band(predictions, height, ("recall", "precision"), _RECALL, seed, repetitions)


def confusion(predictions: pd.DataFrame, threshold: ArrayLike) -> pd.DataFrame:
    """Return the confusion matrix, one row per cell.

    Args:
        predictions: Columns patient, label, logit, probability.
        threshold: Probability from which a photograph is called diseased: one for all, or one
            per row where folds with thresholds of their own are pooled.

    Returns:
        `label` and `called` (0 or 1), `n` photographs, and their `share` of those with the label.

    Raises:
        Explained: A class is absent, or a value or a threshold is not a number.
    """
    known = check(predictions)
    called = metrics.call(known, threshold).astype(np.int64)
    cells = confusion_matrix(known.label, called, labels=[0, 1])
    return pd.DataFrame(
        {
            "label": [0, 0, 1, 1],
            "called": [0, 1, 0, 1],
            "n": cells.ravel(),
            "share": (cells / cells.sum(axis=1, keepdims=True)).ravel(),
        }
    )


def _from_zero(cumulative: Integers) -> Floats:
    """Return the rates at all thresholds from cumulative counts: from 0 to 1."""
    return np.concatenate([[0.0], cumulative / cumulative[-1]])


def _band(
    predictions: pd.DataFrame,
    height: Callable[[Integers, Integers], tuple[Floats, float]],
    names: tuple[str, str],
    grid: Floats,
    seed: int,
    repetitions: int,
) -> pd.DataFrame:
    """Return the curve of `names` (across, up) on a grid, with the bounds of what goes up.

    Args:
        predictions: Columns patient, label, logit, probability, and fold where folds are pooled.
        height: From true and false positives of one fold at its thresholds, from high to low, to
            the curve on the grid and its weight.
        names: What the curve shows.
        grid: Values across.
        seed: Governs the bootstrap.
        repetitions: Bootstrap samples of patients.
    """
    across, up = names
    measure = _on_grid(predictions, height, up)
    samples = intervals.bootstrap(predictions, measure, seed, repetitions)[up]
    value = metrics.value(predictions, measure)[up]
    low, high = intervals.bounds(samples, value)
    return pd.DataFrame({across: grid, up: value, f"{up}_low": low, f"{up}_high": high})


def _on_grid(
    predictions: pd.DataFrame,
    height: Callable[[Integers, Integers], tuple[Floats, float]],
    name: str,
) -> Measure:
    folds = metrics.by_score(check(predictions))

    def measure(counts: Integers) -> dict[str, Floats]:
        cumulative = [
            (np.cumsum(counts @ one, axis=1), np.cumsum(counts @ other, axis=1))
            for one, other in folds
        ]
        curves = []
        for sample in range(len(counts)):
            parts = [height(found[sample], false[sample]) for found, false in cumulative]
            heights, weights = zip(*parts, strict=True)
            curves.append(np.average(heights, axis=0, weights=weights))
        return {name: np.array(curves)}

    return measure
