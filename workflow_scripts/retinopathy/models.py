"""Models of runs: as training starts from them, and as it leaves them.

A finished run leaves the variables that training changed, as plain arrays, and a description of the
model that they belong to. Both are data: nothing in them is executed when a model is loaded.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import h5py

from retinopathy import hdf5, networks
from retinopathy.errors import Explained
from retinopathy.files import read_json, sha256, write_json
from retinopathy.registry import HEAD, NETWORKS
from retinopathy.runs import Run

Model = Any
"""A `keras.Model`."""


@dataclass(frozen=True)
class Architecture:
    """What a trained model is, enough to build it again.

    Attributes:
        network: Name in the registry, and of its function in `keras.applications`: `constructor`.
        size: Side of the square input, RGB in [0, 255], pixels.
        scale: Per channel, what the input is multiplied by, inside the model.
        offset: Per channel, what is added then.
        head: What stands on the network without its top.
        output: What the model returns.
        depth: The cut from which layers were trained.
        initialisation: Where the run started from.
        dropout: Share of pooled features dropped in training.
        l2: L2 constant of the dense layer in training.
        seed: Of the run.
        weights_sha256: SHA-256 of the weights that stay as they were below the cut.
        run: Address of the run.
    """

    network: str
    constructor: str
    size: int
    scale: tuple[float, float, float]
    offset: tuple[float, float, float]
    depth: str
    initialisation: str
    dropout: float
    l2: float
    seed: int
    weights_sha256: str
    run: str
    head: str = "global average pooling, dropout, one dense layer"
    output: str = "logit of the positive class, (n, 1)"


def describe(run: Run, weights: Path, path: Path) -> None:
    """Write the description of a run's model as JSON, for people and for `load_described`."""
    facts = NETWORKS[run.network]
    description = Architecture(
        network=run.network,
        constructor=facts.constructor,
        size=run.size,
        scale=facts.scale,
        offset=facts.offset,
        depth=run.depth,
        initialisation=run.initialisation,
        dropout=run.dropout,
        l2=run.l2,
        seed=run.seed,
        weights_sha256=sha256(weights),
        run=run.address,
    )
    write_json(path, asdict(description))


def load_described(description: Path, weights: Path, trained: Path) -> Model:
    """Return the model that `describe` described.

    Raises:
        Explained: The weights are others, or the files do not fit the run.
    """
    known = read_json(description)
    found = sha256(weights)
    if found != known["weights_sha256"]:
        raise Explained(
            f"{weights} is not what the run started from",
            expected=f"SHA-256 {known['weights_sha256']}",
            received=found,
            hint="give the weights of the folder `initial` of the same study",
        )
    return load_trained(Run.parse(known["run"]), weights, trained)


def flat(run: Run, weights: Path) -> Model:
    """Return the flat model of a run before training."""
    model = networks.build(run.network, run.size, dropout=run.dropout, l2=run.l2, seed=run.seed)
    networks.load_backbone(model, weights)
    if run.initialisation == "random_all":
        networks.unfreeze_all(model)
    else:
        networks.set_depth(model, run.network, run.depth)
    return model


def trained_part(run: Run, weights: Path, *, cached: bool) -> Model:
    """Return what a run trains: the flat model, or what lies above its cut."""
    if not cached:
        return flat(run, weights)
    if run.depth == HEAD:
        return networks.build_head(run.network, dropout=run.dropout, l2=run.l2, seed=run.seed)
    _, suffix = networks.split(flat(run, weights), run.network, run.depth)
    return suffix


def save_trained(model: Model, path: Path) -> None:
    """Write what training changed, and nothing else: HDF5, `layer/variable` → array."""
    with hdf5.created(path) as file:
        arrays = {name: v.numpy() for name, v in networks.learned(model, state=False).items()}
        hdf5.reserve(file, sum(array.nbytes for array in arrays.values()))
        for name, array in arrays.items():
            file[name] = array


def load_trained(run: Run, weights: Path, trained: Path) -> Model:
    """Return the flat model of a finished run, from pixels to logits.

    Args:
        run: The run.
        weights: The weights that it started from.
        trained: What `save_trained` wrote.

    Raises:
        Explained: The files do not fit the run.
    """
    model = flat(run, weights)
    variables = networks.learned(model, state=False)
    with h5py.File(trained) as file:
        stored: list[str] = []
        file.visititems(lambda name, item: stored.append(name) if hasattr(item, "shape") else None)
        if set(stored) != set(variables):
            raise Explained(
                f"{trained} does not fit the run {run.address}",
                expected=f"{len(variables)} variables, such as {min(variables)}",
                received=f"{len(stored)}, such as {min(stored, default='none')}",
                hint="train the run again",
            )
        for name, variable in variables.items():
            variable.assign(file[name][()])
    return model
