from pathlib import Path

import h5py
import numpy as np
import pytest

from retinopathy import maps
from retinopathy.errors import Explained
from retinopathy.methods import KEPT, METHODS

SIDE = 8


def kept(count: int = 3) -> maps.Maps:
    shapes = {"pool": (count, 2, 2), "pixels": (count, SIDE, SIDE)}
    generator = np.random.default_rng(0)
    heat = {
        (method, name): generator.normal(size=shapes[METHODS[method].layer]).astype(np.float32)
        for name, methods in KEPT.items()
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
