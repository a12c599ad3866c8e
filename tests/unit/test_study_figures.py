from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from retinopathy import steadiness, study_figures, study_tables, tables

NAN = float("nan")
SHARED: dict[str, Any] = {"task": "extremes", "network": "xception", "size": 96}


def sweep_table(aucs: dict[tuple[float, float], list[float]]) -> pd.DataFrame:
    """Return metrics of a sweep: (rate, L2) → AUC of each seed."""
    return pd.DataFrame(
        {
            "case": f"rate {rate:g}, L2 {l2:g}",
            "rate": rate,
            "l2": l2,
            "seed": seed,
            "auc": auc,
            "n": 0 if np.isnan(auc) else 40,
            "fold": "holdout",
            **SHARED,
        }
        for (rate, l2), values in aucs.items()
        for seed, auc in enumerate(values)
    )


TABLE = sweep_table(
    {
        (0.01, 0.0): [0.6, 0.8],
        (0.001, 0.0): [0.9, 0.91],
        (0.01, 0.1): [NAN, NAN],
        (0.001, 0.1): [0.99, NAN],
    }
)


def curve(case: str, seed: int, values: list[float]) -> pd.DataFrame:
    """Return the curves of one run; the training split is always right."""
    validation = pd.DataFrame(
        {
            "study": "any",
            "task": "extremes",
            "case": case,
            "initialisation": "imagenet",
            "seed": seed,
            "fold": "holdout",
            "epoch": range(1, len(values) + 1),
            "split": "validation",
            "accuracy": values,
            "auc": values,
            "loss": np.where(np.isnan(values), NAN, 1.0),
        }
    )
    return pd.concat([validation.assign(split="train", accuracy=1.0), validation])


