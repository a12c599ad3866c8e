"""Archives of photographs that come in parts: a zip, cut into pieces wherever a piece was full.

They are read through a view over the parts, without a joined copy, and unpacked in the order of
their bytes, so that a part can go as soon as nothing in it is needed any more.

The folder that photographs are unpacked to holds a marker from before the first photograph: by it,
an unpacked folder is told from one that a person filled, and an interrupted unpacking goes on.
"""

import errno
import io
import lzma
import os
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, cast

from retinopathy.disk import expect_room, locked, room_explained
from retinopathy.entries import (
    DAMAGED,
    NAME_TOO_LONG,
    NO_ARCHIVE,
    SAME_FILE,
    UNKNOWN_METHOD,
    Entry,
    Refused,
    is_photograph,
    plan,
)
from retinopathy.errors import Explained
from retinopathy.files import read_json, write_json, written
from retinopathy.joined import Joined, Part, ends
from retinopathy.progress import Progress
from retinopathy.sources import list_photographs

MARKER = ".unpacked.json"
"""Name of the marker in a folder that photographs are unpacked to."""

_CHUNK = 1 << 20
_REASONS_BY_ERROR = {
    errno.EEXIST: SAME_FILE,
    errno.ENOTDIR: SAME_FILE,
    errno.EISDIR: SAME_FILE,
    errno.ENAMETOOLONG: NAME_TOO_LONG,
}


@dataclass(frozen=True)
class Unpacked:
    """What the unpacking of an archive left.

    Attributes:
        photographs: How many there are.
        bytes: Their size together.
        refused: Entries that were not unpacked, in the order of the archive.
    """

    photographs: int
    bytes: int
    refused: list[Refused]


@dataclass(frozen=True)
class _State:
    """What the marker says.

    Attributes:
        failed: Name → reason of entries that could not be unpacked, for when their part is gone.
        unpacked: The result, once there is one.
    """

    failed: dict[str, str] = field(default_factory=dict)
    unpacked: Unpacked | None = None

    @classmethod
    def read(cls, folder: Path) -> "_State":
        if not (folder / MARKER).is_file():
            return cls()
        content = read_json(folder / MARKER)
        found = content["unpacked"]
        if found:
            found = Unpacked(**(found | {"refused": [Refused(**row) for row in found["refused"]]}))
        return cls(content["failed"], found)

    def write(self, folder: Path) -> None:
        write_json(folder / MARKER, asdict(self))


def is_placed(folder: Path) -> bool:
    """Tell whether a person filled a folder.

    Then it has no marker of an unpacking, but a photograph, or a link to a folder that has some.
    """
    return not (folder / MARKER).is_file() and any(
        any(map(is_photograph, names)) or any(Path(above, name).is_symlink() for name in folders)
        for above, folders, names in os.walk(folder)
    )


