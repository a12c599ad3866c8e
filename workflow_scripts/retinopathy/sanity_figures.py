"""Figures of the sanity checks of maps, drawn from their tables alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retinopathy import plotting
from retinopathy.deletion import DELETION, INSERTION
from retinopathy.means import FEWEST
from retinopathy.methods import ORDERS, PATCHES
from retinopathy.wording import is_control

_KINDS = {"cascading": "random from the head down to", "independent": "random alone"}
_ACROSS = {
    DELETION: "share of the retina deleted, strongest first",
    INSERTION: "share of the retina inserted, strongest first",
}
_COLOURS = [colour for colour in plotting.COLOURS if colour != "#7a7a7a"]  # grey is of controls
_CROWDED = 0.01  # a share without a label of its own
_BETTER = "area of the logit: by how much better\nthan patches by chance (hollow: insertion)"
_GREY = "#9a9a9a"


def randomisation(table: pd.DataFrame, titles: Mapping[str, str], path: Path) -> None:
    """Draw how alike maps stay while weights become random: one column per network.

    Above, everything from the head down to a stage is random; below, that stage alone. A line
    goes through the stages at which a method was asked.

    Args:
        table: `sanity_tables.RANDOMISATION`.
        titles: Method → what people call it, in the order of the legend.
        path: Where to write the figure.
    """
    groups = list(table.groupby(["task", "network"], sort=False))
    with plotting.figure(path, max(4.4 * len(groups), 7), 7.6) as drawn:
        panels = drawn.subplots(2, len(groups), squeeze=False, sharey=True)
        lowest = table[["similarity", "similarity_low"]].min(axis=None)
        panels[0, 0].set_ylim(np.nanmin([lowest, -0.2]) - 0.05, 1.05)
        for column, (_, rows) in zip(panels.T, groups, strict=True):
            for axes, kind in zip(column, _KINDS, strict=True):
                _stages(axes, rows, kind, titles)
            column[0].set_title(_network(rows), fontsize=8)
        for axes, words in zip(panels[:, 0], _KINDS.values(), strict=True):
            axes.set_ylabel(f"rank correlation with the trained map\n{words} this stage")
        handles = {
            label: handle
            for axes in panels.ravel()
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        if handles:
            drawn.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3)


def _stages(axes: Axes, rows: pd.DataFrame, kind: str, titles: Mapping[str, str]) -> None:
    """Draw one panel: similarity of every method at the stages of one kind."""
    own = rows[rows["kind"] == kind]
    if own.empty:
        plotting.empty(axes, "; ".join(rows["reason"].dropna().unique()))
        return
    stages = list(dict.fromkeys(own["stage"]))
    for place, (method, title) in enumerate(titles.items()):
        line = own[own["method"] == method]
        if line.empty:
            continue
        across = line["stage"].map(stages.index) + 0.1 * (place - (len(titles) - 1) / 2)
        _line(axes, across, line, "similarity", place, title)
    axes.axhline(0, color=_GREY, linewidth=0.8, linestyle=":", zorder=0)
    axes.set_xticks(range(len(stages)), stages, rotation=60, ha="right", fontsize=8)


def deletion(
    curves: pd.DataFrame, areas: pd.DataFrame, titles: Mapping[str, str], path: Path
) -> None:
    """Draw curves of deletion and insertion, and what their areas gain over chance.

    One row per task and network: the mean logit in deletion and in insertion, and, for both, how
    much better than patches by chance the area is.

    Args:
        curves: `sanity_tables.CURVES`.
        areas: `sanity_tables.DELETION`.
        titles: Method → what people call it; controls come last and are grey.
        path: Where to write the figure.
    """
    groups = list(curves.groupby(["task", "network"], sort=False))
    with plotting.figure(path, 13, 3.9 * len(groups) + 0.6) as drawn:
        panels = drawn.subplots(len(groups), 3, squeeze=False, width_ratios=[1, 1, 0.9])
        for row, ((task, network), rows) in zip(panels, groups, strict=True):
            own = areas[(areas["task"] == task) & (areas["network"] == network)]
            if rows["method"].isna().all():
                for axes in row:
                    plotting.empty(axes, rows["reason"].iloc[0])
            else:
                for axes, kind in zip(row[:2], (DELETION, INSERTION), strict=True):
                    _course(axes, rows[rows["kind"] == kind], titles)
                    axes.set_xlabel(_ACROSS[kind])
                    axes.set_ylim(rows["logit"].min() - 0.3, rows["logit"].max() + 0.3)
                row[0].set_ylabel("mean logit of disease")
                _gains(row[2], own, titles)
            row[0].set_title(_network(rows), fontsize=8, loc="left")
        handles, labels = next(
            (one.get_legend_handles_labels() for one in panels[:, 0] if one.lines), ([], [])
        )
        if handles:
            drawn.legend(handles, labels, loc="outside lower center", ncols=5)


def _course(axes: Axes, rows: pd.DataFrame, titles: Mapping[str, str]) -> None:
    """Draw the mean logit of every order over the share of the retina, without intervals."""
    for place, (method, title) in enumerate(titles.items()):
        line = rows[rows["method"] == method]
        # The square root gives the first few per cent, where maps differ, their room.
        axes.plot(np.sqrt(line["share"]), line["logit"], label=title, **_look(method, place))
    shares = [share for share in rows["share"].unique() if share != _CROWDED]
    axes.set_xticks(np.sqrt(shares), [f"{100 * share:g} %" for share in shares], fontsize=7)


def _gains(axes: Axes, rows: pd.DataFrame, titles: Mapping[str, str]) -> None:
    """Draw by how much the area of the logit is better than that of patches by chance."""
    if rows["over_patches"].isna().all():
        plotting.empty(axes, "no patches by chance: the CAM has one cell")
        return
    shown = [method for method in titles if method != PATCHES]
    for place, method in enumerate(shown):
        for kind, filled in ((DELETION, True), (INSERTION, False)):
            look = _look(method, list(titles).index(method)) | {"linestyle": "none"}
            row = rows[(rows["method"] == method) & (rows["kind"] == kind)]
            axes.errorbar(
                row["over_patches"],
                [place + (-0.14 if filled else 0.14)] * len(row),
                xerr=_reach(row, "over_patches"),
                capsize=2,
                markerfacecolor=look["color"] if filled else "white",
                **look,
            )
    axes.axvline(0, color=_GREY, linewidth=0.8, linestyle=":", zorder=0)
    axes.set_yticks(range(len(shown)), [titles[method] for method in shown], fontsize=8)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(_BETTER)


def _reach(rows: pd.DataFrame, name: str) -> list[pd.Series]:
    """Return how far intervals reach below and above their values."""
    return [rows[name] - rows[f"{name}_low"], rows[f"{name}_high"] - rows[name]]


def _look(method: str, place: int) -> dict[str, Any]:
    """Return marker, line and colour of a method."""
    return {
        "color": _GREY if method in ORDERS else _COLOURS[place],
        "marker": plotting.MARKERS[place % len(plotting.MARKERS)],
        "linestyle": plotting.LINES[place % len(plotting.LINES)],
        "markersize": 4,
        "linewidth": 1.1,
    }


def _line(
    axes: Axes, across: pd.Series, rows: pd.DataFrame, name: str, place: int, title: str
) -> None:
    """Draw values with their intervals, and a line through them; hollow are those of few."""
    look = _look("", place)
    axes.errorbar(
        across,
        rows[name],
        yerr=_reach(rows, name),
        elinewidth=0.6,
        label=title,
        **look,
    )
    few = rows["n"] < FEWEST
    hollow = look | {"linestyle": "none", "markerfacecolor": "white"}
    axes.plot(across[few], rows.loc[few, name], zorder=3, **hollow)


def _network(rows: pd.DataFrame) -> str:
    """Return what the rows of one network are of."""
    first = rows.iloc[0]
    most = rows["n"].max()
    control = ": a control" if is_control(first["initialisation"]) else ""
    fewer = ", fewer where maps are undefined" if rows["n"].min() < most else ""
    return (
        f"{first['network']} at {first['size']} px, {first['task']}, seed {first['seed']}\n"
        f"starts from {first['initialisation']}{control}\nn = {most} photographs{fewer}"
    )
