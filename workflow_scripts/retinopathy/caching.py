"""Whether the features of a cut are made: decided from plain facts before the first job starts."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from retinopathy import registry
from retinopathy.runs import FEATURES, Run

Config = Mapping[str, Any]

VARIANTS = 8
"""Symmetries of each photograph that augmentation chooses from."""

BYTES = {"float32": 4, "float16": 2}
"""Type → bytes of a number."""

Cut = tuple[str, str]
"""Initial weights and depth: runs with the same ones share their features."""


def sharing(runs: Iterable[Run]) -> Counter[Cut]:
    """Return how many different runs share the features of each cut.

    Runs that pass over some of the photographs only do not count.
    """
    return Counter(_cut(run) for run in set(runs) if run.has_frozen_part and not run.photographs)


def is_cached(config: Config, run: Run, shared: Mapping[Cut, int]) -> bool:
    """Return whether a run is trained on cached features rather than on photographs.

    `training.feature_cache` may say so. Where it leaves the choice, features are made if they have
    at most `training.feature_gigabytes`, and if the runs that share them are sure to pass over the
    photographs more often than making them does: as a run ends after `patience` epochs at the
    earliest, one of many epochs is enough. A run whose address names a type of features has them.

    Args:
        config: The configuration.
        run: Any run.
        shared: Of `sharing`, for the runs of all studies.
    """
    training = config["training"]
    if not run.has_frozen_part:
        return False
    if run.features != FEATURES:
        return True
    if training["feature_cache"] != "auto":
        return bool(training["feature_cache"])
    if registry.first_trained(run.network, run.depth) == 1:
        return False  # All layers are trained: there is nothing to be computed once.
    first = 0 if run.depth == registry.HEAD else training["head_epochs"]
    epochs = first + min(training["epochs"], training["patience"] + (not first))
    passes = max(1, shared.get(_cut(run), 0)) * epochs
    limit: float = 1e9 * training["feature_gigabytes"]
    return size_of(config, run) <= limit and passes > _variants(training)


def size_of(config: Config, run: Run) -> int:
    """Return how many bytes the features of a run's cut take at most, all parts of its task."""
    training = config["training"]
    numbers = registry.crossing(run.network, run.depth, run.size) * _variants(training)
    photographs: int = config["tasks"][run.selection]["photographs"]
    return photographs * numbers * BYTES[training["feature_type"]]


def typed(config: Config, run: Run, shared: Mapping[Cut, int]) -> Run:
    """Return a run with the type of the features that the configuration gives it, if any."""
    if not is_cached(config, run, shared):
        return run
    return replace(run, features=config["training"]["feature_type"])


def _cut(run: Run) -> Cut:
    return run.initial, run.depth


def _variants(training: Config) -> int:
    return VARIANTS if training["augment"] else 1
