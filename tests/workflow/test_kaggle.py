"""From Kaggle's files, which a stand-in serves, to the manifest."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from retinopathy import kaggle
from tests.drawn import disc, jpeg
from tests.kaggle_stand_in import TOKEN, StandIn, cut, running, zipped
from tests.workflow.conftest import SMALLEST, copy_project, snakemake

pytestmark = pytest.mark.workflow

OVERLAY = """
source:
  kind: kaggle
  photographs: resources/kaggle
  labels: resources/kaggle/trainLabels.csv
photographs:
  reject_limit: 0.5
"""
IMAGES = [f"{patient}_{eye}" for patient in range(1, 7) for eye in ("left", "right")]
LABELS = "image,level\n" + "".join(f"{image},{n % 5}\n" for n, image in enumerate(IMAGES))
MANIFEST = "results/tests/manifest.csv"


@pytest.fixture(scope="module")
def photographs() -> dict[str, bytes]:
    return {
        f"train/{image}.jpeg": jpeg(disc(200 + n, 180, 100 + n / 2, 90, 60 + n))
        for n, image in enumerate(IMAGES)
    }


@pytest.fixture
def stand_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, photographs: dict[str, bytes]
) -> Iterator[StandIn]:
    """Run a Kaggle whose training set has 12 photographs and one entry that wants to escape."""
    with running() as server:
        archive = zipped(photographs | {"../../escaped.jpeg": b"x"})
        parts = zip(kaggle.ARCHIVES["train"], cut(archive, 5), strict=True)
        server.files = dict(parts) | {
            kaggle.LABELS: zipped({"trainLabels.csv": LABELS.encode()}),
            "sample.zip": b"x",
        }
        monkeypatch.setenv("KAGGLE_API_ADDRESS", server.address)
        monkeypatch.setenv("KAGGLE_API_TOKEN", TOKEN)
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield server


@pytest.fixture
def project(tmp_path: Path) -> Path:
    copied = copy_project(tmp_path / "project")
    (copied / "kaggle.yaml").write_text(OVERLAY)
    return copied


def run(project: Path, *arguments: str, check: bool = True) -> str:
    """Run Snakemake for the smallest study on the competition's photographs."""
    overlays = [*SMALLEST, "kaggle.yaml"]
    return snakemake(project, *arguments, *overlays, check=check).stdout


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def parts_in(project: Path) -> set[str]:
    names = {path.name for path in (project / "resources/kaggle/archives").iterdir()}
    return names & set(kaggle.ARCHIVES["train"])


def test_labels_alone_then_photographs_then_nothing(project: Path, stand_in: StandIn) -> None:
    run(project, "--until", "kaggle_labels")
    assert stand_in.downloads() == [kaggle.LABELS]
    assert (project / "resources/tests/kaggle/labels.csv").read_text() == LABELS
    stand_in.asked.clear()

    run(project, MANIFEST)
    assert sorted(stand_in.downloads()) == list(kaggle.ARCHIVES["train"])
    assert {row["image"] for row in rows(project / MANIFEST)} >= set(IMAGES)
    accepted = {row["image"] for row in rows(project / MANIFEST) if row["status"] == "ok"}
    assert accepted == set(IMAGES)
    refused = rows(project / "resources/tests/kaggle/train_refused.csv")
    assert refused == [{"image": "escaped", "reason": "outside the folder"}]
    assert not list(project.parent.rglob("escaped.jpeg"))
    assert parts_in(project) == set(kaggle.ARCHIVES["train"])
    stand_in.asked.clear()

    assert "Nothing to be done" in run(project, MANIFEST)
    assert "\nkaggle_labels " not in run(project, "--until", "kaggle_labels")
    overlay = OVERLAY.replace("kind:", "remove_archives: true\n  kind:")
    (project / "kaggle.yaml").write_text(overlay)
    assert "Nothing to be done" in run(project, MANIFEST)
    assert stand_in.asked == []


def test_an_impossible_study_stops_before_the_archives(project: Path, stand_in: StandIn) -> None:
    overlay = "tasks: {extremes: {when_fewer: stop}}"
    (project / "kaggle.yaml").write_text(OVERLAY + overlay)
    said = run(project, MANIFEST, check=False)
    assert "too few photographs for the task extremes" in said
    assert "level 4: 2" in said
    assert stand_in.downloads() == [kaggle.LABELS]


def test_archives_are_removed_when_asked_and_stay_removed(project: Path, stand_in: StandIn) -> None:
    overlay = OVERLAY.replace("kind:", "remove_archives: true\n  kind:")
    (project / "kaggle.yaml").write_text(overlay)
    run(project, MANIFEST)
    assert parts_in(project) == set()
    assert len(list((project / "resources/kaggle/train").glob("*.jpeg"))) == len(IMAGES)
    stand_in.asked.clear()
    assert "Nothing to be done" in run(project, MANIFEST)
    # The photographs do for another study, too.
    other = [MANIFEST.replace("tests", "other"), "--config", "study=other"]
    run(project, *other)
    receipt = "kaggle/train.json"
    texts = {(project / "resources" / study / receipt).read_text() for study in ("tests", "other")}
    assert len(texts) == 1
    assert stand_in.downloads() == []


def test_a_refusal_is_said_once_and_what_came_before_is_kept(
    project: Path, stand_in: StandIn
) -> None:
    stand_in.refusal = "empty"
    said = run(project, "--keep-going", MANIFEST, check=False)
    assert said.count(f"{kaggle.PAGE}/rules") == 1
    stand_in.refusal = ""
    stand_in.always["train.zip.003"] = "wrong"
    said = run(project, "--keep-going", MANIFEST, check=False)
    assert said.count("train.zip.003.partial arrived with wrong bytes") == 1
    stand_in.always.clear()
    stand_in.asked.clear()
    run(project, MANIFEST)
    assert stand_in.downloads() == ["train.zip.003"]


def test_what_a_person_placed_is_used_without_a_login(
    project: Path,
    stand_in: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    photographs: dict[str, bytes],
) -> None:
    monkeypatch.delenv("KAGGLE_API_TOKEN")
    folder = project / "resources/kaggle"
    (folder / "train/deep").mkdir(parents=True)
    (folder / "trainLabels.csv").write_text(LABELS)
    for name, content in photographs.items():
        (folder / "train/deep" / Path(name).name).write_bytes(content)
    run(project, MANIFEST)
    assert len(rows(project / MANIFEST)) == len(IMAGES)
    assert "Nothing to be done" in run(project, MANIFEST)
    (folder / "train/1_left.png").write_bytes(b"")
    (folder / "train/deep/1_left.jpeg").unlink()
    assert "inspect_photographs" in run(project, "--dry-run", MANIFEST)
    assert stand_in.asked == []
