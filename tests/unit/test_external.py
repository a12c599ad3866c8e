"""External sets: their grades, and what of them a task takes."""

import pandas as pd

from retinopathy import external
from retinopathy.sources import NO_LEVEL


def test_grades_are_translated_however_they_are_written() -> None:
    table = pd.DataFrame(
        {"file": list("abcdefg"), "grade": ["R0", "2", "2.0", " 3 ", "6", "", "nan"]}
    )
    translated = external.translate(table, ("file", "grade"), {"R0": 0, "2": 2, "3.0": 4})
    assert translated["image"].tolist() == list("abcdefg")
    levels = translated["level"].tolist()
    assert levels[:5] == [0, 2, 2, 4, NO_LEVEL]
    assert pd.isna(levels[5])
    assert levels[6] == NO_LEVEL


def test_a_task_takes_what_is_of_its_levels_and_unknown_to_the_study() -> None:
    usable = pd.DataFrame(
        {
            "image": ["e", "d", "c", "b", "a"],
            "patient": list("vwxyz"),
            "level": pd.array([0, 1, 4, 0, 4], "Int64"),
            "status": "ok",
        }
    )
    selected = external.select(usable, ["b"], (0,), (4,))
    assert selected.to_dict("list") == {
        "image": ["a", "c", "e"],
        "patient": ["z", "x", "v"],
        "level": [4, 4, 0],
        "label": [1, 1, 0],
        "part": [0, 0, 0],
    }
