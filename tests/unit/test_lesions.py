from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from tests.drawn import disc

from retinopathy import lesions, manifest, photographs, saliency
from retinopathy.decoding import Unusable
from retinopathy.lesions import GRID, Mask
from retinopathy.photographs import CropBox

WIDTH, HEIGHT = 400, 300
EMPTY = manifest.typed(pd.DataFrame(columns=list(manifest.COLUMNS)))


def png(array: NDArray[Any]) -> bytes:
    return cv2.imencode(".png", array)[1].tobytes()


def blank() -> NDArray[np.uint8]:
    return np.zeros((HEIGHT, WIDTH), np.uint8)


def spot(x: int, y: int, radius: int = 6) -> NDArray[np.uint8]:
    return np.asarray(cv2.circle(blank(), (x, y), radius, 255, -1), np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four photographs, three with masks, and things that are none."""
    for place, name in enumerate(("10_left", "10_right", "IDRiD_01", "plain")):
        image = disc(WIDTH, HEIGHT, 200 + place, 150, 130)
        (tmp_path / "images").mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / f"images/{name}.png"), image[..., ::-1])
    masks = tmp_path / "masks"
    masks.mkdir()
    for name, mask in {
        "10_left_MA": spot(180, 150, 2),
        "10_left_EX": spot(240, 120),
        "10_right_MA": blank(),
        "IDRiD_01_HE": spot(150, 170),
        "IDRiD_01_OD": spot(260, 150, 20),
        "nowhere_EX": spot(150, 170),
    }.items():
        (masks / f"{name}.png").write_bytes(png(mask))
    (masks / "notes.txt").write_text("no mask")
    (masks / "10_left_grade.png").write_bytes(b"no mask either")
    return tmp_path


def collected(folder: Path, most: int = 0, study: pd.DataFrame = EMPTY) -> pd.DataFrame:
    rows = lesions.inspect(folder / "images", study, lambda _: None)
    return lesions.collect(rows, lesions.find_masks([folder / "masks"]), most, 1)


def status(table: pd.DataFrame) -> dict[str, str]:
    return dict(
        zip(table["image"] + " " + table["lesion"].fillna(""), table["status"], strict=True)
    )


def test_masks_are_known_by_their_names(folder: Path) -> None:
    masks = lesions.find_masks([folder / "masks"])
    assert {image: list(own) for image, own in masks.items()} == {
        "10_left": ["EX", "MA"],
        "10_right": ["MA"],
        "IDRiD_01": ["HE", "OD"],
        "nowhere": ["EX"],
    }


def test_every_photograph_and_mask_has_a_row_with_a_status(folder: Path) -> None:
    table = collected(folder)
    assert list(table.columns) == list(lesions.COLUMNS)
    assert status(table) == {
        "10_left EX": "ok",
        "10_left MA": "ok",
        "10_right MA": "ok",
        "IDRiD_01 HE": "ok",
        "IDRiD_01 OD": "ok",
        "nowhere ": "mask without a photograph",
        "plain ": "no mask",
    }
    assert table.set_index(["image", "lesion"]).loc[("10_left", "EX"), "pixels"] == 113
    assert dict(zip(table["image"], table["patient"], strict=True))["10_left"] == "10"
    assert list(lesions.photographs_of(table)["image"]) == ["10_left", "10_right", "IDRiD_01"]


def test_a_photograph_of_which_one_mask_is_bad_is_not_used(folder: Path) -> None:
    (folder / "masks/10_left_EX.png").write_bytes(png(np.zeros((30, 40), np.uint8)))
    (folder / "masks/IDRiD_01_SE.png").write_bytes(png(spot(1, 1))[:-40])
    table = collected(folder)
    assert status(table)["10_left EX"] == "mask of another size: 40 × 30 pixels"
    assert status(table)["IDRiD_01 SE"] == "unusable mask: truncated"
    assert list(lesions.photographs_of(table)["image"]) == ["10_right"]


def test_rejected_photographs_have_their_reason(folder: Path) -> None:
    (folder / "images/10_left.png").write_bytes(b"")
    assert status(collected(folder))["10_left "] == "empty file"


def test_a_photograph_that_is_there_twice_is_used_once(folder: Path) -> None:
    (folder / "images/copy.png").write_bytes((folder / "images/10_left.png").read_bytes())
    assert status(collected(folder))["copy "] == "the set has this photograph twice"


def test_what_the_study_has_too_is_not_used(folder: Path) -> None:
    rows = lesions.inspect(folder / "images", EMPTY, lambda _: None)
    study = rows[rows["image"] == "10_left"].assign(image="77_right", level=2)
    table = collected(folder, study=study)
    assert status(table)["10_left "] == "in the study too, as 77_right"
    assert "10_left" not in set(lesions.photographs_of(table)["image"])


def test_at_most_so_many_are_used_and_more_keep_those(folder: Path) -> None:
    chosen = [set(lesions.photographs_of(collected(folder, most))["image"]) for most in (1, 2, 3)]
    assert [len(images) for images in chosen] == [1, 2, 3]
    assert chosen[0] < chosen[1] < chosen[2]
    assert set(status(collected(folder, 1)).values()) >= {
        "not needed: enough others come before it"
    }


@pytest.mark.parametrize(
    "stored",
    [
        spot(5, 5) // 255,
        (spot(5, 5) // 255).astype(np.uint16),
        np.dstack([spot(5, 5), blank(), blank()]),
        np.dstack([blank(), blank(), spot(5, 5), np.full_like(blank(), 255)]),
    ],
    ids=["ones", "16 bits", "colour", "alpha"],
)
def test_a_mask_is_what_is_not_zero(stored: NDArray[Any]) -> None:
    assert np.array_equal(lesions.decode_mask(png(stored)), spot(5, 5) > 0)


def test_what_is_no_image_is_no_mask() -> None:
    with pytest.raises(Unusable):
        lesions.decode_mask(b"GIF89a")


@pytest.mark.parametrize(
    "box", [CropBox(70, 20, 260), CropBox(-60, -110, 520), CropBox(100, 7, 97)]
)
def test_a_dot_of_the_photograph_is_found_on_the_grid(box: CropBox) -> None:
    for x, y in ((150, 80), (101, 25), (196, 103)):
        mask: Mask = np.zeros((HEIGHT, WIDTH), bool)
        mask[y, x] = True
        rows, columns = np.nonzero(lesions.on_grid(mask, box))
        found = (columns.mean() + 0.5) / GRID * box.side + box.left
        assert found == pytest.approx(x + 0.5, abs=0.51 * box.side / GRID)
        assert (rows.mean() + 0.5) / GRID * box.side + box.top == pytest.approx(
            y + 0.5, abs=0.51 * box.side / GRID
        )


@pytest.mark.parametrize("side", [300, GRID, 3440])
def test_the_smallest_lesion_has_a_cell_and_area_is_kept_where_it_is_enlarged(side: int) -> None:
    mask: Mask = np.zeros((side, side), bool)
    places = np.random.default_rng(0).integers(0, side, (200, 2))
    mask[tuple(places.T)] = True
    cells = lesions.on_grid(mask, CropBox(0, 0, side))
    if side <= GRID:
        assert cells.mean() == pytest.approx(mask.mean(), rel=0.05)
    centres = ((places + 0.5) * GRID / side).astype(int)
    assert cells[tuple(centres.T)].all()


@pytest.mark.parametrize("size", [3, 12, 96, 224, 448])
def test_a_dot_of_a_map_lies_where_it_is_drawn(size: int) -> None:
    for row, column in ((0, size - 1), (size // 2, size // 3), (size - 2, 1)):
        heat = np.zeros((size, size), np.float32)
        heat[row, column] = 1
        whole = saliency.place(heat, (0, 0, GRID), (GRID, GRID))
        strongest = np.argwhere(whole == whole.max()).mean(axis=0)
        expected = (np.array([row, column]) + 0.5) * GRID / size - 0.5
        inner = (np.array([row, column]) > 0) & (np.array([row, column]) < size - 1)
        assert strongest[inner] == pytest.approx(expected[inner], abs=0.51)


@pytest.mark.parametrize("x", [200, 90])
def test_the_field_is_the_visible_retina(x: int) -> None:
    image = disc(WIDTH, HEIGHT, x, 150, 130).astype(np.int64)
    image[140:160, max(x, 100) : max(x, 100) + 20] = 0  # A dark bleeding is no edge.
    pixels = np.asarray(image, np.uint8)
    box = CropBox(x - 135, 15, 270)
    crop = cv2.resize(photographs.cut(pixels, box, 1), (GRID, GRID))
    field = lesions.retina(np.asarray(crop, np.uint8), box, (HEIGHT, WIDTH), circular=True)
    share = (np.arange(GRID) + 0.5) / GRID * 270
    across, down = share + box.left, share[:, None] + box.top
    expected = (np.hypot(across - x - 0.5, down - 150.5) <= 130) & (across >= 0)
    assert (field != expected).mean() < 0.01


def test_what_is_written_is_read_again(folder: Path) -> None:
    table, marks = folder / "photographs.csv", folder / "marks.h5"
    lesions.write_set(collected(folder), table, marks, lambda _: None)
    again = lesions.read(table)
    pd.testing.assert_frame_equal(again, collected(folder), check_dtype=False)
    found = {one.image: one for one in lesions.read_marks(marks)}
    assert {image: sorted(one.lesions) for image, one in found.items()} == {
        "10_left": ["EX", "MA"],
        "10_right": [],
        "IDRiD_01": ["HE", "OD"],
    }
    for image, one in found.items():
        rows = again[again["image"] == image]
        marked = lesions.mark(rows)
        assert np.array_equal(one.field, marked.field)
        for kind, mask in marked.lesions.items():
            assert np.array_equal(one.lesions[kind], mask)
            share = rows.set_index("lesion").loc[kind, "pixels"] / rows["crop_side"].iloc[0] ** 2
            assert mask.mean() == pytest.approx(share, rel=0.02)


def test_an_empty_set_is_written_and_read(folder: Path) -> None:
    table, marks = folder / "photographs.csv", folder / "marks.h5"
    for path in (folder / "masks").glob("*"):
        path.unlink()
    lesions.write_set(collected(folder), table, marks, lambda _: None)
    assert lesions.photographs_of(lesions.read(table)).empty
    assert list(lesions.read_marks(marks)) == []


def test_types_are_shown_in_one_order() -> None:
    assert lesions.order(["all", "OD", "XX", "EX", "MA", "AA"]) == [
        *("MA", "EX", "AA", "XX", "OD", "all")
    ]


def test_photographs_to_show_are_those_with_most_of_each_type() -> None:
    table = pd.DataFrame(
        [
            ("a", "MA", 10, 100),
            ("b", "MA", 20, 200),
            ("c", "EX", 99, 100),
            ("a", "EX", 100, 100),
            ("d", "OD", 900, 100),
            ("e", "EX", 0, 100),
        ],
        columns=["image", "lesion", "pixels", "crop_side"],
    )
    assert lesions.choose(table, 2) == ["a", "c"]
    assert lesions.choose(table, 9) == ["a", "c", "b"]
