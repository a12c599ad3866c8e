"""Which runs get cached features: decided from the configuration alone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from retinopathy import caching, studies
from retinopathy.runs import Run

ROOT = Path(__file__).parents[2]
RUN = Run("referable", "xception", 224, "imagenet", "block14", 0.01, 0.0, 0.5, "holdout", 1)


@pytest.fixture
def config() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())
    return content


def cached(config: dict[str, Any], run: Run = RUN, sharing: int = 1, **training: Any) -> bool:
    changed = config | {"training": config["training"] | training}
    return caching.is_cached(changed, run, {(run.initial, run.depth): sharing})


def test_bytes_are_photographs_times_numbers_times_variants(config: dict[str, Any]) -> None:
    plain = 5000 * 7 * 7 * 1024 * 4
    assert caching.size_of(config, RUN) == plain
    config["training"]["augment"] = True
    assert caching.size_of(config, RUN) == 8 * plain
    config["training"]["feature_type"] = "float16"
    assert caching.size_of(config, RUN) == 4 * plain
    assert caching.size_of(config, replace(RUN, depth="head")) == 8 * 5000 * 2048 * 2


def test_the_limit_decides(config: dict[str, Any]) -> None:
    size = caching.size_of(config, RUN) / 1e9
    assert cached(config, feature_gigabytes=size)
    assert not cached(config, feature_gigabytes=size * 0.999)
    assert cached(config, feature_gigabytes=0, feature_cache=True)
    assert not cached(config, feature_cache=False)


def test_features_are_made_when_they_are_sure_to_be_used_more_often_than_made(
    config: dict[str, Any],
) -> None:
    assert not cached(config, epochs=1)
    assert cached(config, epochs=2)
    assert cached(config, epochs=1, sharing=2)
    assert cached(config, epochs=1, head_epochs=1)
    assert not cached(config, epochs=50, patience=7, augment=True)
    assert cached(config, epochs=50, patience=8, augment=True)


@pytest.mark.parametrize("depth", ["all", "bn"])
def test_what_has_no_frozen_part_has_no_features(config: dict[str, Any], depth: str) -> None:
    assert not cached(config, replace(RUN, depth=depth), feature_cache=True)


def test_a_cut_below_the_first_layer_saves_nothing(config: dict[str, Any]) -> None:
    assert not cached(config, replace(RUN, depth="block1"))
    assert cached(config, replace(RUN, depth="block1+3"))


def test_the_default_study_caches_all_that_can_be(config: dict[str, Any]) -> None:
    shared = studies.sharing(config)
    runs = {case.run for study in studies.STUDIES for case in studies.cases(config, study)}
    assert shared[("extremes/xception/224/imagenet", "head")] == 20
    for run in runs:
        assert caching.is_cached(config, run, shared) == (run.depth != "all"), run.address


def test_runs_on_fewer_photographs_do_not_make_features_worth_while() -> None:
    shared = caching.sharing([RUN, replace(RUN, photographs=500), replace(RUN, seed=2)])
    assert shared == {(RUN.initial, RUN.depth): 2}


def test_a_control_has_as_many_photographs_as_its_task(config: dict[str, Any]) -> None:
    control = replace(RUN, task="referable_leaking")
    assert caching.size_of(config, control) == caching.size_of(config, RUN)
    assert control.initial != RUN.initial


def test_the_type_of_features_is_in_the_address_of_runs_that_have_them(
    config: dict[str, Any],
) -> None:
    plain = {case.run for study in studies.STUDIES for case in studies.cases(config, study)}
    config["training"]["feature_type"] = "float16"
    runs = {case.run for study in studies.STUDIES for case in studies.cases(config, study)}
    assert {replace(run, features="float32") for run in runs} == plain
    for run in runs:
        assert (run.features == "float16") == ("_features=float16/" in run.address)
        assert (run.features == "float16") == (run.depth != "all")
    shown = studies.shown(config, "referable", "xception", 224)
    assert shown in runs and shown.features == "float16"


def test_an_address_with_a_type_has_features_of_it(config: dict[str, Any]) -> None:
    run = replace(RUN, features="float16")
    assert cached(config, run, feature_cache=False)
