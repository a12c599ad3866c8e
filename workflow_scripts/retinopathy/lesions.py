"""Photographs with masks of their lesions: which can be used, and where their lesions are.

Masks are PNG files named `ID_TYPE.png`, of the size of the photograph `ID` as it is seen and
non-zero on lesions. A type is any word in capitals: MA (microaneurysms), HE (haemorrhages), EX
(hard exudates), SE (soft exudates), NV (new vessels), and OD, the optic disc, which is no lesion. A
type without a file is not in the photograph.

Maps of networks of every input size are judged on one grid: `GRID` cells along the side of the crop
box. It is a multiple of 224 and 448, so that every pixel of such a network covers whole cells, and
fine enough for a microaneurysm of half a percent of the retina's diameter to cover 4 × 4 of them.
"""

import hashlib
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import (
    copies,
    decoding,
    fields,
    hdf5,
    inspection,
    parts,
    photographs,
    sources,
    tables,
)
from retinopathy.decoding import Pixels, Unusable
from retinopathy.lesion_types import ALL, ANATOMY, order
from retinopathy.manifest import OK, usable
from retinopathy.photographs import CropBox

GRID = 896
"""Cells along the side of the crop box."""

PHOTOGRAPHS = (
    "image",
    "patient",
    "path",
    "width",
    "height",
    "crop_left",
    "crop_top",
    "crop_side",
    "circle_found",
    "sha256",
    "status",
)
"""Columns of the photographs of a set: one row per photograph. Those whose `status` is `ok` are
explained. It says nothing of what is in their masks: another mask needs no other map."""

MASKS = ("image", "lesion", "mask", "sha256", "pixels", "status")
"""Columns of the masks of the photographs that are explained: one row per mask.

`pixels` of the mask are non-zero. A photograph is scored when `status` is `ok` in all its rows:
were one of its masks left out, what all lesions are would not be known."""

_TYPES: dict[str, Any] = {
    "image": str,
    "patient": str,
    "circle_found": "boolean",
    **dict.fromkeys(("width", "height", "crop_left", "crop_top", "crop_side", "pixels"), "Int64"),
}
_UNNEEDED = "not needed: enough others come before it"

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Marked:
    """A photograph on the grid.

    Attributes:
        image: Its id.
        field: Where its retina is, bool (GRID, GRID).
        lesions: Type → where it is, bool (GRID, GRID); types that it does not show are left out.
    """

    image: str
    field: Mask
    lesions: Mapping[str, Mask]


# Which photographs --------------------------------------------------------------------------------


def inspect(folder: Path, study: pd.DataFrame, progress: Callable[[str], None]) -> pd.DataFrame:
    """Look at a folder of photographs: rows of a manifest, without levels.

    Args:
        folder: Folder of photographs, searched to any depth.
        study: The manifest of the study. What it has too, as the same bytes or the same picture
            compressed anew, may have been trained on: its status says so.
        progress: Called with a sentence now and then.
    """
    rows = inspection.inspect_all(sources.by_image([folder]), 0, 1, progress)
    again = (rows["status"] == OK) & rows.duplicated("sha256")
    rows.loc[again, "status"] = "the set has this photograph twice"
    for copy in copies.find(usable(rows), usable(study), progress).to_dict("records"):
        same = rows["image"] == copy["image"]
        rows.loc[same, "status"] = f"in the study too, as {copy['same_as']}"
    return rows


def collect(rows: pd.DataFrame, masked: Collection[str], most: int, seed: int) -> pd.DataFrame:
    """Return the photographs of a set, `PHOTOGRAPHS`, sorted by image.

    Args:
        rows: Rows of a manifest; those whose status is `ok` can be used.
        masked: Ids of photographs that have masks, whatever is in these.
        most: How many photographs to use at most, 0 for all: the first in the order of a hash of
            their ids, so that nobody chooses them and an added one changes few.
        seed: Of that hash.
    """
    found = rows[list(PHOTOGRAPHS)].copy()
    found.loc[(found["status"] == OK) & ~found["image"].isin(masked), "status"] = "no mask"
    turn = found["image"].map(lambda image: parts.draw(image, seed))
    later = turn[found["status"] == OK].sort_values().index[most or len(found) :]
    found.loc[later, "status"] = _UNNEEDED
    lost = sorted(set(masked) - set(rows["image"]))
    alone = [{"image": image, "status": "mask without a photograph"} for image in lost]
    table = pd.concat([found, pd.DataFrame(alone, columns=list(PHOTOGRAPHS))])
    return _typed(table).sort_values("image", ignore_index=True)


