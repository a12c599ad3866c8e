"""Training: equal with and without the cache, exact when resumed, governed by one seed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import roc_auc_score
from tests.small_runs import (
    RECIPE,
    RUN,
    SIZE,
    assert_same,
    prepare,
    shard,
    silent,
    splits,
    trained,
    write_features,
)

from retinopathy import (
    backup,
    events,
    inputs,
    models,
    networks,
    predictions,
    registry,
    tables,
    training,
    weights,
)
from retinopathy.backup import Keeper
from retinopathy.errors import Explained
from retinopathy.recipes import Recipe
from retinopathy.runs import Run

pytestmark = pytest.mark.networks

CUTS = ("head", "block14", "block13+3")


class Killed(Exception):
    """Ends a run from its log, as a kill would."""


def killer(word: str) -> Callable[[str], None]:
    def log(line: str) -> None:
        if line.startswith(word):
            raise Killed

    return log


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with records of two splits, weights, and features of all cuts."""
    folder = tmp_path_factory.mktemp("training")
    prepare(folder)
    for depth in CUTS:
        write_features(folder, replace(RUN, depth=depth), augment=True)
    return folder


LAST = {
    "xception": ("block14", "block14+3"),
    "inception_v3": ("mixed10", "mixed10+7"),
    "densenet169": ("conv5", "conv5+200"),
    "mobilenet_v2": ("block16", "block16+4"),
    "resnet50_v2": ("conv5_block3", "conv5_block3+4"),
}
"""Network → a block and a cut inside one."""


@pytest.mark.parametrize("network", LAST)
def test_cache_changes_nothing(network: str, tmp_path: Path) -> None:
    """Predictions and the loss of each of three epochs, every network, whole blocks and inside."""
    size = registry.NETWORKS[network].smallest_size
    prepare(tmp_path, network, size)
    # Making features traces the whole network: here one split is both, and has them made once.
    (tmp_path / "validation.tfrecord").unlink()
    recipe = replace(RECIPE, batch=6)
    for depth in LAST[network]:
        run = replace(RUN, network=network, size=size, depth=depth, rate=1e-4)
        write_features(tmp_path, run, augment=False)
        cached, whole = (
            train_on_one(tmp_path, run, recipe, file)
            for file in (f"train-{depth}.h5", "train.tfrecord")
        )
        assert len(cached.history) == 3
        assert cached.trainable_by_layer == whole.trainable_by_layer
        assert_same(cached, whole, rtol=1e-5)


def train_on_one(folder: Path, run: Run, recipe: Recipe, file: str) -> training.Result:
    known, held_out = (
        inputs.opened([folder / file], run, folder / "w.weights.h5") for _ in range(2)
    )
    held_out.rows = held_out.rows.assign(patient="another")
    keeper = Keeper(folder / f"{run.depth}-{file}.npz")
    return training.train(run, recipe, folder / "w.weights.h5", known, held_out, keeper, silent)


def test_cache_changes_nothing_when_photographs_are_turned(made: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, epochs=2, augment=True)
    run = replace(RUN, depth="block14", rate=0.001)
    cached = trained(made, run, recipe, scratch=tmp_path)
    assert_same(cached, trained(made, run, recipe, cached=False, scratch=tmp_path), rtol=1e-4)
    assert not np.allclose(
        cached.history["loss"], trained(made, run, scratch=tmp_path).history["loss"][:2]
    )


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
    improved = int(history["validation_auc"].argmax()) + 1
    assert len(history) == 20 or len(history) == improved + 4


@pytest.mark.parametrize("depth", CUTS)
def test_a_saved_run_predicts_as_before(made: Path, tmp_path: Path, depth: str) -> None:
    run = replace(RUN, depth=depth, rate=0.001)
    result = trained(made, run, scratch=tmp_path)
    models.save_trained(result.model, tmp_path / "trained.h5")
    model = models.load_trained(run, made / "w.weights.h5", tmp_path / "trained.h5")
    found = predictions.predict(model, [made / "validation.tfrecord"], SIZE, "validation")
    assert list(found["image"]) == list(result.predictions["image"])
    np.testing.assert_allclose(found["logit"], result.predictions["logit"], rtol=1e-4, atol=1e-5)


