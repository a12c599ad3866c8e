"""What operations that are the same every time cost, and whether XLA pays.

make benchmark NAME=determinism

Steps of training Xception's last block from features of 224 pixels (noise), batches of 32, on
all cores: `deterministic`, as the workflow trains; `not deterministic`, without
`tf.config.experimental.enable_op_determinism`; and `deterministic, XLA`, with the model's step
compiled by XLA. Every variant is a process of its own; the first step, with its tracing and
compilation, is told apart from the others, whose least mean of several rounds is given. On the CPU
expect the first two alike, and XLA slower in both.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))

import numpy as np
import tensorflow as tf
from side_by_side import write

from retinopathy import devices, models, weights
from retinopathy.optimisation import Steps
from retinopathy.recipes import Recipe
from retinopathy.runs import HOLDOUT, Run

SIZE, BATCH, ROUNDS, STEPS = 224, 32, 5, 4
RUN = Run("any", "xception", SIZE, "imagenet", "block14", 0.0001, 0.0, 0.5, HOLDOUT, 1)
RECIPE = Recipe(BATCH, 1, 1, "adam", 1.0, augment=False)
VARIANTS = ("deterministic", "not deterministic", "deterministic, XLA")


def work(file: Path, variant: str) -> None:
    """Take steps in this process, and print the seconds of the first and of the others."""
    devices.prepare(len(os.sched_getaffinity(0)), deterministic=variant != VARIANTS[1])
    model = models.trained_part(RUN, file, cached=True)
    steps = Steps(model, RECIPE, RUN.rate, head_alone=False)
    train = steps.train
    if "XLA" in variant:
        train = tf.function(steps.train, jit_compile=True)
    generator = np.random.default_rng(1)
    shapes = [(BATCH, *tensor.shape[1:]) for tensor in model.inputs]
    tensors = [tf.constant(generator.random(shape, np.float32)) for shape in shapes]
    labels = tf.constant(generator.integers(2, size=BATCH), tf.float32)
    given = (tensors, labels, tf.ones(BATCH))
    first = _seconds(lambda: train(*given))
    later = [_seconds(lambda: [train(*given) for _ in range(STEPS)]) for _ in range(ROUNDS)]
    print(first, min(later) / STEPS)


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def main() -> None:
    """Measure every variant, side by side."""
    rows = []
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / "backbone.weights.h5"
        weights.randomise_all(RUN.network, SIZE, RUN.seed, file)
        for variant in VARIANTS:
            command = [sys.executable, __file__, str(file), variant]
            told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            first, later = map(float, told.split())
            rows += [("first step", variant, first, "s"), ("other steps", variant, later, "s")]
            print(*rows[-2:], flush=True)
    write("determinism", rows, VARIANTS[0])


if __name__ == "__main__":
    if sys.argv[1:]:
        work(Path(sys.argv[1]), sys.argv[2])
    else:
        main()
