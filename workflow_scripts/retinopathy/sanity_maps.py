"""Maps of one photograph while weights become random, kept as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from retinopathy import hdf5

Heat = NDArray[np.float32]


@dataclass(frozen=True)
class Sheet:
    """Maps of one photograph by a network that is trained, and made random from the output down.

    Attributes:
        title: What is shown: network, photograph, what it was called.
        seen: What the network sees, uint8 (size, size, 3).
        inside: Where it shows the retina, bool (size, size).
        states: What was random: nothing, then stages of the cascade.
        heat: Title of a method → its maps in these states, float32 (states, h, w).
        similarity: Title of a method → rank correlation of each of them with the first, (states,).
    """

    title: str
    seen: NDArray[np.uint8]
    inside: NDArray[np.bool_]
    states: tuple[str, ...]
    heat: Mapping[str, Heat]
    similarity: Mapping[str, NDArray[np.float64]]


def write(path: Path, sheet: Sheet | None) -> None:
    """Keep a sheet as HDF5, whole or not at all; None as a file without anything."""
    with hdf5.created(path) as file:
        if sheet is None:
            return
        hdf5.reserve(file, sum(heat.nbytes for heat in sheet.heat.values()))
        file.attrs["title"] = sheet.title
        file["seen"], file["inside"] = sheet.seen, sheet.inside
        file.create_dataset("states", data=list(sheet.states), dtype=h5py.string_dtype())
        for place, (method, heat) in enumerate(sheet.heat.items()):
            stored = file.create_dataset(f"heat/{place}", data=heat, dtype=np.float32)
            stored.attrs.update({"method": method, "similarity": sheet.similarity[method]})


def read(path: Path) -> Sheet | None:
    """Read what `write` wrote."""
    with h5py.File(path) as file:
        if "seen" not in file:
            return None
        kept = [file[f"heat/{place}"] for place in range(len(file["heat"]))]
        return Sheet(
            title=file.attrs["title"],
            seen=file["seen"][()],
            inside=file["inside"][()],
            states=tuple(file["states"].asstr()[()]),
            heat={one.attrs["method"]: one[()] for one in kept},
            similarity={one.attrs["method"]: one.attrs["similarity"] for one in kept},
        )
