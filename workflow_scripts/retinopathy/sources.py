"""Where photographs and labels come from: folders and tables."""

import hashlib
import os
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from retinopathy.errors import Explained
from retinopathy.parts import shard_of

ENDINGS = frozenset({".jpeg", ".jpg", ".png", ".tif", ".tiff"})
"""Endings of photographs, in lower case; any case counts."""

NO_LEVEL = -1
"""What a cell becomes that says something, but is no whole number."""

_LARGEST_LEVEL = 2**31
_SEPARATORS = ("\t", ";", ",")  # what a header holds of these separates its columns


@dataclass(frozen=True)
class Found:
    """A path that is named like a photograph, whatever is there.

    Attributes:
        path: The path.
        name: The path below its folder, or the whole of it where two folders have the same; with
            backslashes for bytes that are no UTF-8.
    """

    path: Path
    name: str


def image_id(name: str) -> str:
    """Return the image id that a file's name, or a cell of a table, stands for.

    Without its ending and blanks around it, and with letters and accents composed (Unicode NFC):
    some systems write file names decomposed, and a table may do either.
    """
    composed = unicodedata.normalize("NFC", spelled(name)).strip()
    stem, _, ending = composed.rpartition(".")
    return stem.strip() or composed if f".{ending.lower()}" in ENDINGS else composed


def spelled(name: str) -> str:
    """Return a name as text that a table keeps.

    There are backslashes for bytes that are no UTF-8, and for the two characters that tables lose.
    """
    text = name if name.isascii() else os.fsencode(name).decode("utf-8", "backslashreplace")
    return text.replace("\r", "\\r").replace("\0", "\\0")


def list_photographs(folder: Path) -> list[Path]:
    """Return the paths below `folder`, at any depth, that are named like photographs, sorted.

    What is there may be a photograph or not, a folder or nothing at all. Hidden files and folders
    (whose name starts with a dot) are half-written or a system's own and do not count. Linked
    folders are followed, each folder once, by way of no link where there is such a way.

    Raises:
        Explained: There is no such folder, or one cannot be listed.
    """
    return [folder / name for name in _names(folder)]


def by_image(folders: Iterable[Path]) -> dict[str, list[Found]]:
    """Return image id → the paths of that name below some folders, usually one, sorted.

    Raises:
        Explained: A folder is not there, or cannot be listed.
    """
    found: dict[str, list[Found]] = {}
    taken: set[str] = set()
    for folder in folders:
        for name in _names(folder):
            shown = spelled(name) if name not in taken else spelled(str(folder / name))
            taken.add(name)
            image = image_id(name.rpartition("/")[2])
            found.setdefault(image, []).append(Found(folder / name, shown))
    return found


def listings(folder: Path, shards: int) -> list[str]:
    """Tell whether the photographs of each shard changed, without opening them.

    A replaced photograph is known by its size or its modification time.

    Args:
        folder: Folder of photographs.
        shards: How many shards there are.

    Returns:
        Per shard 32 hexadecimal digits that change only when one of its photographs was added,
        replaced or removed.
    """
    digests = [hashlib.blake2b(digest_size=16) for _ in range(shards)]
    for name in _names(folder):
        digest = digests[shard_of(image_id(name.rpartition("/")[2]), shards)]
        digest.update(f"{spelled(name)}\t{_state(f'{folder}/{name}')}\n".encode())
    return [digest.hexdigest() for digest in digests]


def read_labels(path: Path, image_column: str, level_column: str) -> pd.DataFrame:
    """Read a table of labels.

    Args:
        path: The table, UTF-8, with a header.
        image_column: Column with the photograph's file name, with or without its ending.
        level_column: Column with the level.

    Returns:
        Columns `image` (str, an image id) and `level` (Int64; missing where the cell is empty,
        `NO_LEVEL` where it is no whole number), in the order of the table; equal rows once, rows
        without an image left out.

    Raises:
        Explained: The file or a column is missing, or it is no such table.
    """
    table = read_table(path, (image_column, level_column))
    cells = table[level_column].str.strip()
    levels = pd.to_numeric(cells, errors="coerce").astype("float64")
    sound = (levels % 1 == 0) & (levels.abs() < _LARGEST_LEVEL)
    whole = levels.where(sound, NO_LEVEL).where(cells != "").astype("Int64")
    return _of_images(table[image_column], "level", whole)


