"""Published lists of photographs: written, read back, and refused where they do not fit."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.labelled import EXTREMES, REFERABLE, official, patients

import select_photographs
from retinopathy import manifest, splits, subsets
from retinopathy.errors import Explained
from retinopathy.splits import Task


def listed(text: str, path: Path) -> pd.DataFrame:
    path.write_text(text)
    return subsets.read(path)


def manifest_at(path: Path, rows: pd.DataFrame) -> Path:
    rows.reindex(columns=list(manifest.COLUMNS)).to_csv(path, index=False)
    return path


def selected(
    folder: Path, rows: Path, task: Task, lists: Mapping[str, Path] | None = None, **other: object
) -> tuple[bytes, dict[str, object]]:
    """Run the script; return the list that it writes, and what it says of it."""
    values = {"when_fewer": "use_all", "parts": 5, "seed": 1} | other
    outputs = {"table": folder / f"{task.name}.csv", "record": folder / f"{task.name}.json"}
    select_photographs.main(rows, task, lists=lists or {}, **values, **outputs)  # type: ignore[arg-type]
    return outputs["table"].read_bytes(), json.loads(outputs["record"].read_text())


@pytest.mark.parametrize("task", [EXTREMES, REFERABLE], ids=["extremes", "referable"])
@pytest.mark.parametrize("seed", [1, 7])
def test_a_list_read_back_gives_the_same_selection(tmp_path: Path, task: Task, seed: int) -> None:
    rows = manifest_at(tmp_path / "manifest.csv", patients(300))
    first, known = selected(tmp_path / "first", rows, task)
    lists = {task.name: tmp_path / f"first/{task.name}.csv"}
    again, known_again = selected(
        tmp_path / "again", rows, task, lists, seed=seed, when_fewer="stop"
    )
    assert again == first
    assert known_again == known | {
        "asked": known["photographs"],
        "balance": None,
        "list": str(lists[task.name]),
        "seed": None,
    }
    assert (known["asked"], known["balance"], known["list"], known["seed"]) == (
        task.photographs, "label", None, 1,
    )  # fmt: skip
    assert hashlib.sha256(first).hexdigest().startswith(str(known["hash"]))
    assert str(tmp_path).encode() not in first


def test_the_list_of_one_task_changes_nothing_in_another(tmp_path: Path) -> None:
    rows = manifest_at(tmp_path / "manifest.csv", patients(300))
    selected(tmp_path, rows, EXTREMES)
    lists = {"extremes": tmp_path / "extremes.csv"}
    assert selected(tmp_path / "a", rows, REFERABLE) == selected(
        tmp_path / "b", rows, REFERABLE, lists
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 99), st.integers(0, 99))
def test_parts_of_a_list_hold_for_all_tasks(one: int, other: int) -> None:
    table = patients(150)
    chosen = splits.select(table, EXTREMES, splits.deal_parts(table, 5, one), one)
    given_parts = subsets.parts_of({"extremes": chosen}, 5)
    dealt = splits.deal_parts(table, 5, other) | given_parts
    both = pd.concat([splits.select(table, task, dealt, other) for task in (EXTREMES, REFERABLE)])
    assert (both.groupby("patient")["part"].nunique() == 1).all()
    assert (both["part"] == both["patient"].map(dealt)).all()
    assert set(given_parts) == set(chosen["patient"])


def test_the_hash_is_known_and_that_of_the_content(tmp_path: Path) -> None:
    text = "image,patient,level,label,part\n1_left,1,0,0,2\n2_left,2,4,1,0\n"
    expected = hashlib.sha256(text.encode()).hexdigest()[:12]
    assert subsets.fingerprint(listed(text, tmp_path / "a.csv")) == expected
    lines = text.splitlines()
    turned = "\r\n".join([lines[0], *reversed(lines[1:])])
    assert subsets.fingerprint(listed("\ufeff" + turned, tmp_path / "b.csv")) == expected
    moved = text.replace("0,0,2", "0,0,1")
    assert subsets.fingerprint(listed(moved, tmp_path / "c.csv")) != expected


def test_a_list_of_images_alone_is_dealt_as_usual(tmp_path: Path) -> None:
    table = patients(300)
    rows = manifest_at(tmp_path / "manifest.csv", table)
    plain, _ = selected(tmp_path / "plain", rows, EXTREMES)
    images = pd.read_csv(tmp_path / "plain/extremes.csv", dtype=str)[["image"]]
    images.to_csv(tmp_path / "images.csv", index=False)
    again, known = selected(
        tmp_path / "again", rows, EXTREMES, {"extremes": tmp_path / "images.csv"}
    )
    assert again == plain
    assert known["seed"] == 1


def test_what_is_not_usable_here_is_named(tmp_path: Path) -> None:
    table = patients(300)
    table["status"] = "ok"
    whole, _ = selected(tmp_path, manifest_at(tmp_path / "manifest.csv", table), EXTREMES)
    lists = {"extremes": tmp_path / "extremes.csv"}
    chosen = splits.read_selected(lists["extremes"])["image"]
    table.loc[table["image"] == chosen[0], "status"] = "truncated"
    fewer = manifest_at(tmp_path / "fewer.csv", table[table["image"] != chosen[1]])
    with pytest.raises(Explained) as raised:
        selected(tmp_path / "stopped", fewer, EXTREMES, lists, when_fewer="stop")
    assert f"2: {chosen[0]}, {chosen[1]}" in str(raised.value)
    assert not (tmp_path / "stopped/extremes.csv").exists()
    rest, _ = selected(tmp_path / "rest", fewer, EXTREMES, lists)
    lines = whole.splitlines()
    assert rest.splitlines() == [lines[0], *lines[3:]]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a_left,a,4,1,0", "the level"),
        ("a_left,a,0,1,0", "the label"),
        ("a_left,b,0,0,0", "the patient"),
        ("m_left,m,2,0,0", "not one of the task"),
    ],
)
def test_a_list_of_other_photographs_is_explained(tmp_path: Path, row: str, words: str) -> None:
    table = pd.DataFrame({"image": ["a_left", "m_left"], "patient": ["a", "m"], "status": "ok"})
    table["level"] = pd.array([0, 2], "Int64")
    known = listed(f"image,patient,level,label,part\n{row}\n", tmp_path / "l.csv")
    with pytest.raises(Explained, match=words):
        subsets.pick(table, EXTREMES, known, {"a": 0, "m": 0})


def test_lists_that_disagree_on_a_patient_are_explained(tmp_path: Path) -> None:
    one = listed("image,part\n1_left,0\n2_left,1\n", tmp_path / "1.csv")
    two = listed("image,part\n2_right,2\n", tmp_path / "2.csv")
    assert subsets.parts_of({"one": one}, 3) == {"1": 0, "2": 1}
    with pytest.raises(
        Explained, match=r"patient 2 in part 1 .* task one, in part 2 in that of two"
    ):
        subsets.parts_of({"one": one, "two": two}, 3)
    with pytest.raises(Explained, match="patient 2 in part 2"):
        subsets.parts_of({"two": two}, 2)
    itself = listed("image,part\n2_left,1\n2_right,2\n", tmp_path / "3.csv")
    with pytest.raises(Explained, match="patient 2 in parts 1 and 2 in one list, that of one"):
        subsets.parts_of({"one": itself}, 3)


def test_a_person_of_two_names_goes_where_the_list_has_one_of_them(tmp_path: Path) -> None:
    table = patients(40).assign(status="ok")
    table.loc[table["image"] == "7_left", "status"] = "copy of 3_left"
    for part in range(5):
        own = listed(f"image,part\n3_left,{part}\n", tmp_path / "l.csv")
        dealt = subsets.deal(table, {"extremes": own}, 5, 1)
        assert dealt["3"] == dealt["7"] == part
        plain = subsets.deal(table, {}, 5, 1)
        assert {name for name in plain if plain[name] != dealt[name]} <= {"3", "7"}


@pytest.mark.parametrize(
    "text",
    ["", "image\n", "name\n1_left\n", "image\n1_left\n1_left\n", "image,part\n1_left,one\n"],
    ids=["empty", "no rows", "no image", "twice", "no number"],
)
def test_what_is_no_list_is_explained(tmp_path: Path, text: str) -> None:
    with pytest.raises(Explained, match=r"l\.csv is no list"):
        listed(text, tmp_path / "l.csv")


def test_impossible_requests_say_how_many_there_are(tmp_path: Path, real_photographs: Path) -> None:
    rows = manifest_at(tmp_path / "manifest.csv", official(real_photographs))
    task = dataclasses.replace(EXTREMES, photographs=5000)
    with pytest.raises(Explained) as raised:
        selected(tmp_path, rows, task, when_fewer="stop")
    for words in ("expected: 5000", "received: 1416 ", "level 0: 25810", "level 4: 708"):
        assert words in str(raised.value)
    _, known = selected(tmp_path, rows, task)
    assert known["photographs"] == 1416
    counts = known["parts"]
    assert isinstance(counts, list)
    assert sum(part["level_4"] for part in counts) == 708


def test_nothing_to_go_on_with_is_explained(tmp_path: Path) -> None:
    table = patients(50)
    table["level"] = 0
    rows = manifest_at(tmp_path / "manifest.csv", table)
    with pytest.raises(Explained, match="received: 0 distinct"):
        selected(tmp_path, rows, EXTREMES)
