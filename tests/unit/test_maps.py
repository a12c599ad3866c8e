from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from retinopathy import maps, saliency, sightings
from retinopathy.errors import Explained

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


def kept(count: int = 3) -> maps.Maps:
    shapes = {"pool": (count, 2, 2), "pixels": (count, SIDE, SIDE)}
    generator = np.random.default_rng(0)
    heat = {
        (method, name): generator.normal(size=shapes[maps.METHODS[method].layer]).astype(np.float32)
        for name, methods in maps.KEPT.items()
        for method in methods
    }
    images = tuple(f"{number}_left" for number in range(count))
    boxes = np.array([[-5, 3, 100 + number] for number in range(count)], np.int64).reshape(-1, 3)
    return maps.Maps(images, boxes, "referable/xception/96/…", heat)


def same(one: maps.Maps, other: maps.Maps) -> bool:
    return (
        (one.images, one.run, list(one.heat)) == (other.images, other.run, list(other.heat))
        and np.array_equal(one.boxes, other.boxes)
        and all(np.array_equal(one.heat[key], other.heat[key]) for key in one.heat)
    )


# Methods ------------------------------------------------------------------------------------------


def test_methods_are_named_and_ordered_as_everywhere() -> None:
    assert {name: method.title for name, method in maps.METHODS.items()} == {
        "cam": "CAM",
        "grad_cam": "Grad-CAM",
        "guided_backpropagation": "Guided backpropagation",
        "guided_grad_cam": "Guided Grad-CAM",
        "integrated_gradients": "Integrated gradients",
        "smooth_grad": "SmoothGrad",
    }


def test_sentences_speak_of_all_methods_and_of_no_others() -> None:
    """They are written where there is no network, so that they name the methods anew."""
    assert tuple(maps.METHODS) == sightings.METHODS


def test_maps_are_on_the_grid_of_their_layer(model: keras.Model) -> None:
    found = maps.explain(model, SEEN, samples=3)
    assert list(found) == list(maps.METHODS)
    for method, heat in found.items():
        side = 4 if maps.METHODS[method].layer == "pool" else SIDE
        assert heat.shape == (3, side, side)
        assert heat.dtype == np.float32
        assert heat.min() >= 0 or method in ("cam", "integrated_gradients")


def test_only_the_methods_asked_for_are_computed(model: keras.Model) -> None:
    assert list(maps.explain(model, SEEN, ["smooth_grad", "cam"], samples=2)) == [
        "smooth_grad",
        "cam",
    ]
    with pytest.raises(KeyError):
        maps.explain(model, SEEN, ["occlusion"])


def test_colours_are_reduced_as_said(model: keras.Model) -> None:
    found = maps.explain(model, SEEN, samples=5)
    whole = saliency.integrated_gradients(model, SEEN, steps=5)
    assert found["integrated_gradients"] == pytest.approx(whole.sum(axis=-1), abs=1e-6)
    guided = saliency.guided_grad_cam(model, SEEN)
    assert np.array_equal(found["guided_grad_cam"], np.abs(guided).max(axis=-1))


def test_samples_are_averaged_where_any_are(model: keras.Model) -> None:
    few, many = (maps.explain(model, SEEN, samples=samples) for samples in (1, 9))
    changed = {name for name in maps.METHODS if not np.array_equal(few[name], many[name])}
    assert changed == {"integrated_gradients", "smooth_grad"}


def test_mirrored_maps_tell_the_other_class_and_others_do_not(model: keras.Model) -> None:
    diseased = maps.explain(model, SEEN, samples=2)
    healthy = maps.explain(model, SEEN, sign=-1, samples=2)
    for method, about in maps.METHODS.items():
        follows = np.allclose(np.abs(healthy[method]), np.abs(diseased[method]), atol=1e-7)
        assert follows == about.mirrored, method


def test_all_maps_of_a_sheet_are_those_of_the_two_classes(model: keras.Model) -> None:
    found = maps.explain_classes(model, SEEN, 2)
    assert list(found) == [(method, "diseased") for method in maps.METHODS] + [
        (method, "healthy") for method in maps.METHODS if not maps.METHODS[method].mirrored
    ]
    healthy = maps.explain(model, SEEN, ["grad_cam"], sign=-1)["grad_cam"]
    assert np.array_equal(maps.of_class(found, "healthy")["grad_cam"], healthy)


def test_no_photographs_have_no_maps(model: keras.Model) -> None:
    found = maps.explain(model, SEEN[:0], samples=2)
    assert {method: heat.shape[0] for method, heat in found.items()} == dict.fromkeys(
        maps.METHODS, 0
    )


# Files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 3])
def test_maps_are_read_as_they_were_written(tmp_path: Path, count: int) -> None:
    written = kept(count)
    maps.write(tmp_path / "maps.h5", written)
    assert same(maps.read(tmp_path / "maps.h5"), written)
    assert [path.name for path in tmp_path.iterdir()] == ["maps.h5"]


def test_a_run_without_predictions_keeps_all_its_maps_empty(tmp_path: Path) -> None:
    maps.write(tmp_path / "maps.h5", maps.none("a/run"))
    found = maps.read(tmp_path / "maps.h5")
    assert same(found, maps.none("a/run"))
    assert set(found.heat) == set(kept().heat)
    assert {len(heat) for heat in found.heat.values()} == {0}


