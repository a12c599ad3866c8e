import numpy as np
import pytest
from numpy.typing import NDArray

from retinopathy import map_pictures
from retinopathy.methods import METHODS


def heat(side: int) -> NDArray[np.float32]:
    """A map with its peak in the upper left corner, and what speaks against the class elsewhere."""
    found = np.full((side, side), -1, np.float32)
    found[:2, :2] = 3
    return found


@pytest.mark.parametrize("method", list(METHODS))
def test_maps_are_drawn_from_nothing_to_their_largest_value(method: str) -> None:
    found = map_pictures.scaled(heat(16), method)
    assert (found.min(), found.max()) == (0, 1)
    assert (found[2:] == 0).all()
    assert (map_pictures.scaled(-np.abs(heat(16)), method) == 0).all()


def test_strongest_pixels_do_not_outshine_a_map_of_pixels() -> None:
    found = np.ones((100, 100), np.float32)
    found[0, :5] = 1000
    assert map_pictures.scaled(found, "guided_grad_cam")[50, 50] == 1
    assert map_pictures.scaled(found, "cam")[50, 50] < 0.01


def test_a_sheet_has_a_title_for_each_picture() -> None:
    picture = np.full((64, 64, 3), 90, np.uint8)
    own = {"cam": heat(4), "guided_grad_cam": heat(64), "grad_cam": heat(4)}
    pictures = map_pictures.panels(picture, own)
    assert map_pictures.columns(own) == [
        "photograph",
        "CAM, 4 × 4 cells",
        "Guided Grad-CAM",
        "Guided Grad-CAM alone",
    ]
    assert [one.shape for one in pictures] == [(64, 64, 3)] * 4
    assert {one.dtype.name for one in pictures} == {"uint8"}
    assert (picture == 90).all()


def test_a_line_is_drawn_around_half_of_the_largest_value() -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    found = np.zeros((8, 8), np.float32)
    found[2:6, 2:6] = 1
    white = (map_pictures.lined(picture, found, "cam") == 255).all(axis=-1)
    rows, columns = np.nonzero(white)
    assert 14 <= rows.min() <= 18
    assert 46 <= columns.max() <= 50
    assert not white[24:40, 24:40].any()
    assert not (map_pictures.over(picture, found, "cam") == 255).all(axis=-1).any()


def test_the_line_tells_which_side_of_it_is_meant() -> None:
    """It runs along the border where what it is around reaches that."""
    found = np.ones((8, 8), np.float32)
    found[:3, :3] = 0
    white = (map_pictures.lined(np.zeros((64, 64, 3), np.uint8), found, "cam") == 255).all(axis=-1)
    assert white[32, -8:].any() and white[-8:, 32].any()
    assert not white[:12, :12].any()
    hole = np.ones((8, 8), np.float32)
    hole[3:5, 3:5] = 0
    white = (map_pictures.lined(np.zeros((64, 64, 3), np.uint8), hole, "cam") == 255).all(axis=-1)
    assert white[20:44, 20:44].any()


def test_a_map_without_evidence_is_told() -> None:
    assert "no place" in map_pictures.remark(-np.ones((3, 3), np.float32))
    assert map_pictures.remark(heat(3)) == ""
