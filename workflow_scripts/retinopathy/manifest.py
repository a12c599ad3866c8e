"""The manifest: one row per photograph, good or bad, with what later stages need to know.

Bad input is data: a photograph that cannot be used has the reason in its column `status`, and the
study goes on without it. The first of these reasons that holds counts:

1. the name: `unreadable name` (no UTF-8, or with characters that tables lose);
2. what is there: `label without file`, or the reason why it could not be taken out of an archive;
   `missing file` (a name that leads nowhere), `not a file`, `unreadable` (the system refuses),
   `too large` (more bytes than `decoding.MOST_BYTES`), `empty file`;
3. the content: `not an image` (no JPEG, PNG or TIFF, whatever its ending), `truncated` (its end is
   missing), `too large` (more pixels than `decoding.MOST_PIXELS`), `unreadable` (no decoder gets
   through without meeting damage);
4. the picture: `black`, `white`, `no retina found`;
5. other photographs with the same image id: `duplicate of X` where the bytes are the same,
   `same name as X` where they are not, for then none of them can be trusted;
6. the label: `conflicting labels` (several levels), `label missing` (none, or none that is a whole
   number), `label out of range`;
7. photographs with other names and the same bytes: `duplicate of X`, `conflicting labels, same as
   X` where their levels differ.

A photograph that is rejected for 1 to 4 says nothing about others of the same image id.
"""

import hashlib
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from retinopathy import decoding, photographs
from retinopathy.decoding import Look, Pixels, Unusable
from retinopathy.errors import Explained
from retinopathy.parts import shard_of
from retinopathy.photographs import Circle
from retinopathy.sources import Found, spelled

OK = "ok"
LEVELS = range(5)

_GOOD_PICTURES = (OK, "label missing", "label out of range")

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
    "saturation": "float64",
    "crop_left": "Int64",
    "crop_top": "Int64",
    "crop_side": "Int64",
    "circle_found": "boolean",
    "quality": "str",
    "status": "str",
}

COLUMNS = tuple(_TYPES)
"""Columns of the manifest. `brightness` and `saturation` are the mean grey value and the mean
saturation (of hue, saturation, value), 0–255, of the retina's centre; `phash` is a perceptual hash;
`quality` a published grade; sizes and positions are in pixels of the full photograph. What could
not be measured, and the path of what is no file, is empty."""

_SMALL_SIDE = 256  # the retina is measured on a copy whose larger side has at least this
_SPOKEN = 500  # photographs between two messages
_LIKENESS = 8  # bits by 8 bits of the perceptual hash
_BRIGHT, _BLUER = 200, 20  # grey levels: corners of a negative, and blue above red in its retina
_NAMED = re.compile(r"^(duplicate|conflicting labels|same name)( of|, same as| as) .*", re.DOTALL)


def identify(image: str) -> tuple[str, str]:
    """Return patient and eye: `10_left` is (`10`, `left`), another name its own patient, eye ''."""
    patient, _, eye = image.rpartition("_")
    if patient and eye.lower() in ("left", "right"):
        return patient, eye.lower()
    return image, ""


def inspect(image: str, path: Path | None, level: int | None) -> dict[str, Any]:
    """Return the manifest's row of one photograph; bad input makes a row too, never an error.

    Args:
        image: The image id.
        path: Its file, or None when there is none.
        level: Its level, or None when it has none.

    Returns:
        The values of `COLUMNS`.
    """
    patient, eye = identify(image)
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= dict.fromkeys(("path", "sha256", "phash", "quality"), "")
    row |= {"image": image, "patient": patient, "eye": eye, "level": level}
    row |= {"status": "label without file"} if path is None else _measure_file(path)
    if row["status"] == OK and level is None:
        row["status"] = "label missing"
    elif row["status"] == OK and level not in LEVELS:
        row["status"] = "label out of range"
    return row


def inspect_files(
    image: str, files: Sequence[Found], levels: Collection[int]
) -> list[dict[str, Any]]:
    """Return the manifest's rows of one image id.

    Args:
        image: The image id.
        files: What there is of that name, sorted; usually one.
        levels: Its levels, usually one.

    Returns:
        A row for each file, or one if there is none. At most one is usable; it, or else the first,
        is called `image`, and the others by their paths.
    """
    level = next(iter(levels)) if len(levels) == 1 else None
    paths: list[Path | None] = [file.path for file in files]
    rows = [inspect(image, path, level) for path in paths or [None]]
    alike = [place for place, row in enumerate(rows) if row["status"] in _GOOD_PICTURES]
    kept = alike[0] if alike else 0
    for place, file in enumerate(files):
        if place != kept:
            rows[place]["image"] = file.name
    same = len({rows[place]["sha256"] for place in alike}) <= 1
    for place in alike[1:]:
        rows[place]["status"] = f"duplicate of {image}" if same else _same_name(files[kept])
    if not same:
        rows[kept]["status"] = _same_name(files[alike[1]])
    if len(levels) > 1 and rows[kept]["status"] == "label missing":
        rows[kept]["status"] = "conflicting labels"
    return rows


