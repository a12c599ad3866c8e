"""TFRecords: prepared photographs with what is known about them, in few large files.

A record is a `tf.train.Example` with the features of `FEATURES`; a file holds the photographs of
one shard of one part, all of one size.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import decoding, photographs
from retinopathy.errors import Explained
from retinopathy.files import written
from retinopathy.framework import tf
from retinopathy.parts import draw, shard_of
from retinopathy.photographs import CropBox

FEATURES: Mapping[str, str] = {
    "pixels": "bytes: the prepared photograph, RGB, as PNG",
    "image": "bytes: image id, UTF-8",
    "patient": "bytes: patient, UTF-8",
    "level": "int64: 0 to 4",
    "label": "int64: 0 or 1, by the rule of the task",
    "part": "int64: the part that the patient was dealt to",
    "crop_left": "int64: first column of the crop box, pixels of the full photograph",
    "crop_top": "int64: first row of the crop box",
    "crop_side": "int64: side of the crop box",
}
"""The schema of a record: feature → kind and meaning. Each has exactly one value."""

_SPOKEN = 200  # photographs between two messages
_NUMBERS = tuple(name for name, meaning in FEATURES.items() if meaning.startswith("int64"))


def shard_rows(table: pd.DataFrame, part: int, shard: int, shards: int) -> pd.DataFrame:
    """Return the rows of one shard of one part; which shard a photograph is in never changes."""
    inside = [shard_of(image, shards) == shard for image in table["image"]]
    return table[(table["part"] == part) & np.asarray(inside, bool)].reset_index(drop=True)


def write_shard(
    rows: pd.DataFrame,
    path: Path,
    size: int,
    contrast: str,
    seed: int,
    progress: Callable[[str], None],
) -> int:
    """Prepare photographs and write them to one TFRecord file, whole or not at all.

    Args:
        rows: Columns image, patient, level, label, part, path, crop_left, crop_top, crop_side.
        path: The file to write.
        size: Side of the prepared photographs, pixels.
        contrast: How to normalise contrast, a name in `photographs.CONTRASTS`.
        seed: Shuffles the photographs; their order depends on their names and the seed only.
        progress: Called with a sentence now and then.

    Returns:
        How many records were written.

    Raises:
        Explained: A photograph cannot be read any more.
    """
    order = np.argsort(np.asarray([draw(image, seed) for image in rows["image"]], np.uint64))
    shuffled = rows.iloc[order].to_dict("records")
    with written(path) as beside, tf.io.TFRecordWriter(str(beside)) as writer:
        for done, row in enumerate(shuffled, start=1):
            writer.write(_encode(row, size, contrast))
            if done % _SPOKEN == 0 or done == len(rows):
                progress(f"{done} of {len(rows)} photographs written")
    return len(rows)


def read(paths: Sequence[Path], size: int) -> tf.data.Dataset:
    """Read records in the order of the files, always the same.

    Args:
        paths: TFRecord files.
        size: Side that the photographs are expected to have, pixels.

    Returns:
        A `tf.data.Dataset` of dictionaries: pixels, uint8 (size, size, 3); image and patient,
        string; level and label, int64.

    Raises:
        Explained: A file's first record lacks a feature, or has one of another kind or size.
    """
    for path in paths:
        _check(path, size)
    files = tf.data.TFRecordDataset([str(path) for path in paths])
    decoded = files.map(
        lambda record: _decode(record, size),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    return _threaded(decoded)


def count(paths: Sequence[Path]) -> int:
    """Return how many records the files hold."""
    files = tf.data.TFRecordDataset([str(path) for path in paths])
    return int(files.reduce(np.int64(0), lambda n, _: n + 1))


def load(paths: Sequence[Path], size: int) -> tuple[NDArray[np.uint8], pd.DataFrame]:
    """Read records into memory, for methods that want all at once.

    Returns:
        Pixels, uint8 (n, size, size, 3), and a table with columns image, patient, level, label.

    Raises:
        Explained: As `read` does.
    """
    pixels = np.empty((count(paths), size, size, 3), np.uint8)
    known = []
    for place, record in enumerate(read(paths, size).as_numpy_iterator()):
        pixels[place] = record.pop("pixels")
        known.append(record)
    return pixels, _table(known)


def rows(paths: Sequence[Path], size: int) -> pd.DataFrame:
    """Read who is in the records, in their order, without decoding a photograph.

    Returns:
        Columns image, patient, level, label.

    Raises:
        Explained: As `read` does.
    """
    for path in paths:
        _check(path, size)
    files = tf.data.TFRecordDataset([str(path) for path in paths])
    return _table(files.map(_parse).as_numpy_iterator())


class Shuffled:
    """Records read in any order, without holding them in memory.

    Attributes:
        rows: Columns image, patient, level, label, in the order of the files.
    """

    def __init__(self, paths: Sequence[Path], size: int) -> None:
        """Find where each record of the files is.

        Raises:
            Explained: As `read` does.
        """
        self.rows = rows(paths, size)
        self._size = size
        places = [place for path in paths for place in _places(path)]
        self._files = np.array([str(path) for path, _, _ in places], object)
        self._spans = np.array([span for _, *span in places], np.int64).reshape(-1, 2)
        # Traced once: each trace keeps its Python function for as long as the process lives.
        self._load = tf.function(
            self._loaded,
            input_signature=[
                tf.TensorSpec((), tf.string),
                tf.TensorSpec((2,), tf.int64),
                tf.TensorSpec((), tf.int64),
            ],
        )

    def batches(
        self, places: NDArray[np.int64], variants: NDArray[np.int64], batch: int
    ) -> tf.data.Dataset:
        """Return the pixels of the records at `places`, in that order, each in its variant.

        Args:
            places: Places in `rows`, any order: an epoch's order follows from its seed.
            variants: One per place, as `augment` takes them.
            batch: Photographs in a batch; the last may have fewer, none is dropped.

        Returns:
            A `tf.data.Dataset` of uint8 (n, size, size, 3), read and decoded ahead.
        """
        index = (self._files[places].astype(str), self._spans[places], variants)
        photographs = tf.data.Dataset.from_tensor_slices(index)
        photographs = photographs.map(self._load, tf.data.AUTOTUNE, deterministic=True)
        return _threaded(photographs.batch(batch).prefetch(2))

    def _loaded(self, file: tf.Tensor, span: tf.Tensor, variant: tf.Tensor) -> tf.Tensor:
        # Not stateful: what is would be read one by one when operations are deterministic.
        record = tf.numpy_function(_span, [file, span], tf.string, stateful=False)
        return augment(_decode(tf.ensure_shape(record, ()), self._size)["pixels"], variant)


def _threaded(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Give a dataset as many threads as TensorFlow's operations have, not the whole machine."""
    options = tf.data.Options()
    options.threading.private_threadpool_size = (
        tf.config.threading.get_intra_op_parallelism_threads()
    )
    return dataset.with_options(options)


