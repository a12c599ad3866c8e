"""Ensembles of final networks, made of their saved predictions.

The probability of an ensemble is the mean of its members' probabilities: an ensemble is a mixture
of models, and the mean is the predictive distribution of that mixture (Lakshminarayanan, Pritzel
and Blundell, Simple and scalable predictive uncertainty estimation using deep ensembles, NeurIPS
2017, section 2.4). Members are scaled by their frozen temperatures first, so that none counts for
more because it is too sure. A mean of logits would let a single extreme one decide.

The mean of probabilities that are true is less sure than it could be (Rahaman and Thiery,
Uncertainty quantification and deep ensembles, NeurIPS 2021): the threshold is therefore chosen
anew, on the ensemble's validation predictions, and frozen.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, log_expit, logsumexp

from retinopathy import calibration, intervals, tables
from retinopathy.errors import Explained
from retinopathy.operating import choose_threshold
from retinopathy.study_tables import Evidence, described, diverged, grouped, pooled

COLUMNS = (*tables.METRICS, "case", "members", "left_out", "threshold")
"""Columns that a table of ensembles has at least: one row per ensemble. `members` are the cases
whose predictions were averaged, `left_out` those of which a run diverged; `threshold` is the mean
over pooled folds. What the members do not share, such as the size, is empty."""

THRESHOLDS = ("task", "case", "seed", "fold", "threshold")
"""Columns of the frozen thresholds of ensembles; a threshold is a probability."""

Group = list[Evidence]
"""The runs of one task, case and seed: its folds."""

_KINDS = (
    (("task", "seed", "size"), "all networks, {size}"),
    (("task", "seed", "network"), "{network}, all sizes"),
    (("task", "seed"), "all networks and sizes"),
    (("task", "network", "size"), "{network} {size}, all seeds"),
)
"""What the members of an ensemble share, and what it is called."""


def thresholds(evidence: Iterable[Evidence]) -> pd.DataFrame:
    """Return the threshold of every ensemble, chosen on validation as that of a run is.

    Args:
        evidence: The runs with their predictions of the validation split.

    Returns:
        `THRESHOLDS`: one row per ensemble and fold.

    Raises:
        Explained: Members predicted different photographs, a class is absent, or a value is not a
            number.
    """
    return pd.DataFrame(
        [
            (*_key(name, sound), fold, choose_threshold(part))
            for name, sound, _ in _known(evidence)
            for fold, part in _mixed(sound).groupby("fold")
        ],
        columns=list(THRESHOLDS),
    )


def rows(evidence: Iterable[Evidence], chosen: pd.DataFrame, repetitions: int) -> pd.DataFrame:
    """Return the metrics of every ensemble on the test photographs.

    Args:
        evidence: The runs with their predictions of the test split.
        chosen: Of `thresholds`.
        repetitions: Bootstrap samples of patients behind every interval.

    Returns:
        `COLUMNS`, then the other values of `intervals.evaluate`. An ensemble of which fewer than
        two members are left has no row.

    Raises:
        Explained: Members predicted different photographs, a class is absent, a value is not a
            number, or there is only one patient.
    """
    limits = chosen.set_index(list(THRESHOLDS[:-1]))["threshold"].sort_index()
    table = tables.metric_rows(
        _row((name, sound, lost), _mixed(sound), limits, repetitions)
        for name, sound, lost in _known(evidence)
    )
    extra = [name for name in table.columns if name not in COLUMNS]
    return table.reindex(columns=[*COLUMNS, *extra])


def _known(evidence: Iterable[Evidence]) -> list[tuple[str, list[Group], list[Group]]]:
    """Return name, sound members and lost members of every ensemble that two are left of."""
    found = [(name, *_sound(members)) for name, members in ensembles(grouped(evidence))]
    return [one for one in found if len(one[1]) > 1]


def _key(name: str, sound: Sequence[Group]) -> tuple[str, str, int]:
    """Return task, case and seed of an ensemble: the first of its members' seeds."""
    runs = [member[0].run for member in sound]
    return runs[0].task, name, min(run.seed for run in runs)


