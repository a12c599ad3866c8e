"""Where photographs and labels come from: a folder and a table."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from retinopathy.errors import Explained
from retinopathy.parts import shard_of

ENDINGS = frozenset({".jpeg", ".jpg", ".png", ".tif", ".tiff"})
"""Endings of photographs, in lower case; any case counts."""


def list_photographs(folder: Path) -> list[Path]:
    """Return the photographs below `folder`, at any depth, sorted by path.

    Hidden files (whose name starts with a dot) are half-written or a system's own and do not
    count; linked folders are not followed, because they may lead in circles.

    Raises:
        Explained: There is no such folder.
    """
    if not folder.is_dir():
        raise Explained(
            "no folder of photographs",
            expected=f"a folder with files ending in {', '.join(sorted(ENDINGS))}",
            received=f"no folder at {folder}",
            hint="correct `source: photographs:` or put the photographs there",
        )
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in ENDINGS and not path.name.startswith(".") and path.is_file()
    )


def by_image(folders: Iterable[Path]) -> dict[str, Path]:
    """Return image id → photograph for all photographs below some folders.

    Raises:
        Explained: A folder is not there, or two photographs have the same id.
    """
    found: dict[str, Path] = {}
    for path in (path for folder in folders for path in list_photographs(folder)):
        other = found.setdefault(path.stem, path)
        if other != path:
            raise Explained(
                "two photographs with the same name",
                expected="file names that differ in more than folder and ending",
                received=f"{other} and {path}",
                hint="rename or remove one of them",
            )
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
    for path in list_photographs(folder):
        facts = path.stat()
        name = path.relative_to(folder).as_posix()
        line = f"{name}\t{facts.st_size}\t{facts.st_mtime_ns}\n"
        digests[shard_of(path.stem, shards)].update(line.encode())
    return [digest.hexdigest() for digest in digests]


def read_labels(path: Path, image_column: str, level_column: str) -> pd.DataFrame:
    """Read a table of labels, separated by commas or tabs.

    Args:
        path: The table, UTF-8, with a header.
        image_column: Column with the photograph's file name, with or without its ending.
        level_column: Column with the level.

    Returns:
        Columns `image` (str, without ending) and `level` (Int64; missing where it is no whole
        number), in the order of the table; equal rows once, rows without an image left out.

    Raises:
        Explained: The file or a column is missing, or it is no such table.
    """
    table = _read_table(path)
    missing = [name for name in (image_column, level_column) if name not in table.columns]
    if missing:
        raise Explained(
            f"{path} lacks a column of labels",
            expected=f"columns {image_column!r} and {level_column!r}",
            received=f"columns {', '.join(map(repr, table.columns))}",
            hint="name the columns in `source: image_column:` and `level_column:`",
        )
    levels = pd.to_numeric(table[level_column], errors="coerce")
    whole = levels.where(levels % 1 == 0).astype("Int64")
    labels = pd.DataFrame({"image": table[image_column].map(_without_ending), "level": whole})
    return labels[labels["image"] != ""].drop_duplicates(ignore_index=True)


def _read_table(path: Path) -> pd.DataFrame:
    try:
        with path.open(encoding="utf-8-sig") as stream:
            separator = "\t" if "\t" in stream.readline() else ","
        return pd.read_csv(
            path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise Explained(
            "unreadable table of labels",
            expected="a CSV or TSV file, UTF-8, with a header",
            received=f"{path}: {error}",
            hint="correct `source: labels:`, or save the table as CSV",
        ) from error


def _without_ending(name: str) -> str:
    path = name.strip()
    ending = Path(path).suffix
    return path.removesuffix(ending) if ending.lower() in ENDINGS else path
