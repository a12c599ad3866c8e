"""Runs that are small enough for tests: noise whose brightness tells the label."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from retinopathy import decoding, features, inputs, records, training, weights
from retinopathy.backup import Keeper
from retinopathy.recipes import Recipe
from retinopathy.runs import Run

SIZE = 71
RUN = Run("referable", "xception", SIZE, "imagenet", "head", 0.01, 0.01, 0.5, "holdout", 1)
RECIPE = Recipe(5, 3, 9, "adam", 1.0, augment=False)
WEIGHTS = "w.weights.h5"


def silent(_: str) -> None:
    """Log nothing."""


def shard(folder: Path, split: str, labels: list[int], part: int, size: int = SIZE) -> Path:
    """Write photographs of a split as records."""
    drawn = np.random.default_rng(part)
    rows = []
    for place, label in enumerate(labels):
        name = f"{part}{place}_left"
        image = drawn.integers(0, 120 + 130 * label, (size, size, 3)).astype(np.uint8)
        (folder / f"{name}.png").write_bytes(decoding.encode_png(image))
        row = {"image": name, "patient": name[:-5], "level": 4 * label, "label": label}
        box = {"crop_left": 0, "crop_top": 0, "crop_side": size}
        rows.append(row | box | {"part": part, "path": str(folder / f"{name}.png")})
    destination = folder / f"{split}.tfrecord"
    records.write_shard(pd.DataFrame(rows), destination, size, "none", 1, lambda *_: None)
    return destination


def prepare(folder: Path, network: str = RUN.network, size: int = SIZE) -> None:
    """Write records of two splits, and weights."""
    train = shard(folder, "train", [0, 1] * 6, 0, size)
    shard(folder, "validation", [0, 1] * 3, 1, size)
    weights.randomise(network, size, 1, [train], folder / WEIGHTS)


def write_features(folder: Path, run: Run, *, augment: bool) -> None:
    """Write the features of a run's cut, for the splits that there are."""
    for records_file in sorted(folder.glob("*.tfrecord")):
        features.write_features(
            run.network,
            run.size,
            run.depth,
            folder / WEIGHTS,
            [records_file],
            folder / f"{records_file.stem}-{run.depth}.h5",
            augment=augment,
            kept=run.features,
        )


def splits(folder: Path, run: Run, *, cached: bool) -> list[inputs.Inputs]:
    """Open training and validation split."""
    ending = f"-{run.depth}.h5" if cached else ".tfrecord"
    names = ("train", "validation")
    return [inputs.opened([folder / f"{name}{ending}"], run, folder / WEIGHTS) for name in names]


def trained(
    folder: Path,
    run: Run,
    recipe: Recipe = RECIPE,
    *,
    cached: bool = True,
    scratch: Path,
    log: Callable[[str], None] = silent,
    minutes: float = 10,
) -> training.Result:
    """Train a run whose files are in a folder."""
    file = folder / WEIGHTS
    known, held_out = splits(folder, run, cached=cached)
    stored = training.backup_path(scratch, run, recipe, file, (known, held_out), "code", {})
    return training.train(run, recipe, file, known, held_out, Keeper(stored, minutes), log)


def assert_same(first: training.Result, second: training.Result, *, rtol: float = 0) -> None:
    """Two runs went the same way, and ended alike."""
    measures = [column for column in training.HISTORY if column != "seconds"]
    np.testing.assert_allclose(first.history[measures], second.history[measures], rtol=rtol)
    one, other = (result.predictions["logit"] for result in (first, second))
    # A logit near zero is the difference of large numbers: their size is what errors relate to.
    np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol * np.abs(other).max())
    assert list(first.predictions["image"]) == list(second.predictions["image"])
    assert (first.best_epoch, first.stop_reason) == (second.best_epoch, second.stop_reason)
