import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm
from sklearn.metrics import roc_curve
from tests.predicted import UNDEFINED, random_table, table

from retinopathy import metrics, operating
from retinopathy.errors import Explained


def rates(predictions: pd.DataFrame, threshold: float) -> tuple[float, float]:
    """Return sensitivity and specificity."""
    found = metrics.value(predictions, metrics.calls(predictions, threshold))
    return float(found["sensitivity"]), float(found["specificity"])


def test_threshold_has_the_largest_youden() -> None:
    predictions = random_table(60, 9)
    chosen = operating.choose_threshold(predictions)
    fpr, tpr, _ = roc_curve(predictions["label"], predictions["probability"])
    assert sum(rates(predictions, chosen)) - 1 == pytest.approx((tpr - fpr).max())


def test_threshold_lies_midway_between_the_classes() -> None:
    predictions = table([0, 0, 1, 1], [-3.0, -2.0, -1.0, 4.0])
    assert operating.choose_threshold(predictions) == pytest.approx(expit([-2.0, -1.0]).mean())


def test_of_equal_thresholds_the_nearest_to_a_half_is_taken() -> None:
    predictions = table([0, 1, 0, 1], [-2.0, -1.0, 0.2, 2.0])
    assert operating.choose_threshold(predictions) == pytest.approx(expit([0.2, 2.0]).mean())


def test_threshold_of_useless_predictions_calls_all_or_none() -> None:
    predictions = table([0, 1], [1.0, -1.0])
    called = predictions["probability"] >= operating.choose_threshold(predictions)
    assert called.nunique() == 1


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.8, 0.9]), st.sampled_from([1, 8]))
def test_wanted_rates_are_reached_with_as_much_of_the_other_as_can_be(
    seed: int, wanted: float, decimals: int
) -> None:
    predictions = random_table(30, seed, decimals=decimals)
    fpr, tpr, _ = roc_curve(
        predictions["label"], predictions["probability"], drop_intermediate=False
    )
    found = rates(predictions, operating.threshold_for_specificity(predictions, wanted))
    assert found[1] >= wanted
    assert found[0] == pytest.approx(tpr[1 - fpr >= wanted - 1e-12].max())
    found = rates(predictions, operating.threshold_for_sensitivity(predictions, wanted))
    assert found[0] >= wanted
    assert found[1] == pytest.approx((1 - fpr)[tpr >= wanted - 1e-12].max())


def test_frozen_thresholds_give_on_other_photographs_about_what_was_wanted() -> None:
    validation, test = random_table(10_000, 1), random_table(10_000, 2)
    points = operating.points(validation)
    for wanted in operating.WANTED:
        cut = norm.ppf(wanted)
        found = rates(test, points[f"sensitivity_at_{wanted:.2f}_specificity"]["threshold"])
        assert found == pytest.approx((norm.sf(cut - 0.8), wanted), abs=0.03)
        found = rates(test, points[f"specificity_at_{wanted:.2f}_sensitivity"]["threshold"])
        assert found == pytest.approx((wanted, norm.cdf(0.8 - cut)), abs=0.03)


@pytest.mark.parametrize(("healthy", "wanted"), [(10, 0.90), (20, 0.95)])
def test_one_healthy_photograph_must_be_spared(healthy: int, wanted: float) -> None:
    logit = np.arange(healthy + 1.0)
    predictions = table([*[0] * healthy, 1], logit / 10)
    spared = operating.threshold_for_specificity(predictions, wanted)
    assert rates(predictions, spared) == pytest.approx((1, 1 - 1 / healthy))
    with pytest.raises(Explained, match=f"too few for a specificity of {wanted:.2f}: {healthy}"):
        operating.threshold_for_specificity(predictions[1:], wanted)


def test_sensitivity_needs_diseased_photographs() -> None:
    predictions = table([*[1] * 9, 0], np.arange(10) / 10)
    with pytest.raises(Explained, match="9 diseased photographs are too few"):
        operating.threshold_for_sensitivity(predictions, 0.9)


@pytest.mark.parametrize("wanted", [0.0, 1.0, 95.0, np.nan])
def test_impossible_wishes_raise(wanted: float) -> None:
    with pytest.raises(Explained, match="specificity"):
        operating.threshold_for_specificity(random_table(60, 1), wanted)


def test_no_threshold_tells_saturated_probabilities_apart() -> None:
    predictions = table([*[0] * 20, *[1] * 20], [50.0] * 40)
    with pytest.raises(Explained, match="most extreme"):
        operating.threshold_for_specificity(predictions, 0.9)
    lowest = table([*[0] * 20, *[1] * 20], [-800.0] * 40)
    with pytest.raises(Explained, match="most extreme"):
        operating.threshold_for_sensitivity(lowest, 0.9)


def test_undefined_points_say_why_and_can_be_written() -> None:
    points = operating.points(random_table(8, 3))
    assert len(points) == 4
    assert json.loads(json.dumps(points, allow_nan=False)) == points
    strict = points["sensitivity_at_0.95_specificity"]
    assert strict["threshold"] is None
    assert "20 are needed" in strict["reason"]


@pytest.mark.parametrize("choose", [operating.choose_threshold, operating.points])
@pytest.mark.parametrize("predictions", UNDEFINED.values(), ids=UNDEFINED)
def test_what_is_undefined_raises(
    choose: Callable[[pd.DataFrame], object], predictions: pd.DataFrame
) -> None:
    with pytest.raises(Explained):
        choose(predictions)
