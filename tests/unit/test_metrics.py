import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
)
from tests.predicted import UNDEFINED, random_table, table

from retinopathy import metrics
from retinopathy.errors import Explained


def measured(predictions: pd.DataFrame, threshold: float = 0.5) -> dict[str, float]:
    found: dict[str, float] = {}
    for measure in (metrics.ranking(predictions), metrics.calls(predictions, threshold)):
        found |= {name: float(one) for name, one in metrics.value(predictions, measure).items()}
    return found


def test_metrics_of_four_photographs_by_hand() -> None:
    found = measured(table([0, 0, 1, 1], [-2.0, 1.0, 0.5, 3.0]))
    assert found["auc"] == pytest.approx(3 / 4)
    assert found["sensitivity"] == 1
    assert found["specificity"] == 0.5
    assert found["accuracy"] == found["balanced_accuracy"] == 0.75
    assert found["ppv"] == pytest.approx(2 / 3)
    assert found["npv"] == 1
    assert found["f1"] == pytest.approx(4 / 5)
    assert found["matthews"] == pytest.approx(1 / np.sqrt(3))
    assert found["average_precision"] == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize("decimals", [8, 0])
def test_samples_of_patients_agree_with_the_weights_of_scikit_learn(decimals: int) -> None:
    predictions = random_table(40, 3, decimals=decimals)
    label, logit = predictions["label"], predictions["logit"]
    called = predictions["probability"] >= 0.4
    counts = np.random.default_rng(2).integers(4, size=(5, 40))
    found = metrics.ranking(predictions)(counts) | metrics.calls(predictions, 0.4)(counts)
    for sample, weights in enumerate(np.repeat(counts, 2, axis=1)):
        expected = {
            "auc": roc_auc_score(label, logit, sample_weight=weights),
            "average_precision": average_precision_score(label, logit, sample_weight=weights),
            "accuracy": accuracy_score(label, called, sample_weight=weights),
            "balanced_accuracy": balanced_accuracy_score(label, called, sample_weight=weights),
            "sensitivity": recall_score(label, called, sample_weight=weights),
            "specificity": recall_score(label, called, pos_label=0, sample_weight=weights),
            "ppv": precision_score(label, called, sample_weight=weights),
            "npv": precision_score(label, called, pos_label=0, sample_weight=weights),
            "f1": f1_score(label, called, sample_weight=weights),
            "matthews": matthews_corrcoef(label, called, sample_weight=weights),
        }
        assert {name: values[sample] for name, values in found.items()} == pytest.approx(expected)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(1, 6), st.floats(0.05, 20))
def test_rankings_keep_under_what_keeps_the_order(seed: int, folds: int, factor: float) -> None:
    predictions = random_table(15, seed, decimals=1)
    predictions = predictions.assign(fold=np.arange(30) // 2 % folds)
    shifted = predictions.assign(
        logit=factor * predictions["logit"] + 100 * predictions["fold"],
    )
    try:
        before = metrics.value(predictions, metrics.ranking(predictions))
    except Explained:
        return
    after = metrics.value(shifted, metrics.ranking(shifted))
    assert after["auc"] == before["auc"]
    assert after["average_precision"] == before["average_precision"]


def test_pooled_rankings_are_means_of_those_of_the_folds() -> None:
    predictions = random_table(60, 5).assign(fold=np.repeat([0, 1, 1, 2, 2, 2], 20))
    parts = [part for _, part in predictions.groupby("fold")]
    positives = [part["label"].sum() for part in parts]
    pairs = [part["label"].sum() * (1 - part["label"]).sum() for part in parts]
    aucs = [roc_auc_score(part["label"], part["logit"]) for part in parts]
    precisions = [average_precision_score(part["label"], part["logit"]) for part in parts]
    found = measured(predictions)
    assert found["auc"] == pytest.approx(np.average(aucs, weights=pairs))
    assert found["auc"] == metrics.auc(predictions)
    assert found["average_precision"] == pytest.approx(np.average(precisions, weights=positives))


def test_threshold_per_row_is_applied_per_row() -> None:
    predictions = table([0, 1, 0, 1], [0.0, 0.1, 2.0, 2.1])
    measure = metrics.calls(predictions, expit(np.array([0.05, 0.05, 2.05, 2.05])))
    assert metrics.value(predictions, measure)["accuracy"] == 1


def test_threshold_itself_is_called_diseased() -> None:
    assert measured(table([0, 1], [-1.0, 0.0]))["sensitivity"] == 1


def test_saturated_probabilities_do_not_tie_the_ranking() -> None:
    predictions = table([0, 1], [50.0, 60.0])
    assert predictions["probability"].nunique() == 1
    assert metrics.auc(predictions) == 1


def test_who_calls_all_alike_has_no_predictive_value_of_the_other_call() -> None:
    found = measured(table([0, 1, 1], [1.0, 2.0, 3.0]))
    assert found["ppv"] == pytest.approx(2 / 3)
    assert np.isnan(found["npv"])
    assert found["matthews"] == 0
    assert found["balanced_accuracy"] == 0.5


def test_sample_without_a_class_has_no_auc() -> None:
    predictions = table([0, 1], [0.0, 1.0])
    found = metrics.ranking(predictions)(np.array([[2, 0], [0, 2], [1, 1]]))["auc"]
    assert np.isnan(found[:2]).all()
    assert found[2] == 1


@pytest.mark.parametrize("predictions", UNDEFINED.values(), ids=UNDEFINED)
def test_what_is_undefined_raises(predictions: pd.DataFrame) -> None:
    with pytest.raises(Explained):
        metrics.ranking(predictions)
    with pytest.raises(Explained):
        metrics.calls(predictions, 0.5)


def test_no_threshold_calls_nobody() -> None:
    with pytest.raises(Explained, match="without a threshold"):
        metrics.calls(table([0, 1], [0.0, 1.0]), [0.5, np.nan])
