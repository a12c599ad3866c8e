"""Room on the disk, and files that one process at a time may work on."""

import errno
import fcntl
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from retinopathy.errors import Explained


def expect_room(folder: Path, needed: int, task: str) -> None:
    """Return when the disk of a folder has room for `needed` more bytes.

    Raises:
        Explained: It has not.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise _full(folder, task, f"{needed / 1e9:.2f} GB free", f"{free / 1e9:.2f} GB")


@contextmanager
def room_explained(folder: Path, task: str) -> Iterator[None]:
    """Explain a disk that is full, or a quota that is used up, inside the block.

    Raises:
        Explained: The block met a full disk.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(folder, task, "room on the disk", error) from error
        raise


@contextmanager
def locked(path: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Keep other processes out of the block, which wait at the lock file `path` for their turn.

    The system lets go of the lock when the process ends, however it ends; the file stays, because a
    process may wait at it. A file system without locks is worked on without them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that works on {path.parent}")
            fcntl.flock(stream, fcntl.LOCK_EX)
        except OSError:
            say(f"{path.parent} cannot be locked: let one process at a time work on it")
        yield


def _full(folder: Path, task: str, expected: str, received: object) -> Explained:
    return Explained(
        f"not enough disk to {task}",
        expected=f"{expected} at {folder}",
        received=received,
        hint="make room there and run again, which goes on where it stopped; or give "
        "`source: photographs:` a folder on a larger disk",
    )
