"""One job of the start-up benchmark, in a process of its own: startup.py says what is measured."""

import os
import sys
import time
from contextlib import suppress
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))

if "plain_fit" in sys.argv:
    import keras  # As everybody does: the library imports it without what it does not use.

from retinopathy import devices, features, inputs, networks, records, registry
from retinopathy import training as library
from retinopathy.backup import Keeper, Stopped
from retinopathy.framework import keras, tf
from retinopathy.recipes import Recipe
from retinopathy.runs import HOLDOUT, Run

SIZE = 224
BATCH = 32
SPLITS = ("train", "validation")  # a batch, and a photograph of each class
RATE = 0.001
SEED = 1


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


if __name__ == "__main__":
    work(Path(sys.argv[1]), *sys.argv[2:])
