"""The manifest: facts of good photographs, reasons for bad ones."""

import os
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retinopathy import decoding, manifest
from retinopathy.errors import Explained
from retinopathy.manifest import COLUMNS
from retinopathy.parts import shard_of
from retinopathy.sources import by_image, image_id


def fundus(radius: int = 130, light: float = 1.0) -> bytes:
    image = np.zeros((300, 400, 3), np.uint8)
    cv2.circle(image, (200, 150), radius, (40 * light, 90 * light, 180 * light), -1)
    cv2.circle(image, (250, 150), 20, (120 * light, 200 * light, 220 * light), -1)
    return cv2.imencode(".jpg", image)[1].tobytes()


def flat(level: int) -> bytes:
    return cv2.imencode(".jpg", np.full((300, 400, 3), level, np.uint8))[1].tobytes()


def speck() -> bytes:
    image = np.zeros((300, 400, 3), np.uint8)
    cv2.rectangle(image, (10, 10), (60, 40), (255, 255, 255), -1)
    return cv2.imencode(".png", image)[1].tobytes()


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


def made(folder: Path, shards: int) -> pd.DataFrame:
    files = by_image([folder])
    levels = dict.fromkeys(STATUSES, 1) | {"6_right": 2, "7_right": 5}
    del levels["7_left"]
    labels = pd.DataFrame({"image": list(levels), "level": list(levels.values())})
    labels = pd.concat([labels, pd.DataFrame({"image": ["8_left"], "level": [3]})])
    labels = labels.astype({"level": "Int64"})
    tables = []
    for shard in range(shards):
        table = manifest.inspect_all(labels, files, {}, shard, shards, lambda _: None)
        path = folder / f"{shard}.csv"
        table.to_csv(path, index=False)
        again = manifest.read_manifest(path)
        path.unlink()
        pd.testing.assert_frame_equal(again, table)
        tables.append(again)
    return manifest.combine(tables)


def test_every_photograph_has_its_reason_whatever_the_shards(folder: Path) -> None:
    table = made(folder, 1)
    assert tuple(table.columns) == COLUMNS
    assert dict(zip(table["image"], table["status"], strict=True)) == STATUSES
    assert list(table["image"]) == sorted(table["image"])
    pd.testing.assert_frame_equal(table, made(folder, 5))


def test_facts_of_a_good_photograph(folder: Path) -> None:
    row = manifest.inspect("1_left", folder / "1_left.jpeg", 3)
    assert (row["patient"], row["eye"], row["level"], row["status"]) == ("1", "left", 3, "ok")
    assert (row["width"], row["height"], row["bytes"]) == (400, 300, len(fundus()))
    assert row["circle_found"]
    box = [row["crop_left"], row["crop_top"], row["crop_side"]]
    assert box == pytest.approx([70, 20, 260], abs=8)
    assert row["brightness"] == pytest.approx(115, abs=15)
    assert row["saturation"] == pytest.approx(255 * (180 - 40) / 180, abs=15)
    assert row["quality"] == ""


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (2, 3), (59, 7), (300, 2)])
def test_tiny_and_narrow_photographs_make_a_row(tmp_path: Path, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 255, (*shape, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "1_left.png"), image)
    row = manifest.inspect("1_left", tmp_path / "1_left.png", 0)
    assert (row["height"], row["width"]) == shape
    assert np.isfinite(
        np.asarray([row["crop_side"], row["brightness"], row["saturation"]], float)
    ).all()


def test_perceptual_hashes_of_like_photographs_are_near() -> None:
    def bits(data: bytes) -> int:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        return int(manifest._perceptual_hash(np.asarray(image, np.uint8)), 16)

    rng = np.random.default_rng(1)
    image = cv2.GaussianBlur(rng.integers(0, 255, (300, 400), np.uint8), (0, 0), 20) * 2
    low, high = (cv2.imencode(".jpg", image, [1, q])[1].tobytes() for q in (30, 95))
    small = cv2.imencode(".png", cv2.resize(image, (200, 150), interpolation=3))[1].tobytes()
    assert (bits(low) ^ bits(high)).bit_count() <= 4
    assert (bits(small) ^ bits(high)).bit_count() <= 4
    assert (bits(fundus()) ^ bits(high)).bit_count() > 12


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
    files = {"7_left": by_image([folder])["7_left"]}
    table = manifest.inspect_all(none, files, {}, 0, 1, lambda _: None)
    assert list(table["status"]) == ["label missing"]


