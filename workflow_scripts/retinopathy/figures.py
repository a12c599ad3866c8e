"""Figures of the studies, drawn from their tables alone."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retinopathy import plotting
from retinopathy.display import called
from retinopathy.runs import HOLDOUT

LEVELS = ("0 none", "1 mild", "2 moderate", "3 severe", "4 proliferative")
"""Names of the levels: the international clinical diabetic retinopathy severity scale."""


def levels(table: pd.DataFrame, path: Path) -> None:
    """Draw the histogram of levels: all usable photographs, and those of each task.

    Args:
        table: Columns `set`, `level`, `photographs`.
        path: Where to write the figure.
    """
    sets = list(dict.fromkeys(table["set"]))
    with plotting.figure(path, 7, 3.2) as drawn:
        axes = drawn.subplots()
        width = 0.8 / len(sets)
        hatches = ("", "//", "..", "xx")
        for place, name in enumerate(sets):
            counts = table[table["set"] == name].set_index("level")["photographs"]
            counts = counts.reindex(range(5), fill_value=0)
            bars = axes.bar(
                np.arange(5) + place * width - 0.4 + width / 2,
                counts,
                width,
                label=name,
                color=plotting.COLOURS[place],
                hatch=hatches[place % len(hatches)],
                edgecolor="white",
            )
            axes.bar_label(bars, fontsize=7)
        axes.set_xticks(range(5), LEVELS)
        axes.set_ylabel("photographs")
        axes.grid(visible=False, axis="x")
        axes.legend()


def depth(table: pd.DataFrame, path: Path) -> None:
    """Draw validation AUC and accuracy of cuts, in their order and against trained parameters.

    Whole blocks and cuts inside a block differ in colour and marker. Every seed has a marker with
    its interval, side by side; a line goes through the means of the whole blocks.

    Args:
        table: `tables.METRICS`, case, trainable_parameters, and bounds of AUC and accuracy.
        path: Where to write the figure.
    """
    cases = list(dict.fromkeys(table["case"]))
    aside = plotting.aside(table["seed"])
    order = table["case"].map(cases.index) + 0.12 * aside
    parameters = table["trainable_parameters"] / 1e6
    parameters = parameters + 0.012 * parameters.max() * aside
    with plotting.figure(path, 10, 6.4) as drawn:
        panels = drawn.subplots(2, 2, sharey="row", sharex="col")
        for row, value, name in zip(panels, ("auc", "accuracy"), ("AUC", "accuracy"), strict=True):
            for axes, places in zip(row, (order, parameters), strict=True):
                _cuts(axes, table, places, value)
                plotting.chance(axes)
            row[0].set_ylabel(f"validation {name}, 95 % interval")
        handles, labels = panels[0, 0].get_legend_handles_labels()
        last = sorted(range(len(labels)), key=lambda place: "through" in labels[place])
        drawn.legend(
            [handles[place] for place in last],
            [labels[place] for place in last],
            loc="outside lower center",
            ncols=3,
        )
        drawn.suptitle(plotting.title(table, "validation"))
        panels[1, 0].set_xticks(range(len(cases)), cases, rotation=60, ha="right")
        panels[1, 0].set_xlabel("trained from this layer upward")
        panels[1, 1].set_xlabel("parameters trained, millions")


def _cuts(axes: Axes, table: pd.DataFrame, places: pd.Series, value: str) -> None:
    """Draw a metric of every cut and seed, and the line of the whole blocks."""
    inside = table["case"].str.contains("+", regex=False)
    known = table[value].notna()
    for kind, label in enumerate(("whole-block cut", "cut inside a block")):
        rows = table[known & (inside == bool(kind))]
        if rows.empty:
            continue
        axes.errorbar(
            places[rows.index],
            rows[value],
            yerr=[rows[value] - rows[f"{value}_low"], rows[f"{value}_high"] - rows[value]],
            fmt=plotting.MARKERS[kind],
            color=plotting.COLOURS[kind],
            markerfacecolor="white" if kind else plotting.COLOURS[kind],
            elinewidth=0.8,
            capsize=2,
            label=label,
        )
    whole = table[known & ~inside].assign(place=places)
    means = whole.groupby("case", sort=False)[["place", value]].mean()
    look: dict[str, Any] = {"color": "#999999", "linewidth": 0.8, "linestyle": "-", "zorder": 1}
    several = "means of the " if table["seed"].nunique() > 1 else ""
    label = f"through the {several}whole-block cuts"
    axes.plot(means["place"], means[value], label=label, **look)


def networks(table: pd.DataFrame, baselines: pd.DataFrame, path: Path) -> None:
    """Draw the test AUC of the final runs and of the classical methods, with 95 % intervals.

    Rows of several seeds stand side by side. Classical methods are squares, networks circles; what
    did not start from ImageNet weights is hollow.
    """
    tasks = list(dict.fromkeys([*baselines["task"], *table["task"]]))
    most = max((table["task"] == task).sum() + (baselines["task"] == task).sum() for task in tasks)
    with plotting.figure(path, max(10, 0.32 * most), 4 * len(tasks)) as drawn:
        for axes, task in zip(
            drawn.subplots(len(tasks), 1, squeeze=False)[:, 0], tasks, strict=True
        ):
            final = table[table["task"] == task]
            classical = baselines[baselines["task"] == task]
            labels = [
                *(f"{called(row.method)}\n{_source(row)}" for row in classical.itertuples()),
                *(f"{row.network}\n{row.size} px" for row in final.itertuples()),
            ]
            for place, row in enumerate([*classical.itertuples(), *final.itertuples()]):
                trained = place >= len(classical)
                _interval(axes, place, row, plotting.COLOURS[trained], "so"[trained])
            plotting.chance(axes)
            axes.set_xticks(range(len(labels)), labels, rotation=75, ha="right", fontsize=7)
            lowest = pd.concat([final["auc_low"], classical["auc_low"]]).min()
            everything = pd.concat([final, classical])
            axes.set(ylabel="test AUC, 95 % interval", title=_title(everything, task))
            axes.set_ylim(0 if pd.isna(lowest) else min(lowest, 0.4) - 0.02, 1.02)


def initialisation(table: pd.DataFrame, path: Path) -> None:
    """Draw the test AUC of final runs beside their controls, with 95 % intervals.

    What did not start from ImageNet weights is hollow.
    """
    tasks = list(dict.fromkeys(table["task"]))
    most = table["task"].value_counts().max()
    with plotting.figure(path, max(6, 0.8 * most), 4 * len(tasks)) as drawn:
        panels = drawn.subplots(len(tasks), 1, squeeze=False)[:, 0]
        for axes, task in zip(panels, tasks, strict=True):
            own = table[table["task"] == task]
            rows = list(own.itertuples())
            for place, row in enumerate(rows):
                _interval(axes, place, row, plotting.COLOURS[0], "o")
            plotting.chance(axes)
            several = own["seed"].nunique() > 1
            axes.set_xticks(range(len(rows)), [_start(row, several) for row in rows], fontsize=8)
            sizes = ", ".join(f"{size} px" for size in sorted(set(own["size"])))
            axes.set(ylabel="test AUC, 95 % interval", title=_title(own, f"{task}, {sizes}"))
            axes.set_xlim(-0.6, len(rows) - 0.4)


def _start(row: Any, several: bool) -> str:
    """Return what stands below a run: its network, its case, what it started from, its seed."""
    network, _, case = row.case.partition(": ")
    start = "" if case == row.initialisation else f"\nfrom {row.initialisation}"
    return f"{network}\n{case}{start}" + (f"\nseed {row.seed}" if several else "")


def _source(row: Any) -> str:
    """Return what a classical method was given."""
    return row.inputs if pd.isna(row.network) else f"{row.network} features"


def _interval(axes: Axes, place: int, row: pd.Series, colour: str, marker: str) -> None:
    if pd.isna(row.auc):
        axes.text(place, 0.5, "diverged", rotation=90, ha="center", va="center", fontsize=7)
        return
    hollow = str(row.initialisation).startswith("random")
    axes.errorbar(
        place,
        row.auc,
        yerr=[[row.auc - row.auc_low], [row.auc_high - row.auc]],
        fmt=marker,
        color=colour,
        markerfacecolor="white" if hollow else colour,
        capsize=2,
    )


def _title(final: pd.DataFrame, task: str) -> str:
    counts = sorted(set(final["n"].astype(int)))
    pooled = "" if set(final["fold"]) == {HOLDOUT} else ", folds pooled"
    return f"{task}: n = {', '.join(map(str, counts))}{pooled}; hollow: not from ImageNet weights"
