from pathlib import Path

import cv2
import numpy as np
import pytest

from retinopathy import sheets


def picture(path: Path) -> cv2.typing.MatLike:
    found = cv2.imread(str(path))
    assert found is not None
    return found


def size(path: Path) -> tuple[int, ...]:
    return tuple(picture(path).shape[:2])


@pytest.mark.parametrize("number", [1, 7])
def test_rows_are_drawn_with_all_that_is_said_of_them(tmp_path: Path, number: int) -> None:
    grey = np.full((40, 40), 200, np.uint8)
    rows = [sheets.Row(f"row {place}", [grey, np.dstack([grey] * 3)]) for place in range(number)]
    sheets.draw(rows, ["one", "two"], tmp_path / "plain.png")
    sheets.draw(
        rows, ["one", "two"], tmp_path / "full.png", heat="share", title="above", note="below"
    )
    plain, full = size(tmp_path / "plain.png"), size(tmp_path / "full.png")
    assert full[0] > plain[0]
    assert full[1] > plain[1]
    assert plain[0] > number * 200


def test_a_row_has_as_many_images_as_there_are_columns(tmp_path: Path) -> None:
    row = sheets.Row("row", [np.zeros((4, 4), np.uint8)])
    with pytest.raises(ValueError, match="zip"):
        sheets.draw([row], ["one", "two"], tmp_path / "sheet.png")
    assert not list(tmp_path.iterdir())


def test_a_sheet_without_rows_says_why(tmp_path: Path) -> None:
    sheets.say("There is nothing to show.", tmp_path / "sheet.png")
    assert picture(tmp_path / "sheet.png").min() < 100
