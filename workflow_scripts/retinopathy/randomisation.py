"""Random weights in the place of trained ones, stage by stage, and the maps that come of them.

A map that explains a network changes with the network: Adebayo et al., Sanity checks for saliency
maps, NeurIPS 2018. Stages are the dense layer and the blocks of the registry, from the output to
the input. The random weights are those of another model of the same network.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import explaining, networks, scales, similarity
from retinopathy.framework import keras
from retinopathy.methods import CLASSES, FAST, METHODS, TWO_SIDED
from retinopathy.registry import HEAD, NETWORKS

Heat = NDArray[np.float32]
Inside = NDArray[np.bool_]
Pixels = NDArray[np.uint8]

CASCADING, INDEPENDENT = "cascading", "independent"
"""From the output down, randomised stages staying random; or one stage at a time."""

TRAINED = "trained"
"""The state in which nothing is random."""

MILESTONES = 3
"""Stages of the cascade, at most, at which methods that are not `FAST` are compared too and a sheet
shows maps."""


@dataclass(frozen=True)
class Found:
    """What random weights did.

    Attributes:
        similarities: `similarity.SIMILARITIES`.
        states: What is random (`TRAINED`, or the last of `milestones` reached) → method → maps
            (n, h, w) of the diseased class.
    """

    similarities: pd.DataFrame
    states: Mapping[str, Mapping[str, Heat]]


@dataclass(frozen=True)
class Stage:
    """Layers whose weights are replaced together.

    Attributes:
        name: `head`, or a block of the registry.
        layers: Their names.
    """

    name: str
    layers: tuple[str, ...]


def stages(model: keras.Model) -> list[Stage]:
    """Return the stages of a model of `networks.build`, from the output to the input."""
    facts = NETWORKS[model.name]
    layers = [layer.name for layer in networks.backbone_layers(model)]
    blocks = [
        Stage(name, tuple(layers[start : start + facts.layers_of(name)]))
        for name, start in facts.blocks.items()
    ]
    return [Stage(HEAD, (networks.LOGIT,)), *reversed(blocks)]


def milestones(order: Sequence[Stage]) -> list[str]:
    """Return the names of `MILESTONES` stages: the first, the last, and evenly between."""
    places = np.linspace(0, len(order) - 1, min(MILESTONES, len(order)))
    return [order[place].name for place in np.rint(places).astype(int)]


def shares(model: keras.Model, order: Sequence[Stage]) -> dict[tuple[str, str], float]:
    """Return the share of all the numbers of a model that are random, statistics included.

    Returns:
        `CASCADING` or `INDEPENDENT`, and stage → share. Whole numbers are summed: a cascade that
        leaves nothing ends at exactly 1.
    """
    names, whole = [stage.name for stage in order], model.count_params()
    alone = [sum(model.get_layer(name).count_params() for name in one.layers) for one in order]
    counts = {CASCADING: accumulate(alone), INDEPENDENT: alone}
    return {
        (kind, name): count / whole
        for kind, own in counts.items()
        for name, count in zip(names, own, strict=True)
    }


def cascade(model: keras.Model, random: keras.Model, order: Sequence[Stage]) -> Iterator[Stage]:
    """Replace the weights of one stage after another, and yield each when it is done.

    In the end, or when the iterator is closed, the model is as it was.

    Args:
        model: The model to be changed in place.
        random: A model with the same layers, whose weights are taken.
        order: The stages, in their order.
    """
    with _kept(model, [name for stage in order for name in stage.layers]):
        for stage in order:
            _replace(model, random, stage)
            yield stage


def independent(model: keras.Model, random: keras.Model, order: Sequence[Stage]) -> Iterator[Stage]:
    """Replace the weights of one stage at a time; arguments and restoration as of `cascade`."""
    for stage in order:
        with _kept(model, stage.layers):
            _replace(model, random, stage)
            yield stage


def check(
    model: keras.Model,
    random: keras.Model,
    seen: Pixels,
    insides: Sequence[Inside],
    photographs: pd.DataFrame,
    samples: int,
) -> Found:
    """Make maps of photographs while the weights become random; in the end the model is as it was.

    Args:
        model: A trained model of `networks.build`.
        random: A model of the same network with random weights.
        seen: Photographs as records hold them, uint8 (n, size, size, 3).
        insides: Where each shows the retina, (size, size).
        photographs: Columns image and patient, one row per photograph.
        samples: Gradients that slow methods average.
    """
    order = stages(model)
    share, kept = shares(model, order), milestones(order)
    states = {TRAINED: explaining.explain(model, seen, samples=samples)}
    rows = []

    def row(changed: Mapping[str, Heat], kind: str, stage: str) -> None:
        found = compare(states[TRAINED], changed, insides, photographs)
        rows.append(found.assign(kind=kind, stage=stage, random_share=share[kind, stage]))

    for stage in cascade(model, random, order):
        methods = tuple(METHODS) if stage.name in kept else FAST
        changed = explaining.explain(model, seen, methods, samples=samples)
        row(changed, CASCADING, stage.name)
        states |= {stage.name: changed} if stage.name in kept else {}
    for stage in independent(model, random, order):
        changed = explaining.explain(model, seen, FAST)
        row(changed, INDEPENDENT, stage.name)
    return Found(pd.concat(rows, ignore_index=True)[list(similarity.SIMILARITIES)], states)


def swap(
    model: keras.Model,
    seen: Pixels,
    insides: Sequence[Inside],
    photographs: pd.DataFrame,
) -> pd.DataFrame:
    """Return how alike the maps of the two classes are, of methods that have two.

    Args:
        model: A trained model.
        seen: Photographs as records hold them, uint8 (n, size, size, 3).
        insides: Where each shows the retina, (size, size).
        photographs: Columns image and patient, one row per photograph.

    Returns:
        `similarity.SWAPS`: the rank correlation, with signs, and the mean absolute difference of
        the maps scaled to their largest absolute value.
    """
    both = [explaining.explain(model, seen, TWO_SIDED, sign=sign) for sign in CLASSES.values()]
    rows = []
    for method in TWO_SIDED:
        for place, row in enumerate(photographs.itertuples()):
            inside = insides[place]
            one, other = (similarity.enlarged(heat[method][place], len(inside)) for heat in both)
            alike = similarity.spearman(one, other, inside)
            apart = similarity.difference(one, other, inside)
            rows.append((row.image, row.patient, method, alike, apart))
    return pd.DataFrame(rows, columns=list(similarity.SWAPS))


def compare(
    trained: Mapping[str, Heat],
    changed: Mapping[str, Heat],
    insides: Sequence[Inside],
    photographs: pd.DataFrame,
) -> pd.DataFrame:
    """Return how alike the maps of a trained and a changed network are, photograph by photograph.

    Signed maps are compared by their absolute values, as in the paper: a map whose sign alone turns
    points to the same places.

    Args:
        trained: Method → maps (n, h, w) of the trained network.
        changed: The same methods' maps of the changed network, or those of some of them.
        insides: Where each photograph shows the retina, (size, size).
        photographs: Columns image and patient, one row per photograph.

    Returns:
        Columns image, patient, method, `similarity` (Spearman's rank correlation over the retina)
        and `ssim` (of the maps scaled to [0, 1]); NaN where a map points nowhere.
    """
    rows = [
        {"image": row.image, "patient": row.patient, "method": method}
        | _alike(trained[method][place], heat, insides[place])
        for method, maps in changed.items()
        for place, (row, heat) in enumerate(zip(photographs.itertuples(), maps, strict=True))
    ]
    return pd.DataFrame(rows, columns=["image", "patient", "method", "similarity", "ssim"])


def _alike(trained: Heat, changed: Heat, inside: Inside) -> dict[str, float]:
    large = [similarity.enlarged(heat, len(inside)) for heat in (trained, changed)]
    if any(similarity.points_nowhere(heat, inside) for heat in large):
        return {"similarity": float("nan"), "ssim": float("nan")}
    first, second = (np.abs(heat) for heat in large)
    return {
        "similarity": similarity.spearman(first, second, inside),
        "ssim": similarity.ssim(scales.sized(first, inside), scales.sized(second, inside), inside),
    }


@contextmanager
def _kept(model: keras.Model, names: Sequence[str]) -> Iterator[None]:
    """Give layers back, when the block ends, the weights that they have when it begins."""
    layers = [model.get_layer(name) for name in names]
    before = [layer.get_weights() for layer in layers]
    try:
        yield
    finally:
        for layer, weights in zip(layers, before, strict=True):
            layer.set_weights(weights)


def _replace(model: keras.Model, random: keras.Model, stage: Stage) -> None:
    for name in stage.layers:
        source: Any = random.get_layer(name)
        model.get_layer(name).set_weights(source.get_weights())
