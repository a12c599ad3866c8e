import pandas as pd
import pytest
from tests.measured import FROZEN, NAN, baseline, metric, metrics, pair, pairs

from retinopathy import verdicts

# Guessing -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("aucs", "said"),
    [
        ([0.5, 0.55, 0.45], "none of 3 models is told from guessing (all intervals hold 0.5)"),
        ([0.55], "the one model is not told from guessing (its interval contains 0.5)"),
        ([0.7], "1 of 1 model is better than guessing (with an interval above 0.5)"),
        ([0.7, 0.8, 0.5], "2 of 3 models are better than guessing (with an interval above 0.5)"),
        ([0.7, 0.3], "interval above 0.5) and 1 is worse (with one below 0.5)"),
        ([NAN, 0.7], "1 of 1 model is better"),
        ([NAN, NAN], "there is no interval for any of 2 models"),
    ],
)
def test_models_are_told_from_guessing_by_their_intervals(aucs: list[float], said: str) -> None:
    rows = metrics(*(metric(f"a {n}", auc) for n, auc in enumerate(aucs)))
    assert said in verdicts.guessing(rows, "model")


def test_kinds_of_inputs_are_told_apart_and_random_features_are_a_control() -> None:
    said = verdicts.baselines(
        metrics(
            baseline("svm", 0.5),
            baseline("knn", 0.55),
            baseline("knn", 0.65, "metadata"),
            baseline("svm", 0.8, "features"),
            baseline("svm", 0.9, "features", initialisation=FROZEN),
        )
    )
    assert said.startswith("On pixels: none of 2 methods")
    assert "that of k nearest neighbours, 0.550 (0.450 to 0.650). On metadata alone: 1 of 1" in said
    assert "features of xception: 1 of 1 method is better" in said
    assert f"features of xception ({FROZEN}: a control): 1 of 1" in said


def test_methods_without_numbers_have_no_highest() -> None:
    said = verdicts.baselines(metrics(baseline("svm", NAN)))
    assert said == "On pixels: there is no interval for any of 1 method."


# Studies that choose ------------------------------------------------------------------------------


def test_the_best_case_is_ahead_of_the_next_and_may_be_so_by_chance() -> None:
    table = metrics(metric("a", 0.7), metric("b", 0.75), metric("c", 0.2), metric("d", NAN))
    assert verdicts.choice(table) == (
        "Best on validation is “b”, with an AUC of 0.750 (0.650 to 0.850); it is 0.050 ahead of "
        "the next, “a”. Its interval overlaps with those of 1 of the 2 others: this order may be "
        "chance."
    )
    alike = verdicts.choice(metrics(metric("a", 0.7), metric("b", 0.7)))
    assert "“a”" in alike and "it is no better than the next, “b”" in alike
    assert "overlaps with that of the other: this" in alike
    assert "overlaps with those of all 2 others" in verdicts.choice(
        metrics(*(metric(case, 0.7) for case in "abc"))
    )
    assert "overlaps with that of no other." in verdicts.choice(
        metrics(metric("a", 0.9), metric("b", 0.5))
    )


def test_the_best_case_is_that_of_the_mean_over_seeds_and_none_of_its_seeds_diverged() -> None:
    rows = [metric("a", auc, seed=seed) for seed, auc in enumerate((0.9, NAN))]
    rows += [metric("b", auc, seed=seed) for seed, auc in enumerate((0.6, 0.8))]
    said = verdicts.choice(metrics(*rows))
    assert "“b”, with an AUC of 0.700 as the mean of 2 seeds" in said
    assert "There is no other to compare it with" in said
    assert verdicts.choice(metrics(metric("a", NAN))).startswith("A run of every case diverged")


def steady(*erratic: float, runs: int = 1, sd: float = NAN) -> pd.DataFrame:
    cases = [str(n) for n in range(len(erratic))]
    return pd.DataFrame({"case": cases, "erratic": erratic, "erratic_sd": sd, "runs": runs})


def test_erratic_settings_are_listed_and_single_runs_have_no_spread() -> None:
    one = verdicts.erratic(steady(0.1, 0.2, NAN))
    assert "0 0.100 and 1 0.200; one run each, so that their spread is not known." in one
    assert "±" not in one
    assert "0 0.100 ± 0.010; mean ± sd of runs." in verdicts.erratic(steady(0.1, runs=3, sd=0.01))
    assert verdicts.erratic(steady(NAN)).startswith("No run is long enough")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0.01, 0.2], "On 72 test photographs 1 of 2 pairs of depths is told apart"),
        ([0.01, 0.04, 0.05], "2 of 3 pairs of depths are told apart (p below 0.05, adjusted for 3"),
        ([0.2, NAN], "no two depths are told apart (p below 0.05, adjusted for 1 pair)"),
        ([NAN], "No two depths could be compared."),
        ([], "No two depths could be compared."),
    ],
)
def test_pairs_are_told_apart_by_adjusted_p(values: list[float], said: str) -> None:
    rows = pairs(*(pair("a", "b", 0.1, auc_p_holm=p) for p in values))
    assert said in verdicts.pairs(rows, "depths")


# Final runs ---------------------------------------------------------------------------------------

CONTROL = metric("densenet169 96", 0.99, initialisation=FROZEN)


