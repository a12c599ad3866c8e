"""Photographs per second that the readers deliver, beside what Xception's forward pass consumes.

make benchmark NAME=reader [PHOTOGRAPHS=FOLDER]

Records of 224 pixels are made from photographs of the folder, in a temporary folder. `reader` reads
them in an epoch's shuffled order, decodes, flips and turns them and makes batches of float32, as
training without the feature cache does; `reader, in order` reads them one after the other, as
scoring does. `forward` is the forward pass of Xception with random weights, traced, on batches that
are in memory. All use the same cores, on the clock. Expect the readers at least five times as fast
as the network.
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))

import numpy as np
import pandas as pd
from side_by_side import least, of_wall, write

from retinopathy import devices, networks, photographs, records, sources
from retinopathy.framework import tf

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "eyepacs_1024" / "images"
COUNT = 320
FORWARD = 64  # photographs that the network is given for one measure
SIZE = 224
BATCH = 32


def listed(paths: list[Path]) -> pd.DataFrame:
    """Return the photographs as `records.write_shard` takes them; levels do not matter here."""
    rows = []
    for path in paths:
        circle, _ = photographs.find_and_prepare(path.read_bytes(), SIZE, "none")
        box = photographs.crop_box(circle)
        rows.append((path.stem, path.stem, 0, 0, 0, str(path), box.left, box.top, box.side))
    known = ["image", "patient", "level", "label", "part", "path"]
    return pd.DataFrame(rows, columns=[*known, "crop_left", "crop_top", "crop_side"])


def main() -> None:
    """Measure the readers and the network, side by side."""
    cores = len(os.sched_getaffinity(0))
    devices.prepare(cores)
    folder = Path(os.environ.get("PHOTOGRAPHS", FOLDER))
    paths = sources.list_photographs(folder)[:COUNT]
    network = networks.build("xception", SIZE, dropout=0, l2=0, seed=0)
    forward = tf.function(lambda pixels: network(pixels, training=False))
    given = tf.random.uniform((BATCH, SIZE, SIZE, 3), maxval=255)
    forward(given)
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / "a.tfrecord"
        records.write_shard(listed(paths), file, SIZE, "none", 1, lambda _: None)
        shuffled = records.Shuffled([file], SIZE)
        generator = np.random.default_rng(1)
        order = generator.permutation(len(paths))
        variants = generator.integers(8, size=len(paths))

        def consume(batches: tf.data.Dataset) -> None:
            for pixels in batches.as_numpy_iterator():
                pixels.astype(np.float32)

        spent = least(
            {
                "reader": of_wall(lambda: consume(shuffled.batches(order, variants, BATCH))),
                "reader, in order": of_wall(
                    lambda: consume(
                        records.read([file], SIZE).map(lambda one: one["pixels"]).batch(BATCH)
                    )
                ),
                "forward": of_wall(lambda: [forward(given) for _ in range(FORWARD // BATCH)]),
            }
        )
    counts = {"forward": FORWARD}
    rows = [
        (f"{SIZE} px, {cores} cores", name, counts.get(name, len(paths)) / seconds, "photographs/s")
        for name, seconds in spent.items()
    ]
    write("reader", rows, "forward")


if __name__ == "__main__":
    main()
