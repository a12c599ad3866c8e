"""Depths and places of layers; what Keras says of them is tested with the networks."""

from itertools import pairwise

import pytest

from retinopathy import registry
from retinopathy.errors import Explained

NAMES = sorted(registry.NETWORKS)


@pytest.mark.parametrize("name", NAMES)
def test_blocks_share_out_the_layers(name: str) -> None:
    network = registry.NETWORKS[name]
    assert network.name == name
    assert next(iter(network.blocks.values())) == 1
    assert all(first < second for first, second in pairwise(network.blocks.values()))
    assert sum(map(network.layers_of, network.blocks)) == network.layers - 1


@pytest.mark.parametrize("name", NAMES)
def test_depths_go_from_the_head_down(name: str) -> None:
    cuts = [registry.first_trained(name, depth) for depth in registry.depths(name)]
    assert cuts[0] == registry.NETWORKS[name].layers
    assert cuts == sorted(cuts, reverse=True)
    assert cuts[-1] == cuts[-2] == 1


@pytest.mark.parametrize(
    ("network", "depth", "expected"),
    [
        ("xception", "head", (None, 0)),
        ("xception", "block14", ("block14", 0)),
        ("xception", "block2+3", ("block2", 3)),
        ("inception_v3", "mixed10+29", ("mixed10", 29)),
        ("inception_v3", "all", ("stem", 0)),
        ("inception_v3", "bn", ("stem", 0)),
        ("densenet169", "conv5", ("conv5", 0)),
    ],
)
def test_parse_depth(network: str, depth: str, expected: tuple[str | None, int]) -> None:
    assert registry.parse_depth(network, depth) == expected


@pytest.mark.parametrize("name", NAMES)
def test_every_block_says_what_enters(name: str) -> None:
    network = registry.NETWORKS[name]
    assert list(network.enters) == list(network.blocks)
    first, *_ = network.blocks
    assert registry.crossing(name, first, 224) == 224 * 224 * 3
    assert registry.crossing(name, "head", 224) == network.features
    assert registry.crossing(name, f"{first}+1", 224) == network.inside * 224 * 224 * 3


@pytest.mark.parametrize(
    "depth", ["block15", "block14+", "block14+0", "block14+6", "+1", "Head", ""]
)
def test_parse_depth_explains_what_there_is(depth: str) -> None:
    with pytest.raises(Explained, match=r"expected: .*block14"):
        registry.parse_depth("xception", depth)


def test_an_offset_is_a_place_inside_the_block() -> None:
    whole = registry.first_trained("inception_v3", "mixed9")
    assert registry.first_trained("inception_v3", "mixed9+5") == whole + 5
