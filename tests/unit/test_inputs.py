"""What a run is trained on, read some places at a time."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from tests.drawn import disc

from retinopathy import decoding, inputs, records
from retinopathy.errors import Explained
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


class Numbered:
    """Inputs of which each photograph is its place; some patients have one eye only."""

    cached, variants, identity = True, 8, "numbered"

    def __init__(self, rows: pd.DataFrame) -> None:
        self.rows = rows.reset_index(drop=True)

    def batches(
        self, places: inputs.Places, variants: inputs.Places, batch: int
    ) -> Iterator[inputs.Tensors]:
        for start in range(0, len(places), batch):
            chosen = slice(start, start + batch)
            yield [np.stack([places[chosen], variants[chosen]]).astype(np.float32)]


def eyes(patients: int) -> pd.DataFrame:
    known = [(f"{n}_{eye}", f"{n}") for n in range(patients) for eye in ("left", "right")]
    rows = pd.DataFrame(known, columns=["image", "patient"]).assign(level=0, label=0)
    return rows.drop(index=range(0, len(rows), 7))


ROWS = eyes(60)


def first(photographs: int, rows: pd.DataFrame = ROWS, seed: int = 1) -> list[str]:
    run = replace(RUN, photographs=photographs, seed=seed)
    return inputs.limited(Numbered(rows), run).rows["image"].to_list()


@given(st.integers(1, len(ROWS)), st.integers(1, len(ROWS)), st.integers(0, 9))
def test_fewer_photographs_are_the_first_of_more(one: int, other: int, seed: int) -> None:
    few, many = sorted((one, other))
    assert first(few, seed=seed) == first(many, seed=seed)[:few]
    assert len(set(first(many, seed=seed))) == many


@given(st.integers(1, len(ROWS)), st.integers(0, 9))
def test_eyes_of_a_patient_come_together(photographs: int, seed: int) -> None:
    rows = ROWS.set_index("image").loc[first(photographs, seed=seed)]
    whole = ROWS["patient"].value_counts()
    taken = rows["patient"].value_counts()
    assert (rows["patient"] != rows["patient"].shift()).sum() == len(taken)
    cut = [patient for patient in taken.index if taken[patient] < whole[patient]]
    assert cut in ([], [rows["patient"].iloc[-1]])


def test_the_order_follows_from_patient_and_seed_alone() -> None:
    order = first(len(ROWS))
    assert first(len(ROWS), ROWS.sample(frac=1, random_state=3)) == order
    half = ROWS[ROWS["patient"].astype(int) < 30]
    assert first(len(half), half) == [image for image in order if image in set(half["image"])]
    assert first(len(ROWS), seed=2) != order
    assert sorted(first(len(ROWS), seed=2)) == sorted(order)


def test_photographs_are_read_from_where_they_are() -> None:
    whole = Numbered(ROWS)
    fewer = inputs.limited(whole, replace(RUN, photographs=20))
    places, variants = np.array([19, 0, 7]), np.array([1, 0, 5])
    read = np.concatenate([part for (part,) in fewer.batches(places, variants, 2)], axis=1)
    found = whole.rows["image"][read[0].astype(int)].to_list()
    assert found == fewer.rows["image"][places].to_list()
    assert np.array_equal(read[1], variants)
    assert (fewer.cached, fewer.variants) == (True, 8)


def test_what_is_not_limited_is_the_whole_itself() -> None:
    whole = Numbered(ROWS)
    assert inputs.limited(whole, RUN) is whole
    fewer = [inputs.limited(whole, replace(RUN, photographs=n)).identity for n in (8, 9)]
    assert len({*fewer, whole.identity}) == 3


def test_more_photographs_than_there_are_cannot_be_had() -> None:
    with pytest.raises(Explained) as raised:
        first(len(ROWS) + 1)
    for word in ("expected: at most 102", "received: 103", "learning_curve"):
        assert word in str(raised.value)
