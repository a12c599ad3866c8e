"""Photographs as files: whole or not, how large, and their pixels.

JPEG, PNG and TIFF are accepted, whatever a file's name ends in. Pixels are 8-bit RGB arrays of
shape (height, width, 3), in the orientation that the EXIF header or the tag asks for. Speed comes
from the JPEG decoder, which can leave out the high frequencies: decoding at an eighth of the side
costs a small part of a full decode and loses nothing that a reduced photograph could show.
"""

import errno
import math
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from retinopathy import jpeg, png, tiff
from retinopathy.errors import Explained
from retinopathy.headers import Header

Pixels = NDArray[np.uint8]

REDUCTIONS = (8, 4, 2, 1)
"""Divisors of the side at which JPEG can be decoded, strongest first."""

MOST_PIXELS = 100_000_000
"""Largest photograph that is decoded, five times the largest of the competition; a few bytes can
declare a larger one, and decoding it would take the machine's memory."""

MOST_BYTES = 2**28
"""Largest file that is read."""

_FLAGS = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_READERS: dict[bytes, Callable[[bytes], Header]] = {
    signature: form.header for form in (jpeg, png, tiff) for signature in form.SIGNATURES
}
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)

# What libjpeg and libtiff say, through OpenCV, when they guess what damage has taken. Their
# warnings of unknown tags and odd profiles are not among it.
_DAMAGE = re.compile(
    r"^(Corrupt JPEG data: |Premature end of JPEG file|Inconsistent progression|\[ERROR:).*",
    re.MULTILINE,
)
_LEFT_OVER = re.compile(r"Corrupt JPEG data: (\d+) extraneous bytes before marker 0xd9")


class Unusable(Explained):
    """A file that is no usable photograph; `reason` says why in a word or two."""

    def __init__(self, reason: str, received: str) -> None:
        """Compose the message.

        Args:
            reason: `missing file`, `not a file`, `unreadable`, `truncated`, `not an image` or
                `too large`.
            received: What was found.
        """
        self.reason = reason
        super().__init__(
            f"unusable photograph, {reason}",
            expected=f"a whole JPEG, PNG or TIFF file of at most {MOST_PIXELS:,} pixels and "
            f"{MOST_BYTES:,} bytes",
            received=received,
            hint="copy or download the file again, or leave it out",
        )


@dataclass(frozen=True)
class Look:
    """A photograph at a glance.

    Attributes:
        width: Columns of the full photograph as it is seen, pixels.
        height: Its rows.
        reduction: Divisor of the side at which `pixels` are.
        pixels: uint8 (ceil(height / reduction), ceil(width / reduction), 3), RGB.
    """

    width: int
    height: int
    reduction: int
    pixels: Pixels


def read(path: Path) -> bytes:
    """Read a file, whatever is there: nothing blocks, and nothing enormous is read.

    Raises:
        Unusable: missing file, not a file, too large, or unreadable: the system refuses.
    """
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):
            raise Unusable("not a file", f"{stat.filemode(facts.st_mode)} at {path}")
        if facts.st_size > MOST_BYTES:
            raise Unusable("too large", f"{facts.st_size:,} bytes at {path}")
        # Were it a pipe by now, opening it would wait for a writer without the flag.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
            return stream.read(facts.st_size + 1)
    except OSError as error:
        reason = "missing file" if error.errno in _GONE else "unreadable"
        raise Unusable(reason, str(error)) from error


def decode(data: bytes, reduction: int = 1) -> Pixels:
    """Decode a photograph, at a fraction of its side if asked.

    Grey, palette, CMYK and 16-bit photographs become 8-bit RGB; an alpha channel is dropped, after
    it has darkened what is transparent in an 8-bit TIFF file; of several pages the first is taken;
    the orientation is applied at every reduction.

    Args:
        data: Content of a JPEG, PNG or TIFF file.
        reduction: 1, 2, 4 or 8; JPEG is decoded at that scale, other formats are reduced after.

    Returns:
        uint8, (ceil(height / reduction), ceil(width / reduction), 3), RGB.

    Raises:
        Unusable: not an image, truncated, too large, or unreadable: no decoder gets through.
    """
    header = _header(data)
    if header.scalable:
        return _finished(_decoded(data, header, reduction), 1)
    return _finished(_decoded(data, header, 1), reduction)


def dimensions(data: bytes) -> tuple[int, int]:
    """Return width and height of a photograph as it is seen; JPEG is not decoded for it.

    Raises:
        Unusable: As `decode` does.
    """
    header = _header(data)
    if header.scalable:
        return _seen(header)
    height, width = _decoded(data, header, 1).shape[:2]
    return width, height


