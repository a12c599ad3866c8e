"""Numbers in words, as sentences of a page have them; what is in brackets is a 95 % interval."""

from collections.abc import Sequence

import pandas as pd

from retinopathy.display import NO_INTERVAL, called
from retinopathy.numerals import minus
from retinopathy.runs import INITIALISATIONS

IMAGENET = INITIALISATIONS["imagenet"]
"""What tables say of weights that come from ImageNet."""

CALLS = ("healthy", "diseased")
"""Names of the labels 0 and 1, and of what photographs are called."""


def is_control(starts_from: object) -> bool:
    """Return whether a model started from random weights, or has members that did."""
    return "random" in str(starts_from)


def signed(value: float, digits: int = 3) -> str:
    """Return a difference with its sign, to some decimals: `+0.012`, `−0.120`; 0 is `+0.000`."""
    return minus(f"{round(value, digits) + 0.0:+.{digits}f}")


def p_value(value: float) -> str:
    """Return a p-value as it stands behind its name: `= 0.016`, `< 0.001`, or `undefined`."""
    if pd.isna(value):
        return "undefined"
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def share(value: float) -> str:
    """Return a share in [0, 1] in per cent: `91 %`."""
    return f"{100 * value:.0f} %"


def interval(row: pd.Series, name: str) -> str:
    """Return a value of a row with its interval: `0.812 (0.731 to 0.878)`."""
    if pd.isna(row[f"{name}_low"]):
        return f"{row[name]:.3f} {NO_INTERVAL}"
    return f"{row[name]:.3f} ({row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f})"


def shift(row: pd.Series, name: str, digits: int = 3) -> str:
    """Return a difference of a row with its interval: `+0.120 (−0.030 to +0.270)`."""
    if pd.isna(row[f"{name}_low"]):
        return f"{signed(row[name], digits)} {NO_INTERVAL}"
    low, high = (signed(row[f"{name}_{end}"], digits) for end in ("low", "high"))
    return f"{signed(row[name], digits)} ({low} to {high})"


def percent(row: pd.Series, name: str) -> str:
    """Return a share of a row with its interval, in per cent: `92 % (81 to 97 %)`."""
    if pd.isna(row[f"{name}_low"]):
        return f"{share(row[name])} {NO_INTERVAL}"
    return f"{share(row[name])} ({100 * row[f'{name}_low']:.0f} to {share(row[f'{name}_high'])})"


def counted(number: int, thing: str) -> str:
    """Return a number with what it counts: `1 photograph`, `2 photographs`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def listed(items: Sequence[str]) -> str:
    """Return items as a sentence lists them: `a, b and c`."""
    *first, last = items
    return f"{', '.join(first)} and {last}" if first else last


def reached(rows: pd.DataFrame, name: str = "auc") -> str:
    """Return what a model reached, over its seeds.

    Args:
        rows: Its rows of a table of metrics, one per seed, none of which diverged.
        name: Column of the metric.
    """
    first = rows.iloc[0]
    if len(rows) == 1:
        return interval(first, name)
    return (
        f"{rows[name].mean():.3f} as the mean of {len(rows)} seeds, whose standard deviation is "
        f"{rows[name].std():.3f} and whose first has {interval(first, name)}"
    )


def model(row: pd.Series) -> str:
    """Return what a network is called in a sentence, or a classical method."""
    if row["method"] == row["network"]:
        return f"{row['network']} at {row['size']} px"
    source = f" on the features of {row['network']}" if row["inputs"] == "features" else ""
    return f"{called(row['method'])}{source}"
