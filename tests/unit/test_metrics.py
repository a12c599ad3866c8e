from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike
from scipy.special import expit
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    roc_auc_score,
    roc_curve,
)

from retinopathy import metrics
from retinopathy.errors import Explained


def table(label: ArrayLike, logit: ArrayLike, patient: ArrayLike | None = None) -> pd.DataFrame:
    logits = np.asarray(logit, dtype=float)
    patients = np.arange(len(logits)) if patient is None else np.asarray(patient)
    return pd.DataFrame(
        {
            "patient": patients.astype(str),
            "label": label,
            "logit": logits,
            "probability": expit(logits),
        }
    )


def random_table(patients: int, seed: int, *, decimals: int = 8) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    label = generator.integers(2, size=2 * patients)
    logit = np.round(generator.normal(size=2 * patients) + 0.8 * label, decimals)
    return table(label, logit, np.repeat(np.arange(patients), 2))


def test_metrics_of_four_photographs_by_hand() -> None:
    found = metrics.evaluate(table([0, 0, 1, 1], [-2.0, 1.0, 0.5, 3.0]), 0.5, seed=1)
    assert found["n"] == 4
    assert found["auc"] == pytest.approx(3 / 4)
    assert found["sensitivity"] == 1
    assert found["specificity"] == 0.5
    assert found["accuracy"] == found["balanced_accuracy"] == 0.75
    assert found["average_precision"] == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize("decimals", [8, 0])
def test_ranking_and_calibration_agree_with_scikit_learn(decimals: int) -> None:
    predictions = random_table(80, 3, decimals=decimals)
    found = metrics.evaluate(predictions, 0.4, seed=1, repetitions=20)
    label, logit = predictions["label"], predictions["logit"]
    assert found["auc"] == pytest.approx(roc_auc_score(label, logit))
    assert found["average_precision"] == pytest.approx(average_precision_score(label, logit))
    assert found["brier"] == pytest.approx(brier_score_loss(label, predictions["probability"]))


def test_threshold_per_row_is_applied_per_row() -> None:
    predictions = table([0, 1, 0, 1], [0.0, 0.1, 2.0, 2.1])
    thresholds = expit(np.array([0.05, 0.05, 2.05, 2.05]))
    assert metrics.evaluate(predictions, thresholds, 1, 10)["accuracy"] == 1


def test_threshold_itself_is_called_diseased() -> None:
    found = metrics.evaluate(table([0, 1], [-1.0, 0.0]), 0.5, 1, 10)
    assert found["sensitivity"] == 1


def test_saturated_probabilities_do_not_tie_the_ranking() -> None:
    predictions = table([0, 1], [50.0, 60.0])
    assert predictions["probability"].nunique() == 1
    assert metrics.evaluate(predictions, 0.5, 1, 10)["auc"] == 1


@pytest.mark.parametrize("decimals", [8, 0])
def test_auc_of_counts_is_the_weighted_auc_of_scikit_learn(decimals: int) -> None:
    predictions = random_table(30, 5, decimals=decimals)
    logit = predictions["logit"].to_numpy()
    weights = np.random.default_rng(2).integers(1, 4, size=len(logit))
    scores = np.unique(logit)
    counts = [
        np.histogram(
            np.searchsorted(scores, logit[predictions["label"] == one]),
            bins=np.arange(len(scores) + 1),
            weights=weights[predictions["label"] == one],
        )[0][None]
        for one in (1, 0)
    ]
    expected = roc_auc_score(predictions["label"], logit, sample_weight=weights)
    assert metrics.rank_aucs([(counts[0], counts[1])]) == pytest.approx([expected])


def test_sample_without_a_class_has_no_auc() -> None:
    assert np.isnan(metrics.rank_aucs([(np.array([[0, 0]]), np.array([[1, 2]]))])).all()


