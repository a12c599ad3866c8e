"""Photographs that are there twice."""

from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.drawn import jpeg

from retinopathy import copies, decoding, duplicates, inspection


def rows(*statuses: tuple[str, str, int, str], sha256: str = "") -> pd.DataFrame:
    table = pd.DataFrame(statuses, columns=["image", "patient", "level", "status"])
    return table.astype({"level": "Int64"}).assign(sha256=list(sha256 or "a" * len(statuses)))


def test_pairs_are_told_from_the_statuses() -> None:
    table = rows(
        ("1_left", "1", 2, "ok"),
        ("1_left", "1", 0, "same name as a/duplicate of b.jpg"),
        ("1_right", "1", 2, "duplicate of 1_left"),
        ("2_left", "2", 2, "duplicate of 1_left"),
        ("3_left", "3", 0, "conflicting labels, same as 4 left"),
        ("4 left", "4 left", 1, "conflicting labels, same as 3_left"),
        ("5_left", "5", 1, "conflicting labels, same as 3_left"),
        ("6_left", "6", 1, "conflicting labels"),
        ("7_left", "7", 1, "black"),
        ("8\nleft", "8", 1, "ok"),
        ("9_left", "9", 1, "duplicate of 8\nleft"),
        ("10_left", "10", 1, "copy of 8\nleft"),
        ("9_left", "9", 1, "black"),
        sha256="axaabbcdeffgh",
    )
    found = duplicates.told(table)
    assert tuple(found.columns) == duplicates.COLUMNS
    assert found.drop(columns="how").to_numpy().tolist() == [
        ["1_right", "1_left", 2, 2, True],
        ["2_left", "1_left", 2, 2, False],
        ["3_left", "4 left", 0, 1, False],
        ["5_left", "3_left", 1, 0, False],
        ["9_left", "8\nleft", 1, 1, False],
        ["10_left", "8\nleft", 1, 1, False],
    ]
    assert list(found["how"]) == ["bytes", "bytes", "bytes", "pixels", "bytes", "pixels"]
    assert duplicates.told(table.iloc[:1]).empty


def alike(n: int, seed: int) -> pd.DataFrame:
    """Return photographs many of which are alike in hash and light."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "patient": rng.integers(0, max(1, n // 2), n).astype(str),
            "phash": [f"{2**63 + int(bits):016x}" for bits in rng.integers(0, 16, n)],
            "brightness": rng.uniform(50, 53, n).round(2),
            "saturation": rng.uniform(90, 100, n).round(2),
        }
    )


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 60), st.integers(0, 999))
def test_candidates_are_all_pairs_that_are_alike(n: int, seed: int) -> None:
    table = alike(n, seed)
    expected = set()
    for one in range(n):
        for other in range(one):
            a, b = table.iloc[one], table.iloc[other]
            bits = (int(a["phash"], 16) ^ int(b["phash"], 16)).bit_count()
            light = all(abs(a[name] - b[name]) <= far for name, far in duplicates.LIGHT.items())
            if bits <= copies.BITS and light and a["patient"] != b["patient"]:
                expected.add(frozenset((one, other)))
    found = duplicates.candidates(table)
    pairs = [frozenset(pair) for pair in found.to_numpy().tolist()]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == expected


def test_the_most_alike_are_looked_at_first() -> None:
    table = alike(3, 1).assign(brightness=50.0, saturation=90.0, patient=["1", "2", "3"])
    table["phash"] = ["0000000000000000", "0000000000000003", "0000000000000000"]
    assert duplicates.candidates(table).to_numpy().tolist()[0] == [0, 2]


def test_a_set_without_differences_does_not_take_for_ever() -> None:
    table = alike(3000, 1).assign(brightness=50.0, saturation=90.0, phash="0" * 16)
    assert len(duplicates.candidates(table)) < 110_000


@pytest.fixture(scope="module")
def competition(real_photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Return rows of 40 photographs, and of copies of ten under the names of other patients."""
    folder = tmp_path_factory.mktemp("copies")
    originals = sorted((real_photographs / "eyepacs_1024/images").glob("*.jpeg"))[:40]
    files = dict.fromkeys(originals)
    for number, path in enumerate(originals[:20:2]):
        pixels = decoding.decode(path.read_bytes())
        small = cv2.resize(pixels, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
        (folder / f"copy{number}_left.jpeg").write_bytes(
            jpeg(np.asarray(small, np.uint8), cv2.IMWRITE_JPEG_QUALITY, 85)
        )
    files |= dict.fromkeys(sorted(folder.iterdir()))
    table = pd.DataFrame([inspection.inspect(path.stem, path) for path in files])
    return table.astype({"level": "Int64"})


def test_copies_under_another_name_are_found(competition: pd.DataFrame) -> None:
    pairs = duplicates.candidates(competition)
    found = duplicates.same_pixels(competition, pairs)
    copied = [frozenset(pair) for pair in zip(found["image"], found["same_as"], strict=True)]
    originals = list(competition["image"][:20:2])
    expected = {frozenset((f"copy{n}_left", name)) for n, name in enumerate(originals)}
    assert set(copied) <= expected
    assert len(set(copied)) >= 9
    assert set(found["how"]) == {"pixels"}
    assert not found["same_patient"].any()


def test_a_candidate_that_is_gone_is_no_copy(tmp_path: Path) -> None:
    table = rows(("1_left", "1", 0, "ok"), ("2_left", "2", 0, "ok"))
    table = table.assign(path=str(tmp_path / "gone"), crop_left=0, crop_top=0, crop_side=9)
    pairs = pd.DataFrame({"first": [0], "second": [1]})
    found = duplicates.same_pixels(table, pairs)
    assert found.empty
    assert tuple(found.columns) == duplicates.COLUMNS
