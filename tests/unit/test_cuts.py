import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest, ttest_1samp
from scipy.stats import t as student
from tests.predicted import table

from retinopathy import cuts, metrics, registry, tables
from retinopathy.cuts import Cut, Incomparable
from retinopathy.errors import Explained
from retinopathy.runs import Run
from retinopathy.study_tables import Evidence

RUN = Run("extremes", "xception", 96, "imagenet", "head", 0.001, 0.0, 0.5, "holdout", 1)

# Millions of trained parameters, deeper from left to right.
PARAMETERS = {
    "head": 0.0,
    "block14+3": 3.0,
    "block14": 5.0,
    "block13+5": 5.5,
    "block13": 7.0,
    "block12+4": 8.0,
    "block12": 9.0,
}
INSIDE = ["block14+3", "block13+5", "block12+4"]
FLAT = dict.fromkeys(PARAMETERS, 1.2)


def predictions(separation: Mapping[str, float], patients: int, seed: int) -> dict[str, Any]:
    """Return what each cut predicts of the same eyes: errors are mostly the patient's, as in life.

    Args:
        separation: Cut → distance of the classes, in standard deviations.
    """
    generator = np.random.default_rng(seed)
    label = np.repeat(generator.integers(2, size=patients), 2)
    patient = np.repeat(np.arange(patients), 2)
    shared = np.repeat(generator.normal(size=patients), 2)
    found = {}
    for cut, distance in separation.items():
        noise = np.sqrt(0.7) * shared + np.sqrt(0.3) * generator.normal(size=2 * patients)
        found[cut] = table(label, noise + distance * (label - 0.5), patient).assign(
            image=[f"{place}_left" for place in range(2 * patients)]
        )
    return found


def evidence(cut: str, predicted: pd.DataFrame, **changes: Any) -> Evidence:
    outcome = changes.pop("outcome", "finished")
    record = {
        "starts_from": "imagenet",
        "outcome": outcome,
        "trainable_parameters": 2049 + round(1e6 * PARAMETERS.get(cut, 20.0)),
    }
    run = dataclasses.replace(RUN, depth=cut, **changes)
    kept = predicted.head(0) if outcome == "diverged" else predicted
    return Evidence(cut, run, record, pd.DataFrame(), kept, 0.5)


def study(separation: Mapping[str, float], patients: int = 60, seed: int = 1) -> list[Evidence]:
    found = predictions(separation, patients, seed)
    return [evidence(cut, predicted) for cut, predicted in found.items()]


def auc(given: list[Evidence], cut: str) -> float:
    return float(np.mean([metrics.auc(one.predictions) for one in given if one.case == cut]))


# The table ----------------------------------------------------------------------------------------


def test_every_cut_inside_a_block_is_a_row_and_the_mean_is_the_last() -> None:
    given = study(FLAT)
    found = cuts.table(given, 100, 1, "test")
    assert tuple(found.columns) == cuts.COLUMNS
    assert found["cut"].to_list() == [*INSIDE, "mean"]
    assert found["below"].to_list()[:3] == ["block14", "block13", "block12"]
    assert found["above"].to_list()[:3] == ["head", "block14", "block13"]
    assert found["shortfall"].iloc[-1] == pytest.approx(found["shortfall"][:3].mean())
    assert (found["n"] == 120).all()
    assert (found["seeds"] == 1).all()
    assert (found["initialisation"] == "imagenet").all()
    assert (found["split"] == "test").all()
    assert (found["shortfall_low"] < found["shortfall"]).all()
    assert (found["shortfall"] < found["shortfall_high"]).all()
    assert (found["reason"] == "").all()


def test_line_is_drawn_over_trained_parameters() -> None:
    given = study(FLAT)
    row = cuts.table(given, 50, 1, "test").iloc[1]
    below, above = auc(given, "block13"), auc(given, "block14")
    # block13+5 trains 5.5 million, a quarter of the way from 5 to 7.
    assert row["interpolated"] == pytest.approx(above + (below - above) / 4)
    assert row["auc"] == pytest.approx(auc(given, "block13+5"))
    assert row["shortfall"] == pytest.approx(row["interpolated"] - row["auc"])


def test_worse_cuts_inside_blocks_have_positive_shortfalls_and_better_ones_negative() -> None:
    for change, sign in ((-0.6, 1), (0.6, -1)):
        moved = {cut: 1.2 + change * (cut in INSIDE) for cut in PARAMETERS}
        found = cuts.table(study(moved, 200), 200, 1, "test")
        numbers = found[["shortfall", "shortfall_low", "shortfall_high"]].to_numpy(float)
        assert (sign * numbers > 0).all()
        assert (found["p"] < 0.05).all()


