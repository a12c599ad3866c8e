"""An external set goes through the same manifest and records, without what the study has too."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from retinopathy import records, synthetic
from tests.workflow.conftest import SMALLEST, planned, snakemake

pytestmark = pytest.mark.workflow

OVERLAY = """
photographs: {reject_limit: 0.5}
external:
  outside:
    photographs: outside/photographs
    labels: outside/grades.tsv
    image_column: file
    level_column: grade
    levels: {R0: 0, R1: 1, R2: 2, R3: 3, R4: 4}
"""


def test_an_external_set_is_checked_and_compared(copied: Callable[[], Path]) -> None:
    project = copied()
    outside = project / "outside"
    drawn = synthetic.generate(outside, range(5), 77, [0.4, 0, 0.3, 0, 0.3], lambda _: None)
    grades = {f"{row.image}.jpeg": f"R{row.level}" for row in drawn.itertuples()}
    own = sorted((project / "resources/tests/synthetic").rglob("*.jpeg"))[:2]
    for number, path in enumerate(own):
        shutil.copy2(path, outside / f"photographs/copy_{number}.jpeg")
        grades[f"copy_{number}.jpeg"] = "R0"
    (outside / "photographs/odd.jpeg").write_bytes(b"<html>not found</html>")
    grades |= {"odd.jpeg": "R1", "gone.jpeg": "R2", str(drawn["image"][0]) + ".jpeg": "ungradable"}
    lines = "".join(f"{name}\t{grade}\n" for name, grade in grades.items())
    (outside / "grades.tsv").write_text("file\tgrade\n" + lines)
    (project / "external.yaml").write_text(OVERLAY)

    folder = project / "results/tests/external/outside"
    path = folder / "records/referable/75/part-0/shard-0.tfrecord"
    target = ("external.yaml", "--", str(path.relative_to(project)))
    snakemake(project, *SMALLEST, *target)

    rejects = pd.read_csv(folder / "rejects.csv").set_index("image")["reason"].to_dict()
    first = drawn["image"][0]
    expected = {"odd": "not an image", "gone": "label without file", first: "label out of range"}
    assert rejects == expected
    overlaps = pd.read_csv(folder / "overlaps.csv").set_index("image")
    assert overlaps["same_as"].to_dict() == {f"copy_{n}": path.stem for n, path in enumerate(own)}
    assert set(overlaps["how"]) == {"bytes"}
    rows = records.rows([path], 75)
    assert sorted(rows["image"]) == sorted(drawn["image"][1:])
    levels = drawn.set_index("image")["level"]
    assert (rows.set_index("image")["level"] == levels[rows["image"]]).all()
    assert planned(project, *target).rules == set()
    (project / "fewer.yaml").write_text("tasks: {referable: {photographs: 2}}")
    assert planned(project, "fewer.yaml", *target).rules == set()
