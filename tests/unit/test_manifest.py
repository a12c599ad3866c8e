"""The manifest: facts of good photographs, reasons for bad ones."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from retinopathy import manifest
from retinopathy.errors import Explained
from retinopathy.manifest import COLUMNS
from retinopathy.parts import shard_of


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
    "10_left": "missing file",
    "2_left": "empty file",
    "2_right": "unreadable",
    "3_left": "unreadable",
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
    "9_left": "missing file",
}


def made(folder: Path, shards: int) -> pd.DataFrame:
    files = {path.stem: path for path in folder.iterdir()}
    levels = dict.fromkeys(STATUSES, 1) | {"6_right": 2, "7_right": 5}
    del levels["7_left"]
    labels = pd.DataFrame({"image": list(levels), "level": list(levels.values())})
    labels = pd.concat([labels, pd.DataFrame({"image": ["8_left"], "level": [3]})])
    labels = labels.astype({"level": "Int64"})
    tables = []
    for shard in range(shards):
        table = manifest.inspect_all(labels, files, shard, shards, lambda _: None)
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


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (2, 3), (59, 7), (300, 2)])
def test_tiny_and_narrow_photographs_make_a_row(tmp_path: Path, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(1).integers(0, 255, (*shape, 3), np.uint8)
    cv2.imwrite(str(tmp_path / "1_left.png"), image)
    row = manifest.inspect("1_left", tmp_path / "1_left.png", 0)
    assert (row["height"], row["width"]) == shape
    assert np.isfinite(np.asarray([row["crop_side"], row["brightness"]], float)).all()


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
    table = manifest.inspect_all(none, {"7_left": folder / "7_left.jpeg"}, 0, 1, lambda _: None)
    assert list(table["status"]) == ["label missing"]


def test_shards_share_evenly_and_do_not_depend_on_others() -> None:
    counts = np.bincount([shard_of(f"{n}_left", 8) for n in range(4000)])
    assert counts.min() > 420 and counts.max() < 580
    assert shard_of("10_left", 16) == shard_of("10_left", 16) < 16


def test_an_empty_shard_keeps_its_columns_and_types(tmp_path: Path) -> None:
    none = pd.DataFrame({"image": [], "level": []})
    table = manifest.inspect_all(none, {}, 0, 1, lambda _: None)
    table.to_csv(tmp_path / "m.csv", index=False)
    pd.testing.assert_frame_equal(manifest.read_manifest(tmp_path / "m.csv"), table)


def test_too_many_rejects_stop_the_study(folder: Path) -> None:
    table = made(folder, 1)
    assert len(manifest.rejects(table)) == len(table) - 2
    manifest.check_rejects(table, 0.9)
    with pytest.raises(Explained, match=r"15 of 17.*conflicting labels 3"):
        manifest.check_rejects(table, 0.5)
    with pytest.raises(Explained, match="there are none"):
        manifest.check_rejects(table.iloc[:0], 1.0)


def test_another_table_is_no_manifest(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("image,level\na,1\n")
    with pytest.raises(Explained, match="no column patient"):
        manifest.read_manifest(tmp_path / "m.csv")
