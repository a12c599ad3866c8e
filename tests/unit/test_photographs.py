"""Decoding, the circle of the retina, the crop and its resizing."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retinopathy import photographs
from retinopathy.errors import Explained
from retinopathy.photographs import Circle, CropBox, Floats, Pixels

DATA = Path(__file__).parents[2].parent / "shared" / "data"
REAL = [
    *sorted((DATA / "eyepacs_1024" / "images").glob("*.jpeg"))[::12],
    *sorted((DATA / "kaggle_raw_sample").glob("*.jpeg")),
    *sorted((DATA / "idrid_external" / "images").glob("*.jpg"))[::6],
]


def disc(width: int, height: int, x: float, y: float, radius: float) -> Pixels:
    """Draw a reddish disc, darker at its rim, on a nearly black background with noise."""
    noise = np.random.default_rng(7).integers(0, 5, (height, width, 3))
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot(columns - x, rows - y) / radius
    light = np.where(distance <= 1, 1 - 0.6 * distance**2, 0)[..., None]
    return np.asarray(light * np.array([200, 110, 60]) + noise, np.uint8)


def jpeg(image: Pixels, *settings: int) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)[1].tobytes()


def turned(data: bytes, orientation: int) -> bytes:
    """Insert an EXIF segment that asks for `orientation`."""
    tags = b"Exif\0\0MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(tags) + 2) + tags + data[2:]


def difference(first: Pixels, second: Pixels) -> float:
    return float(np.abs(first.astype(float) - second).mean())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("reduction", [2, 4, 8])
def test_reduced_decoding_shows_what_full_decoding_shows(orientation: int, reduction: int) -> None:
    data = turned(jpeg(disc(640, 400, 150, 120, 110)), orientation)
    full = photographs.decode(data)
    reduced = photographs.decode(data, reduction)
    height, width = full.shape[:2]
    assert photographs.dimensions(data) == (width, height)
    assert (width, height) == ((400, 640) if orientation >= 5 else (640, 400))
    expected = cv2.resize(full, (width // reduction, height // reduction), interpolation=3)
    assert reduced.shape == expected.shape
    assert difference(reduced, np.asarray(expected, np.uint8)) < 3


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_other_formats_and_depths_become_8_bit_rgb(ending: str, depth: type[np.uint16]) -> None:
    image = disc(90, 61, 40, 30, 25)
    stored = cv2.cvtColor(image, cv2.COLOR_RGB2BGR).astype(depth) * (np.iinfo(depth).max // 255)
    data = cv2.imencode(ending, stored)[1].tobytes()
    assert photographs.dimensions(data) == (90, 61)
    assert np.abs(photographs.decode(data).astype(int) - image).max() <= 1
    assert photographs.decode(data, 4).shape == (16, 23, 3)


def test_grey_and_alpha_become_rgb() -> None:
    image = disc(90, 61, 40, 30, 25)
    alpha = np.dstack([image[..., ::-1], np.zeros((61, 90), np.uint8)])
    assert np.array_equal(photographs.decode(cv2.imencode(".png", alpha)[1].tobytes()), image)
    grey = photographs.decode(cv2.imencode(".jpg", image[..., 0])[1].tobytes(), 2)
    assert grey.shape == (31, 45, 3)
    assert np.ptp(grey.astype(int), axis=2).max() == 0


def test_progressive_jpeg_is_decoded_reduced() -> None:
    image = disc(640, 400, 150, 120, 110)
    plain = photographs.decode(jpeg(image), 8)
    progressive = photographs.decode(jpeg(image, cv2.IMWRITE_JPEG_PROGRESSIVE, 1), 8)
    assert difference(plain, progressive) < 1


def test_png_keeps_every_pixel() -> None:
    image = disc(64, 64, 30, 30, 25)
    assert np.array_equal(photographs.decode(photographs.encode_png(image)), image)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.999])
@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif"])
def test_cut_files_are_unreadable(ending: str, share: float) -> None:
    data = cv2.imencode(ending, disc(200, 200, 100, 100, 90))[1].tobytes()
    with pytest.raises(Explained, match="unreadable"):
        photographs.decode(data[: int(share * len(data))])


def test_the_end_of_a_thumbnail_is_not_the_end_of_the_photograph() -> None:
    data = jpeg(disc(200, 200, 100, 100, 90))
    comment = b"\xff\xfe\x00\x06" + b"\xff\xd9" * 2
    with pytest.raises(Explained):
        photographs.decode(data[:2] + comment + data[2:-2])


def test_bytes_after_the_end_do_no_harm() -> None:
    data = jpeg(disc(200, 200, 100, 100, 90))
    assert np.array_equal(photographs.decode(data + bytes(1000)), photographs.decode(data))


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from([b"", b"\xff\xd8", b"\xff\xd8\xff\xe1", b"\x89PNG"])
)
def test_any_bytes_are_explained(tail: bytes, head: bytes) -> None:
    for read in (photographs.decode, photographs.dimensions):
        with pytest.raises(Explained, match="unreadable"):
            read(head + tail)


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


@pytest.mark.parametrize(("side", "size", "reduction"), [(2400, 224, 8), (2400, 448, 4)])
def test_the_decoder_leaves_at_least_the_size(side: int, size: int, reduction: int) -> None:
    assert photographs.strongest_reduction(side, size) == reduction
    assert photographs.strongest_reduction(100, size) == 1


def test_prepare_pads_with_black_and_keeps_colours() -> None:
    image = np.full((40, 80, 3), (200, 100, 50), np.uint8)
    prepared = photographs.prepare(photographs.encode_png(image), CropBox(0, -20, 80), 40, "none")
    assert prepared.shape == (40, 40, 3)
    assert not prepared[:9].any() and not prepared[-9:].any()
    assert np.array_equal(prepared[11:29], np.full((18, 40, 3), (200, 100, 50)))


@pytest.mark.parametrize("box", [CropBox(500, 500, 60), CropBox(-90, -90, 60)])
def test_a_box_beside_the_photograph_is_black(box: CropBox) -> None:
    data = photographs.encode_png(np.full((40, 80, 3), 200, np.uint8))
    assert not photographs.prepare(data, box, 30, "none").any()


def test_prepare_is_the_same_at_every_reduction() -> None:
    image = cv2.GaussianBlur(disc(1600, 1200, 800, 600, 560), (0, 0), 3)
    box = CropBox(240, 40, 1120)
    reduced = photographs.prepare(jpeg(np.asarray(image, np.uint8)), box, 140, "none")
    full = photographs.prepare(
        photographs.encode_png(np.asarray(image, np.uint8)), box, 140, "none"
    )
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
    width, height = photographs.dimensions(data)
    reduction = photographs.strongest_reduction(max(width, height), 256)
    small = photographs.decode(data, reduction)
    box = photographs.crop_box(photographs.find_retina(small, reduction))
    light: Floats = cv2.GaussianBlur(small, (0, 0), 1).astype(np.float64).sum(axis=2)
    bright = light > np.median(light[:3, [0, 1, 2, -3, -2, -1]]) + 24
    kept = np.zeros_like(bright)
    top, left = max(0, box.top // reduction), max(0, box.left // reduction)
    kept[top : (box.top + box.side) // reduction, left : (box.left + box.side) // reduction] = True
    assert (bright & ~kept).sum() <= 0.01 * bright.sum()
