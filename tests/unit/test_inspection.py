"""What one file is: facts of good photographs, reasons for bad ones."""

import os
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from tests.drawn import flat, fundus

from retinopathy import decoding, inspection, manifest
from retinopathy.parts import shard_of
from retinopathy.sources import by_image


def test_facts_of_a_good_photograph(tmp_path: Path) -> None:
    (tmp_path / "1_left.jpeg").write_bytes(fundus())
    row = inspection.inspect("1_left", tmp_path / "1_left.jpeg")
    assert (row["patient"], row["eye"], row["level"], row["status"]) == ("1", "left", None, "ok")
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
    row = inspection.inspect("1_left", tmp_path / "1_left.png")
    assert (row["height"], row["width"]) == shape
    assert np.isfinite(
        np.asarray([row["crop_side"], row["brightness"], row["saturation"]], float)
    ).all()


def test_perceptual_hashes_of_like_photographs_are_near() -> None:
    def bits(data: bytes) -> int:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        return int(inspection._perceptual_hash(np.asarray(image, np.uint8)), 16)

    rng = np.random.default_rng(1)
    image = cv2.GaussianBlur(rng.integers(0, 255, (300, 400), np.uint8), (0, 0), 20) * 2
    low, high = (cv2.imencode(".jpg", image, [1, q])[1].tobytes() for q in (30, 95))
    small = cv2.imencode(".png", cv2.resize(image, (200, 150), interpolation=3))[1].tobytes()
    assert (bits(low) ^ bits(high)).bit_count() <= 4
    assert (bits(small) ^ bits(high)).bit_count() <= 4
    assert (bits(fundus()) ^ bits(high)).bit_count() > 12


def test_shards_share_evenly_and_do_not_depend_on_others() -> None:
    counts = np.bincount([shard_of(f"{n}_left", 8) for n in range(4000)])
    assert counts.min() > 420 and counts.max() < 580
    assert shard_of("10_left", 16) == shard_of("10_left", 16) < 16


def test_an_empty_shard_keeps_its_columns_and_types(tmp_path: Path) -> None:
    table = inspection.inspect_all({}, 0, 1, lambda _: None)
    table.to_csv(tmp_path / "m.csv", index=False)
    pd.testing.assert_frame_equal(manifest.read_manifest(tmp_path / "m.csv"), table)


def rows_of_one(folder: Path, contents: dict[str, bytes]) -> dict[str, str]:
    """Return image to status of the files with one image id."""
    for name, content in contents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    ((image, files),) = by_image([folder]).items()
    return {row["image"]: row["status"] for row in inspection.inspect_files(image, files)}


def test_of_different_photographs_with_one_id_none_is_used(tmp_path: Path) -> None:
    contents = {"a/1.png": fundus(101), "b/1.jpeg": fundus(102), "b/1.png": fundus(102)}
    assert rows_of_one(tmp_path, contents) == {
        "1": "same name as b/1.jpeg",
        "b/1.jpeg": "same name as a/1.png",
        "b/1.png": "same name as a/1.png",
    }


def test_of_equal_photographs_with_one_id_the_first_is_used(tmp_path: Path) -> None:
    contents = {"a/1.png": fundus(), "b/1.jpeg": fundus(), "c/1.jpeg": b""}
    assert rows_of_one(tmp_path, contents) == {
        "1": "ok",
        "b/1.jpeg": "duplicate of 1",
        "c/1.jpeg": "empty file",
    }


def test_a_bad_file_does_not_take_the_id_of_a_good_one(tmp_path: Path) -> None:
    contents = {"a/1.png": b"", "b/1.jpeg": flat(1), "c/1.jpeg": fundus()}
    assert rows_of_one(tmp_path, contents) == {
        "a/1.png": "empty file",
        "b/1.jpeg": "black",
        "1": "ok",
    }


def test_of_bad_files_only_the_first_has_the_id(tmp_path: Path) -> None:
    assert rows_of_one(tmp_path, {"a/1.png": b"", "b/1.jpeg": flat(1)}) == {
        "1": "empty file",
        "b/1.jpeg": "black",
    }


def test_a_file_that_vanishes_after_the_listing_is_missing(tmp_path: Path) -> None:
    (tmp_path / "1_left.jpeg").write_bytes(fundus())
    files = by_image([tmp_path])
    (tmp_path / "1_left.jpeg").unlink()
    (row,) = inspection.inspect_files("1_left", files["1_left"])
    assert row["status"] == "missing file"


def test_what_is_no_file_has_no_path_that_others_might_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "1_left.jpeg")
    row = inspection.inspect("1_left", tmp_path / "1_left.jpeg")
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
        assert inspection.inspect(name, path)["status"] == status, name
