"""What the fellow eye gives away."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.labelled import EXTREMES, REFERABLE, official

from retinopathy import fellow


def eyes(levels: dict[str, tuple[int, int]]) -> pd.DataFrame:
    """Return usable photographs of patients with the levels of a left and a right eye."""
    rows = [
        (f"{patient}_{eye}", patient, eye, level)
        for patient, both in levels.items()
        for eye, level in zip(("left", "right"), both, strict=True)
    ]
    return pd.DataFrame(rows, columns=["image", "patient", "eye", "level"])


def test_photographs_without_a_fellow_do_not_count() -> None:
    table = eyes({"1": (0, 2), "2": (3, 3), "3": (1, 1)})
    table = table[table["image"] != "3_right"]
    alone = pd.DataFrame({"image": ["x"], "patient": ["x"], "eye": [""], "level": [4]})
    twice = table.iloc[:1].assign(image="1_LEFT", level=4)
    pairs = fellow.pairs(pd.concat([table, alone, twice]))
    assert dict(zip(pairs["image"], pairs["fellow_level"], strict=True)) == {
        "1_left": 2,
        "1_right": 0,
        "2_left": 3,
        "2_right": 3,
    }


def test_the_baseline_is_known_by_hand() -> None:
    row = fellow.baseline(eyes({"1": (0, 0), "2": (0, 2), "3": (3, 4)}), REFERABLE, 1, 200)
    # Positives have the fellow levels 0, 4 and 3; negatives 0, 0 and 2: of nine pairs six are won,
    # two are ties (2_right with 1_left and 1_right) and one is lost.
    assert row["auc"] == pytest.approx(7 / 9)
    assert (row["n"], row["patients"]) == (6, 3)
    assert row["accuracy"] == row["same_class"] == pytest.approx(4 / 6)
    assert row["same_level"] == pytest.approx(2 / 6)


def test_a_fellow_outside_the_task_is_in_no_class_of_it() -> None:
    row = fellow.baseline(eyes({"1": (0, 1), "2": (4, 4), "3": (0, 0)}), EXTREMES, 1, 200)
    assert row["n"] == 5
    assert row["accuracy"] == 1.0
    assert row["same_class"] == row["same_level"] == pytest.approx(4 / 5)


@pytest.mark.parametrize("levels", [{}, {"1": (0, 0), "2": (0, 1)}, {"1": (0, 4)}])
def test_where_a_class_is_absent_there_are_counts_only(levels: dict[str, tuple[int, int]]) -> None:
    row = fellow.baseline(eyes(levels), REFERABLE, 1, 200)
    assert row["n"] == 2 * len(levels)
    assert "auc" not in row


def test_the_official_labels_leak_what_is_known(real_photographs: Path) -> None:
    row = fellow.baseline(official(real_photographs), REFERABLE, 1, 200)
    assert row["n"] == 35_126
    assert row["auc"] == pytest.approx(0.930, abs=0.002)
    assert float(row["auc_low"]) < float(row["auc"]) < float(row["auc_high"])
    assert float(row["auc_high"]) - float(row["auc_low"]) < 0.02
    assert row["same_level"] == pytest.approx(0.872, abs=0.001)
    assert row["same_class"] == row["accuracy"] == pytest.approx(0.940, abs=0.001)


def test_unrelated_eyes_give_nothing_away() -> None:
    rng = np.random.default_rng(1)
    levels = {str(n): (int(a), int(b)) for n, (a, b) in enumerate(rng.integers(0, 5, (600, 2)))}
    row = fellow.baseline(eyes(levels), REFERABLE, 1, 200)
    assert float(row["auc_low"]) < 0.5 < float(row["auc_high"])
