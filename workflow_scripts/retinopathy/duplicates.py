"""Photographs that are there twice: the same bytes, or the same picture scaled or compressed anew.

The manifest rejects both. Equal pictures in other bytes matter where they are said to be of
different patients, who may be in different splits. Perceptual hashes alone cannot tell them, since
retinas look alike: among 959 photographs of the competition 39 pairs of different patients have
hashes at most 2 bits apart, and none is a copy. So pairs that agree in light as well are looked at.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import copies
from retinopathy.manifest import OK, same_as

COLUMNS = ("image", "same_as", "how", "level", "level_same_as", "same_patient")
"""Columns of a table of duplicates; `how` is `bytes` or `pixels` (scaled or compressed anew)."""

LIGHT = {"brightness": 0.5, "saturation": 2.0}
"""How far brightness and saturation, 0–255, of a copy may be from those of its original.

# ASSUME: measured on 180 copies of 60 photographs, scaled to a quarter of the side or compressed at
# quality 60: brightness differed by 0.36 at most, saturation by less than 2 in 98 of 100."""

LOOKED_AT = 1000
"""Pairs that are looked at, at most, the most alike first: a minute."""

_ENOUGH = 100_000  # like pairs from which no more are searched for: such a set has no differences


def told(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of photographs that are one picture, from their statuses: `COLUMNS`."""
    pairs = pd.DataFrame({"image": manifest["image"], "same_as": same_as(manifest)}).dropna()
    # Where levels conflict, each of the two names the other.
    once = ["\n".join(sorted(pair)) for pair in zip(pairs["image"], pairs["same_as"], strict=True)]
    pairs = pairs[~pd.Series(once, pairs.index).duplicated()]
    digests = _known(manifest)["sha256"]
    equal = pairs["image"].map(digests) == pairs["same_as"].map(digests)
    return _table(pairs.assign(how=np.where(equal, "bytes", "pixels")), manifest)


def candidates(usable: pd.DataFrame) -> pd.DataFrame:
    """Find pairs of photographs of different patients that are alike in hash and light.

    Sorted by brightness, each photograph is compared with those that follow within the tolerance:
    the work grows with the pairs that are equally bright, the memory only with what is found.

    Args:
        usable: Usable rows of the manifest.

    Returns:
        Columns first, second (places of rows of `usable`), the most alike first.
    """
    order = np.argsort(usable["brightness"].to_numpy(float), kind="stable")
    rows = usable.iloc[order]
    hashes = np.asarray([int(text, 16) for text in rows["phash"]], np.uint64)
    patients = pd.factorize(rows["patient"])[0]
    bright, colourful = (rows[name].to_numpy(float) for name in LIGHT)
    found: list[NDArray[np.int64]] = []
    total = 0
    for step in range(1, len(rows)):
        near = bright[step:] - bright[:-step] <= LIGHT["brightness"]
        if not near.any() or total > _ENOUGH:
            break
        near &= np.abs(colourful[step:] - colourful[:-step]) <= LIGHT["saturation"]
        near &= patients[step:] != patients[:-step]
        here = np.flatnonzero(near)
        apart = np.bitwise_count(hashes[here] ^ hashes[here + step])
        here, apart = here[apart <= copies.BITS], apart[apart <= copies.BITS]
        found.append(np.stack([apart, order[here], order[here + step]], axis=1).astype(np.int64))
        total += len(here)
    pairs = np.concatenate([np.empty((0, 3), np.int64), *found])
    table = pd.DataFrame(pairs, columns=["apart", "first", "second"])
    return table.sort_values(["apart", "first", "second"], ignore_index=True)[["first", "second"]]


def same_pixels(usable: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Look at candidates and return those that are one picture: `COLUMNS`.

    Args:
        usable: Usable rows of the manifest, whose files are read.
        pairs: Columns first, second, from `candidates`; the first `LOOKED_AT` are looked at.
    """
    confirmed = [
        (usable["image"].iloc[first], usable["image"].iloc[second])
        for first, second in _places(pairs)
        if copies.one_picture(usable.iloc[first], usable.iloc[second])
    ]
    table = pd.DataFrame(confirmed, columns=["image", "same_as"], dtype="str")
    return _table(table.assign(how="pixels"), usable)


def _places(pairs: pd.DataFrame) -> Iterator[tuple[int, int]]:
    shown = pairs.head(LOOKED_AT)
    return zip(shown["first"], shown["second"], strict=True)


def _table(pairs: pd.DataFrame, manifest: pd.DataFrame) -> pd.DataFrame:
    """Add levels and whether the patient is the same to the pairs `image`, `same_as`, `how`."""
    known = _known(manifest)
    levels, patients = known["level"], known["patient"]
    return pairs.assign(
        level=pairs["image"].map(levels),
        level_same_as=pairs["same_as"].map(levels),
        same_patient=pairs["image"].map(patients) == pairs["same_as"].map(patients),
    )[list(COLUMNS)].reset_index(drop=True)


def _known(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return one row per image, by image: a rejected photograph may have the name of another."""
    others = (manifest["status"] != OK) & same_as(manifest).isna()
    first = manifest.assign(others=others).sort_values("others", kind="stable")
    return first.drop_duplicates("image").set_index("image")
