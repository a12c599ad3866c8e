import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from tests.predicted import UNDEFINED, random_table, table

from retinopathy import calibration, intervals, metrics, prevalence
from retinopathy.errors import Explained

RARE = 0.06


def population(photographs: int, seed: int, share: float = RARE) -> tuple[pd.Series, pd.Series]:
    """Return labels and a normal finding, which is 1.5 higher on average among the diseased."""
    generator = np.random.default_rng(seed)
    label = pd.Series((generator.random(photographs) < share).astype(int))
    return label, pd.Series(generator.normal(size=photographs) + 1.5 * label)


def balanced(label: pd.Series) -> pd.Index:
    """Return as many healthy ones as there are diseased, and these."""
    diseased = label.index[label == 1]
    return diseased.append(label.index[label == 0][: len(diseased)])


def fitted(label: pd.Series, finding: pd.Series) -> LogisticRegression:
    return LogisticRegression(C=np.inf).fit(finding.to_numpy()[:, None], label)


def test_correction_of_a_balanced_sample_gives_what_the_population_shows() -> None:
    label, finding = population(200_000, 1)
    chosen = balanced(label)
    network = fitted(label[chosen], finding[chosen])
    fresh, seen = population(200_000, 2)
    predictions = table(fresh, network.decision_function(seen.to_numpy()[:, None]))
    corrected = prevalence.corrected(predictions, 0.5, RARE)
    errors = [
        metrics.value(one, calibration.errors(one))["ece"] for one in (predictions, corrected)
    ]
    assert errors[0] > 0.1
    assert errors[1] < 0.004
    assert corrected["probability"].mean() == pytest.approx(fresh.mean(), abs=0.002)
    direct = fitted(label, finding).predict_proba(seen.to_numpy()[:, None])[:, 1]
    assert corrected["probability"].to_numpy() == pytest.approx(direct, abs=0.02)


def test_predictive_values_of_a_balanced_sample_are_those_of_the_population() -> None:
    label, finding = population(400_000, 3)
    whole = table(label, finding - 0.75)
    part = whole.loc[balanced(label)]
    truth = metrics.value(whole, metrics.calls(whole, 0.5))
    found = metrics.value(part, prevalence.predictive(part, 0.5, [RARE]))
    assert found["ppv_at_0.06"] == pytest.approx(truth["ppv"], abs=0.005)
    assert found["npv_at_0.06"] == pytest.approx(truth["npv"], abs=0.001)


def test_mean_probability_of_a_balanced_sample_is_that_of_the_population() -> None:
    label, finding = population(400_000, 4)
    whole = table(label, finding - 2)
    part = whole.loc[balanced(label)]
    found = metrics.value(part, prevalence.expected(part, RARE))["probability"]
    assert found == pytest.approx(whole["probability"].mean(), abs=0.002)


def test_mean_at_the_prevalence_of_the_photographs_is_their_mean() -> None:
    predictions = random_table(40, 2)
    measure = prevalence.expected(predictions, predictions["label"].mean())
    found = metrics.value(predictions, measure)["probability"]
    assert found == pytest.approx(predictions["probability"].mean())


