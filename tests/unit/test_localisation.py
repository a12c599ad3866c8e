from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from sklearn.metrics import average_precision_score

from retinopathy import localisation
from retinopathy.lesion_types import METRICS
from retinopathy.lesions import GRID, Marked, Mask
from retinopathy.localisation import AREA, TOLERANCE

FIELD: Mask = np.hypot(*(np.mgrid[:GRID, :GRID] - (GRID - 1) / 2)) < GRID / 2
CELLS = int(FIELD.sum())


def spot(row: int, column: int, radius: float) -> Mask:
    rows, columns = np.ogrid[:GRID, :GRID]
    return np.asarray(np.hypot(rows - row, columns - column) <= radius)


LESION = spot(300, 400, 20) | spot(600, 550, 7)
MARKED = Marked("1_left", FIELD, {"MA": LESION})


def scores(heat: NDArray[Any], marked: Marked = MARKED) -> dict[str, float]:
    found = localisation.targets(marked)
    row = localisation.score(np.asarray(heat, np.float32), marked, found)[0]
    return {name: row[name] for name in METRICS}


def test_a_map_that_is_the_same_everywhere_has_the_values_of_chance() -> None:
    share = LESION.sum() / CELLS
    near = (distance_transform_edt(~LESION) <= TOLERANCE * GRID)[FIELD].mean()
    expected = {"pointing": near, "energy": share, "average_precision": share, "sensitivity": AREA}
    assert scores(np.full((GRID, GRID), 3.0)) == pytest.approx(expected)
    assert scores(np.zeros((GRID, GRID))) == pytest.approx(expected)
    assert scores(np.full((GRID, GRID), -1.0)) == pytest.approx(expected)


def test_a_perfect_map_finds_everything() -> None:
    assert scores(LESION) == dict.fromkeys(METRICS, 1.0)


def test_a_perfect_map_of_a_large_lesion_finds_what_the_area_holds() -> None:
    large = Marked("1", FIELD, {"HE": spot(448, 448, 200)})
    share = large.lesions["HE"].sum() / CELLS
    assert share > AREA
    found = scores(large.lesions["HE"], large)
    assert found["sensitivity"] == pytest.approx(AREA / share)
    assert found["average_precision"] == found["energy"] == 1


def test_a_map_of_what_is_elsewhere_finds_nothing() -> None:
    elsewhere = spot(700, 300, 150)
    area, lesion = elsewhere.sum(), LESION.sum()
    assert area > AREA * CELLS
    found = scores(elsewhere)
    assert (found["pointing"], found["energy"], found["sensitivity"]) == (0, 0, 0)
    # All lesions come with the rest, as one value.
    assert found["average_precision"] == pytest.approx(lesion / CELLS)


def test_average_precision_is_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    for levels in (3, 40, 10**6):
        heat = generator.integers(-1, levels, (GRID, GRID)) + 0.2 * levels * LESION
        expected = average_precision_score(LESION[FIELD], np.maximum(heat, 0)[FIELD])
        assert scores(heat)["average_precision"] == pytest.approx(expected, rel=1e-9)


def test_sensitivity_shares_equal_cells_by_their_chance() -> None:
    generator = np.random.default_rng(1)
    # The strongest cells fill part of the area, and the next ones, all equal, the rest of it.
    first, second = spot(300, 400, 60), spot(600, 500, 220)
    heat = 2.0 * first + 1.0 * (second & ~first)
    hits, room = (first & LESION).sum(), AREA * CELLS - first.sum()
    tied = second & ~first
    expected = (hits + room * (tied & LESION).sum() / tied.sum()) / LESION.sum()
    assert 0 < room < tied.sum()
    assert scores(heat)["sensitivity"] == pytest.approx(expected)
    # What breaks ties at random finds as much on average.
    drawn = []
    for _ in range(40):
        broken = (heat + 1e-3 * generator.random(heat.shape))[FIELD]
        top = np.argsort(-broken)[: round(AREA * CELLS)]
        drawn.append(LESION[FIELD][top].mean() * len(top) / LESION.sum())
    assert np.mean(drawn) == pytest.approx(expected, abs=4 * np.std(drawn) / np.sqrt(40))


def test_of_several_strongest_cells_the_share_that_points_at_a_lesion_counts() -> None:
    heat = np.zeros((GRID, GRID))
    for row, column in ((300, 400), (600, 550), (700, 300), (300, 400 + 20 + 26)):
        heat[row, column] = 1
    assert scores(heat)["pointing"] == 3 / 4


def test_pointing_reaches_as_far_as_the_tolerance() -> None:
    reach = int(TOLERANCE * GRID)
    for beside, hit in ((reach, 1), (reach + 1, 0)):
        heat = np.zeros((GRID, GRID))
        heat[300, 400 + 20 + beside] = 1
        assert scores(heat)["pointing"] == hit


def test_no_score_depends_on_the_scale_of_a_map() -> None:
    heat = np.random.default_rng(2).normal(size=(GRID, GRID)).astype(np.float32)
    assert scores(heat) == pytest.approx(scores(1024 * heat))
    assert scores(heat) == pytest.approx(scores(heat / 2**20))


def test_rankings_depend_on_order_alone() -> None:
    heat = np.random.default_rng(3).integers(0, 200, (GRID, GRID)) + 60 * LESION
    one, other = scores(heat), scores(np.sqrt(heat))
    for name in ("pointing", "average_precision", "sensitivity"):
        assert one[name] == pytest.approx(other[name])
    assert one["energy"] != pytest.approx(other["energy"])


def test_what_lies_beyond_the_retina_counts_for_nothing() -> None:
    heat = np.random.default_rng(4).random((GRID, GRID)) + LESION
    assert scores(heat) == scores(np.where(FIELD, heat, 9.0))


def test_every_type_has_a_row_and_all_lesions_leave_anatomy_out() -> None:
    disc, exudates = spot(450, 700, 60), spot(200, 500, 30)
    marked = Marked("1", FIELD, {"OD": disc, "EX": exudates, "MA": LESION})
    found = localisation.targets(marked)
    rows = localisation.score(np.ones((GRID, GRID), np.float32), marked, found)
    shares = {row["lesion"]: row["lesion_share"] for row in rows}
    assert list(shares) == ["MA", "EX", "OD", "all"]
    assert shares["all"] == pytest.approx((exudates | LESION).sum() / CELLS)
    only_disc = Marked("1", FIELD, {"OD": disc})
    assert list(localisation.targets(only_disc)) == ["OD"]


def test_a_map_that_is_not_finite_is_refused() -> None:
    heat = np.zeros((GRID, GRID))
    heat[448, 448] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        scores(heat)
