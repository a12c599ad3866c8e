import cv2
import numpy as np
import pytest
from tests.drawn import disc

from retinopathy import lesion_types, localisation, priors
from retinopathy.lesions import GRID, Marked, Mask

MIDDLE = (GRID - 1) / 2
FIELD: Mask = np.hypot(*(np.mgrid[:GRID, :GRID] - MIDDLE)) < 0.49 * GRID


def retina() -> np.ndarray:
    return disc(GRID, GRID, MIDDLE, MIDDLE, 0.49 * GRID)


@pytest.mark.parametrize("name", priors.CONTROLS)
def test_every_control_is_a_map_of_the_whole_grid(name: str) -> None:
    heat = priors.CONTROLS[name](retina(), FIELD)
    assert heat.shape == FIELD.shape
    assert heat.dtype == np.float32
    assert np.isfinite(heat).all()
    assert (heat >= 0).all()
    assert name in lesion_types.CONTROLS


def test_centre_falls_as_a_gaussian() -> None:
    heat = priors.centre(retina(), FIELD)
    half = GRID // 2
    assert heat.max() == pytest.approx(1, abs=1e-4)
    away = round(priors.WIDTH * GRID)
    assert heat[half, half + away] / heat[half, half] == pytest.approx(np.exp(-0.5), abs=0.01)
    assert np.allclose(heat, heat.T)
    assert np.allclose(heat, heat[::-1])


def test_rim_falls_evenly_from_the_edge_to_the_middle() -> None:
    heat = priors.rim(retina(), FIELD)
    half, radius = GRID // 2, 0.49 * GRID
    assert heat[half, half] == pytest.approx(0, abs=0.01)
    assert heat[half, round(half + radius / 2)] == pytest.approx(0.5, abs=0.01)
    assert heat[FIELD].max() > 0.99


def test_rim_follows_the_edge_of_a_photograph_that_cuts_the_retina() -> None:
    field = FIELD.copy()
    field[: GRID // 4] = False
    heat = priors.rim(retina(), field)
    assert heat[GRID // 4, GRID // 2] > 0.99


def lines() -> tuple[np.ndarray, Mask]:
    """Draw vessels and a pale spot on a retina; return where the vessels are, too."""
    image, where = retina(), np.zeros((GRID, GRID), np.uint8)
    for end in ((300, 700), (650, 650), (500, 250)):
        cv2.line(where, (400, 480), end, 1, 9)
    image[where > 0] //= 2
    cv2.circle(image, (600, 400), 40, (250, 240, 180), -1)
    return image, where > 0


def test_vessel_filter_finds_what_is_dark_and_narrow() -> None:
    image, where = lines()
    heat = priors.vessels(image, FIELD)
    marked = Marked("1", FIELD, {"VE": where})
    found = localisation.score(heat, marked, localisation.targets(marked))[0]
    assert found["average_precision"] > 0.8 > 20 * found["lesion_share"]
    assert heat[400, 600] < 0.1 * np.median(heat[where])


def test_edge_filter_finds_outlines_of_what_is_dark_and_pale() -> None:
    image, _ = lines()
    heat = priors.edges(image, FIELD)
    assert heat[400, 640] > 10 * heat[400, 600]
    assert heat[400, 640] > 10 * np.median(heat[FIELD])


@pytest.mark.parametrize("name", ["vessels", "edges"])
def test_the_rim_of_the_retina_is_neither_vessel_nor_edge(name: str) -> None:
    image = retina()
    image[FIELD] = (180, 90, 50)
    image[~FIELD] = 0
    assert priors.CONTROLS[name](image, FIELD)[FIELD].max() < 2