def test_normalisation_is_trained_and_saved_from_scratch(made: Path, tmp_path: Path) -> None:
    run = replace(RUN, initialisation="random_all", depth="all", rate=0.001)
    result = trained(made, run, replace(RECIPE, epochs=1), cached=False, scratch=tmp_path)
    models.save_trained(result.model, tmp_path / "trained.h5")
    model = models.load_trained(run, made / "w.weights.h5", tmp_path / "trained.h5")
    found = predictions.predict(model, [made / "validation.tfrecord"], SIZE, "validation")
    np.testing.assert_allclose(found["logit"], result.predictions["logit"], rtol=1e-4, atol=1e-5)


def test_a_file_of_another_depth_is_refused(made: Path, tmp_path: Path) -> None:
    result = trained(made, RUN, replace(RECIPE, epochs=1), scratch=tmp_path)
    models.save_trained(result.model, tmp_path / "trained.h5")
    with pytest.raises(Explained, match="does not fit the run"):
        models.load_trained(
            replace(RUN, depth="block14"), made / "w.weights.h5", tmp_path / "trained.h5"
        )


def test_divergence_is_a_result(made: Path, tmp_path: Path) -> None:
    run = replace(RUN, depth="block14", rate=1e30)
    result = trained(made, run, replace(RECIPE, optimiser="sgd", clip=1e30), scratch=tmp_path)
    assert result.outcome == "diverged"
    assert result.predictions.empty
    assert list(result.predictions.columns) == list(tables.PREDICTIONS)
    models.save_trained(result.model, tmp_path / "trained.h5")


def test_features_without_flips_cannot_be_augmented(tmp_path: Path, made: Path) -> None:
    for name in ("train.tfrecord", "validation.tfrecord", "w.weights.h5"):
        (tmp_path / name).symlink_to(made / name)
    write_features(tmp_path, RUN, augment=False)
    with pytest.raises(Explained, match="no flips"):
        trained(tmp_path, RUN, replace(RECIPE, augment=True), scratch=tmp_path)


PHASES = replace(
    RECIPE, schedule="cosine", warmup=1, head_epochs=1, kernel_l2=1e-4, class_weights=True, epochs=2
)


InPhases = tuple[Recipe, training.Result]


