"""Deletion and insertion on linear models, whose curves can be written down."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from retinopathy import deletion
from retinopathy.deletion import AREAS, DELETION, INSERTION
from retinopathy.methods import MIDDLE, ORDERS, PATCHES, PIXELS

SIDE = 20
GENERATOR = np.random.default_rng(0)
PHOTOGRAPH = GENERATOR.random((SIDE, SIDE, 3), dtype=np.float32) * 255
BLURRED = np.full((SIDE, SIDE, 3), 90, np.float32)
WEIGHTS = GENERATOR.normal(size=(SIDE, SIDE, 3)) / 1000
INSIDE = np.hypot(*np.mgrid[-9.5:10.5, -9.5:10.5]) < 9
EVERYWHERE = np.ones((SIDE, SIDE), bool)


def linear(photographs: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray((photographs.astype(np.float64) * WEIGHTS).sum(axis=(1, 2, 3)) + 0.5)


def attribution() -> NDArray[np.float32]:
    """Return what each pixel adds to the logit, compared with the blurred photograph: exact."""
    return np.asarray(((PHOTOGRAPH - BLURRED) * WEIGHTS).sum(axis=-1), np.float32)


def order_of(heat: NDArray[np.float32], inside: NDArray[np.bool_], seed: int = 1) -> deletion.Order:
    order = deletion.ranked(heat, inside, np.random.default_rng(seed))
    assert order is not None
    return order


def curves(inside: NDArray[np.bool_], **heats: NDArray[np.float32]) -> pd.DataFrame:
    generator = np.random.default_rng(1)
    orders = {name: deletion.ranked(heat, inside, generator) for name, heat in heats.items()}
    return deletion.curves(linear, PHOTOGRAPH, BLURRED, inside, orders)


@pytest.mark.parametrize("inside", [EVERYWHERE, INSIDE], ids=["everywhere", "retina"])
def test_the_curves_of_a_linear_model_are_sums_of_its_attributions(
    inside: NDArray[np.bool_],
) -> None:
    table = curves(inside, exact=attribution())
    strongest = np.sort(attribution()[inside].astype(np.float64))[::-1]
    gone = [strongest[: round(share * len(strongest))].sum() for share in AREAS]
    whole = linear(PHOTOGRAPH[None])[0]
    expected = {DELETION: whole - gone, INSERTION: whole - strongest.sum() + gone}
    for kind, logits in expected.items():
        rows = table[table["kind"] == kind]
        assert tuple(rows["share"]) == AREAS
        assert rows["logit"].to_numpy() == pytest.approx(logits, abs=1e-4)
        assert rows["probability"].to_numpy() == pytest.approx(expit(rows["logit"]))


def test_an_order_by_attribution_beats_any_other(generator: np.random.Generator) -> None:
    size = len(AREAS)
    chance = {f"chance{seed}": generator.random((SIDE, SIDE), np.float32) for seed in range(20)}
    table = curves(INSIDE, exact=attribution(), wrong=-attribution(), **chance)
    for kind, better in ((DELETION, -1), (INSERTION, 1)):
        rows = table[table["kind"] == kind]
        logits = {name: better * own["logit"].to_numpy() for name, own in rows.groupby("method")}
        best, worst = logits.pop("exact"), logits.pop("wrong")
        for other in logits.values():
            assert (best[1 : size - 1] > other[1 : size - 1]).all()
            assert (worst[1 : size - 1] < other[1 : size - 1]).all()


def test_what_is_no_retina_stays_and_counts_for_nothing() -> None:
    seen: list[NDArray[np.floating]] = []

    def watching(photographs: NDArray[np.floating]) -> NDArray[np.floating]:
        seen.extend(photographs)
        return linear(photographs)

    order = order_of(attribution(), INSIDE)
    deletion.curves(watching, PHOTOGRAPH, BLURRED, INSIDE, {"exact": order})
    assert len(seen) == 2 + 2 * (len(AREAS) - 2)
    for photograph in seen:
        assert np.array_equal(photograph[~INSIDE], PHOTOGRAPH[~INSIDE])
        kept = (photograph == PHOTOGRAPH).all(axis=-1)
        assert (kept | (photograph == BLURRED).all(axis=-1))[INSIDE].all()


def test_the_strongest_pixels_come_first_and_equal_ones_by_chance() -> None:
    heat = np.zeros((SIDE, SIDE), np.float32)
    heat[10, 12], heat[9, 9], heat[0, 0] = 5, 3, 9  # the last is no retina
    heat[12, 10] = -1
    order = order_of(heat, INSIDE)
    assert [divmod(int(place), SIDE) for place in order[:2]] == [(10, 12), (9, 9)]
    assert divmod(int(order[-1]), SIDE) == (12, 10)
    assert sorted(order) == list(np.flatnonzero(INSIDE))
    assert not np.array_equal(order, order_of(heat, INSIDE, seed=2))
    rows = order[2:-1] // SIDE
    assert abs(np.corrcoef(rows, np.arange(len(rows)))[0, 1]) < 0.2


def test_a_map_that_points_nowhere_gives_no_order_and_no_curve(
    generator: np.random.Generator,
) -> None:
    nowhere = np.zeros((SIDE, SIDE), np.float32)
    assert deletion.ranked(nowhere, INSIDE, generator) is None
    table = curves(INSIDE, nowhere=nowhere)
    assert len(table) == 2 * len(AREAS)
    assert table[["logit", "probability"]].isna().all(axis=None)


def test_areas_are_those_on_paper() -> None:
    shares = np.array(AREAS)
    assert deletion.area(shares, 2 - 3 * shares) == pytest.approx(0.5)
    bend = np.interp(shares, [0, 0.2, 1], [1, 0, 0])
    assert deletion.area(shares, bend) == pytest.approx(0.1)


def photograph(image: str, **slopes: float) -> pd.DataFrame:
    """Return straight curves from 1: their area is 1 + slope / 2."""
    return pd.concat(
        pd.DataFrame(
            {
                "image": image,
                "patient": image[0],
                "method": method,
                "kind": kind,
                "share": AREAS,
                "logit": 1 + slope * np.array(AREAS),
                "probability": 0.5,
            }
        )
        for method, slope in slopes.items()
        for kind in (DELETION, INSERTION)
    )


def test_gains_are_against_the_controls_of_the_same_photograph() -> None:
    table = pd.concat(
        [
            photograph("1_left", cam=-4, random_pixels=-2, random_patches=-1),
            photograph("2_left", cam=2, random_pixels=4, random_patches=np.nan),
        ]
    )
    areas = deletion.areas(table)
    assert areas["probability_area"].to_numpy() == pytest.approx(0.5)
    cam = areas[areas["method"] == "cam"].set_index(["kind", "image"])
    assert cam["logit_area"].to_numpy() == pytest.approx([-1, -1, 2, 2])
    for kind, sign in ((DELETION, 1), (INSERTION, -1)):
        own = cam.loc[kind]
        assert own["over_pixels"].to_numpy() == pytest.approx([sign, sign])
        patches = own["over_patches"].to_numpy()
        assert patches == pytest.approx([1.5 * sign, np.nan], nan_ok=True)
    control = areas[areas["method"] == "random_pixels"]
    assert control["over_pixels"].isna().all()  # of itself, a control has no gain


def test_controls_know_nothing_of_the_photograph() -> None:
    heats = deletion.controls(SIDE, (5, 5), np.random.default_rng(3))
    assert tuple(heats) == tuple(ORDERS)
    middle = order_of(heats[MIDDLE], EVERYWHERE)
    assert {divmod(int(place), SIDE) for place in middle[:4]} == {
        (9, 9),
        (9, 10),
        (10, 9),
        (10, 10),
    }
    pixels, patches = heats[PIXELS], heats[PATCHES]
    assert np.abs(np.diff(patches)).mean() < np.abs(np.diff(pixels)).mean() / 2
    again = deletion.controls(SIDE, (5, 5), np.random.default_rng(3))
    assert all(np.array_equal(heats[name], again[name]) for name in heats)


@pytest.mark.parametrize("cells", [(3, 3), (7, 7), (3, 6)])
def test_patches_are_as_large_as_the_cells_of_coarse_maps(cells: tuple[int, int]) -> None:
    """The middle of a patch has the number that was dealt to it."""
    size = 10 * cells[0] * cells[1]
    patches = deletion.controls(size, cells, np.random.default_rng(3))[PATCHES]
    assert patches.shape == (size, size)
    drawn = np.random.default_rng(3).random(cells, dtype=np.float32)
    down, across = (size // count for count in cells)
    middles = patches[down // 2 :: down, across // 2 :: across]
    assert middles == pytest.approx(drawn, abs=0.1)


def test_patches_of_one_cell_point_nowhere_as_a_map_of_one_does(
    generator: np.random.Generator,
) -> None:
    patches = deletion.controls(SIDE, (1, 1), generator)[PATCHES]
    assert deletion.ranked(patches, INSIDE, generator) is None


def test_no_photographs_have_no_areas() -> None:
    found = deletion.areas(pd.DataFrame(columns=list(deletion.CURVES)))
    assert found.empty
    assert {"logit_area", "over_patches"} <= set(found.columns)
