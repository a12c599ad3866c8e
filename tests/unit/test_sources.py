"""Folders of photographs and tables of labels."""

import csv
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retinopathy.errors import Explained
from retinopathy.parts import shard_of
from retinopathy.sources import (
    Found,
    by_image,
    image_id,
    list_photographs,
    listings,
    read_grades,
    read_labels,
    read_refused,
    read_table,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    names = ("b.JPEG", "a.png", "deep/er/ü c.Tif", "notes.txt", ".a.jpeg", "._b.jpg", ".d/e.jpeg")
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "folder.jpeg").mkdir()
    (tmp_path / "gone.jpeg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "deep" / "loop").symlink_to(tmp_path)
    return tmp_path


def listed(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in list_photographs(folder)]


def test_paths_of_every_ending_and_depth_are_listed_once(folder: Path) -> None:
    expected = ["a.png", "b.JPEG", "deep/er/ü c.Tif", "folder.jpeg", "gone.jpeg"]
    assert listed(folder) == expected


def test_linked_folders_are_followed_once_and_by_way_of_no_link_if_possible(folder: Path) -> None:
    elsewhere = folder / ".elsewhere"
    (elsewhere / "sub").mkdir(parents=True)
    (elsewhere / "sub" / "far.jpeg").write_bytes(b"x")
    (elsewhere / "back").symlink_to(folder)
    (folder / "a link").symlink_to(elsewhere)
    (folder / "another link").symlink_to(elsewhere / "sub")
    (folder / "a first link").symlink_to(folder / "deep")
    inside = folder / "folder.jpeg" / "inside.jpeg"
    inside.write_bytes(b"x")
    assert "deep/er/ü c.Tif" in listed(folder)
    assert "folder.jpeg/inside.jpeg" in listed(folder)
    assert sum("far.jpeg" in name for name in listed(folder)) == 1
    assert len(listed(folder)) == 7


def test_a_folder_that_is_a_link_and_given_with_a_slash_or_dots_is_listed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = listed(folder)
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert listed(link) == expected
    monkeypatch.chdir(folder)
    assert listed(Path()) == expected
    assert [str(path) for path in list_photographs(Path("deep/er"))] == ["deep/er/ü c.Tif"]


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
    (folder / ".z.jpg").write_bytes(b"x")
    assert changed() == []
    (folder / "z.jpg").symlink_to("later")
    assert changed() == [shard]
    before = listings(folder, 3)
    (folder / "later").write_bytes(b"x")
    assert changed() == [shard]
    before = listings(folder, 3)
    (folder / "z.jpg").unlink()
    (folder / "z.jpg").write_bytes(b"longer")
    assert changed() == [shard]
    before = listings(folder, 3)
    os.utime(folder / "z.jpg", ns=(1, 1))
    assert changed() == [shard]
    before = listings(folder, 3)
    (folder / "z.jpg").unlink()
    assert changed() == [shard]


def test_photographs_are_found_by_id(folder: Path) -> None:
    assert set(by_image([folder])) == {"a", "b", "ü c", "folder", "gone"}
    path = folder / "deep/er/ü c.Tif"
    assert by_image([folder / "deep" / "er"]) == {"ü c": [Found(path, "ü c.Tif")]}


def test_all_photographs_with_one_id_are_found_under_names_of_their_own(folder: Path) -> None:
    (folder / "deep" / "a.jpg").write_bytes(b"x")
    (folder / "deep" / "a.png").write_bytes(b"x")
    (folder / "deep" / "loop").unlink()
    found = by_image([folder, folder / "deep"])["a"]
    assert [one.path.relative_to(folder).as_posix() for one in found] == [
        "a.png", "deep/a.jpg", "deep/a.png", "deep/a.jpg", "deep/a.png",
    ]  # fmt: skip
    names = [one.name for one in found]
    assert names == ["a.png", "deep/a.jpg", "deep/a.png", "a.jpg", str(folder / "deep" / "a.png")]


def test_names_that_are_no_text_are_spelled(tmp_path: Path) -> None:
    os.close(os.open(os.fsencode(tmp_path) + b"/caf\xe9.jpeg", os.O_CREAT))
    assert listings(tmp_path, 1)
    ((image, (one,)),) = by_image([tmp_path]).items()
    assert (image, one.name) == ("caf\\xe9", "caf\\xe9.jpeg")
    assert one.path.is_file()


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("10_left.JPEG", "10_left"),
        ("10_left", "10_left"),
        (" 10_left .jpeg ", "10_left"),
        ("v1.5", "v1.5"),
        ("v1.5.tif", "v1.5"),
        ("10_left.jpeg.png", "10_left.jpeg"),
        ("e\u0301.jpeg", "\u00e9"),
        (".jpeg", ".jpeg"),
        ("jpeg", "jpeg"),
        ("a\nb.jpeg", "a\nb"),
        ("", ""),
        (" ", ""),
    ],
)
def test_names_stand_for_image_ids(name: str, image: str) -> None:
    assert image_id(name) == image


