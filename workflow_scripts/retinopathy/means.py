"""Means over photographs, with intervals by bootstrap over patients."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from retinopathy import intervals, metrics

FEWEST = 5
"""Fewest patients for an interval: with 3 of them, its ends would be two patients' values."""


def with_intervals(
    rows: pd.DataFrame, names: Sequence[str], seed: int, repetitions: int
) -> dict[str, Any]:
    """Return the means of some columns, with their 95 % intervals.

    Both eyes of a patient are drawn together (Efron and Tibshirani, An introduction to the
    bootstrap, 1993, chapter 13).

    Args:
        rows: One per photograph: a column `patient`, and those of `names`. Photographs in which one
            of them is NaN do not count.
        names: Columns of numbers.
        seed: Governs the bootstrap.
        repetitions: Bootstrap samples.

    Returns:
        `n` photographs that count and their `patients`; every mean, followed by `<name>_low` and
        `<name>_high`, NaN where no photograph counts, or too few patients for an interval; and
        `reason`, which then says why.
    """
    known = rows.dropna(subset=list(names))
    values = known[list(names)].to_numpy(dtype=np.float64)
    patient, patients = pd.factorize(known["patient"])
    value, low, high = np.full((3, len(names)), np.nan)
    if len(known):
        value = values.mean(axis=0)
    if len(patients) >= FEWEST:
        sums = metrics.per_patient(np.column_stack([values, np.ones(len(values))]), patient)
        drawn = intervals.resample(len(patients), repetitions, np.random.default_rng(seed)) @ sums
        low, high = intervals.bounds(drawn[:, :-1] / drawn[:, -1:], value)
    found: dict[str, Any] = {"n": len(known), "patients": len(patients)}
    for place, name in enumerate(names):
        ends = (value[place], low[place], high[place])
        found |= zip(intervals.bounded(name), map(float, ends), strict=True)
    return found | {"reason": _reason(len(patients))}


def _reason(patients: int) -> str:
    """Return why there are no values, or no intervals; nothing where there are."""
    if patients == 0:
        return "undefined in every photograph"
    return f"no intervals: fewer than {FEWEST} patients" if patients < FEWEST else ""
