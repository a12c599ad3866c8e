"""Archives in parts: the view over them, what is taken, what is refused, and going on."""

import io
import os
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.kaggle_stand_in import cut, zipped

from retinopathy import archives, entries
from retinopathy.archives import Unpacked, is_placed, peak, unpack
from retinopathy.entries import Refused, plan
from retinopathy.errors import Explained
from retinopathy.joined import Joined, Part

PHOTOGRAPHS = {f"train/{n}_{eye}.jpeg": os.urandom(300) for n in range(12) for eye in ("l", "r")}


def quiet(_line: str) -> None:
    """Take a line and say nothing."""


def parts_of(folder: Path, content: bytes, pieces: int) -> list[Part]:
    folder.mkdir(exist_ok=True)
    parts = []
    for number, piece in enumerate(cut(content, pieces), 1):
        path = folder / f"train.zip.{number:03d}"
        path.write_bytes(piece)
        parts.append(Part(path, len(piece)))
    return parts


def contents(folder: Path) -> dict[str, bytes]:
    """Return path → content of what is not hidden."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def expected() -> dict[str, bytes]:
    return {name.removeprefix("train/"): content for name, content in PHOTOGRAPHS.items()}


@settings(deadline=None, max_examples=60)
@given(
    pieces=st.lists(st.binary(max_size=40), min_size=1, max_size=6),
    steps=st.lists(st.tuples(st.integers(0, 250), st.integers(0, 100)), max_size=8),
)
def test_the_view_reads_as_the_joined_file_does(
    tmp_path_factory: pytest.TempPathFactory,
    pieces: list[bytes],
    steps: list[tuple[int, int]],
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    parts = []
    for number, piece in enumerate(pieces):
        (folder / str(number)).write_bytes(piece)
        parts.append(Part(folder / str(number), len(piece)))
    joined = io.BytesIO(b"".join(pieces))
    with io.BufferedReader(Joined(parts), 16) as view:
        for position, count in steps:
            assert view.seek(position) == joined.seek(position)
            assert view.read(count) == joined.read(count)
        assert view.seek(0, io.SEEK_END) == joined.seek(0, io.SEEK_END)


@pytest.mark.parametrize("pieces", [1, 5, 40])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_photographs_come_out_as_they_went_in(tmp_path: Path, pieces: int, method: int) -> None:
    others = {"train/": b"", "train/notes.txt": b"x", "__MACOSX/train/._0_l.jpeg": b"x"}
    parts = parts_of(tmp_path / "archives", zipped(others | PHOTOGRAPHS, method), pieces)
    found = unpack(parts, tmp_path / "train", quiet)
    assert contents(tmp_path / "train") == expected()
    assert found == Unpacked(len(PHOTOGRAPHS), 300 * len(PHOTOGRAPHS), [])
    assert all(part.path.stat().st_size == part.bytes for part in parts)


def test_an_archive_beyond_4_gib_is_read(tmp_path: Path) -> None:
    # A hole of 5 GiB in front moves all offsets to where only zip64 records can tell them.
    first = tmp_path / "train.zip.001"
    with first.open("wb") as stream:
        stream.seek(5 << 30)
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("train/a.jpeg", b"a" * 100)
            archive.writestr("train/b.jpeg", b"b" * 100)
    whole = first.stat().st_size
    tail = whole - 150
    second = tmp_path / "train.zip.002"
    with first.open("rb") as stream:
        stream.seek(tail)
        second.write_bytes(stream.read())
    os.truncate(first, tail)
    unpack([Part(first, tail), Part(second, 150)], tmp_path / "train", quiet)
    assert contents(tmp_path / "train") == {"a.jpeg": b"a" * 100, "b.jpeg": b"b" * 100}


def hostile() -> bytes:
    """Return an archive with one entry of every kind that is refused, and two good ones."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("train/good.jpeg", b"good")
        for name in ("../up.jpeg", "/root.jpeg", "C:\\drive.jpeg", "train\\..\\..\\back.jpeg"):
            archive.writestr(name, b"x")
        link = zipfile.ZipInfo("train/link.jpeg")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("train/directory.jpeg/", b"")
        archive.writestr("train/bomb.png", b"\0" * 30_000_000)
        archive.writestr("train/twice.jpeg", b"first")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("train/twice.jpeg", b"second")
        archive.writestr("twice.jpeg", b"third")
        archive.writestr("train/file.jpeg", b"file")
        archive.writestr("train/file.jpeg/below.jpeg", b"below")
        archive.writestr(f"train/{'n' * 300}.jpeg", b"x")
        archive.writestr("train/damaged.jpeg", os.urandom(200), zipfile.ZIP_STORED)
        archive.writestr("train/secret.jpeg", b"x" * 50)
        archive.writestr("train/ünïcode 画.JPG", b"unicode")
    content = bytearray(stream.getvalue())
    local = content.index(b"train/damaged.jpeg")
    content[local + 60] ^= 0xFF
    header = content.index(b"train/secret.jpeg") - 30
    record = content.rindex(b"train/secret.jpeg") - 46
    for flags in (header + 6, record + 8):
        content[flags] |= 1
    return bytes(content)


