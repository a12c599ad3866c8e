"""A run on one device and on two, in a process of its own: python -m tests.two_devices FOLDER."""

import json
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import tensorflow as tf

from retinopathy import devices, training
from retinopathy.backup import Keeper, Stopped
from retinopathy.runs import Run
from tests import small_runs

# Steps of plain descent at the limit of the gradient: Adam would hide a wrong length.
RECIPE = replace(
    small_runs.RECIPE, epochs=2, optimiser="sgd", clip=0.05, class_weights=True, kernel_l2=1e-3
)


def stopped_and_resumed(folder: Path, run: Run, stored: Path) -> training.Result:
    """Train a run that is told to stop after four steps, and then goes on."""
    known, held_out = small_runs.splits(folder, run, cached=True)
    asked = iter(range(100))
    weights = folder / small_runs.WEIGHTS
    for keeper in (Keeper(stored, told=lambda: next(asked) >= 4), Keeper(stored)):
        with suppress(Stopped):
            result = training.train(
                run, RECIPE, weights, known, held_out, keeper, small_runs.silent
            )
    return result


def main(folder: Path) -> None:
    """Print logits, loss, and what the strategy says."""
    cpu, *_ = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    devices.prepare(2)
    run = replace(small_runs.RUN, depth="block14", rate=0.001, dropout=0.0)
    found = {}
    for name, strategy in (
        ("one", tf.distribute.get_strategy()),
        ("two", tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])),
    ):
        with strategy.scope():
            result = small_runs.trained(folder, run, RECIPE, scratch=folder / name)
            resumed = stopped_and_resumed(folder, run, folder / f"{name}.npz")
            half = replace(run, dropout=0.5)
            small_runs.assert_same(
                small_runs.trained(folder, half, RECIPE, scratch=folder / f"{name}-dropout"),
                stopped_and_resumed(folder, half, folder / f"{name}-dropout.npz"),
            )
        found[name] = {
            "devices": strategy.num_replicas_in_sync,
            "loss": result.history["loss"].tolist(),
            "logits": result.predictions["logit"].tolist(),
            "resumed": resumed.predictions["logit"].tolist(),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
