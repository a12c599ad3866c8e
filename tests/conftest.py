"""What tests of every kind share: where things are, and photographs made for the occasion."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "data"
BIN = Path(sys.executable).parent


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the root of the project."""
    return ROOT


@pytest.fixture
def generator() -> np.random.Generator:
    """Return a generator of the test's own: which tests ran before does not matter."""
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def real_photographs() -> Path:
    """Return the folder of real photographs, which may not be redistributed."""
    if not SHARED.is_dir():
        pytest.skip("real photographs are not here: they may not be redistributed")
    return SHARED


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a disk of 256 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, check=False).returncode:
        pytest.skip("a small disk can be mounted by root only")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def float16() -> Iterator[None]:
    """Compute in half precision, as on a GPU."""
    keras = pytest.importorskip("keras")
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    yield
    keras.mixed_precision.set_dtype_policy("float32")
