"""Photographs as files: whole or not, how large, and their pixels.

Pixels are 8-bit RGB arrays of shape (height, width, 3), in the orientation that the EXIF header
asks for. Speed comes from the JPEG decoder, which can leave out the high frequencies: decoding at
an eighth of the side costs a small part of a full decode and loses nothing that a reduced
photograph could show.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from retinopathy import jpeg
from retinopathy.errors import Explained

Pixels = NDArray[np.uint8]

REDUCTIONS = (8, 4, 2, 1)
"""Divisors of the side at which JPEG can be decoded, strongest first."""

_FLAGS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}


def decode(data: bytes, reduction: int = 1) -> Pixels:
    """Decode a photograph, at a fraction of its side if asked.

    Grey, palette, CMYK and 16-bit photographs become 8-bit RGB; an alpha channel is dropped; the
    orientation in the EXIF header is applied at every reduction.

    Args:
        data: Content of a JPEG, PNG, TIFF or other file that OpenCV reads.
        reduction: 1, 2, 4 or 8; JPEG is decoded at that scale, other formats are reduced after.

    Returns:
        uint8, (ceil(height / reduction), ceil(width / reduction), 3), RGB.

    Raises:
        Explained: The bytes are no photograph, or their end is missing.
    """
    _check_whole(data)
    scaled = reduction if jpeg.starts(data) else 1
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS[scaled])
    except cv2.error as error:
        raise _unreadable(f"OpenCV refuses it: {error.err}") from error
    if pixels is None:
        raise _unreadable("bytes that no decoder understands")
    # BGR is asked for and turned here: with cv2.IMREAD_COLOR_RGB, OpenCV 5.0 confuses the
    # channels of reduced CMYK photographs.
    rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
    if scaled < reduction:
        height, width = rgb.shape[:2]
        reduced = (math.ceil(width / reduction), math.ceil(height / reduction))
        rgb = cv2.resize(rgb, reduced, interpolation=cv2.INTER_AREA)
    return np.asarray(rgb, np.uint8)


def dimensions(data: bytes) -> tuple[int, int]:
    """Return width and height of a photograph as it is seen; JPEG is not decoded for it.

    Raises:
        Explained: The bytes are no photograph, or their end is missing.
    """
    if jpeg.starts(data):
        header = _jpeg_header(data)
        seen = (header.width, header.height)
        return seen[::-1] if header.turned else seen
    height, width = decode(data).shape[:2]
    return width, height


def strongest_reduction(side: float, least: float) -> int:
    """Return the strongest reduction that leaves at least `least` pixels of `side`; 1 if none."""
    return next((r for r in REDUCTIONS if side / r >= least), 1)


def encode_png(image: Pixels) -> bytes:
    """Encode RGB pixels, uint8 (h, w, 3), as PNG."""
    _, encoded = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return encoded.tobytes()


def _unreadable(received: str) -> Explained:
    return Explained(
        "unreadable photograph",
        expected="a whole JPEG, PNG or TIFF file",
        received=received,
        hint="copy or download the file again",
    )


def _check_whole(data: bytes) -> None:
    """Raise when the end of a JPEG or PNG is missing: OpenCV fills the rest with grey, silently."""
    if jpeg.starts(data):
        whole = data.rfind(b"\xff\xd9", _jpeg_header(data).scan) >= 0
    elif data.startswith(b"\x89PNG"):
        whole = b"IEND" in data[-64:]
    else:
        whole = len(data) > 0  # TIFF says where its data lie: its decoder notices what is missing
    if not whole:
        raise _unreadable(f"a file that ends too early, after {len(data)} bytes")


def _jpeg_header(data: bytes) -> jpeg.Header:
    try:
        return jpeg.header(data)
    except ValueError as error:
        raise _unreadable(str(error)) from error
