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
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import copies, decoding, hdf5, inspection, parts, photographs, sources, tables
from retinopathy.decoding import Pixels, Unusable
from retinopathy.manifest import OK, usable
from retinopathy.photographs import CropBox

GRID = 896
"""Cells along the side of the crop box."""

NAMES = {
    "MA": "microaneurysms",
    "HE": "haemorrhages",
    "EX": "hard exudates",
    "SE": "soft exudates",
    "NV": "new vessels",
    "OD": "optic disc (no lesion)",
    "all": "all lesions",
}
"""Known types, in the order in which they are shown, and what people call them."""

ANATOMY = ("OD",)
"""Types that are no lesions: reported, but not among all lesions."""

ALL = "all"
"""The union of all lesions of a photograph, whatever their types."""

COLUMNS = (
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
    "lesion",
    "mask",
    "mask_sha256",
    "pixels",
    "status",
)
"""Columns of a set: one row per mask, or one of a photograph without any.

`pixels` of the mask are non-zero. A photograph is used when `status` is `ok` in all its rows: were
one of its masks left out, what all lesions are would not be known."""

_NAMED = re.compile(r"(?P<image>.+)_(?P<lesion>[A-Z][A-Z0-9]*)\.png")
_OF_PHOTOGRAPH = COLUMNS[: COLUMNS.index("lesion")]
_TYPES: dict[str, Any] = {
    "circle_found": "boolean",
    **dict.fromkeys(("width", "height", "crop_left", "crop_top", "crop_side", "pixels"), "Int64"),
}
_BLACK = 12  # of 255: what is darker in every channel and reaches the edge is no retina
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


def find_masks(folders: Iterable[Path]) -> dict[str, dict[str, Path]]:
    """Return image id → type → mask, of the files in some folders that are named like masks.

    Both sorted by name. Other files do not count, nor do hidden ones.
    """
    masks: dict[str, dict[str, Path]] = {}
    for path in sorted(path for folder in folders for path in folder.iterdir()):
        named = _NAMED.fullmatch(path.name)
        if named and not path.name.startswith("."):
            masks.setdefault(sources.image_id(named["image"]), {})[named["lesion"]] = path
    return masks


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


def collect(
    rows: pd.DataFrame, masks: Mapping[str, Mapping[str, Path]], most: int, seed: int
) -> pd.DataFrame:
    """Return the photographs of a set with their masks, `COLUMNS`, sorted by image and type.

    Args:
        rows: Rows of a manifest; those whose status is `ok` can be used.
        masks: As `find_masks` returns them.
        most: How many photographs to use at most, 0 for all: the first in the order of a hash of
            their ids, so that nobody chooses them and an added one changes few.
        seed: Of that hash.
    """
    ordered = rows.assign(turn=[parts.draw(image, seed) for image in rows["image"]])
    found, used = [], 0
    for row in ordered.sort_values("turn").to_dict("records"):
        about = {name: row[name] for name in _OF_PHOTOGRAPH}
        own = masks.get(row["image"], {})
        if row["status"] != OK or not own:
            found.append(about | {"status": row["status"] if row["status"] != OK else "no mask"})
        elif 0 < most <= used:
            found.append(about | {"status": _UNNEEDED})
        else:
            measured = [about | _measure(kind, path, about) for kind, path in own.items()]
            used += all(one["status"] == OK for one in measured)
            found += measured
    lost = sorted(set(masks) - set(rows["image"]))
    found += [{"image": image, "status": "mask without a photograph"} for image in lost]
    table = pd.DataFrame(found, columns=list(COLUMNS)).astype(_TYPES)
    return table.sort_values(["image", "lesion"], ignore_index=True)


def used(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the photographs that can be used, of `collect`."""
    bad = set(table.loc[table["status"] != OK, "image"])
    return table[~table["image"].isin(bad)].reset_index(drop=True)


def photographs_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per photograph that can be used, without masks."""
    return used(table).drop_duplicates("image", ignore_index=True)[list(_OF_PHOTOGRAPH)]


def choose(table: pd.DataFrame, count: int) -> list[str]:
    """Return up to `count` photographs to show, by a rule that does not look at maps.

    The types of lesions take turns, in the order of `order`: each takes, of the photographs that
    are left, the one of whose crop box it covers the largest share.

    Args:
        table: Rows of `used`.
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


def read(path: Path) -> pd.DataFrame:
    """Read the table of a set."""
    return pd.read_csv(path, dtype=_TYPES | {"image": str, "patient": str})[list(COLUMNS)]


def _measure(lesion: str, path: Path, photograph: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is known of one mask, and whether it can be used."""
    row: dict[str, Any] = {"lesion": lesion, "mask": str(path), "status": OK}
    try:
        data = decoding.read(path)
        mask = decode_mask(data)
    except Unusable as error:
        return row | {"status": f"unusable mask: {error.reason}"}
    row |= {"mask_sha256": hashlib.sha256(data).hexdigest(), "pixels": int(mask.sum())}
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
    """Return one photograph on the grid, from its rows of `used`.

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


def box_of(row: Mapping[Any, Any]) -> CropBox:
    """Return the crop box in a row of a set."""
    return CropBox(int(row["crop_left"]), int(row["crop_top"]), int(row["crop_side"]))


def square(row: Mapping[Any, Any]) -> Pixels:
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
    outside = beyond | (crop.max(axis=-1) < _BLACK)
    _, regions = cv2.connectedComponents(np.pad(outside, 1, constant_values=True).view(np.uint8))
    return np.asarray(regions[1:-1, 1:-1] != regions[0, 0])


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


def order(kinds: Iterable[str]) -> list[str]:
    """Return types in the order in which they are shown: known lesions, others, anatomy, all."""
    known = list(NAMES)
    return sorted(
        kinds,
        key=lambda kind: (
            kind == ALL,
            kind in ANATOMY,
            known.index(kind) if kind in known else len(known),
            kind,
        ),
    )


# Kept ---------------------------------------------------------------------------------------------


def write_set(
    table: pd.DataFrame, path: Path, marks: Path, progress: Callable[[str], None]
) -> None:
    """Write a set: its table, `collect`, as CSV, and its photographs on the grid.

    Args:
        table: Of `collect`.
        path: Where to write the table.
        marks: Where to write the photographs on the grid.
        progress: Called with sentences that count the statuses.
    """
    by_image = table.sort_values("status", key=lambda status: status == OK)
    for status, count in by_image.drop_duplicates("image")["status"].value_counts().items():
        progress(f"photographs, {status}: {count}")
    groups = [rows for _, rows in used(table).groupby("image", sort=False)]
    images = [rows["image"].iloc[0] for rows in groups]
    write_marks(marks, images, order(used(table)["lesion"].unique()), map(mark, groups))
    tables.write(table, path, COLUMNS)


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
