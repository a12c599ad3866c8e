"""Similarity of maps, and what random weights do to them."""

from collections import Counter
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from retinopathy import (
    explaining,
    fields,
    networks,
    randomisation,
    registry,
    saliency,
    scales,
    similarity,
)
from retinopathy.methods import TWO_SIDED
from retinopathy.randomisation import Stage

SIDE = 32
EVERYWHERE = np.ones((SIDE, SIDE), bool)
CENTRE = np.hypot(*np.mgrid[-15.5:16.5, -15.5:16.5]) < 15


def drawn(seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((SIDE, SIDE), dtype=np.float32)


# Similarity ---------------------------------------------------------------------------------------


def test_rank_correlation_is_that_of_scipy_on_the_retina_alone() -> None:
    first, second = drawn(1), drawn(2).round(1)  # ties among the second
    found = similarity.spearman(first, second, CENTRE)
    assert found == pytest.approx(spearmanr(first[CENTRE], second[CENTRE]).statistic)
    beyond = np.where(CENTRE, first, 1e6).astype(np.float32)
    assert similarity.spearman(beyond, second, CENTRE) == found


def test_a_map_is_like_itself_and_unlike_its_negative() -> None:
    heat = drawn()
    assert similarity.spearman(heat, 3 * heat + 1, EVERYWHERE) == pytest.approx(1)
    assert similarity.spearman(heat, -heat, EVERYWHERE) == pytest.approx(-1)
    assert similarity.ssim(heat, heat, EVERYWHERE) == pytest.approx(1)
    assert similarity.difference(heat, 7 * heat, EVERYWHERE) == pytest.approx(0, abs=1e-6)
    ones = np.where(CENTRE, np.float32(1), np.float32(0))
    assert similarity.difference(ones, -ones, EVERYWHERE) == pytest.approx(2 * CENTRE.mean())


def test_structural_similarity_is_the_published_formula() -> None:
    """One window, written out: Gaussian weights of 11 × 11 pixels and a deviation of 1.5."""
    first, second = drawn(1), drawn(2)
    along = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    weights = np.outer(along, along) / along.sum() ** 2
    one, other = (heat[10:21, 11:22].astype(np.float64) for heat in (first, second))
    mean_one, mean_other = (weights * one).sum(), (weights * other).sum()
    variances = (weights * one**2).sum() - mean_one**2, (weights * other**2).sum() - mean_other**2
    covariance = (weights * one * other).sum() - mean_one * mean_other
    expected = (2 * mean_one * mean_other + 1e-4) * (2 * covariance + 9e-4)
    expected /= (mean_one**2 + mean_other**2 + 1e-4) * (sum(variances) + 9e-4)
    alone = np.zeros_like(EVERYWHERE)
    alone[15, 16] = True
    # A single pixel would be the same everywhere: others come with it, and are taken off again.
    corner = np.zeros_like(EVERYWHERE)
    corner[0, 0] = corner[31, 31] = True
    both = similarity.ssim(first, second, alone | corner)
    rest = similarity.ssim(first, second, corner)
    assert 3 * both - 2 * rest == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 4.0, np.nan, np.inf])
def test_a_map_that_points_nowhere_has_no_similarity(value: float) -> None:
    nowhere = np.full((SIDE, SIDE), value, np.float32)
    for measure in (similarity.spearman, similarity.ssim, similarity.difference):
        assert np.isnan(measure(nowhere, drawn(), EVERYWHERE))
        assert np.isnan(measure(drawn(), nowhere, EVERYWHERE))
        assert np.isnan(measure(drawn(), drawn(), np.zeros_like(EVERYWHERE)))


def test_a_map_of_one_cell_points_nowhere_when_enlarged() -> None:
    for value in (0.1, -0.7, 1 / 3):
        heat = similarity.enlarged(np.full((1, 1), value, np.float32), 97)
        assert similarity.points_nowhere(heat, np.ones((97, 97), bool))
    two = similarity.enlarged(np.array([[1, 1.001]], np.float32), 97)
    assert not similarity.points_nowhere(two, np.ones((97, 97), bool))


