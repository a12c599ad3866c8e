"""What to unpack of an archive of photographs, and what to refuse."""

import stat
import struct
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath

from retinopathy.sources import ENDINGS

LARGEST = 200_000_000
"""Bytes of the largest photograph that is unpacked; those of the competition have a few million."""

RATIO = 200
"""How many times its packed size a photograph may have, from 2 MB on; the usual is about 1."""

OUTSIDE = "outside the folder"
TOO_LARGE = "too large"
DAMAGED = "damaged in the archive"
ENCRYPTED = "encrypted"
NO_FILE = "not a file in the archive"
SAME_FILE = "two entries for the same file"
NAME_TOO_LONG = "name too long"
UNKNOWN_METHOD = "packed by an unknown method"

NO_ARCHIVE = (OSError, zipfile.BadZipFile, NotImplementedError, ValueError, struct.error)
"""What opening a file raises that is no zip, or a zip of a kind that is not known."""

_HEADER = 30
_SMALL = 10_000


@dataclass(frozen=True)
class Refused:
    """An entry of an archive that was not unpacked.

    Attributes:
        image: Its file name without its ending.
        reason: One of the reasons above.
    """

    image: str
    reason: str


@dataclass(frozen=True)
class Entry:
    """A photograph in an archive.

    Attributes:
        info: What the archive's directory says about it.
        path: Where it goes, within the folder.
    """

    info: zipfile.ZipInfo
    path: PurePosixPath

    @property
    def offset(self) -> int:
        """Return where it begins, bytes from the beginning of the archive."""
        return self.info.header_offset


def plan(
    entries: Iterable[zipfile.ZipInfo], folder: str, size: int
) -> tuple[list[Entry], list[Refused]]:
    """Choose what to unpack of an archive.

    Args:
        entries: The archive's directory.
        folder: Name of the folder that is left out where it leads.
        size: Of the archive, bytes.

    Returns:
        Photographs in the order of their bytes, and what was refused.
    """
    chosen: list[Entry] = []
    refused: list[Refused] = []
    taken: set[PurePosixPath] = set()
    ordered = sorted(entries, key=lambda info: info.header_offset)
    limits = [info.header_offset for info in ordered[1:]] + [size]
    for info, limit in zip(ordered, limits, strict=True):
        name = PurePosixPath(info.filename.replace("\\", "/"))
        if not is_photograph(name.name) or _is_hidden(name):
            continue
        path = _inside(info.filename, folder)
        reason = _reason(info, limit) or (SAME_FILE if path in taken else "")
        if path is None or reason:
            refused.append(Refused(name.stem, OUTSIDE if path is None else reason))
        else:
            taken.add(path)
            chosen.append(Entry(info, path))
    return chosen, refused


def is_photograph(name: str) -> bool:
    """Tell whether a file name has a photograph's ending, and is not hidden."""
    return not name.startswith(".") and PurePosixPath(name).suffix.lower() in ENDINGS


def _reason(info: zipfile.ZipInfo, limit: int) -> str:
    """Return why an entry cannot be unpacked, or an empty text.

    Args:
        info: What the archive's directory says about it.
        limit: Where the next entry begins; entries that overlap are how small archives become huge.
    """
    if info.is_dir():
        return NO_FILE
    if stat.S_ISLNK(info.external_attr >> 16):
        return OUTSIDE
    if info.flag_bits & 1:
        return ENCRYPTED
    if info.file_size > LARGEST or info.file_size > RATIO * max(info.compress_size, _SMALL):
        return TOO_LARGE
    end = info.header_offset + _HEADER + len(info.filename) + info.compress_size
    return DAMAGED if info.header_offset < 0 or end > limit else ""


def _inside(name: str, folder: str) -> PurePosixPath | None:
    """Return where an entry goes within the folder; None if that would be outside."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or PureWindowsPath(name).drive or ".." in path.parts:
        return None
    return path.relative_to(folder) if path.parts[0] == folder and path.parts[1:] else path


def _is_hidden(name: PurePosixPath) -> bool:
    """Tell whether a name is in a hidden folder, which no photographs are taken from."""
    return any(part.startswith(".") and part != ".." for part in name.parts)