def test_the_best_final_model_is_from_imagenet_and_compared_in_pairs_with_the_next() -> None:
    rows = metrics(metric("xception 96", 0.7), metric("xception 192", 0.8), CONTROL)
    said = verdicts.final(rows, pairs(pair("xception 96", "xception 192", -0.1)))
    assert said == (
        "Of 2 final models from ImageNet weights the best is xception at 192 px, with an AUC of "
        "0.800 (0.700 to 0.900); the next is xception at 96 px. Their difference is +0.100 (−0.100 "
        "to +0.200), compared in pairs: told apart. Controls, from random weights: 1 of 1 final "
        "model is better than guessing (with an interval above 0.5)."
    )
    apart = pairs(pair("xception 96", "xception 192", -0.1, auc_p_holm=0.5))
    assert "compared in pairs: not told apart" in verdicts.final(rows, apart)


@pytest.mark.parametrize(
    ("second", "said"),
    [
        (0.75, "+0.050, not compared in pairs; their intervals overlap: not told apart"),
        (0.4, "+0.400, not compared in pairs; their intervals do not overlap."),
    ],
)
def test_without_a_pair_intervals_are_compared(second: float, said: str) -> None:
    rows = metrics(metric("xception 96", 0.8), metric("xception 192", second))
    diverged = pairs(pair("xception 96", "xception 192", NAN))
    for comparisons in (pairs(), diverged):
        assert said in verdicts.final(rows, comparisons)


def test_an_interval_that_is_not_there_does_not_overlap() -> None:
    rows = metrics(metric("xception 96", 0.8), metric("xception 192", 0.7, auc_low=NAN))
    assert "; one of them has no interval." in verdicts.final(rows, pairs())


def test_of_several_seeds_the_pair_is_of_the_first() -> None:
    rows = metrics(
        *(
            metric(f"xception {size}", 0.7 + size / 1000, seed=seed)
            for size in (96, 192)
            for seed in (4, 5)
        )
    )
    said = verdicts.final(rows, pairs(pair("xception 96", "xception 192", -0.1)))
    assert "mean of 2 seeds" in said
    assert "Their difference at seed 4 is +0.100" in said


def test_without_imagenet_there_are_only_controls() -> None:
    said = verdicts.final(metrics(CONTROL), pairs())
    assert said.startswith("No final model starts from ImageNet weights. Controls, from random")
    lost = verdicts.final(metrics(metric("xception 96", NAN)), pairs())
    assert lost == "A run of every model from ImageNet weights diverged."


STUDY = [
    metric("xception: final run", 0.8, network="xception", method="xception"),
    *(
        metric(
            f"xception: {start}", 0.5, network="xception", method="xception", initialisation=start
        )
        for start in (FROZEN, "random, all")
    ),
]


def test_imagenet_is_told_from_every_control_in_pairs() -> None:
    compared = pairs(
        pair(f"xception: {FROZEN}", "xception: final run", -0.3, study="initialisation"),
        pair("xception: final run", "xception: random, all", 0.2, study="initialisation"),
        pair("xception: final run", "xception: random, all", 0.9, study="networks"),
    )
    assert verdicts.transfer(metrics(*STUDY), compared) == [
        "Task “referable”, xception at 96 px: ImageNet weights change the AUC by +0.300 (+0.100 to "
        f"+0.400) beside “{FROZEN}” and +0.200 (+0.100 to +0.400) beside “random, all” weights."
    ]


def test_without_pairs_the_difference_from_a_control_has_no_interval() -> None:
    (said,) = verdicts.transfer(metrics(*STUDY[:2]), pairs())
    assert "by +0.300 (not compared in pairs; their intervals do not overlap) beside" in said
    lost = [STUDY[0], STUDY[1] | {"auc": NAN}]
    (said,) = verdicts.transfer(metrics(*lost), pairs())
    assert "an unknown amount (a run diverged)" in said


def test_transfer_is_not_told_without_imagenet_or_without_controls() -> None:
    (said,) = verdicts.transfer(metrics(*STUDY[1:]), pairs())
    assert "no run from ImageNet weights is there to compare" in said
    (said,) = verdicts.transfer(metrics(STUDY[0]), pairs())
    assert "there is no control" in said


def test_fewer_photographs_are_compared_with_all() -> None:
    few = metric("50", 0.65, photographs=50)
    table = metrics(metric("all", 0.8, photographs=228), metric("100", NAN, photographs=100), few)
    assert verdicts.fewer(table) == (
        "With 50 instead of 228 training photographs the AUC is 0.650 (0.550 to 0.750) instead of "
        "0.800 (0.700 to 0.900), −0.150; their intervals overlap: not told apart without a "
        "comparison in pairs."
    )
    better = metrics(metric("all", 0.6, photographs=228), few | {"auc": 0.7})
    assert "+0.100; their intervals overlap" in verdicts.fewer(better)
    assert verdicts.fewer(table.head(2)).startswith("Fewer than two numbers")


def test_pairs_with_controls_are_counted_apart() -> None:
    rows = pairs(
        pair("a", "b", 0.1, auc_p_holm=0.2),
        pair("a", "c", 0.1, initialisation_b=FROZEN, auc_p_holm=0.01),
        pair("b", "c", 0.1, initialisation_b=FROZEN, auc_p_holm=0.2),
    )
    said = verdicts.apart(rows)
    assert "adjusted for 3 pairs" in said
    assert "0 of 1 pair of models from ImageNet weights and 1 of 2 pairs of such a model" in said
    assert verdicts.apart(pairs()) == "No two models could be compared."
