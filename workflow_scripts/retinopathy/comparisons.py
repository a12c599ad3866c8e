"""Paired comparisons: two models on the same photographs.

Both eyes of a patient are not independent, so that patients, not photographs, are what intervals
and tests count. Where folds are pooled, photographs are ranked within their fold only, as in
`metrics`. Differences are those of the first model minus the second.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import binomtest, norm, rankdata

from retinopathy import intervals, metrics
from retinopathy.errors import Explained
from retinopathy.metrics import Floats, Integers, Measure
from retinopathy.study_tables import Evidence, diverged, pooled
from retinopathy.tables import DIVERGED

COLUMNS = (
    "study",
    "task",
    "split",
    "seed",
    "case_a",
    "case_b",
    "initialisation_a",
    "initialisation_b",
    "n",
    "patients",
    "auc_a",
    "auc_b",
    "auc_difference",
    "auc_difference_low",
    "auc_difference_high",
    "auc_p",
    "auc_p_holm",
    "accuracy_a",
    "accuracy_b",
    "accuracy_difference",
    "accuracy_difference_low",
    "accuracy_difference_high",
    "only_a_right",
    "only_b_right",
    "mcnemar_p",
    "mcnemar_p_holm",
    "clustered_mcnemar_p",
    "clustered_mcnemar_p_holm",
    "outcome",
    "reason",
)
"""Columns of `table`; `outcome` is `compared` or `diverged`, `reason` says why a p is absent."""

_TESTS = ("auc_p", "mcnemar_p", "clustered_mcnemar_p")
_COUNTS = ("seed", "n", "patients", "only_a_right", "only_b_right")
_NOTHING = 1e-12  # a standard error of AUC that only rounding can leave


@dataclass(frozen=True)
class Difference:
    """A difference of AUC and what is known of it.

    Attributes:
        value: AUC of the first model minus that of the second, in [-1, 1].
        error: Its standard error, > 0.
        p: Two-sided p-value of no difference.
    """

    value: float
    error: float
    p: float


@dataclass(frozen=True)
class Discordance:
    """Photographs that one of two models calls rightly and the other wrongly.

    Attributes:
        only_a: How many only the first calls rightly.
        only_b: How many only the second does.
        p: Exact two-sided p-value, as if photographs were independent.
        clustered_p: Exact two-sided p-value with patients as the units.
    """

    only_a: int
    only_b: int
    p: float
    clustered_p: float


# Models -------------------------------------------------------------------------------------------


def align(a: pd.DataFrame, b: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return two tables of predictions with the same photographs in the same rows, those of `a`.

    Args:
        a: Columns image, patient, label, and fold where folds are pooled.
        b: The same.

    Raises:
        Explained: Photographs are not the same, or not in the same folds, one is there twice, or
            they have other labels or patients.
    """
    keys = ["image", "fold"] if {"fold"} & {*a, *b} else ["image"]
    absent = [key for key in keys if key not in a or key not in b]
    if absent:
        raise _unpaired("only one of two models has folds", "both or neither", absent)
    one, other = a.set_index(keys), b.set_index(keys)
    for index in (one.index, other.index):
        if not index.is_unique:
            raise _unpaired(
                "a photograph was predicted twice",
                "one row per photograph and fold",
                index[index.duplicated()][0],
            )
    apart = one.index.symmetric_difference(other.index)
    if len(apart):
        raise _unpaired(
            "two models were not given the same photographs in the same folds",
            "one row of each for every photograph",
            f"{len(apart)} that only one has, such as {apart[0]}",
        )
    other = other.loc[one.index]
    for column in ("label", "patient"):
        differs = (one[column] != other[column]).to_numpy()
        if differs.any():
            raise _unpaired(
                f"two models were given the same photographs with another {column}",
                f"the same {column} for every photograph",
                f"{int(differs.sum())} that differ, such as {one.index[differs][0]}",
            )
    return one.reset_index(), other.reset_index()


def _unpaired(problem: str, expected: str, received: object) -> Explained:
    hint = "compare models that were scored on the same split of the same task"
    return Explained(problem, expected=expected, received=received, hint=hint)


# AUC ----------------------------------------------------------------------------------------------


