from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import draw_photographs
from retinopathy.errors import Explained
from retinopathy.files import sha256
from retinopathy.synthetic import LEVELS, Photograph, draw_levels, draw_photograph, generate
from retinopathy.synthetic_camera import Camera, choose_view
from retinopathy.synthetic_eye import DISC, FOVEA, View, grow_vessels
from retinopathy.synthetic_lesions import GRADES, TYPES, lesions

PATIENTS = range(3, 9)
ONLY = [tuple(float(i == level) for i in range(5)) for level in range(5)]


def quiet(_: str) -> None:
    """Take a message of progress and do nothing."""


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def near(mask: NDArray[np.uint8], reach: int) -> NDArray[np.bool_]:
    side = 2 * reach + 1
    return np.asarray(cv2.dilate(mask, np.ones((side, side), np.uint8)) > 0)


def change(photograph: Photograph, healthy: Photograph) -> NDArray[np.int16]:
    return photograph.pixels.astype(np.int16) - healthy.pixels.astype(np.int16)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, pd.DataFrame]:
    folder = tmp_path_factory.mktemp("synthetic")
    return folder, generate(folder, PATIENTS, 11, LEVELS, quiet)


@pytest.fixture
def view() -> View:
    return choose_view(np.random.default_rng(5), Camera(900, 600, 700, False), mirrored=False)


def test_the_folder_is_laid_out_like_kaggles(drawn: tuple[Path, pd.DataFrame]) -> None:
    folder, labels = drawn
    expected = [f"{patient}_{eye}" for patient in PATIENTS for eye in ("left", "right")]
    assert labels.columns.tolist() == ["image", "level"]
    assert labels["image"].tolist() == expected
    assert labels["level"].between(0, 4).all()
    assert sorted(path.stem for path in (folder / "photographs").glob("*.jpeg")) == sorted(expected)


def test_a_second_drawing_is_the_same(drawn: tuple[Path, pd.DataFrame], tmp_path: Path) -> None:
    folder, labels = drawn
    again = generate(tmp_path, PATIENTS, 11, LEVELS, quiet)
    pd.testing.assert_frame_equal(again, labels)
    assert contents(tmp_path) == contents(folder)


def test_shards_in_any_order_make_the_whole(
    drawn: tuple[Path, pd.DataFrame], tmp_path: Path
) -> None:
    folder, labels = drawn
    shards = [generate(tmp_path, list(reversed(PATIENTS[k::2])), 11, LEVELS, quiet) for k in (1, 0)]
    together = pd.concat(shards).sort_values("image", ignore_index=True)
    pd.testing.assert_frame_equal(together, labels.sort_values("image", ignore_index=True))
    assert contents(tmp_path) == contents(folder)


@pytest.mark.parametrize(
    ("patient", "eye", "seed"), [(4, "left", 11), (3, "right", 11), (3, "left", 12)]
)
def test_another_patient_eye_or_seed_is_another_photograph(
    patient: int, eye: str, seed: int
) -> None:
    one, other = draw_photograph(3, "left", 0, 11), draw_photograph(patient, eye, 0, seed)
    assert one.pixels.shape != other.pixels.shape or np.mean(one.pixels != other.pixels) > 0.2


