"""Real networks, small inputs: cuts, names, preprocessing and what is trained."""

import math
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from retinopathy import networks, registry
from retinopathy.errors import Explained

pytestmark = pytest.mark.networks

NAMES = sorted(registry.NETWORKS)
INSIDE = {
    "xception": "block13+3",
    "inception_v3": "mixed9+5",
    "densenet169": "conv5+200",
    "mobilenet_v2": "block15+4",
    "resnet50_v2": "conv5_block2+4",
}


def built(network: str, **changes: Any) -> Any:
    values: dict[str, Any] = {"dropout": 0.5, "l2": 0.01, "seed": 1} | changes
    return networks.build(network, registry.NETWORKS[network].smallest_size, **values)


@pytest.fixture(scope="module", params=NAMES)
def flat(request: pytest.FixtureRequest) -> Any:
    return built(request.param)


def noise(model: Any, n: int = 3) -> NDArray[np.float32]:
    shape = (n, *model.input.shape[1:])
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)


def test_registry_says_what_keras_does(flat: Any) -> None:
    facts = registry.NETWORKS[flat.name]
    maps = flat.get_layer(facts.feature_layer)
    assert flat.layers.index(maps) == facts.layers
    assert maps.output is flat.get_layer(networks.POOL).input
    assert maps.output.shape[-1] == facts.features
    for block in facts.blocks:
        assert len(networks.split(flat, flat.name, block)[1].inputs) == 1, block


def test_blocks_start_with_their_own_layers(flat: Any) -> None:
    facts = registry.NETWORKS[flat.name]
    ends = [*list(facts.blocks.values())[1:], facts.layers]
    for block, end in zip(facts.blocks, ends, strict=True):
        last = flat.layers[end].name
        if flat.name == "inception_v3" and block != "stem":
            assert last == block
    if flat.name == "xception":
        assert flat.layers[facts.blocks["block14"] + 1].name == "block14_sepconv1"
    starts = {block: flat.layers[place + 1].name for block, place in facts.blocks.items()}
    if flat.name == "densenet169":
        assert starts["conv5"] == "conv5_block1_0_bn"
    if flat.name == "mobilenet_v2":
        for number in range(1, 17):
            assert starts[f"block{number}"] == f"block_{number}_expand"
        assert (starts["block0"], starts["top"]) == ("expanded_conv_depthwise", "Conv_1")
    if flat.name == "resnet50_v2":
        for block in list(starts)[1:]:
            assert starts[block] == f"{block}_preact_bn"


def test_preprocessing_is_that_of_keras(flat: Any) -> None:
    modules = {"densenet169": "densenet", "resnet50_v2": "resnet_v2"}
    module = modules.get(flat.name, flat.name)
    theirs = getattr(keras.applications, module).preprocess_input
    pixels = noise(flat)
    ours = flat.get_layer(networks.PREPROCESSING)(pixels)
    np.testing.assert_allclose(ours, theirs(pixels.copy()), atol=1e-5)


def test_prefix_and_suffix_make_the_whole(flat: Any) -> None:
    pixels = noise(flat)
    whole = flat(pixels, training=False)
    for depth in ("head", registry.depths(flat.name)[1], INSIDE[flat.name]):
        prefix, suffix = networks.split(flat, flat.name, depth)
        np.testing.assert_allclose(
            suffix(prefix(pixels, training=False), training=False), whole, atol=1e-6, err_msg=depth
        )


@pytest.mark.parametrize("depth", ["all", "bn"])
def test_some_depths_leave_no_prefix(flat: Any, depth: str) -> None:
    with pytest.raises(ValueError, match="no prefix"):
        networks.split(flat, flat.name, depth)