def delong(a: pd.DataFrame, b: pd.DataFrame) -> Difference:
    """Return the difference of two AUCs with its test, patients being the units.

    Within a fold, variance and covariance are those of Obuchowski (Biometrics 53, 1997, 567–578)
    for clustered photographs: the structural components of DeLong, DeLong and Clarke-Pearson
    (Biometrics 44, 1988, 837–845) are summed per patient. They come from ranks (Sun and Xu, IEEE
    Signal Processing Letters 21, 2014). The AUC of pooled folds, as in `metrics.ranking`, is the
    mean of those of the folds, weighted with their pairs of a diseased and a healthy photograph;
    folds do not share patients, so that their variances add up. With one photograph per patient and
    one fold this is the test of DeLong. The p-value is that of a normal z.

    Args:
        a: Columns image, patient, label, logit, probability, and fold where folds are pooled.
        b: The same, of the same photographs.

    Raises:
        Explained: As `align` and `metrics.check` do; or a fold has fewer than two patients of a
            class, a patient is in several folds, or the difference has no spread, as when both
            models rank all photographs alike.
    """
    one, other = (metrics.check(predictions) for predictions in align(a, b))
    folds = np.unique(one.fold)
    if len(np.unique(np.column_stack([one.patient, one.fold]), axis=0)) > one.patients:
        raise _undefined("patients are in several folds", "one fold per patient", len(folds))
    parts = []
    for fold in folds:
        inside = one.fold == fold
        label = one.label[inside]
        if len(np.unique(label)) == 2:
            logits = one.logit[inside], other.logit[inside]
            parts.append(_within(label, logits, one.patient[inside]))
    pairs, differences, variances = np.array(parts).T
    weights = pairs / pairs.sum()
    value, error = float(weights @ differences), float(np.sqrt(weights**2 @ variances))
    if error < _NOTHING:
        raise _undefined("the difference of AUC has no spread", "a standard error above 0", error)
    return Difference(value, error, float(2 * norm.sf(abs(value) / error)))


def _within(
    label: Integers, logits: tuple[Floats, Floats], patient: metrics.Codes
) -> tuple[float, float, float]:
    """Return pairs, difference of AUC and its variance within one fold that has both classes."""
    _, patient = np.unique(patient, return_inverse=True)
    classes = np.column_stack([label == 1, label == 0])
    components = _components(label, logits[0]) - _components(label, logits[1])
    value = components[label == 1].mean()
    shares = (components - value)[:, None] * classes / classes.sum(axis=0)
    diseased, healthy = metrics.per_patient(shares, patient).T
    holders = (metrics.per_patient(classes, patient) > 0).sum(axis=0)
    if holders.min() < 2:
        raise _undefined(
            "too few patients for a test of AUC",
            "at least 2 patients of each class in every fold",
            int(holders.min()),
        )
    units = np.array([*holders, patient.max() + 1])
    sums = np.array([diseased @ diseased, healthy @ healthy, 2 * diseased @ healthy])
    pairs = float(np.prod(classes.sum(axis=0)))
    return pairs, float(value), float(units / (units - 1) @ sums)


def _components(label: Integers, logit: Floats) -> Floats:
    """Return the structural components, in [0, 1]: the share of the other class ranked rightly."""
    found = np.empty(len(label))
    everywhere = rankdata(logit)
    for one in (0, 1):
        own = label == one
        passed = (everywhere[own] - rankdata(logit[own])) / (~own).sum()
        found[own] = passed if one else 1 - passed
    return found


def _undefined(problem: str, expected: str, received: object) -> Explained:
    hint = "without it there is no p-value; the interval stands"
    return Explained(problem, expected=expected, received=received, hint=hint)


# Calls --------------------------------------------------------------------------------------------


def mcnemar(a: pd.DataFrame, b: pd.DataFrame) -> Discordance:
    """Return the photographs that just one of two models calls rightly, with tests of accuracy.

    `p` is the exact test of McNemar (Psychometrika 12, 1947): the binomial one of the discordant
    photographs. It takes the eyes of a patient for independent and is too small where models err on
    both. `clustered_p` does not: per patient, photographs that only the first model calls rightly
    less those that only the second does; where the models are alike, either sign of that is equally
    probable. It is the exact distribution over all signs, of which the chi-square tests of
    Obuchowski (Statistics in Medicine 17, 1998, 1495–1507) and of Yang, Sun and Hardin (Statistics
    in Medicine 29, 2010, 2638–2652) are the limit for many patients. With one photograph per
    patient both are equal.

    Args:
        a: Columns image, patient, label, logit, probability, threshold (probability from which a
            photograph is called diseased), and fold where folds are pooled.
        b: The same, of the same photographs.

    Raises:
        Explained: As `align`, `metrics.check` and `metrics.call` do.
    """
    tables = align(a, b)
    known = [metrics.check(predictions) for predictions in tables]
    right_a, right_b = (
        metrics.call(one, predictions["threshold"]) == (one.label == 1)
        for one, predictions in zip(known, tables, strict=True)
    )
    only_a, only_b = right_a & ~right_b, right_b & ~right_a
    excess = metrics.per_patient((only_a * 1 - only_b * 1)[:, None], known[0].patient)[:, 0]
    counts = int(only_a.sum()), int(only_b.sum())
    return Discordance(
        *counts,
        p=float(binomtest(counts[0], sum(counts)).pvalue) if sum(counts) else 1.0,
        clustered_p=_over_signs(excess.astype(np.int64)),
    )


def _over_signs(excess: Integers) -> float:
    """Return the share of all changes of sign after which the sum is at least as far from 0."""
    sizes = np.abs(excess[excess != 0])
    shares = np.ones(1)  # by the sum of those with a positive sign
    for size in sizes:
        none = np.zeros(size)
        shares = (np.append(shares, none) + np.append(none, shares)) / 2
    sums = 2 * np.arange(len(shares)) - sizes.sum()
    return min(1.0, float(shares[np.abs(sums) >= abs(excess.sum())].sum()))


