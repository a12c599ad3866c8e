"""A study is planned from its labels alone."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from tests.labelled import EXTREMES, REFERABLE, official, patients

import plan
import select_photographs
from retinopathy import manifest
from retinopathy.errors import Explained
from retinopathy.splits import Task


def planned(
    folder: Path,
    labels: list[Path],
    *tasks: Task,
    lists: Mapping[str, Path] | None = None,
    when_fewer: str = "use_all",
) -> pd.DataFrame:
    """Return the plan of some tasks, by task."""
    named = {task.name: task for task in tasks}
    rules = dict.fromkeys(named, when_fewer)
    columns = ("image", "level")
    plan.main(labels, columns, named, rules, lists or {}, 5, 1, folder / "plan.csv")
    return pd.read_csv(folder / "plan.csv", keep_default_na=False).set_index("task")


def test_a_plan_holds_when_every_photograph_is_usable(tmp_path: Path) -> None:
    table = patients(300).assign(status="ok")
    table.to_csv(tmp_path / "labels.csv", columns=["image", "level"], index=False)
    table.reindex(columns=list(manifest.COLUMNS)).to_csv(tmp_path / "manifest.csv", index=False)
    table = planned(tmp_path, [tmp_path / "labels.csv"], EXTREMES, REFERABLE)
    assert list(table[["asked", "balance", "list"]].loc["referable"]) == [200, "label", ""]
    assert int(table["possible"]["referable"]) > 200
    rows, chosen = tmp_path / "manifest.csv", tmp_path / "extremes.csv"
    select_photographs.main(rows, EXTREMES, "use_all", {}, 5, 1, chosen, tmp_path / "extremes.json")
    assert len(pd.read_csv(chosen)) == table["possible"]["extremes"]

    lists = {"extremes": chosen}
    again = planned(tmp_path, [tmp_path / "labels.csv"], EXTREMES, REFERABLE, lists=lists)
    known = [table["possible"]["extremes"]] * 2
    assert list(again[["asked", "possible"]].loc["extremes"]) == known
    assert list(again[["balance", "list"]].loc["extremes"]) == ["", str(chosen)]
    assert again["possible"]["referable"] == table["possible"]["referable"]


def test_only_one_sound_level_counts(tmp_path: Path) -> None:
    pairs = "".join(f"{number}_left,{number % 2 * 4}\n" for number in range(20))
    (tmp_path / "a.csv").write_text(f"image,level\n{pairs}bad,x\nfar,7\nempty,\n")
    (tmp_path / "b.csv").write_text("image,level\n0_left,4\n2_left.jpeg,0\n")
    table = planned(tmp_path, [tmp_path / "a.csv", tmp_path / "b.csv"], EXTREMES)
    assert [str(table.loc["extremes", f"level_{level}"]) for level in range(5)] == [
        "9", "", "", "", "10",
    ]  # fmt: skip
    (tmp_path / "a.csv").write_text("image,level\n1_left,4\n")
    (tmp_path / "plan.csv").unlink()
    with pytest.raises(Explained, match="received: 0 distinct"):
        planned(tmp_path, [tmp_path / "a.csv"], EXTREMES)
    assert not (tmp_path / "plan.csv").exists()


def test_what_the_official_labels_cannot_give_is_said(
    tmp_path: Path, real_photographs: Path
) -> None:
    official(real_photographs).to_csv(tmp_path / "labels.csv", index=False)
    task = dataclasses.replace(EXTREMES, photographs=5000)
    with pytest.raises(Explained, match=r"expected: 5000, [^$]*received: 1416 "):
        planned(tmp_path, [tmp_path / "labels.csv"], task, when_fewer="stop")
    table = planned(tmp_path, [tmp_path / "labels.csv"], task)
    counts = ["asked", "possible", "level_0", "level_4"]
    assert table[counts].astype("int64").to_numpy().tolist() == [[5000, 1416, 25810, 708]]
