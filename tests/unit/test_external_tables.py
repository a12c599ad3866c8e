import dataclasses
import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, roc_auc_score
from tests.predicted import alike, table

from retinopathy import external_tables, intervals, tables
from retinopathy.files import write_json
from retinopathy.runs import Run
from retinopathy.study_tables import Evidence

ROOT = Path(__file__).parents[2]
RUN = Run("referable", "xception", 96, "imagenet", "head", 0.001, 0.0, 0.5, "holdout", 1)
RECORD = {"starts_from": "imagenet", "outcome": "finished"}


def predictions(seed: int, patients: int = 40, sure: float = 1.0) -> pd.DataFrame:
    """Return the predictions of the photographs of a set by a model that is more or less sure."""
    drawn = alike(patients, 0)
    noise = np.random.default_rng(seed).normal(size=len(drawn))
    made = table(drawn["label"], sure * (drawn["logit"] + noise), drawn["patient"])
    return made.assign(image=[f"photograph{place}" for place in range(len(made))])


def item(
    predicted: pd.DataFrame, threshold: float = 0.5, outcome: str = "finished", **changes: Any
) -> Evidence:
    run = dataclasses.replace(RUN, **changes)
    record = RECORD | {"outcome": outcome}
    return Evidence("xception 96", run, record, pd.DataFrame(), predicted, threshold)


def rows(items: Sequence[Evidence], temperature: float = 1.0) -> pd.DataFrame:
    known = [dataclasses.replace(one, frozen={"temperature": temperature}) for one in items]
    return external_tables.rows({"outside": known}, 200)


def test_metrics_are_those_of_the_frozen_threshold() -> None:
    predicted = predictions(1)
    (found,) = rows([item(predicted, threshold=0.7)]).to_dict("records")
    expected = intervals.evaluate(predicted, 0.7, RUN.seed, 200)
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert (found["set"], found["split"], found["fold"]) == ("outside", "external", "holdout")
    assert (found["n"], found["positives"]) == (80, predicted["label"].sum())
    assert found["threshold"] == 0.7
    assert pd.isna(found["reason"])


def test_every_metric_has_a_column() -> None:
    measured = intervals.evaluate(predictions(1), 0.5, 1, 10)
    assert set(measured) <= set(external_tables.COLUMNS)
    assert set(tables.METRICS) <= set(external_tables.COLUMNS)
    assert len(set(external_tables.COLUMNS)) == len(external_tables.COLUMNS)


def test_every_photograph_counts_once_however_many_models_predict_it() -> None:
    folds = [predictions(seed) for seed in range(3)]
    thresholds = (0.3, 0.5, 0.7)
    (found,) = rows(
        [item(one, thresholds[place], fold=str(place)) for place, one in enumerate(folds)]
    ).to_dict("records")
    assert (found["n"], found["fold"]) == (80, "pooled")
    assert found["positives"] == folds[0]["label"].sum()
    aucs = [roc_auc_score(one["label"], one["logit"]) for one in folds]
    assert found["auc"] == pytest.approx(np.mean(aucs))
    right = [
        ((one["probability"] >= threshold) == one["label"]).mean()
        for one, threshold in zip(folds, thresholds, strict=True)
    ]
    assert found["accuracy"] == pytest.approx(np.mean(right))
    assert found["threshold"] == pytest.approx(0.5)


def test_models_that_agree_are_no_more_certain_together() -> None:
    one = rows([item(predictions(1))])
    three = rows([item(predictions(1), fold=str(fold)) for fold in range(3)])
    names = [name for name in external_tables.COLUMNS if name.endswith(("_low", "_high"))]
    for name in ["n", "auc", "brier", *names]:
        assert three[name].iloc[0] == pytest.approx(one[name].iloc[0]), name
    assert one["auc_low"].iloc[0] < one["auc"].iloc[0] < one["auc_high"].iloc[0]


def test_a_frozen_temperature_mends_probabilities_that_are_too_sure() -> None:
    predicted = predictions(1, sure=6.0)
    (found,) = rows([item(predicted)], temperature=6.0).to_dict("records")
    calm = 1 / (1 + np.exp(-predicted["logit"] / 6))
    assert found["brier_scaled"] == pytest.approx(brier_score_loss(predicted["label"], calm))
    assert found["brier"] == pytest.approx(
        brier_score_loss(predicted["label"], predicted["probability"])
    )
    assert found["brier_scaled"] < found["brier"]
    assert found["ece_scaled"] < found["ece"]
    assert found["brier_scaled_low"] < found["brier_scaled"] < found["brier_scaled_high"]


