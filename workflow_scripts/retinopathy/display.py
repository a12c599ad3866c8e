"""Tables as people read them: names in words, intervals beside values, three digits, nothing empty.

CSV files keep the names of their columns: programs read those. What makes tables does not depend on
how they are shown: a change here trains nothing again.
"""

import re
from pathlib import Path
from typing import Any

import pandas as pd

from retinopathy import lesion_types, methods
from retinopathy.files import write_text
from retinopathy.numerals import decimals, minus

BOUNDED = ("auc", "auc_low", "auc_high", "accuracy", "accuracy_low", "accuracy_high")
"""The metrics that a page shows first, with their intervals."""

NAMES = {
    "accuracy_best": "best accuracy",
    "accuracy_epochs": "epochs to the best accuracy",
    "auc_best": "best AUC",
    "auc_epochs": "epochs to the best AUC",
    "auc_p": "p of the AUC",
    "calls_p": "p of the calls",
    "cpu_seconds": "CPU time, seconds",
    "default_size": "default size, px",
    "ece": "expected calibration error",
    "ece_scaled": "expected calibration error, scaled",
    "f1": "F1",
    "fellow_in_train": "share with the fellow eye in training",
    "head_rate": "learning rate of the head",
    "longest_seconds": "longest job, seconds",
    "matthews": "Matthews correlation",
    "megabytes": "weights, MB",
    "memory_mb": "most memory of a job, MB",
    "multiply_adds": "multiply-adds at the default size, 10⁹",
    "parameters": "parameters, 10⁶",
    "parameters_without_top": "parameters without the top, 10⁶",
    "rate": "learning rate",
    "seconds": "seconds of training",
    "size": "size, px",
    "size_large": "large size, px",
    "size_small": "small size, px",
    "title": "full name",
    "top1": "ImageNet top-1 accuracy",
    "total_seconds": "all jobs, seconds",
}
"""Column → what people call it, where `title` cannot tell from its words."""

VALUES = {
    **methods.TITLES,
    **methods.ORDERS,
    **lesion_types.CONTROLS,
    "knn": "k nearest neighbours",
    "logistic_regression": "logistic regression",
    "mlp": "multilayer perceptron",
    "random_forest": "random forest",
    "svm": "support vector machine",
}
"""Name in cells → what people call it."""

_SMALL = 0.01  # values below it are shown with five decimals

NO_INTERVAL, NO_WIDTH = "(no interval)", "(no width)"
"""What stands beside a value instead of bounds: there are none, or both are the value itself."""

REMARKS = {
    NO_INTERVAL: "No interval: there are too few patients, or too few cases, to find one from.",
    NO_WIDTH: "No width: the interval is the value alone, because these photographs hold no "
    "exception, so that no resampling shows one. That is no certainty: others may hold some.",
}
"""What a page says under a table with such cells."""

_WORDS = {
    "auc": "AUC",
    "brier": "Brier score",
    "holm": "(Holm)",
    "l2": "L2",
    "mcnemar": "McNemar",
    "npv": "negative predictive value",
    "ppv": "positive predictive value",
    "ssim": "SSIM",
}
_PATTERNS = {
    r"multiply_adds_(\w+|<size>)": r"multiply-adds at \1 px, 10⁹",
    r"(ppv|npv)_at_(.+)": r"\1 at prevalence \2",
}


def title(name: str) -> str:
    """Return what people call a column: as in `NAMES`, or its words with blanks between them."""
    if name in NAMES:
        return NAMES[name]
    for pattern, better in _PATTERNS.items():
        name = re.sub(f"^{pattern}$", better, name)
    return " ".join(_WORDS.get(word, word) for word in re.split("[_ ]", name) if word)


def called(cell: Any) -> Any:
    """Return what people call the content of a cell: as in `VALUES`, or as it is."""
    return VALUES.get(cell, cell) if isinstance(cell, str) else cell


def remarks(shown: pd.DataFrame) -> list[str]:
    """Return what must be said of the cells of a table from `folded`."""
    cells = [cell for cell in shown.to_numpy().ravel() if isinstance(cell, str)]
    return [
        sentence for mark, sentence in REMARKS.items() if any(cell.endswith(mark) for cell in cells)
    ]


def write_markdown(table: pd.DataFrame, path: Path) -> None:
    """Write `table` for people: three decimals, empty cells for what does not apply."""
    write_text(path, markdown(table))


def markdown(table: pd.DataFrame) -> str:
    """Return `table` as Markdown: `folded`, and without empty columns."""
    shown = folded(table).dropna(axis="columns", how="all").map(called).map(cell)
    shown = shown.rename(columns=title)
    return str(shown.to_markdown(index=False, disable_numparse=True)) + "\n"


def folded(table: pd.DataFrame) -> pd.DataFrame:
    """Return `table` for people: a value and its bounds in one column, as `0.812 (0.731 to 0.878)`.

    Columns `<name>_low` and `<name>_high` go into `<name>`; where the bounds are absent
    `NO_INTERVAL` stands beside the value, where both are the value `NO_WIDTH`. Where the value is
    absent the cell is empty.
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
    # Three decimals say nothing of scores near 0, such as those of lesions of few pixels.
    digits = 5 if 0 < abs(value) < _SMALL else 3
    if pd.isna(low):
        return f"{decimals(value, digits)} {NO_INTERVAL}"
    shown = f"({decimals(low, digits)} to {decimals(high, digits)})"
    return f"{decimals(value, digits)} {NO_WIDTH if low == value == high else shown}"


def cell(value: Any) -> str:
    """Return a value for people: of a fraction three digits, or all before the decimal point."""
    if isinstance(value, float):
        if pd.isna(value):
            return ""
        whole = abs(value) >= 999.5 or (value.is_integer() and abs(value) >= 1)
        return minus(f"{value:.0f}" if whole else f"{value + 0.0:.3g}")
    return "" if pd.isna(value) else str(value)
