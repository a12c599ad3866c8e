"""Means with their intervals, tables of the sanity checks, and what is drawn of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from retinopathy import (
    deletion,
    means,
    methods,
    sanity_figures,
    sanity_maps,
    sanity_sheets,
    sanity_tables,
    similarity,
)
from retinopathy.runs import Run
from retinopathy.sanity_tables import Checked

RUN = Run("referable", "xception", 96, "imagenet", "head", 0.001, 0.0, 0.5, "holdout", 3)
RECORD = {"starts_from": "random, frozen features", "outcome": "finished"}
PATIENTS = [str(place // 2) for place in range(12)]


# Means --------------------------------------------------------------------------------------------


def values(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"patient": PATIENTS} | columns)


def test_the_interval_is_that_of_the_mean_over_patients() -> None:
    """Against the normal interval of many patients whose two eyes have the same value."""
    drawn = np.random.default_rng(1).normal(2, 3, 400)
    rows = pd.DataFrame(
        {"patient": np.repeat(np.arange(400), 2).astype(str), "x": np.repeat(drawn, 2)}
    )
    found = means.with_intervals(rows, ["x"], 1, 4000)
    reach = 1.96 * drawn.std() / np.sqrt(400)
    assert found["x"] == pytest.approx(drawn.mean())
    assert found["x_low"] == pytest.approx(drawn.mean() - reach, abs=0.03)
    assert found["x_high"] == pytest.approx(drawn.mean() + reach, abs=0.03)
    assert (found["n"], found["patients"], found["reason"]) == (800, 400, "")


def test_what_is_undefined_does_not_count() -> None:
    x = np.arange(12.0)
    x[[0, 1, 4]] = np.nan
    found = means.with_intervals(values(x=x, y=1.0), ["x", "y"], 1, 200)
    assert (found["n"], found["patients"]) == (9, 5)
    assert found["x"] == pytest.approx(np.nanmean(x))
    assert (found["y"], found["y_low"], found["y_high"]) == (1, 1, 1)


@pytest.mark.parametrize(("known", "reason"), [(8, "fewer than 5"), (0, "every photograph")])
def test_few_patients_have_no_interval(known: int, reason: str) -> None:
    x = np.where(np.arange(12) < known, 1.0, np.nan)
    found = means.with_intervals(values(x=x), ["x"], 1, 200)
    assert np.isnan(found["x_low"]) and np.isnan(found["x_high"])
    assert np.isnan(found["x"]) == (known == 0)
    assert reason in found["reason"]


# Tables -------------------------------------------------------------------------------------------


def similarities() -> pd.DataFrame:
    rows = [
        (f"{patient}_{eye}", patient, method, kind, stage, share, 0.5 + 0.01 * int(patient), 0.25)
        for patient in map(str, range(6))
        for eye in ("left", "right")
        for method in ("cam", "grad_cam")
        for kind, stage, share in (
            ("cascading", "head", 0.1),
            ("cascading", "block14", 1.0),
            ("independent", "head", 0.1),
        )
    ]
    table = pd.DataFrame(rows, columns=list(similarity.SIMILARITIES))
    nowhere = (table["method"] == "grad_cam") & (table["patient"].astype(int) < 3)
    table.loc[nowhere, ["similarity", "ssim"]] = np.nan
    return table


def test_similarities_become_means_with_their_counts() -> None:
    table = sanity_tables.randomisation([Checked(RUN, RECORD, similarities())], 200)
    assert list(table.columns) == list(sanity_tables.RANDOMISATION)
    assert len(table) == 6
    cam, grad_cam = (table[table["method"] == name].iloc[0] for name in ("cam", "grad_cam"))
    assert cam["similarity"] == pytest.approx(0.525)
    assert (cam["n"], cam["undefined"], cam["patients"]) == (12, 0, 6)
    assert cam["similarity_low"] < 0.525 < cam["similarity_high"]
    assert (grad_cam["n"], grad_cam["undefined"], grad_cam["patients"]) == (6, 6, 3)
    assert grad_cam["similarity"] == pytest.approx(0.54)
    assert np.isnan(grad_cam["similarity_low"])
    assert set(table["initialisation"]) == {"random, frozen features"}
    assert set(table["seed"]) == {3}


def test_a_run_that_diverged_is_a_row_that_says_so() -> None:
    diverged = Checked(RUN, RECORD | {"outcome": "diverged"}, pd.DataFrame())
    for make, columns in (
        (sanity_tables.randomisation, similarity.SIMILARITIES),
        (sanity_tables.class_swap, similarity.SWAPS),
        (sanity_tables.areas, deletion.CURVES),
        (sanity_tables.curves, deletion.CURVES),
    ):
        nothing = pd.DataFrame(columns=list(columns))
        (row,) = make([Checked(RUN, diverged.record, nothing)], 10).to_dict("records")
        assert (row["n"], row["reason"]) == (0, "the run diverged")
        (row,) = make([Checked(RUN, RECORD, nothing)], 10).to_dict("records")
        assert (row["n"], row["reason"]) == (0, sanity_tables.NOBODY)


def deleted() -> pd.DataFrame:
    generator = np.random.default_rng(2)
    parts = []
    for place, patient in enumerate(PATIENTS):
        for method in ("cam", "grad_cam", *methods.ORDERS):
            for kind, slope in (("deletion", -2), ("insertion", 2)):
                steep = slope * (2 if method == "cam" else 1) + generator.normal(0, 0.1)
                logit = 1 + steep * np.array(deletion.AREAS)
                known = {"image": f"{place}", "patient": patient, "method": method, "kind": kind}
                curve = {"share": deletion.AREAS, "logit": logit, "probability": 0.5}
                parts.append(pd.DataFrame(known | curve))
    return pd.concat(parts, ignore_index=True)[list(deletion.CURVES)]


def test_areas_and_curves_become_means() -> None:
    checked = [Checked(RUN, RECORD, deleted())]
    areas, curves = sanity_tables.areas(checked, 200), sanity_tables.curves(checked, 200)
    assert list(areas.columns) == list(sanity_tables.DELETION)
    assert len(areas) == 10
    for row in areas[areas["method"] == "cam"].to_dict("records"):
        assert row["over_patches"] == pytest.approx(1, abs=0.1)
        assert 0 < row["over_patches_low"] < row["over_patches"] < row["over_patches_high"]
    own = curves[(curves["method"] == "cam") & (curves["kind"] == "deletion")]
    assert tuple(own["share"]) == deletion.AREAS
    assert own["logit"].iloc[-1] == pytest.approx(-3, abs=0.1)


def test_without_patches_of_its_size_a_network_keeps_its_other_areas(tmp_path: Path) -> None:
    """A CAM of a single cell is the same everywhere, and so are patches as large as it."""
    rows = deleted()
    flat = rows["method"].isin(["cam", methods.PATCHES])
    rows.loc[flat, ["logit", "probability"]] = np.nan
    areas = sanity_tables.areas([Checked(RUN, RECORD, rows)], 200)
    lost = areas["method"].isin(["cam", methods.PATCHES])
    assert (areas.loc[lost, "n"] == 0).all()
    known = areas[~lost]
    assert len(known) == 6
    assert (known["n"] == rows["image"].nunique()).all()
    assert known[["logit_area", "logit_area_low"]].notna().all(axis=None)
    assert known["over_patches"].isna().all()
    assert (known["over_pixels"].isna() == (known["method"] == methods.PIXELS)).all()
    curves = sanity_tables.curves([Checked(RUN, RECORD, rows)], 200)
    titles = {"cam": "CAM", "grad_cam": "Grad-CAM", **methods.ORDERS}
    sanity_figures.deletion(curves, areas, titles, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 5000


# Figures ------------------------------------------------------------------------------------------

TITLES = {"cam": "CAM", "grad_cam": "Grad-CAM"}


def test_figures_are_drawn_of_what_is_there_and_of_what_is_not(tmp_path: Path) -> None:
    other = Run("referable", "densenet169", 96, "imagenet", "head", 0.001, 0.0, 0.5, "holdout", 3)
    gone = RECORD | {"outcome": "diverged"}
    randomised = [
        Checked(RUN, RECORD, similarities()),
        Checked(other, gone, pd.DataFrame(columns=list(similarity.SIMILARITIES))),
    ]
    curves = [
        Checked(RUN, RECORD, deleted()),
        Checked(other, gone, pd.DataFrame(columns=list(deletion.CURVES))),
    ]
    for some, cases in (("both", (0, 1)), ("first", (0,)), ("none", (1,))):
        first, second = (tmp_path / f"{some}-{name}.png" for name in ("randomised", "deleted"))
        chosen = [randomised[place] for place in cases]
        sanity_figures.randomisation(sanity_tables.randomisation(chosen, 50), TITLES, first)
        chosen = [curves[place] for place in cases]
        sanity_figures.deletion(
            sanity_tables.curves(chosen, 50),
            sanity_tables.areas(chosen, 50),
            TITLES | dict(methods.ORDERS),
            second,
        )
        assert first.stat().st_size > 5000
        assert second.stat().st_size > 5000


def test_a_sheet_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    heat = generator.random((3, 8, 8), dtype=np.float32)
    heat[1] = 0
    sheet = sanity_maps.Sheet(
        title="Xception",
        seen=generator.integers(0, 256, (8, 8, 3), dtype=np.uint8),
        inside=np.ones((8, 8), bool),
        states=("trained", "head random", "all random"),
        heat={"Guided Grad-CAM": heat, "CAM": heat[:, :3, :3]},
        similarity={name: np.array([1, np.nan, 0.25]) for name in ("Guided Grad-CAM", "CAM")},
    )
    sanity_maps.write(tmp_path / "sheet.h5", sheet)
    read = sanity_maps.read(tmp_path / "sheet.h5")
    assert read is not None
    assert (read.title, read.states) == (sheet.title, sheet.states)
    assert list(read.heat) == ["Guided Grad-CAM", "CAM"]
    for name in sheet.heat:
        assert np.array_equal(read.heat[name], sheet.heat[name])
        assert np.array_equal(read.similarity[name], sheet.similarity[name], equal_nan=True)
    assert np.array_equal(read.seen, sheet.seen)
    sanity_sheets.draw(read, tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 5000


def test_no_sheet_comes_back_as_none(tmp_path: Path) -> None:
    sanity_maps.write(tmp_path / "sheet.h5", None)
    assert sanity_maps.read(tmp_path / "sheet.h5") is None
