import gc
import weakref
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from retinopathy import probes, saliency
from retinopathy.errors import Explained

Floats = NDArray[np.float64]

SIDE = 6
GENERATOR = np.random.default_rng(0)
PIXELS = GENERATOR.integers(0, 256, (5, SIDE, SIDE, 3), dtype=np.uint8)

FIRST = GENERATOR.normal(size=(3, 4))
FIRST_BIAS = GENERATOR.normal(size=4) * 100
SECOND = GENERATOR.normal(size=(4, 5))
SECOND_BIAS = GENERATOR.normal(size=5) * 100
DENSE = GENERATOR.normal(size=5)
"""Weights of 1×1 convolutions, so that gradients can be written down pixel by pixel."""

KINDS = ("activation", "relu", "relu6")


def small_model(kind: str, *, head_relu: bool = False) -> keras.Model:
    """Two pointwise convolutions, the second with its ReLU inside, pooling and one dense unit."""
    first_relu = {
        "activation": keras.layers.Activation("relu", name="first_relu"),
        "relu": keras.layers.ReLU(name="first_relu"),
        "relu6": keras.layers.ReLU(max_value=6, name="first_relu"),
    }[kind]
    pixels = keras.Input((SIDE, SIDE, 3), name="pixels")
    x = keras.layers.Rescaling(1 / 10, name="preprocessing")(pixels)
    x = first_relu(keras.layers.Conv2D(4, 1, name="first")(x))
    x = keras.layers.Conv2D(5, 1, activation="relu", name="second")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    if head_relu:
        x = keras.layers.Dense(5, activation="relu", name="hidden")(x)
    x = keras.layers.Dropout(0.5, seed=1, name="dropout")(x)
    model = keras.Model(pixels, keras.layers.Dense(1, name="logit")(x), name=f"small_{kind}")
    model.get_layer("first").set_weights([FIRST[None, None], FIRST_BIAS / 10])
    model.get_layer("second").set_weights([SECOND[None, None], SECOND_BIAS / 10])
    model.get_layer("logit").set_weights([DENSE[:, None], np.array([0.25])])
    return model


def forward(kind: str) -> tuple[Floats, Floats, Floats]:
    """Return the two pre-activations and the feature map, computed with numpy."""
    first = PIXELS / 10 @ FIRST + FIRST_BIAS / 10
    ceiling = 6 if kind == "relu6" else np.inf
    second = first.clip(0, ceiling) @ SECOND + SECOND_BIAS / 10
    return first, second, np.maximum(second, 0)


def backward(kind: str, sign: int, *, guided: bool) -> Floats:
    """Return the closed-form gradient of the logit by the pixels, plain or guided."""
    first, second, features = forward(kind)
    gradient = np.broadcast_to(sign * DENSE / SIDE**2, features.shape)

    def through(gradient: Floats, before: Floats, ceiling: float) -> Floats:
        allowed = (before > 0) & (before < ceiling)
        return gradient * (allowed & (gradient > 0) if guided else allowed)

    gradient = through(gradient, second, np.inf) @ SECOND.T
    gradient = through(gradient, first, 6 if kind == "relu6" else np.inf)
    return gradient @ FIRST.T / 10