def unpack(
    parts: Sequence[Part],
    folder: Path,
    say: Callable[[str], None],
    spent: Callable[[Path], None] | None = None,
) -> Unpacked:
    """Unpack the photographs of an archive in parts, or those that are missing.

    A leading folder in the archive that is named as `folder` is left out. Photographs are files
    with a photograph's ending; entries that look like photographs and are refused are reported.

    Args:
        parts: All parts in order, those that were removed after an earlier unpacking included.
        folder: Where photographs go.
        say: What takes lines about progress.
        spent: Called with each part as soon as nothing in it is needed any more; may remove it.

    Raises:
        Explained: It is no such archive, a part is missing that is still needed, or the disk is
            full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / ".lock", say), room_explained(folder, f"unpack to {folder}"):
        state = _State.read(folder)
        if state.unpacked and _gone(parts):
            _expect_all(folder, state.unpacked, parts)
            found = state.unpacked
        else:
            replace(state, unpacked=None).write(folder)
            found = _unpack(parts, folder, state.failed, say, spent)
            os.sync()
            _State(unpacked=found).write(folder)
        for part in parts:
            if spent and part.path.is_file():
                spent(part.path)
        return found


def peak(entries: Sequence[Entry], parts: Sequence[Part], remove: bool) -> int:
    """Return how many bytes more than now the disk will hold at most while unpacking.

    Args:
        entries: What is still to be unpacked, in the order of the archive.
        parts: The parts of the archive that are there or were.
        remove: Whether parts go as soon as nothing in them is needed any more.
    """
    if not remove:
        return sum(entry.info.file_size for entry in entries)
    waiting = [(end, part) for end, part in zip(ends(parts), parts, strict=True)]
    highest = now = 0
    for entry in entries:
        while waiting and waiting[0][0] <= entry.offset:
            part = waiting.pop(0)[1]
            now -= part.bytes if part.path.is_file() else 0
        now += entry.info.file_size
        highest = max(highest, now)
    return highest


def _unpack(
    parts: Sequence[Part],
    folder: Path,
    failed: dict[str, str],
    say: Callable[[str], None],
    spent: Callable[[Path], None] | None,
) -> Unpacked:
    view = cast(IO[bytes], io.BufferedReader(Joined(parts), _CHUNK))
    with view, _opened(view, parts) as archive:
        entries, refused = plan(archive.infolist(), folder.name, ends(parts)[-1])
        waiting = [entry for entry in entries if not _is_there(folder, entry)]
        _expect_parts(waiting, parts, failed)
        task = f"unpack {len(waiting)} photographs to {folder}"
        expect_room(folder, peak(waiting, parts, spent is not None), task)
        waiting = [entry for entry in waiting if entry.offset >= _gone(parts)]
        progress = Progress(say, task, sum(entry.info.file_size for entry in waiting))
        done = 0
        for entry in waiting:
            if spent:
                _let_go(parts, entry.offset, folder, failed, spent)
            reason = _extract(archive, entry, folder)
            failed.pop(entry.info.filename, None)
            if reason:
                failed[entry.info.filename] = reason
            done += entry.info.file_size
            progress.at(done)
    lost = {
        entry: failed[entry.info.filename] for entry in entries if entry.info.filename in failed
    }
    return Unpacked(
        photographs=len(entries) - len(lost),
        bytes=sum(entry.info.file_size for entry in entries if entry not in lost),
        refused=refused + [Refused(entry.path.stem, reason) for entry, reason in lost.items()],
    )


def _let_go(
    parts: Sequence[Part],
    offset: int,
    folder: Path,
    failed: dict[str, str],
    spent: Callable[[Path], None],
) -> None:
    """Let go of the parts before `offset`, once what was in them is safe on the disk."""
    past = [
        part.path
        for part, end in zip(parts, ends(parts), strict=True)
        if end <= offset and part.path.is_file()
    ]
    if past:
        os.sync()
        _State(failed).write(folder)
    for path in past:
        spent(path)


def _extract(archive: zipfile.ZipFile, entry: Entry, folder: Path) -> str:
    """Write a photograph, whole or not at all; return why not, or an empty text.

    No more is read than the size that `plan` has judged: the zip module stops there, and the
    checksum tells that there was more.
    """
    try:
        with (
            archive.open(entry.info) as source,
            written(folder / entry.path) as beside,
            beside.open("wb") as copy,
        ):
            shutil.copyfileobj(source, copy, _CHUNK)
    except (NotImplementedError, RuntimeError):
        return UNKNOWN_METHOD
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, struct.error):
        return DAMAGED
    except OSError as error:
        if error.errno is None:  # How bz2 says that a stream is damaged.
            return DAMAGED
        if error.errno not in _REASONS_BY_ERROR:
            raise
        return _REASONS_BY_ERROR[error.errno]
    return ""


def _is_there(folder: Path, entry: Entry) -> bool:
    try:
        facts = (folder / entry.path).lstat()
    except OSError:
        return False
    return stat.S_ISREG(facts.st_mode) and facts.st_size == entry.info.file_size


def _gone(parts: Sequence[Part]) -> int:
    """Return where the last missing part ends; what begins before cannot be unpacked."""
    here = zip(parts, ends(parts), strict=True)
    return max((end for part, end in here if not part.path.is_file()), default=0)


def _opened(joined: IO[bytes], parts: Sequence[Part]) -> zipfile.ZipFile:
    """Open the archive.

    Raises:
        Explained: It is none, or a part with its directory is missing.
    """
    try:
        return zipfile.ZipFile(joined)
    except NO_ARCHIVE as error:
        if _gone(parts):
            raise _missing(parts) from error
        raise Explained(
            f"{parts[0].path} and the {len(parts) - 1} parts after it are no archive together",
            expected="all parts of a zip, in order",
            received=f"{ends(parts)[-1]:,} bytes: {error}",
            hint="a part is wrong: remove the parts that you placed, and they are fetched",
        ) from error


def _expect_parts(
    waiting: Iterable[Entry], parts: Sequence[Part], failed: Mapping[str, str]
) -> None:
    """Return when all that is not unpacked yet can be, or was tried.

    Raises:
        Explained: A part is missing.
    """
    gone = _gone(parts)
    if any(entry.offset < gone and entry.info.filename not in failed for entry in waiting):
        raise _missing(parts)


def _expect_all(folder: Path, unpacked: Unpacked, parts: Sequence[Part]) -> None:
    """Return when the photographs that were unpacked are still there.

    Raises:
        Explained: Some are not, and the parts that they were in are not either.
    """
    if len(list_photographs(folder)) < unpacked.photographs:
        raise _missing(parts)


def _missing(parts: Sequence[Part]) -> Explained:
    names = [part.path.name for part in parts if not part.path.is_file()]
    folder = parts[0].path.parent
    return Explained(
        f"photographs are to be unpacked from parts that are not in {folder}",
        expected=", ".join(part.path.name for part in parts),
        received=f"all but {', '.join(names)}",
        hint="put them back; or remove their records there and their receipts below resources/ "
        "(<part>.json), and they are fetched again",
    )
