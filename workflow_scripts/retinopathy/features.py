"""What a frozen part makes of photographs: computed once, kept in HDF5, shared by runs.

A file holds one part of a task. Its datasets are `frontier_0`, `frontier_1`, … of the shape
(variants, photographs, …), one per tensor that crosses the cut, and the rows `image`, `patient`,
`level` and `label`; its attributes say what made it.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import hdf5, networks, records
from retinopathy.errors import Explained
from retinopathy.files import sha256
from retinopathy.framework import keras, tf
from retinopathy.registry import HEAD, NETWORKS
from retinopathy.runs import FEATURES

VERSION = 2
"""Of the layout; files of another one are refused."""

VARIANTS = 8
"""Symmetries of the square that are kept when training is to see flips and quarter turns."""

BATCH = 16
"""How many photographs pass the frozen part at a time."""

HELD_BYTES = 2**28
"""Features of at most so many bytes together are read once and held in memory."""

Floats = NDArray[np.float32]


def write_features(
    network: str,
    size: int,
    depth: str,
    weights: Path,
    paths: Sequence[Path],
    destination: Path,
    *,
    augment: bool,
    kept: str = FEATURES,
) -> None:
    """Write what lies below a cut makes of the photographs in some records.

    Photographs are streamed: memory does not grow with their number.

    Args:
        network: Name in the registry.
        size: Side of the photographs, pixels.
        depth: The cut: `head`, a block or `block+k`.
        weights: Weights of the network without its top.
        paths: Record files.
        destination: The file to write, whole or not at all.
        augment: Whether to keep all eight symmetries of each photograph, or it alone.
        kept: The type in which they are kept, `float32` or `float16`.

    Raises:
        Explained: Records or weights do not fit, there is no such depth, or the disk is full.
        ValueError: The depth is `all` or `bn`, which leave nothing frozen.
    """
    forward = _prefix(network, size, depth, weights)
    rows = records.rows(paths, size)
    variants = VARIANTS if augment else 1
    with hdf5.created(destination) as file:
        file.attrs.update(_attributes(network, size, depth, weights, kept))
        file.attrs["records"] = [sha256(path) for path in paths]
        file.attrs["rows"] = _hash_of(rows)
        for name in ("image", "patient"):
            file.create_dataset(name, data=rows[name].to_list(), dtype=h5py.string_dtype())
        for name in ("level", "label"):
            file[name] = rows[name].to_numpy(dtype=np.int64)
        done = 0
        for chunk in records.read(paths, size).batch(BATCH).prefetch(1):
            for variant in range(variants):
                tensors = forward(records.augment(chunk["pixels"], variant))
                for number, tensor in enumerate(tensors):
                    values = _kept(tensor.numpy(), kept)
                    _append(file, number, variant, done, values, (variants, len(rows)))
            done += len(chunk["label"])


def pooled(
    network: str, size: int, weights: Path, paths: Sequence[Path], batch: int = 16
) -> tuple[Floats, pd.DataFrame]:
    """Return the pooled outputs of the frozen network, in memory.

    Returns:
        float32 (photographs, features), and a table with columns image, patient, level, label.

    Raises:
        Explained: Records or weights do not fit.
    """
    forward = _prefix(network, size, HEAD, weights)
    chunks = [forward(c["pixels"])[0].numpy() for c in records.read(paths, size).batch(batch)]
    return np.concatenate(chunks), records.rows(paths, size)


class Features:
    """Cached features of the photographs of some parts, read as they are needed.

    Attributes:
        rows: Columns image, patient, level, label.
        variants: How many symmetries of each photograph there are.
        shapes: Shape of each tensor that crosses the cut, without the batch.
        records: SHA-256 of each record file that the features were made of.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        network: str,
        size: int,
        depth: str,
        weights: Path,
        kept: str = FEATURES,
    ) -> None:
        """Open the files and check that they are what is expected.

        Raises:
            Explained: A file is damaged, or was made by other weights, of another size, cut or
                type, or there is no photograph in any.
        """
        expected = _attributes(network, size, depth, weights, kept)
        known = [_opened(path, expected) for path in paths]
        self.records = [str(name) for file in known for name in file.attrs["records"]]
        files = [file for file in known if len(file["label"])]
        if not files:
            raise _unfit(paths[0], "at least one photograph", "none in any file of the split")
        self.rows = pd.concat([_rows(file) for file in files], ignore_index=True)
        self._starts = np.cumsum([0, *(len(file["label"]) for file in files)])
        names = sorted(name for name in files[0] if name.startswith("frontier_"))
        self.variants = int(files[0]["frontier_0"].shape[0])
        self.shapes = [files[0][name].shape[2:] for name in names]
        self._tensors = _held([[file[name] for file in files] for name in names])

    def read(self, places: NDArray[np.int64], variants: NDArray[np.int64]) -> list[Floats]:
        """Return the tensors of the photographs at `places`, each in its variant.

        Args:
            places: Places in `rows`, any order.
            variants: A variant per place.

        Returns:
            One float32 array (len(places), …) per tensor that crosses the cut.
        """
        files = np.searchsorted(self._starts, places, side="right") - 1
        wanted = list(zip(files, variants, places - self._starts[files], strict=True))
        return [
            np.stack([tensor[file][variant, place] for file, variant, place in wanted]).astype(
                np.float32, copy=False
            )
            for tensor in self._tensors
        ]


