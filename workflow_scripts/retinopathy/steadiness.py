"""How soon runs are at their best, and how steady they are on the way: from learning curves alone.

A run is of one seed and, where folds are pooled, of one fold.
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from retinopathy.errors import Explained

STEADINESS = (
    "task",
    "network",
    "size",
    "case",
    "initialisation",
    "split",
    "n",
    "seeds",
    "runs",
    "diverged",
    "epochs",
    "accuracy_best",
    "accuracy_best_sd",
    "accuracy_epochs",
    "accuracy_epochs_sd",
    "auc_best",
    "auc_best_sd",
    "auc_epochs",
    "auc_epochs_sd",
    "erratic",
    "erratic_sd",
)
"""Columns of steadiness: one row per case; `_epochs` is how many a best value took."""

MEASURES = tuple(name for name in STEADINESS if f"{name}_sd" in STEADINESS)
"""The columns that are means over runs and have a standard deviation."""

LEAST = 3
"""Epochs that a curve needs before it can be erratic: two differences."""


def erratic(values: ArrayLike) -> float:
    """Return the standard deviation of the differences from one epoch to the next.

    With d = the n − 1 differences of n values: sqrt(Σ(d − mean d)² / (n − 2)). It is the root of
    the mean square successive difference (von Neumann, Kent, Bellinson and Hart, Ann. Math. Stat.
    12, 1941) less the square of the mean step, so that a straight trend is not erratic, however
    steep; a bend is. Values that scatter independently about a straight line with a standard
    deviation σ have √2 σ.

    Args:
        values: One per epoch, in order; accuracies or AUCs, in [0, 1].

    Returns:
        In the unit of the values; NaN for fewer than `LEAST` of them.

    Raises:
        Explained: A value is not a number.
    """
    known = np.asarray(values, dtype=np.float64)
    if not np.isfinite(known).all():
        raise Explained(
            "a curve with holes is neither steady nor erratic",
            expected="a number per epoch",
            received=f"{int((~np.isfinite(known)).sum())} epochs without",
            hint="leave out runs that diverged",
        )
    if len(known) < LEAST:
        return float("nan")
    return float(np.std(np.diff(known), ddof=1))


def numbered(curves: pd.DataFrame) -> pd.DataFrame:
    """Return learning curves with the columns `run` and `diverged`.

    `run` is 0, 1, … within each case; `diverged` says whether a loss of the run is no number.

    Args:
        curves: `tables.CURVES` of one study and task.
    """
    known = curves.assign(diverged=curves["loss"].isna())
    runs = known.groupby(["case", "seed", "fold"], sort=False)
    place = runs.ngroup().groupby(known["case"]).rank("dense") - 1
    return known.assign(run=place.astype(int), diverged=runs["diverged"].transform("any"))


def per_run(curves: pd.DataFrame) -> pd.DataFrame:
    """Return how every run went on the validation split.

    Args:
        curves: `tables.CURVES` of one study.

    Returns:
        `case`, `seed`, `run`, `epochs`, whether it `diverged`, and `MEASURES`, which are empty
        where it did. Of equally good epochs the first counts.
    """
    return pd.DataFrame(
        {"case": case, "seed": rows["seed"].iloc[0], "run": run} | _measures(rows)
        for (case, run), rows in numbered(curves).groupby(["case", "run"], sort=False)
    )


def _measures(rows: pd.DataFrame) -> dict[str, Any]:
    """Return what there is to say of the curves of one run."""
    validation = rows[rows["split"] == "validation"]
    diverged = bool(rows["diverged"].any())
    found: dict[str, Any] = {"epochs": len(validation), "diverged": diverged}
    if diverged:
        return found | dict.fromkeys(MEASURES, np.nan)
    for name in ("accuracy", "auc"):
        values = validation[name].to_numpy(dtype=np.float64)
        best = int(values.argmax())
        found[f"{name}_best"] = values[best]
        found[f"{name}_epochs"] = float(validation["epoch"].iloc[best])
    return found | {"erratic": erratic(validation["accuracy"])}


def over_runs(curves: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return mean and spread of every case.

    Args:
        curves: `tables.CURVES` of one study.
        table: Its metrics on the validation split: columns task, network, size, case,
            initialisation, split, n.

    Returns:
        `STEADINESS`: `n` photographs of validation, how many `seeds` and `runs` there are and how
        many of the runs `diverged`, the mean number of `epochs` of the others, and their mean and
        standard deviation of `MEASURES`. `erratic` is that of the validation accuracy. Empty
        are deviations of a single run, what every run lacks because it diverged, and `erratic`
        of runs of fewer than `LEAST` epochs.
    """
    runs = per_run(curves)
    return pd.DataFrame(
        _row(runs[runs["case"] == case], rows) for case, rows in table.groupby("case", sort=False)
    )[list(STEADINESS)]


def _row(runs: pd.DataFrame, rows: pd.DataFrame) -> dict[str, Any]:
    """Return the row of one case from its runs and its rows of metrics."""
    finished = runs[~runs["diverged"]]
    shared = ("task", "network", "size", "case", "initialisation", "split")
    described = {name: rows[name].iloc[0] for name in shared}
    counts = {
        "n": rows["n"].max(),
        "seeds": runs["seed"].nunique(),
        "runs": len(runs),
        "diverged": int(runs["diverged"].sum()),
        "epochs": finished["epochs"].mean(),
    }
    means = {name: finished[name].mean() for name in MEASURES}
    spreads = {f"{name}_sd": finished[name].std() for name in MEASURES}
    return described | counts | means | spreads
