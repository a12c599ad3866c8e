import pandas as pd
import pytest

from retinopathy import showcase
from retinopathy.runs import INITIALISATIONS, Run


def predictions(rows: list[tuple[str, int, float]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["image", "label", "probability"])


TABLE = predictions(
    [
        ("a", 1, 0.99),
        ("b", 0, 0.01),
        ("c", 1, 0.05),
        ("d", 0, 0.90),
        ("e", 1, 0.51),
        ("f", 0, 0.40),
        ("g", 1, 0.70),
    ]
)


def test_each_kind_takes_its_turn_and_labels_alternate() -> None:
    chosen = showcase.choose(TABLE, 0.5, 6)
    by_kind = chosen.groupby("kind")["image"].apply(list).to_dict()
    assert by_kind == {
        "right, farthest from the threshold": ["a", "b"],
        "wrong, farthest from the threshold": ["c", "d"],
        "nearest the threshold": ["e", "f"],
    }


@pytest.mark.parametrize("count", [1, 3, 5, 7, 50])
def test_no_photograph_is_shown_twice_and_none_is_invented(count: int) -> None:
    chosen = showcase.choose(TABLE, 0.5, count)
    assert len(chosen) == min(count, len(TABLE))
    assert chosen["image"].is_unique


def test_a_perfect_network_shows_no_mistakes() -> None:
    chosen = showcase.choose(predictions([("a", 1, 0.9), ("b", 0, 0.2)]), 0.5, 6)
    assert not chosen["kind"].str.startswith("wrong").any()


def test_nothing_predicted_shows_nothing() -> None:
    assert showcase.choose(TABLE.head(0), 0.5, 6).empty


def test_listed_photographs_come_last_and_once() -> None:
    chosen = showcase.choose(TABLE, 0.5, 3, ["g", "a", "nobody"])
    assert list(chosen["image"]) == ["a", "c", "e", "g"]
    assert list(chosen["kind"])[-1] == showcase.LISTED
    assert showcase.KINDS[0] == chosen.set_index("image")["kind"]["a"]


def test_listed_photographs_that_are_not_there_are_told() -> None:
    assert showcase.absent(TABLE, ["g", "nobody", "a", "7"]).endswith("photographs: nobody, 7.")
    assert showcase.absent(TABLE, ["g"]) == showcase.absent(TABLE, []) == ""


@pytest.mark.parametrize(
    ("label", "probability", "said"),
    [
        (1, 0.9, "called diseased: right\nprobability 0.90 ≥ 0.50"),
        (0, 0.9, "called diseased: wrong\nprobability 0.90 ≥ 0.50"),
        (0, 0.12, "called healthy: right\nprobability 0.12 < 0.50"),
        (1, 0.4996, "called healthy: wrong\nprobability 0.4996 < 0.5000"),
        (1, 0.5, "called diseased: right\nprobability 0.50 ≥ 0.50"),
    ],
)
def test_decisions_are_told_with_their_threshold(label: int, probability: float, said: str) -> None:
    assert showcase.verdict({"label": label, "probability": probability}, 0.5) == said


def test_networks_that_did_not_start_from_imagenet_are_controls() -> None:
    runs = [
        Run.parse(
            f"referable/xception/{size}/imagenet/block14/rate=0.001_l2=0.001_dropout=0.5"
            "/fold=holdout_seed=1"
        )
        for size in (96, 192)
    ]
    told = showcase.heading(runs, INITIALISATIONS["imagenet"])
    assert told == "Xception at 96 and 192 px, referable, seed 1, ImageNet weights"
    for name in ("random_frozen", "random_all"):
        assert "random weights: a control" in showcase.heading(runs[:1], INITIALISATIONS[name])
