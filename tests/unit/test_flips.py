import dataclasses
from typing import Any

import pandas as pd
import pytest
from scipy.special import logit
from scipy.stats import binomtest
from tests import predicted

from retinopathy import flips
from retinopathy.errors import Explained
from retinopathy.runs import Run
from retinopathy.study_tables import Evidence

RUN = Run("referable", "xception", 96, "imagenet", "head", 0.001, 0.0, 0.5, "holdout", 1)
SMALL = [0.9, 0.2, 0.9, 0.1]
LARGE = [0.2, 0.8, 0.7, 0.6]


def evidence(probability: list[float], size: int, **changes: Any) -> Evidence:
    """Return what a run left of a healthy, two diseased and a healthy photograph."""
    images = changes.pop("images", list("abcd"))
    record = {
        "starts_from": changes.pop("starts_from", "imagenet"),
        "outcome": changes.pop("outcome", "finished"),
    }
    labels = changes.pop("labels", [0, 1, 1, 0])
    threshold = changes.pop("threshold", 0.5)
    table = predicted.table(labels, logit(probability), changes.pop("patients", images))
    table = table.assign(image=images, level=table["label"] * 4, probability=probability)
    run = dataclasses.replace(RUN, size=size, **changes)
    known = table.head(0) if record["outcome"] == "diverged" else table
    return Evidence(f"{run.network} {size}", run, record, pd.DataFrame(), known, threshold)


def both(**changes: Any) -> list[Evidence]:
    return [evidence(SMALL, 96, **changes), evidence(LARGE, 192, **changes)]


def listed(items: list[Evidence]) -> pd.DataFrame:
    return flips.photographs(flips.by_size(items), "test")


def compared(items: list[Evidence]) -> pd.DataFrame:
    return flips.tests(flips.by_size(items), "test")


# Photographs --------------------------------------------------------------------------------------


def test_only_photographs_that_change_sides_are_listed_with_their_gain() -> None:
    found = listed(both())
    assert found["image"].to_list() == ["a", "b", "d"]
    assert found["right_at"].to_list() == ["large", "large", "small"]
    assert found["gain"].round(6).to_list() == [0.7, 0.6, -0.5]


def test_a_row_explains_itself() -> None:
    small = evidence(SMALL, 96, threshold=0.3, starts_from="random, all")
    large = evidence(LARGE, 192, threshold=0.4, starts_from="random, all")
    row = listed([large, small]).iloc[0]
    assert (row["size_small"], row["size_large"]) == (96, 192)
    assert (row["threshold_small"], row["threshold_large"]) == (0.3, 0.4)
    assert (row["probability_small"], row["probability_large"]) == (0.9, 0.2)
    assert (row["initialisation"], row["split"], row["fold"]) == ("random, all", "test", "holdout")
    assert (row["image"], row["patient"], row["level"], row["label"]) == ("a", "a", 0, 0)


def test_sizes_that_started_from_other_weights_say_both() -> None:
    pair = [evidence(SMALL, 96), evidence(LARGE, 192, starts_from="random, frozen features")]
    assert set(listed(pair)["initialisation"]) == {"imagenet / random, frozen features"}


def test_each_size_and_fold_has_its_own_threshold() -> None:
    limits = {("0", 96): 0.5, ("0", 192): 0.5, ("1", 96): 0.5, ("1", 192): 0.7}
    items = [
        evidence(
            [0.4, 0.6, 0.6, 0.4],
            size,
            fold=fold,
            images=[f"{name}{fold}" for name in "abcd"],
            threshold=limit,
        )
        for (fold, size), limit in limits.items()
    ]
    found = listed(items)
    assert found["image"].to_list() == ["b1", "c1"]
    assert set(found["right_at"]) == {"small"}


def test_a_threshold_is_met_from_itself_upward() -> None:
    exactly = evidence([0.5, 0.5, 0.4, 0.4], 96)
    below = evidence([0.4, 0.4, 0.5, 0.5], 192)
    assert listed([exactly, below])["right_at"].to_list() == ["large", "large", "small", "small"]


def test_all_folds_and_seeds_are_listed() -> None:
    items = [
        one
        for seed in (1, 2)
        for fold in ("0", "1")
        for one in both(seed=seed, fold=fold, images=[f"{name}{fold}" for name in "abcd"])
    ]
    found = listed(items)
    assert found.groupby(["seed", "fold"]).size().to_list() == [3, 3, 3, 3]
    assert set(found["image"]) == {"a0", "b0", "d0", "a1", "b1", "d1"}


def test_a_fold_that_diverged_hides_no_other() -> None:
    first = both(fold="0")
    second = [evidence(SMALL, 96, fold="1"), evidence(LARGE, 192, fold="1", outcome="diverged")]
    found = listed([*first, *second])
    assert found["fold"].to_list() == ["0", "0", "0"]


def test_nothing_that_flips_is_a_table_without_rows() -> None:
    assert listed([evidence(SMALL, 96), evidence(SMALL, 192)]).empty
    diverged = listed(both(outcome="diverged"))
    assert diverged.empty
    assert tuple(diverged.columns) == flips.COLUMNS


@pytest.mark.parametrize("sizes", [(96,), (96, 192, 384), (96, 96)])
def test_only_two_sizes_can_be_compared(sizes: tuple[int, ...]) -> None:
    items = [evidence(SMALL, size) for size in sizes]
    with pytest.raises(Explained, match="two sizes"):
        flips.by_size(items)


