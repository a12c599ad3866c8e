"""The figure of how well maps find lesions, drawn from its table alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from retinopathy import lesion_types, plotting
from retinopathy.localisation_tables import CONTROL, TRAINED, UNTRAINED
from retinopathy.wording import is_control

_ROW = 0.24  # inches of a method
_ASIDE = 0.2  # how far a size stands beside the middle of its method
_GREY = "#777777"


def localisation(table: pd.DataFrame, titles: Mapping[str, str], path: Path) -> None:
    """Draw the average precision of every map in multiples of chance, with 95 % intervals.

    One row of panels per set, task and network, one column per type of lesion, one line per method
    or control. Chance is the lesion's share of the retina: what a uniform map reaches. Circles are
    the smaller size, squares the larger one, hollow and grey where the network is untrained;
    diamonds need no network.

    Args:
        table: Of `localisation_tables.table`.
        titles: Method or control → what people call it, in the order from top to bottom.
        path: Where to write the figure.
    """
    known = table[table["lift"].notna()]
    sizes = sorted(table["size"].dropna().unique())
    groups = [
        (key, rows)
        for key, rows in known.groupby(["set", "task", "network"], sort=False)
        if (rows["control"] == TRAINED).any()
    ]
    if not groups:
        with plotting.figure(path, 7, 1.5) as drawn:
            plotting.empty(drawn.subplots(), _reason(table))
        return
    kinds = lesion_types.order(known["lesion"].unique())
    lines = [name for name in titles if name in set(known["method"])]
    size = 2.2 * len(kinds) + 1.8, (_ROW * len(lines) + 1.0) * len(groups) + 0.4
    with plotting.figure(path, *size) as drawn:
        grid = drawn.subplots(len(groups), len(kinds), squeeze=False, sharex=True, sharey=True)
        for panels, ((name, task, network), own) in zip(grid, groups, strict=True):
            apart = known["control"] == CONTROL
            here = (known["set"] == name) & (known["task"] == task)
            rows = pd.concat([own, known[apart & here]])
            for axes, kind in zip(panels, kinds, strict=True):
                _panel(axes, rows[rows["lesion"] == kind], lines, sizes)
            panels[0].set_yticks(range(len(lines)), [titles[line] for line in lines], fontsize=8)
            start = own.loc[own["control"] == TRAINED, "initialisation"].iloc[0]
            control = ": a control" if is_control(start) else ""
            whose = f"{network}, from {start}{control}\n{name}, {task}"
            panels[0].set_ylabel(whose, fontsize=8)
            for axes, kind in zip(panels, kinds, strict=True):
                count = rows.loc[rows["lesion"] == kind, "n"].max()
                n = 0 if pd.isna(count) else count
                axes.set_title(f"{lesion_types.NAMES.get(kind, kind)}\nn = {n}", fontsize=9)
        grid[0, 0].set_ylim(len(lines) - 0.4, -0.6)
        _scale(grid[0, 0])
        drawn.supxlabel("average precision ÷ share of the retina, 95 % interval", fontsize=9)
        handles, labels = _legend(grid)
        drawn.legend(handles, labels, loc="outside upper center", ncols=5, fontsize=8)


def _panel(axes: Axes, rows: pd.DataFrame, lines: Sequence[str], sizes: Sequence[int]) -> None:
    """Draw one type of lesion: all methods and controls; `sizes` are those of the whole table."""
    axes.axvline(1, color="#999999", linewidth=0.8, linestyle=":", zorder=0)
    for row in rows.itertuples():
        place = lines.index(row.method)
        if row.control == CONTROL:
            _mark(axes, row, place, "D", "needs no network", plotting.COLOURS[1], filled=True)
            continue
        larger = len(sizes) > 1 and row.size == sizes[-1]
        trained = bool(row.control == TRAINED)
        _mark(
            axes,
            row,
            place + (_ASIDE if larger else -_ASIDE),
            "s" if larger else "o",
            f"{row.size} px" + ("" if trained else f", {UNTRAINED}"),
            plotting.COLOURS[0] if trained else _GREY,
            filled=trained,
        )
    axes.grid(visible=False, axis="y")


def _mark(
    axes: Axes, row: Any, place: float, marker: str, label: str, colour: str, *, filled: bool
) -> None:
    """Draw one value with its interval, where it has one."""
    value, ends = row.lift, np.array([row.lift_low, row.lift_high], np.float64)
    low, high = np.where(np.isfinite(ends), ends, value)
    axes.errorbar(
        value,
        place,
        xerr=[[max(value - low, 0)], [max(high - value, 0)]],
        fmt=marker,
        color=colour,
        markerfacecolor=colour if filled else "white",
        markersize=4.5 if filled else 4,
        elinewidth=0.9,
        capsize=1.5,
        label=label,
    )


def _scale(axes: Axes) -> None:
    """Let the axis of all panels double from tick to tick."""
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(LogLocator(base=2))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _legend(grid: Any) -> tuple[list[Any], list[str]]:
    """Return one handle for each label in any panel: networks before controls."""
    found: dict[str, Any] = {}
    for axes in grid.ravel():
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    labels = sorted(found, key=lambda label: (label == "needs no network", UNTRAINED in label))
    return [found[label] for label in labels], labels


def _reason(table: pd.DataFrame) -> str:
    """Return why there is nothing to draw."""
    if table.empty:
        return (
            "This study has no photographs with masks of their lesions:\n"
            "name a folder of them in the configuration, under lesions."
        )
    return f"No map was scored: {', '.join(dict.fromkeys(table['reason'].dropna()))}."
