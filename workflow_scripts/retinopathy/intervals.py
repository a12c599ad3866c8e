"""Intervals of metrics, by bootstrap over patients."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from retinopathy import calibration, metrics
from retinopathy.errors import Explained
from retinopathy.metrics import Floats, Integers, Measure

PERCENT = (2.5, 97.5)
"""Percentiles of a 95 % interval."""

_PIVOTAL = ("ece",)  # see `bounds`
_CELLS = 2_000_000  # photographs × samples held in memory at once


def bounded(*names: str) -> tuple[str, ...]:
    """Return the columns of values with their bounds: `<name>`, `<name>_low`, `<name>_high`."""
    return tuple(f"{name}{end}" for name in names for end in ("", "_low", "_high"))


def evaluate(
    predictions: pd.DataFrame, threshold: ArrayLike, seed: int, repetitions: int
) -> dict[str, float]:
    """Return every metric of a table of predictions, with its interval.

    Args:
        predictions: Columns patient, label, logit, probability, and fold where folds are pooled.
        threshold: Probability from which a photograph is called diseased: one for all, or one
            per row where folds with thresholds of their own are pooled.
        seed: Governs the bootstrap.
        repetitions: Bootstrap samples behind every interval.

    Returns:
        `n` photographs, and the values of `metrics.ranking`, `metrics.calls` and
        `calibration.errors`, each with the bounds `<name>_low` and `<name>_high` of its 95 %
        interval.

    Raises:
        Explained: A class is absent, from all folds or from each, a value is not a number, or
            there is only one patient.
    """
    measure = together(
        metrics.ranking(predictions),
        metrics.calls(predictions, threshold),
        calibration.errors(predictions),
    )
    return {"n": len(predictions)} | with_intervals(predictions, measure, seed, repetitions)


def together(*measures: Measure) -> Measure:
    """Return the measure of what all of some measures give, in their order."""
    return lambda counts: {
        name: values for measure in measures for name, values in measure(counts).items()
    }


def with_intervals(
    predictions: pd.DataFrame, measure: Measure, seed: int, repetitions: int
) -> dict[str, float]:
    """Return the numbers of a measure, each followed by `<name>_low` and `<name>_high`.

    Raises:
        Explained: A class is absent, a value is not a number, or there is only one patient.
    """
    samples = bootstrap(predictions, measure, seed, repetitions)
    row: dict[str, float] = {}
    for name, value in metrics.value(predictions, measure).items():
        low, high = bounds(samples[name], value, pivotal=name in _PIVOTAL)
        row |= {name: float(value), f"{name}_low": float(low), f"{name}_high": float(high)}
    return row


def bounds(samples: Floats, value: Floats, *, pivotal: bool = False) -> tuple[Floats, Floats]:
    """Return the bounds of a 95 % interval, pointwise.

    It is the percentile interval. A pivotal one is its mirror image about the value, not below 0
    (Davison and Hinkley, Bootstrap methods and their application, 1997, section 5.2). The expected
    calibration error needs that: chance makes it larger than it is, and resampling does so once
    more, so that the percentile interval lies too high. The pivotal one takes that off again;
    where every probability is true it still ends just above 0.

    A value at the end of its range, such as a specificity of 1, has an interval without width:
    no resampling can show an error that the photographs do not hold.

    Args:
        samples: Values of the bootstrap samples, (samples, …). Those that are NaN do not count.
        value: Value of the predictions as they stand, (…). Where it is NaN, so are the bounds.
        pivotal: Whether to mirror.
    """
    ends = np.full((2, *np.shape(value)), np.nan)
    known = ~np.isnan(value)
    if known.any():
        ends[:, known] = np.nanpercentile(samples[:, known], PERCENT, axis=0)
    low, high = ends
    if pivotal:
        low, high = np.maximum(2 * value - high, 0), np.maximum(2 * value - low, 0)
    return low, high


def bootstrap(
    predictions: pd.DataFrame, measure: Measure, seed: int, repetitions: int
) -> dict[str, Floats]:
    """Return the values of a measure for `repetitions` samples of patients, (repetitions, …).

    Patients, not photographs, are drawn with replacement, because the two eyes of a patient are
    not independent (Efron and Tibshirani, An introduction to the bootstrap, 1993, chapter 13).
    Samples without a fold that has both classes have no AUC and are drawn again; at least every
    second sample of two patients has both, so that this ends. The same seed draws the same
    patients whatever is measured.

    Raises:
        Explained: A class is absent, a value is not a number, or there is only one patient.
    """
    known = metrics.check(predictions)
    if known.patients < 2:
        raise Explained(
            "a bootstrap over patients needs patients",
            expected="at least 2 patients",
            received=known.patients,
            hint="evaluate more photographs",
        )
    positives, negatives = _classes(known)
    generator = np.random.default_rng(seed)
    at_once = max(1, _CELLS // len(predictions))
    parts: list[dict[str, Floats]] = []
    missing = repetitions
    while missing > 0:
        counts = resample(known.patients, min(missing, at_once), generator)
        both = ((counts @ positives > 0) & (counts @ negatives > 0)).any(axis=1)
        if both.any():
            parts.append(measure(counts[both]))
            missing -= int(both.sum())
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def resample(patients: int, repetitions: int, generator: np.random.Generator) -> Integers:
    """Return how often each patient is in each sample, shape (repetitions, patients)."""
    drawn = generator.integers(patients, size=(repetitions, patients))
    drawn += patients * np.arange(repetitions)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=repetitions * patients)
    return counts.reshape(repetitions, patients)


def _classes(known: metrics.Columns) -> tuple[Floats, Floats]:
    """Return the positives and the negatives of each patient, (patients, folds) each."""
    inside: NDArray[np.bool_] = known.fold[:, None] == np.unique(known.fold)
    positive = known.label[:, None] == 1
    return (
        metrics.per_patient(inside & positive, known.patient),
        metrics.per_patient(inside & ~positive, known.patient),
    )
