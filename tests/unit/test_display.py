import numpy as np
import pandas as pd
import pytest

from retinopathy import display, lesion_types, methods


def test_markdown_leaves_out_what_does_not_apply() -> None:
    table = pd.DataFrame({"n": [80.0, 100.0], "auc": [0.71234, np.nan], "none": [None, None]})
    text = display.markdown(table)
    assert "0.712" in text and "none" not in text and "nan" not in text
    assert "AUC" in text
    assert "| 80" in text.replace("|   80", "| 80")


def test_bounds_are_shown_beside_their_value() -> None:
    table = pd.DataFrame(
        {
            "n": [10, 20, 30],
            "auc": [0.81234, 0.5, None],
            "auc_low": [0.7, None, None],
            "auc_high": [0.9, None, None],
            "rate_low": [1, 2, 3],
        }
    )
    shown = display.folded(table)
    assert list(shown.columns) == ["n", "auc", "rate_low"]
    assert shown["auc"].tolist()[:2] == ["0.812 (0.700 to 0.900)", "0.500 (no interval)"]
    assert pd.isna(shown["auc"][2])
    assert "0.812 (0.700 to 0.900)" in display.markdown(table)


def test_an_interval_without_width_is_no_certainty() -> None:
    table = pd.DataFrame({"auc": [1.0, 0.01, 1.0], "auc_low": [1, 0, 0.9], "auc_high": [1, 0, 1.0]})
    shown = display.folded(table)
    assert shown["auc"].tolist() == [
        "1.000 (no width)",
        "0.010 (0.000 to 0.000)",  # a pivotal interval beside its value
        "1.000 (0.900 to 1.000)",
    ]
    assert display.remarks(shown) == [display.REMARKS[display.NO_WIDTH]]
    assert display.remarks(shown.iloc[1:]) == []
    lonely = display.folded(table.assign(auc_low=np.nan, auc_high=np.nan))
    assert display.remarks(lonely) == [display.REMARKS[display.NO_INTERVAL]]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("auc", "AUC"),
        ("n", "n"),
        ("trainable_parameters", "trainable parameters"),
        ("megabytes", "weights, MB"),
        ("multiply_adds_224", "multiply-adds at 224 px, 10⁹"),
        ("ppv", "positive predictive value"),
        ("npv_at_0.05", "negative predictive value at prevalence 0.05"),
        ("ece", "expected calibration error"),
        ("best_epoch", "best epoch"),
        ("auc_sd", "AUC sd"),
        ("clustered_mcnemar_p_holm", "clustered McNemar p (Holm)"),
        ("_sd", "sd"),
        ("total_seconds", "all jobs, seconds"),
        ("longest_seconds", "longest job, seconds"),
        ("memory_mb", "most memory of a job, MB"),
    ],
)
def test_columns_have_names_for_people(name: str, title: str) -> None:
    assert display.title(name) == title


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.48, "0.48"),
        (98.654, "98.7"),
        (999.96, "1000"),
        (2272.9, "2273"),
        (-12345.6, "−12346"),
        (7.0, "7"),
        (0.0, "0"),
        (float("nan"), ""),
        (None, ""),
        (40000, "40000"),
        ("head", "head"),
    ],
)
def test_cells_have_three_digits_or_all_before_the_point(value: object, shown: str) -> None:
    assert display.cell(value) == shown


def test_no_two_columns_share_a_name() -> None:
    names = [*display.NAMES, "auc", "accuracy", "depth", "n", "multiply_adds_96", "learning"]
    assert len({display.title(name) for name in names}) == len(names)


def test_cells_have_names_for_people_and_keep_what_is_none() -> None:
    assert [display.called(cell) for cell in ("svm", "xception", None, 3)] == [
        "support vector machine",
        "xception",
        None,
        3,
    ]


def test_scores_near_nothing_keep_digits_that_say_something() -> None:
    table = pd.DataFrame(
        {
            "energy": [0.00061, 0.0, 0.5],
            "energy_low": [0.0002, 0.0, 0.4],
            "energy_high": [0.012, 0.0, 0.6],
        }
    )
    assert display.folded(table)["energy"].to_list() == [
        "0.00061 (0.00020 to 0.01200)",
        f"0.000 {display.NO_WIDTH}",
        "0.500 (0.400 to 0.600)",
    ]


def test_no_name_is_of_two_things() -> None:
    """A map, an order of deletion and a control of localisation stand in the same cells."""
    rooms = (methods.TITLES, methods.ORDERS, lesion_types.CONTROLS)
    assert sum(map(len, rooms)) == len({name for room in rooms for name in room})
    assert all(display.called(name) == title for room in rooms for name, title in room.items())


def test_bounds_at_zero_have_no_sign() -> None:
    table = pd.DataFrame({"auc": [-0.25], "auc_low": [-0.5], "auc_high": [-0.0]})
    assert display.folded(table)["auc"].item() == "−0.250 (−0.500 to 0.000)"
    assert display.cell(-0.0) == "0"
