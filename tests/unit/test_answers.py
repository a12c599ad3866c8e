from typing import Any

import pandas as pd
import pytest
from tests.measured import FROZEN, NAN, baseline, metric, metrics, pair, pairs

from retinopathy import answers
from retinopathy.localisation_tables import COLUMNS, DIFFERENCES

CONTROL = metric("densenet169 96", 0.99, initialisation=FROZEN)
DEPTHS = metrics(
    metric("head", 0.6, method="xception", network="xception"),
    metric("block14", 0.8, method="xception", network="xception"),
)
CUTS = pd.DataFrame([{"p": NAN, "shortfall": 0.1, "shortfall_low": 0.0, "shortfall_high": 0.2}])


def tables(**changes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return what a small study left."""
    return {
        "networks": metrics(metric("xception 96", 0.7), metric("xception 192", 0.8), CONTROL),
        "baselines": metrics(
            baseline("svm", 0.5),
            baseline("knn", 0.55),
            baseline("knn", 0.75, "features"),
            baseline("svm", 0.99, "features", initialisation=FROZEN),
        ),
        "initialisation": metrics(metric("xception: final run", 0.7)),
        "depth": DEPTHS,
        "depth_cuts": CUTS,
        "comparisons": pairs(
            pair("xception 96", "xception 192", -0.1),
            pair("head", "block14", -0.2, study="depth"),
        ),
        "depth_test": DEPTHS,
        "localisation": pd.DataFrame(columns=list(COLUMNS)),
        "localisation_differences": pd.DataFrame(columns=list(DIFFERENCES)),
    } | changes


def test_the_four_questions_have_an_answer_each() -> None:
    found = answers.answers(tables())
    assert [question.split()[:2] for question in found] == [
        ["How", "much"],
        ["How", "deep"],
        ["How", "large"],
        ["Do", "the"],
    ]
    assert all(paragraph for paragraphs in found.values() for paragraph in paragraphs)


def test_transfer_is_set_beside_pixels_and_frozen_features_and_controls_are_not_picked() -> None:
    said, _ = answers.transfer(tables())
    assert said == (
        "Task “referable”: the best of 2 final models from ImageNet weights, xception at 192 px, "
        "reaches an AUC of 0.800 (0.700 to 0.900) on 72 test photographs. The best of 2 classical "
        "methods on pixels, k nearest neighbours, reaches 0.550 (0.450 to 0.650): 0.250 less; "
        "their intervals do not overlap. The best of 1 on frozen ImageNet features, k nearest "
        "neighbours on the features of xception, reaches 0.750 (0.650 to 0.850): 0.050 less; their "
        "intervals overlap: not told apart without a comparison in pairs. Not counted: 1 final "
        "model from random weights, which are controls."
    )


def test_a_baseline_that_is_ahead_is_said_to_be() -> None:
    said, _ = answers.transfer(tables(baselines=metrics(baseline("svm", 0.9))))
    assert "reaches 0.900 (0.800 to 1.000): 0.100 more" in said


def test_with_random_weights_only_the_question_is_not_answered() -> None:
    said, _ = answers.transfer(tables(networks=metrics(CONTROL)))
    assert "no final model from ImageNet weights finished, so that this is not answered" in said
    assert "The best of 1 final model from random weights, which are controls, densenet169" in said
    said, _ = answers.transfer(tables(networks=metrics(metric("xception 96", NAN))))
    assert said.endswith("not answered.")


def test_every_task_has_its_paragraph() -> None:
    both = metrics(metric("xception 96", 0.7), metric("xception 96", 0.8, task="extremes", n=28))
    first, second, _ = answers.transfer(tables(networks=both))
    assert "“referable”" in first and "pixels" in first
    assert "“extremes”" in second and "on 28 test" in second and "pixels" not in second


def test_depth_is_what_validation_prefers_and_what_differs_on_test() -> None:
    said = answers.depth(tables())
    assert "Best on validation is “block14”, with an AUC of 0.800" in said
    assert "1 of 1 pair of depths is told apart" in said
    assert "There “block14” differs from the head alone by +0.200 (+0.000 to +0.300)." in said
    assert "Cuts inside" not in said
    known = answers.depth(tables(depth_cuts=CUTS.assign(p=0.6)))
    assert "lie +0.100 (+0.000 to +0.200) of AUC under whole-block cuts: not told apart" in known


def test_depth_of_random_weights_is_a_control_and_all_may_have_diverged() -> None:
    random = DEPTHS.assign(initialisation=FROZEN)
    assert f"from “{FROZEN}”: a control. Best" in answers.depth(tables(depth=random))
    lost = answers.depth(tables(depth=DEPTHS.assign(auc=NAN), comparisons=pairs()))
    assert "A run of every case diverged" in lost and "No two depths could be compared" in lost


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "by +0.100 (−0.100 to +0.200): told apart."),
        (
            [pair("vgg 96", "vgg 192", 0.3, auc_p_holm=0.5)],
            "of vgg by −0.300 (−0.500 to −0.200): 1 of 2",
        ),
    ],
)
def test_size_is_what_the_large_photograph_adds(more: list[Any], said: str) -> None:
    rows = [pair("xception 96", "xception 192", -0.1), *more]
    (found,) = answers.size(tables(comparisons=pairs(*rows)))
    assert "Going from 96 to 192 px changes the AUC of xception by +0.100" in found
    assert said in found


def test_sizes_of_controls_are_told_as_such_and_none_may_be_known() -> None:
    random = {"initialisation_a": FROZEN, "initialisation_b": FROZEN}
    own = pair("xception 96", "xception 192", -0.1, **random, auc_p_holm=0.2)
    (found,) = answers.size(tables(comparisons=pairs(own)))
    assert "Controls, from random weights: Going" in found and "not told apart" in found
    for rows in (pairs(), pairs(pair("xception 96", "xception 192", NAN))):
        assert answers.size(tables(comparisons=rows)) == [
            "No network was compared with itself at another size."
        ]


def test_lesions_are_not_told_where_they_were_not_measured() -> None:
    (said,) = answers.answers(tables())["Do the networks look at the lesions?"]
    assert said.startswith("Not measured")
