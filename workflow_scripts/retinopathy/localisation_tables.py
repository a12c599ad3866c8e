"""Tables of how well maps find lesions, and of what they are better than.

Values are means over photographs; photographs of a patient are not independent, so patients are
resampled. The controls need no network; the random network is the one that would have been trained,
before it was: random weights with statistics of the training photographs, and a random head.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from retinopathy import intervals, lesion_types, means
from retinopathy.lesion_types import METRICS
from retinopathy.runs import Run
from retinopathy.tables import DIVERGED

TRAINED, UNTRAINED, CONTROL = "no", "random network", "no network"
"""Values of the column `control`: a final run, the same network untrained, or no network at all."""

COLUMNS = (
    "set",
    "task",
    "network",
    "size",
    "depth",
    "initialisation",
    "seed",
    "fold",
    "split",
    "method",
    "control",
    "lesion",
    "n",
    "patients",
    "lesion_share",
    *intervals.bounded(*METRICS, "lift"),
    "reason",
)
"""Columns of `table`: one row per set, task, network, size, method and type of lesion. `n`
photographs show the type; `lesion_share` is the mean share of their retinas that has it; `lift` is
the mean average precision in multiples of it: 1 for a uniform map."""

_OWN = ("set", "task", "network", "size", "depth", "initialisation", "seed", "fold", "split")
_DIFFERENCES = tuple(f"{name}_difference" for name in METRICS)

DIFFERENCES = (
    *_OWN,
    "method",
    "lesion",
    "compared",
    "n",
    "patients",
    *intervals.bounded(*_DIFFERENCES),
    "reason",
)
"""Columns of `differences`; `compared` says in words what is subtracted from what."""

_WHOLE = dict.fromkeys(("size", "seed", "n", "patients"), "Int64")


@dataclass(frozen=True)
class Scored:
    """The scores of the maps of one network, or of the controls, on one set.

    Attributes:
        lesion_set: Name of the set.
        split: What the photographs are to the run: `test`, or `external`.
        task: The task.
        control: `TRAINED`, `UNTRAINED` or `CONTROL`.
        run: The run; None of controls.
        starts_from: What its weights really started from; empty of controls.
        outcome: Of the run; empty of controls.
        scores: `lesion_types.SCORES`; empty when the run diverged.
    """

    lesion_set: str
    split: str
    task: str
    control: str
    run: Run | None
    starts_from: str
    outcome: str
    scores: pd.DataFrame


def table(scored: Iterable[Scored], seed: int, repetitions: int) -> pd.DataFrame:
    """Return `COLUMNS`: the mean scores with their intervals.

    Args:
        scored: In the order of the table.
        seed: Governs the bootstrap.
        repetitions: Bootstrap samples of patients behind every interval.

    Returns:
        Where a run diverged, or a set has no photograph with a mask, one row that says so.
    """
    rows = [row for one in scored for row in _rows(one, seed, repetitions)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(_WHOLE)


def differences(scored: Sequence[Scored], seed: int, repetitions: int) -> pd.DataFrame:
    """Return `DIFFERENCES`: paired by photograph, of every final run.

    Each method is compared with every control, with itself on the untrained network, and, at the
    larger size, with itself at the smaller one. Intervals are not corrected for how many there are.
    """
    rows = []
    for one in (item for item in scored if item.control == TRAINED and len(item.scores)):
        for method in one.scores["method"].unique():
            own = one.scores[one.scores["method"] == method]
            for words, other in _others(one, method, scored):
                rows += [
                    _described(one) | {"method": method, "compared": words} | row
                    for row in _paired(own, other, seed, repetitions)
                ]
    return pd.DataFrame(rows, columns=list(DIFFERENCES)).astype(_WHOLE)


def _rows(one: Scored, seed: int, repetitions: int) -> list[dict[str, Any]]:
    """Return the rows of one network, or of the controls: by method and type of lesion."""
    known = _described(one) | {"control": one.control}
    if one.outcome == DIVERGED:
        return [known | {"n": 0, "reason": "the run diverged"}]
    if one.scores.empty:
        return [known | {"n": 0, "reason": "no photograph with a mask of its lesions"}]
    return [
        known
        | {"method": method, "lesion": lesion, "lesion_share": rows["lesion_share"].mean()}
        | means.with_intervals(rows, METRICS, seed, repetitions)
        | means.ratio(rows, "lift", ("average_precision", "lesion_share"), seed, repetitions)
        for method, own in one.scores.groupby("method", sort=False)
        for lesion, rows in _by_lesion(own)
    ]


def _described(one: Scored) -> dict[str, Any]:
    """Return what is said of a network's rows; controls have a set, a task and a split alone."""
    known: dict[str, Any] = {"set": one.lesion_set, "task": one.task, "split": one.split}
    if one.run is None:
        return known
    return known | {
        "network": one.run.network,
        "size": one.run.size,
        "depth": one.run.depth if one.control == TRAINED else None,
        "initialisation": one.starts_from,
        "seed": one.run.seed,
        "fold": one.run.fold,
    }


def _others(one: Scored, method: str, scored: Iterable[Scored]) -> list[tuple[str, pd.DataFrame]]:
    """Return what a method of a final run is compared with, and the words for it."""
    found = []
    for other in scored:
        if (other.lesion_set, other.task) != (one.lesion_set, one.task) or other.scores.empty:
            continue
        own = other.scores[other.scores["method"] == method]
        if other.control == CONTROL:
            found += [
                (f"trained network − {title}", other.scores[other.scores["method"] == name])
                for name, title in lesion_types.CONTROLS.items()
            ]
        elif _alike(one, other) and other.control == UNTRAINED and _size(one) == _size(other):
            found.append(("trained network − random network", own))
        elif _alike(one, other) and other.control == TRAINED and _size(one) > _size(other):
            found.append((f"{_size(one)} px − {_size(other)} px", own))
    return found


def _alike(one: Scored, other: Scored) -> bool:
    return one.run is not None and other.run is not None and one.run.network == other.run.network


def _size(one: Scored) -> int:
    return one.run.size if one.run else 0


def _paired(
    one: pd.DataFrame, other: pd.DataFrame, seed: int, repetitions: int
) -> list[dict[str, Any]]:
    """Return the differences of two methods' scores on the same photographs, by type of lesion."""
    keys = ["image", "patient", "lesion"]
    both = one.merge(other, on=keys, suffixes=("", "_other"), validate="one_to_one")
    for name, difference in zip(METRICS, _DIFFERENCES, strict=True):
        both[difference] = both[name] - both[f"{name}_other"]
    return [
        {"lesion": lesion} | means.with_intervals(rows, _DIFFERENCES, seed, repetitions)
        for lesion, rows in _by_lesion(both)
    ]


def _by_lesion(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the rows of every type of lesion, types in the order in which they are shown."""
    return [
        (kind, rows[rows["lesion"] == kind]) for kind in lesion_types.order(rows["lesion"].unique())
    ]
