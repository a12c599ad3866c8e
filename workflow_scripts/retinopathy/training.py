"""Training of one run: exact, resumable, on photographs or on cached features."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from retinopathy import backup, networks, predictions
from retinopathy.errors import Explained
from retinopathy.files import sha256, written
from retinopathy.inputs import Inputs
from retinopathy.registry import HEAD
from retinopathy.runs import Run

Model = Any
"""A `keras.Model`."""

MEASURES = ("loss", "accuracy", "auc")
HISTORY = ("epoch", *MEASURES, *(f"validation_{name}" for name in MEASURES), "seconds")
"""Columns of a history: one row per epoch; the loss includes the L2 penalty."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Recipe:
    """What all runs of a study share.

    Attributes:
        batch: Photographs per step.
        epochs: Passes over the training split at most.
        patience: Epochs without a better validation AUC before the run stops.
        optimiser: `adam`, `adamw` (without weight decay) or `sgd` (momentum 0.9).
        clip: Largest global norm of the gradient.
        augment: Whether training photographs are flipped and turned.
    """

    batch: int
    epochs: int
    patience: int
    optimiser: str
    clip: float
    augment: bool


@dataclass(frozen=True)
class Result:
    """How a run ended.

    Attributes:
        outcome: `finished` or `diverged`.
        stop_reason: Why it stopped.
        history: Columns `HISTORY`.
        best_epoch: The epoch, from 1, whose weights are kept; 0 when there is none.
        predictions: Validation predictions with those weights; empty when it diverged.
        trainable_parameters: How many numbers were trained.
        photographs: How many photographs the training split has.
        seconds: Phase → seconds: `build`, and `train` with validation, also before a resumption.
        model: The trained part, with the weights of the best epoch.
    """

    outcome: str
    stop_reason: str
    history: pd.DataFrame
    best_epoch: int
    predictions: pd.DataFrame
    trainable_parameters: int
    photographs: int
    seconds: dict[str, float]
    model: Model


def train(
    run: Run,
    recipe: Recipe,
    weights: Path,
    train_inputs: Inputs,
    validation: Inputs,
    stored: Path,
    log: Callable[[str], None],
) -> Result:
    """Train a run; go on from its backup when there is one.

    A run that was stopped at any moment and is started again ends as if it had not been. The
    weights of the epoch with the best validation AUC are kept; of equals, as small validation
    splits have them, the one with the lowest validation loss.

    Args:
        run: What to train.
        recipe: What all runs of the study share.
        weights: The network's initial weights, without its top.
        train_inputs: The training split.
        validation: The validation split, read the same way.
        stored: The run's backup, from `backup_path`; to be removed once the result is safe.
        log: Is told a line per epoch.

    Raises:
        Explained: A class is absent from a split.
    """
    _check_classes(train_inputs, "training")
    _check_classes(validation, "validation")
    started = time.monotonic()
    model = _trained_part(run, weights, cached=train_inputs.cached)
    trainer = _Trainer(model, run, recipe)
    progress = backup.restore(stored, trainer.state()) or backup.Progress([], 0, 0.0, {})
    before = progress.seconds
    if progress.history:
        log(f"resumed after epoch {len(progress.history)}")
    built = time.monotonic()
    reason = _stop_reason(progress, recipe)
    while not reason:
        _epoch(trainer, train_inputs, validation, progress, log)
        reason = _stop_reason(progress, recipe)
        progress.seconds = before + time.monotonic() - built
        backup.save(stored, progress, trainer.state())
    seconds = {"build": round(built - started, 3), "train": round(progress.seconds, 3)}
    result = _result(trainer, validation, progress, reason, len(train_inputs.rows), seconds)
    log(f"{result.outcome}: {reason}, best epoch {result.best_epoch}")
    return result


def backup_path(
    scratch: Path,
    run: Run,
    recipe: Recipe,
    weights: Path,
    inputs: Sequence[Inputs],
    code: str,
    versions: Mapping[str, str],
) -> Path:
    """Return where the backup of a run is kept: a name that changes with all that defines it."""
    defined = (run.address, repr(recipe), sha256(weights), code, repr(sorted(versions.items())))
    data = (f"{one.cached}:{one.identity}" for one in inputs)
    return scratch / f"{backup.key(*defined, *data)}.npz"


def save_trained(model: Model, path: Path) -> None:
    """Write what training changed, and nothing else: HDF5, `layer/variable` → array."""
    with written(path) as beside, h5py.File(beside, "w") as file:
        for name, variable in networks.learned(model, state=False).items():
            file[name] = np.asarray(variable)


