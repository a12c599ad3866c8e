"""Training: equal with and without the cache, exact when resumed, governed by one seed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retinopathy import (
    decoding,
    features,
    inputs,
    predictions,
    records,
    tables,
    training,
    weights,
)
from retinopathy.errors import Explained
from retinopathy.runs import Run

pytestmark = pytest.mark.networks

SIZE = 71
RUN = Run("referable", "xception", SIZE, "imagenet", "head", 0.01, 0.01, 0.5, "holdout", 1)
RECIPE = training.Recipe(5, 3, 9, "adam", 1.0, augment=False)
CUTS = ("head", "block14", "block13+3")


class Killed(Exception):
    """Ends a run from its log, as a kill would."""


def silent(_: str) -> None:
    """Log nothing."""


def killer(word: str) -> Callable[[str], None]:
    def log(line: str) -> None:
        if line.startswith(word):
            raise Killed

    return log


def shard(folder: Path, split: str, labels: list[int], part: int) -> Path:
    """Write noise whose brightness tells the label, as records."""
    drawn = np.random.default_rng(part)
    rows = []
    for place, label in enumerate(labels):
        name = f"{part}{place}_left"
        image = drawn.integers(0, 120 + 130 * label, (SIZE, SIZE, 3)).astype(np.uint8)
        (folder / f"{name}.png").write_bytes(decoding.encode_png(image))
        row = {"image": name, "patient": name[:-5], "level": 4 * label, "label": label}
        box = {"crop_left": 0, "crop_top": 0, "crop_side": SIZE}
        rows.append(row | box | {"part": part, "path": str(folder / f"{name}.png")})
    destination = folder / f"{split}.tfrecord"
    records.write_shard(pd.DataFrame(rows), destination, SIZE, "none", 1, lambda *_: None)
    return destination


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with records of two splits, weights, and features of all cuts."""
    folder = tmp_path_factory.mktemp("training")
    train = shard(folder, "train", [0, 1] * 6, 0)
    validation = shard(folder, "validation", [0, 1] * 3, 1)
    weights.randomise("xception", SIZE, 1, [train], folder / "w.weights.h5")
    for depth in CUTS:
        for path in (train, validation):
            features.write_features(
                "xception",
                SIZE,
                depth,
                folder / "w.weights.h5",
                [path],
                folder / f"{path.stem}-{depth}.h5",
                augment=True,
            )
    return folder


def trained(
    folder: Path,
    run: Run,
    recipe: training.Recipe = RECIPE,
    *,
    cached: bool = True,
    scratch: Path,
    log: Callable[[str], None] = silent,
) -> training.Result:
    endings = f"-{run.depth}.h5" if cached else ".tfrecord"
    file = folder / "w.weights.h5"
    splits = [
        inputs.opened([folder / f"{split}{endings}"], run, file)
        for split in ("train", "validation")
    ]
    stored = training.backup_path(scratch, run, recipe, file, splits, "code", {})
    return training.train(run, recipe, file, splits[0], splits[1], stored, log)


def assert_same(first: training.Result, second: training.Result, *, rtol: float = 0) -> None:
    measures = [column for column in training.HISTORY if column != "seconds"]
    np.testing.assert_allclose(first.history[measures], second.history[measures], rtol=rtol)
    np.testing.assert_allclose(
        first.predictions["logit"], second.predictions["logit"], rtol=rtol, atol=rtol
    )
    assert list(first.predictions["image"]) == list(second.predictions["image"])
    assert (first.best_epoch, first.stop_reason) == (second.best_epoch, second.stop_reason)


@pytest.mark.parametrize(
    ("depth", "augment"), [("head", False), ("block14", True), ("block13+3", False)]
)
def test_cache_changes_nothing(made: Path, tmp_path: Path, depth: str, augment: bool) -> None:
    run = replace(RUN, depth=depth, rate=0.001)
    recipe = replace(RECIPE, epochs=2, augment=augment)
    cached = trained(made, run, recipe, scratch=tmp_path)
    whole = trained(made, run, recipe, cached=False, scratch=tmp_path)
    assert cached.trainable_parameters == whole.trainable_parameters
    assert_same(cached, whole, rtol=1e-4)


@pytest.mark.parametrize(
    ("depth", "word"),
    [("head", "epoch 1/"), ("block14", "epoch 2/"), ("head", "epoch 3/"), ("head", "finished")],
)
def test_a_killed_run_ends_as_an_uninterrupted_one(
    made: Path, tmp_path: Path, depth: str, word: str
) -> None:
    run = replace(RUN, depth=depth, rate=0.001)
    whole = trained(made, run, scratch=tmp_path / "whole")
    with pytest.raises(Killed):
        trained(made, run, scratch=tmp_path / "killed", log=killer(word))
    lines: list[str] = []
    assert_same(trained(made, run, scratch=tmp_path / "killed", log=lines.append), whole)
    # Killed in the line of its first epoch, a run has no backup yet and starts anew.
    assert any("resumed" in line for line in lines) == (word != "epoch 1/")


