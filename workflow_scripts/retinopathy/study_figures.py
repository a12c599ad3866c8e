"""Figures of the sweep and of regularisation, drawn from their tables alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from retinopathy import plotting, steadiness
from retinopathy.metrics import Floats, Integers

COLUMNS = 2
"""Panels in a row of the figure of regularisation."""

_FRAMES: dict[str, tuple[float, Literal["-", "--"]]] = {
    "recommended": (0.92, "-"),
    "configured": (1.0, "--"),
}  # side in cells, line
_CELL = 0.82  # side of what is coloured of a cell


@dataclass(frozen=True)
class Grid:
    """Validation AUC by L2 constant (rows, ascending) and learning rate (columns, ascending).

    Attributes:
        constants: The L2 constants.
        rates: The learning rates.
        auc: Mean over the seeds, (constants, rates); NaN where one diverged or there is none.
        seeds: How many there are, (constants, rates).
        diverged: How many of them diverged, (constants, rates).
    """

    constants: list[float]
    rates: list[float]
    auc: Floats
    seeds: Integers
    diverged: Integers


def grid(table: pd.DataFrame) -> Grid:
    """Return the heat map of a sweep.

    A setting of which a seed diverged has no mean: it is not recommended either.

    Args:
        table: Columns rate, l2, auc; one row per setting and seed, folds pooled.
    """
    constants, rates = (sorted(table[name].unique()) for name in ("l2", "rate"))
    by_cell = table.groupby(["l2", "rate"])["auc"]
    auc, seeds, missing = (
        values.unstack().reindex(index=constants, columns=rates).to_numpy()
        for values in (
            by_cell.agg(lambda aucs: aucs.mean(skipna=False)),
            by_cell.size(),
            by_cell.agg(lambda aucs: aucs.isna().sum()),
        )
    )
    counts = [np.nan_to_num(values).astype(np.int64) for values in (seeds, missing)]
    return Grid(constants, rates, auc.astype(np.float64), *counts)


def cell(heat: Grid, recommendation: pd.DataFrame, column: str) -> tuple[int, int] | None:
    """Return row and column of a setting in the heat map; None where it is not in it.

    Args:
        heat: The heat map.
        recommendation: `tables.RECOMMENDATION` of a sweep: one row for each of `rate` and `l2`.
        column: `recommended` or `configured`.
    """
    values = recommendation.set_index("parameter")[column]
    rows = np.flatnonzero(np.isclose(heat.constants, values["l2"], rtol=1e-9, atol=0))
    columns = np.flatnonzero(np.isclose(heat.rates, values["rate"], rtol=1e-9, atol=0))
    return (int(rows[0]), int(columns[0])) if len(rows) and len(columns) else None


def spread(curves: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return mean, lowest and highest per epoch of the runs that did not diverge.

    It ends where the first of them stops: a mean over those that are left would jump there, though
    no run does.

    Args:
        curves: Columns run, diverged, epoch and `value`: of one case and split.
        value: What to summarise.

    Returns:
        `epoch`, `mean`, `low`, `high`.
    """
    known = curves[~curves["diverged"]]
    found = known.groupby("epoch", as_index=False).agg(
        mean=(value, "mean"), low=(value, "min"), high=(value, "max"), runs=(value, "size")
    )
    return found[found["runs"] == known["run"].nunique()].drop(columns="runs")


def _lines(axes: Axes, curves: pd.DataFrame, value: str, place: int, label: str) -> None:
    """Draw every run thinly, and mean and band of all, in the look of `place`.

    A cross is where a run diverged.
    """
    look: dict[str, Any] = {
        "color": plotting.COLOURS[place],
        "linestyle": plotting.LINES[place],
    }
    for _, run in curves.dropna(subset=[value]).groupby("run"):
        axes.plot(run["epoch"], run[value], linewidth=0.6, alpha=0.6, **look)
        if run["diverged"].any():
            axes.plot(run["epoch"].iloc[-1], run[value].iloc[-1], "x", color=look["color"])
    band = spread(curves, value)
    axes.fill_between(
        band["epoch"], band["low"], band["high"], color=look["color"], alpha=0.15, linewidth=0
    )
    axes.plot(band["epoch"], band["mean"], linewidth=1.8, label=label, **look)


