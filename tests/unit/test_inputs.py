"""What a run is trained on, read some places at a time."""

from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
from tests.drawn import disc

from retinopathy import decoding, inputs, records
from retinopathy.runs import Run

SIZE = 24
RUN = Run("referable", "xception", SIZE, "imagenet", "all", 0.01, 0.01, 0.5, "holdout", 1)


def test_records_come_in_the_order_asked_for_to_the_last(tmp_path: Path) -> None:
    rows = []
    for n in range(7):
        path = tmp_path / f"{n}.png"
        path.write_bytes(decoding.encode_png(disc(60, 44, 26 + n, 22, 18)))
        rows.append((f"{n}", f"{n}", 0, n % 2, 0, str(path), 0, 0, 44))
    known = ["image", "patient", "level", "label", "part", "path"]
    table = pd.DataFrame(rows, columns=[*known, "crop_left", "crop_top", "crop_side"])
    file = tmp_path / "a.tfrecord"
    records.write_shard(table, file, SIZE, "none", 1, lambda _: None)
    opened = inputs.opened([file], RUN, tmp_path / "none.weights.h5")
    places, variants = np.array([6, 0, 3, 2, 5]), np.array([0, 5, 2, 7, 1])
    parts = [tensors for (tensors,) in opened.batches(places, variants, 2)]
    assert [len(part) for part in parts] == [2, 2, 1]
    whole = np.concatenate(parts)
    assert whole.dtype == np.float32 and whole.max() > 100
    pixels, _ = records.load([file], SIZE)
    for one, place, variant in zip(whole, places, variants, strict=True):
        assert np.array_equal(one, records.augment(tf.constant(pixels[place]), variant))