def test_order_of_the_study_and_of_its_rows_does_not_matter() -> None:
    given = study(FLAT)
    shuffled = [
        dataclasses.replace(one, predictions=one.predictions.sample(frac=1, random_state=place))
        for place, one in enumerate(reversed(given[1:]))
    ]
    found = cuts.table([given[0], *shuffled], 50, 1, "test")
    assert found["cut"].to_list() == [*reversed(INSIDE), "mean"]
    before = cuts.table(given, 50, 1, "test").set_index("cut")
    numbers = before.select_dtypes("number").columns
    after = found.set_index("cut").loc[before.index, numbers]
    assert after.to_numpy(float) == pytest.approx(before[numbers].to_numpy(float))


def test_seeds_are_averaged_and_folds_pooled() -> None:
    given = []
    for seed in (1, 2):
        for cut, predicted in predictions(FLAT, 60, 1).items():
            noise = np.random.default_rng(seed).normal(size=len(predicted))
            moved = predicted.assign(logit=predicted["logit"] + noise)
            halves = np.arange(len(moved)) // 2 % 2
            given += [
                evidence(cut, moved[halves == fold], seed=seed, fold=str(fold)) for fold in (0, 1)
            ]
    found = cuts.table(given, 50, 1, "test")
    assert (found["seeds"] == 2).all()
    assert (found["n"] == 120).all()
    pooled = [
        metrics.auc(
            pd.concat(
                one.predictions.assign(fold=one.run.fold)
                for one in given
                if one.case == "block14+3" and one.run.seed == seed
            )
        )
        for seed in (1, 2)
    ]
    assert found["auc"][0] == pytest.approx(np.mean(pooled))


def test_cut_that_diverged_is_a_row_and_no_neighbour() -> None:
    given = [
        dataclasses.replace(
            one, record=one.record | {"outcome": "diverged"}, predictions=one.predictions.head(0)
        )
        if one.case in {"block14+3", "block13"}
        else one
        for one in study(FLAT)
    ]
    found = cuts.table(given, 50, 1, "test").set_index("cut")
    assert found.loc["block14+3", "reason"] == "a run diverged"
    assert found.loc["block14+3", "n"] == 0
    assert found.isna().loc["block14+3", "shortfall"]
    for cut in ("block13+5", "block12+4"):
        assert (found.loc[cut, "below"], found.loc[cut, "above"]) == ("block12", "block14")


def test_cut_beyond_the_last_whole_block_has_a_reason() -> None:
    given = [one for one in study(FLAT) if one.case != "block12"]
    found = cuts.table(given, 50, 1, "test").set_index("cut")
    assert found.loc["block12+4", "reason"] == "not between two whole-block cuts that finished"
    assert found.loc["mean", "shortfall"] == pytest.approx(found["shortfall"][:2].mean())


def test_mean_of_one_cut_has_no_interval_and_says_why() -> None:
    given = [one for one in study(FLAT) if one.case in {"head", "block14+3", "block14"}]
    found = cuts.table(given, 50, 1, "test")
    assert found["cut"].to_list() == ["block14+3", "mean"]
    assert found[["shortfall_low", "shortfall_high", "p"]].isna().all(axis=1).to_list() == [
        False,
        True,
    ]
    assert "one cut" in found["reason"][1]


@pytest.mark.parametrize("kept", [["head", "block14"], ["block14+3"], ["block14+3", "block14"]])
def test_study_without_a_cut_between_whole_blocks_raises(kept: list[str]) -> None:
    given = [one for one in study(FLAT) if one.case in kept]
    with pytest.raises(Incomparable, match="no cut inside a block"):
        cuts.table(given, 50, 1, "test")


def test_reason_stands_in_the_table_of_a_study_without_such_a_cut(tmp_path: Path) -> None:
    tables.write(cuts.undefined("no such cut"), tmp_path / "depth_cuts.csv", cuts.COLUMNS)
    read = tables.read(tmp_path / "depth_cuts.csv", cuts.COLUMNS)
    assert read[["cut", "reason"]].to_numpy().tolist() == [["mean", "no such cut"]]
    assert read.drop(columns=["cut", "reason"]).isna().all(axis=None)


def test_scales_and_shifts_alone_are_no_cut() -> None:
    given = study(FLAT)
    more = [*given, evidence(registry.NORMALISATION, given[0].predictions)]
    pd.testing.assert_frame_equal(cuts.table(more, 50, 1, "test"), cuts.table(given, 50, 1, "test"))


def test_cuts_of_different_photographs_are_refused() -> None:
    given = study(FLAT)
    given[1] = dataclasses.replace(given[1], predictions=given[1].predictions.iloc[2:])
    with pytest.raises(Explained, match="same photographs"):
        cuts.table(given, 50, 1, "test")


@pytest.mark.parametrize("parameters", [(5, 5, 5), (5, 2, 9), (9, 6, 5)])
def test_line_that_cannot_be_drawn_raises(parameters: tuple[int, int, int]) -> None:
    above, inside, below = (
        Cut("x", place, place != 2, count, (pd.DataFrame(),))
        for place, count in zip((3, 2, 1), parameters, strict=True)
    )
    with pytest.raises(Explained, match="no line"):
        _ = cuts.lines([above, inside, below])[0].share


