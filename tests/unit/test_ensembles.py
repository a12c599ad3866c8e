import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from retinopathy import display, ensembles, intervals, operating, tables
from retinopathy.errors import Explained
from retinopathy.runs import Run
from retinopathy.study_tables import Evidence, grouped

RUN = Run("referable", "xception", 224, "imagenet", "block14", 0.001, 0.0, 0.5, "holdout", 1)


def predictions(seed: int, split: str, fold: str = "holdout", noise: int = 0) -> pd.DataFrame:
    """Return photographs of a split and fold; `noise` numbers what a network gets wrong."""
    name = f"{split}-{fold}"
    truth = np.random.default_rng([seed, len(split), sum(map(ord, fold))])
    wrong = np.random.default_rng([seed, len(split), sum(map(ord, fold)), noise])
    label = truth.integers(2, size=120)
    score = truth.normal(size=120) * 0.5 + 1.2 * (label - 0.5) + wrong.normal(size=120)
    patient = [f"{name}-{place // 2}" for place in range(120)]
    image = [f"{one}_{place % 2}" for place, one in enumerate(patient)]
    return pd.DataFrame(
        {
            "image": image,
            "patient": patient,
            "level": 4 * label,
            "label": label,
            "split": split,
            "logit": score,
            "probability": expit(score),
        }
    )


class Finals:
    """Final runs with their predictions of both splits."""

    def __init__(self) -> None:
        self.evidence: list[Evidence] = []
        self.frozen: dict[Run, Any] = {}
        self.validation: dict[Run, pd.DataFrame] = {}

    def add(self, network: str, size: int, outcome: str = "finished", **changes: Any) -> "Finals":
        run = dataclasses.replace(RUN, network=network, size=size, **changes)
        noise = len(self.evidence)
        test, known = (predictions(7, one, run.fold, noise) for one in ("test", "validation"))
        self.frozen[run] = {"temperature": 1.0}
        if outcome == "diverged":
            test, known, self.frozen[run] = test.head(0), known.head(0), {"outcome": outcome}
        self.validation[run] = known
        record = {"starts_from": changes.get("initialisation", "imagenet"), "outcome": outcome}
        name = f"{network} {size}"
        self.evidence.append(Evidence(name, run, record, pd.DataFrame(), test, 0.5))
        return self

    def names(self) -> list[str]:
        return [name for name, _ in ensembles.ensembles(grouped(self.evidence))]

    def rows(self) -> pd.DataFrame:
        test = [dataclasses.replace(item, frozen=self.frozen[item.run]) for item in self.evidence]
        known = [dataclasses.replace(item, predictions=self.validation[item.run]) for item in test]
        return ensembles.rows(test, ensembles.thresholds(known), 100)


def members(*logits: list[float]) -> list[pd.DataFrame]:
    image = [str(place) for place in range(len(logits[0]))]
    label = np.arange(len(image)) % 2
    return [
        pd.DataFrame({"image": image, "fold": "0", "label": label, "logit": one}) for one in logits
    ]


def test_probability_is_the_mean_of_the_members() -> None:
    found = ensembles.combined(members([0.0, 2.0], [1.0, -3.0], [-2.0, 0.5]))
    expected = expit([[0.0, 2.0], [1.0, -3.0], [-2.0, 0.5]]).mean(axis=0)
    assert found["probability"].to_numpy() == pytest.approx(expected)
    assert found["logit"].to_numpy() == pytest.approx(logit(expected))


def test_an_ensemble_of_equals_is_its_member_also_where_probabilities_saturate() -> None:
    logits = [-800.0, -3.0, 0.0, 60.0, 900.0]
    found = ensembles.combined(members(logits, logits))
    assert found["logit"].to_numpy() == pytest.approx(logits)


def test_ranking_does_not_saturate() -> None:
    found = ensembles.combined(members([50.0, 60.0, 70.0], [51.0, 61.0, 71.0]))
    assert found["probability"].nunique() == 1
    assert found["logit"].is_monotonic_increasing
    assert np.isfinite(found["logit"]).all()


def test_members_are_matched_by_fold_and_image_and_not_by_place() -> None:
    one, other = members([0.0, 2.0, 1.0, 3.0], [4.0, -1.0, 0.0, 1.0])
    one["image"], one["fold"] = ["a", "b", "a", "b"], ["0", "0", "1", "1"]
    other["image"], other["fold"] = one["image"], one["fold"]
    straight = ensembles.combined([one, other])
    turned = ensembles.combined([one, other.iloc[::-1]])
    assert straight.equals(turned)
    assert straight["image"].to_list() == ["a", "b", "a", "b"]


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.head(1),
        lambda table: table.assign(image=["0", "x"]),
        lambda table: table.assign(image=["0", "0"]),
        lambda table: table.assign(fold="1"),
        lambda table: table.assign(label=1 - table["label"]),
    ],
    ids=["fewer", "other", "twice", "other fold", "other label"],
)
def test_members_of_other_photographs_raise(
    change: Callable[[pd.DataFrame], pd.DataFrame],
) -> None:
    one, other = members([0.0, 2.0], [1.0, -3.0])
    for pair in ([one, change(other)], [change(other), one]):
        with pytest.raises(Explained, match="different photographs"):
            ensembles.combined(pair)


