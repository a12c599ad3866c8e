"""Photographs that two sets share: byte for byte, or scaled and compressed anew."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from retinopathy import copies, decoding, inspection, manifest
from retinopathy.photographs import CropBox


def eye(seed: int) -> decoding.Pixels:
    """Draw a disc with branching lines that are different for every seed, everything else alike."""
    rng = np.random.default_rng(seed)
    image = np.zeros((600, 800, 3), np.uint8)
    cv2.circle(image, (400, 300), 280, (170, 90, 50), -1)
    for _ in range(60):
        walk = 400 + np.cumsum(rng.normal(0, 22, (14, 2)), axis=0) - (0, 100)
        cv2.polylines(image, [walk.astype(np.int32)], False, (110, 40, 20), int(rng.integers(2, 5)))
    disc = np.zeros((600, 800, 1), np.uint8)
    cv2.circle(disc, (400, 300), 280, (1,), -1)
    return np.asarray(image * disc, np.uint8)


def written(path: Path, image: decoding.Pixels, side: int, quality: int) -> Path:
    scaled = cv2.resize(image, (side, side * 3 // 4), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), scaled[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return path


def usable(paths: list[Path]) -> pd.DataFrame:
    rows = [inspection.inspect(path.stem, path) for path in paths]
    return pd.DataFrame(rows, columns=list(manifest.COLUMNS))


def found(one: list[Path], other: list[Path]) -> dict[str, tuple[str, str]]:
    table = copies.find(usable(one), usable(other), lambda _: None)
    pairs = zip(table["same_as"], table["how"], strict=True)
    return dict(zip(table["image"], pairs, strict=True))


def test_copies_are_found_and_other_eyes_are_not(tmp_path: Path) -> None:
    study = [written(tmp_path / f"study_{n}.jpeg", eye(n), 800, 95) for n in range(6)]
    same = tmp_path / "same.jpeg"
    same.write_bytes(study[2].read_bytes())
    smaller = written(tmp_path / "smaller.jpeg", eye(4), 500, 70)
    others = [written(tmp_path / f"other_{n}.jpeg", eye(100 + n), 800, 95) for n in range(6)]
    expected = {"same": ("study_2", "bytes"), "smaller": ("study_4", "pixels")}
    assert found([*others, same, smaller], study) == expected
    assert found(study, []) == found([], study) == {}


def test_a_candidate_that_is_gone_is_no_copy(tmp_path: Path) -> None:
    study = written(tmp_path / "study.jpeg", eye(1), 800, 95)
    copy = written(tmp_path / "copy.jpeg", eye(1), 600, 80)
    tables = usable([copy]), usable([study])
    study.unlink()
    assert copies.find(*tables, lambda _: None).empty


def test_textures_are_kept_for_a_bounded_number_of_photographs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sets of the competition's size have more candidates than fit into memory."""
    monkeypatch.setattr(copies, "BITS", 64)
    study = [written(tmp_path / f"study_{n}.jpeg", eye(n), 300, 95) for n in range(3)]
    others = [written(tmp_path / f"other_{n}.jpeg", eye(n + 1), 280, 90) for n in range(3)]
    copies._texture_of.cache_clear()
    assert set(found(others, study)) == {"other_0", "other_1"}
    kept = copies._texture_of.cache_info()
    assert 0 < kept.currsize <= 6
    assert kept.maxsize is not None
    assert kept.maxsize * copies.texture(study[0].read_bytes(), CropBox(0, 0, 200)).nbytes < 5e8


def test_the_peak_of_a_shifted_copy_is_high_and_of_noise_low() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.normal(size=(2, 128, 128)).astype(np.float32)
    assert copies.peak(first, np.roll(first, (3, -5), (0, 1))) > 0.6
    assert copies.peak(first, second) < 0.2


def test_real_copies_are_found(real_photographs: Path) -> None:
    """The raw photographs of the competition are in the scaled set, under the same names."""
    raw = sorted((real_photographs / "kaggle_raw_sample").glob("*.jpeg"))
    scaled = sorted((real_photographs / "eyepacs_1024/images").glob("*.jpeg"))[:300]
    there = {path.stem for path in scaled}
    expected = {path.stem: (path.stem, "pixels") for path in raw if path.stem in there}
    assert len(expected) == 10
    assert found(raw, scaled) == expected
    foreign = sorted((real_photographs / "idrid_external/images").glob("*.jpg"))[:20]
    assert found(foreign, scaled) == {}


@pytest.mark.parametrize("bits", range(4))
def test_hashes_are_near_up_to_a_number_of_bits(bits: int) -> None:
    pairs = list(
        copies._near(
            ["00000000000000ff"] * 3, ["ffffffffffffffff", f"{255 ^ (1 << bits) - 1:016x}"]
        )
    )
    assert pairs == ([(n, 1) for n in range(3)] if bits <= copies.BITS else [])
