"""HDF5 files that are either whole or absent, also when the disk is full."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py

from retinopathy.errors import Explained
from retinopathy.files import written

_BESIDE = 1 << 16  # bytes for what the library keeps beside the data of a dataset


@contextmanager
def created(path: Path) -> Iterator[Any]:
    """Yield a new `h5py.File` that becomes `path` when the block ends well.

    Raises:
        Explained: There is no room for what was reserved.
    """
    with written(path) as beside:
        file = h5py.File(beside, "w")
        try:
            yield file
            file.flush()
            used = file.id.get_filesize()
        except OSError as error:
            # A file that the library cannot write to its end crashes the process when that ends.
            # This one is removed anyway: cut short, it leaves room for the rest.
            os.truncate(beside, 0)
            raise Explained(
                f"{path} could not be written",
                expected="room for it on the disk",
                received=error,
                hint="make room and run again",
            ) from error
        finally:
            file.close()
        os.truncate(beside, used)


def reserve(file: Any, size: int) -> None:
    """Take room for so many bytes of data, to be called before they are written.

    The library writes late, and does not always say so when it cannot. What was not used is given
    back in the end.

    Raises:
        OSError: There is no such room; `created` explains it.
    """
    descriptor = os.open(file.filename, os.O_RDWR)
    try:
        start = os.fstat(descriptor).st_size
        os.posix_fallocate(descriptor, start, size + size // 50 + _BESIDE)
    finally:
        os.close(descriptor)
