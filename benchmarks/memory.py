"""Peak memory of the jobs that train, as the number of photographs grows.

make benchmark NAME=memory [COUNTS=1000,4000]

For each count, photographs of noise are written as records of 96 pixels, features of Xception's
last two blocks (105 kB a photograph) are made of them, and a run is trained for one epoch, on the
features and on the records. Every job is a process of its own; its value is the largest memory that
it ever had. Expect the same at both counts within a tenth, although four thousand photographs have
more features than are held in memory at a time.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))

import cv2
import numpy as np
import pandas as pd
from side_by_side import write

from retinopathy import devices, features, inputs, records, training, weights
from retinopathy.backup import Keeper
from retinopathy.recipes import Recipe
from retinopathy.runs import HOLDOUT, Run

COUNTS = (1000, 4000)
SIZE = 96
RUN = Run("any", "xception", SIZE, "imagenet", "block13", 0.0001, 0.0, 0.5, HOLDOUT, 1)
RECIPE = Recipe(32, 1, 1, "adam", 1.0, augment=False)
WEIGHTS = "backbone.weights.h5"
SPLITS = ("train", "validation")
SHARE = 0.8  # of the photographs that are trained on
SPOKEN = {"h5": "training on features", "tfrecord": "training on records"}


def draw(folder: Path, count: int) -> None:
    """Write records of `count` photographs of noise in two splits, both labels in turn."""
    generator = np.random.default_rng(1)
    picture = folder / "noise.png"
    cv2.imwrite(str(picture), generator.integers(0, 256, (SIZE, SIZE, 3), np.uint8))
    number = np.arange(count)
    names = [f"{place}_left" for place in number]
    rows = pd.DataFrame({"image": names, "patient": names, "level": 0, "label": number % 2})
    box = {"crop_left": 0, "crop_top": 0, "crop_side": SIZE}
    rows = rows.assign(part=0, path=str(picture), **box)
    known = round(SHARE * count)
    for split, inside in (("train", rows[:known]), ("validation", rows[known:])):
        file = folder / f"{split}.tfrecord"
        records.write_shard(inside, file, SIZE, "none", 1, lambda _: None)


def work(folder: Path, job: str) -> None:
    """Do a job in this process: make the features, or train on files of that kind."""
    devices.prepare(len(os.sched_getaffinity(0)))
    if job == "features":
        for split in SPLITS:
            features.write_features(
                RUN.network,
                SIZE,
                RUN.depth,
                folder / WEIGHTS,
                [folder / f"{split}.tfrecord"],
                folder / f"{split}.h5",
                augment=False,
            )
        return
    known, held_out = (
        inputs.opened([folder / f"{split}.{job}"], RUN, folder / WEIGHTS) for split in SPLITS
    )
    keeper = Keeper(folder / "backup.npz")
    training.train(RUN, RECIPE, folder / WEIGHTS, known, held_out, keeper, lambda _: None)
    keeper.remove()


def peak(folder: Path, job: str) -> float:
    """Return the largest memory of a process that does a job, in MiB."""
    process = subprocess.Popen([sys.executable, __file__, str(folder), job])
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"the job {job} failed")
    return usage.ru_maxrss / 1024


def main() -> None:
    """Measure every job at every count."""
    given = os.environ.get("COUNTS")
    rows = []
    for count in map(int, given.split(",")) if given else COUNTS:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            weights.randomise_all(RUN.network, SIZE, RUN.seed, folder / WEIGHTS)
            draw(folder, count)
            jobs = {"making features": "features"} | {told: kind for kind, told in SPOKEN.items()}
            for told, job in jobs.items():
                rows.append((told, f"{count} photographs", peak(folder, job), "MiB"))
                print(*rows[-1], flush=True)
    write("memory", rows, rows[0][1])


if __name__ == "__main__":
    if sys.argv[1:]:
        work(Path(sys.argv[1]), sys.argv[2])
    else:
        main()
