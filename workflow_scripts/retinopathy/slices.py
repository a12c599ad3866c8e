"""Metrics of slices of the test photographs: for whom a network works, and for whom it does not.

The slices of a case are measured on the same bootstrap samples of all its patients, so that a slice
may hold one class only: what is undefined there, such as the sensitivity at level 0, is an empty
cell. Thresholds are those that were frozen on all validation photographs, for every slice.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import intervals, manifest, metrics, tables
from retinopathy.errors import Explained
from retinopathy.metrics import Codes, Floats, Integers, Measure, share
from retinopathy.study_tables import Evidence, described, diverged, grouped, pooled

METRICS = ("auc", "sensitivity", "specificity", "accuracy")
"""Metrics of a slice."""

COLUMNS = tuple(
    dict.fromkeys(
        (
            *tables.METRICS,
            *("case", "outcome", "slice", "value", "patients", "positives"),
            *intervals.bounded(*METRICS),
        )
    )
)
"""Columns of a table of slices, `tables.METRICS` and more: one row per task, case, seed and slice.
`slice` is the kind of slice and `value` what its photographs have in common; `n` counts photographs
(of the slice `patient`, patients), `positives` the diseased among them."""

CAMERAS = 6
"""How many sizes of photographs have a slice of their own; the others share one."""

ALL = "all"
OTHER = "other"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Slice:
    """A part of the predictions of a case.

    Attributes:
        kind: What it is cut by.
        value: What its rows have in common.
        rows: Columns patient, label, logit, probability, fold and called (bool).
    """

    kind: str
    value: str
    rows: pd.DataFrame


def rows(evidence: Iterable[Evidence], photographs: pd.DataFrame, repetitions: int) -> pd.DataFrame:
    """Return the metrics of every slice of every case.

    Args:
        evidence: The runs with their predictions of the test split and frozen thresholds.
        photographs: The manifest.
        repetitions: Bootstrap samples of patients behind every interval.

    Returns:
        `COLUMNS`. A slice of one patient has no intervals; a case of which a run diverged has one
        row without numbers.

    Raises:
        Explained: A class is absent from all predictions of a case, a value is not a number, there
            is only one patient, or a photograph is not in the manifest.
    """
    known = traits(photographs)
    table = tables.metric_rows(
        row for group in grouped(evidence) for row in _rows(group, known, repetitions)
    )
    counts = {"patients": "Int64", "positives": "Int64"}
    return table.reindex(columns=list(COLUMNS)).astype(counts)


def _rows(group: list[Evidence], known: pd.DataFrame, repetitions: int) -> Iterator[dict[str, Any]]:
    if diverged(group):
        yield described(group, "test") | {"slice": ALL, "value": ALL}
        return
    predictions = pooled(group)
    slices = cut(predictions, known)
    measure = together(slices, predictions)
    values = metrics.value(predictions, measure)
    samples = intervals.bootstrap(predictions, measure, group[0].run.seed, repetitions)
    ends = {name: intervals.bounds(samples[name], values[name]) for name in METRICS}
    for place, one in enumerate(slices):
        patients = one.rows["patient"].nunique()
        row = described(group, "test") | {
            "slice": one.kind,
            "value": one.value,
            "n": len(one.rows),
            "patients": patients,
            "positives": int(one.rows["label"].sum()),
        }
        row |= {name: values[name][place] for name in METRICS}
        if patients > 1:
            for name, (low, high) in ends.items():
                row |= {f"{name}_low": low[place], f"{name}_high": high[place]}
        yield row


# Slices -------------------------------------------------------------------------------------------


def traits(photographs: pd.DataFrame) -> pd.DataFrame:
    """Return what photographs are cut by, besides their level.

    Args:
        photographs: The manifest; its usable rows count.

    Returns:
        Indexed by image: `camera size` (`width × height` in pixels, the commonest first, then
        `other`), `quality` (the published grade), `outline of the retina` (found or not) and
        `eye`, all categories; `unknown` where a photograph has none, and no column where none has.
    """
    usable = manifest.usable(photographs).set_index("image")
    named = usable["width"].astype("str") + " × " + usable["height"].astype("str")
    counts = named.value_counts().sort_index()
    common = counts.sort_values(ascending=False, kind="stable").index
    sizes = [*common[:CAMERAS], *([OTHER] if len(common) > CAMERAS else [])]
    found = usable["circle_found"].map({True: "found", False: "not found"})
    others = {
        "quality": usable["quality"],
        "outline of the retina": found,
        "eye": usable["eye"],
    }
    kept = {
        kind: values.replace("", pd.NA).fillna(UNKNOWN).astype("category")
        for kind, values in others.items()
        if values.replace("", pd.NA).notna().any()
    }
    camera = named.where(named.isin(sizes), OTHER)
    return pd.DataFrame({"camera size": pd.Categorical(camera, sizes)} | kept, index=usable.index)


def cut(predictions: pd.DataFrame, known: pd.DataFrame) -> list[Slice]:
    """Return the slices of predictions: all, by level, by trait, and one of patients.

    Args:
        predictions: Columns image, patient, level, label, logit, probability, fold, threshold.
        known: Of `traits`.

    Raises:
        Explained: A class is absent, a value is not a number, or a photograph is unknown.
    """
    missing = predictions.loc[~predictions["image"].isin(known.index), "image"]
    if len(missing):
        raise Explained(
            "predictions of photographs that the manifest does not know",
            expected="usable photographs of the manifest",
            received=f"{len(missing)} others, such as {missing.iloc[0]}",
            hint="make the predictions again: they are of other photographs",
        )
    called = metrics.call(metrics.check(predictions), predictions["threshold"])
    whole = predictions.assign(called=called)
    kinds = {"level": whole["level"].to_numpy()} | {
        kind: values.loc[whole["image"]].array for kind, values in known.items()
    }
    parts = [
        Slice(str(kind), str(value), part)
        for kind, values in kinds.items()
        for value, part in whole.groupby(values, observed=True)
    ]
    return [Slice(ALL, ALL, whole), *parts, Slice("patient", "worse eye", worse_eyes(whole))]


def worse_eyes(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return one row per patient and fold: the most severe label, logit, probability and call.

    A patient is called diseased when a photograph is. The threshold is that of photographs: with
    two of them, more patients are called diseased, healthy ones too. Photographs that the task or
    its selection left out do not count.

    Args:
        predictions: Columns patient, label, logit, probability, fold and called.
    """
    columns = ["label", "logit", "probability", "called"]
    return predictions.groupby(["patient", "fold"], sort=False)[columns].max().reset_index()


