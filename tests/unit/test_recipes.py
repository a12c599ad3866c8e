"""Rates, phases and class weights: known answers and invariants."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinopathy.recipes import Recipe
from retinopathy.runs import Run

RECIPE = Recipe(32, 10, 3, "adam", 1.0, augment=False)
RUN = Run("referable", "xception", 224, "imagenet", "block14", 0.01, 0.0, 0.5, "holdout", 1)


def rates(recipe: Recipe, steps: int) -> list[float]:
    return [recipe.rate_at(0.1, step, steps) for step in range(recipe.epochs * steps)]


def test_a_constant_rate_is_exactly_that() -> None:
    assert set(rates(RECIPE, 4)) == {0.1}


def test_a_rising_rate_reaches_its_value_with_the_last_step_of_the_warm_up() -> None:
    found = rates(replace(RECIPE, warmup=2), 4)
    assert found[:8] == pytest.approx([0.1 * part / 8 for part in range(1, 9)])
    assert set(found[8:]) == {0.1}


def test_a_cosine_starts_at_its_value_halves_midway_and_ends_near_zero() -> None:
    recipe = replace(RECIPE, schedule="cosine", warmup=2)
    assert recipe.rate_at(0.1, 8, 4) == pytest.approx(0.1)
    assert recipe.rate_at(0.1, 24, 4) == pytest.approx(0.05)
    assert recipe.rate_at(0.1, 39, 4) == pytest.approx(0.05 * (1 + math.cos(math.pi * 31 / 32)))


@given(
    st.sampled_from(["constant", "cosine"]),
    st.integers(1, 12),
    st.integers(0, 12),
    st.integers(1, 9),
)
def test_rates_rise_and_then_fall(schedule: str, epochs: int, warmup: int, steps: int) -> None:
    found = rates(replace(RECIPE, schedule=schedule, epochs=epochs, warmup=warmup), steps)
    assert all(0 < rate <= 0.1 for rate in found)
    top = min(warmup * steps, len(found))
    assert found[:top] == sorted(found[:top])
    assert found[top:] == sorted(found[top:], reverse=True)


def test_the_head_comes_first_where_there_is_something_to_wait_for() -> None:
    recipe = replace(RECIPE, head_epochs=3)
    assert recipe.first_phase(RUN) == 3
    assert recipe.first_phase(replace(RUN, depth="head")) == 0
    assert recipe.first_phase(replace(RUN, depth="all", initialisation="random_all")) == 0


def test_rare_classes_weigh_more() -> None:
    labels = [0, 0, 0, 1]
    assert RECIPE.weights_of(labels) == (1.0, 1.0)
    negative, positive = replace(RECIPE, class_weights=True).weights_of(labels)
    assert (negative, positive) == pytest.approx((4 / 6, 2.0))
    assert 3 * negative == pytest.approx(positive)
    assert 3 * negative + positive == pytest.approx(4)
