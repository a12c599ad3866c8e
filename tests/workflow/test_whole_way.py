"""The smallest study, judged by what must hold whatever the numbers are."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retinopathy import costs, flips, tables
from retinopathy.page import embedded
from tests.workflow.conftest import SMALLEST, files_of, inputs_of, snakemake

pytestmark = pytest.mark.workflow

TABLES = (
    "baselines",
    "sweep",
    "regularisation",
    "depth",
    "depth_test",
    "networks",
    "initialisation",
    "learning_curve",
    "leakage",
)


@pytest.fixture(scope="module")
def study(finished: Path) -> Path:
    return finished / "results/tests"


def records(study: Path) -> list[Path]:
    return sorted(study.glob("runs/**/record.json"))


def test_every_photograph_is_in_the_manifest_with_a_status(study: Path) -> None:
    manifest = pd.read_csv(study / "manifest.csv", dtype=tables.TEXT)
    photographs = [*(study.parents[1] / "resources/tests/synthetic").rglob("*.jpeg")]
    assert sorted(manifest["image"]) == sorted(path.stem for path in photographs)
    assert manifest["status"].notna().all()
    assert len(pd.read_csv(study / "rejects.csv")) == (manifest["status"] != "ok").sum()


def test_no_patient_crosses_a_split_or_changes_it_between_tasks(study: Path) -> None:
    splits = [
        pd.read_csv(study / f"splits/{task}.csv", dtype=tables.TEXT)
        for task in ("extremes", "referable")
    ]
    together = pd.concat(splits)
    assert (together.groupby("patient")["split"].nunique() == 1).all()
    for table in splits:
        counts = table.groupby(["part", "label"]).size().unstack()
        assert (counts[0] == counts[1]).all()
    for task in ("extremes", "referable"):
        assert (pd.read_csv(study / f"splits/{task}_proof.csv")["patients_shared"] == 0).all()


def test_the_control_shares_patients_and_says_so(study: Path) -> None:
    proof = pd.read_csv(study / "splits/referable_leaking_proof.csv")
    usual = pd.read_csv(study / "splits/referable_proof.csv")
    assert (proof["patients_shared"] > 0).all()
    assert proof["control"].str.startswith("control").all()
    counts = ["split", "photographs", "label_0", "label_1", "level_0", "level_4"]
    pd.testing.assert_frame_equal(proof[counts], usual[counts])
    table = tables.read(study / "tables/leakage.csv", tables.METRICS)
    apart, leaking = table["fellow_in_train"]
    assert apart == 0 < leaking <= 1


def test_nothing_but_the_study_of_leakage_uses_the_control(finished: Path) -> None:
    graph = files_of(finished, *SMALLEST)

    def users(mark: str) -> set[str]:
        return {
            file.removeprefix("results/tests/")
            for file, inputs in graph.items()
            if mark not in file and any(mark in path for path in inputs)
        }

    endings = (".csv", ".md", "_seeds.csv", "_curves.csv")
    assert users("_leaking") == {f"tables/leakage{ending}" for ending in endings}
    # The costs read no table: they come after whatever cost something.
    later = {"summary.html", "tables/benchmarks.csv", "tables/benchmarks.md"}
    assert users("/leakage") == later


@pytest.mark.parametrize("name", TABLES)
def test_tables_have_the_columns_that_others_read(study: Path, name: str) -> None:
    table = tables.read(study / f"tables/{name}.csv", tables.METRICS)
    assert len(table) > 0
    assert (study / f"tables/{name}.md").stat().st_size > 0
    scored = table.dropna(subset=["auc"])
    assert scored["auc"].between(0, 1).all()
    assert (scored["auc_low"] <= scored["auc"]).all()
    assert (scored["auc"] <= scored["auc_high"]).all()


def test_every_row_shows_what_its_weights_started_from(study: Path) -> None:
    for name in TABLES[1:]:
        table = tables.read(study / f"tables/{name}.csv", tables.METRICS)
        controls = {"random, all"} if name == "initialisation" else set()
        assert set(table["initialisation"]) == {"random, frozen features"} | controls


def test_predictions_are_those_of_the_split(study: Path) -> None:
    for record in records(study):
        run = json.loads(record.read_text())
        split = pd.read_csv(study / f"splits/{run['task']}.csv", dtype=tables.TEXT)
        for name in ("validation", "test"):
            path = record.with_name(f"{name}.csv")
            if path.is_file():
                predicted = tables.read(path, tables.PREDICTIONS)
                expected = split.loc[split["split"] == name, "image"]
                assert sorted(predicted["image"]) == sorted(expected)
                assert predicted["probability"].between(0, 1).all()


def test_only_runs_of_a_table_on_the_test_split_meet_it(study: Path) -> None:
    scored = {path.parent for path in study.glob("runs/**/test.csv")}
    names = ("networks", "depth_test", "initialisation", "learning_curve", "leakage")
    rows = pd.concat([tables.read(study / f"tables/{name}.csv", tables.METRICS) for name in names])
    known = ["task", "network", "size", "initialisation", "depth", "rate", "photographs"]
    runs = rows[known].drop_duplicates()
    # The final run at 75 pixels is in four tables.
    assert len(scored) == len(runs) == 8
    assert (rows["split"] == "test").all()


def test_records_say_how_a_run_went(study: Path) -> None:
    for path in records(study):
        record = json.loads(path.read_text())
        assert record["outcome"] == "finished"
        assert record["device"].startswith(("CPU", "GPU"))
        assert record["trainable_parameters"] > 0
        assert 100 < record["peak_memory_mb"] < 3 * 1024**3 / 1e6
        assert len(pd.read_csv(path.with_name("history.csv"))) == record["epochs_run"]


def test_logs_and_benchmarks_are_kept_for_every_run(study: Path) -> None:
    for path in records(study):
        address = path.parent.relative_to(study / "runs")
        assert "epoch" in (study / f"logs/finetune/{address}.log").read_text()
        assert (study / f"benchmarks/finetune/{address}.tsv").is_file()


def test_costs_are_of_every_job_that_came_before_the_page(finished: Path, study: Path) -> None:
    table = tables.read(study / "tables/benchmarks.csv", costs.COSTS).set_index("rule")
    ran = set(inputs_of(finished)) - {"summary", "benchmarks_table", "all"}
    assert set(table.index) == ran
    files = [*(study / "benchmarks").rglob("*.tsv")]
    assert table["jobs"].sum() == len(files) - 2
    assert table.loc["finetune", "jobs"] == len(records(study))
    assert (table["total_seconds"] >= table["longest_seconds"]).all()
    assert table["total_seconds"].is_monotonic_decreasing


def test_nothing_half_written_is_left(study: Path) -> None:
    assert not [path for path in study.rglob(".*") if path.is_file()]
    assert not [*(study / "scratch").rglob("*")] if (study / "scratch").exists() else True


def test_every_figure_is_shown_on_a_page_that_needs_nothing_else(study: Path) -> None:
    pages = [(study / name).read_text() for name in ("summary.html", "data_card.html")]
    # Nothing was rejected here, which the card says in words.
    for path in {*study.glob("figures/**/*.png")} - {study / "figures/rejects.png"}:
        assert any(embedded(path) in page for page in pages), path
    assert not any('src="http' in page or 'href="http' in page for page in pages)


def test_photographs_that_flip_are_counted_as_they_are_listed(study: Path) -> None:
    listed = tables.read(study / "tables/flips.csv", flips.COLUMNS)
    counted = tables.read(study / "tables/flip_tests.csv", flips.TESTS)
    assert (counted["n"] > 0).all()
    for row in counted.to_dict("records"):
        same = [listed[name] == row[name] for name in ("task", "network", "seed")]
        sides = listed[np.logical_and.reduce(same)]["right_at"].to_list()
        assert sides.count("small") == row["only_small_right"]
        assert sides.count("large") == row["only_large_right"]
        assert row["both_right"] + row["both_wrong"] + len(sides) == row["n"]


def test_report_of_snakemake_is_made(finished: Path) -> None:
    path = finished / "results/tests/report.html"
    snakemake(finished, *SMALLEST, "--report", str(path))
    text = path.read_text()
    for name in ("networks.png", "sweep.png", "flips.csv", "flip_tests.csv"):
        assert name in text


def test_dag_has_the_whole_chain_and_no_job_per_photograph(finished: Path, tmp_path: Path) -> None:
    def jobs(*more: str) -> list[str]:
        text = snakemake(finished, *SMALLEST, *more, "--forceall", "--dag", "mermaid-js").stdout
        return sorted(re.findall(r"\[\"?(\w+)", text))

    few = jobs()
    assert {
        "draw_photographs",
        "inspect_photographs",
        "records",
        "fit_baseline",
        "features",
        "finetune",
        "score",
        "study_table",
        "freeze",
        "sweep_figure",
        "evaluation_curves",
        "comparisons_table",
        "saliency",
        "summary",
    } <= set(few)
    many = tmp_path / "many.yaml"
    many.write_text("source: {patients: 4000}\n")
    assert few == jobs(str(many))


def test_test_records_are_read_by_what_scores_alone(finished: Path) -> None:
    split = pd.read_csv(finished / "results/tests/splits/referable.csv")
    marks = [f"part-{part}" for part in split.loc[split["split"] == "test", "part"].unique()]
    readers = {
        rule
        for rule, paths in inputs_of(finished).items()
        if any(mark in path for mark in marks for path in paths)
    }
    assert readers == {"score", "score_baseline"}


def test_bad_configuration_stops_before_the_first_job(finished: Path) -> None:
    done = snakemake(finished, *SMALLEST, "--config", "seed=-1", check=False)
    assert done.returncode != 0
    for word in ("seed", "expected", "received", "hint"):
        assert word in done.stdout
