"""The first directory of a TIFF file, which is also what an EXIF header consists of.

After "TIFF revision 6.0", Aldus 1992, section 2. What it says can be known without decoding.
"""

import struct
from collections.abc import Iterator

from retinopathy.headers import Header

SIGNATURES = (b"II*\0", b"MM\0*")

_WIDTH, _HEIGHT, _BITS, _ORIENTATION, _SAMPLES = 256, 257, 258, 274, 339
_STRIPS, _STRIP_SIZES, _TILES, _TILE_SIZES = 273, 279, 324, 325
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_SIZES = (_WIDTH, _HEIGHT, _BITS, _SAMPLES, _TILE_WIDTH, _TILE_HEIGHT)
_PLACES = (_STRIPS, _STRIP_SIZES, _TILES, _TILE_SIZES)
_FORMS = {1: "B", 3: "H", 4: "I"}  # whole numbers of 1, 2 and 4 bytes
_FIELD = 4  # bytes of the value field; more values than it holds are elsewhere
_MOST_VALUES = 10**6  # more than the rows of any photograph that is decoded
_LARGEST_TILE = 4096**2  # pixels; decoders reserve memory for a tile, however small the picture


def header(data: bytes) -> Header:
    """Read the first directory, and check that the pixels which it points to are there.

    Raises:
        EOFError: The file ends before its directory or its pixels do.
        ValueError: The directory has no size, or tiles of an absurd one.
    """
    try:
        said = _values(data)
    except struct.error as error:
        raise EOFError("a TIFF file that ends before its directory") from error
    width, height = said[_WIDTH][0], said[_HEIGHT][0]
    if width * height == 0:
        raise ValueError("a TIFF file without a size")
    if said[_TILE_WIDTH][0] * said[_TILE_HEIGHT][0] > _LARGEST_TILE:
        raise ValueError("a TIFF file with tiles of more than 16 megapixels")
    for starts, sizes in ((_STRIPS, _STRIP_SIZES), (_TILES, _TILE_SIZES)):
        ends = map(sum, zip(said[starts], said[sizes], strict=False))
        if max(ends) > len(data):
            raise EOFError("a TIFF file that ends before its pixels")
    return Header(width, height)


def orientation(data: bytes) -> int:
    """Return the orientation, 1 to 8; 0 where there is none."""
    try:
        for tag, _, _, field in _directory(data):
            if tag == _ORIENTATION:
                (value,) = struct.unpack_from(_order(data) + "H", data, field)
                return int(value)
    except struct.error:
        return 0
    return 0


def _values(data: bytes) -> dict[int, tuple[int, ...]]:
    """Return the values of the tags that a header needs, (0,) where they are not given.

    Raises:
        struct.error: The data end too early.
    """
    found: dict[int, tuple[int, ...]] = dict.fromkeys((*_SIZES, *_PLACES), (0,))
    for tag, kind, count, field in list(_directory(data)):
        if tag in found and kind in _FORMS and 0 < count <= _MOST_VALUES:
            form = f"{_order(data)}{count}{_FORMS[kind]}"
            inside = struct.calcsize(form) <= _FIELD
            place = field if inside else struct.unpack_from(_order(data) + "I", data, field)[0]
            found[tag] = struct.unpack_from(form, data, place)
    return found


def _directory(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield tag, type, count of values and offset of the value field.

    Raises:
        struct.error: The data end too early.
    """
    (first,) = struct.unpack_from(_order(data) + "I", data, 4)
    (entries,) = struct.unpack_from(_order(data) + "H", data, first)
    for entry in range(first + 2, first + 2 + 12 * entries, 12):
        tag, kind, count = struct.unpack_from(_order(data) + "HHI", data, entry)
        yield tag, kind, count, entry + 8
    struct.unpack_from(_order(data) + "I", data, first + 2 + 12 * entries)  # where the next one is


def _order(data: bytes) -> str:
    return "<" if data.startswith(b"II") else ">"