def inspect_all(
    labels: pd.DataFrame,
    files: Mapping[str, Sequence[Found]],
    refused: Mapping[str, str],
    shard: int,
    shards: int,
    progress: Callable[[str], None],
) -> pd.DataFrame:
    """Inspect one shard of the photographs that have a label, a file, or both.

    Args:
        labels: Columns image, level, as `sources.read_labels` returns them.
        files: Image id → files, as `sources.by_image` returns them.
        refused: Image id → why it could not be taken out of an archive.
        shard: Which shard, in [0, shards).
        shards: How many there are; an added photograph changes one of them only.
        progress: Called with a sentence now and then.

    Returns:
        Rows of the manifest, sorted by image.
    """
    given: dict[str, set[int]] = {}
    for image, level in zip(labels["image"], labels["level"], strict=True):
        given.setdefault(image, set()).update([] if pd.isna(level) else [int(level)])
    known = given.keys() | files.keys() | refused.keys()
    images = sorted(name for name in known if shard_of(name, shards) == shard)
    rows = []
    for done, image in enumerate(images, start=1):
        found = inspect_files(image, files.get(image, ()), given.get(image, set()))
        if image in refused and image not in files:
            found[0]["status"] = refused[image]
        rows += found
        if done % _SPOKEN == 0 or done == len(images):
            progress(f"{done} of {len(images)} photographs inspected")
    table = _typed(pd.DataFrame(rows, columns=list(COLUMNS)))
    return table.sort_values("image", ignore_index=True)


def combine(shards: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Join the shards of a manifest, sorted by image, and mark what is there twice.

    Among usable photographs with the same content, the first by name stays and the others become
    "duplicate of" it; when their levels differ none can be trusted and all are rejected.
    """
    manifest = _typed(pd.concat(shards)).sort_values("image", ignore_index=True)
    good = manifest[manifest["status"] == OK]
    same = good[good.duplicated("sha256", keep=False)]
    groups = same.groupby("sha256")
    place, agree = groups.cumcount(), groups["level"].transform("nunique") == 1
    first = groups["image"].transform("first")
    second = same["sha256"].map(same[place == 1].set_index("sha256")["image"])
    duplicates = first[agree & (place > 0)]
    conflicts = first.where(place > 0, second)[~agree]
    manifest.loc[duplicates.index, "status"] = "duplicate of " + duplicates
    manifest.loc[conflicts.index, "status"] = "conflicting labels, same as " + conflicts
    return manifest


def join_quality(
    manifest: pd.DataFrame, grades: pd.DataFrame, say: Callable[[str], None]
) -> pd.DataFrame:
    """Add published grades of quality; an image with several different ones has none.

    Args:
        manifest: The manifest.
        grades: Columns image, quality, as `sources.read_grades` returns them.
        say: Called with how many grades could not be used.

    Returns:
        The manifest with `quality`.
    """
    several = grades["image"].duplicated(keep=False)
    known = grades["image"].isin(manifest["image"])
    say(f"{grades.loc[several, 'image'].nunique()} images have several grades of quality: none")
    say(f"{(~known).sum()} grades of quality are of unknown images")
    quality = grades[~several].set_index("image")["quality"]
    return _typed(manifest.assign(quality=manifest["image"].map(quality).fillna("")))


def usable(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the photographs that can be used: those whose status is `ok`."""
    return manifest[manifest["status"] == OK].reset_index(drop=True)


def rejects(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the photographs that cannot be used: columns image, reason."""
    rejected = manifest.loc[manifest["status"] != OK, ["image", "status"]]
    return rejected.rename(columns={"status": "reason"}).reset_index(drop=True)


def kinds(reasons: pd.Series) -> pd.Series:
    """Return reasons of rejection without the photographs that they name."""
    return reasons.str.replace(_NAMED, r"\1", regex=True)


def check_rejects(manifest: pd.DataFrame, limit: float, listed: Path) -> None:
    """Check that not too many photographs were lost.

    Args:
        manifest: The whole manifest.
        limit: Largest share of rejects that is acceptable, in [0, 1].
        listed: Where they are listed.

    Raises:
        Explained: More than that was rejected, or there is no photograph at all.
    """
    reasons = rejects(manifest)["reason"]
    if len(manifest) and len(reasons) <= limit * len(manifest):
        return
    counts = ", ".join(f"{reason} {n}" for reason, n in kinds(reasons).value_counts().items())
    raise Explained(
        "too many photographs are rejected",
        expected=f"at most {limit:.1%} of the photographs",
        received=f"{len(reasons)} of {len(manifest)}: {counts or 'there are none'}",
        hint=f"{listed} lists them; correct the source, or raise `photographs: reject_limit:`",
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
