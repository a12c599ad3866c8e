import pytest

from retinopathy import story


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "none was rejected"),
        (1, "1 other image was rejected or has no file, with the reason"),
        (7, "7 other images were rejected or have no file, with the reason"),
    ],
)
def test_rejects_are_a_sentence_whatever_their_number(number: int, said: str) -> None:
    assert story.rejected(number) == said
