import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import binomtest, chi2
from sklearn.metrics import accuracy_score, roc_auc_score
from tests.predicted import UNDEFINED, table

from retinopathy import comparison_figures, comparisons, metrics, tables
from retinopathy.errors import Explained
from retinopathy.runs import Run
from retinopathy.study_tables import Evidence

RUN = Run("referable", "xception", 96, "imagenet", "head", 0.001, 0.0, 0.5, "holdout", 1)

# 43 patients with ovarian cancer: albumin, total protein, K-G score, and 1 where surgery did not
# help (DeLong, DeLong and Clarke-Pearson, 1988, as in SAS/STAT's guide to PROC LOGISTIC, example
# "Comparing Receiver Operating Characteristic Curves").
OVARIAN = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0
1.6 5.6  5 1  3.8 5.7 5 1  3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1
4.3 7.0  4 1  3.6 6.7 4 0  2.3 4.4 6 1  4.2 7.6 4 0  4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1
3.0 4.7  8 0  4.5 7.4 5 1  3.7 7.4 5 1  3.1 6.6 6 1  4.1 8.2 6 1  4.3 7.0 5 1  4.3 6.5 4 1
3.2 5.1  5 1  2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0  3.7 6.1 5 1  3.3 6.3 7 1  4.2 7.7 6 1
3.5 6.2  5 1  2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1  3.3 5.7 6 1  3.7 6.9 5 1
3.6 6.6  5 1
"""


def named(predictions: pd.DataFrame, threshold: float | metrics.Floats = 0.5) -> pd.DataFrame:
    names = [f"{place}_left" for place in range(len(predictions))]
    return predictions.assign(image=names, threshold=threshold)


def two(patients: int, seed: int, *, gain: float = 0.0, alike: float = 0.8) -> list[pd.DataFrame]:
    """Return two models of the same eyes; the second separates the classes by `gain` more.

    A share `alike` of the variance of each model's errors belongs to the patient, not to the eye.
    """
    generator = np.random.default_rng(seed)
    label = np.repeat(generator.integers(2, size=patients), 2)
    turned = generator.random(2 * patients) < 0.1
    label = np.where(turned, 1 - label, label)
    patient = np.repeat(np.arange(patients), 2)
    models = []
    for extra in (0.0, gain):
        shared = np.repeat(generator.normal(size=patients), 2)
        own = generator.normal(size=2 * patients)
        noise = np.sqrt(alike) * shared + np.sqrt(1 - alike) * own
        models.append(named(table(label, noise + (1 + extra) * (label - 0.5), patient)))
    return models


def apart(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the same photographs, each of a patient of its own."""
    return predictions.assign(patient=np.arange(len(predictions)).astype(str))


def folded(predictions: pd.DataFrame, folds: int) -> pd.DataFrame:
    return predictions.assign(fold=(np.arange(len(predictions)) // 2 % folds).astype(str))


# Alignment ----------------------------------------------------------------------------------------


def test_alignment_brings_photographs_into_one_order() -> None:
    a, b = (folded(model, 2) for model in two(10, 1))
    first, second = comparisons.align(a, b.sample(frac=1, random_state=1))
    assert (first["image"] == a["image"]).all()
    assert (second[b.columns] == b).all(axis=None)


BROKEN: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "same photographs": lambda one: one.iloc[1:],
    "another label": lambda one: one.assign(label=1 - one["label"]),
    "another patient": lambda one: one.assign(patient="0"),
    "twice": lambda one: pd.concat([one, one.iloc[:1]]),
    "only one of two models has folds": lambda one: one.drop(columns="fold"),
    "same folds": lambda one: one.assign(fold="0"),
}


@pytest.mark.parametrize("problem", BROKEN)
def test_models_of_different_photographs_are_not_compared(problem: str) -> None:
    a, b = (folded(model, 2) for model in two(10, 1))
    for pair in ((a, BROKEN[problem](b)), (BROKEN[problem](a), b)):
        with pytest.raises(Explained, match=problem):
            comparisons.delong(*pair)
        with pytest.raises(Explained, match=problem):
            comparisons.mcnemar(*pair)


# AUC ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value", "error", "p"), [(0, 0.0108, 0.0953, 0.9102), (1, -0.0780, 0.1046, 0.4561)]
)
def test_delong_agrees_with_the_published_example(
    column: int, value: float, error: float, p: float
) -> None:
    data = np.array(OVARIAN.split(), dtype=float).reshape(-1, 4)
    helped = (data[:, 3] == 0).astype(int)
    nutrition, score = (named(table(helped, logit)) for logit in (-data[:, column], data[:, 2]))
    found = comparisons.delong(nutrition, score)
    assert (found.value, found.error) == pytest.approx((value, error), abs=5e-5)
    assert found.p == pytest.approx(p, abs=5e-5)