def test_the_retina_is_found_at_the_size_of_the_maps() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[16:48, 8:56, 0] = 120
    inside = fields.shrunk(picture, SIDE)
    expected = np.zeros((SIDE, SIDE), bool)
    expected[8:24, 4:28] = True
    assert np.array_equal(inside, expected)


def test_strengths_span_the_unit_range_whatever_their_sign() -> None:
    heat = np.linspace(-4, 2, SIDE**2, dtype=np.float32).reshape(SIDE, SIDE)
    strength = scales.sized(heat, CENTRE)
    assert (strength[~CENTRE] == 0).all()
    assert strength.max() == 1
    few = np.zeros((SIDE, SIDE), np.float32)
    few[16, 16] = -3
    assert scales.sized(few, CENTRE)[16, 16] == 1
    assert (scales.sized(np.zeros_like(few), CENTRE) == 0).all()


# A small model ------------------------------------------------------------------------------------


def small(seed: int) -> Any:
    """Return a model of two blocks: a pointwise layer and one that sees 3 × 3 pixels."""
    keras.utils.set_random_seed(seed)
    pixels = keras.Input((SIDE, SIDE, 3), name="pixels")
    x = keras.layers.Rescaling(1 / 255, name="preprocessing")(pixels)
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="low")(x)
    x = keras.layers.BatchNormalization(name="low_bn")(x)
    x = keras.layers.Conv2D(8, 3, padding="same", activation="relu", name="high")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(pixels, keras.layers.Dense(1, name="logit")(x))


ORDER = [Stage("head", ("logit",)), Stage("two", ("high",)), Stage("one", ("low", "low_bn"))]
PIXELS = np.random.default_rng(1).integers(0, 256, (3, SIDE, SIDE, 3), dtype=np.uint8)


def outputs(model: Any) -> NDArray[np.float32]:
    return np.asarray(model(PIXELS.astype(np.float32), training=False))


def test_the_cascade_ends_in_the_random_model_and_is_taken_back() -> None:
    model, other = small(1), small(2)
    before, seen = outputs(model), []
    for stage in randomisation.cascade(model, other, ORDER):
        seen.append(outputs(model))
        assert np.array_equal(
            model.get_layer(stage.layers[0]).kernel, other.get_layer(stage.layers[0]).kernel
        )
    assert np.array_equal(seen[-1], outputs(other))
    assert not any(np.array_equal(one, before) for one in seen)
    assert np.array_equal(outputs(model), before)


def test_one_stage_at_a_time_leaves_the_others_and_is_taken_back() -> None:
    model, other = small(1), small(2)
    before = outputs(model)
    weights = {layer.name: layer.get_weights() for layer in model.layers}
    for stage in randomisation.independent(model, other, ORDER):
        changed = {
            layer.name
            for layer in model.layers
            if not all(map(np.array_equal, layer.get_weights(), weights[layer.name]))
        }
        # Statistics are those that both models start with.
        assert changed == set(stage.layers) - {"low_bn"}
        assert not np.array_equal(outputs(model), before)
    assert np.array_equal(outputs(model), before)


def test_weights_come_back_when_something_breaks() -> None:
    model, before = small(1), outputs(small(1))
    for replace in (randomisation.cascade, randomisation.independent):
        stages: Any = replace(model, small(2), ORDER)
        next(stages)
        assert not np.array_equal(outputs(model), before)
        with pytest.raises(ZeroDivisionError):
            stages.throw(ZeroDivisionError)
        assert np.array_equal(outputs(model), before)