@given(st.floats(-8, 8), st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_corrected_probability_is_that_of_the_formula_of_saerens(
    score: float, was: float, becomes: float
) -> None:
    before = expit(score)
    diseased, healthy = becomes / was * before, (1 - becomes) / (1 - was) * (1 - before)
    found = prevalence.corrected(table([1], [score]), was, becomes)["probability"]
    assert found[0] == pytest.approx(diseased / (diseased + healthy))


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_correction_keeps_the_order_and_can_be_taken_back(was: float, becomes: float) -> None:
    predictions = random_table(10, 1)
    there = prevalence.corrected(predictions, was, becomes)
    assert (there["logit"].rank() == predictions["logit"].rank()).all()
    back = prevalence.corrected(there, becomes, was)
    assert back["logit"].to_numpy() == pytest.approx(predictions["logit"].to_numpy())
    assert prevalence.shift(was, was) == 0


def test_folds_are_corrected_from_a_prevalence_of_their_own() -> None:
    found = prevalence.corrected(table([0, 1], [0.0, 0.0]), [0.5, 0.2], 0.5)
    assert found["logit"].to_numpy() == pytest.approx([0, -logit(0.2)])


def test_predictive_values_by_hand() -> None:
    # Of 1000, 100 are diseased: 90 are found; of 900 healthy ones 180 are called diseased.
    found = prevalence.predictive_values(0.9, 0.8, 0.1)
    assert found == pytest.approx((90 / 270, 720 / 730))


def test_predictive_values_at_the_prevalence_of_the_photographs_are_their_own() -> None:
    predictions = random_table(50, 4)
    share = float(predictions["label"].mean())
    own = metrics.value(predictions, metrics.calls(predictions, 0.4))
    found = metrics.value(predictions, prevalence.predictive(predictions, 0.4, [share]))
    assert [float(one) for one in found.values()] == pytest.approx([own["ppv"], own["npv"]])


def test_rarer_disease_makes_positive_calls_worth_less_and_negative_ones_more() -> None:
    positive, negative = prevalence.predictive_values(0.8, 0.7, [0.01, 0.1, 0.5])
    assert (np.diff(positive) > 0).all()
    assert (np.diff(negative) < 0).all()


def test_who_is_never_called_so_has_no_predictive_value() -> None:
    positive, negative = prevalence.predictive_values([0, 1], [1, 0], 0.2)
    assert np.isnan([positive[0], negative[1]]).all()
    assert [negative[0], positive[1]] == pytest.approx([0.8, 0.2])


def test_intervals_of_predictive_values_hold_the_truth_about_as_often_as_they_say() -> None:
    held = []
    whole = random_table(50_000, 99)
    truth = metrics.value(whole, prevalence.predictive(whole, 0.6, [0.1]))
    for seed in range(150):
        predictions = random_table(60, seed)
        measure = prevalence.predictive(predictions, 0.6, [0.1])
        found = intervals.with_intervals(predictions, measure, seed, 200)
        held.append(
            [found[f"{name}_low"] <= one <= found[f"{name}_high"] for name, one in truth.items()]
        )
    assert (np.mean(held, axis=0) > 0.89).all()
    assert (np.mean(held, axis=0) < 0.99).all()


@pytest.mark.parametrize("wrong", [0.0, 1.0, -0.1, 5.0, np.nan])
def test_impossible_prevalences_raise(wrong: float) -> None:
    predictions = random_table(5, 1)
    with pytest.raises(Explained, match="prevalence"):
        prevalence.shift(wrong, 0.5)
    with pytest.raises(Explained, match="prevalence"):
        prevalence.corrected(predictions, 0.5, wrong)
    with pytest.raises(Explained, match="prevalence"):
        prevalence.predictive_values(0.9, 0.9, wrong)
    with pytest.raises(Explained, match="prevalence"):
        prevalence.predictive(predictions, 0.5, [0.1, wrong])
    with pytest.raises(Explained, match="prevalence"):
        prevalence.expected(predictions, wrong)


@pytest.mark.parametrize("rates", [(1.1, 0.5), (0.5, -0.1), (np.nan, 0.5)])
def test_impossible_rates_raise(rates: tuple[float, float]) -> None:
    with pytest.raises(Explained, match="rates"):
        prevalence.predictive_values(*rates, 0.1)


@pytest.mark.parametrize("predictions", UNDEFINED.values(), ids=UNDEFINED)
def test_what_is_undefined_raises(predictions: pd.DataFrame) -> None:
    with pytest.raises(Explained):
        prevalence.predictive(predictions, 0.5, [0.1])
    with pytest.raises(Explained):
        prevalence.expected(predictions, 0.1)
