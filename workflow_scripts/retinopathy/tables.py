"""Tables: their columns, checked when written and when read."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from retinopathy.errors import Explained
from retinopathy.files import write_text, written

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

BOUNDED = ("auc", "auc_low", "auc_high", "accuracy", "accuracy_low", "accuracy_high")
"""The metrics that a page shows first, with their intervals."""

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

TEXT: dict[str, Any] = {"image": str, "patient": str, "fold": str}
"""Columns that must stay text even where they look like numbers."""

WHOLE: dict[str, Any] = {"size": "Int64", "seed": "Int64", "n": "Int64"}
"""Columns of whole numbers, some of which may be absent."""


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
    """Read a CSV table and check it; ids stay text.

    Raises:
        Explained: A column is missing.
    """
    table = pd.read_csv(path, dtype=TEXT | WHOLE, keep_default_na=True)
    check(table, columns, path.name)
    return table


def write_markdown(table: pd.DataFrame, path: Path) -> None:
    """Write `table` for people: three decimals, empty cells for what does not apply."""
    write_text(path, markdown(table))


def markdown(table: pd.DataFrame) -> str:
    """Return `table` as Markdown: `folded`, and without empty columns."""
    shown = folded(table).dropna(axis="columns", how="all").map(_cell)
    return str(shown.to_markdown(index=False, disable_numparse=True)) + "\n"


def folded(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table` for people: a value and its bounds in one column, as `0.812 (0.731–0.878)`.

    Columns `<name>_low` and `<name>_high` go into `<name>`; where the bounds are absent the value
    stands alone, where it is absent the cell is empty.
    """
    shown = table.astype(object)
    for name in table.columns:
        bounds = [f"{name}_low", f"{name}_high"]
        if set(bounds) <= set(table.columns):
            columns = (table[one] for one in (name, *bounds))
            shown[name] = [_interval(*cell) for cell in zip(*columns, strict=True)]
            shown = shown.drop(columns=bounds)
    return shown


def _interval(value: float, low: float, high: float) -> str | None:
    if pd.isna(value):
        return None
    return f"{value:.3f}" + ("" if pd.isna(low) else f" ({low:.3f}–{high:.3f})")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        if pd.isna(value):
            return ""
        return f"{value:.0f}" if value.is_integer() and abs(value) >= 1 else f"{value:.3g}"
    return "" if pd.isna(value) else str(value)


def metric_rows(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return rows of metrics as a table: the common columns first, then what the rows add."""
    table = pd.DataFrame(list(rows))
    extra = [column for column in table.columns if column not in METRICS]
    return table.reindex(columns=[*METRICS, *extra]).astype(WHOLE)
