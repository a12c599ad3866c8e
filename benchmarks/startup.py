"""Seconds from the start of a process to its first finished training step, at 224 pixels.

make benchmark NAME=startup [PHOTOGRAPHS=FOLDER NETWORKS=xception,mobilenet_v2]

For each network, with random weights, at `head`, the last block and `all`. `project` is a job of
training as the workflow starts it: on features at `head` and the last block, on records at `all`.
`plain_fit` is `Model.fit` of the whole graph with the same layers unfrozen and the rest frozen, on
the same records. Both have batches of 32, the same cores and weights that lie on disk; seconds are
on the clock, the better of two alternating repeats. Features are made before: `features` is the job
that makes those of the last block for a single batch, from the start of its process to its end; it
is paid once for all runs.

Expect `project` at least twice as fast as `plain_fit` at the last block. Most of what is left there
is the import of TensorFlow and the building of the network.
"""

import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))

import keras
import tensorflow as tf
from reader import FOLDER, listed
from side_by_side import write

from retinopathy import devices, features, inputs, networks, records, registry, sources, weights
from retinopathy import training as library
from retinopathy.backup import Keeper, Stopped
from retinopathy.recipes import Recipe
from retinopathy.runs import HOLDOUT, Run

SIZE = 224
BATCH = 32
SPLITS = ("train", "validation")  # a batch, and a photograph of each class
RATE = 0.001
SEED = 1
REPEATS = 2

Row = tuple[str, str, float, str]


class FirstStep(Keeper):
    """Stops a run after its first step; keeps nothing."""

    def after_step(self, *_: object) -> None:
        """Stop."""
        raise Stopped


def stop(*_: object, **__: object) -> None:
    """Stop `Model.fit` after its first step."""
    raise Stopped


def train(folder: Path, network: str, depth: str) -> None:
    """Start a run of the project and take its first step."""
    run = Run("any", network, SIZE, "imagenet", depth, RATE, 0.0, 0.5, HOLDOUT, SEED)
    ending = ".tfrecord" if depth == registry.ALL else f"-{depth}.h5"
    known, held_out = (
        inputs.opened([folder / f"{split}{ending}"], run, folder / "backbone.weights.h5")
        for split in SPLITS
    )
    library.train(
        run,
        Recipe(BATCH, 1, 1, "adam", 1.0, augment=False),
        folder / "backbone.weights.h5",
        known,
        held_out,
        FirstStep(folder / "backup.npz"),
        lambda _: None,
    )


def fit(folder: Path, network: str, depth: str) -> None:
    """Start `Model.fit` of the whole graph and let it take its first step."""
    model = networks.build(network, SIZE, dropout=0.5, l2=0, seed=SEED)
    networks.load_backbone(model, folder / "backbone.weights.h5")
    networks.set_depth(model, network, depth)
    model.compile(keras.optimizers.Adam(RATE), keras.losses.BinaryCrossentropy(from_logits=True))
    known = records.read([folder / "train.tfrecord"], SIZE)
    known = known.map(lambda one: (one["pixels"], one["label"])).batch(BATCH)
    stopping = keras.callbacks.LambdaCallback(on_train_batch_end=stop)
    model.fit(known.prefetch(tf.data.AUTOTUNE), verbose=0, callbacks=[stopping])


def make(folder: Path, network: str, depth: str) -> None:
    """Make the features of a cut."""
    for split in SPLITS:
        features.write_features(
            network,
            SIZE,
            depth,
            folder / "backbone.weights.h5",
            [folder / f"{split}.tfrecord"],
            folder / f"{split}-{depth}.h5",
            augment=False,
        )


JOBS = {"project": train, "plain_fit": fit, "features": make}


def work(folder: Path, job: str, network: str, depth: str) -> None:
    """Do a job in this process, and write when its first step was finished."""
    if job != "plain_fit":
        devices.prepare(len(os.sched_getaffinity(0)))
    with suppress(Stopped):
        JOBS[job](folder, network, depth)
    (folder / "finished").write_text(repr(time.monotonic()))


def seconds(folder: Path, job: str, network: str, depth: str) -> float:
    """Return the seconds from the start of a process to the first finished step."""
    started = time.monotonic()  # The clock is the same in all processes.
    subprocess.run([sys.executable, __file__, str(folder), job, network, depth], check=True)
    return float((folder / "finished").read_text()) - started


def costs(folder: Path, network: str) -> list[Row]:
    """Measure a network at every depth."""
    weights.randomise_all(network, SIZE, SEED, folder / "backbone.weights.h5")
    last = list(registry.NETWORKS[network].blocks)[-1]
    made = {depth: seconds(folder, "features", network, depth) for depth in (registry.HEAD, last)}
    rows = [(f"{network}, {last}", "features", made[last], "s")]
    for depth in (registry.HEAD, last, registry.ALL):
        taken = [
            (job, seconds(folder, job, network, depth))
            for _ in range(REPEATS)
            for job in ("project", "plain_fit")
        ]
        rows += [
            (f"{network}, {depth}", job, min(value for of, value in taken if of == job), "s")
            for job in ("project", "plain_fit")
        ]
        print(*rows[-2:], flush=True)
    return rows


def main() -> None:
    """Measure every network."""
    paths = sources.list_photographs(Path(os.environ.get("PHOTOGRAPHS", FOLDER)))[: BATCH + 2]
    given = os.environ.get("NETWORKS")
    rows = []
    for network in given.split(",") if given else registry.NETWORKS:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            known = listed(paths)
            known["label"] = [place % 2 for place in range(len(known))]
            for split, inside in zip(SPLITS, (known[:BATCH], known[BATCH:]), strict=True):
                file = folder / f"{split}.tfrecord"
                records.write_shard(inside, file, SIZE, "none", SEED, lambda _: None)
            rows += costs(folder, network)
    write("startup", rows, "project")


if __name__ == "__main__":
    if sys.argv[1:]:
        work(Path(sys.argv[1]), *sys.argv[2:])
    else:
        main()
