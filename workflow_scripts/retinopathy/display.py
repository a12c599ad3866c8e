"""Tables as people read them: intervals beside their values, three digits, nothing empty.

What makes tables does not depend on how they are shown: a change here trains nothing again.
"""

from pathlib import Path
from typing import Any

import pandas as pd

from retinopathy.files import write_text

BOUNDED = ("auc", "auc_low", "auc_high", "accuracy", "accuracy_low", "accuracy_high")
"""The metrics that a page shows first, with their intervals."""


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
