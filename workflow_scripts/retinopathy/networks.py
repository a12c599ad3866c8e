"""Flat models: preprocessing, backbone and head in one graph, cut into prefix and suffix.

The head is global average pooling, dropout and one dense layer, as class activation maps need it.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from retinopathy.errors import Explained
from retinopathy.framework import keras
from retinopathy.registry import (
    ALL,
    HEAD,
    NETWORKS,
    NORMALISATION,
    Network,
    first_trained,
)

PREPROCESSING = "preprocessing"
POOL = "pool"
DROPOUT = "dropout"
LOGIT = "logit"

MOMENTUM = 0.9
"""Of the statistics of `BatchNormalization` in training from scratch."""
"""Names of the layers around the backbone, in every network."""

_SNAKE = re.compile(r"(?<=[a-z0-9])[A-Z](?!$)")
"""Capitals that start a new word in the name of a class: BatchNormalization, but not Conv2D."""


def build(network: str, size: int, *, dropout: float, l2: float, seed: int) -> keras.Model:
    """Build a network with random weights.

    Layers that Keras names by counting are renamed, so that a layer's name is the same in every
    process. Sets the global seeds: Keras draws the backbone's initialisation from them.

    Args:
        network: Name in the registry.
        size: Side of the square input, pixels.
        dropout: Share of the pooled features dropped in training, in [0, 1).
        l2: L2 constant of the dense kernel, ≥ 0.
        seed: Governs initialisation and dropout.

    Returns:
        A `keras.Model` from pixels, (n, size, size, 3), RGB in [0, 255], to logits, (n, 1), of
        the positive class.

    Raises:
        Explained: The network does not take inputs so small.
    """
    facts = NETWORKS[network]
    if size < facts.smallest_size:
        raise Explained(
            f"{network} cannot be built",
            expected=f"inputs at least {facts.smallest_size} pixels wide",
            received=f"{size} pixels",
            hint="use larger records, or another network",
        )
    keras.utils.set_random_seed(seed)
    pixels = keras.Input((size, size, 3), name="pixels")
    scaled = keras.layers.Rescaling(facts.scale, facts.offset, name=PREPROCESSING)(pixels)
    maps = _bare(facts, input_tensor=scaled).output
    pooled = keras.layers.GlobalAveragePooling2D(name=POOL)(maps)
    model = keras.Model(pixels, _logit(pooled, dropout, l2, seed), name=network)
    _name_layers(model, facts)
    return model


def build_head(network: str, *, dropout: float, l2: float, seed: int) -> keras.Model:
    """Build what follows the pooled features, equal to the end of the network of `build`.

    Returns:
        A `keras.Model` from a list of pooled features, (n, features), to logits, (n, 1).
    """
    pooled = keras.Input((NETWORKS[network].features,))
    return keras.Model([pooled], _logit(pooled, dropout, l2, seed), name=f"{network}_{HEAD}")


def build_bare(network: str, size: int | None = None) -> keras.Model:
    """Build the backbone alone: the network whose `save_weights` makes weights files."""
    return _bare(NETWORKS[network], input_shape=(size, size, 3))


def load_backbone(model: keras.Model, weights: Path) -> None:
    """Load the weights of the backbone, all or none; the head stays as it is.

    Keras' own reader guesses around what does not fit and walks every container of the model; the
    file is plain enough to be read as it is: `layers/<class>_<count>/vars/<number>`.

    Args:
        model: A model from `build` or `build_bare`.
        weights: A `.weights.h5` file that Keras saved of the network without its top.

    Raises:
        Explained: Names or shapes in the file are not those of the backbone, or it is not a file
            of weights at all.
    """
    try:
        with h5py.File(weights) as file:
            stored = _read_layers(file["layers"])
    except (KeyError, OSError) as error:
        raise _unfit(model.name, weights, f"a file that cannot be read: {error}") from error
    expected = _stored_names(model)
    for name in sorted(expected.keys() | stored.keys()):
        shapes = [tuple(weight.shape) for weight in expected.get(name, [])]
        received = [array.shape for array in stored.get(name, [])]
        if shapes != received:
            raise _unfit(model.name, weights, f"{name} with shapes {received}, not {shapes}")
    for name, variables in expected.items():
        for variable, array in zip(variables, stored[name], strict=True):
            variable.assign(array)


def backbone_layers(model: keras.Model) -> list[Any]:
    """Return the layers of a flat model that its backbone alone has too, in the same order."""
    around = {PREPROCESSING, POOL, DROPOUT, LOGIT}
    return [layer for layer in model.layers if layer.name not in around]


def set_depth(model: keras.Model, network: str, depth: str) -> None:
    """Make trainable what a depth says, and nothing else.

    From a cut upward that is all save `BatchNormalization`; for `bn` it is the head, and the scales
    and shifts of `BatchNormalization` that there are. A layer of that kind stays frozen either way:
    it normalises with its stored statistics in training too.

    Raises:
        Explained: There is no such depth.
    """
    everywhere = depth == NORMALISATION
    cut = _cut(network, HEAD if everywhere else depth)
    for place, layer in enumerate(model.layers):
        normalises = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = place >= cut and not normalises
        if normalises and everywhere:
            # The layer asks its own flag about statistics; gradients ask that of each variable.
            for variable in (layer.gamma, layer.beta):
                if variable is not None:
                    variable.trainable = True


def unfreeze_all(model: keras.Model) -> None:
    """Make every layer trainable, statistics of `BatchNormalization` included.

    These follow the batches with `MOMENTUM`: with that of the published networks, 0.99 to 0.999,
    they would not be settled when a run of a few hundred steps ends.
    """
    for layer in model.layers:
        layer.trainable = True
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = MOMENTUM


def trainable_by_layer(model: keras.Model) -> dict[str, int]:
    """Return layer → how many numbers training changes by their gradients, from input to output."""
    counts = {
        layer.name: sum(math.prod(weight.shape) for weight in layer.weights if weight.trainable)
        for layer in model.layers
    }
    return {name: count for name, count in counts.items() if count}


def learned(model: keras.Model, *, state: bool) -> dict[str, Any]:
    """Return the variables that training changes.

    Args:
        model: A flat model or a suffix.
        state: Whether to include the state of random generators, which a resumed run needs and a
            finished one does not.

    Returns:
        `layer/variable` → variable, the same name in the flat model and in its suffix.
    """
    return {
        f"{layer.name}/{variable.name}": variable
        for layer in model.layers
        for variable in (layer.variables if state else layer.weights)
        if layer.trainable or variable.trainable
    }


def split(model: keras.Model, network: str, depth: str) -> tuple[keras.Model, keras.Model]:
    """Cut a flat model in two that share its weights: suffix(prefix(x)) equals model(x).

    Args:
        model: A model from `build`.
        network: Name in the registry.
        depth: `head`, a block or `block+k`.

    Returns:
        The prefix, from pixels to what crosses the cut (the pooled features for `head`): a tensor,
        or a list where there are several; and the suffix, from that to logits, (n, 1).

    Raises:
        ValueError: The depth is `all` or `bn`, which leave no prefix.
        Explained: There is no such depth.
    """
    if depth in (ALL, NORMALISATION):
        raise ValueError(f"depth `{depth}` leaves no prefix")
    frontier = _frontier(model, _cut(network, depth))
    return keras.Model(model.input, frontier), keras.Model(frontier, model.output)


def _bare(facts: Network, **inputs: Any) -> keras.Model:
    """Build a backbone, random, without its top."""
    constructor = getattr(keras.applications, facts.constructor)
    return constructor(weights=None, include_top=False, **inputs)


def _stored_names(model: keras.Model) -> dict[str, list[Any]]:
    """Return the backbone's variables by the names that Keras gives their layers in files."""
    counts: Counter[str] = Counter()
    names = {}
    for layer in backbone_layers(model):
        kind = _SNAKE.sub(r"_\g<0>", type(layer).__name__).lower()
        names[f"{kind}_{counts[kind]}" if counts[kind] else kind] = list(layer.weights)
        counts[kind] += 1
    return {name: variables for name, variables in names.items() if variables}