# The sweep ----------------------------------------------------------------------------------------


def sweep(
    table: pd.DataFrame, curves: pd.DataFrame, recommendation: pd.DataFrame, path: Path
) -> None:
    """Draw validation AUC per epoch for every setting, and the heat map of the best values.

    Args:
        table: `tables.METRICS` with case, rate and l2, on the validation split.
        curves: `tables.CURVES`.
        recommendation: `tables.RECOMMENDATION`.
        path: Where to write the figure.
    """
    heat = grid(table)
    known = steadiness.numbered(curves)
    known = known[known["split"] == "validation"]
    height = 1.3 + 1.15 * len(heat.constants)
    sides = (1.2 * len(heat.rates) + 0.8, 0.95 * len(heat.rates) + 1.2)
    with plotting.figure(path, sum(sides), max(height, 3.4)) as drawn:
        drawn.suptitle(plotting.title(table, "validation"), fontsize=10)
        left, right = drawn.subfigures(1, 2, width_ratios=sides, squeeze=False)[0]
        _multiples(left, heat, table, known)
        _heat(right, heat, recommendation)


def _multiples(drawn: SubFigure, heat: Grid, table: pd.DataFrame, known: pd.DataFrame) -> None:
    """Draw one panel of curves per setting, where the heat map has its cell."""
    panels = drawn.subplots(
        len(heat.constants), len(heat.rates), sharex=True, sharey=True, squeeze=False
    )
    for (row, column), axes in np.ndenumerate(panels):
        inside = (table["l2"] == heat.constants[row]) & (table["rate"] == heat.rates[column])
        runs = known[known["case"].isin(table.loc[inside, "case"])]
        _lines(axes, runs, "auc", 0, "mean")
        axes.axhline(0.5, **plotting.GUESSING)
        if row == 0:
            axes.set_title(f"rate {heat.rates[column]:g}", fontsize=8)
        if column == 0:
            axes.set_ylabel(f"L2 {heat.constants[row]:g}", fontsize=8)
        axes.tick_params(labelsize=7)
    panels[0, 0].xaxis.get_major_locator().set_params(integer=True)
    drawn.supxlabel("epoch", fontsize=9)
    drawn.supylabel("validation AUC", fontsize=9)
    drawn.suptitle("AUC per epoch of each setting; dotted: guessing", fontsize=9)


def _heat(drawn: SubFigure, heat: Grid, recommendation: pd.DataFrame) -> None:
    axes = drawn.subplots()
    for (row, column), value in np.ndenumerate(heat.auc):
        shade = 0.0 if np.isnan(value) else np.clip(2 * value - 1, 0, 1)
        _square(axes, (row, column), _CELL, facecolor=mpl.colormaps["Greys"](shade))
        axes.text(
            column,
            row,
            _number(heat, row, column),
            ha="center",
            va="center",
            fontsize=8,
            color="white" if shade > 0.5 else "black",
        )
    for name, (side, line) in _FRAMES.items():
        place = cell(heat, recommendation, name)
        if place is not None:
            _square(axes, place, side, fill=False, edgecolor="black", linewidth=1.6, linestyle=line)
    axes.set_xticks(range(len(heat.rates)), [f"{rate:g}" for rate in heat.rates])
    axes.set_yticks(range(len(heat.constants)), [f"{constant:g}" for constant in heat.constants])
    axes.set(xlim=(-0.55, len(heat.rates) - 0.45), ylim=(len(heat.constants) - 0.45, -0.55))
    axes.set(xlabel="learning rate", ylabel="L2 constant")
    axes.set_title("AUC at the best epoch", fontsize=9)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    handles = [
        Line2D([], [], color="black", linestyle=line, label=_framed(heat, recommendation, name))
        for name, (_, line) in _FRAMES.items()
    ]
    drawn.legend(handles=handles, loc="outside lower center", fontsize=8)


def _square(axes: Axes, place: tuple[int, int], side: float, **look: Any) -> None:
    row, column = place
    axes.add_patch(Rectangle((column - side / 2, row - side / 2), side, side, **look))