# Measures -----------------------------------------------------------------------------------------


def together(slices: Iterable[Slice], predictions: pd.DataFrame) -> Measure:
    """Return the measure of `METRICS`, (samples, slices) each; NaN where undefined.

    Args:
        slices: Of these predictions.
        predictions: Column patient; the counts of samples are of its patients, in their order.
    """
    patients = pd.Index(predictions["patient"].unique())
    parts = [_of(one.rows, patients) for one in slices]

    def measure(counts: Integers) -> dict[str, Floats]:
        found = [part(counts) for part in parts]
        return {name: np.stack([values[name] for values in found], axis=1) for name in METRICS}

    return measure


def _of(rows: pd.DataFrame, patients: pd.Index) -> Measure:
    """Return the measure of one slice, from counts of `patients`."""
    patient, names = pd.factorize(rows["patient"])
    places = patients.get_indexer(names)
    both = rows.groupby("fold")["label"].nunique().max() == 2
    measure = intervals.together(
        _calls(rows["label"].to_numpy() == 1, rows["called"].to_numpy(), patient),
        metrics.ranking(rows) if both else _unranked,
    )
    return lambda counts: measure(counts[:, places])


def _calls(diseased: NDArray[np.bool_], called: NDArray[np.bool_], patient: Codes) -> Measure:
    """Return the measure of sensitivity, specificity and accuracy, of one class too."""
    cells = [diseased & called, diseased, ~diseased & ~called, ~diseased]
    table = metrics.per_patient(np.column_stack(cells), patient)

    def measure(counts: Integers) -> dict[str, Floats]:
        found, positives, cleared, negatives = (counts @ table).T
        return {
            "sensitivity": share(found, positives),
            "specificity": share(cleared, negatives),
            "accuracy": share(found + cleared, positives + negatives),
        }

    return measure


def _unranked(counts: Integers) -> dict[str, Floats]:
    """Return no AUC: a measure for what is of one class."""
    return {"auc": np.full(len(counts), np.nan)}