def slow(a: pd.DataFrame, b: pd.DataFrame) -> tuple[float, float]:
    """Return difference and variance by comparing every pair, as Obuchowski (1997) writes them."""
    positive = a["label"].to_numpy() == 1
    kernels = []
    for model in (a, b):
        high, low = (model["logit"].to_numpy()[chosen] for chosen in (positive, ~positive))
        kernels.append((high[:, None] > low) + 0.5 * (high[:, None] == low))
    kernel = kernels[0] - kernels[1]
    value = kernel.mean()
    of_positive, of_negative = (a["patient"].to_numpy()[chosen] for chosen in (positive, ~positive))
    count, other = kernel.shape
    s10 = s01 = s11 = 0.0
    for patient in set(a["patient"]):
        x = (kernel.mean(axis=1)[of_positive == patient] - value).sum()
        y = (kernel.mean(axis=0)[of_negative == patient] - value).sum()
        s10, s01, s11 = s10 + x * x, s01 + y * y, s11 + x * y
    i10, i01, i = len(set(of_positive)), len(set(of_negative)), a["patient"].nunique()
    s10 *= i10 / ((i10 - 1) * count)
    s01 *= i01 / ((i01 - 1) * other)
    s11 *= i / (i - 1)
    return value, s10 / count + s01 / other + 2 * s11 / (count * other)


@pytest.mark.parametrize("decimals", [8, 0])
def test_clustered_delong_agrees_with_all_pairs(decimals: int) -> None:
    a, b = (model.round({"logit": decimals}) for model in two(40, 3, gain=0.5))
    found = comparisons.delong(a, b)
    value, variance = slow(a, b)
    assert found.value == pytest.approx(metrics.auc(a) - metrics.auc(b))
    assert (found.value, found.error) == pytest.approx((value, np.sqrt(variance)))


def test_clustered_delong_of_single_photographs_is_the_classical_one() -> None:
    a, b = map(apart, two(30, 5, gain=0.5))
    positive = a["label"] == 1
    components = []
    for model in (a, b):
        high, low = (model.loc[chosen, "logit"].to_numpy() for chosen in (positive, ~positive))
        kernel = high[:, None] > low
        components.append((kernel.mean(axis=1), kernel.mean(axis=0)))
    (v10, v01), (w10, w01) = components
    s = np.cov(v10, w10) / len(v10) + np.cov(v01, w01) / len(v01)
    variance = s[0, 0] + s[1, 1] - 2 * s[0, 1]
    assert comparisons.delong(a, b).error == pytest.approx(np.sqrt(variance))


def test_folds_are_pooled_by_their_pairs_and_never_ranked_together() -> None:
    a, b = (folded(model, 3) for model in two(60, 4, gain=0.7))
    parts = [(a[a["fold"] == fold], b[b["fold"] == fold]) for fold in "012"]
    pairs = np.array([one["label"].sum() * (1 - one["label"]).sum() for one, _ in parts])
    values, variances = np.array([slow(*part) for part in parts]).T
    found = comparisons.delong(a, b)
    assert found.value == pytest.approx(np.average(values, weights=pairs))
    assert found.value == pytest.approx(metrics.auc(a) - metrics.auc(b))
    assert found.error**2 == pytest.approx((pairs**2 @ variances) / pairs.sum() ** 2)
    moved = a.assign(logit=a["logit"] + 10 * a["fold"].astype(int))
    assert comparisons.delong(moved, b) == found


def test_fold_of_one_class_counts_for_nothing() -> None:
    a, b = two(40, 2, gain=0.5)
    healthy = a["label"] == 0
    fold = np.where(healthy & (np.cumsum(healthy) <= 5), "1", "0")
    fold = np.where(a["patient"].isin(a["patient"][fold == "1"]), fold, "0")
    single = a["patient"].map(pd.Series(fold).groupby(a["patient"]).nunique()) == 1
    a, b = (model.assign(fold=fold)[single] for model in (a, b))
    inside = a["fold"] == "0"
    assert not inside.all()
    assert comparisons.delong(a, b) == comparisons.delong(a[inside], b[inside])


