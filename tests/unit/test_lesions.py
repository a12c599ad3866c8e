from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from tests.drawn import disc

from retinopathy import lesion_types, lesions, manifest, mask_files, overlays, photographs
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
    return lesions.collect(rows, set(mask_files.find([folder / "masks"])), most, 1)


def measured(folder: Path) -> pd.DataFrame:
    shown = manifest.usable(collected(folder))
    return lesions.measure(shown, mask_files.find([folder / "masks"]))


def scored(folder: Path) -> pd.DataFrame:
    return lesions.scored(collected(folder), measured(folder))


def status(table: pd.DataFrame) -> dict[str, str]:
    names = table["image"] + (" " + table["lesion"] if "lesion" in table else "")
    return dict(zip(names, table["status"], strict=True))


def explained(folder: Path, most: int = 0) -> list[str]:
    return list(manifest.usable(collected(folder, most))["image"])


def test_masks_are_known_by_their_names(folder: Path) -> None:
    masks = mask_files.find([folder / "masks"])
    assert {image: list(own) for image, own in masks.items()} == {
        "10_left": ["EX", "MA"],
        "10_right": ["MA"],
        "IDRiD_01": ["HE", "OD"],
        "nowhere": ["EX"],
    }


def test_files_that_would_be_masks_but_for_their_endings_are_told(folder: Path) -> None:
    for name in ("10_left_HE.PNG", "plain_EX.tif", ".10_left_SE.PNG"):
        (folder / "masks" / name).write_bytes(b"")
    assert mask_files.misnamed(folder / "masks") == ["10_left_HE.PNG", "plain_EX.tif"]


def test_a_listing_of_masks_goes_by_which_photographs_have_some(folder: Path) -> None:
    before = mask_files.listing(folder / "masks")
    (folder / "masks/10_left_MA.png").write_bytes(png(spot(100, 150, 9)))
    assert mask_files.listing(folder / "masks") == before
    (folder / "masks/plain_MA.png").write_bytes(png(blank()))
    assert mask_files.listing(folder / "masks") != before


def test_every_photograph_and_mask_has_a_row_with_a_status(folder: Path) -> None:
    table, masks = collected(folder), measured(folder)
    assert list(table.columns) == list(lesions.PHOTOGRAPHS)
    assert list(masks.columns) == list(lesions.MASKS)
    assert status(table) == {
        "10_left": "ok",
        "10_right": "ok",
        "IDRiD_01": "ok",
        "nowhere": "mask without a photograph",
        "plain": "no mask",
    }
    assert status(masks) == dict.fromkeys(
        ("10_left EX", "10_left MA", "10_right MA", "IDRiD_01 HE", "IDRiD_01 OD"), "ok"
    )
    assert masks.set_index(["image", "lesion"]).loc[("10_left", "EX"), "pixels"] == 113
    assert dict(zip(table["image"], table["patient"], strict=True))["10_left"] == "10"


def test_a_photograph_of_which_one_mask_is_bad_is_not_scored(folder: Path) -> None:
    (folder / "masks/10_left_EX.png").write_bytes(png(np.zeros((30, 40), np.uint8)))
    (folder / "masks/IDRiD_01_SE.png").write_bytes(png(spot(1, 1))[:-40])
    masks = measured(folder)
    assert status(masks)["10_left EX"] == "mask of another size: 40 × 30 pixels"
    assert status(masks)["IDRiD_01 SE"] == "unusable mask: truncated"
    assert list(scored(folder)["image"]) == ["10_right"]


def test_what_is_in_masks_does_not_change_which_photographs_are_explained(folder: Path) -> None:
    before = collected(folder)
    (folder / "masks/10_left_EX.png").write_bytes(b"")
    (folder / "masks/10_left_MA.png").write_bytes(png(spot(100, 150, 9)))
    pd.testing.assert_frame_equal(collected(folder), before)


def test_rejected_photographs_have_their_reason(folder: Path) -> None:
    (folder / "images/10_left.png").write_bytes(b"")
    assert status(collected(folder))["10_left"] == "empty file"


def test_a_photograph_that_is_there_twice_is_used_once(folder: Path) -> None:
    (folder / "images/copy.png").write_bytes((folder / "images/10_left.png").read_bytes())
    assert status(collected(folder))["copy"] == "the set has this photograph twice"