def load_trained(run: Run, weights: Path, trained: Path) -> Model:
    """Return the flat model of a finished run, from pixels to logits.

    Args:
        run: The run.
        weights: The weights that it started from.
        trained: What `save_trained` wrote.

    Raises:
        Explained: The files do not fit the run.
    """
    model = _flat(run, weights)
    variables = networks.learned(model, state=False)
    with h5py.File(trained) as file:
        stored: list[str] = []
        file.visititems(lambda name, item: stored.append(name) if hasattr(item, "shape") else None)
        if set(stored) != set(variables):
            raise Explained(
                f"{trained} does not fit the run {run.address}",
                expected=f"{len(variables)} variables, such as {min(variables)}",
                received=f"{len(stored)}, such as {min(stored, default='none')}",
                hint="train the run again",
            )
        for name, variable in variables.items():
            variable.assign(file[name][()])
    return model


class _Trainer:
    """A model with its optimiser and traced steps."""

    def __init__(self, model: Model, run: Run, recipe: Recipe) -> None:
        self.model = model
        self.run = run
        self.recipe = recipe
        self._optimiser = _optimiser(recipe, run.rate)
        self._optimiser.build(model.trainable_variables)
        tensors = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.inputs]
        signature = [tensors, tf.TensorSpec((None,), tf.float32)]
        self.step = tf.function(self._step, input_signature=signature)
        self.forward = tf.function(self._forward, input_signature=signature)

    def state(self) -> dict[str, Any]:
        """Return all that the next epoch depends on, by name."""
        optimiser = {
            f"optimiser/{place}": variable
            for place, variable in enumerate(self._optimiser.variables)
        }
        return networks.learned(self.model, state=True) | optimiser

    def _step(self, tensors: list[tf.Tensor], labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Take one step; return the loss with penalties, and the logits (n,)."""
        with tf.GradientTape() as tape:
            logits = self.model(tensors, training=True)[:, 0]
            loss = _cross_entropy(labels, logits) + self._penalty()
        variables = self.model.trainable_variables
        gradients = tape.gradient(loss, variables)
        clipped, _ = tf.clip_by_global_norm(gradients, self.recipe.clip)
        self._optimiser.apply(clipped, variables)
        return loss, logits

    def _forward(self, tensors: list[tf.Tensor], labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return the loss with penalties, and the logits (n,), as a finished model has them."""
        logits = self.model(tensors, training=False)[:, 0]
        return _cross_entropy(labels, logits) + self._penalty(), logits

    def _penalty(self) -> tf.Tensor:
        return tf.add_n(self.model.losses) if self.model.losses else tf.constant(0.0)


def _epoch(
    trainer: _Trainer,
    train_inputs: Inputs,
    validation: Inputs,
    progress: backup.Progress,
    log: Callable[[str], None],
) -> None:
    """Train and judge one epoch, and add it to the progress."""
    epoch = len(progress.history) + 1
    started = time.monotonic()
    count = len(train_inputs.rows)
    generator = np.random.default_rng([trainer.run.seed, epoch])
    order = generator.permutation(count)
    variants = generator.integers(train_inputs.variants, size=count)
    if not trainer.recipe.augment:
        variants[:] = 0
    measured = _pass(trainer, trainer.step, train_inputs, order, variants)
    seconds = time.monotonic() - started
    judged, _ = _judge(trainer, validation)
    progress.history.append(
        {"epoch": epoch, **_named(measured[0], ""), **_named(judged, "validation_")}
        | {"seconds": round(seconds, 3)}
    )
    if _is_best(progress):
        progress.best_epoch = epoch
        learned = networks.learned(trainer.model, state=False)
        progress.best = {name: np.array(variable) for name, variable in learned.items()}
    left = (trainer.recipe.epochs - epoch) * (time.monotonic() - started)
    log(
        f"epoch {epoch}/{trainer.recipe.epochs}: loss {measured[0]['loss']:.4f}, validation loss "
        f"{judged['loss']:.4f}, AUC {judged['auc']:.4f}; at most {left:.0f} s left"
    )


def _is_best(progress: backup.Progress) -> bool:
    """Return whether the last epoch is better than the best one before it."""
    last = progress.history[-1]
    if progress.best_epoch == 0:
        return math.isfinite(last["validation_auc"])
    best = progress.history[progress.best_epoch - 1]
    if last["validation_auc"] == best["validation_auc"]:
        return last["validation_loss"] < best["validation_loss"]
    return last["validation_auc"] > best["validation_auc"]


def _judge(trainer: _Trainer, inputs: Inputs) -> tuple[dict[str, float], Floats]:
    """Return the measures and logits of a split with the present weights."""
    order = np.arange(len(inputs.rows))
    return _pass(trainer, trainer.forward, inputs, order, np.zeros_like(order))


def _pass(
    trainer: _Trainer,
    work: Callable[..., tuple[tf.Tensor, tf.Tensor]],
    inputs: Inputs,
    order: NDArray[np.int64],
    variants: NDArray[np.int64],
) -> tuple[dict[str, float], Floats]:
    """Run `work` over a split; return the measures, and the logits in the order of its rows."""
    labels = inputs.rows["label"].to_numpy(np.float32)
    logits = np.empty(len(order))
    total = 0.0
    for start in range(0, len(order), trainer.recipe.batch):
        places = order[start : start + trainer.recipe.batch]
        tensors = inputs.read(places, variants[places])
        loss, found = work([tf.constant(tensor) for tensor in tensors], tf.constant(labels[places]))
        total += float(loss) * len(places)
        logits[places] = found.numpy()
        if not math.isfinite(total):
            break
    finite = math.isfinite(total) and bool(np.isfinite(logits).all())
    return {
        "loss": total / len(order) if finite else math.nan,
        "accuracy": float(np.mean((logits >= 0) == (labels == 1))) if finite else math.nan,
        "auc": float(roc_auc_score(labels, logits)) if finite else math.nan,
    }, logits


def _stop_reason(progress: backup.Progress, recipe: Recipe) -> str:
    """Return why a run stops now, or nothing."""
    if not progress.history:
        return ""
    last = progress.history[-1]
    if math.isnan(last["loss"]) or math.isnan(last["validation_loss"]):
        return "the loss is not finite"
    if len(progress.history) >= recipe.epochs:
        return "all epochs done"
    if len(progress.history) - progress.best_epoch >= recipe.patience:
        return f"no better validation AUC for {recipe.patience} epochs"
    return ""


def _result(
    trainer: _Trainer,
    validation: Inputs,
    progress: backup.Progress,
    reason: str,
    photographs: int,
    seconds: dict[str, float],
) -> Result:
    history = pd.DataFrame(progress.history, columns=list(HISTORY))
    diverged = bool(history[["loss", "validation_loss"]].iloc[-1].isna().any())
    for name, variable in networks.learned(trainer.model, state=False).items():
        if name in progress.best:
            variable.assign(progress.best[name])
    if diverged:
        predicted = predictions.table(
            validation.rows.head(0), np.empty(0, np.float32), "validation"
        )
    else:
        _, logits = _judge(trainer, validation)
        predicted = predictions.table(validation.rows, logits, "validation")
    return Result(
        outcome="diverged" if diverged else "finished",
        stop_reason=reason,
        history=history,
        best_epoch=progress.best_epoch,
        predictions=predicted,
        trainable_parameters=networks.trainable_parameters(trainer.model),
        photographs=photographs,
        seconds=seconds,
        model=trainer.model,
    )


def _trained_part(run: Run, weights: Path, *, cached: bool) -> Model:
    """Return what a run trains: the flat model, or what lies above its cut."""
    if not cached:
        return _flat(run, weights)
    if run.depth == HEAD:
        return networks.build_head(run.network, dropout=run.dropout, l2=run.l2, seed=run.seed)
    _, suffix = networks.split(_flat(run, weights), run.network, run.depth)
    return suffix


def _flat(run: Run, weights: Path) -> Model:
    """Return the flat model of a run before training."""
    model = networks.build(run.network, run.size, dropout=run.dropout, l2=run.l2, seed=run.seed)
    networks.load_backbone(model, weights)
    if run.initialisation == "random_all":
        networks.unfreeze_all(model)
    else:
        networks.set_depth(model, run.network, run.depth)
    return model


def _optimiser(recipe: Recipe, rate: float) -> Any:
    if recipe.optimiser == "sgd":
        return keras.optimizers.SGD(rate, momentum=0.9)
    if recipe.optimiser == "adamw":
        return keras.optimizers.AdamW(rate, weight_decay=0.0)
    return keras.optimizers.Adam(rate)


def _cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))


def _named(measures: dict[str, float], prefix: str) -> dict[str, float]:
    return {prefix + name: measures[name] for name in MEASURES}


def _check_classes(inputs: Inputs, split: str) -> None:
    counts = inputs.rows["label"].value_counts().to_dict()
    if set(counts) != {0, 1}:
        raise Explained(
            f"the {split} split lacks a class",
            expected="photographs of both labels",
            received=", ".join(f"{n} with label {label}" for label, n in counts.items()) or "none",
            hint="use more photographs, or fewer parts",
        )
