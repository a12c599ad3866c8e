"""Parts of patients, selection of photographs, splits and their proof."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retinopathy import splits
from retinopathy.errors import Explained
from retinopathy.parts import draw, roles
from retinopathy.splits import Task

EXTREMES = Task("extremes", negative=(0,), positive=(4,), photographs=10**6, balanced=True)
REFERABLE = Task("referable", (0, 1), (2, 3, 4), 200, balanced=True)
HOLDOUT = {"train": (0, 1, 2), "validation": (3,), "test": (4,)}


def patients(n: int, seed: int = 1) -> pd.DataFrame:
    """Return a manifest of both eyes of n patients, with the competition's shares of levels."""
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(n):
        level = rng.choice(5, p=[0.7, 0.08, 0.14, 0.04, 0.04])
        for eye in ("left", "right"):
            other = rng.choice(5) if rng.random() < 0.1 else level
            status = "unreadable" if rng.random() < 0.05 else "ok"
            rows.append((f"{patient}_{eye}", str(patient), other, status))
    table = pd.DataFrame(rows, columns=["image", "patient", "level", "status"])
    return table.astype({"level": "Int64"})


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 120), st.integers(1, 7), st.integers(0, 99))
def test_parts_are_balanced_in_all_and_at_each_level(n: int, parts: int, seed: int) -> None:
    table = patients(n, seed)
    dealt = splits.deal_parts(table, parts, seed)
    usable = table[table["status"] == "ok"]
    assert set(dealt) == set(usable["patient"])
    worse = usable.groupby("patient")["level"].max()
    for group in (worse, *(worse[worse == level] for level in range(5))):
        counts = np.bincount([dealt[patient] for patient in group.index], minlength=parts)
        assert np.ptp(counts) <= 1


def test_parts_depend_on_the_seed_but_not_on_the_order() -> None:
    table = patients(100)
    dealt = splits.deal_parts(table, 5, 1)
    assert splits.deal_parts(table.sample(frac=1, random_state=3), 5, 1) == dealt
    assert splits.deal_parts(table, 5, 2) != dealt


@pytest.mark.parametrize("task", [EXTREMES, REFERABLE])
@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("photographs", [7, 60, 10**6])
def test_selection_keeps_every_promise(task: Task, balanced: bool, photographs: int) -> None:
    task = dataclasses.replace(task, balanced=balanced, photographs=photographs)
    table = patients(600)
    parts_of = splits.deal_parts(table, 5, 1)
    chosen = splits.select(table, task, parts_of, 1)
    most = splits.available(table, task, parts_of)
    whole = photographs - photographs % 2 if balanced else photographs
    assert len(chosen) == min(whole, most)
    assert list(chosen.columns) == ["image", "patient", "level", "label", "part"]
    assert chosen["image"].is_unique
    assert set(chosen["image"]) <= set(table.loc[table["status"] == "ok", "image"])
    assert (chosen["part"] == chosen["patient"].map(parts_of)).all()
    assert (chosen["label"] == chosen["level"].isin(task.positive)).all()
    assert chosen["level"].isin([*task.negative, *task.positive]).all()
    if balanced:
        assert (chosen.groupby("part")["label"].mean() == 0.5).all()
    shuffled = table.sample(frac=1, random_state=5)
    pd.testing.assert_frame_equal(splits.select(shuffled, task, parts_of, 1), chosen)


def test_availability_is_known_by_hand() -> None:
    levels = [0, 0, 4, 4, 4, 1, 0, 4]
    table = pd.DataFrame(
        {"image": [f"i{n}" for n in range(8)], "patient": [f"p{n}" for n in range(8)]}
    ).assign(level=pd.array(levels, "Int64"), status=["ok"] * 7 + ["black"])
    parts_of = {f"p{n}": part for n, part in enumerate([0, 0, 0, 1, 1, 1, 1, 1])}
    assert splits.available(table, EXTREMES, parts_of) == 4
    assert splits.available(table, dataclasses.replace(EXTREMES, balanced=False), parts_of) == 6
    assert set(splits.select(table, EXTREMES, parts_of, 3)["part"]) == {0, 1}


