"""The manifest: facts of good photographs, reasons for bad ones."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.drawn import flat, fundus, speck

from retinopathy import inspection, manifest
from retinopathy.errors import Explained
from retinopathy.manifest import COLUMNS
from retinopathy.sources import by_image, image_id, read_labels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    contents = {
        "1_left": fundus(),
        "1_right": fundus(120),
        "2_left": b"",
        "2_right": b"no photograph",
        "3_left": fundus()[:-2],
        "3_right": flat(2),
        "4_left": flat(255),
        "4_right": flat(128),
        "5_left": speck(),
        "5_right": fundus(),
        "6_left": fundus(110),
        "6_right": fundus(110),
        "7_left": fundus(105),
        "7_right": fundus(100),
        "8_left": fundus(95),
    }
    for name, content in contents.items():
        (tmp_path / f"{name}.jpeg").write_bytes(content)
    (tmp_path / "9_left.jpeg").mkdir()
    return tmp_path


STATUSES = {
    "1_left": "ok",
    "1_right": "ok",
    "10_left": "label without file",
    "2_left": "empty file",
    "2_right": "not an image",
    "3_left": "truncated",
    "3_right": "black",
    "4_left": "white",
    "4_right": "no retina found",
    "5_left": "no retina found",
    "5_right": "duplicate of 1_left",
    "6_left": "conflicting labels, same as 6_right",
    "6_right": "conflicting labels, same as 6_left",
    "7_left": "label missing",
    "7_right": "label out of range",
    "8_left": "conflicting labels",
    "9_left": "not a file",
}


def inspected(folder: Path, image: str) -> pd.DataFrame:
    return inspection.inspect_all({image: by_image([folder])[image]}, 0, 1, lambda _: None)


def made(folder: Path, shards: int) -> pd.DataFrame:
    files = by_image([folder])
    levels = dict.fromkeys(STATUSES, 1) | {"6_right": 2, "7_right": 5}
    del levels["7_left"]
    labels = pd.DataFrame({"image": list(levels), "level": list(levels.values())})
    labels = pd.concat([labels, pd.DataFrame({"image": ["8_left"], "level": [3]})])
    labels = labels.astype({"level": "Int64"})
    tables = []
    for shard in range(shards):
        table = inspection.inspect_all(files, shard, shards, lambda _: None)
        path = folder / f"{shard}.csv"
        table.to_csv(path, index=False)
        again = manifest.read_manifest(path)
        path.unlink()
        pd.testing.assert_frame_equal(again, table)
        tables.append(again)
    return manifest.mark_same_bytes(manifest.label(manifest.combine(tables), labels, {}))


def test_every_photograph_has_its_reason_whatever_the_shards(folder: Path) -> None:
    table = made(folder, 1)
    assert tuple(table.columns) == COLUMNS
    assert dict(zip(table["image"], table["status"], strict=True)) == STATUSES
    assert list(table["image"]) == sorted(table["image"])
    pd.testing.assert_frame_equal(table, made(folder, 5))


@pytest.mark.parametrize(
    ("image", "patient", "eye"),
    [
        ("10_left", "10", "left"),
        ("a_b_RIGHT", "a_b", "right"),
        ("007", "007", ""),
        ("_left", "_left", ""),
        ("left", "left", ""),
        ("10_leftover", "10_leftover", ""),
    ],
)
def test_names_tell_patient_and_eye(image: str, patient: str, eye: str) -> None:
    assert manifest.identify(image) == (patient, eye)


def test_a_photograph_without_label_row_is_listed(folder: Path) -> None:
    none = pd.DataFrame({"image": [], "level": []}).astype({"level": "Int64"})
    table = manifest.label(inspected(folder, "7_left"), none, {})
    assert list(table["status"]) == ["label missing"]


def test_too_many_rejects_stop_the_study(folder: Path) -> None:
    table, listed = made(folder, 1), Path("logs/rejects.csv")
    assert len(manifest.rejects(table)) == len(table) - 2
    manifest.check_rejects(table, 0.9, listed)
    with pytest.raises(Explained, match=r"15 of 17.*conflicting labels 3[^$]*logs/rejects\.csv"):
        manifest.check_rejects(table, 0.5, listed)
    with pytest.raises(Explained, match="there are none"):
        manifest.check_rejects(table.iloc[:0], 1.0, listed)


def test_reasons_are_counted_without_the_photographs_that_they_name() -> None:
    reasons = pd.Series(
        [
            "duplicate of a of b",
            "conflicting labels, same as x\ny",
            "conflicting labels",
            "same name as z",
            "no retina found",
            "duplicate off",
        ]
    )
    assert list(manifest.kinds(reasons)) == [
        "duplicate", "conflicting labels", "conflicting labels",
        "same name", "no retina found", "duplicate off",
    ]  # fmt: skip


def test_another_table_is_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("image,level\na,1\n")
    with pytest.raises(Explained, match="no column patient"):
        manifest.read_manifest(tmp_path / "m.csv")


def test_refused_entries_have_their_reason_unless_the_file_is_there(folder: Path) -> None:
    labels = pd.DataFrame({"image": ["1_left", "20_left"], "level": [1, 2]})
    refused = {"1_left": "too large", "20_left": "encrypted", "30_left": "leaves the folder"}
    table = manifest.label(inspected(folder, "1_left"), labels.astype({"level": "Int64"}), refused)
    assert dict(zip(table["image"], table["status"], strict=True)) == {
        "1_left": "ok",
        "20_left": "encrypted",
        "30_left": "leaves the folder",
    }


# Combining ---------------------------------------------------------------------------------------


def good_rows(rows: list[tuple[str, str, int]]) -> pd.DataFrame:
    """Return usable rows: image, sha256, level."""
    return pd.DataFrame(
        [
            dict.fromkeys(COLUMNS)
            | {"image": image, "sha256": digest, "level": level, "status": "ok"}
            for image, digest, level in rows
        ]
    )


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.text("ab", max_size=3), st.sampled_from("xyz"), st.integers(0, 1)),
        unique_by=lambda row: row[0],
        min_size=1,
    )
)
def test_what_is_there_twice_is_marked_as_a_loop_would_mark_it(
    rows: list[tuple[str, str, int]],
) -> None:
    table = manifest.mark_same_bytes(manifest.combine([good_rows(rows)]))
    expected = {}
    for digest in "xyz":
        same = sorted(row for row in rows if row[1] == digest)
        levels = {level for _, _, level in same}
        for place, (image, _, _) in enumerate(same):
            if len(same) == 1 or (len(levels) == 1 and place == 0):
                expected[image] = "ok"
            elif len(levels) == 1:
                expected[image] = f"duplicate of {same[0][0]}"
            else:
                other = same[1 if place == 0 else 0][0]
                expected[image] = f"conflicting labels, same as {other}"
    assert dict(zip(table["image"], table["status"], strict=True)) == expected


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(min_size=1), min_size=1))
def test_any_name_survives_its_table(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    labels = pd.DataFrame({"image": [image_id(name) for name in names], "level": 1})
    labels = labels.astype({"level": "Int64"})
    nothing = inspection.inspect_all({}, 0, 1, lambda _: None)
    table = manifest.label(nothing, labels, {})
    path = tmp_path_factory.mktemp("names") / "manifest.csv"
    table.to_csv(path, index=False)
    pd.testing.assert_frame_equal(manifest.read_manifest(path), table)
    assert set(table["image"]) == set(labels["image"])


def test_a_photograph_may_be_called_like_no_value(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for radius, name in ((120, "NA.jpeg"), (125, "null_left.jpeg"), (130, "nan.jpeg")):
        (tmp_path / "images" / name).write_bytes(fundus(radius))
    (tmp_path / "labels.csv").write_text("image,level\nNA.jpeg,2\nnull_left,0\nnan,NA\n")
    table = inspection.inspect_all(by_image([tmp_path / "images"]), 0, 1, lambda _: None)
    table.to_csv(tmp_path / "shard.csv", index=False)
    labels = read_labels(tmp_path / "labels.csv", "image", "level")
    made = manifest.label(manifest.read_manifest(tmp_path / "shard.csv"), labels, {})
    made.to_csv(tmp_path / "manifest.csv", index=False)
    read = manifest.read_manifest(tmp_path / "manifest.csv")
    pd.testing.assert_frame_equal(read, made)
    assert read[["image", "patient", "eye", "status"]].to_numpy().tolist() == [
        ["NA", "NA", "", "ok"],
        ["nan", "nan", "", "label out of range"],
        ["null_left", "null", "left", "ok"],
    ]


def test_copies_of_one_picture_leave_the_first_or_none() -> None:
    rows = [
        ("a", "1", 0),
        ("b", "2", 0),
        ("c", "3", 0),
        ("d", "4", 1),
        ("e", "5", 2),
        ("f", "6", 0),
    ]
    table = manifest.combine([good_rows(rows)])
    groups = pd.Series({"a": "x", "b": "x", "c": "x", "d": "y", "e": "y"})
    marked = manifest.mark(table, groups, "copy")
    assert dict(zip(marked["image"], marked["status"], strict=True)) == {
        "a": "ok",
        "b": "copy of a",
        "c": "copy of a",
        "d": "conflicting labels, same as e",
        "e": "conflicting labels, same as d",
        "f": "ok",
    }
    pd.testing.assert_frame_equal(manifest.mark(table, pd.Series(dtype="str"), "copy"), table)


def test_patients_with_one_picture_are_one_person() -> None:
    statuses = {
        "1_left": "ok",
        "2_left": "duplicate of 1_left",
        "2_right": "ok",
        "3_left": "copy of 2_right",
        "4_left": "conflicting labels, same as 5_left",
        "5_left": "conflicting labels, same as 4_left",
        "6_left": "conflicting labels",
        "7_left": "same name as 1_left",
    }
    table = pd.DataFrame({"image": list(statuses), "status": list(statuses.values())}).assign(
        patient=[name[0] for name in statuses]
    )
    assert manifest.persons(table) == {
        "1": "1", "2": "1", "3": "1", "4": "4", "5": "4", "6": "6", "7": "7",
    }  # fmt: skip


def test_grades_of_quality_join_by_image() -> None:
    table = manifest.combine([good_rows([("a", "1", 0), ("b", "2", 0), ("c", "3", 0)])])
    rows = [("a", "Good"), ("b", "Good"), ("b", "Reject"), ("z", "Usable")]
    said: list[str] = []
    joined = manifest.join_quality(
        table, pd.DataFrame(rows, columns=["image", "quality"]), said.append
    )
    assert dict(zip(joined["image"], joined["quality"], strict=True)) == {
        "a": "Good",
        "b": "",
        "c": "",
    }
    assert [line.split()[0] for line in said] == ["1", "1"]
    pd.testing.assert_frame_equal(joined.drop(columns="quality"), table.drop(columns="quality"))
