"""Figures of the studies, drawn from their tables alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from retinopathy import plotting
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


def sweep(table: pd.DataFrame, curves: pd.DataFrame, path: Path) -> None:
    """Draw validation AUC per epoch for every setting, and a heat map of the best values."""
    with plotting.figure(path, 10, 4) as drawn:
        left, right = drawn.subplots(1, 2, width_ratios=(3, 2))
        validation = curves[curves["split"] == "validation"]
        rates = sorted(table["rate"].unique())
        constants = sorted(table["l2"].unique())
        for case, group in validation.groupby("case", sort=False):
            setting = table[table["case"] == case].iloc[0]
            mean = group.groupby("epoch")["auc"].mean()
            left.plot(
                mean.index,
                mean,
                color=plotting.COLOURS[rates.index(setting["rate"]) % 8],
                linestyle=plotting.LINES[constants.index(setting["l2"]) % 4],
                label=case,
                linewidth=1.2,
            )
        plotting.chance(left)
        left.set(xlabel="epoch", ylabel="validation AUC", title="Colour: rate; line: L2")
        left.legend(fontsize=6, ncols=2)
        grid = table.pivot_table(index="l2", columns="rate", values="auc", dropna=False)
        _heat(right, grid)


def _heat(axes: Axes, grid: pd.DataFrame) -> None:
    values = grid.to_numpy()
    axes.imshow(values, cmap="Greys", vmin=0.5, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        text = "diverged" if np.isnan(value) else f"{value:.3f}"
        axes.text(
            column,
            row,
            text,
            ha="center",
            va="center",
            fontsize=8,
            color="white" if value > 0.75 else "black",
        )
    axes.set_xticks(range(grid.shape[1]), [f"{rate:g}" for rate in grid.columns])
    axes.set_yticks(range(grid.shape[0]), [f"{constant:g}" for constant in grid.index])
    axes.grid(visible=False)
    axes.set(xlabel="learning rate", ylabel="L2 constant", title="Validation AUC, best epoch")


def regularisation(table: pd.DataFrame, curves: pd.DataFrame, path: Path) -> None:
    """Draw training and validation accuracy and loss per epoch for the four settings.

    Lines are means over seeds; bands span them.
    """
    cases = list(dict.fromkeys(table["case"]))
    with plotting.figure(path, 2.6 * len(cases), 5) as drawn:
        grid = drawn.subplots(2, len(cases), sharex=True, sharey="row", squeeze=False)
        for column, case in enumerate(cases):
            for row, value in enumerate(("accuracy", "loss")):
                axes = grid[row][column]
                for place, split in enumerate(("train", "validation")):
                    chosen = curves[(curves["case"] == case) & (curves["split"] == split)]
                    epochs = chosen.groupby("epoch")[value].agg(["mean", "min", "max"])
                    axes.fill_between(
                        epochs.index,
                        epochs["min"],
                        epochs["max"],
                        color=plotting.COLOURS[place],
                        alpha=0.15,
                        linewidth=0,
                    )
                    axes.plot(
                        epochs.index,
                        epochs["mean"],
                        color=plotting.COLOURS[place],
                        linestyle=plotting.LINES[place],
                        label=split,
                    )
            auc = table.loc[table["case"] == case, "auc"].mean()
            grid[0][column].set_title(f"{case}\nbest validation AUC {auc:.3f}")
            grid[1][column].set_xlabel("epoch")
        grid[0][0].set_ylabel("accuracy")
        grid[1][0].set_ylabel("loss, with L2")
        grid[0][0].legend()


def depth(table: pd.DataFrame, path: Path) -> None:
    """Draw validation AUC and accuracy against depth: whole blocks and cuts inside a block."""
    cases = list(dict.fromkeys(table["case"]))
    inside = ["+" in case for case in cases]
    with plotting.figure(path, 10, 3.8) as drawn:
        panels = drawn.subplots(1, 2)
        for axes, value, name in zip(
            panels, ("auc", "accuracy"), ("validation AUC", "validation accuracy"), strict=True
        ):
            means = table.groupby("case")[value].mean().reindex(cases)
            axes.plot(range(len(cases)), means, color="#bbbbbb", linewidth=0.8, linestyle="-")
            for kind, label in enumerate(("whole blocks", "cut inside a block")):
                places = [place for place, cut in enumerate(inside) if cut == bool(kind)]
                for place in places:
                    values = table.loc[table["case"] == cases[place], value]
                    axes.plot(
                        [place] * len(values),
                        values,
                        plotting.MARKERS[kind],
                        color=plotting.COLOURS[kind],
                        markersize=6,
                        label=label if place == places[0] else None,
                    )
            plotting.chance(axes)
            axes.set_xticks(range(len(cases)), cases, rotation=60, ha="right")
            axes.set(ylabel=name, xlabel="trained from this layer upward")
        panels[0].legend()


def networks(table: pd.DataFrame, baselines: pd.DataFrame, path: Path) -> None:
    """Draw the test AUC of the final runs and of the classical methods, with 95 % intervals.

    Rows of several seeds stand side by side. Networks that did not start from ImageNet weights
    are hollow.
    """
    tasks = list(dict.fromkeys(table["task"]))
    with plotting.figure(path, 10, 4 * len(tasks)) as drawn:
        for axes, task in zip(
            drawn.subplots(len(tasks), 1, squeeze=False)[:, 0], tasks, strict=True
        ):
            final = table[table["task"] == task]
            classical = baselines[baselines["task"] == task]
            labels = [
                *(f"{row.method}\n{row.inputs}" for row in classical.itertuples()),
                *(f"{row.network}\n{row.size} px" for row in final.itertuples()),
            ]
            for place, row in enumerate([*classical.itertuples(), *final.itertuples()]):
                _interval(axes, place, row, plotting.COLOURS[place >= len(classical)])
            plotting.chance(axes)
            axes.set_xticks(range(len(labels)), labels, rotation=75, ha="right", fontsize=7)
            lowest = pd.concat([final["auc_low"], classical["auc_low"]]).min()
            axes.set(ylabel="test AUC, 95 % interval", title=_title(final, task))
            axes.set_ylim(0 if pd.isna(lowest) else min(lowest, 0.4) - 0.02, 1.02)


def _interval(axes: Axes, place: int, row: pd.Series, colour: str) -> None:
    if pd.isna(row.auc):
        axes.text(place, 0.5, "diverged", rotation=90, ha="center", va="center", fontsize=7)
        return
    hollow = str(row.initialisation).startswith("random")
    axes.errorbar(
        place,
        row.auc,
        yerr=[[row.auc - row.auc_low], [row.auc_high - row.auc]],
        fmt="o",
        color=colour,
        markerfacecolor="white" if hollow else colour,
        capsize=2,
    )


def _title(final: pd.DataFrame, task: str) -> str:
    counts = sorted(set(final["n"].astype(int)))
    pooled = "" if set(final["fold"]) == {HOLDOUT} else ", folds pooled"
    return f"{task}: n = {', '.join(map(str, counts))}{pooled}; hollow: not from ImageNet weights"


def roc(table: pd.DataFrame, curves: pd.DataFrame, path: Path) -> None:
    """Draw the ROC curves of the final runs of the first seed, one panel per task."""
    tasks = list(dict.fromkeys(table["task"]))
    with plotting.figure(path, 5 * len(tasks), 4.6) as drawn:
        for axes, task in zip(drawn.subplots(1, len(tasks), squeeze=False)[0], tasks, strict=True):
            first = table[(table["task"] == task) & (table["seed"] == table["seed"].iloc[0])]
            for place, row in enumerate(first.itertuples()):
                curve = curves[
                    (curves["task"] == task)
                    & (curves["case"] == row.case)
                    & (curves["seed"] == row.seed)
                ]
                axes.plot(
                    curve["fpr"],
                    curve["tpr"],
                    label=f"{row.case}, {row.initialisation}: {row.auc:.3f}",
                    drawstyle="steps-post",
                    color=plotting.COLOURS[place % 8],
                    linestyle=plotting.LINES[place % 4],
                )
            axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle=":")
            axes.set(xlabel="1 − specificity", ylabel="sensitivity", title=task, aspect="equal")
            axes.legend(fontsize=6, title="test AUC", loc="lower right")


CURVES: dict[str, Callable[[pd.DataFrame, pd.DataFrame, Path], None]] = {
    "sweep": sweep,
    "regularisation": regularisation,
}
"""Study → its figure of table and learning curves."""
