"""What a run is trained on: photographs, or what its frozen part makes of them."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import features, records
from retinopathy.files import sha256
from retinopathy.runs import Run

Places = NDArray[np.int64]
Tensors = list[NDArray[np.float32]]


class Inputs(Protocol):
    """One split, read in any order.

    Attributes:
        rows: Columns image, patient, level, label.
        variants: How many symmetries of each photograph can be asked for.
        cached: Whether what is read has passed the frozen part.
        identity: SHA-256 of ids, labels and photographs: the same for records and for features.
    """

    rows: pd.DataFrame
    variants: int
    cached: bool
    identity: str

    def batches(self, places: Places, variants: Places, batch: int) -> Iterator[Tensors]:
        """Yield the tensors that the trained part starts from, some places of `rows` at a time.

        Args:
            places: Places in `rows`, in the order in which they are wanted.
            variants: One per place.
            batch: How many at a time; the last may be fewer.
        """


class FeatureInputs:
    """Cached features: the trained part starts at the cut."""

    cached = True

    def __init__(self, paths: Sequence[Path], run: Run, weights: Path) -> None:
        """Open feature files, which must be of the run's network, size, cut, type and weights."""
        self._features = features.Features(
            paths, run.network, run.size, run.depth, weights, run.features
        )
        self.rows = self._features.rows
        self.identity = _identity(self.rows, self._features.records)
        self.variants = self._features.variants

    def batches(self, places: Places, variants: Places, batch: int) -> Iterator[Tensors]:
        """Yield one float32 array (n, …) per tensor that crosses the cut."""
        for start in range(0, len(places), batch):
            chosen = slice(start, start + batch)
            yield self._features.read(places[chosen], variants[chosen])


class RecordInputs:
    """Photographs: the whole network runs."""

    cached = False
    variants = features.VARIANTS

    def __init__(self, paths: Sequence[Path], run: Run) -> None:
        """Open record files of the run's size."""
        self._records = records.Shuffled(paths, run.size)
        self.rows = self._records.rows
        self.identity = _identity(self.rows, [sha256(path) for path in paths])

    def batches(self, places: Places, variants: Places, batch: int) -> Iterator[Tensors]:
        """Yield the pixels, float32 (n, size, size, 3) in [0, 255]."""
        for pixels in self._records.batches(places, variants, batch).as_numpy_iterator():
            yield [pixels.astype(np.float32)]


def opened(paths: Sequence[Path], run: Run, weights: Path) -> Inputs:
    """Return the inputs in `paths`: feature files (`.h5`) or record files (`.tfrecord`)."""
    if paths[0].suffix == ".h5":
        return FeatureInputs(paths, run, weights)
    return RecordInputs(paths, run)


def _identity(rows: pd.DataFrame, files: Sequence[str]) -> str:
    known = rows[["image", "label"]].to_csv(index=False)
    return hashlib.sha256("\n".join([known, *files]).encode()).hexdigest()