def test_what_is_refused_is_listed_and_nothing_else_is_lost(tmp_path: Path) -> None:
    parts = parts_of(tmp_path / "archives", hostile(), 7)
    outside = set(tmp_path.rglob("*"))
    found = unpack(parts, tmp_path / "train", quiet)
    assert sorted((one.image, one.reason) for one in found.refused) == sorted(
        [
            ("up", entries.OUTSIDE),
            ("root", entries.OUTSIDE),
            ("drive", entries.OUTSIDE),
            ("back", entries.OUTSIDE),
            ("link", entries.OUTSIDE),
            ("directory", entries.NO_FILE),
            ("bomb", entries.TOO_LARGE),
            ("twice", entries.SAME_FILE),
            ("twice", entries.SAME_FILE),
            ("below", entries.SAME_FILE),
            ("n" * 300, entries.NAME_TOO_LONG),
            ("damaged", entries.DAMAGED),
            ("secret", entries.ENCRYPTED),
        ]
    )
    assert contents(tmp_path / "train") == {
        "good.jpeg": b"good",
        "twice.jpeg": b"first",
        "file.jpeg": b"file",
        "ünïcode 画.JPG": b"unicode",
    }
    assert found.photographs == 4
    inside = {path for path in tmp_path.rglob("*") if (tmp_path / "train") in path.parents}
    assert {*tmp_path.rglob("*")} - inside - {tmp_path / "train"} == outside


def test_a_bomb_that_lies_about_its_size_is_not_unfolded(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.jpeg": b"\0" * 50_000_000, "b.jpeg": b"fine"}))
    for signature, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.index(signature) + place, 1000)
    found = unpack(parts_of(tmp_path / "archives", bytes(content), 3), tmp_path / "train", quiet)
    assert found.refused == [Refused("a", entries.DAMAGED)]
    assert contents(tmp_path / "train") == {"b.jpeg": b"fine"}


def test_entries_that_overlap_are_not_unfolded_twice(tmp_path: Path) -> None:
    members = {"a.jpeg": b"a" * 90, "b.jpeg": b"b" * 90, "c.jpeg": b"c" * 90}
    content = bytearray(zipped(members, zipfile.ZIP_STORED))
    # The directory says that a is as long as a and b with its header together.
    first = content.index(b"PK\x01\x02")
    struct.pack_into("<II", content, first + 20, 250, 250)
    found = unpack(parts_of(tmp_path / "archives", bytes(content), 3), tmp_path / "train", quiet)
    assert found.refused == [Refused("a", entries.DAMAGED)]
    assert sorted(contents(tmp_path / "train")) == ["b.jpeg", "c.jpeg"]


def test_an_unknown_method_is_named(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.jpeg": b"a" * 90}))
    struct.pack_into("<H", content, 8, 9)
    struct.pack_into("<H", content, content.index(b"PK\x01\x02") + 10, 9)
    found = unpack(parts_of(tmp_path / "archives", bytes(content), 2), tmp_path / "train", quiet)
    assert found.refused == [Refused("a", entries.UNKNOWN_METHOD)]


@settings(deadline=None, max_examples=40)
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255), pieces=st.integers(1, 9))
def test_one_wrong_byte_never_crashes_nor_passes_for_a_photograph(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int, pieces: int
) -> None:
    content = bytearray(zipped(PHOTOGRAPHS))
    content[place % len(content)] = byte
    folder = tmp_path_factory.mktemp("wrong")
    try:
        unpack(parts_of(folder / "archives", bytes(content), pieces), folder / "train", quiet)
    except Explained:
        return
    found = contents(folder / "train")
    assert set(found.values()) <= set(PHOTOGRAPHS.values())
    if place % len(content) < content.index(b"PK\x01\x02"):
        assert len(found) >= len(PHOTOGRAPHS) - 1


class Stopped(Exception):
    """Stands for the end of a process."""


@pytest.mark.parametrize("remove", [False, True])
@pytest.mark.parametrize("stops", range(0, 24, 5))
def test_an_interrupted_unpacking_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stops: int, remove: bool
) -> None:
    names = sorted(PHOTOGRAPHS)
    damaged = bytearray(zipped(PHOTOGRAPHS, zipfile.ZIP_STORED))
    damaged[damaged.index(next(iter(PHOTOGRAPHS)).encode()) + 50] ^= 1
    parts = parts_of(tmp_path / "archives", bytes(damaged), 9)
    spent = Path.unlink if remove else None
    extract, count = archives._extract, 0

    def stopping(*given: object) -> str:
        nonlocal count
        count += 1
        if count > stops:
            raise Stopped
        return extract(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(archives, "_extract", stopping)
    with pytest.raises(Stopped):
        unpack(parts, tmp_path / "train", quiet, spent)
    assert not is_placed(tmp_path / "train")
    gone = sum(not part.path.exists() for part in parts)
    assert (gone > 0) == (remove and stops >= 5)
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "train").rglob("*.jpeg")}
    monkeypatch.setattr(archives, "_extract", extract)
    found = unpack(parts, tmp_path / "train", quiet, spent)
    assert found.refused == [Refused(Path(next(iter(PHOTOGRAPHS))).stem, entries.DAMAGED)]
    assert found.photographs == len(names) - 1
    assert len(contents(tmp_path / "train")) == len(names) - 1
    assert {path: path.stat().st_mtime_ns for path in written} == written
    assert [part.path.exists() for part in parts] == [not remove] * 9
    assert unpack(parts, tmp_path / "train", quiet, spent) == found


