"""Scores against lesions, of the set that the synthetic source brings and of a folder."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from retinopathy import lesion_types, lesions, localisation_tables, tables
from retinopathy.manifest import usable
from tests.workflow.conftest import SMALLEST, Plan, planned, snakemake

pytestmark = pytest.mark.workflow

MADE = (
    "results/tests/tables/localisation.csv",
    "results/tests/figures/localisation.png",
    "results/tests/figures/lesions/synthetic-referable-xception.png",
    "results/tests/figures/lesions/folder-referable-xception.png",
)


@pytest.fixture(scope="module")
def study(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the results of a copy with the scores of two sets: one is of other patients' eyes.

    Photographs of the folder are mirrored: the study has none of them.
    """
    place = tmp_path_factory.mktemp("lesions")
    project = Path(shutil.copytree(finished, place / "project", symlinks=True))
    drawn = project / "resources/tests/synthetic/shard-0"
    masked = sorted({path.name.rsplit("_", 1)[0] for path in (drawn / "masks").glob("*.png")})
    for folder in ("photographs", "masks"):
        (place / folder).mkdir()
    for image in masked[:6]:
        files = [drawn / f"photographs/{image}.jpeg", *(drawn / "masks").glob(f"{image}_*.png")]
        for path in files:
            mirrored = np.flip(np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)), 1)
            cv2.imwrite(str(place / path.parent.name / f"9{path.name}"), mirrored)
    one = drawn / f"photographs/{masked[0]}.jpeg"
    shutil.copy(one, place / "photographs/known.jpeg")
    shutil.copy(next((drawn / "masks").glob(f"{masked[0]}_*.png")), place / "masks/known_MA.png")
    more = place / "more.yaml"
    more.write_text(
        f"lesions: {{sets: {{folder: {{photographs: {place}/photographs, masks: {place}/masks}}}}}}"
    )
    snakemake(project, *SMALLEST, str(more), "--resources", "gpu=1", "--", *MADE)
    return project / "results/tests"


def test_the_set_of_the_study_is_of_its_test_split(study: Path) -> None:
    path = study / "lesions/synthetic/referable/photographs.csv"
    table = lesions.read(path, lesions.PHOTOGRAPHS)
    split = tables.read(study / "splits/referable.csv", ("image", "split"))
    assert set(table["image"]) == set(split.loc[split["split"] == "test", "image"])
    assert 0 < len(usable(table)) <= 4


def test_a_photograph_that_the_study_has_is_left_out_of_a_folder(study: Path) -> None:
    path = study / "lesions/folder/referable/photographs.csv"
    table = lesions.read(path, lesions.PHOTOGRAPHS)
    known = table[table["image"] == "known"]
    assert known["status"].str.startswith("in the study too, as ").all()
    assert len(usable(table)) == 4
    assert "known" not in set(usable(table)["image"])


def test_every_method_size_and_control_is_scored(study: Path) -> None:
    table = tables.read(study / "tables/localisation.csv", localisation_tables.COLUMNS)
    assert set(table["set"]) == {"synthetic", "folder"}
    assert dict(zip(table["set"], table["split"], strict=True)) == {
        "synthetic": "test",
        "folder": "external",
    }
    networks = table[table["control"] != localisation_tables.CONTROL]
    rows = networks.groupby(["set", "size", "control", "lesion"])["method"].nunique()
    trained = rows.index.get_level_values("control") == localisation_tables.TRAINED
    assert (rows == 6).all()
    assert trained.sum() == (~trained).sum()
    assert set(networks["size"]) == {75, 96}
    values = table[list(lesion_types.METRICS)].to_numpy(float)
    assert ((values >= 0) & (values <= 1)).all()
    uniform = table[table["method"] == "uniform"]
    for name in ("energy", "average_precision"):
        assert uniform[name].to_numpy() == pytest.approx(uniform["lesion_share"].to_numpy())


def test_what_is_compared_is_said_in_words(study: Path) -> None:
    path = study / "tables/localisation_differences.csv"
    table = tables.read(path, localisation_tables.DIFFERENCES)
    assert {
        "trained network − uniform",
        "trained network − random network",
        "96 px − 75 px",
    } <= set(table["compared"])


def test_figures_are_there(study: Path) -> None:
    for name in MADE[1:]:
        assert (study.parents[1] / name).stat().st_size > 10_000


def test_an_edited_mask_is_scored_anew_and_nothing_is_explained_anew(study: Path) -> None:
    project = study.parents[1]
    target = (str(project.parent / "more.yaml"), "--", *MADE)
    assert planned(project, *target) == Plan(set(), set())
    path = next((project.parent / "masks").glob("9*_left_*.png"))
    before, facts = path.read_bytes(), path.stat()
    cv2.imwrite(str(path), np.flip(np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)), 0))
    stale = planned(project, *target)
    assert stale == Plan(
        {
            "lesion_marks",
            "lesion_scores",
            "lesion_controls",
            "lesion_sheet",
            "localisation_table",
            "localisation_figure",
        },
        {"lesion_marks"},
    )
    path.write_bytes(before)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert planned(project, *target) == Plan(set(), set())


def test_a_mask_of_another_photograph_reruns_what_is_explained(study: Path) -> None:
    project = study.parents[1]
    target = (str(project.parent / "more.yaml"), "--", *MADE)
    path = project.parent / "masks/9added_MA.png"
    shutil.copy(next((project.parent / "masks").glob("9*_left_*.png")), path)
    assert {"lesion_set", "lesion_maps"} <= planned(project, *target).rules
    path.unlink()


def test_a_folder_that_is_not_there_stops_it_before_any_job(study: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.yaml"
    folder = study / "lesions"
    more.write_text(f"lesions: {{sets: {{mine: {{photographs: {folder}, masks: {folder}/no}}}}}}\n")
    done = snakemake(study.parents[1], *SMALLEST, str(more), "--dry-run", check=False)
    assert done.returncode != 0
    assert "lesions.sets.mine.masks is not there" in done.stdout


def test_a_study_without_sets_needs_nothing_and_says_so(
    copied: Callable[[], Path], tmp_path: Path
) -> None:
    project = copied()
    folder = project / "resources/tests/synthetic/shard-0/photographs"
    labels = tmp_path / "labels.csv"
    pd.DataFrame({"image": ["0_left"], "level": [0]}).to_csv(labels, index=False)
    more = tmp_path / "more.yaml"
    more.write_text(f"source: {{kind: folder, photographs: {folder}, labels: {labels}}}\n")
    made = "results/tests/figures/localisation.png"
    snakemake(project, *SMALLEST, str(more), "--", made)
    for name in ("localisation", "localisation_differences"):
        assert pd.read_csv(project / f"results/tests/tables/{name}.csv").empty
    assert (project / made).stat().st_size > 1000
