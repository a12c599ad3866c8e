"""Figures of the final runs on the test split, drawn from their tables alone.

One panel per task and size; of every network the run of the first seed.
"""

from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from retinopathy import calibration, plotting
from retinopathy.metrics import Floats, Integers
from retinopathy.runs import HOLDOUT
from retinopathy.wording import CALLS, counted, is_control

ROC = ("task", "case", "seed", "fpr", "tpr", "tpr_low", "tpr_high")
PRECISION_RECALL = (
    *("task", "case", "seed", "prevalence"),
    *("recall", "precision", "precision_low", "precision_high"),
)
RELIABILITY = (
    *("task", "case", "seed", "scaling", "temperature", "ece", "ece_low", "ece_high"),
    *("low", "photographs", "probability", "share", "share_low", "share_high"),
)
CONFUSION = ("task", "case", "seed", "threshold", "label", "called", "photographs", "share")
"""Columns that the figures read of their tables; runs that diverged have no rows there."""

SCALINGS = {"none": "as trained", "temperature": "after temperature scaling"}
"""Values of `scaling` and what the figure calls them."""

FEW = 5
"""A bin of fewer photographs says next to nothing: its share of diseased is 0, 1 or by chance."""

_LEGEND: dict[str, Any] = {"fontsize": 7, "title_fontsize": 8, "handlelength": 4}


