"""The manifest: one row per photograph, good or bad, with what later stages need to know.

Bad input is data: a photograph that cannot be used has the reason in its column `status`, and the
study goes on without it. The first of these reasons that holds counts:

1. those of the file, see `inspection`;
2. no file at all: `label without file`, or why it could not be taken out of an archive;
3. the label: `conflicting labels` (several levels), `label missing`, `label out of range` (no
   level from 0 to 4);
4. other photographs: `duplicate of X` with the same bytes, `copy of X` with the same picture scaled
   or compressed anew, `conflicting labels, same as X` where the levels of such two differ.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from retinopathy.errors import Explained
from retinopathy.parts import linked

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

_NAMED = re.compile(
    r"^(duplicate|copy|conflicting labels|same name)( of|, same as| as) .*", re.DOTALL
)
_SAME = re.compile(r"^(?:duplicate of|copy of|conflicting labels, same as) (.*)$", re.DOTALL)


def identify(image: str) -> tuple[str, str]:
    """Return patient and eye: `10_left` is (`10`, `left`), another name its own patient, eye ''."""
    patient, _, eye = image.rpartition("_")
    if patient and eye.lower() in ("left", "right"):
        return patient, eye.lower()
    return image, ""


def combine(shards: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Join the shards of a manifest, sorted by image."""
    return typed(pd.concat(shards)).sort_values("image", ignore_index=True)


def label(
    inspected: pd.DataFrame, labels: pd.DataFrame, refused: Mapping[str, str]
) -> pd.DataFrame:
    """Give photographs their levels, and labels without a photograph a row.

    Args:
        inspected: Rows of the manifest without levels.
        labels: Columns image, level, as `sources.read_labels` returns them.
        refused: Image id → why it could not be taken out of an archive.

    Returns:
        The manifest, sorted by image.
    """
    given = labels.groupby("image", sort=False)["level"].agg(["nunique", "first"])
    levels = given["first"].where(given["nunique"] == 1)
    nowhere = {*given.index, *refused} - set(inspected["image"])
    absent = pd.DataFrame([_absent(name, refused) for name in nowhere], columns=list(COLUMNS))
    manifest = typed(pd.concat([inspected, typed(absent)]))
    manifest = manifest.sort_values("image", ignore_index=True)
    manifest["level"] = manifest["image"].map(levels).astype("Int64")
    unsure = manifest["status"] == OK
    several = manifest["image"].map(given["nunique"]).fillna(0) > 1
    manifest.loc[unsure & several, "status"] = "conflicting labels"
    manifest.loc[unsure & ~several & manifest["level"].isna(), "status"] = "label missing"
    outside = manifest["level"].notna() & ~manifest["level"].isin(LEVELS)
    manifest.loc[unsure & outside, "status"] = "label out of range"
    return manifest


def mark_same_bytes(manifest: pd.DataFrame) -> pd.DataFrame:
    """Reject usable photographs whose content another has too, as `mark` does."""
    return mark(manifest, usable(manifest).set_index("image")["sha256"], "duplicate")


def mark(manifest: pd.DataFrame, group_of: pd.Series, word: str) -> pd.DataFrame:
    """Reject usable photographs that are the same picture as another.

    The first by name stays, and the others become "`word` of" it; when their levels differ none
    can be trusted and all are rejected.

    Args:
        manifest: The manifest, sorted by image.
        group_of: Image → what photographs of one picture have in common.
        word: `duplicate` or `copy`.

    Returns:
        The manifest with new statuses.
    """
    marked = manifest.copy()
    good = marked[marked["status"] == OK]
    group = good["image"].map(group_of).dropna()
    same = good.loc[group.index].assign(group=group)
    same = same[same["group"].duplicated(keep=False)]
    groups = same.groupby("group")
    place, agree = groups.cumcount(), groups["level"].transform("nunique") == 1
    first = groups["image"].transform("first")
    second = same["group"].map(same[place == 1].set_index("group")["image"])
    others = first[agree & (place > 0)]
    conflicts = first.where(place > 0, second)[~agree]
    marked.loc[others.index, "status"] = f"{word} of " + others
    marked.loc[conflicts.index, "status"] = "conflicting labels, same as " + conflicts
    return marked


def same_as(manifest: pd.DataFrame) -> pd.Series:
    """Return, for each row, the image whose picture it is too; missing where there is none."""
    return manifest["status"].str.extract(_SAME, expand=False)


def persons(manifest: pd.DataFrame) -> dict[str, str]:
    """Return patient → the first, by name, of the patients who have a picture in common.

    A picture under the names of two patients says that they are one person.
    """
    patients = dict(zip(manifest["image"], manifest["patient"], strict=True))
    other = same_as(manifest).map(patients)
    named = manifest[other.notna()]
    pairs = zip(named["patient"], other.dropna(), strict=True)
    return {name: name for name in patients.values()} | linked(pairs)


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
    return typed(manifest.assign(quality=manifest["image"].map(quality).fillna("")))


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
    return typed(table[list(COLUMNS)])


def rows_of(path: Path, images: Iterable[str]) -> pd.DataFrame:
    """Return the rows of some photographs from the manifest at `path`, in the order asked for.

    Raises:
        KeyError: A photograph is not in the manifest.
    """
    return read_manifest(path).set_index("image").loc[list(images)].reset_index()


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with the columns of the manifest in their types."""
    return table.astype(_TYPES)


def _absent(image: str, refused: Mapping[str, str]) -> dict[str, Any]:
    """Return the row of an image of which there is no file."""
    patient, eye = identify(image)
    row = dict.fromkeys(COLUMNS) | dict.fromkeys(("path", "sha256", "phash", "quality"), "")
    status = refused.get(image, "label without file")
    return row | {"image": image, "patient": patient, "eye": eye, "status": status}
