"""Decoding, the circle of the retina, the crop and its resizing."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.drawn import difference, disc, jpeg

from retinopathy import decoding, photographs
from retinopathy.photographs import Circle, CropBox, Floats

DATA = Path(__file__).parents[2].parent / "shared" / "data"
REAL = [
    *sorted((DATA / "eyepacs_1024" / "images").glob("*.jpeg"))[::12],
    *sorted((DATA / "kaggle_raw_sample").glob("*.jpeg")),
    *sorted((DATA / "idrid_external" / "images").glob("*.jpg"))[::6],
]


@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(0.4, 0.6),
    y=st.floats(0.4, 0.6),
    radius=st.floats(0.3, 0.48),
    scale=st.sampled_from([1.0, 4.0, 8.0]),
)
def test_the_circle_of_a_disc_is_found(x: float, y: float, radius: float, scale: float) -> None:
    width, height = 400, 270
    image = disc(width, height, x * width, y * height, radius * width)
    circle = photographs.find_retina(image, scale)
    assert circle.found
    error = np.array([circle.x, circle.y, circle.radius]) / scale
    error -= [x * width + 0.5, y * height + 0.5, radius * width]
    assert np.abs(error).max() < 3


def test_a_large_photograph_is_searched_on_a_copy() -> None:
    circle = photographs.find_retina(disc(1600, 1200, 800, 600, 550))
    assert (circle.x, circle.y, circle.radius) == pytest.approx((800, 600, 550), abs=8)


def test_marks_in_the_border_do_not_move_the_circle() -> None:
    image = disc(400, 300, 200, 150, 120)
    image[5:25, 5:60] = 255
    circle = photographs.find_retina(image)
    assert (circle.x, circle.y, circle.radius) == pytest.approx((200, 150, 120), abs=3)


@pytest.mark.parametrize("level", [0, 120, 255])
def test_without_a_retina_the_circle_holds_the_photograph(level: int) -> None:
    circle = photographs.find_retina(np.full((200, 300, 3), level, np.uint8), 4.0)
    assert circle == Circle(600, 400, 600, found=False)
    assert photographs.crop_box(circle) == CropBox(0, -200, 1200)


@given(
    st.floats(-2000, 6000), st.floats(-2000, 6000), st.floats(1, 4000), st.sampled_from([2, 4, 8])
)
def test_the_box_holds_the_circle_tightly(x: float, y: float, radius: float, grid: int) -> None:
    box = photographs.crop_box(Circle(x, y, radius, found=True))
    for start, centre in ((box.left, x), (box.top, y)):
        assert start <= centre - radius + 1e-6
        assert start + box.side >= centre + radius - 1e-6
    assert box.side <= 2 * radius * 1.02 + 2
    if box.side > 101 * grid:
        assert box.left % grid == box.top % grid == box.side % grid == 0


def test_prepare_pads_with_black_and_keeps_colours() -> None:
    image = np.full((40, 80, 3), (200, 100, 50), np.uint8)
    prepared = photographs.prepare(decoding.encode_png(image), CropBox(0, -20, 80), 40, "none")
    assert prepared.shape == (40, 40, 3)
    assert not prepared[:9].any() and not prepared[-9:].any()
    assert np.array_equal(prepared[11:29], np.full((18, 40, 3), (200, 100, 50)))


@pytest.mark.parametrize("box", [CropBox(500, 500, 60), CropBox(-90, -90, 60)])
def test_a_box_beside_the_photograph_is_black(box: CropBox) -> None:
    data = decoding.encode_png(np.full((40, 80, 3), 200, np.uint8))
    assert not photographs.prepare(data, box, 30, "none").any()


def test_prepare_is_the_same_at_every_reduction() -> None:
    image = cv2.GaussianBlur(disc(1600, 1200, 800, 600, 560), (0, 0), 3)
    box = CropBox(240, 40, 1120)
    reduced = photographs.prepare(jpeg(np.asarray(image, np.uint8)), box, 140, "none")
    full = photographs.prepare(decoding.encode_png(np.asarray(image, np.uint8)), box, 140, "none")
    assert difference(reduced, full) < 1.5


def test_local_average_is_subtracted_and_the_rim_is_grey() -> None:
    flat = np.full((120, 120, 3), (180, 90, 40), np.uint8)
    assert np.all(photographs.subtract_local_average(flat) == 128)
    flat[60, 60] = 255
    assert photographs.subtract_local_average(flat)[60, 60].min() == 255


def test_unknown_contrast_is_refused() -> None:
    with pytest.raises(KeyError):
        photographs.prepare(b"", CropBox(0, 0, 8), 8, "unknown")


@pytest.mark.skipif(not REAL, reason="the real photographs are not on this machine")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_the_crop_holds_the_visible_retina(path: Path) -> None:
    """By another way than the finder's: what differs from the border, all channels together."""
    data = path.read_bytes()
    width, height = decoding.dimensions(data)
    reduction = decoding.strongest_reduction(max(width, height), 256)
    small = decoding.decode(data, reduction)
    box = photographs.crop_box(photographs.find_retina(small, reduction))
    light: Floats = cv2.GaussianBlur(small, (0, 0), 1).astype(np.float64).sum(axis=2)
    bright = light > np.median(light[:3, [0, 1, 2, -3, -2, -1]]) + 24
    kept = np.zeros_like(bright)
    top, left = max(0, box.top // reduction), max(0, box.left // reduction)
    kept[top : (box.top + box.side) // reduction, left : (box.left + box.side) // reduction] = True
    assert (bright & ~kept).sum() <= 0.01 * bright.sum()