@settings(deadline=None)
@given(st.text())
def test_an_image_id_stands_for_itself_however_it_is_composed(name: str) -> None:
    image = image_id(f"{name}.jpeg")
    assert image == image_id(f"{unicodedata.normalize('NFD', name)}.jpeg")
    assert image.encode().decode() == image


def labels(tmp_path: Path, text: str, image: str = "image", level: str = "level") -> list[object]:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    table = read_labels(path, image, level)
    assert table.dtypes["level"] == "Int64"
    return [tuple(row) for row in table.astype(object).where(table.notna(), None).to_numpy()]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_endings_are_stripped_and_columns_chosen(tmp_path: Path, separator: str) -> None:
    lines = ["\ufeffgrade,name,more", "0,10_left.JPEG,x", "4,007,x", "3, v1.5 ,x", "2,NA,"]
    text = "\n".join(lines).replace(",", separator)
    expected = [("10_left", 0), ("007", 4), ("v1.5", 3), ("NA", 2)]
    assert labels(tmp_path, text, "name", "grade") == expected


def test_what_is_no_level_is_told_from_what_is_missing(tmp_path: Path) -> None:
    text = "image,level\na,\nb,x\nc,1.5\nd,2.0\ne,7\nf,-1\ng,inf\nh,1e30\n,3\n  ,3\n"
    text += "i,NA\nj,nan\nk,null\n"
    assert labels(tmp_path, text) == [
        ("a", None), ("b", -1), ("c", -1), ("d", 2), ("e", 7), ("f", -1), ("g", -1),
        ("h", -1), ("i", -1), ("j", -1), ("k", -1),
    ]  # fmt: skip


def test_equal_rows_count_once_and_different_ones_stay(tmp_path: Path) -> None:
    assert labels(tmp_path, "image,level\na,1\na,1\na,2\n") == [("a", 1), ("a", 2)]


@pytest.mark.parametrize("text", ["", "id,level\na,1\n", "image,level\n\0\xff"])
def test_a_wrong_table_is_explained(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(Explained, match=r"labels\.csv"):
        read_labels(path, "image", "level")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.text(), st.text()), min_size=1))
def test_any_table_of_labels_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("labels") / "labels.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([("image", "level"), *rows])
    table = read_labels(path, "image", "level")
    assert set(table["image"]) <= {image_id(name) for name, _ in rows} - {""}


def test_grades_of_quality_are_read(tmp_path: Path) -> None:
    path = tmp_path / "grades.tsv"
    path.write_text("name\tgrade\n10_left.jpeg\t Good \nNA\tNA\nb\t\n\tGood\nNA.png\tNA\n")
    table = read_grades(path, "name", "grade")
    assert [tuple(row) for row in table.to_numpy()] == [("10_left", "Good"), ("NA", "NA")]
    with pytest.raises(Explained, match=r"lacks a column[^$]*'quality'[^$]*'name', 'grade'"):
        read_grades(path, "name", "quality")


def test_the_first_reason_of_a_refused_entry_counts(tmp_path: Path) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    paths[0].write_text("image,reason\n1_left,too large\n")
    paths[1].write_text("image,reason\n1_left.jpeg,encrypted\n2_left.jpeg,encrypted\n")
    assert read_refused(paths) == {"1_left": "too large", "2_left": "encrypted"}
    assert read_refused([]) == {}


def test_a_table_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a,b,c\n007,NA,\n")
    assert read_table(path, ["b", "a"]).to_dict("records") == [{"a": "007", "b": "NA", "c": ""}]


def test_a_missing_column_shows_the_columns_there_are(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("id_code,diagnosis\na,1\n")
    with pytest.raises(Explained, match="'id_code', 'diagnosis'"):
        read_labels(path, "image", "level")
