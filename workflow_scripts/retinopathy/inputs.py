"""What a run is trained on: photographs, or what its frozen part makes of them."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import features, records
from retinopathy.errors import Explained
from retinopathy.files import sha256
from retinopathy.parts import draw
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


class FirstInputs:
    """Some photographs of inputs, read from where they are: nothing is copied or held."""

    def __init__(self, whole: Inputs, places: Places) -> None:
        """Take the photographs at `places` of `whole`, in that order."""
        self._whole, self._places = whole, places
        self.rows = whole.rows.iloc[places].reset_index(drop=True)
        self.cached, self.variants = whole.cached, whole.variants
        self.identity = _identity(self.rows, [whole.identity])

    def batches(self, places: Places, variants: Places, batch: int) -> Iterator[Tensors]:
        """Yield what the whole has at these places."""
        return self._whole.batches(self._places[places], variants, batch)


def limited(whole: Inputs, run: Run) -> Inputs:
    """Return the photographs of the training split that a run is trained on.

    Patients are taken in an order that depends on their names and the run's seed only, both eyes
    together, until there are enough photographs: of two runs with one seed, the one on fewer
    photographs is trained on the first of the other's.

    Args:
        whole: The training split.
        run: Asks for all photographs, or for a number of them.

    Raises:
        Explained: It asks for more than there are.
    """
    if not run.photographs:
        return whole
    if run.photographs > len(whole.rows):
        raise Explained(
            "a run asks for more photographs than its training split has",
            expected=f"at most {len(whole.rows)}",
            received=run.photographs,
            hint="ask for fewer in `studies: learning_curve:`, or for more in the task",
        )
    known = zip(whole.rows["patient"], whole.rows["image"], strict=True)
    keys = [(draw(patient, run.seed), patient, image) for patient, image in known]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return FirstInputs(whole, np.array(order[: run.photographs], np.int64))


def opened(paths: Sequence[Path], run: Run, weights: Path) -> Inputs:
    """Return the inputs in `paths`: feature files (`.h5`) or record files (`.tfrecord`)."""
    if paths[0].suffix == ".h5":
        return FeatureInputs(paths, run, weights)
    return RecordInputs(paths, run)


def _identity(rows: pd.DataFrame, files: Sequence[str]) -> str:
    known = rows[["image", "label"]].to_csv(index=False)
    return hashlib.sha256("\n".join([known, *files]).encode()).hexdigest()
