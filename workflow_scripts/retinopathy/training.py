"""Training of one run: exact, resumable, on photographs or on cached features."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import backup, devices, models, networks, optimisation, predictions
from retinopathy.backup import Keeper, Progress, Tally
from retinopathy.errors import Explained
from retinopathy.files import sha256
from retinopathy.framework import tf
from retinopathy.inputs import Inputs
from retinopathy.models import Model
from retinopathy.optimisation import Steps
from retinopathy.recipes import Recipe
from retinopathy.runs import Run
from retinopathy.tables import DIVERGED

MEASURES = ("loss", "accuracy", "auc")
HISTORY = ("epoch", *MEASURES, *(f"validation_{name}" for name in MEASURES), "seconds")
"""Columns of a history: one row per epoch; the loss includes the L2 penalties.

The loss on the training split weighs the classes where the recipe says so, that on validation never
does.
"""

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Judged = tuple[tf.Tensor, tf.Tensor]
"""Loss and logits of a batch."""

Work = Callable[[int, Places, list[tf.Tensor], tf.Tensor], Judged]
"""What is done with a batch: its number, its places, its tensors and its labels are known."""


@dataclass(frozen=True)
class Result:
    """How a run ended.

    Attributes:
        outcome: `finished` or `diverged`.
        stop_reason: Why it stopped.
        history: Columns `HISTORY`.
        best_epoch: The epoch, from 1, whose weights are kept; 0 when there is none.
        predictions: Validation predictions with those weights; empty when it diverged.
        trainable_by_layer: Layer → how many numbers of it were trained.
        photographs: How many photographs the training split has.
        seconds: Phase → seconds: `build`, and `train` with validation, also before a resumption.
        model: The trained part, with the weights of the best epoch.
    """

    outcome: str
    stop_reason: str
    history: pd.DataFrame
    best_epoch: int
    predictions: pd.DataFrame
    trainable_by_layer: dict[str, int]
    photographs: int
    seconds: dict[str, float]
    model: Model


def train(
    run: Run,
    recipe: Recipe,
    weights: Path,
    train_inputs: Inputs,
    validation: Inputs,
    keeper: Keeper,
    log: Callable[[str], None],
    tell: Callable[[Mapping[str, float]], None] = lambda _: None,
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
        keeper: Keeps the run's backup, at `backup_path`; to be removed once the result is safe.
        log: Is told a line per epoch.
        tell: Is told the row of each epoch.

    Raises:
        Explained: A class is absent from a split, the splits have a patient in common (or, where
            the run leaks, a photograph), there are no flips to train on, or a batch does not fit
            into memory.
        backup.Stopped: The run was told to stop.
    """
    _check_classes(train_inputs, "training")
    _check_classes(validation, "validation")
    _check_apart(train_inputs, validation, "image" if run.leaks else "patient")
    _check_variants(train_inputs, recipe)
    started = time.monotonic()
    model = models.trained_part(run, weights, cached=train_inputs.cached)
    training = _Training(run, recipe, weights, model, train_inputs, validation, keeper, log)
    if training.progress.history or training.progress.tally:
        log(f"resumed after epoch {len(training.progress.history)}")
    built = time.monotonic() - started
    with optimisation.fitting(recipe.batch):
        while not (reason := stop_reason(training.progress, recipe, run)):
            tell(training.epoch())
        result = _result(training, reason, round(built, 3))
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


def stop_reason(progress: Progress, recipe: Recipe, run: Run) -> str:
    """Return why a run stops now, or nothing.

    Patience counts from the first epoch with the best validation AUC, or from the end of the first
    phase: another epoch with the same AUC may be kept for its loss, but it does not prolong a run.
    """
    if not progress.history:
        return ""
    last, done, first = progress.history[-1], len(progress.history), recipe.first_phase(run)
    if math.isnan(last["loss"]) or math.isnan(last["validation_loss"]):
        return "the loss is not finite"
    if done >= first + recipe.epochs:
        return "all epochs done"
    aucs = [row["validation_auc"] for row in progress.history]
    improved = aucs.index(max(aucs)) + 1
    if done - max(improved, first) >= recipe.patience:
        return f"no better validation AUC for {recipe.patience} epochs"
    return ""


def exact_auc(labels: NDArray[np.float32], logits: Floats) -> float:
    """Return the AUC: Mann and Whitney's U by the number of pairs.

    Sums of ranks are exact, so that two orders of the same quality are seen to be equal.

    Args:
        labels: 0 or 1, both present, (n,).
        logits: Finite, (n,).
    """
    positive = labels == 1
    count = int(positive.sum())
    won = pd.Series(logits).rank().to_numpy()[positive].sum() - count * (count + 1) / 2
    return float(won / (count * (len(labels) - count)))


