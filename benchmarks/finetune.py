"""CPU seconds of fine-tuning Xception as the workflow does it, beside the Keras guide's recipe.

make benchmark NAME=finetune [PHOTOGRAPHS=FOLDER LABELS=FILE WEIGHTS=FILE EPOCHS=20 PATIENTS=480]

Records of 224 pixels of the balanced task `referable` are made from photographs of the folder, in a
temporary folder; that is outside of the measurement. Every job is a process of its own, and its CPU
is that of the whole process, with TensorFlow's start and all of its threads.

`project` makes features with one job per part, and trains with one job per run, as Snakemake does;
`project, one process` does the same in a single process. `keras_guide` is the recipe of
https://keras.io/guides/transfer_learning/: a base in inference mode, partly frozen, then pooling,
dropout and one dense layer, trained by `Model.fit` from a `tf.data.Dataset`, here of photographs
that were decoded once and are held in memory. Batch, rate, dropout and epochs are the same, nothing
is augmented, and no run stops early. In the case `sweep` twelve heads are trained, four rates by
three L2 constants; the guide's head is trained once and counted twelve times. In the case `block14`
the last block is trained too, its `BatchNormalization` frozen.

The best validation AUC of `project` is that of the run with the guide's rate and no L2, with its
95 % interval by bootstrapping patients. Expect at least 20 times less CPU for the sweep and 4 times
less for `block14`, and the guide's AUC inside of the interval.
"""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import product
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))

import keras
import pandas as pd
import tensorflow as tf
from side_by_side import write

import features as features_script
import finetune as finetune_script
from retinopathy import (
    devices,
    inspection,
    intervals,
    manifest,
    metrics,
    records,
    registry,
    sources,
    splits,
    weights,
)
from retinopathy.files import write_json
from retinopathy.recipes import Recipe
from retinopathy.runs import FEATURES, HOLDOUT, Run

DATA = Path(__file__).parents[2] / "shared" / "data"
FOLDER = DATA / "eyepacs_1024" / "images"
LABELS = DATA / "eyepacs_1024" / "labels.csv"
WEIGHTS = DATA / "weights" / "xception_imagenet_notop.weights.h5"
EPOCHS = int(os.environ.get("EPOCHS", "20"))
PATIENTS = int(os.environ.get("PATIENTS", "480"))

TASK = splits.Task("referable", (0, 1), (2, 3, 4), 100_000, "label")
PARTS = 5
SPLITS = {"train": (0, 1, 2), "validation": (3,)}
SIZE = 224
BATCH = 32
DEPTHS = {"sweep": "head", "block14": "block14"}
RATES = {"sweep": (0.0003, 0.001, 0.003, 0.01), "block14": (0.0001,)}
L2 = {"sweep": (0.0, 0.0001, 0.001), "block14": (0.0,)}
GUIDE_RATES = {"sweep": 0.001, "block14": 0.0001}
DROPOUT = 0.2  # of the guide
SEED = 1
REPETITIONS = 2000  # bootstrap samples behind an interval

Row = tuple[str, str, float, str]


def prepare(folder: Path) -> pd.DataFrame:
    """Make records and initial weights in `folder`; return the photographs that are used."""
    files = sources.by_image([Path(os.environ.get("PHOTOGRAPHS", FOLDER))])
    labels = sources.read_labels(Path(os.environ.get("LABELS", LABELS)), "image", "level")
    patients = sorted({manifest.identify(image)[0] for image in files})[:PATIENTS]
    chosen = {name: at for name, at in files.items() if manifest.identify(name)[0] in patients}
    seen = manifest.combine([inspection.inspect_all(chosen, 0, 1, _say_nothing)])
    known = manifest.label(seen, labels[labels["image"].isin(chosen)], {})
    dealt = splits.deal_parts(known, PARTS, SEED)
    selected = splits.select(known, TASK, dealt, SEED)
    used = selected[selected["part"].isin([part for chosen in SPLITS.values() for part in chosen])]
    places = known[["image", "path", "crop_left", "crop_top", "crop_side"]]
    rows = used.merge(places, on="image", validate="one_to_one")
    for part, inside in rows.groupby("part"):
        file = records_of(folder, int(part))
        records.write_shard(inside, file, SIZE, "none", SEED, _say_nothing)
    placed = Path(os.environ.get("WEIGHTS", WEIGHTS))
    write_json(
        folder / "origin.json", weights.resolve("xception", placed, folder / "backbone.weights.h5")
    )
    return rows


def records_of(folder: Path, part: int) -> Path:
    """Return where the records of a part are."""
    return folder / f"part-{part}.tfrecord"


def features_of(folder: Path, depth: str, part: int) -> Path:
    """Return where the features of a part are."""
    return folder / depth / f"part-{part}.h5"


def runs(case: str) -> list[Run]:
    """Return the project's runs of a case."""
    depth = DEPTHS[case]
    return [
        Run("referable", "xception", SIZE, "imagenet", depth, rate, l2, DROPOUT, HOLDOUT, SEED)
        for rate, l2 in product(RATES[case], L2[case])
    ]


def compute_features(folder: Path, depth: str, part: int) -> None:
    """Do the workflow's job `features`."""
    features_script.main(
        "xception",
        SIZE,
        depth,
        folder / "backbone.weights.h5",
        [records_of(folder, part)],
        False,
        FEATURES,
        features_of(folder, depth, part),
    )