def _number(heat: Grid, row: int, column: int) -> str:
    """Return what is written in a cell."""
    seeds, diverged = heat.seeds[row, column], heat.diverged[row, column]
    if diverged:
        return "diverged" if seeds == diverged else f"{diverged} of {seeds}\ndiverged"
    return f"{heat.auc[row, column]:.3f}" if seeds else ""


def _framed(heat: Grid, recommendation: pd.DataFrame, column: str) -> str:
    """Return what is said of a frame: its setting, or that there is no frame."""
    values = recommendation.set_index("parameter")[column]
    if values.isna().any():
        return f"{column}: none"
    beyond = "" if cell(heat, recommendation, column) else " (not in this sweep)"
    return f"{column}: rate {values['rate']:g}, L2 {values['l2']:g}{beyond}"


# Regularisation -----------------------------------------------------------------------------------


def regularisation(steady: pd.DataFrame, curves: pd.DataFrame, path: Path) -> None:
    """Draw training and validation accuracy per epoch, one panel per setting.

    The loss is not drawn: it includes the L2 penalty, and cannot be compared between settings.

    Args:
        steady: `steadiness.STEADINESS`, in the order of the panels.
        curves: `tables.CURVES`.
        path: Where to write the figure.
    """
    known = steadiness.numbered(curves)
    rows = -(-len(steady) // COLUMNS)
    finished = steady["runs"] - steady["diverged"]
    several = ", mean ± sd over runs" if finished.max() > 1 else ""
    with plotting.figure(path, 4 * COLUMNS, 0.7 + 3 * rows) as drawn:
        panels = drawn.subplots(rows, COLUMNS, sharex=True, sharey=True, squeeze=False)
        for axes, (_, row) in zip(panels.ravel(), steady.iterrows(), strict=False):
            of_case = known[known["case"] == row["case"]]
            for place, split in ((1, "train"), (0, "validation")):
                _lines(axes, of_case[of_case["split"] == split], "accuracy", place, split)
            _best(axes, row, "best validation accuracy" + several)
            axes.set_title(annotation(row), fontsize=8, loc="left")
        for axes in panels.ravel()[len(steady) :]:
            axes.axis("off")
        first = steady.iloc[0]
        drawn.suptitle(f"{first['task']}, {first['network']} at {first['size']} px")
        panels[0, 0].xaxis.get_major_locator().set_params(integer=True)
        for axes in panels[-1]:
            axes.set_xlabel("epoch")
        for axes in panels[:, 0]:
            axes.set_ylabel("accuracy")
        drawn.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)


def _best(axes: Axes, row: pd.Series, label: str) -> None:
    """Mark where the runs are at their best on average, with the deviation both ways."""
    axes.errorbar(
        row["accuracy_epochs"],
        row["accuracy_best"],
        xerr=np.nan_to_num(row["accuracy_epochs_sd"]),
        yerr=np.nan_to_num(row["accuracy_best_sd"]),
        fmt="o",
        color="black",
        markerfacecolor="white",
        capsize=2,
        zorder=5,
        label=label,
    )


def annotation(row: pd.Series) -> str:
    """Return what a panel says of a setting: a row of `steadiness.STEADINESS`."""
    runs = f"{row['runs']} run{'' if row['runs'] == 1 else 's'}"
    diverged = f", {row['diverged']} diverged" if row["diverged"] else ""
    first = f"{row['case']}: {runs}{diverged}, n = {row['n']}"
    if row["runs"] == row["diverged"]:
        return first
    return (
        f"{first}\nbest accuracy {_pair(row['accuracy_best'], row['accuracy_best_sd'], 3)} "
        f"after {_pair(row['accuracy_epochs'], row['accuracy_epochs_sd'], 1)} epochs\n"
        f"erratic {_pair(row['erratic'], row['erratic_sd'], 3)}"
    )


def _pair(mean: float, deviation: float, decimals: int) -> str:
    """Return mean ± deviation; a single run has no deviation, and its epochs are whole."""
    if np.isnan(mean):
        return "undefined"
    if np.isnan(deviation):
        return f"{mean:.0f}" if decimals == 1 else f"{mean:.{decimals}f}"
    return f"{mean:.{decimals}f} ± {deviation:.{decimals}f}"
