import gc
import weakref
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from retinopathy import decoding, networks, overlays, photographs, probes, registry, saliency
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

FAST = (saliency.cam, saliency.grad_cam, saliency.guided_backpropagation, saliency.guided_grad_cam)
AVERAGING = (saliency.integrated_gradients, saliency.smooth_grad)
EVERY = (*FAST, *AVERAGING)


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
    for explain in EVERY:
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
    for explain in EVERY:
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
    for explain in EVERY:
        assert np.array_equal(explain(model, PIXELS), explain(reloaded, PIXELS))


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
    for explain in AVERAGING:
        assert np.abs(explain(model, PIXELS)).max() > 0
    for guided in (saliency.guided_backpropagation, saliency.guided_grad_cam):
        with pytest.raises(Explained, match="ReLU"):
            guided(model, PIXELS)


def test_nested_backbone_is_refused() -> None:
    backbone = keras.Sequential(
        [keras.Input((SIDE, SIDE, 3)), keras.layers.Conv2D(4, 3, activation="relu")]
    )
    pixels = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.GlobalAveragePooling2D(name="pool")(backbone(pixels))
    model = keras.Model(pixels, keras.layers.Dense(1, name="logit")(x))
    for explain in EVERY:
        with pytest.raises(Explained, match="flat"):
            explain(model, PIXELS)


def test_layer_that_is_not_there_is_explained() -> None:
    with pytest.raises(Explained, match="block99"):
        saliency.grad_cam(small_model("relu"), PIXELS, "block99")


def test_sign_is_one_of_two() -> None:
    for explain in EVERY:
        with pytest.raises(ValueError, match="sign"):
            explain(small_model("relu"), PIXELS, sign=0)


@pytest.mark.parametrize("explain", EVERY, ids=lambda explain: explain.__name__)
def test_no_photographs_have_no_maps(explain: Callable[..., Floats]) -> None:
    assert len(explain(small_model("relu"), PIXELS[:0])) == 0


# References ---------------------------------------------------------------------------------------


def linear_model() -> keras.Model:
    """The logit is a weighed sum of the pixels: its gradient is `LINEAR` everywhere."""
    pixels = keras.Input((SIDE, SIDE, 3), name="pixels")
    x = keras.layers.Conv2D(4, 1, name="first")(pixels)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(pixels, keras.layers.Dense(1, name="logit")(x))
    model.get_layer("first").set_weights([FIRST[None, None], FIRST_BIAS])
    model.get_layer("logit").set_weights([DENSE[:4, None], np.array([0.25])])
    return model


LINEAR = FIRST @ DENSE[:4] / SIDE**2


