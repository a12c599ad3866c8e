"""Files of the competition that have arrived: placed by a person, or downloaded.

Beside each lies a record of what it was on first arrival, with which every later use is compared.
The files themselves are outputs of no rule: Snakemake deletes the outputs of jobs that fail or run
again.
"""

import shutil
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from retinopathy import downloads, kaggle
from retinopathy.disk import expect_room, locked, room_explained
from retinopathy.entries import NO_ARCHIVE
from retinopathy.errors import Explained
from retinopathy.files import read_json, sha256, write_json


@dataclass(frozen=True)
class Arrival:
    """What a file was when it first arrived.

    Attributes:
        name: Name of the file.
        bytes: Its size.
        sha256: Its SHA-256.
        origin: `placed` or `downloaded`.
        modified: Its modification time when its content was last checked, nanoseconds.
        removed: Whether it was removed since, because nothing in it is needed any more.
    """

    name: str
    bytes: int
    sha256: str
    origin: str
    modified: int
    removed: bool = False


def obtain(
    folder: Path,
    name: str,
    say: Callable[[str], None],
    connect: Callable[[], kaggle.Client] = kaggle.connect,
) -> Arrival:
    """Return the record of a file of the competition in `folder`, which is fetched if need be.

    A file that is there is used as it is, without the network, and one that was removed after use
    is not fetched again. A file wrapped in a zip is unwrapped; `<name>.zip`, as a browser may save
    it, counts as such.

    Args:
        folder: Where files arrive.
        name: Name of the file.
        say: What takes lines about progress.
        connect: Logs in; called when something has to be fetched.

    Raises:
        Explained: The file is not what it was on first arrival, or it cannot be had.
    """
    path, wrapper = folder / name, folder / f"{name}.zip"
    with locked(folder / f".{name}.lock", say):
        known = _read(path)
        if known and known.removed and not path.is_file():
            return known
        if known and path.is_file():
            return check(path)
        if path.is_file() or _wrapped(wrapper, name):
            return _settle(path if path.is_file() else wrapper, path, "placed")
        return _download(path, connect(), say)


def check(path: Path) -> Arrival:
    """Return the record of a file that is in its place, after comparing it.

    A file of the recorded size and modification time is taken to be the same; else its content is
    read.

    Raises:
        Explained: It is not what it was on first arrival, or nothing is known about that.
    """
    known = _read(path)
    if known is None:
        raise Explained(
            f"{path} has no record of its arrival",
            expected=f"{_record(path).name} beside it",
            received="none",
            hint=f"remove the receipt {path.name}.json below resources/, and run again",
        )
    facts = path.stat()
    if (facts.st_size, facts.st_mtime_ns) == (known.bytes, known.modified):
        return known
    return _compared(path, path, known)


def remove(path: Path) -> None:
    """Remove a file that is not needed any more; its record says so."""
    _write(path, replace(check(path), removed=True))
    path.unlink()


def receipt(arrival: Arrival) -> dict[str, object]:
    """Return what a rule leaves behind about a file: name, bytes, sha256 and origin."""
    kept = ("name", "bytes", "sha256", "origin")
    return {key: value for key, value in asdict(arrival).items() if key in kept}


def _download(path: Path, client: kaggle.Client, say: Callable[[str], None]) -> Arrival:
    """Fetch a file and give it its place.

    Raises:
        Explained: It cannot be had, or is not as long as Kaggle says.
    """
    sizes = client.sizes(say)
    if path.name not in sizes:
        raise kaggle.missing(path.name, ", ".join(sorted(sizes)) or "an empty list")
    listed, task = sizes[path.name], f"download {path.name}"
    partial = path.with_name(f"{path.name}.partial")
    expect_room(path.parent, listed - downloads.received(partial), task)
    with room_explained(path.parent, task):
        client.download(path.name, partial, say)
    # What is listed may be the size of the file or of the zip around it.
    inner = _wrapped(partial, path.name)
    found = {downloads.received(partial)} | ({inner.file_size} if inner else set())
    if listed not in found:
        downloads.forget(partial)
        raise Explained(
            f"{path.name} is not as long as Kaggle says",
            expected=f"{listed:,} bytes",
            received=" or ".join(f"{size:,}" for size in sorted(found)),
            hint=f"run again; or download it at {kaggle.PAGE}/data to {path}",
        )
    arrival = _settle(partial, path, "downloaded")
    downloads.forget(partial)
    return arrival


def _settle(source: Path, path: Path, origin: str) -> Arrival:
    """Give a file its place, out of its wrapper if it has one, and record it before.

    Raises:
        Explained: Another file arrived first, or the wrapper is damaged.
    """
    inner = _wrapped(source, path.name)
    if inner:
        source = _unwrapped(source, inner, path.with_name(f"{path.name}.unwrapped"))
    known = _read(path)
    if known:
        arrival = _compared(source, path, known)
    else:
        facts = source.stat()
        fresh = Arrival(path.name, facts.st_size, sha256(source), origin, facts.st_mtime_ns)
        arrival = _write(path, fresh)
    source.replace(path)
    return arrival


def _compared(source: Path, path: Path, known: Arrival) -> Arrival:
    """Return the record of `path`, renewed, after comparing it with the content of `source`.

    Raises:
        Explained: They differ.
    """
    facts = source.stat()
    found = sha256(source)
    if found != known.sha256:
        raise Explained(
            f"{path.name} is not the file that arrived first",
            expected=f"{known.bytes:,} bytes, SHA-256 {known.sha256}",
            received=f"{facts.st_size:,} bytes, SHA-256 {found}, in {source}",
            hint=f"put the first one back; or, if this one is right, remove {_record(path)}",
        )
    return _write(path, replace(known, modified=facts.st_mtime_ns, removed=False))


def _wrapped(path: Path, name: str) -> zipfile.ZipInfo | None:
    """Return the file in a zip that holds only one, of that very name; else None.

    A part of an archive may begin or end as a zip does; its files have other names.
    """
    try:
        with zipfile.ZipFile(path) as opened:
            inside = opened.infolist()
    except NO_ARCHIVE:
        return None
    return inside[0] if [Path(info.filename).name for info in inside] == [name] else None


def _unwrapped(wrapper: Path, inner: zipfile.ZipInfo, target: Path) -> Path:
    """Copy a file out of its wrapper; its checksum is checked.

    Raises:
        Explained: The wrapper is damaged, or the disk is full.
    """
    task = f"take {inner.filename} out of {wrapper.name}"
    expect_room(target.parent, inner.file_size, task)
    try:
        with (
            room_explained(target.parent, task),
            zipfile.ZipFile(wrapper) as opened,
            opened.open(inner) as source,
            target.open("wb") as copy,
        ):
            shutil.copyfileobj(source, copy, downloads.CHUNK)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        target.unlink()
        raise Explained(
            f"{wrapper} is damaged",
            expected=f"a zip with {inner.filename} in it",
            received=error,
            hint="remove it and run again",
        ) from error
    return target


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _read(path: Path) -> Arrival | None:
    return Arrival(**read_json(_record(path))) if _record(path).is_file() else None


def _write(path: Path, arrival: Arrival) -> Arrival:
    write_json(_record(path), asdict(arrival))
    return arrival
