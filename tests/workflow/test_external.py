"""An external set goes through the same manifest and records, without what the study has too."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from retinopathy import external_tables, records, synthetic, tables
from retinopathy.files import read_json
from tests.workflow.conftest import SMALLEST, planned, snakemake

pytestmark = pytest.mark.workflow

OVERLAY = """
external:
  outside:
    photographs: outside/photographs
    labels: outside/grades.tsv
    image_column: file
    level_column: grade
    levels: {R0: 0, R1: 1, R2: 2, R3: 3, R4: 4}
"""


def test_an_external_set_is_checked_and_scored(copied: Callable[[], Path]) -> None:
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
    scored = (*target, "results/tests/tables/external.csv")
    trained = {"finetune", "freeze", "score", "features", "manifest", "records"}
    assert not planned(project, *scored).rules & trained
    snakemake(project, *SMALLEST, *scored)

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
    assert_scored(project, levels[rows["image"]])
    assert planned(project, *scored).rules == set()
    (project / "fewer.yaml").write_text("tasks: {referable: {photographs: 20}}")
    assert planned(project, "fewer.yaml", *target).rules == set()


def assert_scored(project: Path, levels: pd.Series) -> None:
    """Every final run predicted the set, and was judged at the threshold that it had before."""
    results = project / "results/tests"
    table = tables.read(results / "tables/external.csv", external_tables.COLUMNS)
    assert table["case"].to_list() == ["xception 75", "xception 96"]
    assert set(table["set"]) == {"outside"}
    assert set(table["n"]) == {len(levels)}
    assert set(table["positives"]) == {(levels >= 2).sum()}
    assert set(table["initialisation"]) == {"random, frozen features"}
    assert ((table["auc_low"] <= table["auc"]) & (table["auc"] <= table["auc_high"])).all()
    predicted = sorted(results.glob("external/outside/runs/**/predictions.csv"))
    assert len(predicted) == len(table)
    for path in predicted:
        scores = tables.read(path, tables.PREDICTIONS)
        assert sorted(scores["image"]) == sorted(levels.index)
        assert set(scores["split"]) == {"external"}
        run = path.parent.relative_to(results / "external/outside/runs")
        threshold = read_json(results / "runs" / run / "operating.json")["threshold"]
        (row,) = table[table["size"] == int(run.parts[2])].to_dict("records")
        assert row["threshold"] == pytest.approx(threshold)
        right = (scores["probability"] >= threshold) == scores["label"]
        assert row["accuracy"] == pytest.approx(right.mean())