def test_files_say_what_they_hold_to_any_program(tmp_path: Path) -> None:
    maps.write(tmp_path / "maps.h5", kept())
    with h5py.File(tmp_path / "maps.h5") as file:
        stored = file["guided_grad_cam/healthy"]
        assert dict(stored.attrs) == {
            "method": "guided_grad_cam",
            "layer": "pixels",
            "class": "healthy",
            "score": "logit",
        }
        assert file["cam/diseased"].attrs["layer"] == "pool"
        assert (stored.dtype, stored.compression) == (np.float32, "gzip")
        assert list(file["image"].asstr()) == ["0_left", "1_left", "2_left"]
        assert file["crop_box"][1].tolist() == [-5, 3, 101]


@pytest.mark.parametrize("name", ["image", "crop_box"])
def test_a_file_that_lacks_a_dataset_is_refused(tmp_path: Path, name: str) -> None:
    maps.write(tmp_path / "maps.h5", kept())
    with h5py.File(tmp_path / "maps.h5", "a") as file:
        del file[name]
    with pytest.raises(Explained, match=f"lacks {name}"):
        maps.read(tmp_path / "maps.h5")


@pytest.mark.parametrize("name", ["method", "layer", "class", "score"])
def test_maps_that_lack_an_attribute_are_refused(tmp_path: Path, name: str) -> None:
    maps.write(tmp_path / "maps.h5", kept())
    with h5py.File(tmp_path / "maps.h5", "a") as file:
        del file["grad_cam/healthy"].attrs[name]
    with pytest.raises(Explained, match="/grad_cam/healthy"):
        maps.read(tmp_path / "maps.h5")


def test_a_file_without_its_run_or_with_other_photographs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "maps.h5"
    maps.write(path, kept())
    with h5py.File(path, "a") as file:
        del file["cam/diseased"]
        file["cam/diseased"] = np.zeros((2, 4, 4))
        file["cam/diseased"].attrs.update(
            {"method": "cam", "layer": "pool", "class": "diseased", "score": "logit"}
        )
    with pytest.raises(Explained, match=r"3 photographs, cam/diseased \(2, 4, 4\)"):
        maps.read(path)
    with h5py.File(path, "a") as file:
        del file["crop_box"]
        file["crop_box"] = np.zeros((1, 3))
    with pytest.raises(Explained, match=r"crop boxes \(1, 3\)"):
        maps.read(path)
    with h5py.File(path, "a") as file:
        del file.attrs["run"]
    with pytest.raises(Explained, match="attribute run"):
        maps.read(path)


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "maps.h5").write_text("image,level\n")
    with pytest.raises(Explained, match="cannot be read as maps"):
        maps.read(tmp_path / "maps.h5")


# Pictures -----------------------------------------------------------------------------------------


def heat(side: int) -> NDArray[np.float32]:
    """A map with its peak in the upper left corner, and what speaks against the class elsewhere."""
    found = np.full((side, side), -1, np.float32)
    found[:2, :2] = 3
    return found


@pytest.mark.parametrize("method", list(maps.METHODS))
def test_maps_are_drawn_from_nothing_to_their_largest_value(method: str) -> None:
    found = maps.scaled(heat(16), method)
    assert (found.min(), found.max()) == (0, 1)
    assert (found[2:] == 0).all()
    assert (maps.scaled(-np.abs(heat(16)), method) == 0).all()


def test_strongest_pixels_do_not_outshine_a_map_of_pixels() -> None:
    found = np.ones((100, 100), np.float32)
    found[0, :5] = 1000
    assert maps.scaled(found, "guided_grad_cam")[50, 50] == 1
    assert maps.scaled(found, "cam")[50, 50] < 0.01


def test_a_sheet_has_a_title_for_each_picture() -> None:
    picture = np.full((64, 64, 3), 90, np.uint8)
    own = {"cam": heat(4), "guided_grad_cam": heat(64), "grad_cam": heat(4)}
    pictures = maps.panels(picture, own)
    assert maps.columns(own) == [
        "photograph",
        "CAM, 4 × 4 cells",
        "Guided Grad-CAM",
        "Guided Grad-CAM alone",
    ]
    assert [one.shape for one in pictures] == [(64, 64, 3)] * 4
    assert {one.dtype.name for one in pictures} == {"uint8"}
    assert (picture == 90).all()


def test_a_line_is_drawn_around_half_of_the_largest_value() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    found = np.zeros((8, 8), np.float32)
    found[2:6, 2:6] = 1
    white = (maps.lined(picture, found, "cam") == 255).all(axis=-1)
    rows, columns = np.nonzero(white)
    assert 14 <= rows.min() <= 18
    assert 46 <= columns.max() <= 50
    assert not white[24:40, 24:40].any()
    assert not (maps.over(picture, found, "cam") == 255).all(axis=-1).any()


def test_a_map_without_evidence_is_told() -> None:
    assert "no place" in maps.remark(-np.ones((3, 3), np.float32))
    assert maps.remark(heat(3)) == ""