@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("sign", [1, -1])
def test_integrated_gradients_of_a_linear_model_are_exact(
    steps: int, sign: int, generator: np.random.Generator
) -> None:
    baseline = generator.uniform(0, 255, PIXELS.shape)
    found = saliency.integrated_gradients(
        linear_model(), PIXELS, sign=sign, steps=steps, baseline=baseline
    )
    assert found.dtype == np.float32
    assert found == pytest.approx(sign * (PIXELS - baseline) * LINEAR, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_integrated_gradients_are_complete_pixel_by_pixel(kind: str) -> None:
    # Convolutions are pointwise and the pool is a mean: each pixel has its own part of the logit.
    model = small_model(kind)
    dark = np.zeros((1, 1, 1, 3))
    parts = [saliency.cam(model, PIXELS * share) / SIDE**2 for share in (1, 0)]
    found = saliency.integrated_gradients(model, PIXELS, steps=500, baseline=dark)
    # Where a rectifier bends the way of a pixel, the rule errs by a part of a step.
    assert found.sum(axis=-1) == pytest.approx(parts[0] - parts[1], abs=0.002)
    assert np.abs(parts[0] - parts[1]).max() > 0.1


def test_integrated_gradients_start_from_a_blurred_copy() -> None:
    model = small_model("activation")
    found = saliency.integrated_gradients(model, PIXELS, steps=500)
    logit = [model.predict(x, verbose=0)[:, 0] for x in (PIXELS, saliency.blurred(PIXELS))]
    assert found.sum(axis=(1, 2, 3)) == pytest.approx(logit[0] - logit[1], abs=0.05)
    given = saliency.integrated_gradients(
        model, PIXELS, steps=500, baseline=saliency.blurred(PIXELS)
    )
    assert np.array_equal(found, given)


def test_blurred_copy_has_no_lesion_and_keeps_the_rest() -> None:
    photograph = np.full((1, 200, 200, 3), 120, np.uint8)
    photograph[:, 98:103, 98:103] = 10
    copy = saliency.blurred(photograph)
    assert copy.dtype == np.float32
    assert copy == pytest.approx(np.full_like(copy, 120), abs=5)


def test_the_black_around_the_retina_does_not_run_into_the_blurred_copy() -> None:
    down, across = np.mgrid[:200, :200]
    retina = (np.hypot(down - 100, across - 100) < 80)[..., None]
    photograph = np.where(retina, np.array([180, 90, 40]), 0).astype(np.uint8)[None]
    assert saliency.blurred(photograph) == pytest.approx(photograph.astype(np.float32), abs=1e-2)


def test_black_baseline_blames_nothing_black_and_the_blurred_one_does() -> None:
    photograph = np.full((1, SIDE, SIDE, 3), 120, np.uint8)
    photograph[0, 2, 3] = 0
    found = saliency.integrated_gradients(linear_model(), photograph)
    assert np.unravel_index(np.abs(found).sum(axis=-1).argmax(), found.shape[:3]) == (0, 2, 3)
    black = saliency.integrated_gradients(linear_model(), photograph, baseline=np.zeros(3))
    assert (black[0, 2, 3] == 0).all()
    assert np.abs(black).max() > 0


def test_smooth_grad_of_a_linear_model_is_its_gradient() -> None:
    found = saliency.smooth_grad(linear_model(), PIXELS, samples=3, noise=0.5)
    assert found.dtype == np.float32
    assert found == pytest.approx(np.broadcast_to(LINEAR, PIXELS.shape), rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sign", [1, -1])
def test_smooth_grad_without_noise_is_the_plain_gradient(kind: str, sign: int) -> None:
    found = saliency.smooth_grad(small_model(kind), PIXELS, sign=sign, samples=3, noise=0)
    assert found == pytest.approx(backward(kind, sign, guided=False), abs=1e-6)


def test_noise_of_smooth_grad_has_the_stated_deviation() -> None:
    pixels = keras.Input((SIDE, SIDE, 3), name="pixels")
    x = keras.layers.GlobalAveragePooling2D(name="pool")(keras.layers.Multiply()([pixels, pixels]))
    model = keras.Model(pixels, keras.layers.Dense(1, name="logit")(x))
    model.get_layer("logit").set_weights([np.ones((3, 1)), np.zeros(1)])
    # The logit is a sum of squares, so its gradient tells the pixels, and here their noise.
    noisy = saliency.smooth_grad(model, PIXELS, samples=1, noise=0.2) * SIDE**2 / 2
    spread = np.ptp(PIXELS.reshape(5, -1).astype(float), axis=1)
    noise = (noisy - PIXELS).reshape(5, -1) / spread[:, None]
    assert noise.std() == pytest.approx(0.2, rel=0.1)
    assert noise == pytest.approx(np.broadcast_to(noise[0], noise.shape), abs=1e-3)
    many = saliency.smooth_grad(model, PIXELS[:1], samples=400, noise=0.2) * SIDE**2 / 2
    assert np.std(many - PIXELS[:1]) == pytest.approx(0.2 * spread[0] / 20, rel=0.2)


def test_noise_follows_the_seed_and_not_the_other_photographs() -> None:
    model = small_model("activation")
    found = saliency.smooth_grad(model, PIXELS, samples=4, seed=1)
    assert np.array_equal(found, saliency.smooth_grad(model, PIXELS, samples=4, seed=1))
    assert not np.array_equal(found, saliency.smooth_grad(model, PIXELS, samples=4, seed=2))
    alone = saliency.smooth_grad(model, PIXELS[3:4], samples=4, seed=1)
    assert alone[0] == pytest.approx(found[3], rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("explain", AVERAGING, ids=lambda explain: explain.__name__)
def test_the_other_class_has_the_negative_map(explain: Callable[..., Floats]) -> None:
    model = small_model("relu")
    assert explain(model, PIXELS, sign=-1) == pytest.approx(-explain(model, PIXELS), abs=1e-7)


# Pictures -----------------------------------------------------------------------------------------


def test_normalised_maps_span_the_unit_range_each_by_itself() -> None:
    maps = np.array([[[-5.0, 2.0], [4.0, 0.0]], [[0.0, 0.1], [0.2, -1.0]]])
    expected = np.array([[[0.0, 0.5], [1.0, 0.0]], [[0.0, 0.5], [1.0, 0.0]]])
    assert overlays.normalise(maps) == pytest.approx(expected)
    assert overlays.normalise(maps[0]) == pytest.approx(expected[0])


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-320])
def test_maps_without_evidence_are_not_blown_up(value: float) -> None:
    found = overlays.normalise(np.full((3, 3), value))
    assert np.isfinite(found).all()
    assert (found == 0).all() or value > 0


def test_strongest_pixels_can_be_cut() -> None:
    heat = np.ones((10, 10))
    heat[0, 0] = 1000
    assert overlays.normalise(heat, 95).min() == 1


def test_maps_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        overlays.normalise(np.array([[np.nan, 1.0]]))


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
            placed = overlays.place(heat, box, (160, 200))
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


@pytest.mark.parametrize("dot", [(60, 200), (77, 81), (333, 241), (204, 150)])
@pytest.mark.parametrize("box", [(-41, -60, 451), (15, 20, 391)])
def test_a_dot_on_the_photograph_is_found_on_it_by_the_maps(
    dot: tuple[int, int], box: tuple[int, int, int]
) -> None:
    photograph = np.full((301, 407, 3), 60, np.uint8)
    x, y = dot
    photograph[y - 2 : y + 3, x - 2 : x + 3] = 250
    data = decoding.encode_png(photograph)
    seen = photographs.prepare(data, photographs.CropBox(*box), 96, "none")[None]
    cell, pixel = box[2] / 12, box[2] / 96
    for heat, width in (
        (saliency.cam(brightness_model(), seen)[0], cell),
        (saliency.integrated_gradients(brightness_model(), seen)[0].sum(axis=-1), pixel),
    ):
        placed = overlays.place(heat, box, photograph.shape[:2])
        row, column = np.unravel_index(placed.argmax(), placed.shape)
        # The peak is in the middle of the cell that holds most of the dot, whose side is 5 pixels.
        assert abs(column - x) <= width / 2 + 3
        assert abs(row - y) <= width / 2 + 3


def brightness_model() -> keras.Model:
    """The feature map is the mean brightness of 8×8 pixels, on a grid of 12×12 cells."""
    pixels = keras.Input((96, 96, 3), name="pixels")
    x = keras.layers.AveragePooling2D(8)(pixels)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(pixels, keras.layers.Dense(1, name="logit")(x))
    model.get_layer("logit").set_weights([np.ones((3, 1)), np.zeros(1)])
    return model


def test_overlay_leaves_what_lies_outside_the_box() -> None:
    image = np.full((50, 80, 3), 90, np.uint8)
    before = image.copy()
    drawn = overlays.overlay(image, np.ones((7, 7), np.float32), (60, -10, 30), 0.5)
    inside = np.zeros((50, 80), bool)
    inside[:20, 60:] = True
    assert (drawn[~inside] == 90).all()
    assert (drawn[inside] != 90).any(axis=-1).all()
    assert np.array_equal(image, before)


def test_overlay_beside_the_photograph_changes_nothing() -> None:
    image = np.full((50, 80, 3), 90, np.uint8)
    for box in ((90, 0, 10), (-20, 0, 10), (0, 60, 10), (0, -30, 20)):
        assert np.array_equal(overlays.overlay(image, np.ones((3, 3), np.float32), box), image)


def test_overlay_is_transparent_or_opaque_as_told(generator: np.random.Generator) -> None:
    image = generator.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    heat = np.linspace(0, 1, 4, dtype=np.float32).reshape(2, 2)
    assert np.array_equal(overlays.overlay(image, heat, alpha=0), image)
    opaque = overlays.overlay(image, heat, alpha=1).astype(int).sum(axis=-1)
    assert opaque[0, 0] < opaque[-1, -1]  # the colour map's brightness rises with the heat


# The real thing -----------------------------------------------------------------------------------


def lively(name: str, pixels: NDArray[np.uint8]) -> keras.Model:
    """Return a random network that tells the pixels apart: its statistics are those of them.

    With the statistics that Keras starts from, its logits hardly vary.
    """
    model = networks.build(name, pixels.shape[1], dropout=0.0, l2=0.001, seed=1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable, layer.momentum = True, 0.0
    model(pixels.astype(np.float32), training=True)
    return model


@pytest.mark.networks
@pytest.mark.parametrize("name", sorted(registry.NETWORKS))
def test_networks_are_explained_in_every_way(name: str, generator: np.random.Generator) -> None:
    size = max(96, registry.NETWORKS[name].smallest_size)
    pixels = generator.integers(0, 256, (2, size, size, 3), dtype=np.uint8)
    model = lively(name, pixels)
    weights = [weight.copy() for weight in model.get_weights()]
    outputs = model.predict(pixels, verbose=0)
    assert probes.count_rectifiers(model) > 30
    cam, coarse = saliency.cam(model, pixels), saliency.grad_cam(model, pixels)
    scale = cam[0].size
    assert np.maximum(cam, 0) / scale == pytest.approx(
        coarse, rel=1e-3, abs=float(cam.max()) * 1e-5
    )
    bias = model.get_layer("logit").get_weights()[1]
    assert cam.mean(axis=(1, 2)) + bias == pytest.approx(outputs[:, 0], rel=1e-3, abs=1e-4)
    plain = saliency.smooth_grad(model, pixels, samples=1, noise=0)
    guided = saliency.guided_backpropagation(model, pixels)
    assert guided.shape == plain.shape == pixels.shape
    assert np.abs(guided - plain).max() > 0.1 * np.abs(plain).max()
    assert saliency.guided_grad_cam(model, pixels).shape == pixels.shape
    assert all(np.array_equal(*pair) for pair in zip(weights, model.get_weights(), strict=True))
    assert np.array_equal(outputs, model.predict(pixels, verbose=0))


@pytest.mark.networks
def test_integrated_gradients_of_xception_are_complete(generator: np.random.Generator) -> None:
    # Smooth pictures and a short way: a random network answers with so many bends that a long one
    # through noise takes more steps than a test has time for.
    coarse = generator.integers(0, 256, (2, 6, 6, 3), dtype=np.uint8)
    pixels = np.stack([cv2.resize(one, (96, 96), interpolation=cv2.INTER_CUBIC) for one in coarse])
    model = lively("xception", pixels)
    dimmed = pixels * np.float32(0.9)
    logit = [model.predict(x, verbose=0)[:, 0] for x in (pixels, dimmed)]
    found = saliency.integrated_gradients(model, pixels, steps=64, baseline=dimmed)
    expected = logit[0] - logit[1]
    assert np.abs(expected).min() > 0.05
    assert found.sum(axis=(1, 2, 3)) == pytest.approx(expected, rel=0.05)


@pytest.mark.networks
def test_mixed_precision_is_explained() -> None:
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = small_model("relu")
        found = [explain(model, PIXELS) for explain in EVERY]
    finally:
        keras.mixed_precision.set_global_policy("float32")
    expected = [explain(small_model("relu"), PIXELS) for explain in EVERY]
    for half, whole in zip(found, expected, strict=True):
        assert half.dtype == np.float32
        assert np.corrcoef(half.ravel(), whole.ravel())[0, 1] > 0.99


@pytest.mark.networks
def test_xception_in_mixed_precision_is_explained(generator: np.random.Generator) -> None:
    pixels = generator.integers(0, 256, (2, 96, 96, 3), dtype=np.uint8)
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        model = lively("xception", pixels)
        logit = np.asarray(model(pixels, training=False), np.float32)[:, 0]
        cam = saliency.cam(model, pixels)
        guided = saliency.guided_backpropagation(model, pixels)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert model.get_layer("pool").compute_dtype == "float16"
    bias = model.get_layer("logit").get_weights()[1]
    # Half precision has 11 bits: what is summed is off by up to 2⁻¹¹ of itself.
    parts = float(np.abs(cam).mean(axis=(1, 2)).max())
    assert cam.mean(axis=(1, 2)) + bias == pytest.approx(logit, abs=2**-10 * parts)
    assert cam.dtype == guided.dtype == np.float32
    assert np.isfinite(guided).all()
    assert (np.abs(guided).max(axis=(1, 2, 3)) > 0).all()