# Uncertainty --------------------------------------------------------------------------------------


def test_p_value_belongs_to_the_percentile_interval() -> None:
    samples = np.linspace(-0.05, 0.95, 1000)
    assert cuts.two_sided(samples) == pytest.approx(0.1, abs=0.003)
    assert cuts.two_sided(samples + 1) == pytest.approx(2 / 1001)
    assert cuts.two_sided(np.zeros(9)) == 1


def chain(count: int) -> metrics.Floats:
    """Return the weights of so many cuts, each between two whole blocks of a chain."""
    weights = np.zeros((count, 2 * count + 1))
    for place, row in enumerate(weights):
        row[2 * place : 2 * place + 3] = 0.6, -1, 0.4
    return weights


def apart(count: int) -> metrics.Floats:
    """Return the weights of so many cuts that have no neighbour in common."""
    return np.kron(np.eye(count), np.array([[0.5, -1, 0.5]])).astype(np.float64)


def test_mean_without_patients_and_common_neighbours_is_the_t_test() -> None:
    weights = apart(4)
    shortfalls = np.array([0.03, 0.01, -0.01, 0.04])
    found = cuts.combine(shortfalls, weights, np.zeros((12, 12)))
    expected = ttest_1samp(shortfalls, 0)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_mean_of_independent_cuts_is_that_of_obuchowski_and_rockette() -> None:
    weights, shared = apart(5), 2e-4
    shortfalls = np.array([0.03, 0.01, -0.01, 0.04, 0.02])
    # A part of the patients' variance that all cuts have in common: Σ such that W Σ Wᵀ = shared.
    inverse = np.linalg.pinv(weights)
    found = cuts.combine(shortfalls, weights, inverse @ np.full((5, 5), shared) @ inverse.T)
    own = shortfalls.var(ddof=1) / 5
    error = np.sqrt(own + shared)
    freedom = 4 * ((own + shared) / own) ** 2
    assert found.p == pytest.approx(2 * student.sf(shortfalls.mean() / error, freedom))
    assert found.high - found.value == pytest.approx(student.ppf(0.975, freedom) * error)


def test_equal_shortfalls_leave_the_spread_of_cuts_unknown() -> None:
    found = cuts.combine(np.zeros(3), chain(3), np.zeros((7, 7)))
    assert np.isnan(found.p)
    assert found.reason == "the cuts do not differ"


@pytest.mark.parametrize("count", [2, 6])
@pytest.mark.parametrize("training", [0.0, 0.5, 3.0])
def test_p_value_of_the_mean_is_uniform_where_the_kind_of_cut_is_of_no_matter(
    count: int, training: float
) -> None:
    weights, generator = chain(count), np.random.default_rng(count)
    patients = np.full((2 * count + 1, 2 * count + 1), 0.7) + 0.3 * np.eye(2 * count + 1)
    root = np.linalg.cholesky(patients)
    draws = generator.normal(size=(2, 1000, 2 * count + 1))
    aucs = draws[0] @ root.T + training * draws[1]
    found = np.array([cuts.combine(weights @ one, weights, patients).p for one in aucs])
    # 1000 sets: the standard error of a rate of 0.05 is 0.007.
    assert 0.03 < (found < 0.05).mean() < 0.07
    assert kstest(found, "uniform").pvalue > 0.001


def simulated(sets: int, inside: float, training: float) -> pd.DataFrame:
    """Return p-values per simulated study: of its first cut and of the mean."""
    generator = np.random.default_rng(7)
    rows = []
    for seed in range(sets):
        drawn = training * generator.normal(size=len(PARAMETERS))
        moved = {
            cut: 1.2 + inside * (cut in INSIDE) + one
            for cut, one in zip(PARAMETERS, drawn, strict=True)
        }
        rows.append(cuts.table(study(moved, 80, seed), 100, seed, "test").set_index("cut")["p"])
    return pd.DataFrame(rows)


def test_studies_without_an_effect_are_rejected_as_often_as_stated() -> None:
    # 60 sets: the standard error of a rate of 0.05 is 0.028, that of one of 0.5 is 0.065.
    alike = simulated(60, inside=0.0, training=0.0)
    assert ((alike < 0.05).mean() < 0.13).all()
    assert ((alike < 0.5).mean() > 0.33).all()
    retrained = simulated(60, inside=0.0, training=0.3)
    assert (retrained["mean"] < 0.05).mean() < 0.13
    # A single cut speaks of the networks that were trained, and those do differ.
    assert (retrained["block14+3"] < 0.05).mean() > 0.15


def test_studies_with_an_effect_are_found() -> None:
    assert (simulated(30, inside=-0.9, training=0.1)["mean"] < 0.05).mean() > 0.8