def test_bootstrap_is_governed_by_its_seed() -> None:
    predictions = random_table(20, 1)
    first, again, other = (metrics.bootstrap_aucs(predictions, seed, 50) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_bootstrap_does_not_depend_on_how_it_is_cut() -> None:
    assert len(metrics.bootstrap_aucs(random_table(20, 1), 1, 431)) == 431


def test_each_sample_has_as_many_patients_as_there_are() -> None:
    counts = metrics.resample(7, 100, np.random.default_rng(1))
    assert counts.shape == (100, 7)
    assert (counts.sum(axis=1) == 7).all()


def test_bootstrap_draws_patients_and_not_photographs() -> None:
    once = random_table(25, 4)
    copied = pd.concat([once] * 9, ignore_index=True)
    # Nine photographs of each eye say no more of the patients than one.
    assert np.allclose(metrics.bootstrap_aucs(once, 1, 100), metrics.bootstrap_aucs(copied, 1, 100))
    apart = copied.assign(patient=np.arange(len(copied)).astype(str))
    widths = [
        np.diff(metrics.auc_interval(predictions, 1, 300))[0] for predictions in (once, apart)
    ]
    assert widths[1] < 0.6 * widths[0]


def test_samples_without_a_class_are_drawn_again() -> None:
    values = metrics.bootstrap_aucs(table([0, 1], [0.0, 1.0]), 1, 300)
    assert len(values) == 300
    assert (values == 1).all()


def test_interval_holds_the_auc_about_as_often_as_it_says() -> None:
    truth = 0.7142  # of two normal distributions 0.8 apart
    held = 0
    for seed in range(150):
        low, high = metrics.auc_interval(random_table(100, seed), seed, 200)
        held += low <= truth <= high
    assert 0.88 <= held / 150 <= 0.99


def test_threshold_has_the_largest_youden() -> None:
    predictions = random_table(60, 9)
    chosen = metrics.choose_threshold(predictions)
    found = metrics.evaluate(predictions, chosen, 1, 10)
    fpr, tpr, _ = roc_curve(predictions["label"], predictions["probability"])
    assert found["sensitivity"] + found["specificity"] - 1 == pytest.approx((tpr - fpr).max())


def test_threshold_lies_midway_between_the_classes() -> None:
    predictions = table([0, 0, 1, 1], [-3.0, -2.0, -1.0, 4.0])
    assert metrics.choose_threshold(predictions) == pytest.approx(expit([-2.0, -1.0]).mean())


def test_of_equal_thresholds_the_nearest_to_a_half_is_taken() -> None:
    predictions = table([0, 1, 0, 1], [-2.0, -1.0, 0.2, 2.0])
    assert metrics.choose_threshold(predictions) == pytest.approx(expit([0.2, 2.0]).mean())


def test_threshold_of_useless_predictions_calls_all_or_none() -> None:
    predictions = table([0, 1], [1.0, -1.0])
    called = predictions["probability"] >= metrics.choose_threshold(predictions)
    assert called.nunique() == 1


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_temperature_undoes_constructed_miscalibration(temperature: float) -> None:
    generator = np.random.default_rng(7)
    logit = generator.normal(scale=2, size=40_000)
    label = (generator.random(len(logit)) < expit(logit)).astype(int)
    found = metrics.fit_temperature(table(label, temperature * logit))
    assert found == pytest.approx(temperature, rel=0.05)


def test_temperature_ends_at_its_bounds() -> None:
    least, largest = metrics.TEMPERATURES
    assert metrics.fit_temperature(table([0, 1], [-1.0, 1.0])) == least
    assert metrics.fit_temperature(table([0, 1], [1.0, -1.0])) == largest


def test_roc_runs_from_corner_to_corner_with_the_rates_of_its_thresholds() -> None:
    predictions = random_table(40, 2, decimals=1)
    curve = metrics.roc(predictions)
    assert list(curve.columns) == ["fpr", "tpr", "threshold"]
    assert curve.iloc[0].tolist() == [0, 0, np.inf]
    assert curve.iloc[-1][["fpr", "tpr"]].tolist() == [1, 1]
    area = np.trapezoid(curve["tpr"], curve["fpr"])
    assert area == pytest.approx(roc_auc_score(predictions["label"], predictions["logit"]))
    positive = predictions.loc[predictions["label"] == 1, "probability"].to_numpy()
    called = positive[:, None] >= curve["threshold"].to_numpy() - 1e-12
    assert called.mean(axis=0) == pytest.approx(curve["tpr"].to_numpy())


@pytest.mark.parametrize(
    "measure",
    [
        lambda predictions: metrics.evaluate(predictions, 0.5, 1, 10),
        metrics.roc,
        metrics.choose_threshold,
        metrics.fit_temperature,
    ],
)
@pytest.mark.parametrize(
    "predictions",
    [
        table([1, 1], [0.0, 1.0]),
        table([0, 2], [0.0, 1.0]),
        table([], []),
        table([0, 1, np.nan], [0.0, 1.0, 2.0]),
        table([0, 1], [0.0, np.nan]),
        table([0, 1], [0.0, np.inf]),
        table([0, 1], [0.0, 1.0]).assign(probability=[0.5, 1.5]),
    ],
    ids=["one class", "label 2", "nothing", "no label", "nan", "infinite", "probability 1.5"],
)
def test_what_is_undefined_raises(
    measure: Callable[[pd.DataFrame], object], predictions: pd.DataFrame
) -> None:
    with pytest.raises(Explained):
        measure(predictions)


def test_interval_of_one_patient_raises() -> None:
    with pytest.raises(Explained, match="patients"):
        metrics.auc_interval(table([0, 1], [0.0, 1.0], [1, 1]), 1, 10)