def _read_layers(group: Any) -> dict[str, list[NDArray[np.float32]]]:
    """Return the arrays of every layer in a file that has any, in the order of their numbers."""
    stored = {
        name: [layer["vars"][number][()] for number in sorted(layer["vars"], key=int)]
        for name, layer in group.items()
    }
    return {name: arrays for name, arrays in stored.items() if arrays}


def _unfit(network: str, weights: Path, received: str) -> Explained:
    return Explained(
        f"{weights} does not hold the weights of {network}",
        expected="a `.weights.h5` file that Keras saved of the network without its top",
        received=received,
        hint="check which network the file is of, and that it is whole",
    )


def _logit(pooled: Any, dropout: float, l2: float, seed: int) -> keras.Model:
    """Return the logit of pooled features, float32; the seed alone determines its weights."""
    kept = keras.layers.Dropout(dropout, seed=seed, name=DROPOUT, dtype="float32")(pooled)
    dense = keras.layers.Dense(
        1,
        dtype="float32",
        kernel_initializer=keras.initializers.GlorotUniform(seed),
        kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
        name=LOGIT,
    )
    return dense(kept)


def _name_layers(model: keras.Model, facts: Network) -> None:
    """Rename counted layers as Keras would in a process that builds nothing else.

    Raises:
        RuntimeError: The backbone has not as many layers as the registry says: cuts would shift.
    """
    counted = [(layer, *_counted(layer)) for layer in model.layers if _counted(layer)]
    first = {kind: min(n for _, other, n in counted if other == kind) for _, kind, _ in counted}
    for layer, kind, number in counted:
        count = number - first[kind]
        layer.name = f"{kind}_{count}" if count else kind
    backbone = model.layers.index(model.get_layer(POOL)) - 1
    if backbone != facts.layers:
        raise RuntimeError(f"{facts.name} has {backbone} layers, not {facts.layers}")


def _counted(layer: Any) -> tuple[str, int] | tuple[()]:
    """Return kind and number of a layer that Keras named by counting, else nothing."""
    match = re.fullmatch(r"(?P<kind>\w+?)(_(?P<number>\d+))?", layer.name)
    if match is None or match["kind"].replace("_", "") != type(layer).__name__.lower():
        return ()
    return match["kind"], int(match["number"] or 0)


def _cut(network: str, depth: str) -> int:
    """Return the place, in the flat model, of the first layer that is trained.

    Preprocessing stands before the backbone; pooling, which has nothing to train, after it.
    """
    return first_trained(network, depth) + (2 if depth == HEAD else 1)


def _frontier(model: keras.Model, cut: int) -> list[Any]:
    """Return the tensors that layers from place `cut` on take from layers before it."""
    below = {id(layer.output) for layer in model.layers[:cut]}
    crossing = {
        id(tensor): tensor
        for layer in model.layers[cut:]
        for tensor in _inputs(layer)
        if id(tensor) in below
    }
    return list(crossing.values())


def _inputs(layer: Any) -> Iterator[Any]:
    """Yield the tensors that a layer takes in the model it was first built in."""
    yield from layer.input if isinstance(layer.input, list) else [layer.input]