def _prefix(network: str, size: int, depth: str, weights: Path) -> Any:
    """Return a traced function from pixels to the list of tensors that cross the cut."""
    model = networks.build(network, size, dropout=0, l2=0, seed=0)
    networks.load_backbone(model, weights)
    prefix, _ = networks.split(model, network, depth)

    def forward(pixels: tf.Tensor) -> list[tf.Tensor]:
        return list(keras.tree.flatten(prefix(tf.cast(pixels, tf.float32), training=False)))

    pixels = tf.TensorSpec((None, size, size, 3), tf.uint8)
    return tf.function(forward, input_signature=[pixels])


def _held(tensors: list[list[Any]]) -> list[list[Any]]:
    """Return datasets as arrays where they are small, as reading one by one costs more then."""
    size = sum(dataset.nbytes for datasets in tensors for dataset in datasets)
    if size > HELD_BYTES:
        return tensors
    return [[dataset[()] for dataset in datasets] for datasets in tensors]


def _kept(values: NDArray[np.float32], kind: str) -> NDArray[Any]:
    """Return values in the type in which they are kept."""
    with np.errstate(over="ignore"):
        kept = values.astype(kind)
    if np.isinf(kept).any() and np.isfinite(values).all():
        raise Explained(
            f"features are too large for {kind}",
            expected=f"values up to {np.finfo(kind).max}",
            received=f"up to {np.abs(values).max():g}",
            hint="use `training: feature_type: float32`",
        )
    return kept


def _append(
    file: Any, number: int, variant: int, start: int, values: NDArray[Any], whole: tuple[int, int]
) -> None:
    """Write a batch of one tensor, one chunk per photograph, so that any order reads well."""
    name = f"frontier_{number}"
    if name not in file:
        shape = values.shape[1:]
        made = file.create_dataset(name, (*whole, *shape), values.dtype, chunks=(1, 1, *shape))
        hdf5.reserve(file, made.size * made.dtype.itemsize)
    file[name][variant, start : start + len(values)] = values


def _attributes(network: str, size: int, depth: str, weights: Path, kept: str) -> dict[str, Any]:
    facts = NETWORKS[network]
    return {
        "version": VERSION,
        "network": network,
        "size": size,
        "depth": depth,
        "weights": sha256(weights),
        "preprocessing": json.dumps({"scale": facts.scale, "offset": facts.offset}),
        "type": kept,
    }


def _opened(path: Path, expected: dict[str, Any]) -> Any:
    try:
        file = h5py.File(path)
    except OSError as error:
        raise _unfit(path, "a whole HDF5 file", str(error)) from error
    received = {name: file.attrs.get(name) for name in expected}
    if received != expected:
        raise _unfit(path, str(expected), str(received))
    found = _hash_of(_rows(file))
    if found != file.attrs["rows"]:
        raise _unfit(path, f"rows with the hash {file.attrs['rows']}", found)
    return file


def _hash_of(rows: pd.DataFrame) -> str:
    """Return a hash of who is in a file."""
    return hashlib.sha256(rows.to_csv(index=False).encode()).hexdigest()


def _unfit(path: Path, expected: str, received: str) -> Explained:
    return Explained(
        f"features in {path} do not fit",
        expected=expected,
        received=received,
        hint="delete the file so that it is made again",
    )


def _rows(file: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {name: file[name].asstr()[()] for name in ("image", "patient")}
        | {name: file[name][()] for name in ("level", "label")}
    )
