"""What the networks are and what they cost, before any of them is trained.

Published facts come from the registry. The others are counted in the graph that Keras builds: no
weights are fetched, and nothing is computed with it.
"""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from retinopathy import networks
from retinopathy.framework import keras
from retinopathy.registry import NETWORKS, TOP1_SOURCE

COLUMNS = (
    "network",
    "title",
    "parameters",
    "parameters_without_top",
    "megabytes",
    "depth",
    "blocks",
    "layers",
    "top1",
    "top1_source",
    "default_size",
    "multiply_adds",
)
"""Columns of the table of networks; `multiply_adds_<size>` follow, one per size of the study."""

_MULTIPLYING = (
    keras.layers.Conv2D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
    keras.layers.Dense,
)
"""Layers that apply their kernels at every place of their output."""


def table(names: Sequence[str], sizes: Sequence[int]) -> pd.DataFrame:
    """Return the table of networks: one row each, in the order of `names`.

    Args:
        names: Names in the registry.
        sizes: Sides of photographs, pixels, for which the cost is wanted.

    Returns:
        `COLUMNS`, then `multiply_adds_<size>` for each of `sizes`. `parameters` (published, with
        the ImageNet top) and `parameters_without_top` (counted) are millions. `megabytes`, of 10⁶
        bytes, are those of the weights without the top in float32. `depth` is what the function
        of that name counts. `layers` are all layers without the top, the input included. `top1`
        is a share. The cost is billions of multiply-adds per photograph, as the function of that
        name counts them: at `default_size` pixels, and at each size; empty where the network does
        not take photographs so small.
    """
    return pd.DataFrame([_row(name, sizes) for name in names])


def depth(model: keras.Model) -> int:
    """Return how deep a network is: its layers with kernels along the longest path.

    Convolutions and dense layers count, the head's dense layer too, in the place of the ImageNet
    top. Normalisation and activation do not; a separable convolution counts once. So DenseNet-169
    has 169. The depth that keras.io states is another number: of all layers with weights, on
    whatever path, `BatchNormalization` included.

    Source: He et al., Deep residual learning for image recognition, 2016, and Huang et al.,
    Densely connected convolutional networks, 2017, name their networks by this number.

    Args:
        model: A model whose layers are used once each.
    """
    longest: dict[int, int] = {}
    for layer in model.layers:  # Keras keeps them in an order in which inputs come first.
        taken = keras.tree.flatten(layer.input)
        before = max((longest[id(tensor)] for tensor in taken), default=0)
        longest[id(layer.output)] = before + isinstance(layer, _MULTIPLYING)
    return max(longest[id(tensor)] for tensor in model.outputs)


def multiply_adds(model: keras.Model) -> int:
    """Return how many multiply-adds one photograph costs in a forward pass.

    A kernel of k numbers costs k at every place of the output. Biases, normalisation, activation
    and pooling are left out, as is usual.

    Source: Howard et al., MobileNets, 2017, section 3.1, for standard, depthwise and pointwise
    convolutions.

    Args:
        model: A model of inputs with a fixed side, channels last.

    Raises:
        TypeError: A layer has weights and is of a kind that is not known here.
    """
    return sum(map(_multiply_adds, (layer for layer in model.layers if layer.weights)))


def _multiply_adds(layer: Any) -> int:
    if isinstance(layer, keras.layers.BatchNormalization):
        return 0
    if not isinstance(layer, _MULTIPLYING):
        raise TypeError(f"no rule for the cost of {layer.name}, a {type(layer).__name__}")
    kernels = (weight for weight in layer.weights if weight.name.endswith("kernel"))
    places = math.prod(layer.output.shape[1:-1])
    return int(places * sum(math.prod(kernel.shape) for kernel in kernels))


def _row(name: str, sizes: Sequence[int]) -> dict[str, Any]:
    facts = NETWORKS[name]
    model = _built(name, facts.default_size)
    parameters = sum(layer.count_params() for layer in networks.backbone_layers(model))
    costs = {size: _cost(name, size) for size in sizes}
    return {
        "network": name,
        "title": facts.title,
        "parameters": facts.parameters,
        "parameters_without_top": parameters / 1e6,
        "megabytes": 4 * parameters / 1e6,
        "depth": depth(model),
        "blocks": len(facts.blocks),
        "layers": facts.layers,
        "top1": facts.top1,
        "top1_source": TOP1_SOURCE,
        "default_size": facts.default_size,
        "multiply_adds": multiply_adds(model) / 1e9,
        **{f"multiply_adds_{size}": cost for size, cost in costs.items()},
    }


def _cost(name: str, size: int) -> float | None:
    """Return billions of multiply-adds per photograph; nothing where it is too small."""
    if size < NETWORKS[name].smallest_size:
        return None
    return multiply_adds(_built(name, size)) / 1e9


def _built(name: str, size: int) -> keras.Model:
    """Return the network with the head of the workflow; its weights do not matter."""
    return networks.build(name, size, dropout=0, l2=0, seed=1)