def ensembles(cases: Iterable[Group]) -> list[tuple[str, list[Group]]]:
    """Return name and members of every ensemble of at least two members.

    They are, per task and seed, all networks of each size, all sizes of each network, and all of
    them; and all seeds of each network and size. Of two with the same members the first stays.
    """
    named: dict[tuple[Any, ...], tuple[str, list[Group]]] = {}
    known = list(cases)
    for shared, name in _KINDS:
        for case in known:
            run = case[0].run
            key = (name, *(getattr(run, field) for field in shared))
            named.setdefault(key, (name.format(**vars(run)), []))[1].append(case)
    distinct: dict[tuple[int, ...], tuple[str, list[Group]]] = {}
    for name, members in named.values():
        distinct.setdefault(tuple(map(id, members)), (name, members))
    return [one for one in distinct.values() if len(one[1]) > 1]


def combined(members: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the predictions of an ensemble: the mean of its members' probabilities.

    Args:
        members: Calibrated predictions, each with the columns image, fold, label and logit. Rows
            are matched by fold and image, whatever their order.

    Returns:
        The first member's table with the logit and the probability of the ensemble. The logit is
        made of logarithms, so that it does not saturate as the probability does.

    Raises:
        Explained: Members predicted different photographs, one twice, or with other labels.
    """
    keys = ["fold", "image"]
    first, *others = (member.set_index(keys) for member in members)
    for other in others:
        if not _same_photographs(first, other):
            raise Explained(
                "members of an ensemble predicted different photographs",
                expected=f"the {len(first)} photographs of the first member, once, labelled alike",
                received=f"{len(other)} photographs, of which "
                f"{len(other.index.intersection(first.index))} are among them",
                hint="make the predictions of all members again, from the same splits",
            )
    logits = np.stack([member["logit"].loc[first.index] for member in (first, *others)])
    diseased = logsumexp(log_expit(logits), axis=0)
    mixed = np.asarray(diseased - logsumexp(log_expit(-logits), axis=0))
    return members[0].assign(logit=mixed, probability=expit(mixed))


def _same_photographs(first: pd.DataFrame, other: pd.DataFrame) -> bool:
    unique = first.index.is_unique and other.index.is_unique
    if not unique or len(first) != len(other) or not other.index.isin(first.index).all():
        return False
    return bool((other["label"].loc[first.index] == first["label"]).all())


def _sound(members: Iterable[Group]) -> tuple[list[Group], list[Group]]:
    """Return the members without and with a run that diverged."""
    sound: list[Group] = []
    lost: list[Group] = []
    for member in members:
        (lost if diverged(member) else sound).append(member)
    return sound, lost


def _row(
    ensemble: tuple[str, list[Group], list[Group]],
    test: pd.DataFrame,
    limits: pd.Series,
    repetitions: int,
) -> dict[str, Any]:
    """Return the row of an ensemble from its test predictions and the thresholds of all."""
    name, sound, lost = ensemble
    key = _key(name, sound)
    own = limits.loc[key]
    measured = intervals.evaluate(test, test["fold"].map(own), key[-1], repetitions)
    return (
        _common([described(member, "test") for member in sound])
        | {
            "method": "ensemble",
            "case": name,
            "members": _listed(sound),
            "left_out": _listed(lost),
            "threshold": float(own.mean()),
        }
        | measured
    )


def _mixed(sound: Iterable[Group]) -> pd.DataFrame:
    """Return the predictions of an ensemble: its members at the temperatures of their runs."""
    members = [pooled(member) for member in sound]
    return combined([calibration.scaled(one, one["temperature"]) for one in members])


def _common(descriptions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what all members have in common, None for the rest; all their initialisations."""
    shared = {
        name: value if all(one[name] == value for one in descriptions) else None
        for name, value in descriptions[0].items()
    }
    starts = dict.fromkeys(one["initialisation"] for one in descriptions)
    return shared | {"initialisation": "; ".join(starts)}


def _listed(members: Iterable[Group]) -> str:
    return "; ".join(f"{member[0].case} (seed {member[0].run.seed})" for member in members)
