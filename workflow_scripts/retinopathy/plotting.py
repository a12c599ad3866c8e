"""The look of every figure: quiet, readable in black and white."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from retinopathy.files import written

COLOURS = ("#0b3c5d", "#d95f02", "#7a7a7a", "#1b9e77", "#a6761d", "#7570b3", "#e7298a", "#222222")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":", "-", "--", "-.", ":")
"""Dark to light, each with a marker and a line of its own, so that colour is never needed."""

STYLE: dict[Any, Any] = {
    "figure.dpi": 110,
    "savefig.dpi": 140,
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.titlesize": 10,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "axes.prop_cycle": cycler(color=COLOURS) + cycler(linestyle=LINES),
}


@contextmanager
def figure(path: Path, width: float, height: float) -> Iterator[Figure]:
    """Yield an empty figure of `width` × `height` inches and save it as PNG when the block ends."""
    with mpl.rc_context(STYLE):
        drawn = Figure(figsize=(width, height), layout="constrained")
        yield drawn
        with written(path) as beside:
            drawn.savefig(beside)


def title(table: pd.DataFrame, split: str) -> str:
    """Return the title of a figure of one task, network and size.

    Args:
        table: Columns task, network, size, n, fold; `n` is 0 in rows of runs that diverged.
        split: Of which split the photographs are.
    """
    first = table.iloc[0]
    pooled = ", folds pooled" if "pooled" in set(table["fold"]) else ""
    return (
        f"{first['task']}, {first['network']} at {first['size']} px: "
        f"n = {table['n'].max()} {split} photographs{pooled}"
    )


def aside(seeds: pd.Series) -> pd.Series:
    """Return for each row how far it stands beside its case, so that seeds hide no other.

    In places, about 0, from the smallest seed to the largest.
    """
    known = sorted(seeds.unique())
    return seeds.map(known.index) - (len(known) - 1) / 2


GUESSING: dict[str, Any] = {"color": "#777777", "linewidth": 0.9, "linestyle": ":", "zorder": 0}
"""Look of what guessing would give."""


def chance(axes: Axes) -> None:
    """Mark the AUC and accuracy of guessing, and say so at the right, beside the axes."""
    axes.axhline(0.5, **GUESSING)
    axes.text(
        1.005,
        0.5,
        "guessing",
        fontsize=7,
        color="#555555",
        va="center",
        transform=axes.get_yaxis_transform(),
    )


def empty(axes: Axes, sentence: str) -> None:
    """Say in the middle of `axes` why there is nothing to see."""
    axes.axis("off")
    axes.text(0.5, 0.5, sentence, ha="center", va="center", wrap=True, transform=axes.transAxes)
