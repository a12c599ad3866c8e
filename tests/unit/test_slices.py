import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, recall_score, roc_auc_score

from retinopathy import intervals, manifest, metrics, slices, tables
from retinopathy.errors import Explained
from retinopathy.runs import Run
from retinopathy.study_tables import Evidence

RUN = Run("referable", "xception", 96, "imagenet", "head", 0.001, 0.0, 0.5, "holdout", 1)

PHOTOGRAPHS = 160


def predictions(seed: int = 1, photographs: int = PHOTOGRAPHS) -> pd.DataFrame:
    """Return both eyes of some patients, of all levels, the diseased higher."""
    generator = np.random.default_rng(seed)
    level = np.arange(photographs) % 5
    label = (level >= 2).astype(int)
    logit = generator.normal(size=photographs) + label
    patient = [str(place // 2) for place in range(photographs)]
    eye = np.where(np.arange(photographs) % 2, "right", "left")
    return pd.DataFrame(
        {
            "image": [f"{name}_{side}" for name, side in zip(patient, eye, strict=True)],
            "patient": patient,
            "level": level,
            "label": label,
            "split": "test",
            "logit": logit,
            "probability": 1 / (1 + np.exp(-logit)),
        }
    )


def photographs_of(predicted: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """Return a manifest of predicted photographs, with some columns as given."""
    rows = pd.DataFrame(dict.fromkeys(manifest.COLUMNS), index=range(len(predicted)))
    rows = rows.assign(
        image=predicted["image"],
        patient=predicted["patient"],
        eye=predicted["image"].str.partition("_")[2],
        level=predicted["level"],
        width=300,
        height=200,
        circle_found=True,
        quality="",
        status="ok",
    )
    texts = ("path", "sha256", "phash")
    return manifest.typed(rows.assign(**dict.fromkeys(texts, "")).assign(**columns))


def evidence(predicted: pd.DataFrame, threshold: float = 0.5, **changes: Any) -> Evidence:
    record = {"starts_from": "imagenet", "outcome": changes.pop("outcome", "finished")}
    run = dataclasses.replace(RUN, **changes)
    return Evidence("xception 96", run, record, pd.DataFrame(), predicted, threshold)


def table(predicted: pd.DataFrame, threshold: float = 0.5, **columns: Any) -> pd.DataFrame:
    """Return the slices of one run, indexed by kind and value."""
    photographs = photographs_of(predicted, **columns)
    found = slices.rows([evidence(predicted, threshold)], photographs, 200)
    assert tuple(found.columns) == slices.COLUMNS
    return found.set_index(["slice", "value"])


def row_of(found: pd.DataFrame, kind: str, value: str) -> pd.Series:
    return found.loc[[(kind, value)]].iloc[0]


def test_whole_split_has_the_metrics_and_intervals_of_every_other_table() -> None:
    predicted = predictions()
    row = row_of(table(predicted, 0.4), "all", "all")
    expected = intervals.evaluate(predicted, 0.4, RUN.seed, 200)
    for name in slices.METRICS:
        for end in ("", "_low", "_high"):
            assert row[name + end] == pytest.approx(expected[name + end])
    assert (row["n"], row["patients"], row["positives"]) == (160, 80, 96)
    assert (row["initialisation"], row["split"], row["fold"]) == ("imagenet", "test", "holdout")


def test_slices_agree_with_scikit_learn() -> None:
    predicted = predictions()
    found = table(predicted, 0.4).loc["eye"]
    assert found.index.to_list() == ["left", "right"]
    for side, row in found.iterrows():
        part = predicted[predicted["image"].str.endswith(str(side))]
        label, called = part["label"], part["probability"] >= 0.4
        assert (row["n"], row["positives"]) == (len(part), label.sum())
        assert row["auc"] == pytest.approx(roc_auc_score(label, part["logit"]))
        assert row["accuracy"] == pytest.approx(accuracy_score(label, called))
        assert row["sensitivity"] == pytest.approx(recall_score(label, called))
        assert row["specificity"] == pytest.approx(recall_score(label, called, pos_label=0))


def test_a_level_has_what_its_class_defines() -> None:
    found = table(predictions()).loc["level"]
    assert found.index.to_list() == ["0", "1", "2", "3", "4"]
    healthy = found["positives"] == 0
    assert healthy.to_list() == [True, True, False, False, False]
    for end in ("", "_low", "_high"):
        assert found["auc" + end].isna().all()
        assert (found["specificity" + end].notna() == healthy).all()
        assert (found["sensitivity" + end].notna() == ~healthy).all()
    rate = found["specificity"].fillna(found["sensitivity"])
    assert (found["accuracy"] == rate).all()
    assert (found["accuracy_low"] < found["accuracy"]).all()
    assert (found["accuracy"] < found["accuracy_high"]).all()


def test_slices_of_a_kind_are_all_photographs_once() -> None:
    quality = np.resize(["good", "usable", ""], PHOTOGRAPHS)
    found = table(predictions(), quality=quality)
    for kind in ("level", "camera size", "quality", "eye", "outline of the retina"):
        part = found.loc[kind]
        assert part["n"].sum() == PHOTOGRAPHS
        mean = np.average(part["accuracy"], weights=part["n"].astype(float))
        assert mean == pytest.approx(row_of(found, "all", "all")["accuracy"])
    assert set(found.loc["quality"].index) == {"good", "usable", "unknown"}


def test_a_patient_is_as_ill_as_the_worse_eye() -> None:
    predicted = predictions()
    row = row_of(table(predicted, 0.6), "patient", "worse eye")
    worse = predicted.groupby("patient")[["label", "logit", "probability"]].max().reset_index()
    expected = intervals.evaluate(worse, 0.6, 1, 2)
    assert (row["n"], row["patients"], row["positives"]) == (80, 80, worse["label"].sum())
    for name in slices.METRICS:
        assert row[name] == pytest.approx(expected[name])


def test_patients_who_are_all_diseased_have_a_sensitivity_only() -> None:
    predicted = predictions().assign(label=np.arange(PHOTOGRAPHS) % 2)
    row = row_of(table(predicted), "patient", "worse eye")
    assert row["n"] == row["positives"] == 80
    assert np.isnan([row["auc"], row["specificity"]]).all()
    assert row["sensitivity_low"] < row["sensitivity"] < row["sensitivity_high"]


def test_a_slice_of_one_patient_has_no_interval() -> None:
    camera = np.where(np.arange(PHOTOGRAPHS) // 2 == 1, 500, 300)  # eyes of levels 2 and 3
    row = row_of(table(predictions(), width=camera), "camera size", "500 × 200")
    assert (row["n"], row["patients"]) == (2, 1)
    assert row["sensitivity"] >= 0
    assert all(np.isnan(row[name + end]) for name in slices.METRICS for end in ("_low", "_high"))


def test_an_interval_is_that_of_the_slice_alone_by_and_large() -> None:
    predicted = predictions(3, 1200)
    found = slices.rows([evidence(predicted)], photographs_of(predicted), 1000)
    row = row_of(found.set_index(["slice", "value"]), "eye", "left")
    alone = intervals.evaluate(predicted[::2], 0.5, 1, 1000)
    for name in slices.METRICS:
        width = alone[f"{name}_high"] - alone[f"{name}_low"]
        assert row[f"{name}_low"] == pytest.approx(alone[f"{name}_low"], abs=width / 8)
        assert row[f"{name}_high"] == pytest.approx(alone[f"{name}_high"], abs=width / 8)


def test_rare_sizes_share_a_slice_and_the_commonest_come_first() -> None:
    width = np.repeat([*range(100, 900, 100)], 20)
    width[:3] = 800
    found = table(predictions(), width=width).loc["camera size"]
    equal = [f"{width} × 200" for width in (200, 300, 400, 500, 600)]
    assert found.index.to_list() == ["800 × 200", *equal, slices.OTHER]
    assert len(found) == slices.CAMERAS + 1
    assert found.loc[slices.OTHER, "n"] == 20 + 17


def test_sizes_are_those_of_usable_photographs_and_of_the_test_split() -> None:
    predicted = predictions()
    more = photographs_of(predictions(photographs=200), status=["ok"] * 180 + ["black"] * 20)
    more.loc[170:, "width"] = 900
    known = slices.traits(more)
    assert len(known) == 180
    found = slices.rows([evidence(predicted)], more, 100)
    assert found.loc[found["slice"] == "camera size", "value"].to_list() == ["300 × 200"]


def test_a_trait_that_no_photograph_has_is_no_slice() -> None:
    found = table(predictions(), circle_found=None, eye="")
    kinds = found.index.get_level_values("slice").unique()
    assert kinds.to_list() == ["all", "level", "camera size", "patient"]


def test_folds_are_pooled_with_thresholds_of_their_own_and_ranked_apart() -> None:
    first, second = predictions(1), predictions(2)
    second["image"], second["patient"] = "x" + second["image"], "x" + second["patient"]
    second["logit"] += 50
    both = pd.concat([first, second], ignore_index=True)
    folds = [evidence(first, 0.0, fold="0"), evidence(second, 1.1, fold="1")]
    found = slices.rows(folds, photographs_of(both), 100).set_index(["slice", "value"])
    assert (found["fold"] == "pooled").all()
    for row in (row_of(found, "all", "all"), row_of(found, "patient", "worse eye")):
        assert row["sensitivity"] == row["specificity"] == 0.5
    expected = metrics.auc(both.assign(fold=[0] * PHOTOGRAPHS + [1] * PHOTOGRAPHS))
    assert row_of(found, "all", "all")["auc"] == pytest.approx(expected)


def test_seeds_are_in_the_order_in_which_they_are_listed() -> None:
    predicted = predictions()
    given = [evidence(predicted, seed=seed) for seed in (3, 1)]
    found = slices.rows(given, photographs_of(predicted), 20)
    assert found["seed"].drop_duplicates().to_list() == [3, 1]


def test_a_diverged_run_is_a_row_and_not_a_hole() -> None:
    predicted = predictions()
    lost = evidence(predicted.head(0), outcome="diverged")
    found = slices.rows([lost], photographs_of(predicted), 100)
    tables.check(found, slices.COLUMNS, "slices")
    assert found[["outcome", "slice", "n"]].to_numpy().tolist() == [["diverged", "all", 0]]
    assert found["auc"].isna().all()


def test_photographs_that_the_manifest_does_not_know_raise() -> None:
    predicted = predictions()
    known = photographs_of(predicted, status=["black"] + ["ok"] * (PHOTOGRAPHS - 1))
    with pytest.raises(Explained, match="1 others, such as 0_left"):
        slices.rows([evidence(predicted)], known, 100)


def test_one_class_in_the_whole_split_raises() -> None:
    predicted = predictions().assign(label=1)
    with pytest.raises(Explained, match="two classes"):
        table(predicted)
