"""Maps of photographs: computed, kept as arrays, and laid over the photograph."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import h5py
import numpy as np
from numpy.typing import NDArray

from retinopathy import saliency
from retinopathy.files import written
from retinopathy.framework import keras
from retinopathy.showcase import SHOWN_SIDE, Shown

COLUMNS = ("photograph", "as the network sees it", "CAM", "Guided Grad-CAM", "CAM, overlaid")
"""What `panels` shows, from left to right."""

BRIGHTEST = 99.8
"""Percentile of a Guided Grad-CAM that is drawn brightest: a few pixels would outshine the rest."""

Heat = NDArray[np.float32]


def explain(model: keras.Model, seen: NDArray[np.uint8]) -> tuple[Heat, Heat]:
    """Return CAM and Guided Grad-CAM of the diseased class.

    Args:
        model: A flat model that ends in global average pooling and one dense layer.
        seen: Photographs as records hold them, uint8 (n, size, size, 3).

    Returns:
        CAM, float32 (n, h, w) of the last feature map, negative evidence included; and Guided
        Grad-CAM, float32 (n, size, size), the largest absolute value over the colours.
    """
    cam = saliency.cam(model, seen)
    return cam, saliency.strength(saliency.guided_grad_cam(model, seen))


def remark(cam: Heat) -> str:
    """Return what is to be said of a map that would be drawn black, else nothing."""
    return "" if cam.max() > 0 else "\nno place speaks for disease"


def write(path: Path, shown: Sequence[Shown], cam: Heat, guided: Heat, run: str) -> None:
    """Keep maps as arrays, apart from pictures: HDF5 with ids and crop boxes.

    Args:
        path: Where to write.
        shown: The photographs, in the order of the maps.
        cam: (n, h, w).
        guided: (n, size, size).
        run: Address of the run that is explained.
    """
    boxes = [(one.box.left, one.box.top, one.box.side) for one in shown]
    with written(path) as beside, h5py.File(beside, "w") as file:
        file.attrs.update({"run": run, "class": "diseased", "score": "logit"})
        images = [one.image for one in shown]
        file.create_dataset("image", data=images, dtype=h5py.string_dtype())
        file["crop_box"] = np.array(boxes, dtype=np.int64).reshape(-1, 3)
        file["cam"] = cam.astype(np.float32)
        file["guided_grad_cam"] = guided.astype(np.float32)


def panels(shown: Shown, cam: Heat, guided: Heat) -> list[NDArray[np.uint8]]:
    """Return the pictures of one row of a sheet, in the order of `COLUMNS`."""
    heat = _enlarged(saliency.normalise(np.maximum(cam, 0)))
    fine = _enlarged(saliency.normalise(guided, BRIGHTEST))
    seen = cv2.resize(shown.seen, (SHOWN_SIDE, SHOWN_SIDE), interpolation=cv2.INTER_NEAREST)
    nothing = np.zeros_like(shown.picture)
    return [
        shown.picture,
        np.asarray(seen, np.uint8),
        saliency.overlay(nothing, heat, alpha=1.0),
        saliency.overlay(nothing, fine, alpha=1.0),
        saliency.overlay(shown.picture, heat, alpha=0.5),
    ]


def _enlarged(heat: Heat) -> Heat:
    large = cv2.resize(heat, (SHOWN_SIDE, SHOWN_SIDE), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32)
