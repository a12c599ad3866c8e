from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from retinopathy import flip_figures
from retinopathy.overlays import place
from retinopathy.photographs import CropBox

WIDTH, HEIGHT = 600, 400
BOX = CropBox(40, -40, 480)  # reaches beyond the photograph above and below

TEST = pd.Series(
    {
        "task": "referable",
        "network": "xception",
        "size_small": 224,
        "size_large": 448,
        "initialisation": "imagenet",
        "fold": "pooled",
        "n": 1380,
        "only_small_right": 40,
        "only_large_right": 67.0,  # as it is read where another row has none
        "clustered_mcnemar_p_holm": 0.0157,
    }
)
GAINED = pd.DataFrame(
    {
        "image": ["54_right", "172_right"],
        "level": 2,
        "label": 1,
        "fold": "0",
        "probability_small": [0.239, 0.408],
        "probability_large": [0.889, 0.762],
        "gain": [0.65, 0.354],
    }
)


def hot(row: int, column: int, cells: int = 12) -> np.ndarray:
    heat = np.full((cells, cells), -2.0, np.float32)
    heat[row, column] = -1.0
    return heat


def sight(size: int, probability: float, heat: np.ndarray | None = None) -> flip_figures.Sight:
    generator = np.random.default_rng(size)
    seen = generator.integers(0, 256, (size, size, 3), np.uint8)
    cam = generator.normal(size=(size // 16,) * 2).astype(np.float32) if heat is None else heat
    fine = generator.random((size, size), np.float32)
    return flip_figures.Sight(size, seen, cam, fine, probability, 0.5)


def flip(label: int) -> flip_figures.Flip:
    generator = np.random.default_rng(1)
    photograph = generator.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    picture = generator.integers(0, 256, (448, 448, 3), np.uint8)
    small, large = sight(96, 1.0 - label), sight(192, 1.0 * label)
    return flip_figures.Flip(photograph, picture, BOX, label, small, large)


# The region ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [(3, 4), (6, 6), (8, 2)])
def test_the_region_is_two_cells_around_the_strongest_one(cell: tuple[int, int]) -> None:
    found = flip_figures.region(hot(*cell), BOX, (HEIGHT, WIDTH))
    assert found.side == 80
    # A cell is 40 pixels wide.
    assert found.left + 40 == pytest.approx(BOX.left + 40 * (cell[1] + 0.5), abs=1)
    assert found.top + 40 == pytest.approx(BOX.top + 40 * (cell[0] + 0.5), abs=1)


def test_a_dot_of_the_photograph_is_in_the_middle_of_its_region() -> None:
    x, y = 330, 215
    photograph = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.circle(photograph, (x, y), 8, 1.0, -1)
    padded = np.pad(photograph, 100)
    crop = padded[100 + BOX.top :, 100 + BOX.left :][: BOX.side, : BOX.side]
    heat = np.asarray(cv2.resize(crop, (48, 48), interpolation=cv2.INTER_AREA), np.float32)
    found = flip_figures.region(heat, BOX, (HEIGHT, WIDTH))
    assert found.left <= x < found.left + found.side
    assert found.top <= y < found.top + found.side
    centre = np.array([found.left, found.top]) + found.side / 2
    assert np.abs(centre - (x, y)).max() <= BOX.side / 48


@pytest.mark.parametrize("cell", [(0, 0), (0, 11), (11, 0), (11, 11), (1, 5), (5, 11)])
def test_a_region_leaves_neither_the_crop_nor_the_photograph(cell: tuple[int, int]) -> None:
    found = flip_figures.region(hot(*cell), BOX, (HEIGHT, WIDTH))
    assert BOX.left <= found.left <= BOX.left + BOX.side - found.side
    assert 0 <= found.top <= HEIGHT - found.side


def test_a_cell_at_the_rim_is_found_although_half_of_it_is_alike() -> None:
    inside = CropBox(100, 50, 240)
    found = flip_figures.region(hot(0, 5), inside, (HEIGHT, WIDTH))
    placed = place(hot(0, 5) + 2, (100, 50, 240), (HEIGHT, WIDTH))
    column = float(np.nonzero(placed == placed.max())[1].mean()) + 0.5
    assert found.left + found.side / 2 == pytest.approx(column, abs=1)
    assert found.top == 50


def test_the_network_that_called_it_diseased_says_where() -> None:
    assert flip(1).pointing.size == 192
    assert flip(0).pointing.size == 96


# Words --------------------------------------------------------------------------------------------


def test_the_photograph_is_told_with_its_level_both_probabilities_and_gain() -> None:
    first, second, third = flip_figures.tell(GAINED, TEST).splitlines()
    assert first.startswith("xception, referable: 54_right, level 2 moderate, diseased, ")
    assert "0.24 → 0.89" in second
    assert "gains 0.65, the largest gain among the 2 test photographs of fold 0" in second
    assert third == (
        "Of 1,380 test photographs, folds pooled, 67 are right at 448 px only and 40 at 224 px "
        "only; McNemar's test by patients, adjusted (Holm): p = 0.016."
    )


def test_a_single_photograph_is_the_only_one() -> None:
    told = flip_figures.tell(GAINED.head(1).assign(fold="holdout"), TEST)
    assert "the only test photograph that 448 px puts right" in told


def test_a_network_from_random_weights_is_called_a_control() -> None:
    control = pd.Series({**TEST, "initialisation": "random, all"})
    for told in (flip_figures.tell(GAINED, control), flip_figures.nothing(control)):
        assert told.startswith("xception, control (random, all), referable: ")
    assert "control" not in flip_figures.tell(GAINED, TEST)


def test_a_small_p_is_bounded() -> None:
    small = pd.Series({**TEST, "clustered_mcnemar_p_holm": 0.0004})
    assert flip_figures.counted(small).endswith("adjusted (Holm): p < 0.001.")


def test_where_nothing_flips_the_figure_says_so() -> None:
    assert "no test photograph" in flip_figures.nothing(TEST)
    undefined = pd.Series({**TEST, "clustered_mcnemar_p_holm": np.nan})
    assert "McNemar" not in flip_figures.nothing(undefined)
    diverged = pd.Series({**TEST, "n": 0, "reason": "a run diverged"})
    assert "a run diverged" in flip_figures.nothing(diverged)


# The figure ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("label", [0, 1])
def test_the_figure_is_drawn_for_either_label(label: int, tmp_path: Path) -> None:
    path = tmp_path / "flip.png"
    flip_figures.draw(flip(label), flip_figures.tell(GAINED, TEST), path)
    drawn = np.asarray(cv2.imread(str(path)))
    assert drawn.shape[0] > 1000
    assert drawn.std() > 10


def test_contrast_is_raised_by_one_factor_within_limits() -> None:
    faint = np.full((20, 20, 3), 100, np.uint8)
    assert flip_figures._gain(faint) == flip_figures.GAIN
    faint[::2, :, 1] = 180
    assert flip_figures._gain(faint) == pytest.approx(flip_figures.SPREAD / 80)
    faint[::2, :, 1] = 255
    faint[1::2, :, 1] = 0
    assert flip_figures._gain(faint) == 1
    assert (flip_figures._raised(faint, faint, 1) == faint).all()


def test_the_region_as_a_network_sees_it_has_all_pixels_that_touch_it() -> None:
    seen = sight(96, 1.0)
    part = flip_figures._part(seen, BOX, CropBox(BOX.left + 7, BOX.top + 10, 20))
    assert (part == seen.seen[2:6, 1:6]).all()
