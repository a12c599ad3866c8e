"""Folders of photographs and tables of labels."""

import os
from pathlib import Path

import pytest

from retinopathy.errors import Explained
from retinopathy.parts import shard_of
from retinopathy.sources import by_image, list_photographs, listings, read_labels


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.JPEG", "a.png", "deep/er/ü c.Tif", "notes.txt", ".a.jpeg", "._b.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "folder.jpeg").mkdir()
    (tmp_path / "gone.jpeg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "deep" / "loop").symlink_to(tmp_path)
    return tmp_path


def test_photographs_of_every_ending_and_depth_are_listed_once(folder: Path) -> None:
    names = [path.relative_to(folder).as_posix() for path in list_photographs(folder)]
    assert names == ["a.png", "b.JPEG", "deep/er/ü c.Tif"]


def test_a_missing_folder_is_explained(tmp_path: Path) -> None:
    with pytest.raises(Explained, match="nowhere"):
        list_photographs(tmp_path / "nowhere")


def test_only_the_shard_of_a_changed_photograph_is_told_to_have_changed(folder: Path) -> None:
    before = listings(folder, 3)
    shard = shard_of("z", 3)

    def changed() -> list[int]:
        return [
            number
            for number, (one, other) in enumerate(zip(before, listings(folder, 3), strict=True))
            if one != other
        ]

    (folder / "notes.txt").write_text("longer")
    assert changed() == []
    (folder / "z.jpg").write_bytes(b"x")
    assert changed() == [shard]
    before = listings(folder, 3)
    os.utime(folder / "z.jpg", ns=(1, 1))
    assert changed() == [shard]
    before = listings(folder, 3)
    (folder / "z.jpg").unlink()
    assert changed() == [shard]


def test_photographs_are_found_by_id(folder: Path) -> None:
    assert sorted(by_image([folder])) == ["a", "b", "ü c"]
    assert by_image([folder / "deep"])["ü c"] == folder / "deep/er/ü c.Tif"


def test_two_photographs_with_one_id_are_not_confused(folder: Path) -> None:
    (folder / "deep" / "a.jpg").write_bytes(b"x")
    with pytest.raises(Explained, match=r"a\.png and .*a\.jpg|a\.jpg and .*a\.png"):
        by_image([folder])


def labels(tmp_path: Path, text: str, image: str = "image", level: str = "level") -> list[object]:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    table = read_labels(path, image, level)
    assert table.dtypes["level"] == "Int64"
    return [tuple(row) for row in table.astype(object).where(table.notna(), None).to_numpy()]


@pytest.mark.parametrize("separator", [",", "\t"])
def test_endings_are_stripped_and_columns_chosen(tmp_path: Path, separator: str) -> None:
    lines = ["\ufeffgrade,name,more", "0,10_left.JPEG,x", "4,007,x", "3, v1.5 ,x", "2,NA,"]
    text = "\n".join(lines).replace(",", separator)
    expected = [("10_left", 0), ("007", 4), ("v1.5", 3), ("NA", 2)]
    assert labels(tmp_path, text, "name", "grade") == expected


def test_invalid_levels_are_missing_and_odd_ones_kept(tmp_path: Path) -> None:
    text = "image,level\na,\nb,x\nc,1.5\nd,2.0\ne,7\nf,-1\ng,inf\n,3\n"
    assert labels(tmp_path, text) == [
        ("a", None), ("b", None), ("c", None), ("d", 2), ("e", 7), ("f", -1), ("g", None),
    ]  # fmt: skip


def test_equal_rows_count_once_and_different_ones_stay(tmp_path: Path) -> None:
    assert labels(tmp_path, "image,level\na,1\na,1\na,2\n") == [("a", 1), ("a", 2)]


@pytest.mark.parametrize("text", ["", "id,level\na,1\n", "image,level\n\0\xff"])
def test_a_wrong_table_is_explained(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(Explained, match=r"labels\.csv"):
        read_labels(path, "image", "level")


def test_a_missing_column_shows_the_columns_there_are(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("id_code,diagnosis\na,1\n")
    with pytest.raises(Explained, match="'id_code', 'diagnosis'"):
        read_labels(path, "image", "level")
