import pytest
from tests.measured import FROZEN, NAN, metric, metrics, pair, pairs

from retinopathy import standings


def test_sizes_of_one_network_are_compared_whatever_their_order() -> None:
    table = standings.sizes(
        pairs(
            pair("xception 96", "xception 192", -0.1, initialisation_b="random, all"),
            pair("xception 96", "densenet169 192", 0.4),
            pair("densenet169 448", "densenet169 96", 0.05),
            pair("xception 96", "xception 192", 0.9, study="depth"),
        )
    ).set_index("network")
    assert list(table.index) == ["xception", "densenet169"]
    assert list(table["initialisation"]) == ["random, all", "imagenet"]  # of the large one
    assert table[["size_small", "size_large"]].to_numpy().tolist() == [[96, 192], [96, 448]]
    rising, other = table.loc["xception"], table.loc["densenet169"]
    assert (rising["auc_small"], rising["auc_large"]) == pytest.approx((0.7, 0.8))
    assert tuple(rising[["auc_gain", "auc_gain_low", "auc_gain_high"]]) == pytest.approx(
        (0.1, -0.1, 0.2)
    )
    assert (rising["only_small_right"], rising["only_large_right"]) == (3, 7)
    assert (other["accuracy_small"], other["accuracy_large"]) == pytest.approx((0.65, 0.7))
    assert tuple(other[["auc_gain", "auc_gain_low", "auc_gain_high"]]) == pytest.approx(
        (0.05, -0.05, 0.25)
    )
    assert (other["only_small_right"], other["only_large_right"]) == (7, 3)


def test_nothing_to_compare_is_an_empty_table() -> None:
    assert standings.sizes(pairs()).empty


def test_a_difference_is_turned_to_the_model_that_is_asked_for() -> None:
    known = pairs(pair("a", "b", 0.3), pair("a", "c", NAN))
    names = ["auc_difference", "auc_difference_low", "auc_difference_high"]
    for first, second, expected in (("a", "b", (0.3, 0.2, 0.5)), ("b", "a", (-0.3, -0.5, -0.2))):
        found = standings.difference(known, "networks", "referable", first, second)
        assert found is not None
        assert tuple(found[names]) == pytest.approx(expected)
    for study, task, other in (
        ("networks", "referable", "c"),
        ("depth", "referable", "b"),
        ("networks", "extremes", "b"),
    ):
        assert standings.difference(known, study, task, "a", other) is None


def test_random_members_make_a_control() -> None:
    rows = metrics(
        metric("a", 0.7),
        metric("b", 0.7, initialisation=FROZEN),
        metric("c", 0.7, initialisation=f"imagenet; {FROZEN}"),
    )
    assert list(standings.from_imagenet(rows)["case"]) == ["a"]
    assert list(standings.controls(rows)["case"]) == ["b", "c"]


def test_the_leading_case_has_the_highest_mean_and_no_run_that_diverged() -> None:
    rows = metrics(
        metric("a", 0.9, seed=1),
        metric("a", NAN, seed=2),
        metric("b", 0.6, seed=1),
        metric("b", 0.7, seed=2),
        metric("c", 0.64, seed=1),
        metric("c", 0.64, seed=2),
    )
    assert list(standings.leading(rows)["case"]) == ["b", "b"]
    assert standings.leading(rows.head(2)).empty
    assert standings.leading(rows.head(0)).empty
    plain = rows.drop(columns="case")
    assert list(standings.leading(plain)["auc"]) == [0.9]


def test_the_champion_is_from_imagenet_where_one_finished() -> None:
    control = metric("b", 0.99, initialisation=FROZEN)
    for rows, case in (([metric("a", 0.6), control], "a"), ([metric("a", NAN), control], "b")):
        best = standings.champion(metrics(*rows))
        assert best is not None and best["case"] == case


@pytest.mark.parametrize(("auc", "overlapping"), [(0.75, True), (0.4, False), (0.99, False)])
def test_intervals_overlap_or_do_not(auc: float, overlapping: bool) -> None:
    one, other = (metrics(metric("a", value)).iloc[0] for value in (0.7, auc))
    assert standings.overlap(one, other) is overlapping
    assert standings.overlap(other, one) is overlapping
