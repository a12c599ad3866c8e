import pandas as pd
import pytest
from tests.measured import baseline, metric, metrics

from retinopathy import wording


def test_a_difference_has_its_sign_and_nothing_has_a_plus() -> None:
    assert [wording.signed(value) for value in (0.01234, -0.5, -0.0001, 0.0)] == [
        "+0.012",
        "−0.500",
        "+0.000",
        "+0.000",
    ]


@pytest.mark.parametrize(
    ("say", "value", "known", "unknown"),
    [
        (wording.interval, 0.75, "0.750 (0.650 to 0.850)", "0.750 (no interval)"),
        (wording.shift, 0.05, "+0.050 (−0.050 to +0.150)", "+0.050 (no interval)"),
        (wording.percent, 0.8, "80 % (70 to 90 %)", "80 % (no interval)"),
    ],
)
def test_an_absent_interval_is_said(say: object, value: float, known: str, unknown: str) -> None:
    row = pd.Series({"auc": value, "auc_low": value - 0.1, "auc_high": value + 0.1})
    assert callable(say)
    assert say(row, "auc") == known
    assert say(row.mask(row.index != "auc"), "auc") == unknown


def test_things_are_counted_and_listed() -> None:
    assert wording.counted(1, "run") == "1 run"
    assert wording.counted(0, "run") == "0 runs"
    assert [wording.listed(list(items)) for items in ("a", "ab", "abc")] == [
        "a",
        "a and b",
        "a, b and c",
    ]


def test_several_seeds_are_a_mean_with_its_deviation() -> None:
    rows = metrics(metric("a 96", 0.7, seed=3), metric("a 96", 0.9, seed=4))
    assert wording.reached(rows.head(1)) == "0.700 (0.600 to 0.800)"
    said = wording.reached(rows)
    assert said.startswith("0.800 as the mean of 2 seeds")
    assert "deviation is 0.141" in said
    assert "first has 0.700 (0.600 to 0.800)" in said


def test_a_model_is_called_by_its_network_or_its_method() -> None:
    rows = metrics(
        metric("xception 96", 0.7), baseline("svm", 0.5), baseline("knn", 0.5, "features")
    )
    assert [wording.model(row) for _, row in rows.iterrows()] == [
        "xception at 96 px",
        "support vector machine",
        "k nearest neighbours on the features of xception",
    ]


@pytest.mark.parametrize(
    ("p", "said"),
    [(0.0157, "= 0.016"), (1.0, "= 1.000"), (0.00099, "< 0.001"), (float("nan"), "undefined")],
)
def test_a_p_is_said_with_its_sign(p: float, said: str) -> None:
    assert wording.p_value(p) == said