def test_depth_is_what_is_trained(flat: Any) -> None:
    """By names and places of the layers, which set_depth does not look at."""
    facts = registry.NETWORKS[flat.name]
    weighty = {layer.name: layer for layer in flat.layers if layer.weights}
    places = {layer.name: place - 1 for place, layer in enumerate(flat.layers)}
    normalises = {name for name, layer in weighty.items() if "Normalization" in repr(type(layer))}
    assert normalises
    for depth in (*registry.depths(flat.name), INSIDE[flat.name]):
        networks.set_depth(flat, flat.name, depth)
        first = registry.first_trained(flat.name, depth)
        assert networks.trainable_by_layer(flat) == {
            name: layer.count_params()
            for name, layer in weighty.items()
            if name == networks.LOGIT or (places[name] >= first and name not in normalises)
        }, depth
    assert networks.trainable_by_layer(flat)[networks.LOGIT] == facts.features + 1
    networks.unfreeze_all(flat)
    found = networks.trainable_by_layer(flat)
    assert sum(found.values()) == sum(math.prod(w.shape) for w in flat.trainable_weights)
    assert set(found) == set(weighty)


def test_normalisation_alone_is_scales_and_shifts(flat: Any) -> None:
    networks.set_depth(flat, flat.name, "bn")
    layers = [one for one in flat.layers if isinstance(one, keras.layers.BatchNormalization)]
    # Inception V3 has no scales.
    each = 1 if flat.name == "inception_v3" else 2
    head = {networks.LOGIT: registry.NETWORKS[flat.name].features + 1}
    assert networks.trainable_by_layer(flat) == head | {
        layer.name: each * layer.moving_mean.shape[0] for layer in layers
    }
    names = {name.split("/")[1] for name in networks.learned(flat, state=False)}
    assert names == {"gamma", "beta", "kernel", "bias"} - ({"gamma"} if each == 1 else set())


def test_every_trainable_weight_gets_a_gradient(flat: Any) -> None:
    networks.set_depth(flat, flat.name, INSIDE[flat.name])
    _, suffix = networks.split(flat, flat.name, INSIDE[flat.name])
    frontier = [tf.random.normal((2, *tensor.shape[1:]), seed=1) for tensor in suffix.inputs]
    with tf.GradientTape() as tape:
        logit = tf.reduce_sum(suffix(frontier, training=True))
    gradients = tape.gradient(logit, suffix.trainable_variables)
    assert len(gradients) > 2
    assert all(np.abs(gradient).sum() > 0 for gradient in gradients)


def test_scales_and_shifts_get_gradients_but_statistics_stay(flat: Any) -> None:
    networks.set_depth(flat, flat.name, "bn")
    _, suffix = networks.split(flat, flat.name, INSIDE[flat.name])
    before = [np.array(weight.numpy()) for weight in suffix.non_trainable_variables]
    frontier = [tf.random.normal((2, *tensor.shape[1:]), seed=1) for tensor in suffix.inputs]
    with tf.GradientTape() as tape:
        logit = tf.reduce_sum(suffix(frontier, training=True))
    gradients = tape.gradient(logit, suffix.trainable_variables)
    assert len(gradients) > 2
    assert all(np.abs(gradient).sum() > 0 for gradient in gradients)
    pairs = zip(before, suffix.non_trainable_variables, strict=True)
    assert all(np.array_equal(old, new) for old, new in pairs if "seed" not in new.path)


@pytest.mark.parametrize("depth", ["all", "bn"])
def test_frozen_normalisation_ignores_the_batch(flat: Any, depth: str) -> None:
    networks.set_depth(flat, flat.name, depth)
    _, suffix = networks.split(flat, flat.name, INSIDE[flat.name])
    suffix.get_layer(networks.DROPOUT).rate = 0
    frontier = [tf.random.normal((3, *tensor.shape[1:]), seed=1) for tensor in suffix.inputs]
    alone = suffix([tensor[:1] for tensor in frontier], training=True)
    np.testing.assert_allclose(suffix(frontier, training=True)[:1], alone, atol=1e-5)
    suffix.get_layer(networks.DROPOUT).rate = 0.5


