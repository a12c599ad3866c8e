"""Means over photographs, and ratios of such, with intervals by bootstrap over patients."""

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
    value, low, high = np.full((3, len(names)), np.nan)
    patients = known["patient"].nunique()
    if len(known):
        value = known[list(names)].to_numpy(dtype=np.float64).mean(axis=0)
    if patients >= FEWEST:
        drawn = _sums(known, names, seed, repetitions)
        low, high = intervals.bounds(drawn[:, :-1] / drawn[:, -1:], value)
    found: dict[str, Any] = {"n": len(known), "patients": patients}
    for place, name in enumerate(names):
        ends = (value[place], low[place], high[place])
        found |= zip(intervals.bounded(name), map(float, ends), strict=True)
    return found | {"reason": _reason(patients)}


def ratio(
    rows: pd.DataFrame, name: str, names: tuple[str, str], seed: int, repetitions: int
) -> dict[str, float]:
    """Return the sum of one column over that of another, with its 95 % interval.

    Both vary from photograph to photograph, and are summed over the same patients before they are
    divided, in every bootstrap sample (Efron and Tibshirani, chapter 10.3).

    Args:
        rows: As for `with_intervals`.
        name: Of the ratio.
        names: The column above, and the one below, > 0.
        seed: Governs the bootstrap; it draws the patients that it draws for the means.
        repetitions: Bootstrap samples.

    Returns:
        `name`, `<name>_low` and `<name>_high`, NaN where those of the means are.
    """
    known = rows.dropna(subset=list(names))
    value, low, high = (np.array(np.nan) for _ in range(3))
    if len(known):
        above, below = known[list(names)].to_numpy(dtype=np.float64).sum(axis=0)
        value = np.array(above / below)
    if known["patient"].nunique() >= FEWEST:
        drawn = _sums(known, names, seed, repetitions)
        low, high = intervals.bounds(drawn[:, 0] / drawn[:, 1], value)
    return dict(zip(intervals.bounded(name), map(float, (value, low, high)), strict=True))


def _sums(rows: pd.DataFrame, names: Sequence[str], seed: int, repetitions: int) -> metrics.Floats:
    """Return sums of columns, and of ones, in samples of patients: (samples, columns + 1)."""
    patient, patients = pd.factorize(rows["patient"])
    values = rows[list(names)].to_numpy(dtype=np.float64)
    sums = metrics.per_patient(np.column_stack([values, np.ones(len(values))]), patient)
    generator = np.random.default_rng(seed)
    return np.asarray(intervals.resample(len(patients), repetitions, generator) @ sums)


def _reason(patients: int) -> str:
    """Return why there are no values, or no intervals; nothing where there are."""
    if patients == 0:
        return "undefined in every photograph"
    return f"no intervals: fewer than {FEWEST} patients" if patients < FEWEST else ""
