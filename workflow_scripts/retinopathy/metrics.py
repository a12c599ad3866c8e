"""Metrics of saved predictions: how well photographs are ranked, called and calibrated.

The only inputs are tables of predictions, one row per photograph, with the columns `patient`,
`label` (0 or 1), `logit` and `probability` (in [0, 1]). Photographs are ranked by the logit, which
does not saturate as the probability does, and called diseased when the probability is at least the
threshold. What is undefined, such as the AUC of a single class, raises.

A column `fold` marks predictions of different models that are pooled. Logits of two models cannot
be ranked against each other, so the AUC then counts pairs of photographs within a fold only.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.sparse import csr_matrix
from scipy.special import expit
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    brier_score_loss,
    roc_curve,
)

from retinopathy.errors import Explained

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TEMPERATURES = (0.05, 20.0)
"""Range in which the temperature is searched: beyond it, logits are all but 0 or infinite."""

_INTERVAL = (2.5, 97.5)  # percentiles of a 95 % interval
_CHUNK = 200  # bootstrap samples held in memory at once


def evaluate(
    predictions: pd.DataFrame, threshold: ArrayLike, seed: int, repetitions: int = 1000
) -> dict[str, float]:
    """Return the metrics of a table of predictions.

    Args:
        predictions: Columns patient, label, logit, probability, and fold where folds are pooled.
        threshold: Probability from which a photograph is called diseased: one for all, or one
            per row where folds with thresholds of their own are pooled.
        seed: Governs the bootstrap.
        repetitions: Bootstrap samples behind the interval of the AUC.

    Returns:
        `n` photographs; `auc` with the bounds `auc_low` and `auc_high` of its 95 % interval;
        `accuracy`, `balanced_accuracy`, `sensitivity` and `specificity` at the threshold;
        `average_precision`, the mean over folds weighed by their positives; `brier`, the mean
        squared error of the probability.

    Raises:
        Explained: A class is absent, a value is not a number, or there is only one patient.
    """
    label, _, probability = _columns(predictions)
    called = (probability >= np.asarray(threshold)).astype(np.int64)
    low, high = auc_interval(predictions, seed, repetitions)
    return {
        "n": len(label),
        "auc": auc(predictions),
        "auc_low": low,
        "auc_high": high,
        "accuracy": float(accuracy_score(label, called)),
        "balanced_accuracy": float(balanced_accuracy_score(label, called)),
        "sensitivity": float(np.mean(called[label == 1] == 1)),
        "specificity": float(np.mean(called[label == 0] == 0)),
        "average_precision": _average_precision(predictions),
        "brier": float(brier_score_loss(label, probability)),
    }


def roc(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the ROC curve: `fpr`, `tpr` and the probability `threshold` at and above which.

    The first point, where no photograph is called diseased, has an infinite threshold. Points on
    a straight line between their neighbours are left out.

    Raises:
        Explained: A class is absent or a value is not a number.
    """
    label, logit, _ = _columns(predictions)
    fpr, tpr, cuts = roc_curve(label, logit)
    threshold = np.where(np.isinf(cuts), np.inf, expit(cuts))
    return pd.DataFrame({"fpr": fpr, "tpr": tpr, "threshold": threshold})


# What is chosen on validation ---------------------------------------------------------------------


def choose_threshold(validation: pd.DataFrame) -> float:
    """Return the probability threshold with the largest Youden's J on validation predictions.

    J = sensitivity + specificity − 1 (Youden, Cancer 3, 1950). Thresholds lie midway between
    neighbouring probabilities, the outermost midway to 0 and to 1; of equally good ones the
    nearest to 0.5 is taken, then the smaller.

    Raises:
        Explained: A class is absent or a value is not a number.
    """
    label, _, probability = _columns(validation)
    steps = np.unique(np.concatenate([[0.0], probability, [1.0]]))
    thresholds = (steps[:-1] + steps[1:]) / 2
    positives, negatives = np.sort(probability[label == 1]), np.sort(probability[label == 0])
    # In whole numbers (J × positives × negatives), so that equal J are seen to be equal.
    found = len(positives) - np.searchsorted(positives, thresholds)
    false = len(negatives) - np.searchsorted(negatives, thresholds)
    youden = found * len(negatives) - false * len(positives)
    best = thresholds[youden == youden.max()]
    return float(best[np.argmin(np.abs(best - 0.5))])


def fit_temperature(validation: pd.DataFrame) -> float:
    """Return the temperature T > 0 that makes sigmoid(logit / T) most likely on validation.

    Temperature scaling (Guo et al., On calibration of modern neural networks, ICML 2017): one
    number, no change of ranking. The negative log-likelihood is convex in 1 / T, so its slope has
    one root; where that lies outside `TEMPERATURES` (classes apart at logit 0: T → 0; logits
    that mislead: T → ∞) the bound is returned.

    Raises:
        Explained: A class is absent or a value is not a number.
    """
    label, logit, _ = _columns(validation)

    def slope(inverse: float) -> float:
        return float(np.mean((expit(inverse * logit) - label) * logit))

    least, largest = TEMPERATURES
    if slope(1 / largest) >= 0:
        return largest
    if slope(1 / least) <= 0:
        return least
    return float(1 / brentq(slope, 1 / largest, 1 / least))


# Intervals ----------------------------------------------------------------------------------------