def test_a_smaller_selection_gives_each_part_its_share() -> None:
    table = patients(600)
    parts_of = splits.deal_parts(table, 5, 1)
    chosen = splits.select(table, REFERABLE, parts_of, 1)
    assert len(chosen) == 200
    assert np.ptp(chosen.groupby("part").size()) <= 8


def test_a_task_without_photographs_is_empty() -> None:
    table = patients(20)
    table["level"] = 1
    chosen = splits.select(table, EXTREMES, splits.deal_parts(table, 5, 1), 1)
    assert chosen.empty


def test_patients_are_in_one_split_and_the_proof_counts_them() -> None:
    table = patients(600)
    parts_of = splits.deal_parts(table, 5, 1)
    split = splits.split_table(
        splits.select(table, EXTREMES, parts_of, 1), roles(5, HOLDOUT, "holdout")
    )
    proof = splits.proof(split).set_index("split")
    assert list(proof.index) == ["train", "validation", "test"]
    assert proof["photographs"].sum() == len(split) == proof[["level_0", "level_4"]].sum().sum()
    assert (proof["label_0"] == proof["label_1"]).all()
    assert proof["patients"].sum() == split["patient"].nunique()
    assert (proof["patients_shared"] == 0).all()


def test_the_proof_fails_when_a_patient_crosses() -> None:
    table = pd.DataFrame({"image": ["1_left", "1_right"], "patient": "1", "level": 0, "label": 0})
    with pytest.raises(ValueError, match="patients \\['1'\\]"):
        splits.proof(table.assign(split=["train", "test"]))
    with pytest.raises(ValueError, match="1_left"):
        splits.proof(table.assign(split="train", image="1_left"))


def test_a_split_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    table = patients(60)
    table["patient"] = "00" + table["patient"]
    chosen = splits.select(table, EXTREMES, splits.deal_parts(table, 5, 1), 1)
    split = splits.split_table(chosen, HOLDOUT)
    split.to_csv(tmp_path / "s.csv", index=False)
    pd.testing.assert_frame_equal(splits.read_selected(tmp_path / "s.csv"), split)
    (tmp_path / "s.csv").write_text("image,patient,level\n")
    with pytest.raises(Explained, match="no column label, part"):
        splits.read_selected(tmp_path / "s.csv")


def test_parts_without_a_split_are_left_out() -> None:
    selected = pd.DataFrame({"image": ["a", "b"], "patient": ["a", "b"], "part": [0, 5]})
    assert list(splits.split_table(selected, HOLDOUT)["split"]) == ["train"]


@given(st.integers(3, 12))
def test_over_all_folds_every_part_is_tested_and_validated_once(parts: int) -> None:
    folds = [roles(parts, HOLDOUT, str(fold)) for fold in range(parts)]
    for split in ("validation", "test"):
        assert sorted(part for fold in folds for part in fold[split]) == list(range(parts))
    for fold in folds:
        assert sorted(part for dealt in fold.values() for part in dealt) == list(range(parts))


@pytest.mark.parametrize(
    ("parts", "assignment", "fold"),
    [
        (5, HOLDOUT | {"test": (3,)}, "holdout"),
        (5, HOLDOUT | {"test": (5,)}, "holdout"),
        (5, HOLDOUT | {"test": ()}, "holdout"),
        (5, HOLDOUT, "5"),
        (2, HOLDOUT, "0"),
    ],
)
def test_impossible_roles_are_explained(
    parts: int, assignment: dict[str, tuple[int, ...]], fold: str
) -> None:
    with pytest.raises(Explained, match="fold"):
        roles(parts, assignment, fold)


def test_draws_depend_on_name_and_seed() -> None:
    drawn = {draw(name, seed) for name in ("1_left", "1_right", "") for seed in (0, 1)}
    assert len(drawn) == 6
    assert draw("1_left", 1) == draw("1_left", 1)
