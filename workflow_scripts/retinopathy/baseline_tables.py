"""The table of the classical methods, made of their saved predictions and settings."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from retinopathy import intervals, tables
from retinopathy.runs import HOLDOUT
from retinopathy.study_tables import EVEN

SETTINGS = ("method", "setting")
"""Columns of what cross-validation over the patients of the training split chose, as read."""

COLUMNS = (*tables.METRICS, "setting")
"""Columns that the table of the classical methods has at least; `setting` is what cross-validation
chose, with the folds where these differ."""


def rows(
    predictions: pd.DataFrame,
    settings: pd.DataFrame,
    starts: Mapping[tuple[str, str], str],
    size: int,
    seed: int,
    repetitions: int,
) -> pd.DataFrame:
    """Return one row per task, inputs and method, folds pooled, called at the threshold `EVEN`.

    Args:
        predictions: Of the test split: columns task, inputs, fold, method and those of
            `tables.PREDICTIONS`; inputs are `pixels`, `metadata` or `features/<network>`.
        settings: Columns task, inputs, fold, method, setting.
        starts: Task and network → what the weights behind its features really are.
        size: Side of the photographs that the features are of, pixels.
        seed: Governs the bootstrap.
        repetitions: Bootstrap samples of patients behind every interval.

    Returns:
        `COLUMNS`, then the other values of `intervals.evaluate`.

    Raises:
        Explained: A class is absent, a value is not a number, or there is only one patient.
    """
    keys = ["task", "inputs", "method"]
    chosen = dict(list(settings.groupby(keys)))
    table = tables.metric_rows(
        _described(str(task), str(inputs), starts, size)
        | {
            "method": method,
            "seed": seed,
            "split": "test",
            "fold": HOLDOUT if set(group["fold"]) == {HOLDOUT} else "pooled",
            "setting": joined(chosen[task, inputs, method]),
        }
        | intervals.evaluate(group, EVEN, seed, repetitions)
        for (task, inputs, method), group in predictions.groupby(keys, sort=False)
    )
    extra = [name for name in table.columns if name not in COLUMNS]
    return table.reindex(columns=[*COLUMNS, *extra])


def joined(settings: pd.DataFrame) -> str:
    """Return the settings of all folds: `C=0.1`, or `C=0.1 (folds 0, 2); C=1 (fold 1)`.

    Args:
        settings: Columns fold and setting, one row per fold.
    """
    folds = settings.groupby("setting", sort=False)["fold"].agg(list)
    if len(folds) == 1:
        return str(folds.index[0])
    return "; ".join(
        f"{setting} (fold{'s' if len(where) > 1 else ''} {', '.join(where)})"
        for setting, where in folds.items()
    )


def _described(
    task: str, inputs: str, starts: Mapping[tuple[str, str], str], size: int
) -> dict[str, Any]:
    """Return task and inputs, and for features the network and what it starts from."""
    kind, _, network = inputs.partition("/")
    known = {"task": task, "inputs": kind}
    if not network:
        return known
    start = starts[task, network]
    return known | {"network": network, "size": size, "depth": "head", "initialisation": start}