def measure(explained: pd.DataFrame, masks: Mapping[str, Mapping[str, Path]]) -> pd.DataFrame:
    """Return the masks of photographs, `MASKS`, sorted by image and type.

    Args:
        explained: Rows of `usable` photographs.
        masks: As `mask_files.find` returns them.
    """
    rows = [
        _measure(kind, path, photograph)
        for photograph in explained.to_dict("records")
        for kind, path in masks.get(photograph["image"], {}).items()
    ]
    table = _typed(pd.DataFrame(rows, columns=list(MASKS)))
    return table.sort_values(["image", "lesion"], ignore_index=True)


def scored(photographs: pd.DataFrame, masks: pd.DataFrame) -> pd.DataFrame:
    """Return a row per mask of the photographs that can be scored, with what is known of these.

    Args:
        photographs: `PHOTOGRAPHS`.
        masks: `MASKS`.

    Returns:
        Columns of a photograph but `sha256` and `status`, then `lesion`, `mask` and `pixels`.
    """
    known = usable(photographs).drop(columns=["sha256", "status"])
    bad = set(masks.loc[masks["status"] != OK, "image"])
    sound = masks.loc[~masks["image"].isin(bad), ["image", "lesion", "mask", "pixels"]]
    return known.merge(sound, on="image", validate="one_to_many")


def choose(table: pd.DataFrame, count: int) -> list[str]:
    """Return up to `count` photographs to show, by a rule that does not look at maps.

    The types of lesions take turns, in the order of `order`: each takes, of the photographs that
    are left, the one of whose crop box it covers the largest share.

    Args:
        table: Of `scored`.
        count: How many to choose at most.
    """
    share = table["pixels"] / table["crop_side"] ** 2
    left = table[table["pixels"] > 0].assign(share=share).sort_values("share", ascending=False)
    kinds = [kind for kind in order(left["lesion"].unique()) if kind not in ANATOMY]
    queues = {kind: list(left.loc[left["lesion"] == kind, "image"]) for kind in kinds}
    chosen: list[str] = []
    while len(chosen) < count and any(queues.values()):
        for queue in queues.values():
            fresh = next((image for image in queue if image not in chosen), None)
            if fresh is None:
                queue.clear()
            elif len(chosen) < count:
                chosen.append(fresh)
    return chosen


def _measure(lesion: str, path: Path, photograph: Mapping[Hashable, Any]) -> dict[str, Any]:
    """Return what is known of one mask, and whether it can be used."""
    row = {"image": photograph["image"], "lesion": lesion, "mask": str(path), "status": OK}
    try:
        data = decoding.read(path)
        mask = decode_mask(data)
    except Unusable as error:
        return row | {"status": f"unusable mask: {error.reason}"}
    row |= {"sha256": hashlib.sha256(data).hexdigest(), "pixels": int(mask.sum())}
    height, width = mask.shape
    if (width, height) != (photograph["width"], photograph["height"]):
        row["status"] = f"mask of another size: {width} × {height} pixels"
    return row


def decode_mask(data: bytes) -> Mask:
    """Return where a mask is not zero in any channel but alpha, bool (height, width).

    Raises:
        Unusable: The file is no whole image.
    """
    decoding.dimensions(data)
    # As it is stored: 8 bits would make a 1 of 16 bits a 0.
    stored = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED))
    colours = stored.reshape(*stored.shape[:2], -1)
    visible = colours[..., : 3 if colours.shape[-1] == 4 else None]
    return np.asarray((visible != 0).any(axis=-1))


# Where their lesions are --------------------------------------------------------------------------


def mark(rows: pd.DataFrame) -> Marked:
    """Return one photograph on the grid, from its rows of `scored`.

    Raises:
        Explained: A file can no longer be read.
    """
    known = rows.to_dict("records")
    row = known[0]
    shape = (int(row["height"]), int(row["width"]))
    field = retina(square(row), box_of(row), shape, circular=bool(row["circle_found"]))
    lesions = {
        one["lesion"]: on_grid(decode_mask(decoding.read(Path(one["mask"]))), box_of(row)) & field
        for one in known
    }
    return Marked(row["image"], field, {kind: mask for kind, mask in lesions.items() if mask.any()})


def box_of(row: Mapping[Hashable, Any]) -> CropBox:
    """Return the crop box in a row of a set."""
    return CropBox(int(row["crop_left"]), int(row["crop_top"]), int(row["crop_side"]))


def square(row: Mapping[Hashable, Any]) -> Pixels:
    """Return what the crop box in a row of a set holds: uint8 (GRID, GRID, 3), RGB."""
    return photographs.prepare(decoding.read(Path(row["path"])), box_of(row), GRID, "none")


