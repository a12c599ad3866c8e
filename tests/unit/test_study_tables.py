import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

from retinopathy import study_tables, tables
from retinopathy.runs import Run
from retinopathy.study_tables import Evidence

RUN = Run("referable", "xception", 96, "imagenet", "head", 0.001, 0.0, 0.5, "holdout", 1)


def predictions(count: int, seed: int, shift: float) -> pd.DataFrame:
    """Return predictions whose logits are `shift` higher for the diseased."""
    random = np.random.default_rng(seed)
    label = np.arange(count) % 2
    logit = random.normal(size=count) + shift * label
    names = [f"{seed}{place}" for place in range(count)]
    return pd.DataFrame(
        {
            "image": [f"{name}_left" for name in names],
            "patient": names,
            "level": 4 * label,
            "label": label,
            "split": "validation",
            "logit": logit,
            "probability": 1 / (1 + np.exp(-logit)),
        }
    )


def evidence(case: str, shift: float, outcome: str = "finished", **changes: Any) -> Evidence:
    run = dataclasses.replace(RUN, **changes)
    record = {
        "starts_from": "imagenet",
        "outcome": outcome,
        "stop_reason": "all epochs done",
        "best_epoch": 2,
        "epochs_run": 3,
        "photographs": 60 + int(run.fold == "1"),
        "trainable_parameters": 2049,
        "seconds": 1.5,
    }
    columns = ("accuracy", "auc", "loss")
    history = pd.DataFrame({"epoch": [1, 2]})
    for number, name in enumerate([*columns, *(f"validation_{name}" for name in columns)]):
        history[name] = [number, number + 0.5]
    predicted = predictions(40, run.seed, shift)
    if outcome == "diverged":
        predicted = predicted.head(0)
    return Evidence(case, run, record, history, predicted, 0.5)


def test_a_row_per_case_and_seed_in_the_order_of_the_study() -> None:
    given = [evidence("b", 1, seed=1), evidence("b", 1, seed=2), evidence("a", 2, l2=0.1)]
    table = study_tables.rows(given, 100, "validation")
    assert table["case"].to_list() == ["b", "b", "a"]
    assert table["seed"].to_list() == [1, 2, 1]
    assert set(tables.METRICS) <= set(table.columns)
    assert (table["n"] == 40).all()


def test_folds_are_pooled_with_the_threshold_of_each() -> None:
    folds = [
        dataclasses.replace(evidence("a", 1, fold=str(fold), seed=1), threshold=threshold)
        for fold, threshold in enumerate((0.0, 1.1))
    ]
    folds[1] = dataclasses.replace(folds[1], predictions=predictions(60, 9, 1))
    table = study_tables.rows(folds, 100, "test")
    assert len(table) == 1
    assert table.loc[0, "fold"] == "pooled"
    assert table.loc[0, "n"] == 100
    # At threshold 0 all are called diseased, above 1 none: half of each fold is right.
    assert table.loc[0, "accuracy"] == pytest.approx(0.5)


def test_a_diverged_run_is_a_row_and_not_a_hole() -> None:
    table = study_tables.rows(
        [evidence("a", 1, "diverged"), evidence("b", 1, l2=0.1)], 100, "validation"
    )
    assert table["outcome"].to_list() == ["diverged", "finished"]
    assert table["n"].to_list() == [0, 40]
    assert table["auc"].isna().to_list() == [True, False]


def test_seeds_have_a_mean_and_a_spread() -> None:
    given = [evidence("a", shift, seed=seed) for seed, shift in ((1, 0.5), (2, 1.5), (3, 2.5))]
    given += [evidence("b", 1, "diverged", seed=4), evidence("b", 1, seed=5)]
    table = study_tables.rows(given, 100, "validation")
    first, second = study_tables.over_seeds(table).to_dict("records")
    aucs = table.loc[table["case"] == "a", "auc"]
    assert (first["seeds"], first["diverged"], first["n"]) == (3, 0, 40)
    assert first["auc_mean"] == pytest.approx(np.mean(aucs))
    assert first["auc_sd"] == pytest.approx(np.std(aucs, ddof=1))
    assert (second["seeds"], second["diverged"]) == (2, 1)
    assert second["auc_mean"] == table["auc"].iloc[-1]
    assert np.isnan(second["auc_sd"])


def test_the_recommendation_is_the_best_mean_over_seeds() -> None:
    given = [
        evidence("weak", 0.2, seed=1, rate=0.1),
        evidence("weak", 0.2, seed=2, rate=0.1),
        evidence("strong", 3, seed=1, rate=0.01),
        evidence("strong", 3, seed=2, rate=0.01),
    ]
    table = study_tables.rows(given, 100, "validation")
    advice = study_tables.recommendation("sweep", table, {"rate": 0.01, "l2": 0.5, "depth": None})
    assert advice["recommended"].to_list() == [0.01, 0.0, "head"]
    yes, untried, nothing = advice["followed"]
    assert (yes, nothing) == ("yes", "")
    assert untried == "no: the study did not try what is configured"
    other = study_tables.recommendation("sweep", table, {"rate": 0.1})
    assert other["followed"].item() == "no"
    tables.check(advice, tables.RECOMMENDATION, "recommendation")


def test_a_recommendation_says_how_far_it_leads() -> None:
    def reason(*given: Evidence) -> str:
        table = study_tables.rows(given, 100, "validation")
        return str(study_tables.recommendation("sweep", table, {"rate": 0.01})["reason"][0])

    alone, equal = evidence("a", 3, rate=0.1), evidence("b", 3, rate=0.01)
    assert "ahead" not in reason(alone)
    assert "the first of equals, with b" in reason(alone, equal)
    assert "ahead of weak" in reason(alone, evidence("weak", 0.2, rate=0.01))


def test_nothing_is_recommended_when_all_runs_diverged() -> None:
    table = study_tables.rows([evidence("a", 1, "diverged")], 100, "validation")
    advice = study_tables.recommendation("sweep", table, {"rate": 0.01})
    assert advice["recommended"].isna().all()
    assert "diverged" in advice["reason"].to_list()[0]


def test_a_case_of_which_a_seed_diverged_is_not_recommended() -> None:
    given = [
        evidence("fragile", 3, seed=1, rate=0.1),
        evidence("fragile", 3, "diverged", seed=2, rate=0.1),
        evidence("sound", 0.5, seed=1, rate=0.01),
        evidence("sound", 0.5, seed=2, rate=0.01),
    ]
    best = study_tables.best(study_tables.rows(given, 100, "validation"))
    assert best is not None
    assert best["case"] == "sound"


def test_pooled_folds_are_ranked_within_themselves() -> None:
    def auc(offset: float) -> float:
        folds = []
        for fold in (0, 1):
            one = evidence("a", 1, fold=str(fold), seed=1)
            table = predictions(60, fold, 1)
            folds.append(
                dataclasses.replace(
                    one, predictions=table.assign(logit=table["logit"] + offset * fold)
                )
            )
        return float(study_tables.rows(folds, 100, "test")["auc"].to_list()[0])

    assert auc(0) == pytest.approx(auc(50))


def test_curves_are_long_and_complete() -> None:
    curves = study_tables.curves("sweep", [evidence("a", 1), evidence("b", 1)])
    assert tuple(curves.columns) == tables.CURVES
    assert len(curves) == 2 * 2 * 2
    chosen = curves[(curves["case"] == "a") & (curves["split"] == "validation")]
    assert chosen["loss"].to_list() == [5, 5.5]
