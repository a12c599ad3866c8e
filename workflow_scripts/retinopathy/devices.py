"""The device that TensorFlow uses, set up so that the same seed gives the same numbers."""

from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf


def prepare(threads: int) -> str:
    """Set up TensorFlow; to be called before it computes anything, once per process or alike.

    Operations are made deterministic, GPU memory is taken as it is needed, and the CPU's threads
    are limited.

    Args:
        threads: How many threads one operation may use, at least 1.

    Returns:
        A clause that names the device that will really be used.
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    return _described(gpus, threads)


def versions() -> dict[str, str]:
    """Return the versions of the packages that numbers depend on."""
    packages = {"tensorflow": tf, "keras": keras, "numpy": np, "h5py": h5py}
    return {name: str(package.__version__) for name, package in packages.items()}


def _described(gpus: list[Any], threads: int) -> str:
    if not gpus:
        return f"CPU, {threads} thread{'s' if threads > 1 else ''} (no GPU visible)"
    details = tf.config.experimental.get_device_details(gpus[0])
    return f"GPU, {details.get('device_name', 'of unknown name')} (first of {len(gpus)} visible)"