def test_shards_share_evenly_and_do_not_depend_on_others() -> None:
    counts = np.bincount([shard_of(f"{n}_left", 8) for n in range(4000)])
    assert counts.min() > 420 and counts.max() < 580
    assert shard_of("10_left", 16) == shard_of("10_left", 16) < 16


def test_an_empty_shard_keeps_its_columns_and_types(tmp_path: Path) -> None:
    none = pd.DataFrame({"image": [], "level": []})
    table = manifest.inspect_all(none, {}, {}, 0, 1, lambda _: None)
    table.to_csv(tmp_path / "m.csv", index=False)
    pd.testing.assert_frame_equal(manifest.read_manifest(tmp_path / "m.csv"), table)


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


# Several files with one image id -----------------------------------------------------------------


def rows_of_one(folder: Path, contents: dict[str, bytes], *levels: int) -> dict[str, str]:
    """Return image to status of the files with one image id."""
    for name, content in contents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    ((image, files),) = by_image([folder]).items()
    return {row["image"]: row["status"] for row in manifest.inspect_files(image, files, levels)}


def test_of_different_photographs_with_one_id_none_is_used(tmp_path: Path) -> None:
    contents = {"a/1.png": fundus(101), "b/1.jpeg": fundus(102), "b/1.png": fundus(102)}
    assert rows_of_one(tmp_path, contents, 0) == {
        "1": "same name as b/1.jpeg",
        "b/1.jpeg": "same name as a/1.png",
        "b/1.png": "same name as a/1.png",
    }


def test_of_equal_photographs_with_one_id_the_first_is_used(tmp_path: Path) -> None:
    contents = {"a/1.png": fundus(), "b/1.jpeg": fundus(), "c/1.jpeg": b""}
    assert rows_of_one(tmp_path, contents, 0) == {
        "1": "ok",
        "b/1.jpeg": "duplicate of 1",
        "c/1.jpeg": "empty file",
    }


def test_a_bad_file_does_not_take_the_id_of_a_good_one(tmp_path: Path) -> None:
    contents = {"a/1.png": b"", "b/1.jpeg": flat(1), "c/1.jpeg": fundus()}
    assert rows_of_one(tmp_path, contents, 9) == {
        "a/1.png": "empty file",
        "b/1.jpeg": "black",
        "1": "label out of range",
    }


def test_of_bad_files_only_the_first_has_the_id(tmp_path: Path) -> None:
    assert rows_of_one(tmp_path, {"a/1.png": b"", "b/1.jpeg": flat(1)}) == {
        "1": "empty file",
        "b/1.jpeg": "black",
    }


# Files that cannot be had ------------------------------------------------------------------------


def test_a_file_that_vanishes_after_the_listing_is_missing(folder: Path) -> None:
    files = by_image([folder])
    (folder / "1_left.jpeg").unlink()
    (row,) = manifest.inspect_files("1_left", files["1_left"], [0])
    assert row["status"] == "missing file"


def test_refused_entries_have_their_reason_unless_the_file_is_there(folder: Path) -> None:
    labels = pd.DataFrame({"image": ["1_left", "20_left"], "level": [1, 2]})
    files = {"1_left": by_image([folder])["1_left"]}
    refused = {"1_left": "too large", "20_left": "encrypted", "30_left": "leaves the folder"}
    table = manifest.inspect_all(labels, files, refused, 0, 1, lambda _: None)
    assert dict(zip(table["image"], table["status"], strict=True)) == {
        "1_left": "ok",
        "20_left": "encrypted",
        "30_left": "leaves the folder",
    }


def test_what_is_no_file_has_no_path_that_others_might_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "1_left.jpeg")
    row = manifest.inspect("1_left", tmp_path / "1_left.jpeg", 0)
    assert (row["status"], row["path"]) == ("not a file", "")


def test_a_negative_shows_no_retina(tmp_path: Path) -> None:
    decoded = decoding.decode(fundus())
    for name, image, status in (
        ("inverted", 255 - decoded, "no retina found"),
        ("on paper", np.where(decoded < 30, 250, decoded), "ok"),
        ("swapped", decoded[..., ::-1], "ok"),
    ):
        path = tmp_path / f"{name}.png"
        path.write_bytes(decoding.encode_png(np.ascontiguousarray(image, np.uint8)))
        assert manifest.inspect(name, path, 0)["status"] == status, name


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
    table = manifest.combine([good_rows(rows)])
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
    table = manifest.inspect_all(labels, {}, {}, 0, 1, lambda _: None)
    path = tmp_path_factory.mktemp("names") / "manifest.csv"
    table.to_csv(path, index=False)
    pd.testing.assert_frame_equal(manifest.read_manifest(path), table)
    assert set(table["image"]) == set(labels["image"])


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