def test_maps_of_a_random_model_are_unlike_those_of_another() -> None:
    """What has to hold of CAM and Grad-CAM; guided backpropagation is shown, not judged."""
    model, other = small(1), small(2)
    methods = ("cam", "grad_cam")
    trained = explaining.explain(model, PIXELS, methods)
    photographs = pd.DataFrame({"image": ["1_left", "1_right", "2_left"], "patient": list("112")})
    insides = [EVERYWHERE] * 3

    def alike() -> pd.DataFrame:
        return randomisation.compare(
            trained, explaining.explain(model, PIXELS, methods), insides, photographs
        )

    assert alike()["similarity"].to_numpy() == pytest.approx(1)
    assert alike()["ssim"].to_numpy() == pytest.approx(1)
    for _ in randomisation.cascade(model, other, ORDER):
        changed = alike()
    assert list(changed["method"].unique()) == list(methods)
    known = changed.dropna(subset=["similarity"])
    assert len(known) >= 3
    assert (known["similarity"].abs() < 0.9).all()
    assert alike()["similarity"].to_numpy() == pytest.approx(1)


def test_shares_of_random_numbers_are_those_counted() -> None:
    assert randomisation.shares(small(1), ORDER) == {
        ("cascading", "head"): 9 / 849,
        ("cascading", "two"): (9 + 584) / 849,
        ("cascading", "one"): 1.0,
        ("independent", "head"): 9 / 849,
        ("independent", "two"): 584 / 849,
        ("independent", "one"): (224 + 32) / 849,
    }


def test_a_map_whose_sign_turns_counts_as_the_same_place() -> None:
    heat = {"cam": np.stack([drawn() - 0.5])}
    turned = {"cam": -heat["cam"]}
    photographs = pd.DataFrame({"image": ["1_left"], "patient": ["1"]})
    found = randomisation.compare(heat, turned, [CENTRE], photographs)
    assert found["similarity"].item() == pytest.approx(1)


def test_the_classes_of_a_map_are_compared_with_their_signs() -> None:
    model = small(1)
    photographs = pd.DataFrame({"image": list("abc"), "patient": list("abc")})
    insides = [EVERYWHERE] * 3
    found = randomisation.swap(model, PIXELS, insides, photographs)
    assert tuple(found["method"].unique()) == TWO_SIDED
    diseased = saliency.strength(saliency.guided_backpropagation(model, PIXELS))
    healthy = saliency.strength(saliency.guided_backpropagation(model, PIXELS, sign=-1))
    own = found[found["method"] == "guided_backpropagation"]["similarity"]
    assert own.iloc[0] == pytest.approx(
        spearmanr(diseased[0].ravel(), healthy[0].ravel()).statistic
    )


def test_milestones_are_spread_over_the_stages() -> None:
    order = [Stage(str(place), ()) for place in range(15)]
    assert randomisation.milestones(order) == ["0", "7", "14"]
    assert randomisation.milestones(order[:2]) == ["0", "1"]


# Networks -----------------------------------------------------------------------------------------


@pytest.mark.networks
@pytest.mark.parametrize("name", sorted(registry.NETWORKS))
def test_stages_hold_every_number_of_a_network_once(name: str) -> None:
    model = networks.build(name, registry.NETWORKS[name].smallest_size, dropout=0.5, l2=0, seed=1)
    order = randomisation.stages(model)
    blocks = list(registry.NETWORKS[name].blocks)
    assert [stage.name for stage in order] == ["head", *reversed(blocks)]
    counts = Counter(layer for stage in order for layer in stage.layers)
    assert set(counts.values()) == {1}
    assert {layer.name for layer in model.layers if layer.weights} <= set(counts)
    shares = randomisation.shares(model, order)
    assert shares["cascading", order[-1].name] == 1
    assert sum(shares["independent", one.name] for one in order) == pytest.approx(1)
    assert shares["cascading", "head"] == shares["independent", "head"]


@pytest.mark.networks
def test_the_cascade_of_a_network_ends_in_the_random_one(generator: np.random.Generator) -> None:
    model, other = (networks.build("xception", 71, dropout=0.5, l2=0, seed=seed) for seed in (1, 2))
    pixels = generator.integers(0, 256, (2, 71, 71, 3)).astype(np.float32)
    before = np.asarray(model(pixels))
    for _ in randomisation.cascade(model, other, randomisation.stages(model)):
        last = np.asarray(model(pixels))
    assert np.array_equal(last, np.asarray(other(pixels)))
    assert np.array_equal(np.asarray(model(pixels)), before)
