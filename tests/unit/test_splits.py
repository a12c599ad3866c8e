"""Parts of patients, selection of photographs, splits and their proof."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.labelled import EXTREMES, REFERABLE, official, patients

from retinopathy import splits
from retinopathy.errors import Explained
from retinopathy.parts import draw, roles
from retinopathy.splits import Task

HOLDOUT = {"train": (0, 1, 2), "validation": (3,), "test": (4,)}


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


def test_patients_who_are_one_person_are_dealt_together() -> None:
    table = patients(200)
    others = [f"{patient}_left" for patient in range(100, 150)]
    copies = table["image"].isin([f"{patient}_left" for patient in range(50)])
    table.loc[copies, "status"] = [f"copy of {image}" for image in others]
    dealt = splits.deal_parts(table, 5, 1)
    together = [(str(n), str(n + 100)) for n in range(50) if {str(n), str(n + 100)} <= set(dealt)]
    assert len(together) > 40
    assert all(dealt[one] == dealt[other] for one, other in together)


def test_parts_depend_on_the_seed_but_not_on_the_order() -> None:
    table = patients(100)
    dealt = splits.deal_parts(table, 5, 1)
    assert splits.deal_parts(table.sample(frac=1, random_state=3), 5, 1) == dealt
    assert splits.deal_parts(table, 5, 2) != dealt


@pytest.mark.parametrize("task", [EXTREMES, REFERABLE])
@pytest.mark.parametrize("balance", ["label", "level"])
@pytest.mark.parametrize("photographs", [8, 60, 10**6])
def test_selection_keeps_every_promise(task: Task, balance: str, photographs: int) -> None:
    task = dataclasses.replace(task, balance=balance, photographs=photographs)
    table = patients(600)
    parts_of = splits.deal_parts(table, 5, 1)
    chosen = splits.select(table, task, parts_of, 1)
    assert len(chosen) == min(photographs, splits.available(table, task, parts_of))
    assert list(chosen.columns) == ["image", "patient", "level", "label", "part"]
    assert chosen["image"].is_unique
    assert set(chosen["image"]) <= set(table.loc[table["status"] == "ok", "image"])
    assert (chosen["part"] == chosen["patient"].map(parts_of)).all()
    assert (chosen["label"] == chosen["level"].isin(task.positive)).all()
    assert chosen["level"].isin([*task.negative, *task.positive]).all()
    assert (chosen.groupby("part")["label"].mean() == 0.5).all()
    shuffled = table.sample(frac=1, random_state=5)
    pd.testing.assert_frame_equal(splits.select(shuffled, task, parts_of, 1), chosen)


def spread(rows: pd.DataFrame, levels: tuple[int, ...]) -> int:
    """Return by how much the most frequent of some levels exceeds the rarest."""
    return int(np.ptp([(rows["level"] == level).sum() for level in levels]))


@settings(max_examples=25, deadline=None)
@given(st.integers(30, 400), st.integers(1, 7), st.integers(0, 99), st.integers(1, 200))
def test_levels_are_equal_in_every_part_and_in_all(
    n: int, parts: int, seed: int, pairs: int
) -> None:
    task = Task("referable", (0, 1), (2, 3, 4), 2 * pairs, "level")
    table = patients(n, seed)
    parts_of = splits.deal_parts(table, parts, seed)
    chosen = splits.select(table, task, parts_of, seed)
    assert len(chosen) == min(2 * pairs, splits.available(table, task, parts_of))
    for rows in (chosen, *(part for _, part in chosen.groupby("part"))):
        assert 2 * rows["label"].sum() == len(rows)
        assert spread(rows, task.negative) <= 1
        assert spread(rows, task.positive) <= 1


def by_hand(levels: str, parts: str) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return a manifest of one photograph per patient, and the patients' parts."""
    names = [f"p{n}" for n in range(len(levels))]
    table = pd.DataFrame({"image": names, "patient": names, "status": "ok"})
    table["level"] = pd.array([int(level) for level in levels], "Int64")
    return table, dict(zip(names, map(int, parts), strict=True))


def test_availability_is_known_by_hand() -> None:
    table, parts_of = by_hand("00444104", "00011111")
    table.loc[7, "status"] = "black"
    assert splits.available(table, EXTREMES, parts_of) == 4
    assert set(splits.select(table, EXTREMES, parts_of, 3)["part"]) == {0, 1}


def test_what_balanced_parts_lose_is_said() -> None:
    table, parts_of = by_hand("000044" + "044", "000000" + "111")
    said = splits.stock(table, EXTREMES, parts_of)
    assert splits.available(table, EXTREMES, parts_of) == 6
    assert said.startswith("6 distinct and balanced, 8 if parts did not have to be balanced each")
    assert "level 0: 5" in said
    assert "level 4: 4" in said


def test_levels_are_balanced_by_hand() -> None:
    task = Task("referable", (0, 1), (2, 3, 4), 10**6, "level")
    # Part 0: twice 2, 3 and 4, four times 0 and 1; part 1: no level 3.
    table, parts_of = by_hand("0000111122233444" + "001124", "0" * 16 + "1" * 6)
    chosen = splits.select(table, task, parts_of, 1)
    assert chosen["level"].value_counts().to_dict() == {0: 3, 1: 3, 2: 2, 3: 2, 4: 2}
    assert set(chosen["part"]) == {0}
    without = table[table["level"] != 3]
    assert splits.available(without, task, parts_of) == 0
    assert "level 3: 0" in splits.stock(without, task, parts_of)
    by_label = dataclasses.replace(task, balance="label")
    assert splits.available(without, by_label, parts_of) == 12 + 4


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


@pytest.mark.parametrize(
    ("task", "most"),
    [
        (dataclasses.replace(EXTREMES, photographs=5000), 1416),
        (dataclasses.replace(REFERABLE, photographs=20_000), 13_746),
        (dataclasses.replace(REFERABLE, photographs=5000, balance="level"), 4248),
    ],
    ids=["extremes", "referable", "referable by level"],
)
def test_the_competition_has_as_many_as_its_rarest_level_gives(
    real_photographs: Path, task: Task, most: int
) -> None:
    table = official(real_photographs)
    for seed in (1, 2):
        parts_of = splits.deal_parts(table, 5, seed)
        said = splits.stock(table, task, parts_of)
        assert said.startswith(f"{most} distinct and balanced;")
        assert "level 4: 708" in said
        assert len(splits.select(table, task, parts_of, seed)) == most


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


def test_a_patient_may_be_called_like_no_value(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"image": ["NA", "null_left"], "patient": ["NA", "null"], "level": [0, 4], "label": [0, 1]}
    ).assign(part=0, split="train")
    table.to_csv(tmp_path / "s.csv", index=False)
    read = splits.read_selected(tmp_path / "s.csv")
    pd.testing.assert_frame_equal(read, table)
    assert splits.proof(read).set_index("split").loc["train", "patients"] == 2


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
