"""Figures of the studies about training photographs, drawn from their tables alone.

Every seed has a marker, full for weights that come from ImageNet and hollow for others; a line goes
through the means over the seeds, of those that did not diverge. A run that did is named instead.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from retinopathy import plotting


def learning_curve(table: pd.DataFrame, path: Path) -> None:
    """Draw test AUC against the number of training photographs, on a logarithmic axis.

    Args:
        table: Of one task, network and size: `tables.METRICS`, case, photographs.
        path: Where to write the figure.
    """
    counts = table["photographs"].to_numpy(np.float64)
    width = np.log(counts.max() / counts.min()) or 1.0
    with plotting.figure(path, 7, 4) as drawn:
        axes = drawn.subplots()
        axes.set_xscale("log")
        _seeds(
            axes,
            table,
            counts * np.exp(0.012 * width * plotting.aside(table["seed"]).to_numpy(float)),
        )
        means = table.groupby("case")[["photographs", "auc"]].mean().sort_values("photographs")
        _line(axes, table, means["photographs"].to_numpy(), means["auc"].to_numpy())
        ticks = [f"{n:.0f}" for n in means["photographs"]]
        ticks[-1] += "\n(all)"
        axes.set_xticks(means["photographs"], ticks)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.margins(x=0.08)
        axes.set(xlabel="training photographs", ylabel="test AUC, 95 % interval")
        axes.set_title(_title(table))
        _legend(axes)


def leakage(table: pd.DataFrame, path: Path) -> None:
    """Draw test AUC where patients are kept apart, and where fellow eyes leak.

    Args:
        table: Of one network and size: `tables.METRICS`, case, fellow_in_train in [0, 1].
        path: Where to write the figure.
    """
    cases = table.groupby("case", sort=False)[["auc", "fellow_in_train"]].mean()
    places = np.arange(len(cases), dtype=np.float64)
    own = table["case"].map(dict(zip(cases.index, places, strict=True))).to_numpy(np.float64)
    with plotting.figure(path, 6, 4) as drawn:
        axes = drawn.subplots()
        _seeds(axes, table, own + 0.06 * plotting.aside(table["seed"]).to_numpy(float))
        _line(axes, table, places, cases["auc"].to_numpy())
        shares = [f"{100 * share:.0f} %" for share in cases["fellow_in_train"]]
        labels = [
            f"{case}\nfellow eye in training: {share}"
            for case, share in zip(cases.index, shares, strict=True)
        ]
        axes.set_xticks(places, labels)
        axes.set_xlim(-0.5, len(cases) - 0.5)
        axes.set_ylabel("test AUC, 95 % interval")
        axes.set_title(_title(table))
        _legend(axes)


def _legend(axes: Axes) -> None:
    """Name the seeds where there are several: a lone sample looks like one more measurement."""
    handles, labels = axes.get_legend_handles_labels()
    if len(handles) > 1:
        axes.legend(handles, labels, loc="best", fontsize=8)


def _seeds(axes: Axes, table: pd.DataFrame, places: Any) -> None:
    """Draw the rows of a table at their places, a marker per seed."""
    seeds = sorted(table["seed"].unique())
    hollow = table["initialisation"].astype(str).str.startswith("random")
    for number, seed in enumerate(seeds):
        mine = (table["seed"] == seed).to_numpy() & table["auc"].notna().to_numpy()
        rows, colour = table[mine], plotting.COLOURS[number % len(plotting.COLOURS)]
        axes.errorbar(
            places[mine],
            rows["auc"],
            yerr=[rows["auc"] - rows["auc_low"], rows["auc_high"] - rows["auc"]],
            fmt=plotting.MARKERS[number % len(plotting.MARKERS)],
            color=colour,
            markerfacecolor="white" if hollow.any() else colour,
            capsize=3,
            label=f"seed {seed}",
        )
    for place in places[table["auc"].isna().to_numpy()]:
        axes.text(place, 0.5, "diverged", rotation=90, ha="center", va="center", fontsize=8)
    plotting.chance(axes)
    lowest = table["auc_low"].min()
    axes.set_ylim(0.4 if pd.isna(lowest) else min(lowest - 0.02, 0.4), 1.02)


def _line(axes: Axes, table: pd.DataFrame, places: Any, means: Any) -> None:
    """Draw a line through means, with a gap where there is none."""
    label = "mean over seeds" if table["seed"].nunique() > 1 else None
    axes.plot(places, means, "--", color="#555555", lw=1, label=label)


def _title(table: pd.DataFrame) -> str:
    start = table["initialisation"].iloc[0]
    hollow = " (hollow)" if str(start).startswith("random") else ""
    return f"{plotting.title(table, 'test')}\nstarts from: {start}{hollow}"
