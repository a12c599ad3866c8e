import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.predicted import table

from retinopathy import calibration, intervals, operating, operating_tables, tables
from retinopathy.errors import Explained
from retinopathy.runs import Run
from retinopathy.study_tables import Evidence

RUN = Run("referable", "xception", 96, "imagenet", "head", 0.001, 0.0, 0.5, "holdout", 1)
PREVALENCES = [0.05, 0.2]


def predictions(seed: int, patients: int = 100, temperature: float = 1.0) -> pd.DataFrame:
    """Return both eyes of patients, whose true logits are the predicted ones over a temperature."""
    generator = np.random.default_rng(seed)
    label = generator.integers(2, size=2 * patients)
    # Of two normal distributions 1.5 apart; at equal shares this is the true logit.
    logit = 1.5 * (generator.normal(size=2 * patients) + 1.5 * label - 0.75)
    patient = [f"{seed}-{place}" for place in np.repeat(np.arange(patients), 2)]
    return table(label, temperature * logit, patient)


class Finals:
    """Final runs with what was frozen on their validation predictions."""

    def __init__(self) -> None:
        self.evidence: list[Evidence] = []
        self.frozen: dict[Run, Any] = {}
        self.validation: dict[Run, pd.DataFrame] = {}

    def add(
        self,
        known: pd.DataFrame,
        test: pd.DataFrame,
        outcome: str = "finished",
        **changes: Any,
    ) -> "Finals":
        run = dataclasses.replace(RUN, **changes)
        self.validation[run] = known
        self.frozen[run] = {"outcome": outcome}
        if outcome != "diverged":
            self.frozen[run] |= {
                "threshold": operating.choose_threshold(known),
                "temperature": calibration.fit_temperature(known),
                "points": operating.points(known),
            }
        record = {"starts_from": "imagenet", "outcome": outcome}
        threshold = self.frozen[run].get("threshold", 0.5)
        item = Evidence(
            "xception 96", run, record, pd.DataFrame(), test, threshold, self.frozen[run]
        )
        self.evidence.append(item)
        return self

    def points(self) -> pd.DataFrame:
        return operating_tables.points(self.evidence, PREVALENCES, 100)

    def calibrations(self, repetitions: int = 100) -> pd.DataFrame:
        return operating_tables.calibrations(
            self.evidence, self.validation, PREVALENCES, repetitions
        )


def test_a_row_per_point_with_names_for_people() -> None:
    found = Finals().add(predictions(1), predictions(2)).points()
    assert tuple(found.columns)[: len(operating_tables.POINTS)] == operating_tables.POINTS
    assert found["point"].to_list() == [
        operating_tables.YOUDEN,
        "sensitivity at specificity 0.90",
        "sensitivity at specificity 0.95",
        "specificity at sensitivity 0.90",
        "specificity at sensitivity 0.95",
    ]
    assert (found["n"] == 200).all()
    assert found["reason"].isna().all()


def test_rates_are_those_of_the_frozen_threshold_on_the_test_photographs() -> None:
    known, test = predictions(1), predictions(2)
    found = Finals().add(known, test).points().iloc[2]
    threshold = operating.threshold_for_specificity(known, 0.95)
    expected = intervals.evaluate(test, threshold, RUN.seed, 100)
    assert found["threshold"] == threshold
    for name in ("sensitivity", "specificity", "ppv", "npv"):
        for end in ("", "_low", "_high"):
            assert found[name + end] == pytest.approx(expected[name + end])


def test_predictive_values_at_stated_prevalences_follow_from_the_rates() -> None:
    found = Finals().add(predictions(1), predictions(2)).points()
    for share in PREVALENCES:
        true = share * found["sensitivity"]
        false = (1 - share) * (1 - found["specificity"])
        value = found[f"ppv_at_{share:g}"]
        assert value.to_numpy() == pytest.approx((true / (true + false)).to_numpy())
        assert (found[f"ppv_at_{share:g}_low"] < value).all()
        assert (value < found[f"ppv_at_{share:g}_high"]).all()


def test_wanted_rates_are_met_on_other_photographs_by_and_large() -> None:
    found = Finals().add(predictions(1, 4000), predictions(2, 4000)).points()
    assert found["specificity"].to_numpy()[1:3] == pytest.approx([0.9, 0.95], abs=0.02)
    assert found["sensitivity"].to_numpy()[3:5] == pytest.approx([0.9, 0.95], abs=0.02)


def test_an_undefined_point_has_its_reason_and_no_numbers() -> None:
    found = Finals().add(predictions(1, 8), predictions(2)).points()
    lost = found[found["reason"].notna()]
    assert "sensitivity at specificity 0.95" in lost["point"].to_list()
    assert lost["reason"].str.contains("too few").all()
    assert lost[["threshold", "sensitivity", "ppv", "ppv_at_0.05"]].isna().all(axis=None)
    assert (lost["n"] == 200).all()
    assert found["sensitivity"][0] > 0.5


