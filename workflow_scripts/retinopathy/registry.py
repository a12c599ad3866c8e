"""The networks that there are, as plain facts: no deep-learning framework is imported here.

A network is an entry of `NETWORKS`. Places of layers count the layers of the network without its
top in the order of the graph, the input being 0; the tests compare them with Keras.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from retinopathy.errors import Explained

HEAD = "head"
"""The depth that trains the dense layer alone."""

ALL = "all"
"""The depth that trains every layer."""

NORMALISATION = "bn"
"""The depth that trains the head, and scales and shifts of every `BatchNormalization`."""

_DEPTH = re.compile(r"(?P<block>\w+?)(\+(?P<offset>[1-9]\d*))?")

TOP1_SOURCE = "https://keras.io/api/applications/"
"""Where `top1` and `parameters` of the entries were read."""


@dataclass(frozen=True)
class Network:
    """What is known of a network without building it.

    Attributes:
        name: Name in configuration, addresses and tables.
        title: Name in figures and texts.
        constructor: Name of its function in `keras.applications`.
        scale: Per channel, what inputs in [0, 255] are multiplied by.
        offset: Per channel, what is added then.
        default_size: Side of the inputs that it was published with, pixels.
        smallest_size: Side of the smallest inputs that it takes, pixels.
        blocks: Blocks from input to output → place of their first layer.
        layers: How many layers it has without its top, the input included.
        feature_layer: Name of the layer with the last feature maps.
        features: How many feature maps there are.
        parameters: Millions of parameters, ImageNet top included.
        top1: Published ImageNet top-1 accuracy.
        enters: Blocks → channels of the maps that enter, and by how much they are reduced.
        inside: A cut inside a block passes at most so many times the numbers that enter it.
        file: Of its weights, where Keras does not name it as most are.
        lost: Reduction → by how many pixels of the input unpadded layers have narrowed the maps.
    """

    name: str
    title: str
    constructor: str
    scale: tuple[float, float, float]
    offset: tuple[float, float, float]
    default_size: int
    smallest_size: int
    blocks: Mapping[str, int]
    layers: int
    feature_layer: str
    features: int
    parameters: float
    top1: float
    enters: Mapping[str, tuple[int, int]]
    inside: int
    lost: Mapping[int, int] = field(default_factory=dict)
    file: str = ""

    @property
    def weights_file(self) -> str:
        """Name under which Keras keeps the ImageNet weights without the top."""
        return self.file or f"{self.name}_weights_tf_dim_ordering_tf_kernels_notop.h5"

    def layers_of(self, block: str) -> int:
        """Return how many layers `block` has."""
        starts = [*self.blocks.values(), self.layers]
        return {
            name: end - start
            for name, (start, end) in zip(self.blocks, pairwise(starts), strict=True)
        }[block]


_SYMMETRIC: Mapping[str, Any] = {
    "scale": (1 / 127.5,) * 3,
    "offset": (-1.0,) * 3,
}
"""To [−1, 1]: what Keras calls preprocessing of the kind `tf`."""

_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
_STANDARDISED: Mapping[str, Any] = {
    "scale": (1 / 255 / _DEVIATION[0], 1 / 255 / _DEVIATION[1], 1 / 255 / _DEVIATION[2]),
    "offset": (
        -_MEAN[0] / _DEVIATION[0],
        -_MEAN[1] / _DEVIATION[1],
        -_MEAN[2] / _DEVIATION[2],
    ),
}
"""By mean and deviation of ImageNet: what Keras calls preprocessing of the kind `torch`."""

_ENTRIES = (
    Network(
        name="xception",
        title="Xception",
        constructor="Xception",
        **_SYMMETRIC,
        default_size=299,
        smallest_size=71,
        blocks={
            "block1": 1,
            "block2": 7,
            **{f"block{number}": 16 + 10 * (number - 3) for number in range(3, 14)},
            "block14": 126,
        },
        layers=132,
        feature_layer="block14_sepconv2_act",
        features=2048,
        parameters=22.9,
        top1=0.790,
        enters={
            "block1": (3, 1),
            "block2": (64, 2),
            "block3": (128, 4),
            "block4": (256, 8),
            **{f"block{number}": (728, 16) for number in range(5, 14)},
            "block14": (1024, 32),
        },
        inside=6,
        lost=dict.fromkeys((2, 4, 8, 16, 32), 6),
    ),
    Network(
        name="inception_v3",
        title="Inception V3",
        constructor="InceptionV3",
        **_SYMMETRIC,
        default_size=299,
        smallest_size=75,
        blocks={
            "stem": 1,
            "mixed0": 18,
            "mixed1": 41,
            "mixed2": 64,
            "mixed3": 87,
            "mixed4": 101,
            "mixed5": 133,
            "mixed6": 165,
            "mixed7": 197,
            "mixed8": 229,
            "mixed9": 249,
            "mixed10": 280,
        },
        layers=311,
        feature_layer="mixed10",
        features=2048,
        parameters=23.9,
        top1=0.779,
        enters={
            "stem": (3, 1),
            "mixed0": (192, 8),
            "mixed1": (256, 8),
            "mixed2": (288, 8),
            "mixed3": (288, 8),
            **{f"mixed{number}": (768, 16) for number in range(4, 9)},
            "mixed9": (1280, 32),
            "mixed10": (2048, 32),
        },
        inside=6,
        lost={8: 26, 16: 42, 32: 74},
    ),
    Network(
        name="densenet169",
        title="DenseNet-169",
        constructor="DenseNet169",
        **_STANDARDISED,
        default_size=224,
        smallest_size=32,
        blocks={"conv1": 1, "conv2": 7, "conv3": 53, "conv4": 141, "conv5": 369},
        layers=595,
        feature_layer="relu",
        features=1664,
        parameters=14.3,
        top1=0.762,
        enters={
            "conv1": (3, 1),
            "conv2": (64, 4),
            "conv3": (128, 8),
            "conv4": (256, 16),
            "conv5": (640, 32),
        },
        inside=10,
        lost={8: 4, 16: 12, 32: 28},
    ),
    Network(
        name="mobilenet_v2",
        title="MobileNetV2",
        constructor="MobileNetV2",
        **_SYMMETRIC,
        default_size=224,
        smallest_size=32,
        blocks={
            "stem": 1,
            "block0": 4,
            **{f"block{number}": 9 * number for number in range(1, 11)},
            "block11": 98,
            **{f"block{number}": 107 + 9 * (number - 12) for number in range(12, 17)},
            "top": 151,
        },
        layers=154,
        feature_layer="out_relu",
        features=1280,
        parameters=3.5,
        top1=0.713,
        enters={
            "stem": (3, 1),
            "block0": (32, 2),
            "block1": (16, 2),
            **dict.fromkeys(("block2", "block3"), (24, 4)),
            **{f"block{number}": (32, 8) for number in range(4, 7)},
            **{f"block{number}": (64, 16) for number in range(7, 11)},
            **{f"block{number}": (96, 16) for number in range(11, 14)},
            **{f"block{number}": (160, 32) for number in range(14, 17)},
            "top": (320, 32),
        },
        inside=10,
        file="mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
    ),
    Network(
        name="resnet50_v2",
        title="ResNet50V2",
        constructor="ResNet50V2",
        **_SYMMETRIC,
        default_size=224,
        smallest_size=32,
        blocks={
            "conv1": 1,
            "conv2_block1": 5,
            "conv2_block2": 17,
            "conv2_block3": 28,
            "conv3_block1": 40,
            "conv3_block2": 52,
            "conv3_block3": 63,
            "conv3_block4": 74,
            "conv4_block1": 86,
            "conv4_block2": 98,
            "conv4_block3": 109,
            "conv4_block4": 120,
            "conv4_block5": 131,
            "conv4_block6": 142,
            "conv5_block1": 154,
            "conv5_block2": 166,
            "conv5_block3": 177,
        },
        layers=190,
        feature_layer="post_relu",
        features=2048,
        parameters=25.6,
        top1=0.760,
        enters={
            "conv1": (3, 1),
            "conv2_block1": (64, 4),
            **{f"conv2_block{number}": (256, 4) for number in (2, 3)},
            "conv3_block1": (256, 8),
            **{f"conv3_block{number}": (512, 8) for number in (2, 3, 4)},
            "conv4_block1": (512, 16),
            **{f"conv4_block{number}": (1024, 16) for number in range(2, 7)},
            "conv5_block1": (1024, 32),
            **{f"conv5_block{number}": (2048, 32) for number in (2, 3)},
        },
        inside=8,
        file="resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
    ),
)

NETWORKS: Mapping[str, Network] = {network.name: network for network in _ENTRIES}
"""Name → network."""


def depths(network: str) -> tuple[str, ...]:
    """Return the whole-block depths of a network, from the head to everything."""
    return (HEAD, *reversed(tuple(NETWORKS[network].blocks)), ALL)


def parse_depth(network: str, depth: str) -> tuple[str | None, int]:
    """Return the block that `depth` cuts and how many of its first layers stay frozen.

    Args:
        network: Name in `NETWORKS`.
        depth: `head`, a block, `block+k` with the first k layers of the block frozen, `all`, `bn`.

    Returns:
        The block and k; (None, 0) for `head`, the first block and 0 for `all` and `bn`.

    Raises:
        Explained: There is no such block, or it has no more than k layers.
    """
    if depth == HEAD:
        return None, 0
    facts = NETWORKS[network]
    if depth in (ALL, NORMALISATION):
        return next(iter(facts.blocks)), 0
    match = _DEPTH.fullmatch(depth)
    block, offset = (match["block"], int(match["offset"] or 0)) if match else (depth, 0)
    if block not in facts.blocks:
        raise Explained(
            f"{network} cannot be cut there",
            expected=f"{HEAD}, {NORMALISATION}, {ALL}, or a block, with or without +k: "
            + ", ".join(facts.blocks),
            received=depth,
            hint="a block's name alone trains the whole block and all that follows",
        )
    if offset >= facts.layers_of(block):
        raise Explained(
            f"{block} of {network} has too few layers for this cut",
            expected=f"{block}+k with k from 1 to {facts.layers_of(block) - 1}",
            received=depth,
            hint="name the next block to freeze all of this one",
        )
    return block, offset


def first_trained(network: str, depth: str) -> int:
    """Return the place of the first layer that is trained; for `head`, the number of layers.

    Raises:
        Explained: As `parse_depth` does.
    """
    block, offset = parse_depth(network, depth)
    facts = NETWORKS[network]
    return facts.layers if block is None else facts.blocks[block] + offset


def crossing(network: str, depth: str, size: int) -> int:
    """Return how many numbers of a photograph cross a cut: what a frozen part leaves to its suffix.

    Exact for `head` and whole blocks, an upper bound inside a block.

    Args:
        network: Name in `NETWORKS`.
        depth: As in `parse_depth`.
        size: Side of the photograph, pixels.

    Raises:
        Explained: As `parse_depth` does.
    """
    block, offset = parse_depth(network, depth)
    facts = NETWORKS[network]
    if block is None:
        return facts.features
    channels, reduction = facts.enters[block]
    side = max(1, math.ceil((size - facts.lost.get(reduction, 0)) / reduction))
    return side * side * channels * (facts.inside if offset else 1)