@pytest.fixture(scope="module", params=["cosine", "constant"])
def in_phases(
    made: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> InPhases:
    """An uninterrupted run in two phases, and its recipe."""
    recipe = replace(PHASES, schedule=request.param)
    folder = tmp_path_factory.mktemp("phases")
    run = replace(RUN, depth="block14", rate=0.001)
    return recipe, trained(made, run, recipe, scratch=folder)


@pytest.mark.parametrize("batches", [4, 7, 8])
def test_a_run_in_phases_resumes_within_an_epoch(
    made: Path,
    in_phases: InPhases,
    tmp_path: Path,
    batches: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed judging the head, at the last step but one of the warm-up, and after it.

    An epoch trains three batches and judges two.
    """
    recipe, whole = in_phases
    run = replace(RUN, depth="block14", rate=0.001)
    assert len(whole.history) == 3
    left = [batches]
    step = Keeper.after_step

    def after_step(self: Keeper, *state: Any) -> None:
        step(self, *state)
        left[0] -= 1
        if left[0] == 0:
            raise Killed

    monkeypatch.setattr(Keeper, "after_step", after_step)
    with pytest.raises(Killed):
        trained(made, run, recipe, scratch=tmp_path, minutes=1e-6)
    assert_same(trained(made, run, recipe, scratch=tmp_path), whole)


def test_a_run_that_is_told_to_stop_does_so_at_its_next_step(made: Path, tmp_path: Path) -> None:
    whole = trained(made, RUN, scratch=tmp_path / "whole")
    known, held_out = splits(made, RUN, cached=True)

    def train(keeper: Keeper) -> training.Result:
        return training.train(RUN, RECIPE, made / "w.weights.h5", known, held_out, keeper, silent)

    for told_at in (1, 4, 11, 14):
        asked = iter(range(100))
        keeper = Keeper(tmp_path / f"{told_at}.npz", told=lambda: next(asked) >= told_at)  # noqa: B023
        with pytest.raises(backup.Stopped) as stopped:
            train(keeper)
        assert stopped.value.code == 143
        assert keeper.path.is_file()
        assert_same(train(Keeper(keeper.path)), whole)


@pytest.mark.usefixtures("float16")
def test_a_run_in_half_precision_resumes_from_its_last_backup(made: Path, tmp_path: Path) -> None:
    whole = trained(made, RUN, scratch=tmp_path, minutes=0)
    assert_same(trained(made, RUN, scratch=tmp_path), whole)


def test_the_first_phase_trains_the_head_alone(made: Path, tmp_path: Path) -> None:
    run = replace(RUN, depth="block14", rate=0.001)
    recipe = replace(PHASES, epochs=1, head_epochs=2, kernel_l2=0)
    seen: list[dict[str, Any]] = []

    class Looking(Keeper):
        def save(self, progress: backup.Progress, variables: Mapping[str, Any]) -> None:
            super().save(progress, variables)
            seen.append({name: np.array(one.numpy()) for name, one in variables.items()})

    known, held_out = splits(made, run, cached=True)
    keeper = Looking(tmp_path / "backup.npz")
    training.train(run, recipe, made / "w.weights.h5", known, held_out, keeper, silent)
    first, second, third = seen
    below = [name for name in first if name.startswith("block14")]
    assert below
    for name in below:
        assert np.array_equal(first[name], second[name]), name
        if "kernel" in name:
            assert not np.array_equal(second[name], third[name]), name
    assert not np.array_equal(first["logit/kernel"], second["logit/kernel"])
    # The head's optimiser is gone: the next one has not taken a step, and knows all variables.
    optimiser = [name for name in second if name.startswith("optimiser/")]
    assert len(optimiser) > len([name for name in first if name.startswith("optimiser/")])
    assert second["optimiser/0"] == 0


def test_normalisation_alone_can_be_trained_and_saved(made: Path, tmp_path: Path) -> None:
    run = replace(RUN, depth="bn", rate=0.001)
    result = trained(made, run, replace(RECIPE, epochs=2), cached=False, scratch=tmp_path)
    models.save_trained(result.model, tmp_path / "trained.h5")
    models.describe(run, made / "w.weights.h5", tmp_path / "architecture.json")
    files = (made / "w.weights.h5", tmp_path / "trained.h5")
    model = models.load_described(tmp_path / "architecture.json", *files)
    found = predictions.predict(model, [made / "validation.tfrecord"], SIZE, "validation")
    np.testing.assert_allclose(found["logit"], result.predictions["logit"], rtol=1e-4, atol=1e-5)
    before = networks.build("xception", SIZE, dropout=0, l2=0, seed=1)
    networks.load_backbone(before, made / "w.weights.h5")
    for layer in networks.backbone_layers(model):
        names = [variable.name for variable in layer.weights]
        for name, old, new in zip(
            names, before.get_layer(layer.name).weights, layer.weights, strict=True
        ):
            changed = not np.array_equal(old.numpy(), new.numpy())
            assert changed == (name in ("gamma", "beta")), (layer.name, name)


def test_a_description_knows_its_weights(made: Path, tmp_path: Path) -> None:
    models.describe(RUN, made / "w.weights.h5", tmp_path / "architecture.json")
    weights.randomise_all("xception", SIZE, 9, tmp_path / "other.weights.h5")
    with pytest.raises(Explained, match="not what the run started from"):
        models.load_described(
            tmp_path / "architecture.json", tmp_path / "other.weights.h5", tmp_path / "trained.h5"
        )


def test_events_tell_the_measures_of_every_epoch(tmp_path: Path) -> None:
    write = events.writer(tmp_path)
    write({"epoch": 1, "loss": 0.5, "auc": 0.75})
    write({"epoch": 2, "loss": 0.25, "auc": 1.0})
    (file,) = tmp_path.iterdir()
    found = {
        (value.tag, event.step): float(tf.make_ndarray(value.tensor))
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
    }
    assert found == {("loss", 1): 0.5, ("auc", 1): 0.75, ("loss", 2): 0.25, ("auc", 2): 1.0}


def test_one_class_alone_cannot_be_learned(made: Path, tmp_path: Path) -> None:
    shard(tmp_path, "alone", [1, 1], 2)
    files = [tmp_path / "alone.tfrecord"]
    alone = inputs.opened(files, RUN, made / "w.weights.h5")
    with pytest.raises(Explained, match="lacks a class"):
        stored = tmp_path / "backup.npz"
        training.train(RUN, RECIPE, made / "w.weights.h5", alone, alone, Keeper(stored), silent)


def test_splits_that_share_a_patient_are_refused(made: Path, tmp_path: Path) -> None:
    known, _ = splits(made, RUN, cached=True)
    keeper = Keeper(tmp_path / "backup.npz")
    with pytest.raises(Explained, match="12 patients in both"):
        training.train(RUN, RECIPE, made / "w.weights.h5", known, known, keeper, silent)


def test_a_control_may_share_patients_but_no_photograph(made: Path, tmp_path: Path) -> None:
    control = replace(RUN, task="referable_leaking")
    recipe = replace(RECIPE, epochs=1)
    known, held_out = splits(made, RUN, cached=True)
    held_out.rows = held_out.rows.assign(patient=known.rows["patient"][0])

    def train(run: Run, other: inputs.Inputs) -> training.Result:
        keeper = Keeper(tmp_path / "backup.npz")
        return training.train(run, recipe, made / "w.weights.h5", known, other, keeper, silent)

    with pytest.raises(Explained, match="1 patients in both"):
        train(RUN, held_out)
    assert train(control, held_out).outcome == "finished"
    with pytest.raises(Explained, match="12 images in both"):
        train(control, known)
    held_out.rows = held_out.rows.assign(image="one")
    with pytest.raises(Explained, match="0 images in both, 5 photographs twice"):
        train(control, held_out)


def test_fewer_photographs_are_the_same_of_records_and_of_features(
    made: Path, tmp_path: Path
) -> None:
    run = replace(RUN, depth="block14", rate=0.001, photographs=7)
    results = []
    for cached in (True, False):
        known, held_out = splits(made, run, cached=cached)
        fewer = inputs.limited(known, run)
        assert len(fewer.rows) == 7 and fewer.cached == cached
        keeper = Keeper(tmp_path / f"{cached}.npz")
        files = (made / "w.weights.h5", fewer, held_out, keeper, silent)
        results.append((fewer.identity, training.train(run, RECIPE, *files)))
    (one, first), (other, second) = results
    assert one == other != known.identity
    assert first.photographs == second.photographs == 7
    assert_same(first, second, rtol=1e-4)


def test_fewer_photographs_may_lack_a_class(made: Path, tmp_path: Path) -> None:
    known, held_out = splits(made, RUN, cached=True)
    fewer = inputs.limited(known, replace(RUN, photographs=1))
    keeper = Keeper(tmp_path / "backup.npz")
    with pytest.raises(Explained, match="the training split lacks a class"):
        training.train(RUN, RECIPE, made / "w.weights.h5", fewer, held_out, keeper, silent)


def test_orders_of_the_same_quality_have_the_same_auc() -> None:
    drawn = np.random.default_rng(1)
    found: dict[int, set[float]] = {}
    for _ in range(2000):
        labels = (drawn.permutation(12) < 5).astype(np.float32)
        logits = drawn.integers(0, 9, 12).astype(float)
        auc = training.exact_auc(labels, logits)
        assert auc == pytest.approx(roc_auc_score(labels, logits), abs=1e-12)
        won = sum((a > b) + (a == b) / 2 for a in logits[labels == 1] for b in logits[labels == 0])
        found.setdefault(round(2 * won), set()).add(auc)
    assert len(found) > 40
    assert {len(values) for values in found.values()} == {1}


def test_epochs_as_good_as_the_best_do_not_prolong_a_run() -> None:
    def progress(*epochs: tuple[float, float], best: int) -> backup.Progress:
        rows = [
            {"loss": 1.0, "validation_auc": auc, "validation_loss": loss} for auc, loss in epochs
        ]
        return backup.Progress(history=rows, best_epoch=best)

    recipe = replace(RECIPE, epochs=9, patience=2)
    flat = [(0.5, 1.0), (0.8, 0.9), (0.8, 0.8), (0.8, 0.7)]
    assert not training.stop_reason(progress(*flat[:3], best=3), recipe, RUN)
    assert "no better validation AUC" in training.stop_reason(progress(*flat, best=4), recipe, RUN)


def test_a_backup_is_of_one_run_with_one_code_on_one_set_of_files(made: Path) -> None:
    file = made / "w.weights.h5"

    def path(run: Run = RUN, code: str = "a", split: str = "train") -> Path:
        opened = inputs.opened([made / f"{split}.tfrecord"], run, file)
        return training.backup_path(made, run, RECIPE, file, [opened], code, {"keras": "3"})

    runs = [replace(RUN, seed=2), replace(RUN, photographs=8)]
    different = [path(), *map(path, runs), path(code="b"), path(split="validation")]
    assert len(set(different)) == len(different)
    assert path() == path()
