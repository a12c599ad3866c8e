"""The data card: its tables by hand, and the page of a few drawn photographs."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.drawn import disc, jpeg

import data_card
import fellow_eye
import select_photographs
import split
from retinopathy import card, card_figures, decoding, inspection, manifest
from retinopathy.page import Page
from retinopathy.splits import Task


def test_counts_per_set_have_every_level() -> None:
    sets = {
        name: pd.DataFrame({"level": pd.array(levels, "Int64")})
        for name, levels in {"b": [4, 0, 4], "a": [1]}.items()
    }
    counts = card.levels(sets)
    assert counts.to_numpy().tolist() == [["b", 0, 1], ["b", 4, 2], ["a", 1, 1]]
    assert card.by_set(counts).to_numpy().tolist() == [["b", 1, 0, 0, 0, 2], ["a", 0, 1, 0, 0, 0]]


def test_sizes_are_counted_per_level() -> None:
    table = pd.DataFrame({"width": [4, 4, 3, 4], "height": [3, 3, 4, 3], "level": [0, 4, 1, 0]})
    table = table.astype("Int64")
    assert card.sizes(table).to_numpy().tolist() == [
        ["4 × 3", 3, 2, 0, 0, 0, 1],
        ["3 × 4", 1, 0, 1, 0, 0, 0],
    ]
    many = pd.DataFrame({"width": [*range(1, 30), 1], "height": 5, "level": 2}).astype("Int64")
    counts = card.sizes(many)
    assert counts["photographs"].sum() == counts["level_2"].sum() == 30
    assert list(counts.iloc[0][["size", "photographs"]]) == ["1 × 5", 2]
    assert list(counts.iloc[-1][["size", "photographs"]]) == ["17 other sizes", 17]


def test_rejects_are_chosen_evenly_over_the_reasons() -> None:
    statuses = ["ok", *["black"] * 9, *(f"duplicate of {n}" for n in range(9)), "truncated"]
    table = pd.DataFrame({"image": range(len(statuses)), "status": statuses})
    chosen = card.some_rejects(table, 8)
    assert manifest.kinds(chosen["status"]).value_counts().to_dict() == {
        "black": 4,
        "duplicate": 3,
        "truncated": 1,
    }
    assert chosen["image"].is_unique
    assert len(card.some_rejects(table, 100)) == 19
    assert card.some_rejects(table.iloc[:1], 8).empty


def test_external_sets_are_counted_without_what_the_study_has() -> None:
    rows = pd.DataFrame(
        {"image": list("abcd"), "level": [0, 4, 4, 2], "status": ["ok", "ok", "ok", "black"]}
    )
    rows = pd.concat([rows.assign(path="p"), rows.tail(1).assign(image="e", path="")])
    (row,) = card.external({"x": (rows, pd.DataFrame({"image": ["c"]}))}).to_dict("records")
    counts = {"set": "x", "photographs": 4, "without_file": 1, "rejected": 1, "in_the_study": 1}
    assert row == counts | {"level_0": 1, "level_1": 0, "level_2": 0, "level_3": 0, "level_4": 1}


def test_splits_of_folds_are_left_to_their_file() -> None:
    row = {"patients_shared": 0, "photographs": 9, "patients": 5, "label_0": 4, "task": "t"}
    proofs = pd.DataFrame([row | {"fold": fold, "split": "test"} for fold in ("holdout", "0")])
    shown = card.holdout(proofs)
    assert list(shown.columns) == ["task", "split", "photographs", "patients", "patients_shared",
                                   "label_0"]  # fmt: skip
    assert len(shown) == 1


def test_tasks_say_whether_a_list_was_used() -> None:
    dealt = {"task": "a", "asked": 8, "balance": "level", "list": None, "seed": 12345}
    listed = {"task": "b", "asked": 4, "balance": None, "list": "b.csv", "seed": None}
    page = Page("")
    shown = card.tasks(pd.DataFrame([dealt, listed]))
    page.table(shown, list(shown.columns))
    cells = [re.findall("<td>(.*)</td>", row) for row in page.html().split("<tr")[2:]]
    assert cells == [["a", "8", "level", "none", "12345"], ["b", "4", "as listed", "b.csv", "none"]]


def test_patients_that_cross_between_tasks_are_counted() -> None:
    one = pd.DataFrame({"patient": ["1", "2"], "split": ["train", "test"]})
    assert card.crossing({"a": one, "b": one}) == 0
    assert card.crossing({"a": one, "b": one.assign(split="train")}) == 1


def test_what_cannot_be_decoded_has_an_empty_tile(tmp_path: Path) -> None:
    (tmp_path / "good.jpeg").write_bytes(jpeg(disc(400, 300, 200, 150, 140)))
    (tmp_path / "bad.jpeg").write_bytes(b"no photograph")
    (tmp_path / "folder.jpeg").mkdir()
    paths = [str(tmp_path / f"{name}.jpeg") for name in ("good", "bad", "folder", "gone")]
    rows = pd.DataFrame({"image": ["$a_{$ ü", "b", "c", "d", "e"], "status": "why " * 40})
    tiles = card_figures.rejects(rows.assign(path=[*paths, ""]))
    assert [tile.image is None for tile in tiles] == [False, True, True, True, True]
    assert tiles[0].image is not None
    assert tiles[0].image.shape == (210, 280, 3)
    shapes = []
    for number in (1, 4, 15):
        card_figures.sheet((tiles * 3)[:number], 4, tmp_path / "sheet.png")
        shapes.append(decoding.decode((tmp_path / "sheet.png").read_bytes()).shape)
    # A row is as high as its tiles and titles, and a sheet as high as its rows.
    assert shapes[0][0] <= shapes[1][0] < shapes[0][1] / 2
    assert shapes[2][0] > 3 * shapes[0][0]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return a folder with the manifest of 24 patients, each photograph of its own brightness."""
    rows = []
    for number in range(48):
        image = f"{number // 2}_{('left', 'right')[number % 2]}"
        path = tmp_path / f"{image}.jpeg"
        light = disc(400, 300, 200, 150, 130) * (0.5 + number / 100)
        path.write_bytes(jpeg(np.asarray(light, np.uint8)))
        rows.append(inspection.inspect(image, path) | {"level": number // 2 % 5})
    table = pd.DataFrame(rows).reindex(columns=list(manifest.COLUMNS))
    table.assign(saturation=100.0, quality="").to_csv(tmp_path / "manifest.csv", index=False)
    return tmp_path


def carded(study: Path) -> str:
    """Make the data card of a study and what it stands on; return the page."""
    task = Task("referable", (0, 1), (2, 3, 4), 20, "label")
    listed, record = study / "list.csv", study / "list.json"
    select_photographs.main(study / "manifest.csv", task, "stop", {}, 5, 1, listed, record)
    roles = {"train": [0, 1, 2], "validation": [3], "test": [4]}
    split.main(listed, roles, [], study / "split.csv", study / "proof.csv")
    table = study / "fellow.csv"
    fellow_eye.main(study / "manifest.csv", [task], 1, 200, table, study / "fellow.md")
    outputs = {name: study / f"{name}.csv" for name in ("table", "sizes_table", "duplicates")}
    outputs |= {name: study / f"{name}.png" for name in card.FIGURES}
    outputs["page"] = study / "page.html"
    tasks, proofs = {"referable": study / "split.csv"}, {"referable": study / "proof.csv"}
    (study / "overlaps.csv").write_text("image,same_as,how\n0_left,0_left,bytes\n")
    external = {"outside": (study / "manifest.csv", study / "overlaps.csv")}
    data_card.main("s", study / "manifest.csv", tasks, proofs, [record], table, external, outputs)
    assert all(path.stat().st_size > 0 for path in outputs.values())
    return outputs["page"].read_text()


def test_the_page_says_what_there_is(study: Path) -> None:
    table = pd.read_csv(study / "manifest.csv", dtype=str, keep_default_na=False)
    table.loc[0, "status"] = "black"
    table.loc[1, "status"] = "duplicate of 1_left"
    table.loc[1, "sha256"] = table["sha256"][2]
    table.loc[46, "status"] = "copy of 1_left"
    table.loc[47, "status"] = "label without file"
    table.loc[47, "path"] = ""
    table.loc[:3, "circle_found"] = "False"
    table["quality"] = ["good", "bad", "", ""] * 12
    table.to_csv(study / "manifest.csv", index=False)
    page = carded(study)
    assert "44 of 47 photographs can be used; they come from 22 patients." in page
    assert "In 2 photographs the outline of the retina was not found" in page
    assert "For 1 further image there is no file" in page
    assert json.loads((study / "list.json").read_text())["hash"] in page
    assert "label 0 is levels 0, 1, and label 1 is levels 2, 3, 4" in page
    assert "<td>label</td>" in page
    assert "splits of the other folds are in" not in page
    assert "same level in 100%" in page
    assert "AUC of 1.000" in page
    assert "1 pair with the same bytes, 1 pair that show the same picture" in page
    assert "<td>black</td>" in page
    assert "<td>bad</td>" in page
    assert f"<td>{card.UNGRADED}</td>\n      <td>22</td>" in page
    assert "grades exclude none" in page
    assert "external/&lt;set&gt;/overlaps.csv" in page
    assert "_" not in "".join(re.findall("<th>(.*)</th>", page))
    assert page.count("<img") == len(card.FIGURES)
    assert list(pd.read_csv(study / "duplicates.csv")["how"]) == ["bytes", "pixels"]
    assert pd.read_csv(study / "sizes_table.csv")["photographs"].sum() == 44


def test_a_study_without_rejects_and_grades_says_so(study: Path) -> None:
    page = carded(study)
    assert "No photograph was rejected." in page
    assert "No published grades of quality were given." in page
    assert "No photograph was found to be there twice." in page
    assert "The outline of the retina was found in each." in page
    assert "there is no file" not in page
    assert page.count("<img") == len(card.FIGURES) - 1


def test_a_study_of_single_eyes_says_that_there_are_no_fellows(study: Path) -> None:
    table = pd.read_csv(study / "manifest.csv", dtype=str, keep_default_na=False)
    table = table.assign(eye="", patient=table["image"])
    table.to_csv(study / "manifest.csv", index=False)
    assert "too few photographs whose fellow eye is usable" in carded(study)
