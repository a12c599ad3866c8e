"""TFRecords: what is written is what is read."""

import itertools
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from retinopathy import photographs, records
from retinopathy.errors import Explained
from retinopathy.photographs import CropBox

SIZE = 24


def ignore(_message: str) -> None:
    pass


@pytest.fixture
def rows(tmp_path: Path) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    table = []
    for n in range(7):
        path = tmp_path / f"{n}_left.png"
        cv2.imwrite(str(path), rng.integers(0, 255, (40, 60, 3), np.uint8))
        table.append((f"{n}_left", f"00{n}", n % 5, n % 2, 3, "train", str(path), 10, -2, 44))
    known = ["image", "patient", "level", "label", "part", "split", "path"]
    return pd.DataFrame(table, columns=[*known, "crop_left", "crop_top", "crop_side"])


def test_records_give_back_what_was_written(rows: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.tfrecord"
    assert records.write_shard(rows, path, SIZE, "none", 1, ignore) == 7
    assert records.count([path]) == 7
    pixels, table = records.load([path], SIZE)
    assert list(table["image"]) != list(rows["image"])
    place = {image: n for n, image in enumerate(table["image"])}
    for row in rows.to_dict("records"):
        box = CropBox(row["crop_left"], row["crop_top"], row["crop_side"])
        data = Path(row["path"]).read_bytes()
        expected = photographs.prepare(data, box, SIZE, "none")
        assert np.array_equal(pixels[place[row["image"]]], expected)
    pd.testing.assert_frame_equal(records.rows([path], SIZE), table)
    kept = ["image", "patient", "level", "label"]
    pd.testing.assert_frame_equal(table.sort_values("image", ignore_index=True), rows[kept])


def test_every_documented_feature_is_stored(rows: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    records.write_shard(rows, path, SIZE, "none", 1, ignore)
    record = next(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    feature = tf.train.Example.FromString(record).features.feature
    assert set(feature) == set(records.FEATURES)
    assert feature["crop_top"].int64_list.value[:] == [-2]
    assert feature["part"].int64_list.value[:] == [3]


def test_order_depends_on_the_seed_only(rows: pd.DataFrame, tmp_path: Path) -> None:
    def order(table: pd.DataFrame, seed: int) -> list[str]:
        path = tmp_path / "a.tfrecord"
        records.write_shard(table, path, SIZE, "none", seed, ignore)
        return [
            record["image"].decode() for record in records.read([path], SIZE).as_numpy_iterator()
        ]

    first = order(rows, 1)
    assert order(rows.iloc[::-1], 1) == first
    assert order(rows, 2) != first


def test_files_are_read_one_after_the_other(rows: pd.DataFrame, tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.tfrecord" for n in range(3)]
    for path, part in zip(paths, (rows[:3], rows[:0], rows[3:]), strict=True):
        records.write_shard(part, path, SIZE, "none", 1, ignore)
    assert records.count(paths) == 7
    images = [record["image"].decode() for record in records.read(paths, SIZE).as_numpy_iterator()]
    assert set(images[:3]) == set(rows["image"][:3])
    pixels, table = records.load(paths[1:2], SIZE)
    assert pixels.shape == (0, SIZE, SIZE, 3) and table.empty


def test_any_order_and_variant_can_be_read(rows: pd.DataFrame, tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.tfrecord" for n in range(3)]
    for path, part in zip(paths, (rows[:3], rows[:0], rows[3:]), strict=True):
        records.write_shard(part, path, SIZE, "none", 1, ignore)
    pixels, table = records.load(paths, SIZE)
    shuffled = records.Shuffled(paths, SIZE)
    pd.testing.assert_frame_equal(shuffled.rows, table)
    places, variants = np.array([5, 0, 6, 3, 0, 1, 2, 4]), np.array([0, 1, 2, 3, 4, 5, 6, 7])
    batches = list(shuffled.batches(places, variants, 3).as_numpy_iterator())
    assert [len(batch) for batch in batches] == [3, 3, 2]
    for one, place, variant in zip(np.concatenate(batches), places, variants, strict=True):
        assert one.dtype == np.uint8
        assert np.array_equal(one, records.augment(tf.constant(pixels[place]), variant))
    assert not list(shuffled.batches(places[:0], variants[:0], 3))


def test_records_are_read_to_their_last_byte(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    whole = [b"a\0\0", b"\0", b"", b"\xff" * 300 + b"\0"]
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in whole:
            writer.write(record)
    spans = [(offset, length) for _, offset, length in records._places(path)]
    read = tf.data.Dataset.from_tensor_slices(np.array(spans)).map(
        lambda span: tf.numpy_function(records._span, [str(path), span], tf.string)
    )
    assert list(read.as_numpy_iterator()) == whole


def test_another_size_or_schema_is_explained(rows: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord"
    records.write_shard(rows, path, SIZE, "none", 1, ignore)
    with pytest.raises(Explained, match=f"{SIZE} pixels"):
        records.read([path], 2 * SIZE)
    example = tf.train.Example.FromString(
        next(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    )
    example.features.feature["level"].bytes_list.value[:] = [b"2"]
    for unlike, received in ((example, "no such level$"), (tf.train.Example(), "no such pixels, ")):
        with tf.io.TFRecordWriter(str(path)) as writer:
            writer.write(unlike.SerializeToString())
        with pytest.raises(Explained, match=f"(?m){received}"):
            records.read([path], SIZE)


def test_a_lost_photograph_leaves_no_file(rows: pd.DataFrame, tmp_path: Path) -> None:
    Path(rows["path"][4]).write_bytes(b"no longer a photograph")
    with pytest.raises(Explained, match="photograph"):
        records.write_shard(rows, tmp_path / "a.tfrecord", SIZE, "none", 1, ignore)
    assert not list(tmp_path.glob("*.tfrecord"))


def test_shards_divide_each_part() -> None:
    names = [f"{n}_left" for n in range(200)]
    table = pd.DataFrame({"image": names, "part": [n % 3 for n in range(200)]})
    shards = [records.shard_rows(table, part, shard, 4) for part in range(3) for shard in range(4)]
    assert sorted(itertools.chain(*(shard["image"] for shard in shards))) == sorted(names)
    fewer = records.shard_rows(table[:100], 1, 2, 4)
    assert set(fewer["image"]) <= set(records.shard_rows(table, 1, 2, 4)["image"])


def test_the_eight_variants_are_the_symmetries_of_the_square() -> None:
    pixels = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    variants = [np.asarray(records.augment(tf.constant(pixels), n)) for n in range(8)]
    expected = [np.rot90(image, k) for image in (pixels, pixels[:, ::-1]) for k in range(4)]
    for variant, image in zip(variants, expected, strict=True):
        assert np.array_equal(variant, image)
    assert len({variant.tobytes() for variant in variants}) == 8


def test_variants_may_be_tensors_and_batches() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (2, 3, 3, 3), np.uint8)
    made = tf.data.Dataset.range(8).map(lambda n: records.augment(tf.constant(pixels), n))
    for n, batch in enumerate(made.as_numpy_iterator()):
        single = [np.asarray(records.augment(tf.constant(image), n)) for image in pixels]
        assert np.array_equal(batch, np.stack(single))
    assert made.element_spec.shape == (2, 3, 3, 3)
