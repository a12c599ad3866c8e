"""The one definition of where a photograph shows the retina, and those who use it."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from retinopathy import fields, lesions, saliency
from retinopathy.photographs import CropBox

SIDE = 96
MIDDLE = np.hypot(*np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2)


def photograph(radius: float = 40) -> NDArray[np.uint8]:
    """Return a reddish disc in front of black that is noisy, as that of cameras is."""
    noise = np.random.default_rng(0).integers(0, fields.BLACK, (SIDE, SIDE, 3))
    disc = (radius > MIDDLE)[..., None]
    return np.where(disc, [150, 60, 20], noise).astype(np.uint8)


def test_the_black_at_the_edge_is_no_retina_and_a_bleeding_is() -> None:
    pixels = photograph()
    pixels[40:50, 40:50] = 0
    assert np.array_equal(fields.retina(pixels), MIDDLE < 40)
    assert np.array_equal(fields.retina(pixels.astype(np.float32)), MIDDLE < 40)


def test_black_is_black_in_every_colour() -> None:
    pixels = np.zeros((9, 9, 3), np.uint8)
    pixels[2, 2] = fields.BLACK - 1
    pixels[4, 4, 0] = pixels[6, 6, 2] = fields.BLACK
    assert [tuple(place) for place in np.argwhere(fields.retina(pixels))] == [(4, 4), (6, 6)]


def test_what_is_black_reaches_the_edge_across_corners() -> None:
    pixels = np.full((5, 5, 3), 90, np.uint8)
    pixels[0, 0] = pixels[1, 1] = pixels[3, 2] = 0
    outside = ~fields.retina(pixels)
    assert [tuple(place) for place in np.argwhere(outside)] == [(0, 0), (1, 1)]


def test_what_lies_beyond_is_no_retina_and_opens_what_is_dark() -> None:
    pixels = np.full((9, 9, 3), 90, np.uint8)
    pixels[4, 3:6] = 0
    assert fields.retina(pixels).all()
    beyond = np.zeros((9, 9), bool)
    beyond[:, 6:] = True
    expected = ~beyond
    expected[4, 3:6] = False
    assert np.array_equal(fields.retina(pixels, beyond), expected)


@pytest.mark.parametrize(("value", "all_of_it"), [(0, False), (90, True)])
def test_a_photograph_of_one_colour_is_all_or_nothing(value: int, all_of_it: bool) -> None:
    found = fields.retina(np.full((6, 6, 3), value, np.uint8))
    assert found.dtype == np.bool_
    assert (found == all_of_it).all()


def test_maps_blurs_and_lesions_have_the_same_retina() -> None:
    pixels = photograph()
    inside = fields.shrunk(pixels, SIDE)
    assert np.array_equal(inside, fields.retina(pixels))
    changed = (saliency.blurred(pixels[None])[0] != pixels).any(axis=-1)
    assert not changed[~inside].any()
    large = cv2.resize(pixels, (lesions.GRID, lesions.GRID), interpolation=cv2.INTER_NEAREST)
    box, shape = CropBox(0, 0, SIDE), (SIDE, SIDE)
    grid = lesions.retina(np.asarray(large, np.uint8), box, shape, circular=False)
    assert np.array_equal(grid, fields.retina(large))


def test_every_pixel_of_the_retina_can_be_deleted() -> None:
    """A rim that is the same in the blurred copy would make all curves flatter."""
    generator = np.random.default_rng(1)
    pixels = photograph()
    disc = MIDDLE < 40
    pixels[disc] = generator.integers(30, 200, (int(disc.sum()), 3))
    inside = fields.shrunk(pixels, SIDE)
    changed = (np.abs(saliency.blurred(pixels[None])[0] - pixels) > 1e-3).any(axis=-1)
    assert np.array_equal(changed, inside)