def shown(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the title of every panel and the final runs in it: those of the first seed.

    Args:
        table: `tables.METRICS` with case, on the test split.
    """
    first = table[table["seed"] == table["seed"].iloc[0]]
    panels = []
    for task, size in product(dict.fromkeys(first["task"]), sorted(first["size"].unique())):
        rows = first[(first["task"] == task) & (first["size"] == size)]
        counts = ", ".join(str(n) for n in sorted(set(rows.loc[rows["auc"].notna(), "n"])))
        pooled = ", folds pooled" if "pooled" in set(rows["fold"]) else ""
        panels.append((f"{task}, {size} px: n = {counts or 0}{pooled}", rows))
    return panels


def of(rows: pd.DataFrame, final: pd.Series) -> pd.DataFrame:
    """Return the rows of a table of curves that belong to a final run."""
    same = [rows[name] == final[name] for name in ("task", "case", "seed")]
    return rows[np.logical_and.reduce(same)]


def histogram(bins: pd.DataFrame) -> Integers:
    """Return the photographs in every bin of a run and scaling, (`calibration.BINS`,).

    The table leaves empty bins out.
    """
    place = np.rint(bins["low"].to_numpy(dtype=np.float64) * calibration.BINS).astype(np.int64)
    counts = np.zeros(calibration.BINS, np.int64)
    counts[place] = bins["photographs"]
    return counts


def matrix(cells: pd.DataFrame) -> tuple[Integers, Floats]:
    """Return photographs and their shares of the row, by label and call: (2, 2) each."""
    placed = cells.set_index(["label", "called"]).sort_index()
    counts, shares = (placed[name].unstack().to_numpy() for name in ("photographs", "share"))
    return counts.astype(np.int64), shares.astype(np.float64)


# Curves with bands --------------------------------------------------------------------------------


def roc(table: pd.DataFrame, bands: pd.DataFrame, path: Path) -> None:
    """Draw ROC curves with their bands.

    Args:
        table: `tables.METRICS` with case, on the test split.
        bands: `ROC`.
        path: Where to write the figure.
    """

    def finish(axes: Axes, _: pd.DataFrame) -> None:
        axes.plot([0, 1], [0, 1], label="guessing: 0.5", **plotting.GUESSING)
        axes.set(xlabel="1 − specificity", ylabel="sensitivity")

    _curves(table, bands, ("fpr", "tpr"), ("auc", "AUC"), finish, path)


def precision_recall(table: pd.DataFrame, bands: pd.DataFrame, path: Path) -> None:
    """Draw precision–recall curves with their bands, and the precision of guessing.

    Args:
        table: `tables.METRICS` with case and average_precision, on the test split.
        bands: `PRECISION_RECALL`.
        path: Where to write the figure.
    """

    def finish(axes: Axes, drawn: pd.DataFrame) -> None:
        for prevalence in drawn["prevalence"].unique():
            share = f"guessing: the prevalence, {prevalence:.3f}"
            axes.axhline(prevalence, label=share, **plotting.GUESSING)
        axes.set(xlabel="recall (sensitivity)", ylabel="precision (predictive value)")

    names = ("average_precision", "average precision")
    _curves(table, bands, ("recall", "precision"), names, finish, path)


def _curves(
    table: pd.DataFrame,
    bands: pd.DataFrame,
    axes_names: tuple[str, str],
    score: tuple[str, str],
    finish: Callable[[Axes, pd.DataFrame], None],
    path: Path,
) -> None:
    """Draw curves, one panel per task and size.

    Args:
        table: Metrics of the final runs.
        bands: Their curves.
        axes_names: Columns of the curve: across and up.
        score: Column of the metric that the legend states, and its name.
        finish: Adds to a panel what the kind of curve needs; is given the rows drawn in it.
        path: Where to write the figure.
    """
    panels, networks = shown(table), list(dict.fromkeys(table["network"]))
    columns = table["size"].nunique()
    rows = len(panels) // columns
    with plotting.figure(path, 4.4 * columns, (4.9 + 0.16 * len(networks)) * rows) as drawn:
        grid = drawn.subfigures(rows, columns, squeeze=False)
        for panel, (title, finals) in zip(grid.ravel(), panels, strict=True):
            axes, parts = panel.subplots(), []
            for _, final in finals.iterrows():
                look, curve = _look(networks.index(final["network"])), of(bands, final)
                label = f"{_name(final)}: {_interval(final, score[0])}"
                _line(axes, curve, axes_names, look, label)
                parts.append(curve)
            finish(axes, pd.concat(parts))
            axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal", title=title)
            panel.legend(
                *axes.get_legend_handles_labels(),
                loc="outside lower center",
                title=f"test {score[1]}, 95 % interval",
                **_LEGEND,
            )


def _line(
    axes: Axes, curve: pd.DataFrame, names: tuple[str, str], look: dict[str, Any], label: str
) -> None:
    """Draw a curve in its band, whose edges tell it from bands that lie on it."""
    if curve.empty:
        axes.plot([], [], label=label, **look)
        return
    across, (low, high) = curve[names[0]], (curve[f"{names[1]}_{end}"] for end in ("low", "high"))
    plain = {name: look[name] for name in ("color", "linestyle")}
    axes.fill_between(across, low, high, color=look["color"], alpha=0.1, linewidth=0)
    for edge in (low, high):
        axes.plot(across, edge, linewidth=0.5, **plain)
    axes.plot(across, curve[names[1]], label=label, linewidth=1.4, **look)


def _look(place: int) -> dict[str, Any]:
    """Return colour, line and marker of a network, the same in every panel."""
    kinds = len(plotting.COLOURS)
    return {
        "color": plotting.COLOURS[place % kinds],
        "linestyle": plotting.LINES[place % kinds],
        "marker": plotting.MARKERS[place % kinds],
        "markersize": 4,
        "markevery": (4 + 6 * (place % 4), 24),
    }


def _name(final: pd.Series) -> str:
    start = str(final["initialisation"])
    control = "control: " if is_control(start) else ""
    return f"{final['network']} ({control}{start})"


def _interval(row: pd.Series, name: str) -> str:
    """Return a metric with its interval, in words where there is none."""
    if pd.isna(row.get(name)):
        return "diverged"
    return f"{row[name]:.3f} ({row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f})"


# Calibration --------------------------------------------------------------------------------------


def reliability(table: pd.DataFrame, bins: pd.DataFrame, path: Path) -> None:
    """Draw reliability diagrams, and the predictions' histograms, before and after scaling.

    Args:
        table: `tables.METRICS` with case, on the test split.
        bins: `RELIABILITY`.
        path: Where to write the figure.
    """
    panels, networks = shown(table), list(dict.fromkeys(table["network"]))
    with plotting.figure(path, 9, (5 + 0.35 * len(networks)) * len(panels)) as drawn:
        rows = drawn.subfigures(len(panels), 1, squeeze=False)[:, 0]
        for row, (title, finals) in zip(rows, panels, strict=True):
            row.suptitle(title, fontsize=10)
            _calibration(row, finals, bins, networks)


def _calibration(
    drawn: SubFigure, finals: pd.DataFrame, bins: pd.DataFrame, networks: list[str]
) -> None:
    """Draw the panels of one task and size: left as trained, right after scaling."""
    grid = drawn.subplots(2, 2, sharex=True, sharey="row", height_ratios=(4, 1))
    for column, (scaling, words) in enumerate(SCALINGS.items()):
        upper, lower = grid[:, column]
        for _, final in finals.iterrows():
            rows = of(bins[bins["scaling"] == scaling], final)
            look = _look(networks.index(final["network"])) | {"markevery": 1}
            _diagram(upper, rows, look, _name(final))
            if len(rows):
                edges = np.arange(calibration.BINS + 1) / calibration.BINS
                line = {name: look[name] for name in ("color", "linestyle")}
                lower.stairs(histogram(rows), edges, linewidth=1.2, **line)
        upper.plot([0, 1], [0, 1], label="true probabilities", **plotting.GUESSING)
        upper.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), title=words)
        lower.set_xlabel("predicted probability")
        lower.legend(
            *upper.get_legend_handles_labels(),
            loc="upper center",
            bbox_to_anchor=(0.5, -0.55),
            title="expected calibration error, 95 % interval",
            **_LEGEND,
        )
    grid[0, 0].set_ylabel("share of diseased, 95 % interval")
    grid[1, 0].set_ylabel("photographs")


def _diagram(axes: Axes, rows: pd.DataFrame, look: dict[str, Any], name: str) -> None:
    """Draw the reliability of one run; bins of fewer than `FEW` photographs are only counted."""
    if rows.empty:
        axes.plot([], [], label=f"{name}: diverged", **look)
        return
    first, known = rows.iloc[0], rows[rows["photographs"] >= FEW]
    scale = "" if first["scaling"] == "none" else f", T = {first['temperature']:.2f}"
    axes.errorbar(
        known["probability"],
        known["share"],
        yerr=[known["share"] - known["share_low"], known["share_high"] - known["share"]],
        label=f"{name}: {_interval(first, 'ece')}{scale}{few(rows)}",
        linewidth=0.9,
        elinewidth=0.7,
        capsize=2,
        **look,
    )


def few(rows: pd.DataFrame) -> str:
    """Return how many bins are not drawn because they hold fewer than `FEW` photographs."""
    small = int((rows["photographs"] < FEW).sum())
    return f"\n{counted(small, 'bin')} of fewer than {FEW} photographs not drawn" if small else ""


# Calls --------------------------------------------------------------------------------------------


def confusion(table: pd.DataFrame, cells: pd.DataFrame, path: Path) -> None:
    """Draw the confusion matrix of every network: counts, and shares of each row.

    One row per task and network, one column per size.

    Args:
        table: `tables.METRICS` with case, on the test split.
        cells: `CONFUSION`.
        path: Where to write the figure.
    """
    panels, networks = shown(table), list(dict.fromkeys(table["network"]))
    columns = table["size"].nunique()
    rows = len(panels) // columns * len(networks)
    with plotting.figure(path, 3.4 * columns, 3.3 * rows) as drawn:
        grid = drawn.subplots(rows, columns, squeeze=False)
        for (place, (title, finals)), (line, network) in product(
            enumerate(panels), enumerate(networks)
        ):
            axes = grid[place // columns * len(networks) + line, place % columns]
            axes.set_title(title, fontsize=9)
            for _, final in finals[finals["network"] == network].iterrows():
                _cells(axes, final, of(cells, final))


def _cells(axes: Axes, final: pd.Series, cells: pd.DataFrame) -> None:
    """Draw the matrix of one run, or say why there is none."""
    if cells.empty:
        plotting.empty(axes, f"{_name(final)}:\ndiverged")
        return
    counts, shares = matrix(cells)
    axes.imshow(shares, cmap="Greys", vmin=0, vmax=1)
    for (label, called), share in np.ndenumerate(shares):
        axes.text(
            called,
            label,
            f"{counts[label, called]}\n{100 * share:.1f} %",
            ha="center",
            va="center",
            color="white" if share > 0.5 else "black",
        )
    axes.set_xticks((0, 1), CALLS)
    axes.set_yticks((0, 1), CALLS, rotation=90, va="center")
    kind = "threshold" if final["fold"] == HOLDOUT else "mean threshold"
    threshold = f"{kind} {cells['threshold'].iloc[0]:.3f}"
    axes.set_title(f"{axes.get_title()}\n{_name(final)}\n{threshold}", fontsize=8)
    axes.set(xlabel="called by the network", ylabel="in truth")
    axes.grid(visible=False)
