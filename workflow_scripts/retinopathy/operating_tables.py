"""Tables of frozen operating points and temperatures, applied to the test photographs.

Thresholds and temperatures are those that validation predictions chose, see `operating` and
`calibration`; here they meet photographs that had no say in them. A row is a case and a seed of a
study; where folds are pooled, each photograph is judged by what its own fold froze.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from retinopathy import calibration, intervals, metrics, prevalence, tables
from retinopathy.intervals import bounded
from retinopathy.metrics import Floats, Integers, Measure
from retinopathy.runs import HOLDOUT, Run
from retinopathy.study_tables import Evidence, described, diverged, grouped, pooled

YOUDEN = "largest Youden index"
"""The operating point that every other table uses."""

_IDENTITY = (
    "task",
    "case",
    "network",
    "size",
    "depth",
    "initialisation",
    "seed",
    "split",
    "fold",
    "outcome",
    "n",
)

_RATES = ("sensitivity", "specificity", "ppv", "npv")


POINTS = (*_IDENTITY, "positives", "point", "reason", "threshold", *bounded(*_RATES))
"""Columns of operating points: one row per task, case, seed and point. `threshold` is a probability
as the network gives it, the mean over pooled folds; `reason` says why a point is undefined. The
predictive values are those of the test photographs; `ppv_at_<prevalence>` and so on follow."""

CALIBRATION = (
    *_IDENTITY,
    "probabilities",
    "temperature",
    "prevalence",
    *bounded("probability", "brier", "ece"),
)
"""Columns of calibration: one row per task, case, seed and kind of probabilities. `prevalence` is
the share of diseased photographs, `probability` the mean that was predicted for them; `temperature`
is the mean over pooled folds. Brier score and calibration error are of the test photographs, and
empty at a prevalence that these do not have."""


# Cases -------------------------------------------------------------------------------------------


def read_validation(evidence: Iterable[Evidence], paths: Iterable[Path]) -> dict[Run, pd.DataFrame]:
    """Return the validation predictions of each run; paths in the order of the runs."""
    return {
        item.run: tables.read(path, tables.PREDICTIONS)
        for item, path in zip(evidence, paths, strict=True)
    }


# Operating points ---------------------------------------------------------------------------------


def points(
    evidence: Iterable[Evidence], prevalences: Sequence[float], repetitions: int
) -> pd.DataFrame:
    """Return how frozen operating points do on the test photographs.

    Args:
        evidence: The runs with their predictions of the test split and what was frozen.
        prevalences: For which predictive values are stated, between 0 and 1.
        repetitions: Bootstrap samples of patients behind every interval.

    Returns:
        `POINTS`, then the predictive values at each of `prevalences` with their bounds. A case of
        which a run diverged has one row without numbers.

    Raises:
        Explained: A class is absent from the predictions of a case, a value is not a number, there
            is only one patient, or a prevalence is not between 0 and 1.
    """
    rows = [
        row for group in grouped(evidence) for row in _points_of(group, prevalences, repetitions)
    ]
    stated = [prevalence.COLUMN.format(name, one) for one in prevalences for name in ("ppv", "npv")]
    return _table(rows, (*POINTS, *bounded(*stated)))


def _points_of(
    group: list[Evidence], prevalences: Sequence[float], repetitions: int
) -> Iterator[dict[str, Any]]:
    if diverged(group):
        yield described(group, "test") | {"reason": "a run diverged"}
        return
    predictions = pooled(group)
    known = described(group, "test") | {"positives": int(predictions["label"].sum())}
    by_fold = {item.run.fold: item.frozen for item in group}
    for name in (YOUDEN, *group[0].frozen["points"]):
        row = known | {"point": _readable(name)}
        chosen = {fold: _point(operating, name) for fold, operating in by_fold.items()}
        if reason := _reason(chosen):
            yield row | {"reason": reason}
            continue
        thresholds = {fold: point["threshold"] for fold, point in chosen.items()}
        limit = predictions["fold"].map(thresholds)
        measure = intervals.together(
            _only(_RATES, metrics.calls(predictions, limit)),
            prevalence.predictive(predictions, limit, prevalences),
        )
        values = intervals.with_intervals(predictions, measure, group[0].run.seed, repetitions)
        yield row | {"threshold": float(np.mean([*thresholds.values()]))} | values


def _reason(chosen: Mapping[str, Mapping[str, Any]]) -> str:
    """Return why a point, by fold, is undefined: empty where no fold lacks it."""
    return "; ".join(
        point["reason"] if fold == HOLDOUT else f"fold {fold}: {point['reason']}"
        for fold, point in chosen.items()
        if point["threshold"] is None
    )


def _point(operating: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a point of a run by its name: its threshold, or None and a reason."""
    point: Mapping[str, Any] = operating if name == YOUDEN else operating["points"][name]
    return point