def test_models_change_places_with_the_sign_alone() -> None:
    a, b = two(40, 3, gain=0.5)
    one, other = comparisons.delong(a, b), comparisons.delong(b, a)
    assert (one.value, one.error, one.p) == pytest.approx((-other.value, other.error, other.p))


@pytest.mark.parametrize(
    ("problem", "pair"),
    {
        "no spread": [named(table([0, 0, 1, 1], [0, 2, 1, 3.0]))] * 2,
        "too few patients": [
            named(table([0, 0, 1, 1], logit, [0, 1, 2, 2]))
            for logit in ([0, 2, 1, 3], [0, 1, 2, 3])
        ],
        "several folds": [model.assign(fold=["0", "1"] * 20) for model in two(20, 1)],
    }.items(),
)
def test_tests_without_an_answer_raise(problem: str, pair: list[pd.DataFrame]) -> None:
    with pytest.raises(Explained, match=problem):
        comparisons.delong(*pair)


@pytest.mark.parametrize("predictions", UNDEFINED.values(), ids=UNDEFINED)
def test_what_has_no_metric_has_no_comparison(predictions: pd.DataFrame) -> None:
    with pytest.raises(Explained):
        comparisons.delong(named(predictions), named(predictions))
    with pytest.raises(Explained):
        comparisons.mcnemar(named(predictions), named(predictions))


# Calls --------------------------------------------------------------------------------------------


def discordant(only_a: int, only_b: int, both: int = 2) -> list[pd.DataFrame]:
    """Return two models with so many photographs that just one calls rightly."""
    right_a = np.repeat([True, False, True, False], [only_a, only_b, both, both])
    right_b = np.repeat([False, True, True, False], [only_a, only_b, both, both])
    label = np.arange(len(right_a)) % 2
    return [
        named(table(label, np.where(right == (label == 1), 1.0, -1.0)))
        for right in (right_a, right_b)
    ]


def test_mcnemar_agrees_with_the_published_example() -> None:
    # Approval of a president in two surveys (Agresti, Categorical Data Analysis, 1990, page 350).
    found = comparisons.mcnemar(*discordant(150, 86))
    assert (found.only_a, found.only_b) == (150, 86)
    statistic = (150 - 86) ** 2 / (150 + 86)
    assert statistic == pytest.approx(17.36, abs=0.005)
    assert found.p == pytest.approx(binomtest(150, 236).pvalue)
    assert found.p == pytest.approx(chi2.sf(statistic, 1), rel=0.2)
    # Every photograph has a patient of its own, so that both tests are one.
    assert found.clustered_p == pytest.approx(found.p)


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"), [(0, 0, 1), (5, 5, 1), (0, 5, 1 / 16), (1, 0, 1)]
)
def test_mcnemar_of_few_photographs_by_hand(only_a: int, only_b: int, p: float) -> None:
    found = comparisons.mcnemar(*discordant(only_a, only_b))
    assert (found.p, found.clustered_p) == pytest.approx((p, p))


def test_photographs_are_called_at_the_threshold_of_their_row() -> None:
    label, logit = [0, 1, 0, 1], [0.0, 0.1, 2.0, 2.1]
    own = named(table(label, logit), expit([0.05, 0.05, 2.05, 2.05]))
    found = comparisons.mcnemar(own, named(table(label, logit), 0.5).sample(frac=1, random_state=2))
    assert (found.only_a, found.only_b) == (2, 0)


def test_signs_of_patients_are_all_tried() -> None:
    excess = np.array([2, 1, -1, 2, 1, 0])
    signs = np.array(np.meshgrid(*[[-1, 1]] * 6)).reshape(6, -1)
    expected = np.mean(np.abs(signs.T @ np.abs(excess)) >= abs(excess.sum()))
    label = np.tile([0, 1], 6)
    right_a = np.array([1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 0, 1]) == 1
    right_b = np.array([0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]) == 1
    a, b = (
        named(table(label, np.where(right == (label == 1), 1.0, -1.0), np.repeat(range(6), 2)))
        for right in (right_a, right_b)
    )
    found = comparisons.mcnemar(a, b)
    assert (found.only_a, found.only_b) == (6, 1)
    assert found.clustered_p == pytest.approx(expected)
    assert found.p == pytest.approx(binomtest(6, 7).pvalue)


