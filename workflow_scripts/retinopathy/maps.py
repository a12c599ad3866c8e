"""Maps of photographs as arrays, kept apart from pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from retinopathy import hdf5
from retinopathy.errors import Explained
from retinopathy.methods import CLASSES, KEPT, METHODS, SCORE

Heat = NDArray[np.float32]
Pixels = NDArray[np.uint8]
ByClass = Mapping[tuple[str, str], Heat]


@dataclass(frozen=True)
class Maps:
    """Maps of some photographs by one run.

    Attributes:
        images: Ids of the photographs.
        boxes: Their crop boxes, int64 (n, 3): left, top and side in pixels of the original.
        run: Address of the run.
        heat: Method and class → float32 (n, h, w), what `explaining.explain` returns.
    """

    images: tuple[str, ...]
    boxes: NDArray[np.int64]
    run: str
    heat: ByClass


def of_class(heat: ByClass, name: str) -> dict[str, Heat]:
    """Return the maps of one class, by method."""
    return {method: found for (method, owner), found in heat.items() if owner == name}


def none(run: str) -> Maps:
    """Return the maps of no photographs: what is kept of a run without test predictions."""
    nothing = np.empty((0, 1, 1), np.float32)
    keys = [(method, name) for name, methods in KEPT.items() for method in methods]
    return Maps((), np.empty((0, 3), np.int64), run, dict.fromkeys(keys, nothing))


def write(path: Path, maps: Maps) -> None:
    """Keep maps as arrays, apart from pictures: HDF5, whole or not at all.

    `image` holds the ids, `crop_box` the boxes, `<method>/<class>` the maps, with the attributes
    method, layer, class and score; the attribute `run` of the file is the address of the run.
    """
    with hdf5.created(path) as file:
        hdf5.reserve(file, sum(heat.nbytes for heat in maps.heat.values()))
        file.attrs["run"] = maps.run
        file.create_dataset("image", data=list(maps.images), dtype=h5py.string_dtype())
        file["crop_box"] = maps.boxes
        for (method, name), heat in maps.heat.items():
            # A chunk holds one photograph; none can be made for none.
            packed = {"chunks": (1, *heat.shape[1:]), "compression": "gzip", "shuffle": True}
            stored = file.create_dataset(
                f"{method}/{name}", data=heat, dtype=np.float32, **(packed if heat.size else {})
            )
            stored.attrs.update(
                {"method": method, "layer": METHODS[method].layer, "class": name, "score": SCORE}
            )


def read(path: Path) -> Maps:
    """Read what `write` wrote.

    Raises:
        Explained: The file is none of maps, or something in it is missing or does not fit.
    """
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise _unfit(path, str(error)) from error
    with file:
        lacking = [name for name in ("image", "crop_box") if name not in file]
        if lacking or "run" not in file.attrs:
            raise _unfit(path, f"it lacks {', '.join(lacking) or 'the attribute run'}")
        images = tuple(file["image"].asstr()[()])
        boxes = np.asarray(file["crop_box"][()], np.int64)
        if boxes.shape != (len(images), 3):
            raise _unfit(path, f"{len(images)} photographs, crop boxes {boxes.shape}")
        groups = [group for group in file.values() if isinstance(group, h5py.Group)]
        heat = dict(_map_of(path, one, len(images)) for group in groups for one in group.values())
        return Maps(images, boxes, str(file.attrs["run"]), _in_order(heat))


def _map_of(path: Path, stored: Any, count: int) -> tuple[tuple[str, str], Heat]:
    """Return method and class of a dataset, and its maps."""
    said = {name: stored.attrs.get(name) for name in ("method", "layer", "class", "score")}
    place = f"{said['method']}/{said['class']}"
    if None in said.values() or stored.name != f"/{place}" or said["method"] not in METHODS:
        raise _unfit(path, f"{stored.name} with attributes {said}")
    if stored.ndim != 3 or len(stored) != count:
        raise _unfit(path, f"{count} photographs, {place} {stored.shape}")
    return (said["method"], said["class"]), np.asarray(stored[()], np.float32)


def _in_order(heat: ByClass) -> ByClass:
    """Return maps in the order of classes and methods; files keep that of the alphabet."""
    keys = [(method, name) for name in CLASSES for method in METHODS]
    return {key: heat[key] for key in keys if key in heat}


def _unfit(path: Path, received: str) -> Explained:
    return Explained(
        f"{path} cannot be read as maps",
        expected="image, crop_box, the attribute run, and maps METHOD/CLASS (n, h, w) with their "
        "attributes method, layer, class and score",
        received=received,
        hint="delete it and let the workflow make it again",
    )