class _Training:
    """A run under way."""

    def __init__(
        self,
        run: Run,
        recipe: Recipe,
        weights: Path,
        model: Model,
        train_inputs: Inputs,
        validation: Inputs,
        keeper: Keeper,
        log: Callable[[str], None],
    ) -> None:
        self.run, self.recipe, self.weights, self.model = run, recipe, weights, model
        self.inputs, self.validation, self.keeper = train_inputs, validation, keeper
        self._log = log
        labels = train_inputs.rows["label"].to_numpy()
        self._weights = np.array(recipe.weights_of(labels.tolist()), np.float32)[labels]
        self._batches = math.ceil(len(labels) / recipe.batch)
        self._first = recipe.first_phase(run)
        self.progress = keeper.progress()
        self._before, self._began = self.progress.seconds, time.monotonic()
        self.steps = self._phase()
        keeper.restore(self.steps.state())

    def epoch(self) -> Mapping[str, float]:
        """Train and judge one epoch, add it to the progress, and return its row."""
        epoch = len(self.progress.history) + 1
        started = time.monotonic()
        if self.progress.tally is None:
            self.progress.tally = Tally(np.zeros(len(self.inputs.rows)))
        tally = self.progress.tally
        order, variants = self._order(epoch)
        measured = self._pass(self._step, self.inputs, order, variants, tally, self._back_up)
        judged = self.judge(self._back_up)[0]
        row = {"epoch": epoch, **_named(measured, ""), **_named(judged, "validation_")}
        self.progress.history.append(row | {"seconds": round(tally.seconds, 3)})
        self.progress.tally = None
        if _is_best(self.progress):
            self.progress.best_epoch = epoch
            self.progress.best = {
                name: np.array(variable.numpy())
                for name, variable in networks.learned(self.model, state=False).items()
            }
        left = (self._first + self.recipe.epochs - epoch) * (time.monotonic() - started)
        self._log(
            f"epoch {epoch}/{self._first + self.recipe.epochs}: loss {measured['loss']:.4f}, "
            f"validation loss {judged['loss']:.4f}, AUC {judged['auc']:.4f}; "
            f"at most {left:.0f} s left"
        )
        if epoch == self._first:
            self.steps = self._phase()
        self.progress.seconds = self._seconds()
        self.keeper.save(self.progress, self.steps.state())
        return self.progress.history[-1]

    def judge(self, after_step: Callable[[], None]) -> tuple[dict[str, float], Floats]:
        """Return the measures and logits of the validation split with the present weights."""
        order = np.arange(len(self.validation.rows))
        tally = Tally(np.zeros(len(order)))
        ones = np.ones(len(order), np.float32)

        def work(_: int, places: Places, tensors: list[tf.Tensor], labels: tf.Tensor) -> Judged:
            found: Judged = self.steps.judge(tensors, labels, tf.constant(ones[places]))
            return found

        measures = self._pass(work, self.validation, order, np.zeros_like(order), tally, after_step)
        return measures, tally.logits

    def final_logits(self) -> Floats:
        """Return the validation logits of the present weights in float32, as scoring has them.

        No backup is made: the steps are others by then, and the last one leads here again.
        """
        if devices.precision() != "float32":
            kept = networks.learned(self.model, state=False)
            with devices.full_precision():
                self.model = models.trained_part(self.run, self.weights, cached=self.inputs.cached)
                for name, variable in networks.learned(self.model, state=False).items():
                    variable.assign(kept[name])
                self.steps = self._phase()
        return self.judge(lambda: None)[1]

    def _phase(self) -> Steps:
        """Return the steps of the phase that comes next, with an optimiser of its own."""
        alone = len(self.progress.history) < self._first
        return Steps(self.model, self.recipe, self.run.rate, head_alone=alone)

    def _seconds(self) -> float:
        return self._before + time.monotonic() - self._began

    def _order(self, epoch: int) -> tuple[Places, Places]:
        """Return the order of the photographs in an epoch, and their variants by place."""
        generator = np.random.default_rng([self.run.seed, epoch])
        order = generator.permutation(len(self.inputs.rows))
        variants = generator.integers(self.inputs.variants, size=len(order))
        return order, variants if self.recipe.augment else np.zeros_like(variants)

    def _step(
        self, number: int, places: Places, tensors: list[tf.Tensor], labels: tf.Tensor
    ) -> Judged:
        """Take a step of the present epoch."""
        second = len(self.progress.history) - self._first
        if second >= 0:
            step = second * self._batches + number
            self.steps.set_rate(self.recipe.rate_at(self.run.rate, step, self._batches))
        found: Judged = self.steps.train(tensors, labels, tf.constant(self._weights[places]))
        return found

    def _back_up(self) -> None:
        """Make a backup after a step where it is time for one."""
        self.progress.seconds = self._seconds()
        self.keeper.after_step(self.progress, self.steps.state)

    def _pass(
        self,
        work: Work,
        inputs: Inputs,
        order: Places,
        variants: Places,
        tally: Tally,
        after_step: Callable[[], None],
    ) -> dict[str, float]:
        """Run `work` over what a tally lacks of a split; return the measures of the whole."""
        labels = inputs.rows["label"].to_numpy(np.float32)
        batch = self.recipe.batch
        rest = order[tally.steps * batch :]
        chunks = (rest[start : start + batch] for start in range(0, len(rest), batch))
        began = time.monotonic()
        for places, read in zip(chunks, inputs.batches(rest, variants[rest], batch), strict=True):
            tensors = [tf.constant(tensor) for tensor in read]
            loss, logits = work(tally.steps, places, tensors, tf.constant(labels[places]))
            tally.loss += float(loss) * len(places)
            tally.logits[places] = logits.numpy()
            tally.steps += 1
            now = time.monotonic()
            tally.seconds, began = tally.seconds + now - began, now
            if not math.isfinite(tally.loss):
                break
            after_step()
        return _measures(labels, tally)


