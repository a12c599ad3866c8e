from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import norm
from sklearn.metrics import brier_score_loss
from tests.predicted import UNDEFINED, alike, random_table, table

from retinopathy import calibration, intervals, metrics
from retinopathy.errors import Explained

NAMES = [
    "auc",
    "average_precision",
    "accuracy",
    "balanced_accuracy",
    "sensitivity",
    "specificity",
    "ppv",
    "npv",
    "f1",
    "matthews",
    "brier",
    "ece",
]


def aucs(predictions: pd.DataFrame, seed: int, repetitions: int) -> metrics.Floats:
    measure = metrics.ranking(predictions)
    return intervals.bootstrap(predictions, measure, seed, repetitions)["auc"]


def test_every_metric_lies_between_its_bounds() -> None:
    predictions = random_table(80, 3)
    found = intervals.evaluate(predictions, 0.4, 1, 200)
    bounds = [f"{name}{end}" for name in NAMES for end in ("", "_low", "_high")]
    assert list(found) == ["n", *bounds]
    assert found["n"] == 160
    assert found["brier"] == pytest.approx(
        brier_score_loss(predictions["label"], predictions["probability"])
    )
    for name in NAMES:
        assert found[f"{name}_low"] < found[name] < found[f"{name}_high"]


def test_bootstrap_is_governed_by_its_seed() -> None:
    predictions = random_table(20, 1)
    first, again, other = (aucs(predictions, seed, 50) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_bootstrap_does_not_depend_on_how_it_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    predictions = table([0, 0, 1], [0.0, 2.0, 1.0])
    whole = aucs(predictions, 1, 431)
    monkeypatch.setattr(intervals, "_CELLS", 21)
    assert len(whole) == 431
    assert np.array_equal(whole, aucs(predictions, 1, 431))


def test_each_sample_has_as_many_patients_as_there_are() -> None:
    counts = intervals.resample(7, 100, np.random.default_rng(1))
    assert counts.shape == (100, 7)
    assert (counts.sum(axis=1) == 7).all()


def test_a_sample_has_the_metrics_of_the_table_that_it_stands_for() -> None:
    predictions = random_table(12, 8).assign(fold=np.repeat([0, 1], 12))
    counts = intervals.resample(12, 1, np.random.default_rng(5))
    drawn = [
        predictions.iloc[2 * patient : 2 * patient + 2]
        for patient, times in enumerate(counts[0])
        for _ in range(times)
    ]
    expected = intervals.evaluate(pd.concat(drawn), 0.4, 1, 2)
    measure = intervals.together(metrics.ranking(predictions), metrics.calls(predictions, 0.4))
    for name, values in measure(counts).items():
        assert values[0] == pytest.approx(expected[name]), name


def test_bootstrap_draws_patients_and_not_photographs() -> None:
    once = random_table(25, 4)
    copied = pd.concat([once] * 9, ignore_index=True)
    # Nine photographs of each eye say no more of the patients than one.
    one, nine = (intervals.evaluate(predictions, 0.5, 1, 100) for predictions in (once, copied))
    assert nine == pytest.approx(one | {"n": 450})
    apart = copied.assign(patient=np.arange(len(copied)).astype(str))
    free = intervals.evaluate(apart, 0.5, 1, 300)
    for name in NAMES[:-1]:
        assert free[f"{name}_high"] - free[f"{name}_low"] < 0.6 * (
            one[f"{name}_high"] - one[f"{name}_low"]
        )


def test_samples_without_a_class_are_drawn_again() -> None:
    values = aucs(table([0, 1], [0.0, 1.0]), 1, 300)
    assert len(values) == 300
    assert (values == 1).all()


def truths() -> dict[str, float]:
    """Return the metrics of `alike` with unlimited patients, at threshold 0.6."""
    cut = np.log(0.6 / 0.4)
    sensitivity, specificity = norm.sf(cut - 0.8), norm.cdf(cut)
    found, false, cleared, missed = sensitivity, 1 - specificity, specificity, 1 - sensitivity
    many = np.random.default_rng(1).normal(size=400_000)
    brier = (np.mean((expit(many + 0.8) - 1) ** 2) + np.mean(expit(many) ** 2)) / 2
    return {
        "auc": norm.cdf(0.8 / np.sqrt(2)),
        "accuracy": (sensitivity + specificity) / 2,
        "sensitivity": sensitivity,
        "specificity": specificity,
        "ppv": found / (found + false),
        "npv": cleared / (cleared + missed),
        "f1": 2 * found / (2 * found + false + missed),
        "matthews": (found * cleared - false * missed)
        / np.sqrt((found + false) * (cleared + missed)),
        "brier": brier,
    }


def held(repetitions: int, prepare: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.Series:
    """Return how often the interval of each metric holds the truth."""
    expected = truths()
    rows = []
    for seed in range(repetitions):
        found = intervals.evaluate(prepare(alike(100, seed)), 0.6, seed, 200)
        rows.append(
            {
                name: found[f"{name}_low"] <= truth <= found[f"{name}_high"]
                for name, truth in expected.items()
            }
        )
    return pd.DataFrame(rows).mean()


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    shares = held(200, lambda predictions: predictions)
    assert (shares > 0.90).all(), shares
    assert (shares < 0.985).all(), shares


def test_intervals_of_photographs_instead_of_patients_would_be_too_narrow() -> None:
    shares = held(80, lambda predictions: predictions.assign(patient=np.arange(200).astype(str)))
    assert shares.mean() < 0.90, shares


@pytest.mark.parametrize("temperature", [1.5, 3.0])
def test_interval_of_the_calibration_error_is_not_lifted_by_chance(temperature: float) -> None:
    def sharpened(patients: int, seed: int) -> pd.DataFrame:
        generator = np.random.default_rng(seed)
        true = np.repeat(1.2 * generator.normal(size=patients), 2)
        true += 0.9 * generator.normal(size=2 * patients)
        label = generator.random(2 * patients) < expit(true)
        patient = np.repeat(np.arange(patients), 2)
        return table(label.astype(int), temperature * true, patient)

    def found(predictions: pd.DataFrame, seed: int, repetitions: int) -> dict[str, float]:
        measure = calibration.errors(predictions)
        return intervals.with_intervals(predictions, measure, seed, repetitions)

    truth = found(sharpened(100_000, 999), 1, 2)["ece"]
    rows = [found(sharpened(150, seed), seed, 200) for seed in range(100)]
    assert np.mean([row["ece_low"] <= truth <= row["ece_high"] for row in rows]) > 0.85


def test_bounds_are_percentiles_or_their_mirror_image() -> None:
    samples = np.linspace(0, 1, 1001)
    value = np.asarray(0.3)
    assert intervals.bounds(samples, value) == pytest.approx((0.025, 0.975))
    assert intervals.bounds(samples, value, pivotal=True) == pytest.approx((0, 0.575))


def test_bounds_are_pointwise_and_absent_where_the_value_is() -> None:
    samples = np.column_stack([np.linspace(0, 1, 1001), np.linspace(1, 2, 1001)])
    low, high = intervals.bounds(samples, np.array([0.5, np.nan]))
    assert (low[0], high[0]) == pytest.approx((0.025, 0.975))
    assert np.isnan([low[1], high[1]]).all()


def test_who_calls_all_alike_has_no_interval_of_the_other_call() -> None:
    found = intervals.evaluate(table([0, 1, 1, 0], [1.0, 2.0, 3.0, 1.5]), 0.5, 1, 50)
    assert np.isnan([found["npv"], found["npv_low"], found["npv_high"]]).all()
    assert found["ppv"] == 0.5


@pytest.mark.parametrize("predictions", UNDEFINED.values(), ids=UNDEFINED)
def test_what_is_undefined_raises(predictions: pd.DataFrame) -> None:
    with pytest.raises(Explained):
        intervals.evaluate(predictions, 0.5, 1, 10)


def test_interval_of_one_patient_raises() -> None:
    with pytest.raises(Explained, match="patients"):
        intervals.evaluate(table([0, 1], [0.0, 1.0], [1, 1]), 0.5, 1, 10)
