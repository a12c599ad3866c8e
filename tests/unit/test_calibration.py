from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss
from tests.predicted import UNDEFINED, random_table, table

from retinopathy import calibration, metrics
from retinopathy.errors import Explained


def misled(temperature: float, photographs: int = 40_000) -> pd.DataFrame:
    """Return predictions whose logits are the true ones times a temperature."""
    generator = np.random.default_rng(7)
    logit = generator.normal(scale=2, size=photographs)
    label = (generator.random(len(logit)) < expit(logit)).astype(int)
    return table(label, temperature * logit)


def errors(predictions: pd.DataFrame) -> dict[str, metrics.Floats]:
    return metrics.value(predictions, calibration.errors(predictions))


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_temperature_undoes_constructed_miscalibration(temperature: float) -> None:
    predictions = misled(temperature)
    found = calibration.fit_temperature(predictions)
    assert found == pytest.approx(temperature, rel=0.05)
    assert errors(calibration.scaled(predictions, found))["ece"] < 0.01


@pytest.mark.parametrize("factor", [0.98, 1.02])
def test_no_other_temperature_is_more_likely(factor: float) -> None:
    predictions = misled(2.5, 500)
    best = calibration.fit_temperature(predictions)
    losses = [
        log_loss(predictions["label"], calibration.scaled(predictions, one)["probability"])
        for one in (best, factor * best)
    ]
    assert losses[0] < losses[1]


def test_temperature_ends_at_its_bounds() -> None:
    least, largest = calibration.TEMPERATURES
    assert calibration.fit_temperature(table([0, 1], [-1.0, 1.0])) == least
    assert calibration.fit_temperature(table([0, 1], [1.0, -1.0])) == largest


def test_scaling_is_of_each_row_and_keeps_the_rest() -> None:
    predictions = table([0, 1], [2.0, 6.0], [4, 4])
    found = calibration.scaled(predictions, [1.0, 3.0])
    assert found["logit"].to_list() == [2, 2]
    assert found["probability"].to_numpy() == pytest.approx(expit([2, 2]))
    assert found[["patient", "label"]].equals(predictions[["patient", "label"]])
    assert predictions["logit"].to_list() == [2, 6]


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf, [1.0, 0.0]])
def test_impossible_temperatures_raise(temperature: float) -> None:
    with pytest.raises(Explained, match="temperature"):
        calibration.scaled(table([0, 1], [0.0, 1.0]), temperature)


def test_calibration_error_by_hand() -> None:
    predictions = table([0, 1, 1, 1], [0, 0, 0, 0]).assign(probability=[0.1, 0.15, 0.7, 1.0])
    # Bins 0.1 to 0.2 (mean 0.125, half diseased), 0.7 to 0.8 and 0.9 to 1.
    expected = (2 * abs(0.125 - 0.5) + 0.3 + 0.0) / 4
    assert errors(predictions)["ece"] == pytest.approx(expected)


def test_brier_and_reliability_agree_with_scikit_learn() -> None:
    predictions = random_table(300, 3)
    label, probability = predictions["label"], predictions["probability"]
    found, diagram = errors(predictions), calibration.reliability(predictions)
    share, mean = calibration_curve(label, probability, n_bins=calibration.BINS)
    assert diagram["share"].to_numpy() == pytest.approx(share)
    assert diagram["probability"].to_numpy() == pytest.approx(mean)
    assert found["brier"] == pytest.approx(brier_score_loss(label, probability))
    assert found["ece"] == pytest.approx(np.average(abs(share - mean), weights=diagram["n"]))


def test_reliability_counts_photographs_and_patients_of_its_bins() -> None:
    predictions = table([0, 1, 1, 0], [0, 0, 0, 0], [1, 1, 2, 3])
    diagram = calibration.reliability(predictions.assign(probability=[0.3, 0.32, 1.0, 0.0]))
    assert list(diagram.columns) == list(calibration.RELIABILITY)
    assert diagram[["low", "high"]].to_numpy().ravel() == pytest.approx([0, 0.1, 0.3, 0.4, 0.9, 1])
    assert diagram["n"].to_list() == [1, 2, 1]
    assert diagram["patients"].to_list() == [1, 1, 1]
    assert diagram["share"].to_list() == [0, 0.5, 1]
    assert diagram["share_high"].to_list()[-1] == 1
    assert (diagram["share_low"] < diagram["share_high"]).all()


@pytest.mark.parametrize(("diseased", "patients"), [(0, 5), (3, 7), (40, 40), (9, 300)])
def test_interval_of_a_share_is_that_of_scipy(diseased: int, patients: int) -> None:
    expected = binomtest(diseased, patients).proportion_ci(method="wilson")
    found = calibration.wilson(diseased / patients, patients)
    assert found == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(
    "measure", [calibration.fit_temperature, calibration.errors, calibration.reliability]
)
@pytest.mark.parametrize("predictions", UNDEFINED.values(), ids=UNDEFINED)
def test_what_is_undefined_raises(
    measure: Callable[[pd.DataFrame], object], predictions: pd.DataFrame
) -> None:
    with pytest.raises(Explained):
        measure(predictions)
