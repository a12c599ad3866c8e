import keras
import numpy as np
import pytest

from retinopathy import explaining, maps, networks, probes, saliency
from retinopathy.methods import FEATURES, KEPT, METHODS, TWO_SIDED

SIDE = 8
SEEN = np.random.default_rng(0).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(1)
    pixels = keras.Input((SIDE, SIDE, 3), name="pixels")
    x = keras.layers.Rescaling(1 / 128, -1)(pixels)
    x = keras.layers.Conv2D(6, 3, strides=2, padding="same", activation="relu")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(pixels, keras.layers.Dense(1, name="logit")(x))


def test_names_of_layers_are_those_of_the_networks() -> None:
    assert {FEATURES, probes.POOL, networks.POOL} == {FEATURES}


def test_maps_are_on_the_grid_of_their_layer(model: keras.Model) -> None:
    found = explaining.explain(model, SEEN, samples=3)
    assert list(found) == list(METHODS)
    for method, heat in found.items():
        side = 4 if METHODS[method].layer == FEATURES else SIDE
        assert heat.shape == (3, side, side)
        assert heat.dtype == np.float32
        assert heat.min() >= 0 or method in ("cam", "integrated_gradients")


def test_only_the_methods_asked_for_are_computed(model: keras.Model) -> None:
    assert list(explaining.explain(model, SEEN, ["smooth_grad", "cam"], samples=2)) == [
        "smooth_grad",
        "cam",
    ]
    with pytest.raises(KeyError):
        explaining.explain(model, SEEN, ["occlusion"])


def test_colours_are_reduced_as_said(model: keras.Model) -> None:
    found = explaining.explain(model, SEEN, samples=5)
    whole = saliency.integrated_gradients(model, SEEN, steps=5)
    assert found["integrated_gradients"] == pytest.approx(whole.sum(axis=-1), abs=1e-6)
    guided = saliency.guided_grad_cam(model, SEEN)
    assert np.array_equal(found["guided_grad_cam"], np.abs(guided).max(axis=-1))


def test_samples_are_averaged_where_any_are(model: keras.Model) -> None:
    few, many = (explaining.explain(model, SEEN, samples=samples) for samples in (1, 9))
    changed = {name for name in METHODS if not np.array_equal(few[name], many[name])}
    assert changed == {"integrated_gradients", "smooth_grad"}


def test_mirrored_maps_tell_the_other_class_and_others_do_not(model: keras.Model) -> None:
    diseased = explaining.explain(model, SEEN, samples=2)
    healthy = explaining.explain(model, SEEN, sign=-1, samples=2)
    for method, about in METHODS.items():
        follows = np.allclose(np.abs(healthy[method]), np.abs(diseased[method]), atol=1e-7)
        assert follows == about.mirrored, method


def test_all_maps_of_a_sheet_are_those_of_the_two_classes(model: keras.Model) -> None:
    found = explaining.explain_classes(model, SEEN, 2)
    assert list(found) == [(method, name) for name, methods in KEPT.items() for method in methods]
    assert set(TWO_SIDED) == {method for method, name in found if name == "healthy"}
    healthy = explaining.explain(model, SEEN, ["grad_cam"], sign=-1)["grad_cam"]
    assert np.array_equal(maps.of_class(found, "healthy")["grad_cam"], healthy)


def test_no_photographs_have_no_maps(model: keras.Model) -> None:
    found = explaining.explain(model, SEEN[:0], samples=2)
    assert {method: heat.shape[0] for method, heat in found.items()} == dict.fromkeys(METHODS, 0)
