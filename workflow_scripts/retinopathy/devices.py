"""The device that TensorFlow uses, set up so that the same seed gives the same numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np

from retinopathy.framework import keras, tf


def prepare(threads: int, gpus: int = 1, *, deterministic: bool = True) -> str:
    """Set up TensorFlow; to be called before it computes anything, once per process or alike.

    Operations are made deterministic, if that is wanted, GPU memory is taken as it is needed, and
    the CPU's threads are limited. XLA stays off: on the CPU it was slower, in its first step and in
    every other.

    Args:
        threads: How many threads one operation may use, at least 1.
        gpus: How many GPUs the job may use, of those that there are.
        deterministic: Whether the same seed has to give the same numbers. Some operations have no
            such form on some GPUs, and fail.

    Returns:
        A clause that names the device that will really be used.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    used = tf.config.list_physical_devices("GPU")[:gpus]
    tf.config.set_visible_devices(used, "GPU")
    for gpu in used:
        tf.config.experimental.set_memory_growth(gpu, True)
    return _described(used, threads) + ("" if deterministic else ", operations not deterministic")


def training_strategy() -> Any:
    """Choose how a job trains on the devices that `prepare` left it; to be called after it.

    On GPUs it computes in half precision where that is safe, and several share out each batch. On
    the CPU nothing changes.

    Returns:
        A `tf.distribute.Strategy`, in whose scope the model is to be built and trained.
    """
    gpus = tf.config.list_logical_devices("GPU")
    if gpus:
        keras.mixed_precision.set_dtype_policy("mixed_float16")
    if len(gpus) > 1:
        return tf.distribute.MirroredStrategy(gpus)
    return tf.distribute.get_strategy()


def precision() -> str:
    """Return Keras' name of the types that are computed with."""
    return str(keras.config.dtype_policy().name)


def versions() -> dict[str, str]:
    """Return the versions of the packages that numbers depend on."""
    packages = {"tensorflow": tf, "keras": keras, "numpy": np, "h5py": h5py}
    return {name: str(package.__version__) for name, package in packages.items()}


def circumstances() -> dict[str, str]:
    """Return what a half-trained run cannot change: versions, types, and how many devices share."""
    shared = tf.distribute.get_strategy().num_replicas_in_sync
    return versions() | {"precision": precision(), "devices": str(shared)}


@contextmanager
def full_precision() -> Iterator[None]:
    """Compute in float32 what is built in the block."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _described(gpus: list[Any], threads: int) -> str:
    if not gpus:
        return f"CPU, {threads} thread{'s' if threads > 1 else ''} (no GPU visible)"
    details = tf.config.experimental.get_device_details(gpus[0])
    count = f"{len(gpus)} × " if len(gpus) > 1 else ""
    return f"GPU, {count}{details.get('device_name', 'of unknown name')}"