def train_run(folder: Path, run: Run) -> None:
    """Do the workflow's job `finetune`."""
    names = {
        "trained": "trained.h5",
        "architecture": "architecture.json",
        "history": "history.csv",
        "predictions": "validation.csv",
        "record": "record.json",
    }
    given = {
        split: [features_of(folder, run.depth, part) for part in parts]
        for split, parts in SPLITS.items()
    }
    finetune_script.main(
        run,
        Recipe(BATCH, EPOCHS, EPOCHS, "adam", 1.0, augment=False),
        folder / "backbone.weights.h5",
        folder / "origin.json",
        given["train"],
        given["validation"],
        folder / "scratch",
        "benchmark",
        "CPU",
        {name: folder / "runs" / run.address / file for name, file in names.items()},
    )


def train_guide(folder: Path, case: str) -> None:
    """Train as the guide does, and write the history."""
    base = keras.applications.Xception(weights=None, include_top=False, input_shape=(SIZE, SIZE, 3))
    base.load_weights(folder / "backbone.weights.h5")
    first = registry.first_trained("xception", DEPTHS[case])
    for place, layer in enumerate(base.layers):
        frozen = place < first or isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = not frozen
    pixels = keras.Input((SIZE, SIZE, 3))
    scaled = keras.layers.Rescaling(scale=1 / 127.5, offset=-1)(pixels)
    pooled = keras.layers.GlobalAveragePooling2D()(base(scaled, training=False))
    kept = keras.layers.Dropout(DROPOUT)(pooled)
    model = keras.Model(pixels, keras.layers.Dense(1)(kept))
    model.compile(
        keras.optimizers.Adam(GUIDE_RATES[case]),
        keras.losses.BinaryCrossentropy(from_logits=True),
        metrics=[keras.metrics.AUC(name="auc", num_thresholds=1000, from_logits=True)],
    )
    known, held_out = (
        records.read([records_of(folder, part) for part in parts], SIZE)
        .map(lambda one: (one["pixels"], one["label"]))
        .cache()
        for parts in SPLITS.values()
    )
    known = known.shuffle(10_000, seed=SEED).batch(BATCH).prefetch(tf.data.AUTOTUNE)
    history = model.fit(
        known,
        epochs=EPOCHS,
        validation_data=held_out.batch(BATCH).prefetch(tf.data.AUTOTUNE),
        verbose=0,
    ).history
    pd.DataFrame(history).to_csv(folder / f"guide-{case}.csv", index=False)


def work(folder: Path, job: str, case: str, which: str) -> None:
    """Do a job in this process.

    Args:
        folder: Of `prepare`.
        job: `features`, `run`, `together` or `guide`.
        case: A key of `DEPTHS`.
        which: Number of the part, or of the run.
    """
    keras.utils.set_random_seed(SEED)
    if job == "guide":
        train_guide(folder, case)
        return
    devices.prepare(len(os.sched_getaffinity(0)))
    if job in ("features", "together"):
        for part in parts_used() if job == "together" else [int(which)]:
            compute_features(folder, DEPTHS[case], part)
    if job in ("run", "together"):
        for run in runs(case) if job == "together" else [runs(case)[int(which)]]:
            train_run(folder, run)


def parts_used() -> list[int]:
    """Return the parts that runs see."""
    return [part for parts in SPLITS.values() for part in parts]


def spent(folder: Path, job: str, case: str, numbers: Sequence[int] = (0,)) -> float:
    """Return the CPU seconds, of user and system, of processes that do jobs one after the other."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for number in numbers:
        command = [sys.executable, __file__, str(folder), job, case, str(number)]
        subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{case}, {job}: {seconds:.1f} s of CPU", flush=True)
    return seconds


def costs(folder: Path, case: str, photographs: int) -> list[Row]:
    """Measure a case both ways."""
    count = len(runs(case))
    made = spent(folder, "features", case, parts_used())
    trained = spent(folder, "run", case, range(count))
    guide = spent(folder, "guide", case)
    together = spent(folder, "together", case)
    name = f"{case}, {count} × {EPOCHS} epochs, {photographs} photographs"
    return [
        (name, "project", made + trained, "s CPU"),
        (name, "project, features of it", made, "s CPU"),
        (name, "project, one process", together, "s CPU"),
        (name, "keras_guide", count * guide, "s CPU"),
    ]


def qualities(folder: Path, case: str) -> list[Row]:
    """Compare the best validation AUCs."""
    like = next(run for run in runs(case) if (run.rate, run.l2) == (GUIDE_RATES[case], 0))
    found = {
        run: pd.read_csv(folder / "runs" / run.address / "validation.csv", dtype={"patient": str})
        for run in runs(case)
    }
    measured = intervals.with_intervals(
        found[like], metrics.ranking(found[like]), SEED, REPETITIONS
    )
    guide = pd.read_csv(folder / f"guide-{case}.csv")["val_auc"].max()
    values = {
        "project": measured["auc"],
        "project, lower end": measured["auc_low"],
        "project, upper end": measured["auc_high"],
        "project, best run": max(metrics.auc(table) for table in found.values()),
        "keras_guide": guide,
    }
    name = f"{case}, validation, {len(found[like])} photographs"
    return [(name, variant, value, "AUC") for variant, value in values.items()]


def main() -> None:
    """Measure both cases, side by side."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        photographs = len(prepare(folder))
        rows = []
        for case in DEPTHS:
            rows += costs(folder, case, photographs) + qualities(folder, case)
    write("finetune", rows, "project")


def _say_nothing(_: str) -> None:
    """Keep no messages."""


if __name__ == "__main__":
    if sys.argv[1:]:
        work(Path(sys.argv[1]), *sys.argv[2:])
    else:
        main()
