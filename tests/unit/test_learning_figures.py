"""Figures about training photographs: drawn from tables, also where runs diverged."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from retinopathy import learning_figures, plotting, tables

COUNTS = {"50 photographs": 50, "100 photographs": 100, "all photographs": 228}


def table(seeds: int, **columns: float) -> pd.DataFrame:
    """Return rows of every count and seed; AUC rises with the count."""
    rows = [
        {"case": case, "photographs": count, "seed": seed, "auc": 0.6 + 0.05 * n + 0.02 * seed}
        for n, (case, count) in enumerate(COUNTS.items())
        for seed in range(1, seeds + 1)
    ]
    made = pd.DataFrame(rows).assign(task="referable", network="xception", size=224, n=380)
    made = made.assign(fold="pooled", initialisation="imagenet", **columns)
    made = made.assign(auc_low=made["auc"] - 0.06, auc_high=made["auc"] + 0.05)
    return made.reindex(columns=[*tables.METRICS, "case", "photographs", *columns])


def diverge(rows: pd.DataFrame, case: str) -> pd.DataFrame:
    lost = rows["case"] == case
    rows.loc[lost, ["auc", "auc_low", "auc_high"]] = np.nan
    return rows


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("case", ["none", "100 photographs"])
def test_a_learning_curve_is_drawn(tmp_path: Path, seeds: int, case: str) -> None:
    learning_figures.learning_curve(diverge(table(seeds), case), tmp_path / "a.png")
    assert np.ptp(imread(tmp_path / "a.png")) > 0.5


def test_one_number_of_photographs_is_a_figure_too(tmp_path: Path) -> None:
    learning_figures.learning_curve(table(2).tail(2), tmp_path / "a.png")
    assert (tmp_path / "a.png").is_file()


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("case", ["none", "100 photographs"])
def test_leakage_is_drawn(tmp_path: Path, seeds: int, case: str) -> None:
    rows = diverge(table(seeds, fellow_in_train=0.5), case)
    learning_figures.leakage(rows.head(2 * seeds), tmp_path / "a.png")
    assert np.ptp(imread(tmp_path / "a.png")) > 0.5


def test_a_title_says_what_its_figure_is_of() -> None:
    rows = table(2)
    assert plotting.title(rows, "test") == (
        "referable, xception at 224 px: n = 380 test photographs, folds pooled"
    )
    alone = rows.assign(fold="holdout")
    alone.loc[0, "n"] = 0  # diverged
    assert plotting.title(alone, "validation").endswith("n = 380 validation photographs")


def test_seeds_stand_side_by_side() -> None:
    rows = table(3)
    beside = plotting.aside(rows["seed"]).to_numpy(float)
    assert beside.reshape(3, 3).tolist() == [[-1, 0, 1]] * 3
    assert plotting.aside(table(1)["seed"]).tolist() == [0, 0, 0]