def read_grades(path: Path, image_column: str, quality_column: str) -> pd.DataFrame:
    """Read a table of published grades of quality.

    Returns:
        Columns `image` (an image id) and `quality`, both str; equal rows once, rows without an
        image or a grade left out.

    Raises:
        Explained: The file or a column is missing, or it is no such table.
    """
    table = read_table(path, (image_column, quality_column))
    grades = _of_images(table[image_column], "quality", table[quality_column].str.strip())
    return grades[grades["quality"] != ""].reset_index(drop=True)


def read_refused(paths: Iterable[Path]) -> dict[str, str]:
    """Return image id → reason of what could not be taken out of an archive.

    Args:
        paths: Tables with columns image and reason; the first reason of an image counts.

    Raises:
        Explained: A file or a column is missing, or it is no such table.
    """
    refused: dict[str, str] = {}
    for table in (read_table(path, ("image", "reason")) for path in paths):
        for name, reason in zip(table["image"], table["reason"], strict=True):
            refused.setdefault(image_id(name), reason)
    return refused


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table, separated by commas, semicolons or tabs, every column as text.

    Args:
        path: The table, UTF-8, with a header.
        columns: Columns that it must have.

    Raises:
        Explained: The file or a column is missing, or it is no such table.
    """
    table = _read(path)
    if not set(columns) <= set(table.columns):
        raise Explained(
            f"{path} lacks a column",
            expected=f"columns {', '.join(map(repr, columns))}",
            received=f"columns {', '.join(map(repr, table.columns))}",
            hint="set the names of the columns in the configuration to those that the table has",
        )
    return table


def columns_of(path: Path) -> list[str]:
    """Return the columns of a table that `read_table` reads, from its header alone.

    Raises:
        Explained: The file is missing, or it is no such table.
    """
    return list(_read(path, rows=0).columns)


def _read(path: Path, rows: int | None = None) -> pd.DataFrame:
    """Read the first `rows` rows of a table, or all, every column as text."""
    try:
        with path.open(encoding="utf-8-sig") as stream:
            header = stream.readline()
        return pd.read_csv(
            path,
            sep=next((mark for mark in _SEPARATORS if mark in header), ","),
            dtype=str,
            keep_default_na=False,
            encoding="utf-8-sig",
            nrows=rows,
        )
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise Explained(
            "unreadable table",
            expected="a CSV or TSV file, UTF-8, with a header",
            received=f"{path}: {error}",
            hint="correct its path in the configuration, or save the table as CSV",
        ) from error


def _of_images(names: pd.Series, column: str, values: pd.Series) -> pd.DataFrame:
    """Return image ids and what is said of them; equal rows once, none without an image."""
    rows = pd.DataFrame({"image": names.map(image_id), column: values})
    return rows[rows["image"] != ""].drop_duplicates(ignore_index=True)


def _names(folder: Path) -> list[str]:
    """Return the names of `list_photographs`, below `folder`, sorted."""
    if not folder.is_dir():
        raise Explained(
            "no folder of photographs",
            expected=f"a folder with files ending in {', '.join(sorted(ENDINGS))}",
            received=f"no folder at {folder}",
            hint="correct `source: photographs:` or put the photographs there",
        )
    return sorted(path[len(str(folder)) + 1 :] for path in _walk(str(folder)))


def _walk(root: str) -> Iterator[str]:
    """Yield the paths named like photographs in and below a folder, in no order."""
    waiting, seen = deque([root]), set[tuple[int, int]]()
    while waiting:
        for entry in _entries(waiting.popleft(), seen):
            if entry.name.lower().endswith(tuple(ENDINGS)):
                yield entry.path
            if _is_folder(entry):
                add = waiting.append if entry.is_symlink() else waiting.appendleft
                add(entry.path)


def _entries(folder: str, seen: set[tuple[int, int]]) -> list["os.DirEntry[str]"]:
    """Return what is in a folder but hidden, sorted by name; nothing where it was seen before."""
    try:
        facts = Path(folder).stat()
        if (facts.st_dev, facts.st_ino) in seen:
            return []
        seen.add((facts.st_dev, facts.st_ino))
        with os.scandir(folder) as entries:
            shown = [entry for entry in entries if not entry.name.startswith(".")]
            return sorted(shown, key=lambda entry: entry.name)
    except FileNotFoundError:  # it was there a moment ago
        return []
    except OSError as error:
        raise Explained(
            "a folder of photographs cannot be listed",
            expected="folders that may be read",
            received=str(error),
            hint="allow it to be read, or move it elsewhere",
        ) from error


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in a circle
        return False


def _state(path: str) -> str:
    """Return size and modification time of what is at `path`, nothing where nothing is."""
    try:
        facts = Path(path).stat()
    except OSError:
        return ""
    return f"{facts.st_size}\t{facts.st_mtime_ns}"
