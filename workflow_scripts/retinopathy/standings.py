"""Which models are ahead, and by how much: read from tables of metrics and of comparisons."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from retinopathy import study_tables
from retinopathy.intervals import bounded
from retinopathy.wording import IMAGENET, is_control

ALPHA = 0.05
"""Two models are told apart where the p-value, adjusted for the number of pairs, is below it."""


def from_imagenet(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of models that started from ImageNet weights, and only from those."""
    return rows[rows["initialisation"] == IMAGENET]


def controls(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of models that started from random weights, or have members that did."""
    return rows[rows["initialisation"].map(is_control).astype(bool)]


def leading(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows, one per seed, of the case with the highest mean AUC over its seeds.

    A case of which a run diverged is not considered; empty when there is no other.

    Args:
        rows: A table of metrics; without the column `case` every row is a case.
    """
    named = rows if "case" in rows else rows.assign(case=range(len(rows)))
    best = study_tables.best(named)
    return rows[named["case"] == best["case"]] if best is not None else rows.iloc[:0]


def champion(rows: pd.DataFrame) -> pd.Series | None:
    """Return the best final model from ImageNet weights, first seed.

    Without one that finished, the best of the controls; without that, None.
    """
    for some in (from_imagenet(rows), controls(rows)):
        best = leading(some)
        if len(best):
            row: pd.Series = best.iloc[0]
            return row
    return None


def overlap(one: pd.Series, other: pd.Series) -> bool:
    """Return whether the intervals of two AUCs overlap; they do where one has none."""
    apart = one["auc_low"] > other["auc_high"] or one["auc_high"] < other["auc_low"]
    return not apart


def difference(
    comparisons: pd.DataFrame, study: str, task: str, first: str, second: str
) -> pd.Series | None:
    """Return by how much one model is ahead of another of the same study, compared in pairs.

    Returns:
        `auc_difference`, of `first` minus `second`, with its bounds, and `auc_p_holm`; None where
        the two were not compared, or one diverged.
    """
    known = comparisons[(comparisons["study"] == study) & (comparisons["task"] == task)]
    known = known.dropna(subset=["auc_difference"])
    for one, other in ((first, second), (second, first)):
        pair = known[(known["case_a"] == one) & (known["case_b"] == other)]
        if not pair.empty:
            gain = _oriented(pair.iloc[0], "auc", turned=one != first)
            return pd.Series(gain | {"auc_p_holm": pair["auc_p_holm"].iloc[0]})
    return None


def _oriented(pair: pd.Series, value: str, *, turned: bool) -> dict[str, Any]:
    """Return a difference with its bounds, of a minus b, or turned."""
    names = bounded(f"{value}_difference")
    middle, low, high = pair[list(names)]
    return dict(zip(names, (-middle, -high, -low) if turned else (middle, low, high), strict=True))


def sizes(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons of each final network with itself at the other size.

    Args:
        comparisons: Of every two final runs; cases are called `<network> <size>`.

    Returns:
        One row per task and network: the small and the large size, their AUC and accuracy, what
        the large one adds, with its interval, and corrected p-values.
    """
    pairs = comparisons[comparisons["study"] == "networks"]
    first, second = (
        pairs[f"case_{one}"].str.extract("(?P<network>.*) (?P<size>.*)") for one in "ab"
    )
    same = first["network"] == second["network"]
    pairs, first, second = pairs[same], first[same], second[same]
    return pd.DataFrame(
        _gain(pair, name, {int(a): "a", int(b): "b"})
        for (_, pair), name, a, b in zip(
            pairs.iterrows(), first["network"], first["size"], second["size"], strict=True
        )
    )


def _gain(pair: pd.Series, network: str, sides: Mapping[int, str]) -> dict[str, Any]:
    """Return what the large size of a pair adds; `sides` says which size is `a`, which `b`."""
    small, large = (sides[size] for size in sorted(sides))
    row = {"task": pair["task"], "network": network, "n": pair["n"], "seed": pair["seed"]}
    row |= {"initialisation": pair[f"initialisation_{large}"]}
    row |= dict(zip(("size_small", "size_large"), sorted(sides), strict=True))
    for value in ("auc", "accuracy"):
        gain = _oriented(pair, value, turned=large == "b").values()
        row |= {
            f"{value}_small": pair[f"{value}_{small}"],
            f"{value}_large": pair[f"{value}_{large}"],
            **dict(zip(bounded(f"{value}_gain"), gain, strict=True)),
        }
    return row | {
        "auc_p": pair["auc_p_holm"],
        "only_small_right": pair[f"only_{small}_right"],
        "only_large_right": pair[f"only_{large}_right"],
        "calls_p": pair["clustered_mcnemar_p_holm"],
    }
