"""What one file is: a photograph with what can be measured of it, or the reason why it is none.

The first of these reasons that holds is the status of a row:

1. the name: `unreadable name` (no UTF-8, or with characters that tables lose);
2. what is there: `missing file` (a name that leads nowhere), `not a file`, `unreadable` (the system
   refuses), `too large` (more bytes than `decoding.MOST_BYTES`), `empty file`;
3. the content: `not an image` (no JPEG, PNG or TIFF, whatever its ending), `truncated` (its end is
   missing), `too large` (more pixels than `decoding.MOST_PIXELS`), `unreadable` (no decoder gets
   through without meeting damage);
4. the picture: `black`, `white`, `no retina found`;
5. other photographs with the same image id: `duplicate of X` where the bytes are the same,
   `same name as X` where they are not, for then none of them can be trusted.

A photograph that is rejected for 1 to 4 says nothing about others of the same image id.
"""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from retinopathy import decoding, photographs
from retinopathy.decoding import Look, Pixels, Unusable
from retinopathy.manifest import COLUMNS, OK, identify, typed
from retinopathy.parts import shard_of
from retinopathy.photographs import Circle
from retinopathy.sources import Found, spelled

_SMALL_SIDE = 256  # the retina is measured on a copy whose larger side has at least this
_SPOKEN = 500  # photographs between two messages
_LIKENESS = 8  # bits by 8 bits of the perceptual hash
_BRIGHT, _BLUER = 200, 20  # grey levels: corners of a negative, and blue above red in its retina


def inspect(image: str, path: Path) -> dict[str, Any]:
    """Return the manifest's row of one file, without a level; bad input makes a row too.

    Args:
        image: The image id.
        path: Its file.

    Returns:
        The values of `manifest.COLUMNS`.
    """
    patient, eye = identify(image)
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= dict.fromkeys(("path", "sha256", "phash", "quality"), "")
    return row | {"image": image, "patient": patient, "eye": eye} | _measure_file(path)


def inspect_files(image: str, files: Sequence[Found]) -> list[dict[str, Any]]:
    """Return the manifest's rows of one image id.

    Args:
        image: The image id.
        files: What there is of that name, sorted; usually one.

    Returns:
        A row for each file. At most one is usable; it, or else the first, is called `image`, and
        the others by their paths.
    """
    rows = [inspect(image, file.path) for file in files]
    alike = [place for place, row in enumerate(rows) if row["status"] == OK]
    kept = alike[0] if alike else 0
    for place, file in enumerate(files):
        if place != kept:
            rows[place]["image"] = file.name
    same = len({rows[place]["sha256"] for place in alike}) <= 1
    for place in alike[1:]:
        rows[place]["status"] = f"duplicate of {image}" if same else _same_name(files[kept])
    if not same:
        rows[kept]["status"] = _same_name(files[alike[1]])
    return rows


def inspect_all(
    files: Mapping[str, Sequence[Found]],
    shard: int,
    shards: int,
    progress: Callable[[str], None],
) -> pd.DataFrame:
    """Inspect one shard of the photographs.

    Args:
        files: Image id → files, as `sources.by_image` returns them.
        shard: Which shard, in [0, shards).
        shards: How many there are; an added photograph changes one of them only.
        progress: Called with a sentence now and then.

    Returns:
        Rows of the manifest, sorted by image, without levels.
    """
    images = sorted(name for name in files if shard_of(name, shards) == shard)
    rows = []
    for done, image in enumerate(images, start=1):
        rows += inspect_files(image, files[image])
        if done % _SPOKEN == 0 or done == len(images):
            progress(f"{done} of {len(images)} photographs inspected")
    table = typed(pd.DataFrame(rows, columns=list(COLUMNS)))
    return table.sort_values("image", ignore_index=True)


def _same_name(file: Found) -> str:
    return f"same name as {file.name}"


def _measure_file(path: Path) -> dict[str, Any]:
    """Return the columns that one file determines."""
    if spelled(str(path)) != str(path):
        return {"status": "unreadable name"}
    try:
        data = decoding.read(path)
    except Unusable as error:
        return {"path": "" if error.reason == "not a file" else str(path), "status": error.reason}
    known = {"path": str(path), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    if not data:
        return known | {"status": "empty file"}
    try:
        return known | _measure(decoding.look(data, _SMALL_SIDE))
    except Unusable as error:
        return known | {"status": error.reason}


def _measure(seen: Look) -> dict[str, Any]:
    """Return the columns that a photograph's pixels determine."""
    circle = photographs.find_retina(seen.pixels, seen.reduction)
    box = photographs.crop_box(circle)
    grey = np.asarray(cv2.cvtColor(seen.pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    centre = _centre(grey.shape, circle, seen.reduction)
    colours = np.ascontiguousarray(seen.pixels[centre])
    saturation = cv2.cvtColor(colours, cv2.COLOR_RGB2HSV)[..., 1]
    status = _exposure(grey, grey[centre], circle.found)
    if status == OK and _is_negative(seen.pixels, colours):
        status = "no retina found"
    return {
        "width": seen.width,
        "height": seen.height,
        "phash": _perceptual_hash(grey),
        "brightness": round(float(grey[centre].mean()), 2),
        "saturation": round(float(saturation.mean()), 2),
        "crop_left": box.left,
        "crop_top": box.top,
        "crop_side": box.side,
        "circle_found": circle.found,
        "status": status,
    }


def _centre(shape: tuple[int, ...], circle: Circle, reduction: int) -> tuple[slice, slice]:
    """Return rows and columns of the square of half the circle's diameter around its centre."""
    height, width = shape
    x, y, half = (value / reduction for value in (circle.x, circle.y, circle.radius / 2))
    rows = slice(max(0, int(y - half)), max(0, math.ceil(y + half)))
    columns = slice(max(0, int(x - half)), max(0, math.ceil(x + half)))
    inside = min(rows.stop, height) > rows.start and min(columns.stop, width) > columns.start
    # A circle may be centred beyond the photograph.
    return (rows, columns) if inside else (slice(None), slice(None))


def _exposure(grey: Pixels, centre: Pixels, found: bool) -> str:
    """Return the status that light alone decides: black, white, no retina found, or ok."""
    low, high = np.percentile(grey, [10, 90])
    if np.percentile(grey, 99) < 16:
        return "black"
    if np.percentile(centre, 5) > 240:
        return "white"
    # Without a circle it may still be a retina that fills the photograph; but not when nine
    # tenths of the photograph are alike.
    return OK if found or high - low >= 8 else "no retina found"


def _is_negative(pixels: Pixels, centre: Pixels) -> bool:
    """Tell whether colours are inverted: bright corners, and a retina bluer than red.

    A negative in grey is not known from a retina on white paper.
    """
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]]
    red, _, blue = centre.reshape(-1, 3).mean(axis=0)
    return bool(corners.min() >= _BRIGHT and blue - red >= _BLUER)


def _perceptual_hash(grey: Pixels) -> str:
    """Return 64 bits as hexadecimal: which low frequencies of the cosine transform are large.

    Photographs that differ by scale or compression only differ in few bits.
    """
    small = cv2.resize(grey, (4 * _LIKENESS, 4 * _LIKENESS), interpolation=cv2.INTER_AREA)
    frequencies = cv2.dct(np.asarray(small, np.float32))[:_LIKENESS, :_LIKENESS].ravel()
    bits = frequencies > np.median(frequencies[1:])
    return np.packbits(bits).tobytes().hex()
