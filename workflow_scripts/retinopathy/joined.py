"""A view over the parts of an archive as if they were one file, without a joined copy."""

import bisect
import errno
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path


@dataclass(frozen=True)
class Part:
    """One piece of an archive.

    Attributes:
        path: Where it is, or was.
        bytes: Its size, known even after it was removed.
    """

    path: Path
    bytes: int


class Joined(io.RawIOBase):
    """A view over files as if they were one after the other in one file."""

    def __init__(self, parts: Sequence[Part]) -> None:
        """Begin at the first byte; files are opened when they are read."""
        self._parts = parts
        self._ends = ends(parts)
        self._position = 0
        self._open: tuple[int, io.FileIO] | None = None

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in the whole."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position in the whole; return it.

        Raises:
            OSError: It would be before the beginning.
        """
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._ends[-1]}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, "before the beginning")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]
        """Fill a buffer with what one part still has; return how many bytes that was.

        Raises:
            OSError: The part is missing or has become shorter.
        """
        number = bisect.bisect_right(self._ends, self._position)
        if number == len(self._parts):
            return 0
        left = self._ends[number] - self._position
        stream = self._stream(number)
        stream.seek(self._parts[number].bytes - left)
        count = stream.readinto(memoryview(buffer)[:left]) or 0
        if count == 0 and len(buffer):
            raise OSError(errno.EIO, f"{self._parts[number].path} is shorter than it was")
        self._position += count
        return count

    def close(self) -> None:
        """Close what is open."""
        if self._open:
            self._open[1].close()
        super().close()

    def _stream(self, number: int) -> io.FileIO:
        if self._open is None or self._open[0] != number:
            if self._open:
                self._open[1].close()
            self._open = (number, io.FileIO(self._parts[number].path))
        return self._open[1]


def ends(parts: Sequence[Part]) -> list[int]:
    """Return where each part ends, bytes from the beginning of the archive."""
    return list(accumulate(part.bytes for part in parts))
