"""What the classical methods are given: pixels, metadata alone, or frozen features."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import baselines, features, manifest, records
from retinopathy.errors import Explained

Given = TypeVar("Given")

METADATA = ("width", "height", "bytes", "brightness")
"""Columns of the manifest that say nothing of the retina: the shortcut floor."""


@dataclass(frozen=True)
class Materials:
    """What inputs are made of.

    Attributes:
        kind: `pixels`, `metadata` or `features`.
        records: Record files of one split.
        size: Side of the records in pixels.
        side: Side in pixels to which photographs are reduced, for pixels.
        network: Whose features are used, for features.
        weights: Initial weights of that network, for features.
        manifest: The manifest, for metadata.
    """

    kind: str
    records: tuple[Path, ...]
    size: int
    side: int | None = None
    network: str | None = None
    weights: Path | None = None
    manifest: Path | None = None

    @classmethod
    def of(
        cls,
        records: Iterable[str],
        weights: Iterable[str],
        manifest: Iterable[str],
        **settings: Any,
    ) -> "Materials":
        """Return the materials in lists of paths, of which all but the records may be empty."""
        return cls(
            records=tuple(map(Path, records)),
            weights=next(map(Path, weights), None),
            manifest=next(map(Path, manifest), None),
            **settings,
        )


Loaded = tuple[NDArray[np.float32], pd.DataFrame]
"""Inputs (n, dimensions) and the rows (image, patient, level, label) that they belong to."""


def load(materials: Materials) -> Loaded:
    """Return the inputs that the materials are for.

    Raises:
        Explained: Something that this kind of inputs is made of was not given.
    """
    return _LOADERS[materials.kind](materials)


def _pixels(materials: Materials) -> Loaded:
    """Return reduced photographs as vectors, in [0, 1]."""
    images, rows = records.load(materials.records, materials.size)
    return baselines.pixels(images, _given(materials.side, "side")), rows


def _metadata(materials: Materials) -> Loaded:
    """Return what the file and the camera give away: sides, bytes and mean brightness."""
    rows = records.rows(materials.records, materials.size)
    table = manifest.read_manifest(_given(materials.manifest, "manifest")).set_index("image")
    facts = table.loc[rows["image"], list(METADATA)]
    return facts.to_numpy(dtype=np.float32), rows


def _features(materials: Materials) -> Loaded:
    """Return the pooled outputs of the frozen network."""
    network = _given(materials.network, "network")
    weights = _given(materials.weights, "weights file")
    return features.pooled(network, materials.size, weights, materials.records)


_LOADERS: dict[str, Callable[[Materials], Loaded]] = {
    "pixels": _pixels,
    "metadata": _metadata,
    "features": _features,
}


def _given(value: Given | None, what: str) -> Given:
    if value is None:
        raise Explained(
            f"a baseline needs a {what}",
            expected=f"a {what}",
            received="none",
            hint="this is a fault of the rule's inputs or settings",
        )
    return value