def test_statistics_settle_within_a_short_training_from_scratch() -> None:
    maps = keras.Input((4, 4, 3))
    model = keras.Model(maps, keras.layers.BatchNormalization()(maps))
    networks.unfreeze_all(model)
    pixels = np.random.default_rng(1).normal(3, 2, (8, 4, 4, 3)).astype(np.float32)
    for _ in range(60):
        model(pixels, training=True)
    judged, trained = (np.asarray(model(pixels, training=training)) for training in (False, True))
    np.testing.assert_allclose(judged, trained, atol=0.02)


def test_names_are_the_same_in_every_model_of_a_process() -> None:
    first, second = built("xception"), built("xception")
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]
    assert {"conv2d", "conv2d_3", "add_11"} <= {layer.name for layer in second.layers}


def test_seed_governs_initialisation() -> None:
    first, again, other = built("xception"), built("xception"), built("xception", seed=2)
    pixels = noise(first)
    assert np.array_equal(first(pixels), again(pixels))
    assert not np.array_equal(first(pixels), other(pixels))


def test_head_alone_equals_the_head_of_the_whole() -> None:
    flat = built("xception")
    head = networks.build_head("xception", dropout=0.5, l2=0.01, seed=1)
    for name, variable in networks.learned(head, state=True).items():
        assert np.array_equal(variable, networks.learned(flat, state=True)[name])
    kernel = np.asarray(head.get_layer(networks.LOGIT).kernel)
    np.testing.assert_allclose(head.losses[0], 0.01 * np.square(kernel).sum(), rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_backbone_weights_come_back(name: str, tmp_path: Path) -> None:
    bare = networks.build_bare(name, registry.NETWORKS[name].smallest_size)
    bare.save_weights(tmp_path / "bare.weights.h5")
    flat = built(name)
    networks.load_backbone(flat, tmp_path / "bare.weights.h5")
    pixels = noise(flat)
    maps = keras.Model(flat.input, flat.get_layer(networks.POOL).input)(pixels)
    scaled = flat.get_layer(networks.PREPROCESSING)(pixels)
    np.testing.assert_allclose(maps, bare(scaled), atol=1e-5)


def test_half_a_file_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "bare.weights.h5"
    networks.build_bare("xception", 71).save_weights(path)
    with h5py.File(path, "r+") as file:
        del file["layers/conv2d_3"]
    flat = built("xception")
    before = np.asarray(flat.get_layer("block1_conv1").kernel)
    with pytest.raises(Explained, match="conv2d_3"):
        networks.load_backbone(flat, path)
    assert np.array_equal(flat.get_layer("block1_conv1").kernel, before)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    networks.build_bare("xception", 71).save_weights(tmp_path / "bare.weights.h5")
    (tmp_path / "text.weights.h5").write_text("not HDF5")
    for name in ("bare", "text"):
        with pytest.raises(Explained, match="does not hold the weights of inception_v3"):
            networks.load_backbone(built("inception_v3"), tmp_path / f"{name}.weights.h5")


def test_too_small_inputs_are_refused() -> None:
    with pytest.raises(Explained, match="at least 75 pixels"):
        networks.build("inception_v3", 64, dropout=0, l2=0, seed=1)


def crossing(model: Any, place: int) -> int:
    """Count the numbers that layers from a place on take from layers before it."""
    before = {id(layer.output): layer.output for layer in model.layers[:place]}
    taken = {id(one) for layer in model.layers[place:] for one in keras.tree.flatten(layer.input)}
    return sum(math.prod(before[name].shape[1:]) for name in taken & before.keys())


@pytest.mark.parametrize("size", [97, 224])
@pytest.mark.parametrize("name", NAMES)
def test_registry_knows_what_crosses_a_cut(name: str, size: int) -> None:
    model = networks.build(name, size, dropout=0, l2=0, seed=1)
    facts = registry.NETWORKS[name]
    for block, start in facts.blocks.items():
        assert registry.crossing(name, block, size) == crossing(model, start + 1), block
        inside = [crossing(model, start + 1 + k) for k in range(1, facts.layers_of(block))]
        assert max(inside, default=0) <= registry.crossing(name, f"{block}+1", size), block
    assert crossing(model, facts.layers + 2) == registry.crossing(name, "head", size)