def _span(file: bytes, span: NDArray[np.int64]) -> bytes:
    """Return the bytes of a file from an offset, for a length."""
    offset, length = span.tolist()
    with Path(file.decode()).open("rb") as stream:
        stream.seek(offset)
        return stream.read(length)


def _places(path: Path) -> Iterable[tuple[Path, int, int]]:
    """Yield path, offset and length in bytes of every record.

    A TFRecord is its length (uint64, little-endian), a checksum of it, the record and its checksum
    (https://www.tensorflow.org/tutorials/load_data/tfrecord).
    """
    offset, end = 0, path.stat().st_size
    with path.open("rb") as stream:
        while offset < end:
            stream.seek(offset)
            length = int.from_bytes(stream.read(8), "little")
            yield path, offset + 12, length
            offset += length + 16


def augment(pixels: tf.Tensor, variant: int | tf.Tensor) -> tf.Tensor:
    """Apply one of the eight symmetries of the square: orientation in the data is mixed anyway.

    Args:
        pixels: Tensor (size, size, 3) or (n, size, size, 3).
        variant: 0 to 7, a number or a scalar tensor: quarter turns by its remainder modulo 4,
            after a flip from 4 on; 0 changes nothing.

    Returns:
        Tensor of the same shape and type.
    """
    variant = tf.cast(variant, tf.int32)
    flipped = tf.where(variant >= 4, tf.reverse(pixels, axis=[-2]), pixels)
    return tf.ensure_shape(tf.image.rot90(flipped, k=variant % 4), pixels.shape)


def _encode(row: Mapping[Hashable, Any], size: int, contrast: str) -> bytes:
    """Return one serialised record."""
    box = CropBox(int(row["crop_left"]), int(row["crop_top"]), int(row["crop_side"]))
    data = Path(row["path"]).read_bytes()
    texts = {
        "pixels": decoding.encode_png(photographs.prepare(data, box, size, contrast)),
        "image": str(row["image"]).encode(),
        "patient": str(row["patient"]).encode(),
    }
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[text]))
        for name, text in texts.items()
    } | {
        name: tf.train.Feature(int64_list=tf.train.Int64List(value=[int(row[name])]))
        for name in _NUMBERS
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    serialised: bytes = example.SerializeToString()
    return serialised


def _parse(record: tf.Tensor) -> dict[str, Any]:
    """Parse one serialised record, a scalar string tensor; pixels stay encoded."""
    text = {name: tf.io.FixedLenFeature([], tf.string) for name in ("pixels", "image", "patient")}
    numbers = {name: tf.io.FixedLenFeature([], tf.int64) for name in ("level", "label")}
    parsed: dict[str, Any] = tf.io.parse_single_example(record, text | numbers)
    return parsed


def _decode(record: tf.Tensor, size: int) -> dict[str, Any]:
    """Parse one serialised record and decode its pixels to (size, size, 3)."""
    parsed = _parse(record)
    pixels = tf.io.decode_png(parsed["pixels"], channels=3)
    return parsed | {"pixels": tf.ensure_shape(pixels, (size, size, 3))}


def _table(known: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return image, patient, level and label of parsed records."""
    texts, numbers = ("image", "patient"), ("level", "label")
    rows = [
        {name: record[name].decode() for name in texts}
        | {name: int(record[name]) for name in numbers}
        for record in known
    ]
    return pd.DataFrame(rows, columns=[*texts, *numbers])


def _check(path: Path, size: int) -> None:
    """Check a file's first record against the schema and the expected size."""
    for record in tf.data.TFRecordDataset([str(path)]).take(1).as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        kinds = {name: meaning.partition(":")[0] for name, meaning in FEATURES.items()}
        unfit = [n for n, kind in kinds.items() if features[n].WhichOneof("kind") != f"{kind}_list"]
        if unfit:
            wanted = ", ".join(f"{name} ({kind})" for name, kind in kinds.items())
            raise _mismatch(path, f"features {wanted}", f"no such {', '.join(unfit)}")
        side = len(tf.io.decode_png(features["pixels"].bytes_list.value[0]))
        if side != size:
            raise _mismatch(path, f"photographs {size} pixels wide", f"{side} pixels")


def _mismatch(path: Path, expected: str, received: str) -> Explained:
    return Explained(
        f"records in {path} do not fit",
        expected=expected,
        received=received,
        hint="name the records of this size, or delete the file so that it is made again",
    )
