"""The record of a run: what defined it, what it ran on, and how it ended."""

import resource
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from retinopathy import devices
from retinopathy.files import write_json
from retinopathy.framework import tf
from retinopathy.inputs import Inputs
from retinopathy.recipes import Recipe
from retinopathy.runs import INITIALISATIONS, Run
from retinopathy.training import Result


@dataclass(frozen=True)
class RunRecord:
    """One row of what is known of all runs, written as JSON; a run that diverged has one too.

    Attributes:
        run: Its parameters.
        recipe: What it shares with the other runs of its study.
        starts_from: Its initialisation, as tables write it.
        weights_origin: Where its initial weights come from, in detail.
        weights_sha256: SHA-256 of their file.
        data_sha256: Split → SHA-256 of its ids, labels and photographs.
        photographs: How many photographs it was trained on.
        cached: Whether it was trained on cached features.
        outcome: `finished` or `diverged`.
        stop_reason: Why it stopped.
        epochs_run: How many epochs it took, those of a first phase included.
        best_epoch: The epoch, from 1, whose weights are kept; 0 when there is none.
        trainable_parameters: How many numbers were trained.
        trainable_by_layer: Layer → how many of them.
        device: The sentence on the device that was really used.
        devices: How many devices shared each batch.
        precision: Keras' name of the types that were computed with.
        versions: Package → version.
        seconds: In all.
        seconds_by_phase: `open`, `build`, `train` (with validation, also before a resumption) and
            `write` → seconds.
        photographs_per_second: Mean speed of training in whole epochs, validation apart; 0 when
            there is none.
        peak_memory_mb: Most memory that the process held, 10⁶ bytes; since a resumption, if any.
    """

    run: Run
    recipe: Recipe
    starts_from: str
    weights_origin: str
    weights_sha256: str
    data_sha256: dict[str, str]
    photographs: int
    cached: bool
    outcome: str
    stop_reason: str
    epochs_run: int
    best_epoch: int
    trainable_parameters: int
    trainable_by_layer: dict[str, int]
    device: str
    devices: int
    precision: str
    versions: dict[str, str]
    seconds: float
    seconds_by_phase: dict[str, float]
    photographs_per_second: float
    peak_memory_mb: int

    def write(self, path: Path) -> None:
        """Write the record; the parameters of run and recipe stand beside the rest."""
        content = asdict(self)
        write_json(path, content.pop("run") | content.pop("recipe") | content)


def describe(
    run: Run,
    recipe: Recipe,
    result: Result,
    inputs: Mapping[str, Inputs],
    origin: Mapping[str, str],
    weights: str,
    device: str,
    seconds: Mapping[str, float],
) -> RunRecord:
    """Return the record of a run that ended in this process, in the scope of its strategy.

    Args:
        run: Its parameters.
        recipe: What it shares with others.
        result: How it ended.
        inputs: Of the splits `train` and `validation`.
        origin: Where its initial weights come from, as the rule that made them wrote it.
        weights: SHA-256 of their file.
        device: The sentence on the device.
        seconds: Phase → seconds.
    """
    # Of a run that diverged, the last epoch is not whole.
    whole = result.history[result.history["validation_loss"].notna()]
    speed = len(whole) * result.photographs / whole["seconds"].sum() if len(whole) else 0.0
    memory = (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )  # Linux counts in 1024 bytes.
    return RunRecord(
        run=run,
        recipe=recipe,
        starts_from=INITIALISATIONS[origin["initialisation"]],
        weights_origin=f"{origin['origin']}: {origin['detail']}",
        weights_sha256=weights,
        data_sha256={split: known.identity for split, known in inputs.items()},
        photographs=result.photographs,
        cached=inputs["train"].cached,
        outcome=result.outcome,
        stop_reason=result.stop_reason,
        epochs_run=len(result.history),
        best_epoch=result.best_epoch,
        trainable_parameters=sum(result.trainable_by_layer.values()),
        trainable_by_layer=result.trainable_by_layer,
        device=device,
        devices=tf.distribute.get_strategy().num_replicas_in_sync,
        precision=devices.precision(),
        versions=devices.versions() | {"python": sys.version.split()[0]},
        seconds=round(sum(seconds.values()), 2),
        seconds_by_phase=dict(seconds),
        photographs_per_second=round(speed, 2),
        peak_memory_mb=round(memory / 1e6),
    )
