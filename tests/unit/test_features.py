"""Cached features against the network that they were cut from."""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from retinopathy import decoding, features, networks, records, weights
from retinopathy.errors import Explained

pytestmark = pytest.mark.networks

SIZE = 71
INSIDE = "block13+3"


def shard(folder: Path, names: list[str], part: int) -> Path:
    """Write noise as records, one photograph per name."""
    drawn = np.random.default_rng(part)
    rows = []
    for place, name in enumerate(names):
        path = folder / f"{name}.png"
        image = drawn.integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
        path.write_bytes(decoding.encode_png(image))
        row = {"image": name, "patient": name[:-5], "level": 4 * (place % 2), "label": place % 2}
        box = {"crop_left": 0, "crop_top": 0, "crop_side": SIZE}
        rows.append(row | box | {"part": part, "path": str(path)})
    destination = folder / f"part-{part}.tfrecord"
    records.write_shard(pd.DataFrame(rows), destination, SIZE, "none", 1, lambda *_: None)
    return destination


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two record files, weights, and features of both at an in-block cut."""
    folder = tmp_path_factory.mktemp("features")
    shard(folder, [f"{n}_left" for n in range(5)], 0)
    shard(folder, ["é_left", "7_left", "8_left"], 1)
    weights.randomise_all("xception", SIZE, 1, folder / "w.weights.h5")
    for part, augment in ((0, True), (1, True)):
        features.write_features(
            "xception",
            SIZE,
            INSIDE,
            folder / "w.weights.h5",
            [folder / f"part-{part}.tfrecord"],
            folder / f"part-{part}.h5",
            augment=augment,
        )
    return folder


def opened(folder: Path, **changes: object) -> features.Features:
    values = {"size": SIZE, "depth": INSIDE, "weights": folder / "w.weights.h5"} | changes
    paths = [folder / "part-0.h5", folder / "part-1.h5"]
    return features.Features(paths, "xception", **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("held", [0, 2**28])
def test_suffix_on_features_is_the_network_on_photographs(
    made: Path, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "HELD_BYTES", held)
    model = networks.build("xception", SIZE, dropout=0, l2=0, seed=5)
    networks.load_backbone(model, made / "w.weights.h5")
    _, suffix = networks.split(model, "xception", INSIDE)
    cached = opened(made)
    files = [made / "part-0.tfrecord", made / "part-1.tfrecord"]
    pixels, rows = records.load(files, SIZE)
    pd.testing.assert_frame_equal(cached.rows, rows)
    places, variants = np.array([6, 0, 3, 7]), np.array([0, 5, 2, 7])
    turned = [
        records.augment(tf.constant(pixels[place]), int(variant))
        for place, variant in zip(places, variants, strict=True)
    ]
    whole = model(tf.cast(tf.stack(turned), tf.float32), training=False)
    part = suffix(cached.read(places, variants), training=False)
    np.testing.assert_allclose(part, whole, rtol=1e-5, atol=1e-6)


def test_pooled_features_are_those_of_the_head(made: Path) -> None:
    files = [made / "part-0.tfrecord"]
    found, rows = features.pooled("xception", SIZE, made / "w.weights.h5", files, batch=2)
    model = networks.build("xception", SIZE, dropout=0, l2=0, seed=5)
    networks.load_backbone(model, made / "w.weights.h5")
    prefix, _ = networks.split(model, "xception", "head")
    pixels, known = records.load(files, SIZE)
    np.testing.assert_allclose(found, prefix(pixels.astype(np.float32)), rtol=1e-4, atol=1e-6)
    pd.testing.assert_frame_equal(rows, known)


@pytest.mark.parametrize(("name", "value"), [("depth", "block13"), ("size", 96)])
def test_features_of_another_cut_or_size_are_refused(made: Path, name: str, value: object) -> None:
    with pytest.raises(Explained, match="do not fit"):
        opened(made, **{name: value})


def test_features_of_other_weights_are_refused(made: Path) -> None:
    weights.randomise_all("xception", SIZE, 2, made / "other.weights.h5")
    with pytest.raises(Explained, match="do not fit"):
        opened(made, weights=made / "other.weights.h5")


def test_a_truncated_file_is_refused(made: Path, tmp_path: Path) -> None:
    whole = (made / "part-0.h5").read_bytes()
    short = tmp_path / "short.h5"
    short.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Explained, match="do not fit"):
        features.Features([short], "xception", SIZE, INSIDE, made / "w.weights.h5")


def test_rows_that_were_changed_are_refused(made: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "part.h5"
    foreign.write_bytes((made / "part-0.h5").read_bytes())
    with h5py.File(foreign, "r+") as file:
        file["label"][0] = 1 - file["label"][0]
    with pytest.raises(Explained, match="delete the file"):
        features.Features([foreign], "xception", SIZE, INSIDE, made / "w.weights.h5")


def test_a_file_of_something_else_is_refused(made: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["frontier_0"] = np.zeros(3)
    with pytest.raises(Explained, match="delete the file"):
        features.Features([tmp_path / "other.h5"], "xception", SIZE, INSIDE, made / "w.weights.h5")


def test_other_preprocessing_is_refused(made: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "part.h5"
    foreign.write_bytes((made / "part-0.h5").read_bytes())
    with h5py.File(foreign, "r+") as file:
        file.attrs["preprocessing"] = "none"
    with pytest.raises(Explained, match="preprocessing"):
        features.Features([foreign], "xception", SIZE, INSIDE, made / "w.weights.h5")


def test_half_precision_is_an_option_that_is_asked_for(made: Path, tmp_path: Path) -> None:
    half, file = tmp_path / "half.h5", made / "w.weights.h5"
    paths = [made / "part-0.tfrecord"]
    features.write_features(
        "xception", SIZE, INSIDE, file, paths, half, augment=False, kept="float16"
    )
    with pytest.raises(Explained, match="do not fit"):
        features.Features([half], "xception", SIZE, INSIDE, file)
    found = features.Features([half], "xception", SIZE, INSIDE, file, "float16")
    with h5py.File(half) as stored, h5py.File(made / "part-0.h5") as whole:
        assert stored["frontier_0"].dtype == np.float16
        assert stored["frontier_0"].nbytes * 16 == whole["frontier_0"].nbytes
    places, variants = np.arange(5), np.zeros(5, int)
    single = features.Features([made / "part-0.h5"], "xception", SIZE, INSIDE, file)
    for one, other in zip(found.read(places, variants), single.read(places, variants), strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_a_full_disk_leaves_nothing_half_written(made: Path, full_disk: Path) -> None:
    paths, file = [made / "part-0.tfrecord"], made / "w.weights.h5"
    with pytest.raises(Explained, match="No space left"):
        features.write_features(
            "xception", SIZE, INSIDE, file, paths, full_disk / "part.h5", augment=True
        )
    assert not list(full_disk.iterdir())


def test_a_part_without_photographs_adds_nothing(made: Path) -> None:
    file, empty = made / "w.weights.h5", made / "empty.tfrecord"
    tf.io.TFRecordWriter(str(empty)).close()
    features.write_features(
        "xception", SIZE, INSIDE, file, [empty], made / "empty.h5", augment=True
    )
    paths = [made / "empty.h5", made / "part-0.h5"]
    found = features.Features(paths, "xception", SIZE, INSIDE, file)
    pd.testing.assert_frame_equal(found.rows, records.rows([made / "part-0.tfrecord"], SIZE))
    with pytest.raises(Explained, match="at least one photograph"):
        features.Features(paths[:1], "xception", SIZE, INSIDE, file)


def test_a_photograph_is_one_chunk(made: Path) -> None:
    with h5py.File(made / "part-0.h5") as file:
        for dataset in (file[name] for name in file if name.startswith("frontier_")):
            assert dataset.dtype == np.float32
            assert dataset.chunks == (1, 1, *dataset.shape[2:])
            assert dataset.shape[:2] == (features.VARIANTS, 5)
        data = sum(file[name].nbytes for name in file if name.startswith("frontier_"))
    # What was reserved beyond need is given back.
    assert data < (made / "part-0.h5").stat().st_size < data + 2**16


def test_features_that_half_precision_cannot_hold_are_refused() -> None:
    values = np.array([[1.0, 70_000.0]], np.float32)
    assert features._kept(values, "float32").tolist() == values.tolist()
    with pytest.raises(Explained, match="too large for float16"):
        features._kept(values, "float16")
