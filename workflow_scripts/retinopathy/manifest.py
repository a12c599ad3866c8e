"""The manifest: one row per photograph, good or bad, with what later stages need to know.

Bad input is data: a photograph that cannot be used has the reason in its column `status`, and the
study goes on without it.
"""

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from retinopathy import decoding, photographs
from retinopathy.decoding import Pixels
from retinopathy.errors import Explained
from retinopathy.parts import shard_of
from retinopathy.photographs import Circle

OK = "ok"
LEVELS = range(5)

_TYPES = {
    "image": "str",
    "patient": "str",
    "eye": "str",
    "level": "Int64",
    "path": "str",
    "width": "Int64",
    "height": "Int64",
    "bytes": "Int64",
    "sha256": "str",
    "phash": "str",
    "brightness": "float64",
    "crop_left": "Int64",
    "crop_top": "Int64",
    "crop_side": "Int64",
    "circle_found": "boolean",
    "status": "str",
}

COLUMNS = tuple(_TYPES)
"""Columns of the manifest. `brightness` is the mean grey value, 0–255, of the retina's centre;
`phash` a perceptual hash; sizes and positions are in pixels of the full photograph. What could not
be measured is empty."""

_SMALL_SIDE = 256  # the retina is measured on a copy whose larger side has at least this
_SPOKEN = 500  # photographs between two messages
_LIKENESS = 8  # bits by 8 bits of the perceptual hash


def identify(image: str) -> tuple[str, str]:
    """Return patient and eye: `10_left` is (`10`, `left`), another name its own patient, eye ''."""
    patient, _, eye = image.rpartition("_")
    if patient and eye.lower() in ("left", "right"):
        return patient, eye.lower()
    return image, ""


def inspect(image: str, path: Path | None, level: int | None) -> dict[str, object]:
    """Return the manifest's row of one photograph; bad input makes a row too, never an error.

    Args:
        image: The image id.
        path: Its file, or None when there is none.
        level: Its level, or None when it has none.

    Returns:
        The values of `COLUMNS`; `status` is `ok` or the first of these that holds: missing file,
        empty file, unreadable, black, white, no retina found, label missing, label out of range.
    """
    patient, eye = identify(image)
    row: dict[str, object] = dict.fromkeys(COLUMNS)
    row |= {"image": image, "patient": patient, "eye": eye, "level": level}
    row |= {"path": "" if path is None else str(path), "sha256": "", "phash": ""}
    measured = {"status": "missing file"} if path is None else _measure_file(path)
    row |= measured
    if row["status"] == OK and level is None:
        row["status"] = "label missing"
    elif row["status"] == OK and level not in LEVELS:
        row["status"] = "label out of range"
    return row


def inspect_all(
    labels: pd.DataFrame,
    files: Mapping[str, Path],
    shard: int,
    shards: int,
    progress: Callable[[str], None],
) -> pd.DataFrame:
    """Inspect one shard of the photographs that have a label, a file, or both.

    Args:
        labels: Columns image, level, as `sources.read_labels` returns them.
        files: Image id → file.
        shard: Which shard, in [0, shards).
        shards: How many there are; an added photograph changes one of them only.
        progress: Called with a sentence now and then.

    Returns:
        Rows of the manifest, sorted by image. A photograph with several levels has the status
        "conflicting labels".
    """
    given: dict[str, set[int]] = {}
    for image, level in zip(labels["image"], labels["level"], strict=True):
        given.setdefault(image, set()).update([] if pd.isna(level) else [int(level)])
    images = sorted(name for name in given.keys() | files.keys() if shard_of(name, shards) == shard)
    rows = []
    for done, image in enumerate(images, start=1):
        levels = given.get(image, set())
        row = inspect(image, files.get(image), min(levels) if len(levels) == 1 else None)
        if len(levels) > 1 and row["status"] == "label missing":
            row["status"] = "conflicting labels"
        rows.append(row)
        if done % _SPOKEN == 0 or done == len(images):
            progress(f"{done} of {len(images)} photographs inspected")
    return _typed(pd.DataFrame(rows, columns=list(COLUMNS)))


