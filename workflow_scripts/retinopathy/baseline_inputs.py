"""What the classical methods are given: pixels, metadata alone, or frozen features."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import baselines, features, manifest, records
from retinopathy.errors import Explained

METADATA = ("width", "height", "bytes", "brightness")
"""Columns of the manifest that say nothing of the retina: the shortcut floor."""


@dataclass(frozen=True)
class Materials:
    """What inputs are made of.

    Attributes:
        records: Record files of one split.
        size: Side of the records in pixels.
        side: Side in pixels to which photographs are reduced for the pixel baselines.
        network: Whose features are used.
        weights: Initial weights of that network, for features.
        manifest: The manifest, for metadata.
    """

    records: tuple[Path, ...]
    size: int
    side: int
    network: str
    weights: Path | None
    manifest: Path | None


Loaded = tuple[NDArray[np.float32], pd.DataFrame]
"""Inputs (n, dimensions) and the rows (image, patient, level, label) that they belong to."""


def pixels(materials: Materials) -> Loaded:
    """Return reduced photographs as vectors, in [0, 1]."""
    images, rows = records.load(materials.records, materials.size)
    return baselines.pixels(images, materials.side), rows


def metadata(materials: Materials) -> Loaded:
    """Return what the file and the camera give away: sides, bytes and mean brightness.

    Raises:
        Explained: No manifest was given.
    """
    rows = records.rows(materials.records, materials.size)
    table = manifest.read_manifest(_given(materials.manifest, "manifest")).set_index("image")
    facts = table.loc[rows["image"], list(METADATA)]
    return facts.to_numpy(dtype=np.float32), rows


def frozen_features(materials: Materials) -> Loaded:
    """Return the pooled outputs of the frozen network.

    Raises:
        Explained: No weights were given.
    """
    weights = _given(materials.weights, "weights file")
    return features.pooled(materials.network, materials.size, weights, materials.records)


LOADERS: dict[str, Callable[[Materials], Loaded]] = {
    "pixels": pixels,
    "metadata": metadata,
    "features": frozen_features,
}


def _given(path: Path | None, what: str) -> Path:
    if path is None:
        raise Explained(
            f"a baseline needs a {what}",
            expected=f"the path of a {what}",
            received="none",
            hint="this is a fault of the rule's inputs",
        )
    return path
