import numpy as np
import pandas as pd
import pytest

from retinopathy import steadiness, tables
from retinopathy.errors import Explained

NAN = float("nan")


def curve(
    case: str,
    seed: int,
    accuracy: list[float],
    auc: list[float] | None = None,
    fold: str = "holdout",
) -> pd.DataFrame:
    """Return the curves of one run as a study writes them: training first, then validation."""
    validation = pd.DataFrame(
        {
            "study": "regularisation",
            "task": "extremes",
            "case": case,
            "initialisation": "imagenet",
            "seed": seed,
            "fold": fold,
            "epoch": range(1, len(accuracy) + 1),
            "split": "validation",
            "accuracy": accuracy,
            "auc": accuracy if auc is None else auc,
            "loss": np.where(np.isnan(accuracy), np.nan, 1.0),
        }
    )
    train = validation.assign(split="train", accuracy=0.99, auc=0.99)
    return pd.concat([train, validation])[list(tables.CURVES)]


def metrics(*cases: str) -> pd.DataFrame:
    """Return as much of a table of metrics as is asked for."""
    shared = {"task": "extremes", "network": "xception", "size": 96, "initialisation": "imagenet"}
    return pd.DataFrame({"case": cases, "split": "validation", "n": 40} | shared)


def study(*runs: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(runs, ignore_index=True)


@pytest.mark.parametrize("slope", [0.0, 0.05, -0.1])
def test_a_straight_trend_is_not_erratic(slope: float) -> None:
    assert steadiness.erratic(0.5 + slope * np.arange(5)) == pytest.approx(0, abs=1e-12)


def test_erratic_is_the_deviation_of_the_differences() -> None:
    # Differences 0.2, −0.1, 0.2: mean 0.1, squares 0.01 + 0.04 + 0.01, by 2.
    assert steadiness.erratic([0.5, 0.7, 0.6, 0.8]) == pytest.approx(np.sqrt(0.03))
    assert steadiness.erratic([0.8, 0.6, 0.7, 0.5]) == pytest.approx(np.sqrt(0.03))


@pytest.mark.parametrize(
    ("values", "successive"),
    [([10, 10, 10, 20, 20, 20, 30, 30, 30], 25.0), ([20, 10, 30, 10, 30, 20, 30, 20, 10], 212.5)],
)
def test_erratic_follows_from_von_neumanns_published_measure(
    values: list[float], successive: float
) -> None:
    # Worked examples of `mssd` in the R package REAT.
    steps = len(values) - 1
    mean = (values[-1] - values[0]) / steps
    expected = np.sqrt((successive - mean**2) * steps / (steps - 1))
    assert steadiness.erratic(values) == pytest.approx(expected)


def test_independent_scatter_about_a_line_gives_root_two_of_its_deviation() -> None:
    drawn = np.random.default_rng(1).normal(scale=0.03, size=20_000)
    assert steadiness.erratic(drawn) == pytest.approx(np.sqrt(2) * 0.03, rel=0.03)
    assert steadiness.erratic(drawn + 0.01 * np.arange(20_000)) == pytest.approx(
        steadiness.erratic(drawn)
    )


@pytest.mark.parametrize("values", [[], [0.5], [0.5, 0.9]])
def test_few_epochs_are_neither_steady_nor_erratic(values: list[float]) -> None:
    assert np.isnan(steadiness.erratic(values))


@pytest.mark.parametrize("hole", [NAN, np.inf])
def test_a_curve_with_holes_raises(hole: float) -> None:
    with pytest.raises(Explained, match="holes"):
        steadiness.erratic([0.5, hole, 0.7, 0.8])


def test_the_first_of_equally_good_epochs_is_the_best() -> None:
    runs = steadiness.per_run(curve("a", 1, [0.5, 0.9, 0.7, 0.9], [0.6, 0.7, 0.8, 0.8]))
    assert len(runs) == 1
    row = runs.to_dict("records")[0]
    assert (row["epochs"], row["accuracy_epochs"], row["auc_epochs"]) == (4, 2, 3)
    assert (row["accuracy_best"], row["auc_best"]) == (0.9, 0.8)


def test_training_curves_and_other_cases_do_not_matter() -> None:
    alone = steadiness.per_run(curve("a", 1, [0.5, 0.7, 0.6]))
    mixed = curve("a", 1, [0.5, 0.7, 0.6])
    mixed.loc[mixed["split"] == "train", "accuracy"] = [0.1, 0.2, 0.9]
    together = steadiness.per_run(study(curve("b", 1, [0.1, 0.9]), mixed))
    pd.testing.assert_frame_equal(alone, together[together["case"] == "a"].reset_index(drop=True))


def test_folds_of_one_seed_are_runs_of_their_own() -> None:
    # The second fold is longer than the first, the third no longer than the second.
    folds = [[0.5, 0.6], [0.7, 0.6, 0.9, 0.8], [0.4, 0.3, 0.2]]
    curves = study(
        *(curve("a", 1, values, fold=str(fold)) for fold, values in enumerate(folds)),
        curve("a", 2, [0.5, 0.4, 0.3]),
        curve("b", 1, [0.5]),
    )
    known = steadiness.numbered(curves)
    assert len(known) == len(curves)
    validation = known[known["split"] == "validation"]
    found = {key: list(run["accuracy"]) for key, run in validation.groupby(["case", "run"])}
    expected = [*folds, [0.5, 0.4, 0.3]]
    assert found == {("a", run): values for run, values in enumerate(expected)} | {("b", 0): [0.5]}
    row = steadiness.over_runs(curves, metrics("a", "b")).iloc[0]
    assert row[["seeds", "runs", "epochs"]].tolist() == [2, 4, 3]


def test_a_case_has_mean_and_deviation_over_its_runs() -> None:
    curves = study(
        curve("a", 1, [0.5, 0.6, 0.8, 0.7]),
        curve("a", 2, [0.5, 0.9, 0.6, 0.6]),
    )
    found = steadiness.over_runs(curves, metrics("a", "a"))
    assert tuple(found.columns) == steadiness.STEADINESS
    row = found.iloc[0]
    assert row[["case", "initialisation", "split", "n"]].tolist() == [
        "a",
        "imagenet",
        "validation",
        40,
    ]
    assert row[["seeds", "runs", "diverged", "epochs"]].tolist() == [2, 2, 0, 4]
    assert row["accuracy_best"] == pytest.approx(0.85)
    assert row["accuracy_best_sd"] == pytest.approx(np.sqrt(0.005))
    assert row["accuracy_epochs"] == pytest.approx(2.5)
    assert row["accuracy_epochs_sd"] == pytest.approx(np.sqrt(0.5))
    each = [steadiness.erratic(one) for one in ([0.5, 0.6, 0.8, 0.7], [0.5, 0.9, 0.6, 0.6])]
    assert row["erratic"] == pytest.approx(np.mean(each))
    assert row["erratic_sd"] == pytest.approx(np.std(each, ddof=1))


def test_a_run_that_diverged_is_counted_and_left_out() -> None:
    curves = study(
        curve("a", 1, [0.5, 0.6, 0.8]),
        curve("a", 2, [0.5, NAN]),
        curve("b", 1, [NAN]),
    )
    first, second = steadiness.over_runs(curves, metrics("a", "a", "b")).to_dict("records")
    assert (first["runs"], first["diverged"], first["epochs"]) == (2, 1, 3)
    assert first["accuracy_best"] == 0.8
    assert np.isnan(first["accuracy_best_sd"])
    assert (second["runs"], second["diverged"]) == (1, 1)
    assert all(np.isnan(second[name]) for name in steadiness.MEASURES)


def test_a_run_of_two_epochs_has_a_best_and_no_steadiness() -> None:
    row = steadiness.over_runs(curve("a", 1, [0.5, 0.6]), metrics("a")).iloc[0]
    assert row["accuracy_epochs"] == 2
    assert np.isnan(row["erratic"])