def combine(shards: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Join the shards of a manifest, sorted by image, and mark what is there twice.

    Among usable photographs with the same content, the first by name stays and the others become
    "duplicate of" it; when their levels differ none can be trusted and all are rejected.
    """
    manifest = _typed(pd.concat(shards)).sort_values("image", ignore_index=True)
    good = manifest[manifest["status"] == OK]
    for _, same in good[good.duplicated("sha256", keep=False)].groupby("sha256"):
        first, *others = same["image"]
        if len(set(same["level"])) == 1:
            manifest.loc[same.index[1:], "status"] = f"duplicate of {first}"
        else:
            manifest.loc[same.index[1:], "status"] = f"conflicting labels, same as {first}"
            manifest.loc[same.index[0], "status"] = f"conflicting labels, same as {others[0]}"
    return manifest


def usable(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the photographs that can be used: those whose status is `ok`."""
    return manifest[manifest["status"] == OK].reset_index(drop=True)


def rejects(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the photographs that cannot be used: columns image, reason."""
    rejected = manifest.loc[manifest["status"] != OK, ["image", "status"]]
    return rejected.rename(columns={"status": "reason"}).reset_index(drop=True)


def check_rejects(manifest: pd.DataFrame, limit: float) -> None:
    """Check that not too many photographs were lost.

    Args:
        manifest: The whole manifest.
        limit: Largest share of rejects that is acceptable, in [0, 1].

    Raises:
        Explained: More than that was rejected, or there is no photograph at all.
    """
    reasons = rejects(manifest)["reason"].str.replace(r"( of|, same as) .*", "", regex=True)
    if len(manifest) and len(reasons) <= limit * len(manifest):
        return
    counts = ", ".join(f"{reason} {n}" for reason, n in reasons.value_counts().items())
    raise Explained(
        "too many photographs are rejected",
        expected=f"at most {limit:.1%} of the photographs",
        received=f"{len(reasons)} of {len(manifest)}: {counts or 'there are none'}",
        hint="the log lists them; correct the source, or raise `photographs: reject_limit:`",
    )


def read_manifest(path: Path) -> pd.DataFrame:
    """Read a manifest, or a shard of one, with the types of its columns.

    Raises:
        Explained: Columns are missing.
    """
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise Explained(
            f"{path} is not a manifest",
            expected=f"columns {', '.join(COLUMNS)}",
            received=f"no column {', '.join(missing)}",
            hint="delete it, so that it is made again",
        )
    table["circle_found"] = table["circle_found"].map({"True": True, "False": False})
    empty = [name for name, kind in _TYPES.items() if kind in ("Int64", "float64")]
    table[empty] = table[empty].apply(pd.to_numeric)
    return _typed(table[list(COLUMNS)])


def rows_of(path: Path, images: Iterable[str]) -> pd.DataFrame:
    """Return the rows of some photographs from the manifest at `path`, in the order asked for.

    Raises:
        KeyError: A photograph is not in the manifest.
    """
    return read_manifest(path).set_index("image").loc[list(images)].reset_index()


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    return table.astype(_TYPES)


def _measure_file(path: Path) -> dict[str, object]:
    """Return the columns that one file determines."""
    if not path.is_file():
        return {"status": "missing file"}
    try:
        data = path.read_bytes()
    except OSError:
        return {"status": "unreadable"}
    known: dict[str, object] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    if not data:
        return known | {"status": "empty file"}
    try:
        return known | _measure(data)
    except Explained:
        return known | {"status": "unreadable"}


def _measure(data: bytes) -> dict[str, object]:
    """Return the columns that a photograph's content determines, from one reduced decode."""
    width, height = decoding.dimensions(data)
    reduction = decoding.strongest_reduction(max(width, height), _SMALL_SIDE)
    small = decoding.decode(data, reduction)
    circle = photographs.find_retina(small, reduction)
    box = photographs.crop_box(circle)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    centre = _centre(grey, circle, reduction)
    return {
        "width": width,
        "height": height,
        "phash": _perceptual_hash(grey),
        "brightness": round(float(centre.mean()), 2),
        "crop_left": box.left,
        "crop_top": box.top,
        "crop_side": box.side,
        "circle_found": circle.found,
        "status": _exposure(grey, centre, circle.found),
    }


def _centre(grey: Pixels, circle: Circle, reduction: int) -> Pixels:
    """Return the square of half the circle's diameter around its centre, as far as it is there."""
    x, y, half = (value / reduction for value in (circle.x, circle.y, circle.radius / 2))
    rows = slice(max(0, int(y - half)), max(0, math.ceil(y + half)))
    columns = slice(max(0, int(x - half)), max(0, math.ceil(x + half)))
    centre = grey[rows, columns]
    return centre if centre.size else grey  # a circle may be centred beyond the photograph


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


def _perceptual_hash(grey: Pixels) -> str:
    """Return 64 bits as hexadecimal: which low frequencies of the cosine transform are large.

    Photographs that differ by scale or compression only differ in few bits.
    """
    small = cv2.resize(grey, (4 * _LIKENESS, 4 * _LIKENESS), interpolation=cv2.INTER_AREA)
    frequencies = cv2.dct(np.asarray(small, np.float32))[:_LIKENESS, :_LIKENESS].ravel()
    bits = frequencies > np.median(frequencies[1:])
    return np.packbits(bits).tobytes().hex()
