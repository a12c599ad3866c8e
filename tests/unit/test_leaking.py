"""The control that ignores patients: the same photographs, dealt one by one, and said to be so."""

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2_contingency
from tests.labelled import EXTREMES, REFERABLE, patients
from tests.predicted import random_table

import leak_fellow_eyes
import leakage_table
import split
from retinopathy import leaking, parts, splits, subsets, tables
from retinopathy.runs import Run
from retinopathy.study_tables import Evidence

ASSIGNMENT = {"train": [0, 1, 2], "validation": [3], "test": [4]}
HOLDOUT = parts.roles(5, ASSIGNMENT, "holdout")


def selected(task: splits.Task = REFERABLE, n: int = 300, seed: int = 1) -> pd.DataFrame:
    table = patients(n, seed)
    return splits.select(table, task, splits.deal_parts(table, 5, seed), seed)


@settings(max_examples=20, deadline=None)
@given(st.integers(20, 200), st.integers(0, 99), st.sampled_from([EXTREMES, REFERABLE]))
def test_photographs_and_counts_of_each_part_stay(n: int, seed: int, task: splits.Task) -> None:
    before = selected(task, n, seed)
    after = leaking.deal(before, seed)
    pd.testing.assert_frame_equal(after.drop(columns="part"), before.drop(columns="part"))
    assert subsets.by_part(after.assign(patient="")) == subsets.by_part(before.assign(patient=""))


def test_the_deal_depends_on_the_seed_but_not_on_the_order() -> None:
    before = selected()
    after = leaking.deal(before, 1)
    pd.testing.assert_frame_equal(leaking.deal(before.sample(frac=1, random_state=3), 1), after)
    assert not leaking.deal(before, 2).equals(after)


def test_the_part_before_does_not_tell_the_part_after() -> None:
    before = selected(n=4000, task=splits.Task("referable", (0, 1), (2, 3, 4), 10**6, "label"))
    counts = pd.crosstab(before["part"], leaking.deal(before, 1)["part"])
    assert chi2_contingency(counts).pvalue > 0.01


def test_patients_are_shared_as_often_as_chance_has_it() -> None:
    before = selected(n=4000, task=splits.Task("referable", (0, 1), (2, 3, 4), 10**6, "label"))
    paired = before["patient"].duplicated(keep=False).mean()
    shares = [leaking.fellow_in_train(leaking.deal(before, s), [HOLDOUT]) for s in range(20)]
    assert sum(share or 0 for share in shares) / 20 == pytest.approx(paired * 3 / 5, abs=0.02)
    assert leaking.fellow_in_train(before, [HOLDOUT]) == 0


def test_the_share_is_known_by_hand() -> None:
    rows = pd.DataFrame({"patient": list("aabbccd"), "part": [0, 4, 3, 4, 4, 4, 4]})
    assert leaking.fellow_in_train(rows, [HOLDOUT]) == 1 / 5
    folds = [parts.roles(5, ASSIGNMENT, str(fold)) for fold in range(5)]
    # Fold 0 trains on the fellow of a's eye, fold 4 on that of b's; others validate, or test too.
    assert leaking.fellow_in_train(rows, folds) == 2 / 7
    assert leaking.fellow_in_train(rows[rows["part"] < 4], [HOLDOUT]) is None


def test_a_control_says_so_and_how_many_patients_it_shares(tmp_path: Path) -> None:
    before = selected()
    (tmp_path / "a.csv").write_text(subsets.canonical(before))
    (tmp_path / "a.json").write_text(
        json.dumps({"task": "referable", "asked": 200, "hash": "0", "seed": None, "parts": []})
    )
    made = [tmp_path / f"a_leaking.{ending}" for ending in ("csv", "json")]
    leak_fellow_eyes.main(tmp_path / "a.csv", tmp_path / "a.json", 1, made[0], made[1])
    known = json.loads(made[1].read_text())
    assert known["control"] == splits.CONTROL
    assert known["task"] == "referable_leaking"
    assert known["hash"] == subsets.fingerprint(splits.read_selected(made[0])) != "0"
    assert [part["part"] for part in known["parts"]] == [0, 1, 2, 3, 4]
    folds = [str(fold) for fold in range(5)]
    outputs = (tmp_path / "table.csv", tmp_path / "proof.csv")
    split.main(made[0], ASSIGNMENT, folds, *outputs, splits.admission)
    proof = pd.read_csv(outputs[1])
    assert len(proof) == 6 * 3
    assert (proof["control"] == splits.CONTROL).all()
    assert (proof["patients_shared"] > 0).all()
    table = splits.read_selected(outputs[0])
    train, rest = (
        set(table.loc[table["split"].eq("train") == x, "patient"]) for x in (True, False)
    )
    counted = proof[proof["fold"] == "holdout"].set_index("split")["patients_shared"]
    assert counted["train"] == len(train & rest)
    # What is not called a control is not let pass.
    with pytest.raises(ValueError, match="in two splits"):
        split.main(made[0], ASSIGNMENT, folds, *outputs)


def test_an_admission_fails_when_a_photograph_is_there_twice() -> None:
    table = pd.DataFrame({"image": ["1_left"] * 2, "patient": "1", "level": 0, "label": 0})
    with pytest.raises(ValueError, match="1_left"):
        splits.admission(table.assign(split=["train", "test"]))


def test_the_table_has_the_share_of_each_case(tmp_path: Path) -> None:
    before = selected()
    paths = {name: tmp_path / f"{name}.csv" for name in ("referable", "referable_leaking")}
    before.to_csv(paths["referable"], index=False)
    leaking.deal(before, 1).to_csv(paths["referable_leaking"], index=False)
    evidence = []
    for task in paths:
        for fold in ("0", "1", "2", "3", "4"):
            run = Run(task, "xception", 75, "imagenet", "head", 0.01, 0.0, 0.5, fold, 1)
            record = {"starts_from": "imagenet", "outcome": "finished", "stop_reason": "done"}
            record |= dict.fromkeys(("best_epoch", "epochs_run", "trainable_parameters"), 1)  # type: ignore[arg-type]
            record |= {"seconds": 1.5, "photographs": 60 + int(fold)}  # type: ignore[dict-item]
            history = pd.DataFrame([dict.fromkeys(("epoch", "accuracy", "auc", "loss"), 1.0)])
            history = history.join(history.add_prefix("validation_"))
            drawn = random_table(20, int(fold)).assign(split="test")
            evidence.append(Evidence(f"case {task}", run, record, history, drawn, 0.5))
    names = {"table": "t.csv", "markdown": "t.md", "seeds": "s.csv", "curves": "c.csv"}
    outputs = {name: tmp_path / file for name, file in names.items()}
    leakage_table.main(evidence, paths, ASSIGNMENT, 100, outputs)
    table = tables.read(outputs["table"], leakage_table.COLUMNS)
    folds = [parts.roles(5, ASSIGNMENT, str(fold)) for fold in range(5)]
    expected = leaking.fellow_in_train(leaking.deal(before, 1), folds)
    assert expected and table["fellow_in_train"].to_list() == [0, pytest.approx(expected)]
    assert table["photographs"].to_list() == [62, 62]
    assert table["n"].to_list() == [200, 200]
    assert len(tables.read(outputs["seeds"], tables.SEEDS)) == 2