ALL = predictions(1)


@pytest.mark.parametrize(
    ("predicted", "reason"),
    [
        (ALL[ALL["label"] == 1], "no healthy photographs"),
        (ALL[ALL["label"] == 0], "no diseased photographs"),
        (ALL.head(0), "no photographs of the task's levels"),
        (ALL.assign(patient="1"), "one patient only"),
    ],
    ids=["diseased", "healthy", "none", "one patient"],
)
def test_what_has_no_metrics_has_a_reason(predicted: pd.DataFrame, reason: str) -> None:
    found = rows([item(predicted, fold=str(fold)) for fold in range(2)])
    assert found["reason"].to_list() == [reason]
    assert found["n"].to_list() == [len(predicted)]
    assert found["initialisation"].to_list() == ["imagenet"]
    for name in ("auc", "auc_low", "accuracy", "brier", "ece_scaled"):
        assert found[name].isna().all()


def test_a_case_of_which_a_run_diverged_has_no_numbers() -> None:
    lost = item(ALL.head(0), outcome="diverged", fold="1")
    found = rows([item(ALL, fold="0"), lost])
    assert found["reason"].to_list() == ["a run diverged"]
    assert found["n"].to_list() == [0]
    assert found["auc"].isna().all()


def test_a_row_per_set_task_case_and_seed_in_their_order() -> None:
    items = [
        item(ALL, seed=seed, task=task) for task in ("referable", "extremes") for seed in (1, 2)
    ]
    known = [dataclasses.replace(one, frozen={"temperature": 1.0}) for one in items]
    found = external_tables.rows({"b": known, "a": known}, 10)
    keys = found[["set", "task", "seed"]].astype(str).agg("-".join, axis=1)
    assert keys.to_list() == [
        f"{name}-{task}-{seed}"
        for name in "ba"
        for task in ("referable", "extremes")
        for seed in (1, 2)
    ]


def test_without_sets_the_table_is_its_header(tmp_path: Path) -> None:
    main: Any = runpy.run_path(str(ROOT / "workflow_scripts/external_table.py"))["main"]
    written = (tmp_path / "external.csv", tmp_path / "external.md")
    main([], [], [], {}, [], 100, *written)
    found = tables.read(written[0], external_tables.COLUMNS)
    assert found.empty
    assert tuple(found.columns) == external_tables.COLUMNS


def test_the_script_matches_predictions_to_their_runs(tmp_path: Path) -> None:
    main: Any = runpy.run_path(str(ROOT / "workflow_scripts/external_table.py"))["main"]
    cases, paths = [], {"records": [], "histories": [], "operating": [], "a": [], "b": []}  # type: ignore[var-annotated]
    for fold in range(2):
        cases.append(("xception 96", dataclasses.replace(RUN, fold=str(fold)).address))
        for name, known in paths.items():
            known.append(tmp_path / f"{name}-{fold}")
        write_json(paths["records"][-1], RECORD)
        write_json(paths["operating"][-1], {"threshold": 0.2 + fold / 2, "temperature": 2.0})
        pd.DataFrame({"epoch": [1]}).to_csv(paths["histories"][-1], index=False)
        for place, name in enumerate("ab"):
            predicted = predictions(10 * place + fold).assign(level=0, split="external")
            predicted = predicted.head(80 - 20 * place)
            predicted[list(tables.PREDICTIONS)].to_csv(paths[name][-1], index=False)
    written = (tmp_path / "external.csv", tmp_path / "external.md")
    sets = {name: paths.pop(name) for name in "ab"}
    main(cases, paths["records"], paths["histories"], sets, paths["operating"], 50, *written)
    found = tables.read(written[0], external_tables.COLUMNS)
    assert found["set"].to_list() == ["a", "b"]
    assert found["n"].to_list() == [80, 60]
    assert found["threshold"].to_list() == pytest.approx([0.45, 0.45])
    assert found["auc"].notna().all()
    assert "xception" in written[1].read_text()