def _measures(labels: NDArray[np.float32], tally: Tally) -> dict[str, float]:
    """Return the measures of a split; none is a number where the loss or a logit is not finite."""
    if not (math.isfinite(tally.loss) and np.isfinite(tally.logits).all()):
        return dict.fromkeys(MEASURES, math.nan)
    return {
        "loss": tally.loss / len(labels),
        "accuracy": float(np.mean((tally.logits >= 0) == (labels == 1))),
        "auc": exact_auc(labels, tally.logits),
    }


def _is_best(progress: Progress) -> bool:
    """Return whether the last epoch is better than the best one before it."""
    last = progress.history[-1]
    if progress.best_epoch == 0:
        return math.isfinite(last["validation_auc"])
    best = progress.history[progress.best_epoch - 1]
    if last["validation_auc"] == best["validation_auc"]:
        return last["validation_loss"] < best["validation_loss"]
    return last["validation_auc"] > best["validation_auc"]


def _result(training: _Training, reason: str, built: float) -> Result:
    """Put the best weights back, and gather what there is to say of a run that has ended."""
    progress, validation = training.progress, training.validation
    history = pd.DataFrame(progress.history, columns=list(HISTORY))
    diverged = bool(history[["loss", "validation_loss"]].iloc[-1].isna().any())
    for name, variable in networks.learned(training.model, state=False).items():
        if name in progress.best:
            variable.assign(progress.best[name])
    rows, logits = validation.rows.head(0), np.empty(0)
    if not diverged:
        rows, logits = validation.rows, training.final_logits()
    return Result(
        outcome=DIVERGED if diverged else "finished",
        stop_reason=reason,
        history=history,
        best_epoch=progress.best_epoch,
        predictions=predictions.table(rows, logits, "validation"),
        trainable_by_layer=networks.trainable_by_layer(training.model),
        photographs=len(training.inputs.rows),
        seconds={"build": built, "train": round(progress.seconds, 3)},
        model=training.model,
    )


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


def _check_apart(known: Inputs, held_out: Inputs, unit: str) -> None:
    both = set(known.rows[unit]) & set(held_out.rows[unit])
    twice = [one.rows["image"][one.rows["image"].duplicated()] for one in (known, held_out)]
    if both or any(len(images) for images in twice):
        raise Explained(
            "the training and the validation split are not what the splits say",
            expected=f"{unit}s in one of them only, photographs once",
            received=f"{len(both)} {unit}s in both, {sum(map(len, twice))} photographs twice",
            hint="a file of features or records stands in another's place: delete both",
        )


def _check_variants(inputs: Inputs, recipe: Recipe) -> None:
    if recipe.augment and inputs.variants == 1:
        raise Explained(
            "the cached features know no flips and quarter turns",
            expected="features made with `training: augment: true`",
            received="one variant of each photograph",
            hint="delete the features so that they are made again, or do not augment",
        )