# The shown photograph -----------------------------------------------------------------------------


def test_what_the_large_size_made_right_comes_with_the_largest_gain_first() -> None:
    found = listed(both())
    assert flips.gained(found, RUN)["image"].to_list() == ["a", "b"]
    assert flips.gained(found[found["right_at"] == "small"], RUN).empty
    for other in ({"network": "densenet169"}, {"task": "extremes"}, {"seed": 2}, {"fold": "0"}):
        assert flips.gained(found, dataclasses.replace(RUN, **other)).empty


def test_no_photograph_is_shown_that_the_model_was_trained_on() -> None:
    # A photograph is a test photograph of one fold; the models of the others were trained on it.
    modest = [
        evidence([0.4, 0.6, 0.4, 0.4], 96, fold="0"),
        evidence([0.4] + [0.6] * 3, 192, fold="0"),
    ]
    striking = both(fold="1", images=list("efgh"))
    found = listed([*modest, *striking])
    assert found.sort_values("gain")["image"].iloc[-1] == "e"
    assert flips.gained(found, dataclasses.replace(RUN, fold="0"))["image"].to_list() == ["c"]
    assert flips.gained(found, dataclasses.replace(RUN, fold="1"))["image"].to_list() == ["e", "f"]


# Tests --------------------------------------------------------------------------------------------


def test_the_test_of_a_pair_has_known_counts_and_p() -> None:
    # 9 photographs right at the large size only, 2 at the small one only, 3 at both, 1 at none.
    labels = [0, 1] * 7 + [0]
    small = [0.9 if label == 0 else 0.1 for label in labels]
    large = [0.1 if label == 0 else 0.9 for label in labels]
    for place in (9, 10):
        small[place], large[place] = large[place], small[place]
    for place in (11, 12, 13):
        small[place] = large[place]
    large[14] = small[14]
    given = {"labels": labels, "images": [f"i{place}" for place in range(15)]}
    row = compared([evidence(small, 96, **given), evidence(large, 192, **given)]).iloc[0]
    counts = ["n", "patients", "both_right", "only_small_right", "only_large_right", "both_wrong"]
    assert row[counts].to_list() == [15, 15, 3, 2, 9, 1]
    assert row["accuracy_small"] == pytest.approx(5 / 15)
    assert row["accuracy_large"] == pytest.approx(12 / 15)
    expected = binomtest(2, 11).pvalue
    assert row["mcnemar_p"] == pytest.approx(expected)
    assert row["clustered_mcnemar_p"] == pytest.approx(expected)  # one photograph per patient


def test_counts_are_those_of_the_list_of_photographs() -> None:
    items = both()
    row, rows = compared(items).iloc[0], listed(items)["right_at"].value_counts()
    assert row["only_large_right"] == rows["large"]
    assert row["only_small_right"] == rows["small"]


def test_folds_are_pooled_and_seeds_are_not() -> None:
    items = [
        one
        for seed in (1, 2)
        for fold in ("0", "1")
        for one in both(seed=seed, fold=fold, images=[f"{name}{fold}" for name in "abcd"])
    ]
    found = compared(items)
    assert found["seed"].to_list() == [1, 2]
    assert found["n"].to_list() == [8, 8]
    assert found["fold"].to_list() == ["pooled", "pooled"]


def test_eyes_of_a_patient_count_as_one() -> None:
    patients = ["1", "1", "2", "2"]
    wrong = evidence([0.9, 0.1, 0.1, 0.9], 96, patients=patients)
    right = evidence([0.1, 0.9, 0.9, 0.1], 192, patients=patients)
    row = compared([wrong, right]).iloc[0]
    assert row["patients"] == 2
    assert row["mcnemar_p"] == pytest.approx(2 / 2**4)
    assert row["clustered_mcnemar_p"] == pytest.approx(2 / 2**2)


def test_p_values_are_corrected_for_the_number_of_rows() -> None:
    rows = compared([*both(), *both(network="densenet169"), *both(network="inception_v3")])
    expected = (3 * rows["mcnemar_p"]).clip(upper=1)
    assert rows["mcnemar_p_holm"].to_list() == expected.to_list()
    assert (rows["clustered_mcnemar_p_holm"] >= rows["clustered_mcnemar_p"]).all()


def test_a_run_that_diverged_leaves_a_row_that_says_so() -> None:
    items = [evidence(SMALL, 96), evidence(LARGE, 192, outcome="diverged")]
    found = compared([*items, *both(network="densenet169")])
    row, other = found.iloc[0], found.iloc[1]
    assert (row["outcome"], row["reason"], row["n"]) == ("diverged", "a run diverged", 0)
    assert row[["both_right", "accuracy_small", "mcnemar_p", "mcnemar_p_holm"]].isna().all()
    assert other["mcnemar_p_holm"] == other["mcnemar_p"]  # alone in its family


def test_a_test_that_is_undefined_says_why() -> None:
    row = compared(both(labels=[1, 1, 1, 1])).iloc[0]
    assert "two classes" in row["reason"]
    assert pd.isna(row["mcnemar_p"])
    assert row["n"] == 4


def test_sizes_that_saw_other_photographs_are_not_compared() -> None:
    items = [evidence(SMALL, 96), evidence(LARGE, 192, images=list("abce"))]
    for make in (listed, compared):
        with pytest.raises(Explained, match="same photographs"):
            make(items)