def test_folds_are_judged_by_thresholds_of_their_own() -> None:
    finals = Finals()
    for fold, temperature in enumerate((1.0, 6.0)):
        known, test = (predictions(seed + fold, 500, temperature) for seed in (10, 20))
        finals.add(known, test, fold=str(fold))
    found = finals.points()
    assert (found["fold"] == "pooled").all()
    assert (found["n"] == 2000).all()
    assert found.loc[1, "specificity"] == pytest.approx(0.9, abs=0.03)
    limits = [operating.threshold_for_specificity(one, 0.9) for one in finals.validation.values()]
    assert found.loc[1, "threshold"] == pytest.approx(np.mean(limits))


def test_a_point_that_one_fold_lacks_is_undefined_and_names_the_fold() -> None:
    finals = Finals()
    for fold, patients in enumerate((100, 8)):
        finals.add(predictions(fold, patients), predictions(9 + fold), fold=str(fold))
    found = finals.points().iloc[2]
    assert found["point"] == "sensitivity at specificity 0.95"
    assert found["reason"].startswith("fold 1: ")
    assert np.isnan(found["threshold"])


def test_temperature_mends_what_is_too_sure() -> None:
    finals = Finals().add(predictions(1, 3000, 3.0), predictions(2, 3000, 3.0))
    found = finals.calibrations()
    assert tuple(found.columns) == operating_tables.CALIBRATION
    found = found.set_index("probabilities")
    before, after = found.loc["as predicted"], found.loc["temperature scaled"]
    assert before["temperature"] == 1
    assert after["temperature"] == pytest.approx(3, rel=0.1)
    assert after["ece"] < before["ece"] / 3
    assert after["brier_high"] < before["brier"]


def test_numbers_before_scaling_are_those_of_every_other_table() -> None:
    test = predictions(2)
    found = Finals().add(predictions(1), test).calibrations().iloc[0]
    expected = intervals.evaluate(test, 0.5, RUN.seed, 100)
    for name in ("brier", "ece"):
        for end in ("", "_low", "_high"):
            assert found[name + end] == pytest.approx(expected[name + end])
    assert found["probability"] == pytest.approx(test["probability"].mean())
    assert found["prevalence"] == pytest.approx(test["label"].mean())


def test_mean_of_corrected_probabilities_is_the_stated_prevalence() -> None:
    finals = Finals().add(predictions(1, 20_000), predictions(2, 20_000))
    found = finals.calibrations(20)
    corrected = found[found["probabilities"] == "corrected"]
    assert corrected["prevalence"].to_list() == PREVALENCES
    assert corrected["probability"].to_numpy() == pytest.approx(PREVALENCES, abs=0.006)
    assert corrected[["brier", "ece"]].isna().all(axis=None)


def test_folds_have_temperatures_of_their_own() -> None:
    finals = Finals()
    for fold, temperature in enumerate((1.0, 4.0)):
        known, test = (predictions(seed + fold, 1000, temperature) for seed in (10, 20))
        finals.add(known, test, fold=str(fold))
    found = finals.calibrations().iloc[1]
    assert found["temperature"] == pytest.approx(2.5, rel=0.1)
    assert found["ece"] < 0.03


def test_a_diverged_run_is_a_row_and_not_a_hole() -> None:
    empty = predictions(1).head(0)
    finals = Finals().add(empty, empty, "diverged").add(predictions(1), predictions(2), seed=2)
    for found, columns in (
        (finals.points(), operating_tables.POINTS),
        (finals.calibrations(), operating_tables.CALIBRATION),
    ):
        tables.check(found, columns, "table")
        assert (found["outcome"] == "diverged").sum() == 1
        assert found.loc[0, "n"] == 0
        assert (found["n"][1:] == 200).all()
    alone = Finals().add(empty, empty, "diverged")
    tables.check(alone.points(), operating_tables.POINTS, "points")
    assert alone.points()["reason"].to_list() == ["a run diverged"]


def test_a_case_of_which_one_fold_diverged_has_no_numbers() -> None:
    finals = Finals().add(predictions(1), predictions(2), fold="0")
    finals.add(predictions(1).head(0), predictions(2).head(0), "diverged", fold="1")
    assert finals.points()["n"].to_list() == [0]
    assert finals.calibrations()["brier"].isna().all()


def test_one_class_raises() -> None:
    finals = Finals().add(predictions(1), predictions(2).assign(label=1))
    with pytest.raises(Explained, match="two classes"):
        finals.points()
    with pytest.raises(Explained, match="two classes"):
        finals.calibrations()


def test_an_impossible_prevalence_raises() -> None:
    finals = Finals().add(predictions(1), predictions(2))
    with pytest.raises(Explained, match="prevalence"):
        operating_tables.points(finals.evidence, [5.0], 100)