def test_a_part_goes_as_soon_as_nothing_in_it_is_needed(tmp_path: Path) -> None:
    content = zipped(PHOTOGRAPHS, zipfile.ZIP_STORED)
    parts = parts_of(tmp_path / "archives", content, 9)
    chosen, _ = plan(zipfile.ZipFile(io.BytesIO(content)).infolist(), "train", len(content))
    start = sum(part.bytes for part in parts)
    highest = 0

    def spent(path: Path) -> None:
        nonlocal highest
        held = sum(len(one) for one in contents(tmp_path).values())
        highest = max(highest, held)
        path.unlink()

    stated = peak(chosen, parts, remove=True)
    assert peak(chosen, parts, remove=False) == 300 * len(PHOTOGRAPHS)
    unpack(parts, tmp_path / "train", quiet, spent)
    assert contents(tmp_path) == {f"train/{name}": one for name, one in expected().items()}
    assert highest - start <= stated < 2 * max(part.bytes for part in parts)


def test_a_missing_part_is_explained(tmp_path: Path) -> None:
    parts = parts_of(tmp_path / "archives", zipped(PHOTOGRAPHS), 5)
    for number in (2, 4):
        kept = parts[number].path.read_bytes()
        parts[number].path.unlink()
        with pytest.raises(Explained, match=f"all but {parts[number].path.name}"):
            unpack(parts, tmp_path / "train", quiet)
        parts[number].path.write_bytes(kept)


def test_photographs_gone_after_their_parts_are_missed(tmp_path: Path) -> None:
    parts = parts_of(tmp_path / "archives", zipped(PHOTOGRAPHS), 5)
    unpack(parts, tmp_path / "train", quiet, Path.unlink)
    next((tmp_path / "train").glob("*.jpeg")).unlink()
    with pytest.raises(Explained, match="put them back"):
        unpack(parts, tmp_path / "train", quiet, Path.unlink)


def test_parts_left_by_an_interrupted_removal_go(tmp_path: Path) -> None:
    parts = parts_of(tmp_path / "archives", zipped(PHOTOGRAPHS), 5)
    found = unpack(parts, tmp_path / "train", quiet)
    parts[0].path.unlink()
    assert unpack(parts, tmp_path / "train", quiet, Path.unlink) == found
    assert not any(part.path.exists() for part in parts)


def test_hidden_folders_hold_no_photographs(tmp_path: Path) -> None:
    """They are not looked for there afterwards, so they must not be counted either."""
    content = zipped({"train/a.jpeg": b"a", "train/.cache/b.jpeg": b"b"})
    parts = parts_of(tmp_path / "archives", content, 2)
    assert unpack(parts, tmp_path / "train", quiet, Path.unlink) == Unpacked(1, 1, [])
    assert unpack(parts, tmp_path / "train", quiet, Path.unlink).photographs == 1


def test_a_lost_photograph_is_unpacked_again_where_the_parts_are_kept(tmp_path: Path) -> None:
    parts = parts_of(tmp_path / "archives", zipped(PHOTOGRAPHS), 5)
    unpack(parts, tmp_path / "train", quiet)
    next((tmp_path / "train").glob("*.jpeg")).unlink()
    unpack(parts, tmp_path / "train", quiet)
    assert contents(tmp_path / "train") == expected()


def test_parts_that_are_no_archive_are_explained(tmp_path: Path) -> None:
    parts = parts_of(tmp_path / "archives", os.urandom(3000), 3)
    with pytest.raises(Explained, match="no archive together"):
        unpack(parts, tmp_path / "train", quiet)


def test_too_little_disk_is_said_before_the_first_photograph(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parts_of(tmp_path / "archives", zipped(PHOTOGRAPHS), 5)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(Explained, match="not enough disk to unpack 24 photographs"):
        unpack(parts, tmp_path / "train", quiet)
    assert contents(tmp_path / "train") == {}


def test_a_folder_that_a_person_filled_is_told_from_ours(tmp_path: Path) -> None:
    folder = tmp_path / "train"
    assert not is_placed(folder)
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "notes.txt").touch()
    (folder / "deep" / "._a.jpeg").touch()
    assert not is_placed(folder)
    (folder / "deep" / "a.JPEG").touch()
    assert is_placed(folder)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "link").symlink_to(folder)
    assert is_placed(tmp_path / "other")
    parts = parts_of(tmp_path / "archives", zipped(PHOTOGRAPHS), 5)
    unpack(parts, folder, quiet)
    assert not is_placed(folder)
