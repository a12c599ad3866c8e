"""Figures of paired comparisons, drawn from their table alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retinopathy import plotting
from retinopathy.standings import ALPHA
from retinopathy.tables import DIVERGED
from retinopathy.wording import p_value

_ROW = 0.2  # inches
_FRAME = 1.2  # inches of title and axis


def forest(table: pd.DataFrame, path: Path) -> None:
    """Draw the difference of AUC of every pair of models with its 95 % interval.

    One panel per study and task, one line per pair. Markers are filled where the p-value, adjusted
    for the number of pairs of the panel, is below `ALPHA`.

    Args:
        table: Of `comparisons.table`.
        path: Where to write the figure.
    """
    families = list(table.groupby(["study", "task"], sort=False))
    heights = [_ROW * len(rows) + _FRAME for _, rows in families]
    with plotting.figure(path, 9, max(sum(heights), 2)) as drawn:
        if not families:
            plotting.empty(drawn.subplots(), "There is no study with two models to compare.")
            return
        panels = drawn.subplots(len(families), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axes, ((study, task), rows) in zip(panels, families, strict=True):
            _panel(axes, rows, f"{study}, {task}")


def _panel(axes: Axes, rows: pd.DataFrame, title: str) -> None:
    starts = {*rows["initialisation_a"], *rows["initialisation_b"]}
    for place, row in enumerate(rows.itertuples()):
        _line(axes, place, row)
    _beside(axes, -1, "adjusted p")
    axes.axvline(0, color="#999999", linewidth=0.8, linestyle=":", zorder=0)
    bounds = rows[["auc_difference_low", "auc_difference_high"]].to_numpy(dtype=np.float64)
    farthest = 1.05 * np.abs(bounds[np.isfinite(bounds)]).max(initial=0) or 1.0
    axes.set_xlim(-farthest, farthest)
    axes.set_yticks(range(len(rows)), [_pair(row, starts) for row in rows.itertuples()], fontsize=7)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    shared = f", {starts.pop()}" if len(starts) == 1 else ""
    axes.set_title(f"{title}{shared}\n{_counts(rows)}", loc="left", fontsize=8)
    axes.set_xlabel("AUC of the first − AUC of the second, 95 % interval")


def _line(axes: Axes, place: int, row: Any) -> None:
    if row.outcome == DIVERGED:
        _beside(axes, place, DIVERGED)
        return
    _beside(axes, place, p_value(row.auc_p_holm).removeprefix("= "))
    colour = plotting.COLOURS[0]
    axes.errorbar(
        row.auc_difference,
        place,
        xerr=[
            [row.auc_difference - row.auc_difference_low],
            [row.auc_difference_high - row.auc_difference],
        ],
        fmt="o",
        color=colour,
        markerfacecolor=colour if row.auc_p_holm < ALPHA else "white",
        markersize=5,
        capsize=2,
    )


def _beside(axes: Axes, place: int, text: str) -> None:
    """Write to the right of a line."""
    across = axes.get_yaxis_transform()
    axes.text(1.02, place, text, ha="left", va="center", fontsize=7, transform=across)


def _pair(row: Any, starts: set[str]) -> str:
    """Return the names of a pair, with what their weights started from where that is not shared."""
    sides = (row.case_a, row.initialisation_a), (row.case_b, row.initialisation_b)
    first, second = (
        case if len(starts) == 1 or start in case else f"{case} ({start})" for case, start in sides
    )
    return f"{first} against {second}"


def _counts(rows: pd.DataFrame) -> str:
    split, seed = rows.iloc[0][["split", "seed"]]
    known = rows[rows["n"] > 0]
    if known.empty:
        return f"{split} split, seed {seed}: all diverged"
    n, patients = known.iloc[0][["n", "patients"]]
    return f"{split} split, seed {seed}: n = {n} photographs of {patients} patients"