def auc(predictions: pd.DataFrame) -> float:
    """Return the area under the ROC curve.

    It is the share of pairs of a diseased and a healthy photograph, of the same fold, in which the
    diseased one has the higher logit; ties count half (Mann–Whitney).

    Raises:
        Explained: A class is absent, from all folds or from each, or a value is not a number.
    """
    label, logit, _ = _columns(predictions)
    alone = np.zeros(len(label), np.intp)
    pairs = _by_fold(predictions, label, logit, alone)
    counts = [(one.toarray(), other.toarray()) for one, other in pairs]
    value = float(rank_aucs(counts)[0])
    if np.isnan(value):
        raise Explained(
            "no fold has photographs of both classes",
            expected="at least one fold with both",
            received=f"{len(counts)} folds with one class each",
            hint="use fewer parts, or more photographs",
        )
    return value


def _average_precision(predictions: pd.DataFrame) -> float:
    label, logit, _ = _columns(predictions)
    fold = _fold(predictions)
    chosen = [fold == one for one in np.unique(fold) if label[fold == one].any()]
    values = [average_precision_score(label[one], logit[one]) for one in chosen]
    return float(np.average(values, weights=[label[one].sum() for one in chosen]))


def auc_interval(predictions: pd.DataFrame, seed: int, repetitions: int) -> tuple[float, float]:
    """Return the 95 % percentile interval of the AUC by bootstrap over patients.

    Patients, not photographs, are drawn with replacement, because the two eyes of a patient are
    not independent (Efron and Tibshirani, An introduction to the bootstrap, 1993, chapter 13).

    Raises:
        Explained: A class is absent, a value is not a number, or there is only one patient.
    """
    low, high = np.percentile(bootstrap_aucs(predictions, seed, repetitions), _INTERVAL)
    return float(low), float(high)


def bootstrap_aucs(predictions: pd.DataFrame, seed: int, repetitions: int) -> Floats:
    """Return the AUC of `repetitions` samples of patients, shape (repetitions,).

    Samples in which a class is absent have no AUC and are drawn again; at least every second
    sample has both, so that this ends.

    Raises:
        Explained: A class is absent, a value is not a number, or there is only one patient.
    """
    label, logit, _ = _columns(predictions)
    patients, names = pd.factorize(predictions["patient"])
    if len(names) < 2:
        raise Explained(
            "a bootstrap over patients needs patients",
            expected="at least 2 patients",
            received=len(names),
            hint="evaluate more photographs",
        )
    folds = _by_fold(predictions, label, logit, patients)
    generator = np.random.default_rng(seed)
    parts: list[Floats] = []
    missing = repetitions
    while missing > 0:
        counts = resample(len(names), min(missing, _CHUNK), generator)
        values = rank_aucs([(counts @ one, counts @ other) for one, other in folds])
        parts.append(values[~np.isnan(values)])
        missing -= len(parts[-1])
    return np.concatenate(parts)


def resample(patients: int, repetitions: int, generator: np.random.Generator) -> Integers:
    """Return how often each patient is in each sample, shape (repetitions, patients)."""
    drawn = generator.integers(patients, size=(repetitions, patients))
    drawn += patients * np.arange(repetitions)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=repetitions * patients)
    return counts.reshape(repetitions, patients)


def rank_aucs(folds: Sequence[tuple[Integers, Integers]]) -> Floats:
    """Return the AUC of samples given as counts, NaN where no fold has a pair.

    Args:
        folds: Per fold positives and negatives, each per sample and distinct score of the fold,
            scores ascending, (samples, scores).

    Returns:
        Shape (samples,), in [0, 1].
    """
    won, pairs = np.zeros(len(folds[0][0])), np.zeros(len(folds[0][0]))
    for positives, negatives in folds:
        below = np.cumsum(negatives, axis=1) - negatives / 2
        won += (positives * below).sum(axis=1)
        pairs += positives.sum(axis=1) * negatives.sum(axis=1)
    undefined = np.full(len(pairs), np.nan)
    return np.asarray(np.divide(won, pairs, out=undefined, where=pairs > 0), dtype=np.float64)


def _fold(predictions: pd.DataFrame) -> NDArray[np.intp]:
    """Return the number of each row's fold; all are in one where there is no such column."""
    if "fold" not in predictions:
        return np.zeros(len(predictions), np.intp)
    return pd.factorize(predictions["fold"])[0]


def _by_fold(
    predictions: pd.DataFrame, label: Integers, logit: Floats, patients: NDArray[np.intp]
) -> list[tuple[csr_matrix, csr_matrix]]:
    """Return, per fold, positives and negatives per patient (row) and distinct logit (column)."""
    fold = _fold(predictions)
    return [
        (
            _by_score(logit, patients, fold == one, label == 1),
            _by_score(logit, patients, fold == one, label == 0),
        )
        for one in np.unique(fold)
    ]


def _by_score(
    logit: Floats,
    patients: NDArray[np.intp],
    inside: NDArray[np.bool_],
    chosen: NDArray[np.bool_],
) -> csr_matrix:
    """Return the number of chosen photographs inside a fold, per patient and distinct logit."""
    distinct, score = np.unique(logit[inside], return_inverse=True)
    shape = (int(patients.max()) + 1, len(distinct))
    counted = chosen[inside]
    ones = np.ones(int(counted.sum()), dtype=np.int64)
    return csr_matrix((ones, (patients[inside][counted], score[counted])), shape=shape)


# Checks -------------------------------------------------------------------------------------------


def _columns(predictions: pd.DataFrame) -> tuple[Integers, Floats, Floats]:
    """Return label, logit and probability once they are known to be fit for metrics."""
    label = predictions["label"].to_numpy(dtype=np.float64, na_value=np.nan)
    logit = predictions["logit"].to_numpy(dtype=np.float64, na_value=np.nan)
    probability = predictions["probability"].to_numpy(dtype=np.float64, na_value=np.nan)
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
    return label.astype(np.int64), logit, probability
