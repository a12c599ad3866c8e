"""The header of a JPEG file: what can be known without decoding it."""

import struct

from retinopathy import tiff
from retinopathy.headers import Header

SIGNATURES = (b"\xff\xd8\xff",)

END = b"\xff\xd9"
"""What ends a photograph; within a scan it cannot occur by chance."""

_START_OF_SCAN, _APP1, _FILL = 0xDA, 0xE1, 0xFF
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # the others are tables


def header(data: bytes) -> Header:
    """Walk the segments before the first scan (ITU-T T.81, B.1.1) and find the end.

    The first segment that gives an orientation decides, as it does for the decoder. What a
    thumbnail in the header ends with is not the end of the photograph.

    Raises:
        EOFError: The file ends within the header or a scan.
        ValueError: The header is no row of segments, or has no frame.
    """
    offset, width, height, orientation = 2, 0, 0, 0
    try:
        while (marker := data[offset + 1]) != _START_OF_SCAN:
            if marker == _FILL:
                offset += 1
                continue
            if data[offset] != _FILL or marker == END[1]:
                raise ValueError("a JPEG file with a broken header")
            (length,) = struct.unpack_from(">H", data, offset + 2)
            if marker in _FRAMES:
                height, width = struct.unpack_from(">HH", data, offset + 5)
            elif marker == _APP1:
                orientation = orientation or _orientation(data[offset + 4 : offset + 2 + length])
            offset += 2 + length
    except (IndexError, struct.error) as error:
        raise EOFError("a JPEG file that ends within its header") from error
    if width * height == 0:
        raise ValueError("a JPEG file without a frame")
    if data.rfind(END, offset) < 0:
        raise EOFError("a JPEG file that ends within its scan")
    return Header(width, height, scalable=True, turned=5 <= orientation <= 8, scan=offset)


def _orientation(segment: bytes) -> int:
    """Return the orientation that an APP1 segment gives, 0 if none."""
    return tiff.orientation(segment[6:]) if segment.startswith(b"Exif\0\0") else 0