def test_clustered_mcnemar_tends_to_the_chi_square_of_yang() -> None:
    a, b = two(2000, 1, gain=0.15)
    right = [(model["logit"] >= 0) == (model["label"] == 1) for model in (a, b)]
    excess = (right[0] * 1 - right[1] * 1).groupby(a["patient"]).sum()
    statistic = excess.sum() ** 2 / (excess**2).sum()
    expected = chi2.sf(statistic, 1)
    assert 0.001 < expected < 0.5
    assert comparisons.mcnemar(a, b).clustered_p == pytest.approx(expected, rel=0.1)


# Errors of the first kind -------------------------------------------------------------------------


def test_true_nulls_are_rejected_as_often_as_stated_only_with_patients_as_units() -> None:
    # 250 sets: the standard error of a rate of 0.05 is 0.014; allowed are about 2.5 of them.
    rejected = []
    for seed in range(250):
        a, b = two(150, seed, alike=0.95)
        found = comparisons.mcnemar(a, b)
        values = (
            comparisons.delong(a, b).p,
            found.clustered_p,
            comparisons.delong(apart(a), apart(b)).p,
            found.p,
        )
        rejected.append([p < 0.05 for p in values])
    delong, clustered, naive_delong, naive_mcnemar = np.mean(rejected, axis=0)
    assert 0.02 < delong < 0.085
    assert 0.01 < clustered < 0.085  # an exact test rejects a little less often than stated
    assert naive_delong > 0.1
    assert naive_mcnemar > 0.075


def test_true_differences_are_found() -> None:
    found = [comparisons.delong(*two(150, seed, gain=1.0)) for seed in range(40)]
    assert np.mean([one.p < 0.05 for one in found]) > 0.9
    assert all(one.value < 0 for one in found)


# Families -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "adjusted"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.2], [0.2]),
        ([0.5, 0.6], [1, 1]),
        ([0.01, np.nan, 0.02], [0.02, np.nan, 0.02]),
        ([np.nan], [np.nan]),
        ([], []),
    ],
)
def test_holm_by_hand(given: list[float], adjusted: list[float]) -> None:
    assert comparisons.holm(given) == pytest.approx(adjusted, nan_ok=True)


def evidence(case: str, predictions: pd.DataFrame, **changes: Any) -> Evidence:
    outcome = changes.pop("outcome", "finished")
    threshold = changes.pop("threshold", 0.5)
    record = {"starts_from": "imagenet", "outcome": outcome}
    run = dataclasses.replace(RUN, **changes)
    empty = predictions.head(0) if outcome == "diverged" else predictions
    return Evidence(case, run, record, pd.DataFrame(), empty, threshold)


def three() -> list[Evidence]:
    a, b = two(60, 1, gain=1.0)
    c = b.assign(logit=b["logit"] + 0.1, probability=expit(b["logit"] + 0.1))
    return [evidence(name, one) for name, one in (("a", a), ("b", b), ("c", c))]


def test_every_pair_of_a_study_and_task_is_a_row() -> None:
    models = {
        "networks": [*three(), evidence("d", two(9, 2)[0], task="extremes")],
        "depth": three(),
    }
    found = comparisons.table(models, 50, 1, "test")
    assert tuple(found.columns) == comparisons.COLUMNS
    pairs = [("a", "b"), ("a", "c"), ("b", "c")]
    assert list(zip(found["case_a"], found["case_b"], strict=True)) == 2 * pairs
    assert found["study"].to_list() == 3 * ["networks"] + 3 * ["depth"]
    assert set(found["task"]) == {"referable"}
    assert (found["n"] == 120).all()
    assert (found["patients"] == 60).all()


def test_numbers_of_a_row_are_those_of_its_models() -> None:
    first, second, _ = three()
    row = comparisons.table({"networks": [first, second]}, 200, 1, "test").iloc[0]
    a, b = first.predictions, second.predictions
    assert row["auc_a"] == pytest.approx(roc_auc_score(a["label"], a["logit"]))
    assert row["auc_difference"] == pytest.approx(row["auc_a"] - row["auc_b"])
    assert row["accuracy_b"] == pytest.approx(accuracy_score(b["label"], b["probability"] >= 0.5))
    assert row["only_a_right"] - row["only_b_right"] == round(120 * row["accuracy_difference"])
    assert row["auc_p"] == row["auc_p_holm"] == comparisons.delong(a, b).p
    for name in ("auc_difference", "accuracy_difference"):
        assert row[f"{name}_low"] < row[name] < row[f"{name}_high"]
    # The bootstrap and the formula see the same spread: within a quarter for 200 samples.
    width = row["auc_difference_high"] - row["auc_difference_low"]
    assert width == pytest.approx(2 * 1.96 * comparisons.delong(a, b).error, rel=0.25)