def test_every_wanted_ensemble_is_made_once() -> None:
    finals = Finals()
    for network in ("xception", "densenet169"):
        for size in (224, 448):
            for seed in (1, 2):
                finals.add(network, size, seed=seed)
    assert finals.names() == [
        *["all networks, 224"] * 2,
        *["all networks, 448"] * 2,
        *["xception, all sizes"] * 2,
        *["densenet169, all sizes"] * 2,
        *["all networks and sizes"] * 2,
        "xception 224, all seeds",
        "xception 448, all seeds",
        "densenet169 224, all seeds",
        "densenet169 448, all seeds",
    ]
    table = finals.rows()
    assert len(table) == 14
    seeds = table.loc[table["case"] == "xception 224, all seeds"].iloc[0]
    assert seeds["members"] == "xception 224 (seed 1); xception 224 (seed 2)"
    assert (seeds["network"], seeds["size"]) == ("xception", 224)
    assert pd.isna(seeds["seed"])


def test_one_network_and_one_seed_have_one_ensemble() -> None:
    assert Finals().add("xception", 224).add("xception", 448).names() == ["xception, all sizes"]
    assert Finals().add("xception", 224).names() == []


def test_tasks_are_not_mixed() -> None:
    finals = Finals().add("xception", 224).add("xception", 448, task="extremes")
    assert finals.names() == []


def test_row_is_that_of_the_mean_at_a_threshold_of_its_own_validation() -> None:
    finals = Finals().add("xception", 224).add("densenet169", 224, depth="conv5")
    test, known = (
        ensembles.combined([one.assign(fold="holdout") for one in split])
        for split in ([item.predictions for item in finals.evidence], finals.validation.values())
    )
    threshold = operating.choose_threshold(known)
    expected = intervals.evaluate(test, threshold, 1, 100)
    table = finals.rows()
    assert set(ensembles.COLUMNS) <= set(table.columns)
    row = table.iloc[0]
    assert row["threshold"] == threshold
    assert {name: row[name] for name in expected} == pytest.approx(expected)
    assert row[["method", "fold", "split", "initialisation", "seed"]].to_list() == [
        "ensemble",
        "holdout",
        "test",
        "imagenet",
        1,
    ]
    assert row[["network", "depth"]].isna().all()


def test_independent_errors_cancel() -> None:
    finals = Finals()
    for network in ("xception", "densenet169", "inception_v3", "vgg16", "resnet50"):
        finals.add(network, 224)
    alone = [
        roc_auc_score(item.predictions["label"], item.predictions["logit"])
        for item in finals.evidence
    ]
    assert finals.rows().loc[0, "auc"] > max(alone)


def test_a_member_that_is_too_sure_counts_no_more_than_its_temperature_allows() -> None:
    finals = Finals().add("xception", 224).add("densenet169", 224)
    before = finals.rows()
    loud = finals.evidence[1]
    sharper = loud.predictions.assign(logit=8 * loud.predictions["logit"])
    finals.evidence[1] = dataclasses.replace(loud, predictions=sharper)
    known = finals.validation[loud.run]
    finals.validation[loud.run] = known.assign(logit=8 * known["logit"])
    finals.frozen[loud.run] = {"temperature": 8.0}
    pd.testing.assert_frame_equal(finals.rows(), before)


def test_folds_have_thresholds_of_their_own() -> None:
    finals = Finals()
    for network in ("xception", "densenet169"):
        for fold in ("0", "1"):
            finals.add(network, 224, fold=fold)
    row = finals.rows().iloc[0]
    assert (row["fold"], row["n"]) == ("pooled", 240)
    thresholds = []
    for place in (0, 1):
        pair = [finals.validation[finals.evidence[one].run] for one in (place, 2 + place)]
        known = ensembles.combined([one.assign(fold="x") for one in pair])
        thresholds.append(operating.choose_threshold(known))
    assert row["threshold"] == pytest.approx(np.mean(thresholds))


def test_a_diverged_member_is_left_out_and_named() -> None:
    finals = Finals().add("xception", 224).add("densenet169", 224)
    expected = finals.rows()
    row = finals.add("inception_v3", 224, "diverged").rows().iloc[0]
    assert row["left_out"] == "inception_v3 224 (seed 1)"
    assert row["members"] == expected.loc[0, "members"]
    assert row["auc"] == expected.loc[0, "auc"]


def test_a_case_with_one_diverged_fold_is_left_out() -> None:
    finals = Finals()
    for network in ("xception", "densenet169", "inception_v3"):
        for fold in ("0", "1"):
            lost = (network, fold) == ("inception_v3", "1")
            finals.add(network, 224, "diverged" if lost else "finished", fold=fold)
    row = finals.rows().iloc[0]
    assert row["left_out"] == "inception_v3 224 (seed 1)"
    assert row["n"] == 240


def test_fewer_than_two_members_are_no_ensemble() -> None:
    table = Finals().add("xception", 224).add("densenet169", 224, "diverged").rows()
    assert table.empty
    tables.check(table, ensembles.COLUMNS, "ensembles")
    assert display.markdown(table).strip() == ""
    assert Finals().rows().empty


def test_initialisations_of_all_members_are_shown() -> None:
    finals = Finals().add("xception", 224).add("densenet169", 224, initialisation="random_all")
    assert finals.rows().loc[0, "initialisation"] == "imagenet; random_all"
