"""Photographs of one set that are in another too: the same bytes, or the same picture re-encoded.

A perceptual hash finds candidates quickly, but retinas look alike: among 519,000 pairs of different
photographs of the competition, 40 have hashes at most 2 bits apart. So each candidate pair is
looked at: the vessels of one photograph, shifted by some pixels, must be those of the other.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import photographs
from retinopathy.errors import Explained
from retinopathy.photographs import CropBox

COLUMNS = ("image", "same_as", "how")
"""Columns of a table of copies; `how` is `bytes` or `pixels`."""

BITS = 2
"""How far the perceptual hashes of a photograph and its scaled or recompressed copy may differ.

Of 50 copies of ten photographs, scaled to 400 to 1024 pixels, none was farther."""

LEAST_PEAK = 0.54
"""Least peak of the phase correlation between copies.

# ASSUME: measured on photographs of one competition: 40 pairs of copies had peaks from 0.58 to
# 1.02, 868 pairs of different photographs with hashes at most 6 bits apart up to 0.50."""

_SIDE = 256  # pixels at which photographs are compared
_FINE = 3.0  # standard deviation, pixels: what is coarser than this is light, not vessels
_INNER = 0.42  # radius of what is compared, as a share of the side: the rim is not
_SPOKEN = 500  # candidate pairs between two messages
_BLOCK = 512  # hashes compared at a time with all others
_KEPT = 1024  # textures kept for further pairs, 256 kB each

Texture = NDArray[np.float32]


def find(one: pd.DataFrame, other: pd.DataFrame, progress: Callable[[str], None]) -> pd.DataFrame:
    """Find the photographs of a set that are in another set as well.

    Args:
        one: Usable rows of a manifest.
        other: Usable rows of the manifest to compare with.
        progress: Called with a sentence now and then.

    Returns:
        Columns image (of `one`), same_as (of `other`), how; one row per image that has a copy.
    """
    places = {digest: name for name, digest in zip(other["image"], other["sha256"], strict=True)}
    same = one.loc[one["sha256"].isin(list(places)), ["image", "sha256"]]
    found = {row.image: (places[row.sha256], "bytes") for row in same.itertuples()}
    left, right = list(one.itertuples()), list(other.itertuples())
    pairs = _near(list(one["phash"]), list(other["phash"]))
    for looked_at, (here, there) in enumerate(pairs, start=1):
        if looked_at % _SPOKEN == 0:
            progress(f"{looked_at} pairs with like hashes compared")
        if left[here].image in found:
            continue
        if one_picture(left[here], right[there]):
            found[left[here].image] = (right[there].image, "pixels")
    rows = [(image, *found[image]) for image in one["image"] if image in found]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def one_picture(first: Any, second: Any) -> bool:
    """Return whether two photographs have the same vessels; not where a file is unreadable.

    Args:
        first: A row of a manifest.
        second: Another.
    """
    rows = (first, second)
    boxes = [CropBox(int(row.crop_left), int(row.crop_top), int(row.crop_side)) for row in rows]
    one, other = (_texture_of(row.path, box) for row, box in zip(rows, boxes, strict=True))
    return one is not None and other is not None and peak(one, other) >= LEAST_PEAK


def peak(first: Texture, second: Texture) -> float:
    """Return the peak of the phase correlation of two textures: about 1 for a shifted copy.

    Kuglin & Hines, "The phase correlation image alignment method", 1975.

    Args:
        first: float32 (n, n).
        second: float32 (n, n).
    """
    window = cv2.createHanningWindow(first.shape[::-1], cv2.CV_32F)
    _, response = cv2.phaseCorrelate(first, second, window)
    return float(response)


def texture(data: bytes, box: CropBox) -> Texture:
    """Return the fine structure of a photograph's retina, float32 (256, 256).

    Raises:
        Explained: The photograph is unreadable.
    """
    grey = cv2.cvtColor(photographs.prepare(data, box, _SIDE, "none"), cv2.COLOR_RGB2GRAY)
    light = np.asarray(grey, np.float32)
    fine = light - cv2.GaussianBlur(light, (0, 0), _FINE)
    offsets = np.arange(_SIDE) - (_SIDE - 1) / 2
    inside = np.hypot(offsets[:, None], offsets) <= _INNER * _SIDE
    return np.asarray(np.where(inside, fine, 0), np.float32)


@lru_cache(maxsize=_KEPT)
def _texture_of(path: str, box: CropBox) -> Texture | None:
    """Return the texture of a photograph; None when its file can no longer be read."""
    try:
        return texture(Path(path).read_bytes(), box)
    except (Explained, OSError):
        return None


def _near(one: Sequence[str], other: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the places of all pairs of hashes that are at most `BITS` apart."""
    left, right = (
        np.asarray([int(text, 16) for text in texts], np.uint64) for texts in (one, other)
    )
    for start in range(0, len(left), _BLOCK):
        apart = np.bitwise_count(left[start : start + _BLOCK, None] ^ right)
        for here, there in np.argwhere(apart <= BITS):
            yield start + int(here), int(there)
