"""Counts in real networks against published ones, and in small graphs against those by hand."""

from typing import Any

import keras
import pytest

from retinopathy import display, network_facts, networks, registry

pytestmark = pytest.mark.networks

NAMES = sorted(registry.NETWORKS)

# Without the top, as `summary` of keras.applications says.
PARAMETERS = {
    "xception": 20_861_480,
    "inception_v3": 21_802_784,
    "densenet169": 12_642_880,
    "mobilenet_v2": 2_257_984,
    "resnet50_v2": 23_564_800,
}

# By name, by MathWorks' pages of pretrained networks (48, 53), and by Chollet, 2017: 36
# convolutions, separable ones counted once, before the top.
DEPTHS = {
    "xception": 37,
    "inception_v3": 48,
    "densenet169": 169,
    "mobilenet_v2": 53,
    "resnet50_v2": 50,
}

# Column `Depth` of registry.TOP1_SOURCE: all layers with weights.
WITH_WEIGHTS = {
    "xception": 81,
    "inception_v3": 189,
    "densenet169": 338,
    "mobilenet_v2": 105,
    "resnet50_v2": 103,
}

# Billions at the default size: model cards of timm, to one decimal. Keras' ResNet50V2 strides at
# the ends of its stages and so costs less than the 4.1 of others.
MULTIPLY_ADDS = {
    "xception": 8.4,
    "inception_v3": 5.7,
    "densenet169": 3.4,
    "mobilenet_v2": 0.3,
    "resnet50_v2": 3.5,
}


@pytest.fixture(scope="module", params=NAMES)
def flat(request: pytest.FixtureRequest) -> Any:
    size = registry.NETWORKS[request.param].default_size
    return networks.build(request.param, size, dropout=0, l2=0, seed=1)


def test_every_network_has_a_known_answer() -> None:
    for answers in (PARAMETERS, DEPTHS, WITH_WEIGHTS, MULTIPLY_ADDS):
        assert sorted(answers) == NAMES


def test_counts_in_the_graph_are_the_published_ones(flat: Any) -> None:
    name = flat.name
    assert network_facts.depth(flat) == DEPTHS[name]
    assert sum(bool(layer.weights) for layer in flat.layers) == WITH_WEIGHTS[name]
    assert network_facts.multiply_adds(flat) / 1e9 == pytest.approx(MULTIPLY_ADDS[name], abs=0.05)


def test_published_parameters_are_those_counted_and_the_imagenet_top(flat: Any) -> None:
    facts = registry.NETWORKS[flat.name]
    counted = sum(layer.count_params() for layer in networks.backbone_layers(flat))
    assert counted == PARAMETERS[flat.name]
    assert round((counted + 1000 * (facts.features + 1)) / 1e6, 1) == facts.parameters


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (keras.layers.Conv2D(5, 3, padding="same"), 8 * 8 * 5 * 3 * 3 * 4),
        (keras.layers.Conv2D(5, 3, padding="valid", use_bias=False), 6 * 6 * 5 * 3 * 3 * 4),
        (keras.layers.Conv2D(5, 1, strides=2), 4 * 4 * 5 * 4),
        (keras.layers.Conv2D(6, 3, padding="same", groups=2), 8 * 8 * 6 * 3 * 3 * 2),
        (keras.layers.DepthwiseConv2D(3, padding="same", strides=2), 4 * 4 * 3 * 3 * 4),
        (keras.layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2), 8 * 8 * 3 * 3 * 8),
        (keras.layers.SeparableConv2D(5, 3, padding="same"), 8 * 8 * (3 * 3 * 4 + 4 * 5)),
        (keras.layers.BatchNormalization(), 0),
        (keras.layers.MaxPooling2D(), 0),
    ],
)
def test_a_layer_costs_what_is_counted_by_hand(layer: Any, expected: int) -> None:
    maps = keras.Input((8, 8, 4))
    assert network_facts.multiply_adds(keras.Model(maps, layer(maps))) == expected


def test_a_dense_layer_costs_its_kernel() -> None:
    features = keras.Input((7,))
    model = keras.Model(features, keras.layers.Dense(3)(features))
    assert network_facts.multiply_adds(model) == 21


def test_a_layer_that_is_not_known_is_not_passed_over() -> None:
    maps = keras.Input((8, 8, 4))
    model = keras.Model(maps, keras.layers.Conv2DTranspose(5, 3, name="upwards")(maps))
    with pytest.raises(TypeError, match="upwards"):
        network_facts.multiply_adds(model)


def test_depth_follows_the_longest_path_and_counts_kernels_alone() -> None:
    maps = keras.Input((8, 8, 4))
    assert network_facts.depth(keras.Model(maps, keras.layers.ReLU()(maps))) == 0
    long = maps
    for _ in range(3):
        long = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 1)(long))
    short = keras.layers.Conv2D(4, 1)(maps)
    joined = keras.layers.ReLU()(keras.layers.Add()([short, long]))
    assert network_facts.depth(keras.Model(maps, joined)) == 3
    assert network_facts.depth(keras.Model(maps, keras.layers.Dense(1)(joined))) == 4


def test_the_table_has_a_row_per_network_and_a_cost_per_size() -> None:
    table = network_facts.table(["mobilenet_v2", "xception"], [64, 128])
    sizes = ["multiply_adds_64", "multiply_adds_128"]
    assert table.columns.to_list() == [*network_facts.COLUMNS, *sizes]
    assert table["network"].to_list() == ["mobilenet_v2", "xception"]
    assert set(table["top1_source"]) == {registry.TOP1_SOURCE}
    first, second = table.to_dict("records")
    assert first["parameters_without_top"] == 2.257984
    assert first["megabytes"] == pytest.approx(4 * 2.257984)
    # Twice the side is four times the cost, save for the head.
    head = 1280 / 1e9
    assert (first[sizes[1]] - head) / (first[sizes[0]] - head) == pytest.approx(4)
    assert first["multiply_adds"] == pytest.approx(MULTIPLY_ADDS["mobilenet_v2"], abs=0.05)
    shown = display.markdown(table).splitlines()
    assert len(shown) == 4
    assert "8.36" in shown[-1]
    # Xception takes no photographs of 64 pixels.
    assert second[sizes[0]] != second[sizes[0]]
    assert 0 < second[sizes[1]] < second["multiply_adds"]
