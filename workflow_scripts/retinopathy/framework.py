"""Keras and TensorFlow, imported quickly, for all modules that use them.

Keras imports matplotlib and scikit-learn where it finds them, for functions that are not used here,
and takes them for absent where it does not. And what an import makes stays: looking for garbage in
it, again and again as it grows and later as models are built, finds nothing. Each job that trains
or scores starts one and a half seconds sooner without both.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

UNUSED = ("matplotlib", "sklearn")
"""Packages that Keras can do without; who wants them imports them as usual."""


@contextmanager
def absent(*packages: str) -> Iterator[None]:
    """Let imports within the block not find packages, save those that are there already."""
    hidden = [package for package in packages if package not in sys.modules]
    # Python's own sign for a module that may not be imported.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for package in hidden:
            del sys.modules[package]


@contextmanager
def without_collection() -> Iterator[None]:
    """Collect no garbage within the block, and never what it made."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collects:
            gc.enable()


with absent(*UNUSED), without_collection():
    import keras
    import tensorflow as tf

__all__ = ["absent", "keras", "tf", "without_collection"]
