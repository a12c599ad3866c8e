"""Maps of photographs by every method: computed, kept as arrays, and laid over the photograph."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
from numpy.typing import NDArray

from retinopathy import hdf5, overlays, saliency
from retinopathy.errors import Explained
from retinopathy.framework import keras
from retinopathy.probes import POOL
from retinopathy.scales import BRIGHTEST
from retinopathy.showcase import SHOWN_SIDE

Heat = NDArray[np.float32]
Pixels = NDArray[np.uint8]
ByClass = Mapping[tuple[str, str], Heat]

CLASSES = {"diseased": 1, "healthy": -1}
"""Class → sign with which the logit is its score."""

SCORE = "logit"
"""What is explained: the logit, or its negative for the healthy class."""

MEANING = "share of the map's largest value"
"""What the colours of a drawn map mean."""

HALF = 0.5
"""Share of the largest value around which a line is drawn, to be seen without colours too."""

_FEATURES, _INPUT = POOL, "pixels"


@dataclass(frozen=True)
class Method:
    """A way to ask where a network looks.

    Attributes:
        title: Its name for people.
        layer: The layer that its maps are of: `pool` stands for the feature map that enters it.
        mirrored: Whether the map of the healthy class follows from that of the diseased one: it is
            its negative, or, where only the size counts, the same.
        explain: Model, photographs, sign, and how many gradients are averaged where any are
            → float32 (n, h, w).
    """

    title: str
    layer: str
    mirrored: bool
    explain: Callable[[keras.Model, Pixels, int, int], Heat]


METHODS: Mapping[str, Method] = {
    "cam": Method(
        "CAM",
        _FEATURES,
        True,
        lambda model, seen, sign, _: saliency.cam(model, seen, sign=sign),
    ),
    "grad_cam": Method(
        "Grad-CAM",
        _FEATURES,
        False,
        lambda model, seen, sign, _: saliency.grad_cam(model, seen, sign=sign),
    ),
    "guided_backpropagation": Method(
        "Guided backpropagation",
        _INPUT,
        False,
        lambda model, seen, sign, _: saliency.strength(
            saliency.guided_backpropagation(model, seen, sign=sign)
        ),
    ),
    "guided_grad_cam": Method(
        "Guided Grad-CAM",
        _INPUT,
        False,
        lambda model, seen, sign, _: saliency.strength(
            saliency.guided_grad_cam(model, seen, sign=sign)
        ),
    ),
    "integrated_gradients": Method(
        "Integrated gradients",
        _INPUT,
        True,
        lambda model, seen, sign, samples: saliency.integrated_gradients(
            model, seen, sign=sign, steps=samples
        ).sum(axis=-1),
    ),
    "smooth_grad": Method(
        "SmoothGrad",
        _INPUT,
        True,
        lambda model, seen, sign, samples: saliency.strength(
            saliency.smooth_grad(model, seen, sign=sign, samples=samples)
        ),
    ),
}
"""Name in files, configuration and tables → method."""

SLOW = ("integrated_gradients", "smooth_grad")
"""Methods that average many gradients: each takes as long as that many others."""

KEPT: Mapping[str, Sequence[str]] = {
    "diseased": tuple(METHODS),
    "healthy": tuple(name for name, method in METHODS.items() if not method.mirrored),
}
"""Class → methods whose maps of it say something that the maps before them do not."""


@dataclass(frozen=True)
class Maps:
    """Maps of some photographs by one run.

    Attributes:
        images: Ids of the photographs.
        boxes: Their crop boxes, int64 (n, 3): left, top and side in pixels of the original.
        run: Address of the run.
        heat: Method and class → float32 (n, h, w), what `explain` returns.
    """

    images: tuple[str, ...]
    boxes: NDArray[np.int64]
    run: str
    heat: ByClass


def explain(
    model: keras.Model,
    seen: Pixels,
    methods: Sequence[str] = tuple(METHODS),
    *,
    sign: int = 1,
    samples: int = saliency.SAMPLES,
) -> dict[str, Heat]:
    """Return the maps of photographs by several methods.

    Args:
        model: A flat model; for `cam` it ends in global average pooling and one dense layer.
        seen: Photographs as records hold them, uint8 (n, size, size, 3).
        methods: Names of `METHODS`.
        sign: +1 for the diseased class, −1 for the healthy one.
        samples: Gradients that integrated gradients and SmoothGrad average, per photograph.

    Returns:
        Method → float32 (n, h, w). `cam` (of either sign) and `grad_cam` (≥ 0) are on the grid of
        the last feature map, the others (n, size, size) without their colours: integrated gradients
        are summed over them, of the rest the largest absolute value is kept.

    Raises:
        Explained: The model suits a method not.
        KeyError: There is no such method.
    """
    return {name: METHODS[name].explain(model, seen, sign, samples) for name in methods}


def explain_classes(model: keras.Model, seen: Pixels, samples: int) -> ByClass:
    """Return the maps of `KEPT`, by method and class; args and errors are those of `explain`."""
    return {
        (method, name): heat
        for name, methods in KEPT.items()
        for method, heat in explain(
            model, seen, methods, sign=CLASSES[name], samples=samples
        ).items()
    }


def of_class(heat: ByClass, name: str) -> dict[str, Heat]:
    """Return the maps of one class, by method."""
    return {method: found for (method, owner), found in heat.items() if owner == name}


def none(run: str) -> Maps:
    """Return the maps of no photographs: what is kept of a run without test predictions."""
    nothing = np.empty((0, 1, 1), np.float32)
    keys = [(method, name) for name, methods in KEPT.items() for method in methods]
    return Maps((), np.empty((0, 3), np.int64), run, dict.fromkeys(keys, nothing))


# Pictures -----------------------------------------------------------------------------------------


def scaled(heat: Heat, method: str) -> Heat:
    """Return a map, (h, w), as it is drawn: from 0 to 1, what speaks against the class is 0."""
    return overlays.normalise(heat, 100 if METHODS[method].layer == _FEATURES else BRIGHTEST)


def over(picture: Pixels, heat: Heat, method: str) -> Pixels:
    """Return a picture, uint8 (side, side, 3), with a map of the same crop laid over it."""
    return overlays.overlay(picture, scaled(heat, method))


def alone(heat: Heat, method: str, side: int = SHOWN_SIDE) -> Pixels:
    """Return a map as a picture of its own, uint8 (side, side, 3)."""
    return overlays.overlay(np.zeros((side, side, 3), np.uint8), scaled(heat, method), alpha=1.0)


def panels(picture: Pixels, heat: Mapping[str, Heat]) -> list[Pixels]:
    """Return the pictures of one photograph on a sheet, in the order of `columns`.

    Args:
        picture: The photograph, cropped, uint8 (side, side, 3).
        heat: Method → its map, (h, w).
    """
    fine = heat["guided_grad_cam"]
    return [
        picture,
        lined(picture, heat["cam"], "cam"),
        over(picture, fine, "guided_grad_cam"),
        alone(fine, "guided_grad_cam", len(picture)),
    ]


def lined(picture: Pixels, heat: Heat, method: str) -> Pixels:
    """Return what `over` does, with a line around at least `HALF` of the largest value."""
    side = len(picture)
    large = cv2.resize(scaled(heat, method), (side, side), interpolation=cv2.INTER_LINEAR)
    half = np.asarray(large >= HALF, np.uint8)
    around, _ = cv2.findContours(half, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    laid = over(picture, heat, method)
    return np.asarray(cv2.drawContours(laid, around, -1, (255, 255, 255), 2), np.uint8)


def heading(method: str, heat: Heat) -> str:
    """Return the title of a column of maps, (…, h, w): a coarse grid is told."""
    title = METHODS[method].title
    height, width = heat.shape[-2:]
    return f"{title}, {height} × {width} cells" if METHODS[method].layer == _FEATURES else title


def columns(heat: Mapping[str, Heat]) -> list[str]:
    """Return the titles of what `panels` returns."""
    fine = heading("guided_grad_cam", heat["guided_grad_cam"])
    return ["photograph", heading("cam", heat["cam"]), fine, f"{fine} alone"]


def remark(cam: Heat) -> str:
    """Return a line on a map that would be drawn black, to be put below others, else nothing."""
    return "" if cam.max() > 0 else "\nno place speaks for disease"


# Files --------------------------------------------------------------------------------------------


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