# Families -----------------------------------------------------------------------------------------


def holm(p: ArrayLike) -> Floats:
    """Return p-values adjusted for their number (Holm, Scandinavian Journal of Statistics 6, 1979).

    Those below α are what Holm's procedure rejects while the probability of any false rejection in
    the family is at most α, whatever depends on what.

    Args:
        p: p-values of one family, in [0, 1]. Absent ones (NaN) stay so and do not count.
    """
    given = np.asarray(p, dtype=np.float64)
    adjusted = np.full(len(given), np.nan)
    order = np.argsort(given)[: int((~np.isnan(given)).sum())]
    left = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(left * given[order]))
    return adjusted


def table(
    models: Mapping[str, Iterable[Evidence]], repetitions: int, seed: int, split: str
) -> pd.DataFrame:
    """Return the comparison of every two cases of a study on the same task, in its order.

    Compared are the models of the first seed of each case, folds pooled, each at the frozen
    threshold of its fold. Intervals and tests speak of these networks, as they were trained: they
    know how patients vary, not how trainings do, which the spread over seeds shows. A study and
    task are a family, for whose number of tests `_holm` columns are corrected. A case of which a
    run diverged has rows without numbers; they are no tests of the family.

    Args:
        models: Study → what its runs left, with their predictions of one split.
        repetitions: Bootstrap samples of patients behind every interval; the same for both models.
        seed: Governs the bootstrap.
        split: Whose predictions they are.

    Returns:
        `COLUMNS`, one row per pair. Intervals are 95 % percentile intervals over patients.

    Raises:
        Explained: Models of a family were not given the same photographs, do not begin with the
            same seed, or their metrics are undefined. A test that is undefined leaves its p-value
            empty and says why in `reason`.
    """
    families = []
    for study, evidence in models.items():
        for task, cases in _first_seeds(evidence).items():
            rows = [
                {"study": study, "task": task, "split": split} | _row(pair, repetitions, seed)
                for pair in combinations(cases.values(), 2)
            ]
            family = pd.DataFrame(rows, columns=list(COLUMNS))
            adjusted = {f"{test}_holm": holm(family[test]) for test in _TESTS}
            families.append(family.assign(**adjusted))
    return pd.concat(families, ignore_index=True).astype(dict.fromkeys(_COUNTS, "Int64"))


def _first_seeds(evidence: Iterable[Evidence]) -> dict[str, dict[str, list[Evidence]]]:
    """Return task → case → the runs of its first seed."""
    families: dict[str, dict[str, list[Evidence]]] = {}
    for item in evidence:
        group = families.setdefault(item.run.task, {}).setdefault(item.case, [])
        if not group or group[0].run.seed == item.run.seed:
            group.append(item)
    return families


def _row(
    pair: tuple[list[Evidence], list[Evidence]], repetitions: int, seed: int
) -> dict[str, Any]:
    first, second = (group[0] for group in pair)
    if first.run.seed != second.run.seed:
        raise _unpaired(
            f"{first.case} and {second.case} begin with different seeds",
            "the same seeds for every case of a study",
            f"{first.run.seed} and {second.run.seed}",
        )
    described = {
        "seed": first.run.seed,
        "case_a": first.case,
        "case_b": second.case,
        "initialisation_a": first.record["starts_from"],
        "initialisation_b": second.record["starts_from"],
    }
    if any(map(diverged, pair)):
        return described | {"n": 0, "patients": 0, "outcome": DIVERGED}
    a, b = align(pooled(pair[0]), pooled(pair[1]))
    measured = intervals.with_intervals(a, _differences(a, b), seed, repetitions)
    row = described | {"n": len(a), "patients": a["patient"].nunique()} | measured
    return row | _tests(a, b) | {"outcome": "compared"}


def _differences(a: pd.DataFrame, b: pd.DataFrame) -> Measure:
    """Return the measure of AUC and accuracy of two aligned models, and of their differences."""
    ranked, called = (
        (of(a), of(b)) for of in (metrics.ranking, lambda one: metrics.calls(one, one["threshold"]))
    )

    def measure(counts: Integers) -> dict[str, Floats]:
        values: dict[str, Floats] = {}
        for name, (first, second) in (("auc", ranked), ("accuracy", called)):
            one, other = first(counts)[name], second(counts)[name]
            values |= {f"{name}_a": one, f"{name}_b": other, f"{name}_difference": one - other}
        return values

    return measure


def _tests(a: pd.DataFrame, b: pd.DataFrame) -> dict[str, Any]:
    """Return the counts and p-values of two aligned models, and why one is absent."""
    discordance = mcnemar(a, b)
    try:
        tested: dict[str, Any] = {"auc_p": delong(a, b).p}
    except Explained as undefined:
        tested = {"reason": f"no p-value of AUC: {undefined.problem}"}
    return tested | {
        "only_a_right": discordance.only_a,
        "only_b_right": discordance.only_b,
        "mcnemar_p": discordance.p,
        "clustered_mcnemar_p": discordance.clustered_p,
    }