def test_photographs_decode_with_a_black_border(drawn: tuple[Path, pd.DataFrame]) -> None:
    for path in (drawn[0] / "photographs").glob("*.jpeg"):
        pixels = cv2.imread(str(path))
        assert pixels is not None
        assert 640 <= pixels.shape[1] <= 1100
        corners = np.stack([pixels[y, x] for y in (1, -2) for x in (1, -2)])
        assert corners.max() < 16
        assert np.median(pixels[pixels.shape[0] // 2].max(axis=1)) > 30


def test_sizes_and_shares_of_border_vary() -> None:
    photographs = [draw_photograph(patient, "left", 0, 2).pixels for patient in range(16)]
    assert len({pixels.shape for pixels in photographs}) >= 4
    black = [float(np.mean(pixels.max(axis=2) < 16)) for pixels in photographs]
    assert min(black) < 0.35
    assert max(black) > 0.45


def test_masks_have_the_photographs_size_and_two_values(drawn: tuple[Path, pd.DataFrame]) -> None:
    folder, labels = drawn
    masks = sorted((folder / "masks").iterdir())
    assert masks
    for path in masks:
        image, kind = path.stem.rsplit("_", 1)
        mask = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        photograph = cv2.imread(str(folder / "photographs" / f"{image}.jpeg"))
        assert mask is not None
        assert photograph is not None
        assert kind in TYPES
        assert mask.dtype == np.uint8
        assert mask.shape == photograph.shape[:2]
        assert np.unique(mask).tolist() == [0, 255]
    with_masks = {path.stem.rsplit("_", 1)[0] for path in masks}
    assert with_masks == set(labels.loc[labels["level"] > 0, "image"])


@pytest.mark.parametrize(
    ("level", "always", "never"),
    [
        (0, set(), set(TYPES)),
        (1, {"MA"}, {"HE", "EX", "SE", "NV"}),
        (2, {"MA", "HE", "EX"}, {"NV"}),
        (3, {"MA", "HE"}, {"NV"}),
        (4, {"NV"}, set()),
    ],
)
def test_levels_show_their_types_of_lesion(level: int, always: set[str], never: set[str]) -> None:
    for patient in range(6):
        found = set(draw_photograph(patient, "right", level, 1).masks)
        assert always <= found
        assert not never & found


@pytest.mark.parametrize("level", [1, 2, 4])
def test_photographs_of_two_levels_differ_in_their_lesions_alone(level: int) -> None:
    for patient in range(4):
        photograph = draw_photograph(patient, "left", level, 3)
        healthy = draw_photograph(patient, "left", 0, 3)
        changed = np.abs(change(photograph, healthy)).max(axis=2) > 3
        lesion = np.maximum.reduce(list(photograph.masks.values()))
        assert changed.any()
        assert not (changed & ~near(lesion, 20)).any()
        assert np.mean(changed[lesion > 0]) > 50 * np.mean(changed[lesion == 0])
        assert photograph.quality == healthy.quality


def test_blood_darkens_green_and_exudates_brighten_blue() -> None:
    for patient in range(4):
        photograph = draw_photograph(patient, "left", 2, 3)
        difference = change(photograph, draw_photograph(patient, "left", 0, 3))
        elsewhere = ~near(photograph.masks["EX"], 4)
        assert difference[(photograph.masks["HE"] > 0) & elsewhere][:, 1].mean() < -2
        assert difference[photograph.masks["EX"] > 0][:, 1].mean() > 2


def test_levels_do_not_show_in_the_mean_brightness() -> None:
    for patient in range(6):
        healthy, proliferative = (
            draw_photograph(patient, "right", level, 4).pixels.mean() for level in (0, 4)
        )
        assert proliferative == pytest.approx(healthy, rel=0.04)


def test_levels_have_the_shares_asked_for_in_each_eye() -> None:
    drawn = np.array([draw_levels(patient, 9, LEVELS) for patient in range(5000)])
    for eye in (0, 1):
        shares = np.bincount(drawn[:, eye], minlength=5) / len(drawn)
        np.testing.assert_allclose(shares, LEVELS, atol=0.025)


@pytest.mark.parametrize("levels", [LEVELS, (0.73, 0.07, 0.15, 0.03, 0.02)])
def test_both_eyes_have_the_same_level_in_87_percent(levels: Sequence[float]) -> None:
    same = np.mean([len(set(draw_levels(patient, 9, levels))) == 1 for patient in range(5000)])
    assert same == pytest.approx(0.87, abs=0.02)


@pytest.mark.parametrize("level", range(5))
def test_a_single_level_can_be_asked_for(level: int) -> None:
    assert {draw_levels(patient, 0, ONLY[level]) for patient in range(50)} == {(level, level)}


@pytest.mark.parametrize(
    "levels", [(0.5, 0.5), (0.5, 0.1, 0.1, 0.1, 0.1), (1.2, -0.2, 0, 0, 0), ()]
)
def test_shares_that_are_none_are_refused(levels: Sequence[float], tmp_path: Path) -> None:
    with pytest.raises(Explained, match="sum to 1"):
        generate(tmp_path / "none", [0], 0, levels, quiet)
    assert not (tmp_path / "none").exists()


def test_severe_eyes_bleed_in_four_quadrants(view: View) -> None:
    rng = np.random.default_rng(0)
    spots = lesions(rng, GRADES[3], view, grow_vessels(rng))
    centres = np.array([spot.outline.mean(axis=0) for spot in spots if spot.kind == "HE"])
    quadrants = (centres[:, 0] > 0) + 2 * (centres[:, 1] > 0)
    assert np.bincount(quadrants, minlength=4).min() >= 4


def test_microaneurysms_are_below_a_pixel_at_96_pixels(view: View) -> None:
    rng = np.random.default_rng(0)
    spots = lesions(rng, GRADES[1], view, [])
    across = [np.ptp(spot.outline, axis=0).max() * view.zoom * 96 / 2 for spot in spots]
    assert min(across) > 0.2
    assert max(across) < 1


@pytest.mark.parametrize(("mirrored", "side"), [(False, 1), (True, -1)])
def test_the_disc_lies_towards_the_nose(mirrored: bool, side: int) -> None:
    view = View(600, 1.0, 0.0, (0.0, 0.0), mirrored, inverted=False, band=1.0)
    disc, fovea = view.pixels(np.array([DISC, FOVEA]))
    assert np.sign(disc[0] - fovea[0]) == side
    assert np.hypot(*(disc - fovea)) == pytest.approx(0.69 * 300, rel=0.01)


def test_vessels_taper_and_spare_the_fovea() -> None:
    vessels = grow_vessels(np.random.default_rng(1))
    assert {vessel.order for vessel in vessels} == {0, 1, 2}
    for vessel in vessels:
        assert vessel.widths[-1] < vessel.widths.max() / 2
    branches = np.concatenate([vessel.points for vessel in vessels if vessel.order == 2])
    assert np.hypot(*(branches - FOVEA).T).min() > 0.17


def test_progress_is_told_at_the_end(tmp_path: Path) -> None:
    told: list[str] = []
    tell: Callable[[str], None] = told.append
    generate(tmp_path, [1], 0, ONLY[0], tell)
    assert told == ["drew 1 of 1 patients"]


def test_tables_tell_of_every_photograph_and_of_every_mask_by_its_hash(tmp_path: Path) -> None:
    labels, masks = tmp_path / "labels.csv", tmp_path / "masks.csv"
    draw_photographs.main(tmp_path / "drawn", labels, masks, 1, ONLY[4], 1, 0, 1)
    for table, column, ending in ((labels, "image", ".jpeg"), (masks, "mask", "")):
        found = pd.read_csv(table, dtype=str)
        folder = tmp_path / "drawn" / ("photographs" if table == labels else "masks")
        files = {path.name: sha256(path) for path in folder.iterdir()}
        assert dict(zip(found[column] + ending, found["sha256"], strict=True)) == files
    draw_photographs.main(tmp_path / "healthy", labels, masks, 1, ONLY[0], 1, 0, 1)
    assert pd.read_csv(masks).empty
    assert (tmp_path / "healthy/masks").is_dir()
