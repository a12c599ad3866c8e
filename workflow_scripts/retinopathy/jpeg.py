"""The header of a JPEG file: what can be known without decoding it."""

import struct
from dataclasses import dataclass

_START_OF_SCAN, _APP1, _FILL = 0xDA, 0xE1, 0xFF
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # the others are tables
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Header:
    """What precedes the first scan.

    Attributes:
        width: Columns as stored, pixels.
        height: Rows as stored.
        turned: Whether the EXIF orientation swaps rows and columns.
        scan: Offset of the first scan, bytes.
    """

    width: int
    height: int
    turned: bool
    scan: int


def starts(data: bytes) -> bool:
    """Tell whether `data` starts like a JPEG file."""
    return data.startswith(b"\xff\xd8")


def header(data: bytes) -> Header:
    """Walk the segments before the first scan (ITU-T T.81, B.1.1).

    Raises:
        ValueError: The header ends too early, or has no frame.
    """
    offset, width, height, turned = 2, 0, 0, False
    try:
        while (marker := data[offset + 1]) != _START_OF_SCAN:
            if marker == _FILL:
                offset += 1
                continue
            (length,) = struct.unpack_from(">H", data, offset + 2)
            if marker in _FRAMES:
                height, width = struct.unpack_from(">HH", data, offset + 5)
            elif marker == _APP1:
                turned = turned or _turns(data[offset + 4 : offset + 2 + length])
            offset += 2 + length
    except (IndexError, struct.error) as error:
        raise ValueError("a JPEG file whose header ends too early") from error
    if width * height == 0:
        raise ValueError("a JPEG file without a frame")
    return Header(width, height, turned, offset)


def _turns(segment: bytes) -> bool:
    """Tell whether an APP1 segment is EXIF with an orientation of 5 to 8, a quarter turn."""
    if not segment.startswith(b"Exif\0\0"):
        return False
    tags = segment[6:]
    order = "<" if tags.startswith(b"II") else ">"
    try:
        (first,) = struct.unpack_from(order + "I", tags, 4)
        (entries,) = struct.unpack_from(order + "H", tags, first)
        for entry in range(first + 2, first + 2 + 12 * entries, 12):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tags, entry)
            if tag == _ORIENTATION:
                return 5 <= int(value) <= 8
    except struct.error:
        return False
    return False
