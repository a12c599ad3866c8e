"""Tables of the sanity checks of maps: one row per final network and what was asked of its maps."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from retinopathy import deletion, means
from retinopathy.intervals import bounded
from retinopathy.runs import Run
from retinopathy.tables import DIVERGED

_NETWORK = ("task", "network", "size", "initialisation", "seed", "fold", "split")
_COUNTS = ("n", "patients", "undefined")

RANDOMISATION = (
    *_NETWORK,
    "method",
    "kind",
    "stage",
    "random_share",
    *_COUNTS,
    *bounded("similarity", "ssim"),
    "reason",
)
"""Columns of `randomisation`. `random_share` is the share of all numbers that are random;
`undefined` photographs have a map, before or after, that points nowhere: they are not among `n`."""

DELETION = (
    *_NETWORK,
    "method",
    "kind",
    *_COUNTS,
    *bounded("probability_area", "logit_area", "over_pixels", "over_patches"),
    "reason",
)
"""Columns of `areas`, whose values are those of `deletion.areas`."""

CURVES = (
    *_NETWORK,
    "method",
    "kind",
    "share",
    *_COUNTS,
    *bounded("probability", "logit"),
    "reason",
)
"""Columns of `curves`."""

CLASS_SWAP = (*_NETWORK, "method", *_COUNTS, *bounded("similarity", "difference"), "reason")
"""Columns of `class_swap`."""

NOBODY = "no test photograph is called diseased"
"""Why a network that finished has no curves."""

_WHOLE = dict.fromkeys(("size", "seed", *_COUNTS), "Int64")


@dataclass(frozen=True)
class Checked:
    """What a check found for one final network.

    Attributes:
        run: The run that was checked.
        record: Its result record.
        rows: One row per photograph and what was asked; empty where there was no photograph.
    """

    run: Run
    record: Mapping[str, Any]
    rows: pd.DataFrame


def randomisation(checked: Iterable[Checked], repetitions: int) -> pd.DataFrame:
    """Return `RANDOMISATION`: how alike maps are before and after weights became random.

    Args:
        checked: With rows of `similarity.SIMILARITIES`.
        repetitions: Bootstrap samples of patients behind every interval.
    """
    keys = ("method", "kind", "stage", "random_share")
    return _table(checked, keys, ("similarity", "ssim"), repetitions, RANDOMISATION)


def areas(checked: Iterable[Checked], repetitions: int) -> pd.DataFrame:
    """Return `DELETION`: the areas under the curves of deletion and insertion.

    Args:
        checked: With rows of `deletion.CURVES`.
        repetitions: Bootstrap samples of patients behind every interval.
    """
    found = [Checked(one.run, one.record, deletion.areas(one.rows)) for one in checked]
    names = ("probability_area", "logit_area")
    gains = ("over_pixels", "over_patches")
    return _table(found, ("method", "kind"), names, repetitions, DELETION, gains)


def curves(checked: Iterable[Checked], repetitions: int) -> pd.DataFrame:
    """Return `CURVES`: what the network says at every share of the retina; arguments as `areas`."""
    keys = ("method", "kind", "share")
    return _table(checked, keys, ("probability", "logit"), repetitions, CURVES)


def class_swap(checked: Iterable[Checked], repetitions: int) -> pd.DataFrame:
    """Return `CLASS_SWAP`: how alike the maps of the two classes are.

    Args:
        checked: With rows of `similarity.SWAPS`.
        repetitions: Bootstrap samples of patients behind every interval.
    """
    return _table(checked, ("method",), ("similarity", "difference"), repetitions, CLASS_SWAP)


def _table(
    checked: Iterable[Checked],
    keys: Sequence[str],
    names: Sequence[str],
    repetitions: int,
    columns: Sequence[str],
    gains: Sequence[str] = (),
) -> pd.DataFrame:
    """Return the means of `names` for every network and group of `keys`.

    A photograph counts where all `names` are known; `gains`, which a control may lack, are empty
    where they are not.
    """
    rows = [row for one in checked for row in _rows(one, keys, names, gains, repetitions)]
    return pd.DataFrame(rows, columns=list(columns)).astype(_WHOLE)


def _rows(
    one: Checked,
    keys: Sequence[str],
    names: Sequence[str],
    gains: Sequence[str],
    repetitions: int,
) -> list[dict[str, Any]]:
    known = _described(one)
    if one.rows.empty:
        diverged = one.record["outcome"] == DIVERGED
        return [known | {"n": 0, "reason": "the run diverged" if diverged else NOBODY}]
    rows = []
    for key, group in one.rows.groupby(list(keys), sort=False):
        found = means.with_intervals(group, names, one.run.seed, repetitions)
        for gain in gains:
            own = means.with_intervals(group, (gain,), one.run.seed, repetitions)
            found |= {name: own[name] for name in bounded(gain)}
        undefined = {"undefined": len(group) - found["n"]}
        rows.append(known | dict(zip(keys, key, strict=True)) | undefined | found)
    return rows


def _described(one: Checked) -> dict[str, Any]:
    """Return the columns that say which network was checked."""
    run = one.run
    return {
        "task": run.task,
        "network": run.network,
        "size": run.size,
        "initialisation": one.record["starts_from"],
        "seed": run.seed,
        "fold": run.fold,
        "split": "test",
    }
