"""What a run is trained on: photographs, or what its frozen part makes of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import features, records
from retinopathy.runs import Run

Places = NDArray[np.int64]


class Inputs(Protocol):
    """One split, read in any order.

    Attributes:
        rows: Columns image, patient, level, label.
        variants: How many symmetries of each photograph can be asked for.
        cached: Whether what is read has passed the frozen part.
        identity: Changes when a file is replaced.
    """

    rows: pd.DataFrame
    variants: int
    cached: bool
    identity: str

    def read(self, places: Places, variants: Places) -> list[NDArray[np.float32]]:
        """Return the tensors that the trained part starts from, for some places of `rows`."""


class FeatureInputs:
    """Cached features: the trained part starts at the cut."""

    cached = True

    def __init__(self, paths: Sequence[Path], run: Run, weights: Path) -> None:
        """Open feature files, which must be of the run's network, size, cut and weights."""
        self.identity = _identity(paths)
        self._features = features.Features(paths, run.network, run.size, run.depth, weights)
        self.rows = self._features.rows
        self.variants = self._features.variants

    def read(self, places: Places, variants: Places) -> list[NDArray[np.float32]]:
        """Return one float32 array (n, …) per tensor that crosses the cut."""
        return self._features.read(places, variants)


class RecordInputs:
    """Photographs: the whole network runs."""

    cached = False
    variants = features.VARIANTS

    def __init__(self, paths: Sequence[Path], run: Run) -> None:
        """Open record files of the run's size."""
        self.identity = _identity(paths)
        self._records = records.Shuffled(paths, run.size)
        self.rows = self._records.rows

    def read(self, places: Places, variants: Places) -> list[NDArray[np.float32]]:
        """Return the pixels, float32 (n, size, size, 3) in [0, 255]."""
        pixels = self._records.read(places.tolist(), variants.tolist())
        return [pixels.astype(np.float32)]


def opened(paths: Sequence[Path], run: Run, weights: Path) -> Inputs:
    """Return the inputs in `paths`: feature files (`.h5`) or record files (`.tfrecord`)."""
    if paths[0].suffix == ".h5":
        return FeatureInputs(paths, run, weights)
    return RecordInputs(paths, run)


def _identity(paths: Sequence[Path]) -> str:
    facts = [(path.name, path.stat()) for path in paths]
    return ",".join(f"{name}:{found.st_size}:{found.st_mtime_ns}" for name, found in facts)