def look(data: bytes, least: int) -> Look:
    """Decode a photograph once, at the strongest reduction that leaves its larger side `least`.

    Decoders fill what damage has taken with grey or with nonsense and only complain of it; here
    that counts. What cannot be known: JPEG has no checksums, and nobody looks at those of TIFF. A
    hole of some hundred bytes in a JPEG file may decode without a complaint, by chance, and one of
    any size in a TIFF file that is deflated or not compressed.

    Raises:
        Unusable: As `decode` does; unreadable as well when the decoder met damage.
    """
    header = _header(data)
    reduction = strongest_reduction(max(header.width, header.height), least)
    with _overhearing() as said:
        decoded = _decoded(data, header, reduction if header.scalable else 1)
    damage = _DAMAGE.search("".join(said))
    if damage and not _is_padding(data, header, damage[0]):
        raise Unusable("unreadable", f"a file of which the decoder says: {damage[0]}")
    if header.scalable:
        width, height = _seen(header)
        return Look(width, height, reduction, _finished(decoded, 1))
    height, width = decoded.shape[:2]
    return Look(width, height, reduction, _finished(decoded, reduction))


def strongest_reduction(side: float, least: float) -> int:
    """Return the strongest reduction that leaves at least `least` pixels of `side`; 1 if none."""
    return next((r for r in REDUCTIONS if side / r >= least), 1)


def encode_png(image: Pixels) -> bytes:
    """Encode RGB pixels, uint8 (h, w, 3), as PNG."""
    _, encoded = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return encoded.tobytes()


def _header(data: bytes) -> Header:
    """Return what can be known without decoding, checked.

    OpenCV fills the missing end of a JPEG file with grey, silently: it has to be known before.
    """
    read_header = next((_READERS[known] for known in _READERS if data.startswith(known)), None)
    if read_header is None:
        begun = any(known.startswith(data) for known in _READERS)
        raise Unusable(
            "truncated" if begun else "not an image",
            f"{len(data)} bytes that start with {data[:16]!r}",
        )
    try:
        header = read_header(data)
    except EOFError as error:
        raise Unusable("truncated", f"{error}, after {len(data)} bytes") from error
    except ValueError as error:
        raise Unusable("unreadable", str(error)) from error
    if header.width * header.height > MOST_PIXELS:
        raise Unusable("too large", f"{header.width} × {header.height} pixels, as its header says")
    return header


def _seen(header: Header) -> tuple[int, int]:
    """Return width and height as the photograph is seen."""
    return (header.height, header.width) if header.turned else (header.width, header.height)


def _decoded(data: bytes, header: Header, scale: int) -> Pixels:
    """Return BGR pixels, uint8 (h, w, 3); `scale` is a reduction that the decoder itself makes."""
    try:
        # BGR is asked for and turned after: with cv2.IMREAD_COLOR_RGB, OpenCV 5.0 confuses the
        # channels of reduced CMYK photographs.
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS[scale])
    except cv2.error as error:
        raise Unusable("unreadable", f"bytes that OpenCV refuses: {error.err}") from error
    if pixels is None:
        raise Unusable("unreadable", "bytes that no decoder understands")
    stored = (header.height, header.width)
    if sorted(pixels.shape[:2]) != sorted(math.ceil(side / scale) for side in stored):
        raise Unusable("unreadable", f"{pixels.shape[:2]} pixels where the header says {stored}")
    return np.asarray(pixels, np.uint8)


def _finished(bgr: Pixels, reduction: int) -> Pixels:
    """Return pixels as RGB, reduced by averaging over areas."""
    if reduction > 1:
        height, width = bgr.shape[:2]
        reduced = (math.ceil(width / reduction), math.ceil(height / reduction))
        bgr = np.asarray(cv2.resize(bgr, reduced, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


@contextmanager
def _overhearing() -> Iterator[list[str]]:
    """Collect what is said on standard error, where decoders complain, past Python.

    Standard error is the process's, so nothing else should speak in the meantime.
    """
    said: list[str] = []
    kept = os.dup(2)
    with tempfile.TemporaryFile() as stream:
        os.dup2(stream.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        stream.seek(0)
        said.append(stream.read().decode(errors="replace"))


def _is_padding(data: bytes, header: Header, complaint: str) -> bool:
    """Tell whether a complaint is of bytes before the end of a JPEG file that are all alike.

    Some cameras fill up their files so; after a hole, what is left over is anything.
    """
    left_over = _LEFT_OVER.fullmatch(complaint)
    if left_over is None:
        return False
    end = data.find(jpeg.END, header.scan)
    return len(set(data[end - int(left_over[1]) : end])) == 1
