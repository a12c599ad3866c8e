"""Metrics of saved predictions: how well photographs are ranked and called.

The only inputs are tables of predictions, one row per photograph, with the columns `patient`,
`label` (0 or 1), `logit` and `probability` (in [0, 1]). Photographs are ranked by the logit, which
does not saturate as the probability does, and called diseased when the probability is at least the
threshold. What is undefined, such as the AUC of a single class, raises.

A column `fold` marks predictions of different models that are pooled. Logits of two models cannot
be ranked against each other, so rankings are then of photographs within a fold only.

Every metric is made for many samples of the patients at once: a `Measure` takes how often each
sample holds each patient. The predictions as they stand are the sample that holds each patient
once, so that one formula gives the value and, with resampled patients, its interval.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix

from retinopathy.errors import Explained

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Codes = NDArray[np.intp]

Measure = Callable[[Integers], dict[str, Floats]]
"""From counts, (samples, patients), to values by name, (samples, …); NaN where undefined."""


@dataclass(frozen=True)
class Columns:
    """The columns of predictions, known to be fit for metrics.

    Attributes:
        label: 0 or 1.
        logit: Finite.
        probability: In [0, 1].
        patient: Number of the patient, from 0 and without gaps.
        fold: Number of the fold, likewise; all 0 where there is no such column.
    """

    label: Integers
    logit: Floats
    probability: Floats
    patient: Codes
    fold: Codes

    @property
    def patients(self) -> int:
        """Return the number of patients."""
        return int(self.patient.max()) + 1


def check(predictions: pd.DataFrame) -> Columns:
    """Return the columns of predictions.

    Raises:
        Explained: A class is absent, from all folds or from each, a value is not a number, or a
            photograph has no patient.
    """
    label, logit, probability = (
        predictions[name].to_numpy(dtype=np.float64, na_value=np.nan)
        for name in ("label", "logit", "probability")
    )
    if set(np.unique(label)) != {0.0, 1.0}:
        raise Explained(
            "metrics of two classes need photographs of both, and no others",
            expected="labels 0 and 1",
            received=f"{len(label)} photographs with the labels {np.unique(label).tolist()}",
            hint="give this split more photographs, or look for the class in the split's table",
        )
    if not (np.isfinite(logit).all() and ((probability >= 0) & (probability <= 1)).all()):
        raise Explained(
            "predictions that are not numbers cannot be evaluated",
            expected="finite logits, and probabilities from 0 to 1",
            received=f"{int((~np.isfinite(logit)).sum())} logits that are not finite, "
            f"probabilities from {probability.min()} to {probability.max()}",
            hint="a run that diverged has no metrics: look at its record",
        )
    patient, fold = _groups(predictions)
    known = Columns(label.astype(np.int64), logit, probability, patient, fold)
    if not len(np.intersect1d(fold[label == 1], fold[label == 0])):
        raise Explained(
            "no fold has photographs of both classes",
            expected="at least one fold with both",
            received=f"{len(np.unique(fold))} folds with one class each",
            hint="use fewer parts, or more photographs",
        )
    return known


def _groups(predictions: pd.DataFrame) -> tuple[Codes, Codes]:
    """Return the numbers of patients and folds."""
    patient, _ = pd.factorize(predictions["patient"])
    if (patient < 0).any():
        raise Explained(
            "photographs without a patient cannot be evaluated",
            expected="a patient in every row",
            received=f"{int((patient < 0).sum())} rows without",
            hint="look for them in the manifest",
        )
    if "fold" not in predictions:
        return patient, np.zeros(len(predictions), np.intp)
    return patient, pd.factorize(predictions["fold"])[0]


def value(predictions: pd.DataFrame, measure: Measure) -> dict[str, Floats]:
    """Return what a measure gives for the predictions as they stand, without the samples' axis."""
    once = np.ones((1, check(predictions).patients), np.int64)
    return {name: values[0] for name, values in measure(once).items()}


def auc(predictions: pd.DataFrame) -> float:
    """Return the area under the ROC curve, in [0, 1], as `ranking` does.

    Raises:
        Explained: A class is absent, from all folds or from each, or a value is not a number.
    """
    return float(value(predictions, ranking(predictions))["auc"])


# Ranking ------------------------------------------------------------------------------------------