def _readable(name: str) -> str:
    """Return `sensitivity_at_0.90_specificity` as `sensitivity at specificity 0.90`."""
    if name == YOUDEN:
        return name
    wanted, _, value, given = name.split("_")
    return f"{wanted} at {given} {value}"


def _only(names: Iterable[str], measure: Measure) -> Measure:
    """Return the measure of some of what a measure gives."""

    def chosen(counts: Integers) -> dict[str, Floats]:
        values = measure(counts)
        return {name: values[name] for name in names}

    return chosen


# Calibration --------------------------------------------------------------------------------------


def calibrations(
    evidence: Iterable[Evidence],
    validation: Mapping[Run, pd.DataFrame],
    prevalences: Sequence[float],
    repetitions: int,
) -> pd.DataFrame:
    """Return how true the probabilities of the test photographs are.

    Probabilities are `as predicted`, then `temperature scaled`, then `corrected` from the
    prevalence among the validation photographs, on which the temperature was fitted, to each of
    `prevalences`. The test photographs stand for a population of such a prevalence as
    `prevalence.expected` weighs them.

    Args:
        evidence: The runs with their predictions of the test split and what was frozen.
        validation: Their predictions of the validation split.
        prevalences: Between 0 and 1.
        repetitions: Bootstrap samples of patients behind every interval.

    Returns:
        `CALIBRATION`. A case of which a run diverged has one row without numbers.

    Raises:
        Explained: A class is absent from the predictions of a case, a value is not a number, there
            is only one patient, or a prevalence is not between 0 and 1.
    """
    rows = [
        row
        for group in grouped(evidence)
        for row in _calibration_of(group, validation, prevalences, repetitions)
    ]
    return _table(rows, CALIBRATION)


def _calibration_of(
    group: list[Evidence],
    validation: Mapping[Run, pd.DataFrame],
    prevalences: Sequence[float],
    repetitions: int,
) -> Iterator[dict[str, Any]]:
    if diverged(group):
        yield described(group, "test")
        return
    predictions = pooled(group)
    folds, observed = predictions["fold"], float(predictions["label"].mean())
    shares = {item.run.fold: validation[item.run]["label"].mean() for item in group}
    scaled = calibration.scaled(predictions, predictions["temperature"])
    mean = float(np.mean([item.frozen["temperature"] for item in group]))
    kinds = [
        ("as predicted", 1.0, observed, predictions, calibration.errors(predictions)),
        ("temperature scaled", mean, observed, scaled, calibration.errors(scaled)),
    ]
    for stated in prevalences:
        table = prevalence.corrected(scaled, folds.map(shares), stated)
        kinds.append(("corrected", mean, stated, table, intervals.together()))
    for name, temperature, share, table, errors in kinds:
        measure = intervals.together(prevalence.expected(table, share), errors)
        row = {"probabilities": name, "temperature": temperature, "prevalence": share}
        values = intervals.with_intervals(table, measure, group[0].run.seed, repetitions)
        yield described(group, "test") | row | values


def _table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Return rows as a table with `columns`, whatever the rows have."""
    table = pd.DataFrame(list(rows)).reindex(columns=list(columns))
    whole = tables.WHOLE | {"positives": "Int64"}
    return table.astype({name: kind for name, kind in whole.items() if name in columns})
