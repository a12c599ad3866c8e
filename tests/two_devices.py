"""A run on one device and on two, in a process of its own: python -m tests.two_devices FOLDER."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import tensorflow as tf

from retinopathy import devices
from tests import small_runs

RECIPE = replace(small_runs.RECIPE, epochs=1, class_weights=True, kernel_l2=1e-3)


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
            # Dropout has a state on each device, and a second run goes on from the first's backup.
            longer = small_runs.trained(
                folder, replace(run, dropout=0.5), RECIPE, scratch=folder / name
            )
        found[name] = {
            "devices": strategy.num_replicas_in_sync,
            "loss": result.history["loss"].tolist(),
            "logits": result.predictions["logit"].tolist(),
            "finite": bool(longer.history["loss"].notna().all()),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
