"""Tables: their columns, checked when written and when read."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from retinopathy.errors import Explained
from retinopathy.files import written

PREDICTIONS = ("image", "patient", "level", "label", "split", "logit", "probability")
"""Columns of a run's predictions: one row per photograph."""

METRICS = (
    "task",
    "method",
    "inputs",
    "network",
    "size",
    "depth",
    "initialisation",
    "seed",
    "split",
    "fold",
    "n",
    "auc",
    "auc_low",
    "auc_high",
    "accuracy",
)
"""Columns that every table of metrics has at least; empty where they do not apply."""

CURVES = (
    "study",
    "task",
    "case",
    "initialisation",
    "seed",
    "fold",
    "epoch",
    "split",
    "accuracy",
    "auc",
    "loss",
)
"""Columns of learning curves: one row per run, epoch and split."""

SEEDS = (
    "task",
    "case",
    "initialisation",
    "split",
    "n",
    "seeds",
    "diverged",
    "auc_mean",
    "auc_sd",
    "accuracy_mean",
    "accuracy_sd",
)
"""Columns of mean and spread over seeds: one row per task and case."""

RECOMMENDATION = ("study", "parameter", "recommended", "configured", "followed", "reason")
"""Columns of what a study's validation recommends, beside what the configuration uses."""

TEXT: dict[str, Any] = {"image": str, "patient": str, "fold": str, "lesion": str}
"""Columns that must stay text even where they look like numbers."""

WHOLE: dict[str, Any] = {"size": "Int64", "seed": "Int64", "n": "Int64"}
"""Columns of whole numbers, some of which may be absent."""

COUNTS: dict[str, Any] = dict.fromkeys(
    (
        "patients",
        "undefined",
        "both_right",
        "both_wrong",
        "only_small_right",
        "only_large_right",
        "only_a_right",
        "only_b_right",
    ),
    "Int64",
)
"""Further columns of whole numbers: an empty cell in one must not make the others fractions."""

TYPES = TEXT | WHOLE | COUNTS
"""With what types a table is read."""

DIVERGED = "diverged"
"""What the column `outcome`, and the record of a run, say of one that diverged."""


def check(table: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    """Raise unless `table` has at least `columns`.

    Raises:
        Explained: A column is missing.
    """
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise Explained(
            f"table {name} lacks columns",
            expected=", ".join(columns),
            received=", ".join(map(str, table.columns)),
            hint=f"missing: {', '.join(missing)}",
        )


def write(table: pd.DataFrame, path: Path, columns: Sequence[str]) -> None:
    """Check `table` and write it as CSV, whole or not at all."""
    check(table, columns, path.name)
    with written(path) as beside:
        table.to_csv(beside, index=False, lineterminator="\n")


def read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a CSV table and check it; ids stay text, and a photograph may be called `NA`.

    Only what is empty is missing: that is how `write` leaves what is no number.

    Raises:
        Explained: A column is missing.
    """
    table = pd.read_csv(path, dtype=TYPES, keep_default_na=False, na_values=[""])
    check(table, columns, path.name)
    return table


def metric_rows(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows of metrics as a table: the common columns first, then what the rows add."""
    table = pd.DataFrame(list(rows))
    extra = [column for column in table.columns if column not in METRICS]
    return table.reindex(columns=[*METRICS, *extra]).astype(WHOLE)