def test_both_models_are_resampled_with_the_same_patients() -> None:
    _, b, c = three()
    row = comparisons.table({"networks": [b, c]}, 50, 1, "test").iloc[0]
    # The same ranking: no sample differs.
    assert row["auc_difference_low"] == row["auc_difference_high"] == 0
    assert np.isnan(row["auc_p"])
    assert "no spread" in row["reason"]
    assert row["mcnemar_p_holm"] == row["mcnemar_p"]


def test_family_is_corrected_for_the_tests_that_there_are() -> None:
    found = comparisons.table({"networks": three()}, 50, 1, "test")
    assert found["auc_p"].isna().to_list() == [False, False, True]
    assert found["auc_p_holm"][:2].to_list() == pytest.approx(
        comparisons.holm(found["auc_p"][:2]).tolist()
    )
    assert found["mcnemar_p_holm"].to_list() == pytest.approx(
        comparisons.holm(found["mcnemar_p"]).tolist()
    )


def test_model_that_diverged_has_rows_without_numbers() -> None:
    given = three()
    given[1] = evidence("b", given[1].predictions, outcome="diverged")
    found = comparisons.table({"networks": given}, 50, 1, "test")
    assert found["outcome"].to_list() == ["diverged", "compared", "diverged"]
    assert found["n"].to_list() == [0, 120, 0]
    numbers = [name for name in comparisons.COLUMNS[10:-2] if name != "reason"]
    assert found.loc[found["outcome"] == "diverged", numbers].isna().all(axis=None)
    assert found["auc_p_holm"][1] == found["auc_p"][1]


def test_first_seed_is_compared_with_its_folds_pooled() -> None:
    a, b = two(60, 3, gain=0.5)
    other = two(60, 4)[0]
    given = []
    for case, model in (("a", a), ("b", b)):
        for fold, threshold in enumerate((0.4, 0.6)):
            part = model[folded(model, 2)["fold"] == str(fold)].drop(columns="threshold")
            given.append(evidence(case, part, fold=str(fold), threshold=threshold))
        given.append(evidence(case, other, seed=2, fold="0"))
    row = comparisons.table({"networks": given}, 50, 1, "test").iloc[0]
    pair = [folded(model, 2) for model in (a, b)]
    assert (row["n"], row["seed"]) == (120, 1)
    assert row["auc_difference"] == pytest.approx(metrics.auc(pair[0]) - metrics.auc(pair[1]))
    called = np.where(pair[0]["fold"] == "0", a["probability"] >= 0.4, a["probability"] >= 0.6)
    assert row["accuracy_a"] == pytest.approx(np.mean(called == (a["label"] == 1)))


def test_cases_that_begin_with_different_seeds_are_refused() -> None:
    a, b = two(20, 1)
    with pytest.raises(Explained, match="different seeds"):
        comparisons.table({"x": [evidence("a", a), evidence("b", b, seed=2)]}, 5, 1, "test")


def test_study_with_one_case_has_no_rows(tmp_path: Path) -> None:
    found = comparisons.table({"networks": three()[:1]}, 50, 1, "test")
    assert found.empty
    tables.write(found, tmp_path / "comparisons.csv", comparisons.COLUMNS)
    read = tables.read(tmp_path / "comparisons.csv", comparisons.COLUMNS)
    comparison_figures.forest(read, tmp_path / "comparisons.png")
    assert (tmp_path / "comparisons.png").stat().st_size > 0


def test_figure_is_drawn_from_the_table_as_it_is_read(tmp_path: Path) -> None:
    given = three()
    lost = [evidence("d", given[1].predictions, outcome="diverged")]
    found = comparisons.table({"networks": given + lost, "depth": given[:1] + lost}, 50, 1, "test")
    tables.write(found, tmp_path / "comparisons.csv", comparisons.COLUMNS)
    read = tables.read(tmp_path / "comparisons.csv", comparisons.COLUMNS)
    comparison_figures.forest(read, tmp_path / "comparisons.png")
    assert (tmp_path / "comparisons.png").stat().st_size > 10_000
