from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve
from tests.predicted import UNDEFINED, alike, random_table, table

from retinopathy import curves, metrics
from retinopathy.errors import Explained


@pytest.mark.parametrize("decimals", [8, 1])
def test_curves_on_the_grid_are_those_of_scikit_learn(decimals: int) -> None:
    predictions = random_table(100, 6, decimals=decimals)
    label, logit = predictions["label"], predictions["logit"]
    fpr, tpr, _ = roc_curve(label, logit, drop_intermediate=False)
    band = curves.roc_band(predictions, 1, 20)
    for across, up in band[["fpr", "tpr"]].to_numpy():
        before, after = fpr <= across + 1e-12, fpr > across + 1e-12
        assert tpr[before].max() - 1e-12 <= up <= tpr[after].min(initial=1) + 1e-12
    precision, recall, _ = precision_recall_curve(label, logit)
    found = curves.precision_recall_band(predictions, 1, 20)
    for across, up in found[["recall", "precision"]].to_numpy():
        # Recalls descend: the last that suffices belongs to the highest threshold.
        assert up == pytest.approx(precision[recall >= across - 1e-12][-1])


@pytest.mark.parametrize("folds", [1, 4])
def test_areas_are_the_metrics_of_the_tables(folds: int) -> None:
    predictions = random_table(1000, 4).assign(fold=np.arange(2000) // 2 % folds)
    # Models of different folds put their logits anywhere.
    predictions["logit"] = predictions["logit"] + 5 * predictions["fold"]
    expected = metrics.value(predictions, metrics.ranking(predictions))
    roc = curves.roc_band(predictions, 1, 10)
    assert np.trapezoid(roc["tpr"], roc["fpr"]) == pytest.approx(expected["auc"], abs=0.003)
    ranked = curves.precision_recall_band(predictions, 1, 10)
    assert ranked["precision"].mean() == pytest.approx(expected["average_precision"], abs=0.003)


def test_bands_hold_their_curve_and_end_where_it_must() -> None:
    predictions = random_table(100, 4)
    roc = curves.roc_band(predictions, 1, 300)
    assert list(roc.columns) == ["fpr", "tpr", "tpr_low", "tpr_high"]
    assert roc["tpr"].is_monotonic_increasing
    assert roc["tpr"].between(roc["tpr_low"], roc["tpr_high"]).all()
    assert roc.iloc[-1].tolist() == [1, 1, 1, 1]
    ranked = curves.precision_recall_band(predictions, 1, 300)
    assert list(ranked.columns) == ["recall", "precision", "precision_low", "precision_high"]
    inner = ranked[ranked["recall"].between(0.2, 1)]
    assert inner["precision"].between(inner["precision_low"], inner["precision_high"]).all()
    assert ranked["precision"].iloc[-1] >= predictions["label"].mean()


def test_band_holds_the_true_curve_about_as_often_as_it_says() -> None:
    held = []
    for seed in range(120):
        band = curves.roc_band(alike(100, seed), seed, 150).iloc[20:80:20]
        truth = norm.cdf(norm.ppf(band["fpr"]) + 0.8)
        held.append(((band["tpr_low"] <= truth) & (truth <= band["tpr_high"])).mean())
    assert 0.90 < np.mean(held) < 0.99


def test_perfect_predictions_have_perfect_curves() -> None:
    predictions = table([0, 0, 1, 1], [-2.0, -1.0, 1.0, 2.0])
    assert (curves.roc_band(predictions, 1, 10)["tpr_low"] == 1).all()
    assert (curves.precision_recall_band(predictions, 1, 10)["precision_low"] == 1).all()


def test_a_fold_of_one_class_has_no_weight_in_the_roc_curve() -> None:
    predictions = random_table(20, 3)
    more = table([1, 1], [-9.0, -9.0], ["x", "y"])
    pooled = pd.concat([predictions.assign(fold=0), more.assign(fold=1)], ignore_index=True)
    alone, together = (curves.roc_band(one, 1, 10)["tpr"] for one in (predictions, pooled))
    assert alone.to_numpy() == pytest.approx(together.to_numpy())


def test_confusion_matrix_is_that_of_scikit_learn() -> None:
    predictions = random_table(40, 2)
    found = curves.confusion(predictions, 0.6)
    expected = confusion_matrix(predictions["label"], predictions["probability"] >= 0.6)
    for label, called, n in found[["label", "called", "n"]].to_numpy():
        assert n == expected[int(label), int(called)]
    assert found["n"].sum() == 80
    assert found.groupby("label")["share"].sum().to_list() == [1, 1]
    rates = metrics.value(predictions, metrics.calls(predictions, 0.6))
    shares = found.set_index(["label", "called"])["share"]
    assert shares[1, 1] == pytest.approx(rates["sensitivity"])
    assert shares[0, 0] == pytest.approx(rates["specificity"])


@pytest.mark.parametrize(
    "make",
    [
        lambda predictions: curves.roc_band(predictions, 1, 10),
        lambda predictions: curves.precision_recall_band(predictions, 1, 10),
        lambda predictions: curves.confusion(predictions, 0.5),
    ],
)
@pytest.mark.parametrize("predictions", UNDEFINED.values(), ids=UNDEFINED)
def test_what_is_undefined_raises(
    make: Callable[[pd.DataFrame], object], predictions: pd.DataFrame
) -> None:
    with pytest.raises(Explained):
        make(predictions)