def test_what_the_study_has_too_is_not_used(folder: Path) -> None:
    rows = lesions.inspect(folder / "images", EMPTY, lambda _: None)
    study = rows[rows["image"] == "10_left"].assign(image="77_right", level=2)
    table = collected(folder, study=study)
    assert status(table)["10_left"] == "in the study too, as 77_right"
    assert "10_left" not in set(manifest.usable(table)["image"])


def test_at_most_so_many_are_used_and_more_keep_those(folder: Path) -> None:
    chosen = [set(explained(folder, most)) for most in (1, 2, 3)]
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
    for place in ((0, size - 1), (size // 2, size // 3), (size - 2, 1)):
        heat = np.zeros((size, size), np.float32)
        heat[place] = 1
        whole = overlays.place(heat, (0, 0, GRID), (GRID, GRID))
        strongest = np.argwhere(whole == whole.max()).mean(axis=0)
        cell, last = GRID / size, size - 1
        for found, one in zip(strongest, place, strict=True):
            # Beyond the centres of the outermost dots a map goes on as it ends there.
            ends = {0: (cell / 2 - 0.5) / 2, last: GRID - 1 - (cell / 2 - 0.5) / 2}
            expected = ends.get(one, (one + 0.5) * cell - 0.5)
            assert found == pytest.approx(expected, abs=0.51)


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
    for table, columns in (
        (collected(folder), lesions.PHOTOGRAPHS),
        (measured(folder), lesions.MASKS),
    ):
        path = folder / "table.csv"
        lesions.write(table, path, columns, lambda _: None)
        pd.testing.assert_frame_equal(lesions.read(path, columns), table, check_dtype=False)
    rows = scored(folder)
    lesions.mark_all(rows, folder / "marks.h5")
    found = {one.image: one for one in lesions.read_marks(folder / "marks.h5")}
    assert {image: sorted(one.lesions) for image, one in found.items()} == {
        "10_left": ["EX", "MA"],
        "10_right": [],
        "IDRiD_01": ["HE", "OD"],
    }
    for image, one in found.items():
        own = rows[rows["image"] == image]
        marked = lesions.mark(own)
        assert np.array_equal(one.field, marked.field)
        for kind, mask in marked.lesions.items():
            assert np.array_equal(one.lesions[kind], mask)
            share = own.set_index("lesion").loc[kind, "pixels"] / own["crop_side"].iloc[0] ** 2
            assert mask.mean() == pytest.approx(share, rel=0.02)


@pytest.mark.parametrize("kind", ["NA", "NULL", "NAN", "INF", "TRUE"])
def test_any_word_in_capitals_is_a_type(kind: str, folder: Path) -> None:
    for path in [*(folder / "images").glob("*"), *(folder / "masks").glob("*")]:
        path.unlink()
    image = disc(WIDTH, HEIGHT, 200, 150, 130)
    cv2.imwrite(str(folder / "images/NA.png"), image[..., ::-1])
    (folder / f"masks/NA_{kind}.png").write_bytes(png(spot(180, 150)))
    paths = [folder / "photographs.csv", folder / "masks.csv"]
    lesions.write(collected(folder), paths[0], lesions.PHOTOGRAPHS, lambda _: None)
    lesions.write(measured(folder), paths[1], lesions.MASKS, lambda _: None)
    rows = lesions.scored(
        lesions.read(paths[0], lesions.PHOTOGRAPHS), lesions.read(paths[1], lesions.MASKS)
    )
    assert rows[["image", "patient", "lesion"]].to_numpy().tolist() == [["NA", "NA", kind]]
    assert lesions.choose(rows, 1) == ["NA"]
    assert list(lesions.mark(rows).lesions) == [kind]


def test_an_empty_set_is_written_and_read(folder: Path) -> None:
    for path in (folder / "masks").glob("*"):
        path.unlink()
    assert explained(folder) == []
    lesions.write(measured(folder), folder / "masks.csv", lesions.MASKS, lambda _: None)
    assert lesions.read(folder / "masks.csv", lesions.MASKS).empty
    lesions.mark_all(scored(folder), folder / "marks.h5")
    assert list(lesions.read_marks(folder / "marks.h5")) == []


def test_types_are_shown_in_one_order() -> None:
    assert lesion_types.order(["all", "OD", "XX", "EX", "MA", "AA"]) == [
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
