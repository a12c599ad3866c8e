import pandas as pd

from retinopathy import flips
from retinopathy.runs import Run

RUN = Run("referable", "xception", 96, "imagenet", "head", 0.001, 0.0, 0.5, "holdout", 1)


def decided(probabilities: list[float]) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "image": list("abcd"),
            "level": [0, 4, 4, 0],
            "label": [0, 1, 1, 0],
            "probability": probabilities,
        }
    )
    return flips.decide(table, 0.5)


def test_only_photographs_that_change_sides_are_listed_with_their_gain() -> None:
    found = flips.compare(RUN, decided([0.9, 0.2, 0.9, 0.1]), decided([0.2, 0.8, 0.7, 0.6]))
    assert found["image"].to_list() == ["a", "b", "d"]
    assert found["right_at"].to_list() == ["large", "large", "small"]
    assert found["gain"].round(6).to_list() == [0.7, 0.6, -0.5]


def test_the_clearest_flip_is_one_that_the_large_size_got_right() -> None:
    found = flips.compare(RUN, decided([0.9, 0.2, 0.9, 0.1]), decided([0.2, 0.8, 0.7, 0.6]))
    assert flips.clearest(found, "referable", "xception", 1) == "a"
    assert flips.clearest(found, "referable", "densenet169", 1) is None
    assert flips.clearest(found[found["right_at"] == "small"], "referable", "xception", 1) is None


def test_a_threshold_is_met_from_itself_upward() -> None:
    assert decided([0.5, 0.5, 0.4, 0.4])["correct"].to_list() == [False, True, False, True]
