"""A study of hostile input runs to its end, and lists everything that it leaves out."""

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from retinopathy import decoding, entries, kaggle
from tests import hostile
from tests.drawn import disc, jpeg
from tests.kaggle_stand_in import cut, zipped
from tests.workflow.conftest import SMALLEST, snakemake

pytestmark = pytest.mark.workflow

OVERLAY = """
source: {kind: kaggle, sets: [train, test]}
photographs: {reject_limit: 0.9}
baselines: {inputs: [metadata]}
studies:
  sweep: {l2: [0]}
  depth: {depths: [head]}
"""


def archive() -> bytes:
    """Return an archive with a photograph, one that wants to escape, and a bomb."""
    members = {
        "test/900_left.jpeg": jpeg(disc(320, 240, 160, 120, 100)),
        "../../escaping.jpeg": jpeg(disc(320, 240, 150, 120, 100)),
        "test/bomb.jpeg": bytes(entries.RATIO * 200_000),
    }
    return zipped(members)


def table(rows: list[tuple[str, ...]]) -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows(rows)
    return stream.getvalue()


def test_a_hostile_study_runs_to_its_end(copied: Callable[[], Path]) -> None:
    """The training set is a hostile folder with a good study in it, the test set an archive."""
    project = copied()
    folder = project / "resources/kaggle"
    built = hostile.build(folder)
    (folder / "train").symlink_to("photographs")
    drawn = project / "resources/tests/synthetic"
    good = sorted(drawn.glob("shard-*/photographs/*.jpeg"))
    for path in good:
        shutil.copy2(path, folder / "train")
    levels = pd.concat([pd.read_csv(path, dtype=str) for path in drawn.glob("shard-?.csv")])
    rows = [*built.rows, *zip(levels["image"], levels["level"], strict=True)]
    copied_level = levels.set_index("image")["level"][good[0].stem]
    small = cv2.resize(decoding.decode(good[0].read_bytes()), None, fx=0.8, fy=0.8, interpolation=3)
    (folder / "train/zz_left.jpeg").write_bytes(jpeg(np.asarray(small, np.uint8)))
    rows.append(("zz_left", copied_level))
    (folder / "trainLabels.csv").write_text(table([("image", "level"), *rows]), newline="")
    solution = [("900_left", "0", "Public"), ("escaping", "0", "Public"), ("bomb", "4", "Private")]
    (folder / kaggle.SOLUTION).write_text(table([("image", "level", "Usage"), *solution]))
    (folder / "archives").mkdir()
    for name, part in zip(kaggle.ARCHIVES["test"], cut(archive(), 7), strict=True):
        (folder / "archives" / name).write_bytes(part)
    (project / "hostile.yaml").write_text(OVERLAY)
    shutil.rmtree(project / "results/tests")

    snakemake(
        project,
        *SMALLEST,
        "hostile.yaml",
        "--resources",
        "gpu=2",
        "--set-threads",
        *(f"{rule}=1" for rule in ("finetune", "features", "score", "saliency", "initial_random")),
    )

    study = project / "results/tests"
    assert (study / "summary.html").is_file()
    manifest = pd.read_csv(study / "manifest.csv", dtype=str, keep_default_na=False)
    expected = built.expected | dict.fromkeys((path.stem for path in good), "ok")
    expected |= {"zz_left": f"copy of {good[0].stem}"}
    expected |= {"900_left": "ok", "escaping": entries.OUTSIDE, "bomb": entries.TOO_LARGE}
    assert dict(zip(manifest["image"], manifest["status"], strict=True)) == expected
    assert len(manifest) == len(expected)
    rejects = pd.read_csv(study / "rejects.csv", dtype=str, keep_default_na=False)
    reasons = dict(zip(rejects["image"], rejects["reason"], strict=True))
    assert reasons == {image: status for image, status in expected.items() if status != "ok"}
    assert len(set(reasons.values())) >= 20 and len(reasons) >= 60
    assert not [*project.rglob("escaping*")]
    page = (study / "data_card.html").read_text()
    for reason in ("truncated", "not an image", "unreadable name", entries.OUTSIDE):
        assert f"<td>{reason}</td>" in page