def curves(*runs: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(runs, ignore_index=True)[list(tables.CURVES)]


def spread(*runs: list[float]) -> pd.DataFrame:
    """Return what is drawn of the validation accuracy of some runs of one case."""
    known = steadiness.numbered(curves(*(curve("a", seed, run) for seed, run in enumerate(runs))))
    return study_figures.spread(known[known["split"] == "validation"], "accuracy")


def test_heat_map_has_the_mean_over_seeds_in_ascending_rows_and_columns() -> None:
    heat = study_figures.grid(TABLE)
    assert heat.constants == [0, 0.1]
    assert heat.rates == [0.001, 0.01]
    assert heat.auc[0] == pytest.approx([0.905, 0.7])
    assert heat.seeds.tolist() == [[2, 2], [2, 2]]


def test_a_setting_of_which_a_seed_diverged_has_no_mean() -> None:
    heat = study_figures.grid(TABLE)
    assert np.isnan(heat.auc[1]).all()
    assert heat.diverged.tolist() == [[0, 0], [1, 2]]


def test_a_setting_without_a_run_is_an_empty_cell() -> None:
    heat = study_figures.grid(sweep_table({(0.1, 0.0): [0.6], (0.2, 0.5): [0.7]}))
    assert heat.auc == pytest.approx(np.array([[0.6, NAN], [NAN, 0.7]]), nan_ok=True)
    assert heat.seeds.tolist() == [[1, 0], [0, 1]]
    assert heat.diverged.sum() == 0


def test_frames_are_on_the_recommended_and_the_configured_cell(tmp_path: Path) -> None:
    heat = study_figures.grid(TABLE)
    advice = study_tables.recommendation("sweep", TABLE, {"rate": 0.01, "l2": 0.1})
    tables.write(advice, tmp_path / "advice.csv", tables.RECOMMENDATION)
    read = tables.read(tmp_path / "advice.csv", tables.RECOMMENDATION)
    for given in (advice, read):
        best = study_figures.cell(heat, given, "recommended")
        assert best == (0, 0)
        assert heat.auc[best] == np.nanmax(heat.auc)
        assert study_figures.cell(heat, given, "configured") == (1, 1)


@pytest.mark.parametrize("configured", [{"rate": 0.01, "l2": 0.2}, {"rate": 0.002, "l2": 0.0}])
def test_a_setting_that_was_not_swept_has_no_cell(configured: dict[str, float]) -> None:
    advice = study_tables.recommendation("sweep", TABLE, configured)
    assert study_figures.cell(study_figures.grid(TABLE), advice, "configured") is None


def test_nothing_is_framed_as_recommended_when_all_diverged(tmp_path: Path) -> None:
    table = sweep_table({(0.1, 0.0): [NAN]})
    advice = study_tables.recommendation("sweep", table, {"rate": 0.1, "l2": 0.0})
    tables.write(advice, tmp_path / "advice.csv", tables.RECOMMENDATION)
    read = tables.read(tmp_path / "advice.csv", tables.RECOMMENDATION)
    heat = study_figures.grid(table)
    assert study_figures.cell(heat, read, "recommended") is None
    assert study_figures.cell(heat, read, "configured") == (0, 0)
    study_figures.sweep(
        table, curves(curve("rate 0.1, L2 0", 0, [NAN])), read, tmp_path / "all.png"
    )


def test_band_holds_the_lowest_and_highest_run_of_every_epoch() -> None:
    band = spread([0.5, 0.9], [0.7, 0.6], [0.6, 0.6])
    assert band["epoch"].to_list() == [1, 2]
    assert band["mean"].to_list() == pytest.approx([0.6, 0.7])
    assert band["low"].to_list() == [0.5, 0.6]
    assert band["high"].to_list() == [0.7, 0.9]


def test_mean_ends_where_the_first_run_stops_and_does_not_jump() -> None:
    band = spread([0.5, 0.5], [0.7, 0.7, 0.7, 0.7])
    assert band["mean"].to_list() == pytest.approx([0.6, 0.6])


def test_a_run_that_diverged_is_not_in_the_mean() -> None:
    band = spread([0.5, NAN], [0.7, 0.8, 0.9])
    assert band["mean"].to_list() == pytest.approx([0.7, 0.8, 0.9])
    assert spread([0.5, NAN], [NAN]).empty


def test_a_panel_says_what_its_row_of_the_table_says() -> None:
    metrics = pd.DataFrame(
        {"case": ["a", "a"], "initialisation": "imagenet", "split": "validation", "n": 40}
    ).assign(**SHARED)
    both = curves(curve("a", 1, [0.5, 0.6, 0.9]), curve("a", 2, [0.5, 0.8, 0.7]))
    _, row = next(steadiness.over_runs(both, metrics).iterrows())
    said = study_figures.annotation(row)
    assert "a: 2 runs, n = 40" in said
    assert "best accuracy 0.850 ± 0.071 after 2.5 ± 0.7 epochs" in said
    assert f"erratic {row['erratic']:.3f} ± {row['erratic_sd']:.3f}" in said
    _, row = next(steadiness.over_runs(curves(curve("a", 1, [0.5, 0.6])), metrics).iterrows())
    assert "after 2 epochs" in study_figures.annotation(row)
    assert "erratic undefined" in study_figures.annotation(row)
    _, row = next(steadiness.over_runs(curves(curve("a", 1, [NAN])), metrics).iterrows())
    assert study_figures.annotation(row) == "a: 1 run, 1 diverged, n = 40"


@pytest.mark.parametrize("cases", [1, 3, 4])
def test_regularisation_is_drawn_for_any_number_of_settings(cases: int, tmp_path: Path) -> None:
    names = [str(place) for place in range(cases)]
    runs = curves(
        *(
            curve(name, seed, [0.5, 0.6, 0.7] if seed else [0.4, NAN])
            for name in names
            for seed in (0, 1)
        )
    )
    metrics = pd.DataFrame(
        {"case": names, "initialisation": "imagenet", "split": "validation", "n": 40}
    ).assign(**SHARED)
    steady = steadiness.over_runs(runs, metrics)
    study_figures.regularisation(steady, runs, tmp_path / "drawn.png")
    assert imread(tmp_path / "drawn.png").shape[1] > 400