def retina(crop: Pixels, box: CropBox, shape: tuple[int, int], *, circular: bool) -> Mask:
    """Return where a crop shows the retina.

    It is the circle inscribed in the box, where one was found, within the photograph, without what
    is black and reaches the edge: the box is a little larger than the circle.

    Args:
        crop: uint8 (GRID, GRID, 3).
        box: The crop box.
        shape: Height and width of the photograph.
        circular: Whether the box was drawn around a circle.

    Returns:
        bool (GRID, GRID).
    """
    share = (np.arange(GRID) + 0.5) / GRID
    across, down = box.left + box.side * share, box.top + box.side * share
    beyond = ~((across >= 0) & (across < shape[1]) & ((down >= 0) & (down < shape[0]))[:, None])
    if circular:
        beyond |= np.hypot(share - 0.5, share[:, None] - 0.5) > 0.5
    return fields.retina(crop, beyond)


def on_grid(mask: Mask, box: CropBox) -> Mask:
    """Return the cells of the grid that hold any of a mask, bool (GRID, GRID).

    Any of it, so that the smallest lesion has a cell. A mask that is enlarged grows by nothing.

    Args:
        mask: bool (height, width), of the photograph.
        box: The crop box, in pixels of the photograph.
    """
    values = np.repeat(mask[..., None].astype(np.uint8), 3, axis=-1)
    cut = photographs.cut(values, box, 1)[..., 0]
    if box.side <= GRID:
        return np.asarray(cv2.resize(cut, (GRID, GRID), interpolation=cv2.INTER_NEAREST_EXACT) > 0)
    shares = cv2.resize(cut.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA)
    return np.asarray(shares > 0)


def together(lesions: Mapping[str, Mask]) -> dict[str, Mask]:
    """Return the masks by type and, where there is a lesion, their union under `ALL`.

    Anatomy is no lesion. Types are in the order of `order`.
    """
    every = [mask for kind, mask in lesions.items() if kind not in ANATOMY]
    found = dict(lesions) | ({ALL: np.logical_or.reduce(every)} if every else {})
    return {kind: found[kind] for kind in order(found)}


# Kept ---------------------------------------------------------------------------------------------


def write(
    table: pd.DataFrame, path: Path, columns: Sequence[str], progress: Callable[[str], None]
) -> None:
    """Write `PHOTOGRAPHS` or `MASKS` as CSV, and say how many have which status."""
    for status, count in table["status"].value_counts().items():
        progress(f"{path.stem}, {status}: {count}")
    tables.write(table, path, columns)


def read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read `PHOTOGRAPHS` or `MASKS`."""
    return _typed(tables.read(path, columns))[list(columns)]


def mark_all(table: pd.DataFrame, path: Path) -> None:
    """Write the photographs of `scored` on the grid, as `write_marks` does."""
    groups = [rows for _, rows in table.groupby("image", sort=False)]
    images = [rows["image"].iloc[0] for rows in groups]
    write_marks(path, images, order(table["lesion"].unique()), map(mark, groups))


def write_marks(
    path: Path, images: Iterable[str], kinds: Iterable[str], of: Iterable[Marked]
) -> None:
    """Write photographs on the grid as HDF5.

    Datasets: `image` (n,), `lesion` (types,), `field` bool (n, GRID, GRID) and `mask` bool
    (n, types, GRID, GRID).

    Args:
        path: Where to write.
        images: Their ids.
        kinds: All types of the set.
        of: The photographs, in the same order; taken one by one.
    """
    names, types = list(images), list(kinds)
    with hdf5.created(path) as file:
        file.create_dataset("image", data=names, dtype=h5py.string_dtype())
        file.create_dataset("lesion", data=types, dtype=h5py.string_dtype())
        cells = {"dtype": bool, "compression": "gzip", "compression_opts": 1}
        field = file.create_dataset(
            "field", (len(names), GRID, GRID), chunks=(1, GRID, GRID) if names else None, **cells
        )
        mask = file.create_dataset(
            "mask",
            (len(names), len(types), GRID, GRID),
            chunks=(1, 1, GRID, GRID) if names else None,
            **cells,
        )
        for place, one in enumerate(of):
            field[place] = one.field
            for kind, cover in one.lesions.items():
                mask[place, types.index(kind)] = cover


def read_marks(path: Path) -> Iterator[Marked]:
    """Yield the photographs that `write_marks` wrote, one by one."""
    with h5py.File(path) as file:
        kinds = list(file["lesion"].asstr()[()])
        for place, image in enumerate(file["image"].asstr()[()]):
            masks = dict(zip(kinds, file["mask"][place], strict=True))
            shown = {kind: mask for kind, mask in masks.items() if mask.any()}
            yield Marked(str(image), file["field"][place], shown)


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    return table.astype({name: kind for name, kind in _TYPES.items() if name in table})
