"""Decoding, the circle of the retina, the crop and its resizing."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.drawn import difference, disc, jpeg

from retinopathy import decoding, photographs
from retinopathy.decoding import Pixels
from retinopathy.photographs import Circle, CropBox, Floats

SETS = {
    "eyepacs_1024/images": 960,
    "idrid_external/images": 60,
    "idrid_lesions/images": 24,
    "kaggle_raw_sample": 10,
}
"""Folders of real photographs, and how many there are."""

NOT_FOUND = {"492_left", "492_right", "766_left"}  # two broken files and one that is black
LABELLED = {"735_left", "735_right"}  # with writing in a corner
FLARED = {
    "448_left",
    "694_right",
    "970_right",
    "1061_right",
    "679_left",
    "IDRiD_01",
    "train_IDRiD_368",
}


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


Change = Callable[[Pixels], None]


def darken(image: Pixels) -> None:
    rows, columns = np.mgrid[:300, :400]
    image[:] = (
        image * (1 - 0.7 * np.minimum(np.hypot(columns - 200, rows - 150) / 120, 1))[..., None]
    )


def write_a_label(image: Pixels) -> None:
    image[5:25, 5:60] = 255


def flare(image: Pixels) -> None:
    """Shine a ring of faint light beside the retina, as a lens does."""
    rows, columns = np.mgrid[:300, :400]
    ring = (np.hypot(columns - 250, rows - 150) < 130) & (image.max(axis=2) < 10)
    image[ring] += 12


def notch(image: Pixels) -> None:
    image[55:70, 275:290] = (90, 50, 30)


def fill_the_border(level: int) -> Change:
    def fill(image: Pixels) -> None:
        rows, columns = np.mgrid[:300, :400]
        image[np.hypot(columns - 200, rows - 150) > 120] = level

    return fill


@pytest.mark.parametrize(
    "change", [darken, write_a_label, flare, notch, *map(fill_the_border, (20, 128, 255))]
)
def test_what_surrounds_the_retina_does_not_move_its_circle(change: Change) -> None:
    image = disc(400, 300, 200, 150, 120)
    change(image)
    circle = photographs.find_retina(image)
    assert (circle.x, circle.y, circle.radius) == pytest.approx((200.5, 150.5, 121), abs=1.0)


@pytest.mark.parametrize(
    ("x", "y", "radius"),
    [
        pytest.param(200, 150, 180, id="clipped above and below"),
        pytest.param(200, 100, 140, id="clipped above"),
        pytest.param(90, 150, 130, id="clipped on the left"),
        pytest.param(290, 190, 90, id="off centre"),
        pytest.param(200, 150, 50, id="very small"),
    ],
)
@pytest.mark.parametrize("upright", [False, True])
def test_the_circle_is_found_whole(x: float, y: float, radius: float, upright: bool) -> None:
    image = disc(400, 300, x, y, radius)
    if upright:
        image, x, y = np.ascontiguousarray(image.swapaxes(0, 1)), y, x
    circle = photographs.find_retina(image)
    expected = (x + 0.5, y + 0.5, radius + 1)
    assert (circle.x, circle.y, circle.radius) == pytest.approx(expected, abs=1.0)


def test_the_optic_disc_of_a_retina_that_fills_the_photograph_is_not_its_outline() -> None:
    noise = np.random.default_rng(3).integers(0, 5, (300, 400, 3))
    image = np.asarray(noise + np.array([150, 80, 40]), np.uint8)
    cv2.circle(image, (120, 150), 30, (250, 230, 180), -1)
    assert not photographs.find_retina(image).found


@pytest.mark.parametrize("rows", [60, 90, 125, 150, 200])
def test_what_is_left_of_a_broken_retina_is_kept(rows: int) -> None:
    """A straight edge is no circle, however large."""
    image = disc(400, 300, 200, 150, 160)
    image[rows:] = 0
    box = photographs.crop_box(photographs.find_retina(image))
    seen_rows, seen_columns = np.nonzero(image.max(axis=2) > 60)
    assert box.left <= seen_columns.min() and seen_columns.max() < box.left + box.side
    assert box.top <= seen_rows.min() and seen_rows.max() < box.top + box.side
    assert box.side <= 408


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


@pytest.mark.parametrize("size", [24, 140, 300, 600, 1500])
@pytest.mark.parametrize(("x", "radius"), [(800, 560), (400, 200), (800, 720)])
def test_finding_and_preparing_is_finding_then_preparing(size: int, x: int, radius: int) -> None:
    data = jpeg(disc(1600, 1200, x, 600, radius))
    circle, prepared = photographs.find_and_prepare(data, size, "graham")
    assert (circle.x, circle.y, circle.radius) == pytest.approx((x, 600, radius), abs=14)
    again = photographs.prepare(data, photographs.crop_box(circle), size, "graham")
    assert np.array_equal(prepared, again)


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


@pytest.mark.parametrize("size", [96, 224, 448])
@pytest.mark.parametrize(("above", "below"), [(0.2, 0.2), (0.25, 0), (0, 0.1)])
@pytest.mark.parametrize("upright", [False, True])
def test_a_cut_through_the_retina_leaves_no_band(
    size: int, above: float, below: float, upright: bool
) -> None:
    image = disc(size, size, size / 2, size / 2, size / 2)
    image[: round(above * size)] = 0
    image[round((1 - below) * size) :] = 0
    if upright:
        image = np.ascontiguousarray(image.swapaxes(0, 1))
    result = photographs.subtract_local_average(image).astype(int)
    assert np.abs(result - 128).max() <= 16  # the noise, four times
    grey = np.all(result == 128, axis=2)
    assert np.all(grey[image.max(axis=2) < 10])
    # Nine tenths of the radius are left where the disc is whole, less where it is cut.
    kept = np.flatnonzero(~grey.all(axis=int(not upright)))
    start, stop = (cut + 0.05 for cut in (above, below))
    assert kept[0] == pytest.approx(start * size, abs=2)
    assert kept[-1] == pytest.approx((1 - stop) * size, abs=3)


@pytest.mark.parametrize("size", [96, 224, 448])
def test_the_local_average_of_a_whole_disc_is_the_plain_one(size: int) -> None:
    image = disc(size, size, size / 2, size / 2, size / 2)
    cv2.line(image, (size // 4, size // 3), (size // 2, 3 * size // 4), (60, 20, 10), 2)
    plain = cv2.GaussianBlur(image, (0, 0), size / 60).astype(int)
    expected = np.clip(4 * (image.astype(int) - plain) + 128, 0, 255)
    rows, columns = np.mgrid[:size, :size] - size / 2
    inside = np.hypot(columns, rows) < 0.87 * size / 2
    found = photographs.subtract_local_average(image)
    assert expected[inside].min() < 60
    assert np.abs(found - expected)[inside].max() <= 4


def test_a_retina_that_fills_the_crop_is_not_reduced_to_its_optic_disc() -> None:
    noise = np.random.default_rng(3).integers(0, 5, (224, 224, 3))
    image = np.asarray(noise + np.array([150, 80, 40]), np.uint8)
    cv2.circle(image, (60, 110), 32, (250, 230, 180), -1)
    found = photographs.subtract_local_average(image)
    assert np.mean(found[100:120, 120:200] != 128) > 0.5


def test_unknown_contrast_is_refused() -> None:
    with pytest.raises(KeyError):
        photographs.prepare(b"", CropBox(0, 0, 8), 8, "unknown")


@dataclass(frozen=True)
class Judged:
    """How good a crop is, by other ways than the finder's.

    Attributes:
        found: Whether the circle was found.
        lost: Share of what is at least a quarter as bright as the retina that the crop leaves out.
        lost_faint: The same of what is 24 of 765 levels brighter than the border, all channels
            together: flare beside the retina and writing count too.
        rim: Where light falls the most steeply along a ray from the centre, in radii of the
            circle: what nine of ten rays do not exceed. NaN where no circle was found.
    """

    found: bool
    lost: float
    lost_faint: float
    rim: float


def judge(path: Path) -> Judged:
    data = path.read_bytes()
    reduction = decoding.strongest_reduction(max(decoding.dimensions(data)), 256)
    small = decoding.decode(data, reduction)
    circle = photographs.find_retina(small, reduction)
    box = photographs.crop_box(circle)
    light: Floats = cv2.GaussianBlur(small, (0, 0), 1).astype(np.float64).sum(axis=2)
    light -= np.median(light[:3, [0, 1, 2, -3, -2, -1]])
    left_out = np.ones(light.shape, bool)
    top, left = max(0, box.top // reduction), max(0, box.left // reduction)
    left_out[top : (box.top + box.side) // reduction, left : (box.left + box.side) // reduction] = (
        False
    )
    least = max(24, float(np.percentile(light, 90)) / 4)
    lost, faint = ((left_out & (light > t)).sum() / max(1, (light > t).sum()) for t in (least, 24))
    return Judged(circle.found, lost, faint, rim(light, circle, reduction))


def rim(light: Floats, circle: Circle, reduction: int) -> float:
    if not circle.found:
        return float("nan")
    x, y, radius = (value / reduction for value in (circle.x, circle.y, circle.radius))
    angles = np.linspace(0, 2 * np.pi, 360, endpoint=False)[:, None]
    along = np.arange(0.5 * radius, 1.35 * radius, 0.5)
    columns, rows = x + along * np.cos(angles) - 0.5, y + along * np.sin(angles) - 0.5
    rays = cv2.remap(
        light.astype(np.float32),
        columns.astype(np.float32),
        rows.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=np.nan,  # the edge of the photograph is no fall
    )
    falls = np.nan_to_num(rays[:, :-8] - rays[:, 8:], nan=0)
    steepest = along[falls.argmax(axis=1) + 4][falls.max(axis=1) > 20]
    return float(np.percentile(steepest, 90) / radius)


@pytest.fixture(scope="module", params=SETS)
def judged(request: pytest.FixtureRequest, real_photographs: Path) -> dict[str, Judged]:
    """Every photograph of a set: name → how good its crop is."""
    found = {
        path.stem: judge(path)
        for path in sorted((real_photographs / request.param).iterdir())
        if path.suffix in (".jpeg", ".jpg")
    }
    assert len(found) == SETS[request.param]
    return found


def test_the_circle_of_every_real_retina_is_found(judged: dict[str, Judged]) -> None:
    assert {name for name, one in judged.items() if not one.found} == NOT_FOUND & judged.keys()


def test_every_crop_holds_the_visible_retina(judged: dict[str, Judged]) -> None:
    lost = {name: one.lost for name, one in judged.items() if one.lost > 0}
    assert lost.keys() <= LABELLED and max(lost.values(), default=0) < 0.0015
    faint = {name: one.lost_faint for name, one in judged.items() if one.lost_faint > 0.006}
    assert faint.keys() <= FLARED and max(faint.values(), default=0) < 0.05


def test_every_crop_is_tight(judged: dict[str, Judged]) -> None:
    found = {name: one.rim for name, one in judged.items() if one.found}
    assert not {name: rim for name, rim in found.items() if not 0.95 < rim < 1.005}