@pytest.mark.parametrize("optimiser", ["adam", "adamw", "sgd"])
def test_optimisers_resume(made: Path, tmp_path: Path, optimiser: str) -> None:
    recipe = replace(RECIPE, optimiser=optimiser)
    whole = trained(made, RUN, recipe, scratch=tmp_path / "whole")
    with pytest.raises(Killed):
        trained(made, RUN, recipe, scratch=tmp_path / "killed", log=killer("epoch 2/"))
    lines: list[str] = []
    again = trained(made, RUN, recipe, scratch=tmp_path / "killed", log=lines.append)
    assert_same(again, whole)
    assert any("resumed" in line for line in lines)


def test_seed_governs_everything(made: Path, tmp_path: Path) -> None:
    run = replace(RUN, depth="block14", rate=0.001)
    recipe = replace(RECIPE, augment=True, epochs=2)
    first = trained(made, run, recipe, scratch=tmp_path)
    assert_same(trained(made, run, recipe, scratch=tmp_path), first)
    other = trained(made, replace(run, seed=2), recipe, scratch=tmp_path)
    assert not np.allclose(first.predictions["logit"], other.predictions["logit"])


def test_training_learns_and_keeps_its_best_epoch(made: Path, tmp_path: Path) -> None:
    result = trained(made, RUN, replace(RECIPE, epochs=20, patience=4), scratch=tmp_path)
    history = result.history
    assert result.outcome == "finished"
    assert history["validation_auc"].max() > 0.8
    ranked = history.sort_values(["validation_auc", "validation_loss"], ascending=[False, True])
    assert result.best_epoch == ranked["epoch"].iloc[0]
    assert len(history) == 20 or len(history) == result.best_epoch + 4


@pytest.mark.parametrize("depth", CUTS)
def test_a_saved_run_predicts_as_before(made: Path, tmp_path: Path, depth: str) -> None:
    run = replace(RUN, depth=depth, rate=0.001)
    result = trained(made, run, scratch=tmp_path)
    training.save_trained(result.model, tmp_path / "trained.h5")
    model = training.load_trained(run, made / "w.weights.h5", tmp_path / "trained.h5")
    found = predictions.predict(model, [made / "validation.tfrecord"], SIZE, "validation", 4)
    assert list(found["image"]) == list(result.predictions["image"])
    np.testing.assert_allclose(found["logit"], result.predictions["logit"], rtol=1e-4, atol=1e-5)


def test_normalisation_is_trained_and_saved_from_scratch(made: Path, tmp_path: Path) -> None:
    run = replace(RUN, initialisation="random_all", depth="all", rate=0.001)
    result = trained(made, run, replace(RECIPE, epochs=1), cached=False, scratch=tmp_path)
    training.save_trained(result.model, tmp_path / "trained.h5")
    model = training.load_trained(run, made / "w.weights.h5", tmp_path / "trained.h5")
    found = predictions.predict(model, [made / "validation.tfrecord"], SIZE, "validation", 4)
    np.testing.assert_allclose(found["logit"], result.predictions["logit"], rtol=1e-4, atol=1e-5)


def test_a_file_of_another_depth_is_refused(made: Path, tmp_path: Path) -> None:
    result = trained(made, RUN, replace(RECIPE, epochs=1), scratch=tmp_path)
    training.save_trained(result.model, tmp_path / "trained.h5")
    with pytest.raises(Explained, match="does not fit the run"):
        training.load_trained(
            replace(RUN, depth="block14"), made / "w.weights.h5", tmp_path / "trained.h5"
        )


def test_divergence_is_a_result(made: Path, tmp_path: Path) -> None:
    run = replace(RUN, depth="block14", rate=1e30)
    result = trained(made, run, replace(RECIPE, optimiser="sgd", clip=1e30), scratch=tmp_path)
    assert result.outcome == "diverged"
    assert result.predictions.empty
    assert list(result.predictions.columns) == list(tables.PREDICTIONS)
    training.save_trained(result.model, tmp_path / "trained.h5")


def test_one_class_alone_cannot_be_learned(made: Path, tmp_path: Path) -> None:
    shard(tmp_path, "alone", [1, 1], 2)
    files = [tmp_path / "alone.tfrecord"]
    alone = inputs.opened(files, RUN, made / "w.weights.h5")
    with pytest.raises(Explained, match="lacks a class"):
        stored = tmp_path / "backup.npz"
        training.train(RUN, RECIPE, made / "w.weights.h5", alone, alone, stored, silent)


def test_a_backup_is_of_one_run_with_one_code_on_one_set_of_files(made: Path) -> None:
    file = made / "w.weights.h5"

    def path(run: Run = RUN, code: str = "a", split: str = "train") -> Path:
        opened = inputs.opened([made / f"{split}.tfrecord"], run, file)
        return training.backup_path(made, run, RECIPE, file, [opened], code, {"keras": "3"})

    different = [path(), path(run=replace(RUN, seed=2)), path(code="b"), path(split="validation")]
    assert len(set(different)) == len(different)
    assert path() == path()
