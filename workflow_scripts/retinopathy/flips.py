"""Photographs that flip: wrong at one size and right at the other.

Compared are runs that differ in size alone, each at the frozen threshold of its fold.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from retinopathy.comparisons import align, holm, mcnemar
from retinopathy.errors import Explained
from retinopathy.runs import Run
from retinopathy.study_tables import Evidence, described, diverged, grouped, pooled
from retinopathy.tables import DIVERGED

_DESCRIBED = (
    "task",
    "network",
    "size_small",
    "size_large",
    "initialisation",
    "seed",
    "split",
    "fold",
)

COLUMNS = (
    *_DESCRIBED,
    "image",
    "patient",
    "level",
    "label",
    "right_at",
    "probability_small",
    "probability_large",
    "threshold_small",
    "threshold_large",
    "gain",
)
"""Columns of `photographs`: `right_at` is `small` or `large`; `gain` is the rise in the probability
of the true class from the small to the large size."""

_COUNTS = ("n", "patients", "both_right", "only_small_right", "only_large_right", "both_wrong")
_TESTED = ("mcnemar_p", "clustered_mcnemar_p")

TESTS = (
    *_DESCRIBED,
    *_COUNTS,
    "accuracy_small",
    "accuracy_large",
    *(column for p in _TESTED for column in (p, f"{p}_holm")),
    "outcome",
    "reason",
)
"""Columns of `tests`; `outcome` is `compared` or `diverged`, `reason` says why a cell is empty."""

Group = list[Evidence]


def by_size(evidence: Iterable[Evidence]) -> list[tuple[Group, Group]]:
    """Return the runs of each task, network and seed at the small and at the large size.

    Raises:
        Explained: There are not two sizes of one of them.
    """
    sizes: dict[tuple[str, str, int], list[Group]] = {}
    for group in grouped(evidence):
        run = group[0].run
        sizes.setdefault((run.task, run.network, run.seed), []).append(group)
    return [_ordered(groups) for groups in sizes.values()]


def _ordered(groups: Sequence[Group]) -> tuple[Group, Group]:
    ordered = sorted(groups, key=lambda group: group[0].run.size)
    if len({group[0].run.size for group in groups}) != 2 or len(groups) != 2:
        raise Explained(
            "photographs flip between two sizes",
            expected="one case at each of two sizes for every task, network and seed",
            received=", ".join(f"{group[0].case} ({group[0].run.size} px)" for group in groups),
            hint="set two sizes in studies.networks.sizes",
        )
    return ordered[0], ordered[1]


# Photographs --------------------------------------------------------------------------------------


def photographs(pairs: Iterable[tuple[Group, Group]], split: str) -> pd.DataFrame:
    """Return the photographs that one of two sizes calls rightly, in the order of the pairs.

    Args:
        pairs: Of `by_size`; of a fold in which either run diverged nothing is known.
        split: Whose predictions they are.

    Returns:
        `COLUMNS`; in each fold those with the largest gain come first.

    Raises:
        Explained: As `comparisons.align` does.
    """
    found = [
        _flipped(small, large, split)
        for pair in pairs
        for small, large in zip(*pair, strict=True)
        if not diverged((small, large))
    ]
    nothing = pd.DataFrame(columns=list(COLUMNS))
    return pd.concat(found, ignore_index=True) if found else nothing


def _flipped(small: Evidence, large: Evidence, split: str) -> pd.DataFrame:
    one, other = align(pooled([small]), pooled([large]))
    right = _right(other)
    sign = 2 * one["label"] - 1
    table = one[["image", "patient", "level", "label"]].assign(
        **_compared([small], [large], split) | {"fold": small.run.fold},
        right_at=right.map({True: "large", False: "small"}),
        probability_small=one["probability"],
        probability_large=other["probability"],
        threshold_small=one["threshold"],
        threshold_large=other["threshold"],
        gain=sign * (other["probability"] - one["probability"]),
    )
    flipped = table[_right(one) != right]
    return flipped.sort_values(["gain", "image"], ascending=[False, True])[list(COLUMNS)]


def _right(predictions: pd.DataFrame) -> pd.Series:
    """Return whether each call is the label; from the threshold upward it is diseased."""
    return (predictions["probability"] >= predictions["threshold"]) == (predictions["label"] == 1)


def _compared(small: Group, large: Group, split: str) -> dict[str, Any]:
    """Return the columns that say which runs are compared."""
    one, other = described(small, split), described(large, split)
    starts = dict.fromkeys(group["initialisation"] for group in (one, other))
    return {name: one[name] for name in ("task", "network", "seed", "split", "fold")} | {
        "size_small": one["size"],
        "size_large": other["size"],
        "initialisation": " / ".join(starts),
    }


def gained(flips: pd.DataFrame, run: Run) -> pd.DataFrame:
    """Return the photographs that the large size made right, the largest gain first.

    They are test photographs of the run's own fold: those of others the run was trained on.

    Args:
        flips: Of `photographs`.
        run: A run at either size.
    """
    own = (flips["right_at"] == "large") & (flips["fold"] == run.fold)
    for name in ("task", "network", "seed"):
        own &= flips[name] == getattr(run, name)
    return flips[own].sort_values(["gain", "image"], ascending=[False, True])


# Tests --------------------------------------------------------------------------------------------


def tests(pairs: Iterable[tuple[Group, Group]], split: str) -> pd.DataFrame:
    """Return how often the sizes differ, and whether one is right more often: McNemar's test.

    Both p-values are those of `comparisons.mcnemar`, exact: `mcnemar_p` as if photographs were
    independent, `clustered_mcnemar_p` with patients as the units. The rows of the table are a
    family, for whose number `_holm` columns are corrected.

    Args:
        pairs: Of `by_size`.
        split: Whose predictions they are.

    Returns:
        `TESTS`, one row per task, network and seed, folds pooled; where a run diverged or a test
        is undefined, its numbers are empty and `reason` says why.

    Raises:
        Explained: As `comparisons.align` does.
    """
    rows = [_row(*pair, split) for pair in pairs]
    table = pd.DataFrame(rows, columns=list(TESTS))
    adjusted = {f"{p}_holm": holm(table[p]) for p in _TESTED}
    return table.assign(**adjusted).astype(dict.fromkeys(_COUNTS, "Int64"))


def _row(small: Group, large: Group, split: str) -> dict[str, Any]:
    known = _compared(small, large, split)
    if diverged([*small, *large]):
        nothing = {"n": 0, "patients": 0, "outcome": DIVERGED, "reason": "a run diverged"}
        return known | nothing
    one, other = align(pooled(small), pooled(large))
    row = known | {"n": len(one), "patients": one["patient"].nunique(), "outcome": "compared"}
    return row | _counts(_right(one), _right(other)) | _p(one, other)


def _counts(small: pd.Series, large: pd.Series) -> dict[str, Any]:
    """Return the fourfold table of what two sizes call rightly, and both accuracies."""
    return {
        "both_right": (small & large).sum(),
        "only_small_right": (small & ~large).sum(),
        "only_large_right": (~small & large).sum(),
        "both_wrong": (~small & ~large).sum(),
        "accuracy_small": small.mean(),
        "accuracy_large": large.mean(),
    }


def _p(small: pd.DataFrame, large: pd.DataFrame) -> dict[str, Any]:
    """Return the p-values, or why there are none."""
    try:
        found = mcnemar(small, large)
    except Explained as undefined:
        return {"reason": f"no test: {undefined.problem}"}
    return {"mcnemar_p": found.p, "clustered_mcnemar_p": found.clustered_p}