def expected_grad_cam(kind: str, sign: int) -> Floats:
    return np.maximum(forward(kind)[2] @ (sign * DENSE / SIDE**2), 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sign", [1, -1])
def test_guided_gradients_are_those_on_paper(kind: str, sign: int) -> None:
    found = saliency.guided_backpropagation(small_model(kind), PIXELS, sign=sign)
    expected = backward(kind, sign, guided=True)
    assert np.abs(expected).max() > 0
    assert found == pytest.approx(expected, abs=1e-6)
    assert not np.allclose(expected, backward(kind, sign, guided=False), atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sign", [1, -1])
def test_plain_probe_has_the_plain_gradient(kind: str, sign: int) -> None:
    probe = probes.probe(small_model(kind), "pool", guided=False)
    _, _, found = probe.gradients(PIXELS.astype(np.float32), np.float32(sign))
    assert found.numpy() == pytest.approx(backward(kind, sign, guided=False), abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sign", [1, -1])
def test_maps_are_those_on_paper(kind: str, sign: int) -> None:
    model = small_model(kind)
    cam = saliency.cam(model, PIXELS, sign=sign)
    assert cam.dtype == np.float32
    assert cam == pytest.approx(forward(kind)[2] @ (sign * DENSE), rel=1e-4, abs=1e-4)
    coarse = saliency.grad_cam(model, PIXELS, sign=sign)
    assert coarse == pytest.approx(expected_grad_cam(kind, sign), rel=1e-4, abs=1e-5)
    fine = saliency.guided_grad_cam(model, PIXELS, sign=sign)
    expected = backward(kind, sign, guided=True) * expected_grad_cam(kind, sign)[..., None]
    assert fine == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_cam_is_grad_cam_up_to_scale_before_the_relu() -> None:
    model = small_model("activation")
    # What the ReLU cuts for one class is what it keeps for the other.
    before = saliency.grad_cam(model, PIXELS) - saliency.grad_cam(model, PIXELS, sign=-1)
    assert saliency.cam(model, PIXELS) == pytest.approx(SIDE**2 * before, rel=1e-4, abs=1e-4)


def test_mean_of_cam_and_bias_is_the_logit() -> None:
    model = small_model("relu")
    logit = model.predict(PIXELS, verbose=0)[:, 0]
    assert saliency.cam(model, PIXELS).mean(axis=(1, 2)) + 0.25 == pytest.approx(logit, rel=1e-4)


def test_grad_cam_of_an_earlier_layer() -> None:
    found = saliency.grad_cam(small_model("activation"), PIXELS, "first")
    first, second, _ = forward("activation")
    gradient = (np.broadcast_to(DENSE / SIDE**2, second.shape) * (second > 0)) @ SECOND.T
    weights = (gradient * (first > 0)).mean(axis=(1, 2), keepdims=True)
    assert found == pytest.approx(np.maximum((first * weights).sum(-1), 0), rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("batch", [1, 2, 5, 8])
def test_batches_change_nothing_and_the_last_partial_one_counts(batch: int) -> None:
    model = small_model("activation")
    for explain in (saliency.cam, saliency.grad_cam, saliency.guided_grad_cam):
        whole, cut = explain(model, PIXELS, batch=5), explain(model, PIXELS, batch=batch)
        assert len(cut) == len(PIXELS)
        assert cut == pytest.approx(whole, rel=1e-4, abs=1e-6)


def test_relu_in_the_head_leaves_grad_cam_plain() -> None:
    model = small_model("activation", head_relu=True)
    fine = saliency.guided_grad_cam(model, PIXELS)
    guided = saliency.guided_backpropagation(model, PIXELS)
    coarse = saliency.grad_cam(model, PIXELS)
    assert fine == pytest.approx(guided * coarse[..., None], rel=1e-4, abs=1e-7)
    with pytest.raises(Explained, match="class activation map"):
        saliency.cam(model, PIXELS)


def everything(model: keras.Model, file: Path) -> tuple[bytes, list[Floats], Floats]:
    """Return the architecture in the saved file, the weights and the outputs."""
    model.save(file)
    with zipfile.ZipFile(file) as opened:
        architecture = opened.read("config.json")
    return architecture, model.get_weights(), model.predict(PIXELS, verbose=0)


def test_explaining_leaves_the_model_and_its_file_as_they_were(tmp_path: Path) -> None:
    model = small_model("relu6")
    architecture, weights, outputs = everything(model, tmp_path / "before.keras")
    for explain in (saliency.cam, saliency.grad_cam, saliency.guided_grad_cam):
        explain(model, PIXELS)
    architecture_after, weights_after, outputs_after = everything(model, tmp_path / "after.keras")
    assert architecture == architecture_after
    reloaded = keras.models.load_model(tmp_path / "after.keras").get_weights()
    assert all(np.array_equal(*pair) for pair in zip(weights, reloaded, strict=True))
    assert all(np.array_equal(*pair) for pair in zip(weights, weights_after, strict=True))
    assert np.array_equal(outputs, outputs_after)
    assert isinstance(model.get_layer("first_relu"), keras.layers.ReLU)
    assert model.get_layer("second").activation is keras.activations.relu
    assert model.get_layer("pool").input is not None  # ill-defined once a layer is called again


def test_reloaded_model_has_the_same_maps(tmp_path: Path) -> None:
    model = small_model("relu6")
    model.save(tmp_path / "model.keras")
    reloaded = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(
        saliency.guided_grad_cam(model, PIXELS), saliency.guided_grad_cam(reloaded, PIXELS)
    )


def test_weights_that_change_later_are_seen() -> None:
    model = small_model("activation")
    before = [explain(model, PIXELS) for explain in (saliency.cam, saliency.guided_grad_cam)]
    kernel, bias = model.get_layer("logit").get_weights()
    model.get_layer("logit").set_weights([2 * kernel, bias])
    after = [explain(model, PIXELS) for explain in (saliency.cam, saliency.guided_grad_cam)]
    assert after[0] == pytest.approx(2 * before[0], rel=1e-5)
    assert after[1] == pytest.approx(4 * before[1], rel=1e-5)


def test_explained_models_are_let_go() -> None:
    model = small_model("activation")
    saliency.guided_grad_cam(model, PIXELS)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_frozen_layers_are_explained_too() -> None:
    model = small_model("activation")
    expected = saliency.guided_grad_cam(model, PIXELS)
    frozen = small_model("activation")
    frozen.get_layer("first").trainable = False
    assert np.array_equal(saliency.guided_grad_cam(frozen, PIXELS), expected)


def test_network_without_relu_is_refused_by_guided_methods_alone() -> None:
    pixels = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Conv2D(4, 3, activation="swish")(pixels)
    x = keras.layers.LeakyReLU()(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(pixels, keras.layers.Dense(1, name="logit")(x))
    assert saliency.grad_cam(model, PIXELS).shape == (5, 4, 4)
    for explain in (saliency.guided_backpropagation, saliency.guided_grad_cam):
        with pytest.raises(Explained, match="ReLU"):
            explain(model, PIXELS)


def test_nested_backbone_is_refused() -> None:
    backbone = keras.Sequential(
        [keras.Input((SIDE, SIDE, 3)), keras.layers.Conv2D(4, 3, activation="relu")]
    )
    pixels = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.GlobalAveragePooling2D(name="pool")(backbone(pixels))
    model = keras.Model(pixels, keras.layers.Dense(1, name="logit")(x))
    for explain in (saliency.cam, saliency.grad_cam, saliency.guided_grad_cam):
        with pytest.raises(Explained, match="flat"):
            explain(model, PIXELS)


def test_layer_that_is_not_there_is_explained() -> None:
    with pytest.raises(Explained, match="block99"):
        saliency.grad_cam(small_model("relu"), PIXELS, "block99")


def test_sign_is_one_of_two() -> None:
    with pytest.raises(ValueError, match="sign"):
        saliency.cam(small_model("relu"), PIXELS, sign=0)


# Pictures -----------------------------------------------------------------------------------------


def test_normalised_maps_span_the_unit_range_each_by_itself() -> None:
    maps = np.array([[[-5.0, 2.0], [4.0, 0.0]], [[0.0, 0.1], [0.2, -1.0]]])
    expected = np.array([[[0.0, 0.5], [1.0, 0.0]], [[0.0, 0.5], [1.0, 0.0]]])
    assert saliency.normalise(maps) == pytest.approx(expected)
    assert saliency.normalise(maps[0]) == pytest.approx(expected[0])


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-320])
def test_maps_without_evidence_are_not_blown_up(value: float) -> None:
    found = saliency.normalise(np.full((3, 3), value))
    assert np.isfinite(found).all()
    assert (found == 0).all() or value > 0


def test_strongest_pixels_can_be_cut() -> None:
    heat = np.ones((10, 10))
    heat[0, 0] = 1000
    assert saliency.normalise(heat, 95).min() == 1


def test_maps_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        saliency.normalise(np.array([[np.nan, 1.0]]))


def test_strength_is_the_largest_absolute_value_over_colours() -> None:
    assert saliency.strength(np.array([[[1.0, -3.0, 2.0]]], np.float32)).tolist() == [[3.0]]


@pytest.mark.parametrize("box", [(40, 10, 120), (-30, -50, 260), (70, 60, 300), (0, 0, 14)])
def test_a_dot_is_found_where_it_was_drawn(box: tuple[int, int, int]) -> None:
    left, top, side = box
    grid = 28 if side >= 28 else 14
    seen = 0
    for row in range(0, grid, 3):
        for column in range(0, grid, 5):
            heat = np.zeros((grid, grid), np.float32)
            heat[row, column] = 1
            x, y = (left + (column + 0.5) * side / grid, top + (row + 0.5) * side / grid)
            placed = saliency.place(heat, box, (160, 200))
            margin = side / grid
            if not (margin < x < 200 - margin and margin < y < 160 - margin):
                continue
            seen += 1
            rows, columns = np.indices(placed.shape)
            inner = 0 < row < grid - 1 and 0 < column < grid - 1
            if inner:
                assert (placed * (columns + 0.5)).sum() / placed.sum() == pytest.approx(x, abs=0.05)
                assert (placed * (rows + 0.5)).sum() / placed.sum() == pytest.approx(y, abs=0.05)
    assert seen > 3


def test_overlay_leaves_what_lies_outside_the_box() -> None:
    image = np.full((50, 80, 3), 90, np.uint8)
    before = image.copy()
    drawn = saliency.overlay(image, np.ones((7, 7), np.float32), (60, -10, 30), 0.5)
    inside = np.zeros((50, 80), bool)
    inside[:20, 60:] = True
    assert (drawn[~inside] == 90).all()
    assert (drawn[inside] != 90).any(axis=-1).all()
    assert np.array_equal(image, before)


def test_overlay_beside_the_photograph_changes_nothing() -> None:
    image = np.full((50, 80, 3), 90, np.uint8)
    for box in ((90, 0, 10), (-20, 0, 10), (0, 60, 10), (0, -30, 20)):
        assert np.array_equal(saliency.overlay(image, np.ones((3, 3), np.float32), box), image)


def test_overlay_is_transparent_or_opaque_as_told() -> None:
    image = GENERATOR.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    heat = np.linspace(0, 1, 4, dtype=np.float32).reshape(2, 2)
    assert np.array_equal(saliency.overlay(image, heat, alpha=0), image)
    opaque = saliency.overlay(image, heat, alpha=1).astype(int).sum(axis=-1)
    assert opaque[0, 0] < opaque[-1, -1]  # the colour map's brightness rises with the heat


# The real thing -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def xception() -> keras.Model:
    keras.utils.set_random_seed(1)
    pixels = keras.Input((96, 96, 3), name="pixels")
    scaled = keras.layers.Rescaling(1 / 127.5, -1, name="preprocessing")(pixels)
    backbone = keras.applications.Xception(include_top=False, weights=None, input_tensor=scaled)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(backbone.output)
    x = keras.layers.Dropout(0.5, name="dropout")(x)
    return keras.Model(pixels, keras.layers.Dense(1, name="logit")(x))


@pytest.mark.networks
def test_xception_is_explained_in_every_way(xception: keras.Model) -> None:
    pixels = GENERATOR.integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)
    weights = [weight.copy() for weight in xception.get_weights()]
    outputs = xception.predict(pixels, verbose=0)
    assert probes.count_rectifiers(xception) == 35
    cam, coarse = saliency.cam(xception, pixels), saliency.grad_cam(xception, pixels)
    assert cam.shape == coarse.shape == (3, 3, 3)
    scale = coarse.max() / np.maximum(cam, 0).max()
    assert np.allclose(np.maximum(cam, 0) * scale, coarse, rtol=1e-3, atol=1e-6 * coarse.max())
    guided = saliency.guided_backpropagation(xception, pixels)
    probe = probes.probe(xception, "pool", guided=False)
    plain = probe.gradients(pixels.astype(np.float32), np.float32(1))[2].numpy()
    assert guided.shape == plain.shape == pixels.shape
    assert np.abs(guided - plain).max() > 0.1 * np.abs(plain).max()
    assert saliency.guided_grad_cam(xception, pixels).shape == pixels.shape
    assert all(np.array_equal(*pair) for pair in zip(weights, xception.get_weights(), strict=True))
    assert np.array_equal(outputs, xception.predict(pixels, verbose=0))


@pytest.mark.networks
def test_mixed_precision_is_explained() -> None:
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = small_model("relu")
        found = saliency.guided_grad_cam(model, PIXELS)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    expected = saliency.guided_grad_cam(small_model("relu"), PIXELS)
    assert found.dtype == np.float32
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.99