def ranking(predictions: pd.DataFrame) -> Measure:
    """Return the measure of `auc` and `average_precision`, both in [0, 1].

    The AUC is the share of pairs of a diseased and a healthy photograph, of the same fold, in which
    the diseased one has the higher logit; ties count half (Mann–Whitney). The average precision is
    the mean, over the diseased photographs, of the share of diseased ones among the photographs of
    the same fold that are ranked at least as high.

    Raises:
        Explained: A class is absent, from all folds or from each, or a value is not a number.
    """
    folds = by_score(check(predictions))

    def measure(counts: Integers) -> dict[str, Floats]:
        won, pairs, precision, diseased = np.zeros((4, len(counts)))
        for one, other in folds:
            positives, negatives = counts @ one, counts @ other
            found, false = np.cumsum(positives, axis=1), np.cumsum(negatives, axis=1)
            # Highest logits come first: a positive beats the negatives that come after it.
            won += (positives * (false[:, -1:] - false + negatives / 2)).sum(axis=1)
            pairs += found[:, -1] * false[:, -1]
            precision += (positives * found / np.maximum(found + false, 1)).sum(axis=1)
            diseased += found[:, -1]
        return {"auc": share(won, pairs), "average_precision": share(precision, diseased)}

    return measure


def by_score(known: Columns) -> list[tuple[csr_matrix, csr_matrix]]:
    """Return, per fold, the positives and the negatives per patient and distinct logit.

    Each is a matrix of counts, (patients, distinct logits of the fold from high to low).
    """
    return [
        (_by_score(known, fold, label=1), _by_score(known, fold, label=0))
        for fold in np.unique(known.fold)
    ]


def _by_score(known: Columns, fold: int, label: int) -> csr_matrix:
    inside = known.fold == fold
    distinct, place = np.unique(-known.logit[inside], return_inverse=True)
    chosen = known.label[inside] == label
    cells = known.patient[inside][chosen], place[chosen]
    ones = np.ones(int(chosen.sum()), np.int64)
    return csr_matrix((ones, cells), shape=(known.patients, len(distinct)))


# Calls --------------------------------------------------------------------------------------------


def calls(predictions: pd.DataFrame, threshold: ArrayLike) -> Measure:
    """Return the measure of what calling photographs diseased or healthy gives.

    It gives `accuracy`, `balanced_accuracy` (the mean of the next two), `sensitivity`,
    `specificity`, `ppv` and `npv` (positive and negative predictive value, at the prevalence of
    the predictions; NaN where no photograph is called so), `f1`, all in [0, 1], and `matthews`,
    the correlation of call and label in [-1, 1] (Matthews, Biochim. Biophys. Acta 405, 1975; 0, its
    limit, where all are called the same).

    Args:
        predictions: Columns patient, label, logit, probability.
        threshold: Probability from which a photograph is called diseased: one for all, or one
            per row where folds with thresholds of their own are pooled.

    Raises:
        Explained: A class is absent, or a value or a threshold is not a number.
    """
    known = check(predictions)
    called, diseased = call(known, threshold), known.label == 1
    cells = [diseased & called, ~diseased & called, ~diseased & ~called, diseased & ~called]
    table = per_patient(np.column_stack(cells), known.patient)
    return lambda counts: _called(*(counts @ table).T)


def call(known: Columns, threshold: ArrayLike) -> NDArray[np.bool_]:
    """Return whether each photograph is called diseased at a threshold, as `calls` takes it.

    Raises:
        Explained: A threshold is not a number.
    """
    limit = np.asarray(threshold, dtype=np.float64)
    if np.isnan(limit).any():
        raise Explained(
            "photographs cannot be called without a threshold",
            expected="a probability",
            received="none",
            hint="the operating point says why it has none",
        )
    return np.asarray(known.probability >= limit)


def _called(found: Floats, false: Floats, cleared: Floats, missed: Floats) -> dict[str, Floats]:
    """Return the metrics of true and false positives, true and false negatives, (samples,) each."""
    sensitivity, specificity = share(found, found + missed), share(cleared, cleared + false)
    sums = (found + false, found + missed, cleared + false, cleared + missed)
    scale = np.prod([np.sqrt(total) for total in sums], axis=0)
    return {
        "accuracy": share(found + cleared, found + false + cleared + missed),
        "balanced_accuracy": (sensitivity + specificity) / 2,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "ppv": share(found, found + false),
        "npv": share(cleared, cleared + missed),
        "f1": share(2 * found, 2 * found + false + missed),
        "matthews": (found * cleared - false * missed) / np.where(scale > 0, scale, 1),
    }


# Sums ---------------------------------------------------------------------------------------------


def share(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, NaN where the whole is 0."""
    undefined = np.full(np.shape(whole), np.nan)
    return np.asarray(np.divide(part, whole, out=undefined, where=whole > 0), dtype=np.float64)


def per_patient(values: NDArray[np.generic], patient: Codes) -> Floats:
    """Return the sums over the photographs of each patient.

    Args:
        values: Shape (photographs, values).
        patient: Number of each photograph's patient.

    Returns:
        Shape (patients, values).
    """
    rows = np.arange(len(patient))
    members = csr_matrix((np.ones(len(rows)), (patient, rows)))
    return np.asarray(members @ values.astype(np.float64))
