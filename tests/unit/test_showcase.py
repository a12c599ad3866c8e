import pandas as pd
import pytest

from retinopathy import showcase


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
        "confident and right": ["a", "b"],
        "confident and wrong": ["c", "d"],
        "near the threshold": ["e", "f"],
    }


@pytest.mark.parametrize("count", [1, 3, 5, 7, 50])
def test_no_photograph_is_shown_twice_and_none_is_invented(count: int) -> None:
    chosen = showcase.choose(TABLE, 0.5, count)
    assert len(chosen) == min(count, len(TABLE))
    assert chosen["image"].is_unique


def test_a_perfect_network_shows_no_mistakes() -> None:
    chosen = showcase.choose(predictions([("a", 1, 0.9), ("b", 0, 0.2)]), 0.5, 6)
    assert "confident and wrong" not in set(chosen["kind"])


def test_nothing_predicted_shows_nothing() -> None:
    assert showcase.choose(TABLE.head(0), 0.5, 6).empty
