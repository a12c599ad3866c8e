import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from snakemake.benchmark import BenchmarkRecord, write_benchmark_records
from tests.measured import NAN

from retinopathy import costs, spent, tables
from retinopathy.costs import Cost
from retinopathy.errors import Explained
from retinopathy.material import Material
from retinopathy.page import Page

RULES = ["manifest", "split", "finetune", "score"]
HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time"


def line(seconds: str, cpu: str = "NA", memory: str = "NA") -> str:
    return f"{seconds}\t0:00:00\t{memory}\t1.00\t1.00\t1.00\t-\t-\t50.00\t{cpu}"


def put(path: Path, *values: str) -> Path:
    """Write a benchmark file as Snakemake does, with one line of values or another number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{text}\n" for text in (HEADER, *values)))
    return path


def of(table: pd.DataFrame, rule: str) -> pd.Series:
    return table[table["rule"] == rule].iloc[0]


def test_sums_and_the_largest_are_those_of_the_jobs_of_a_rule(tmp_path: Path) -> None:
    deep = tmp_path / "finetune/referable/xception/96/imagenet/block14+3/rate=0.001_l2=0"
    put(deep / "fold=0_seed=1.tsv", line("100.10", "150.25", "900.50"))
    put(deep / "fold=1_seed=1.tsv", line("300.20", "10.50", "1200.00"))
    put(tmp_path / "manifest.tsv", line("0.84", "0.24", "77.73"))
    table = costs.over_rules(tmp_path, RULES)
    assert tuple(table.columns) == costs.COSTS
    assert table.to_numpy().tolist() == [
        ["finetune", 2, 400.3, 300.2, 160.75, 1200.0, None],
        ["manifest", 1, 0.84, 0.84, 0.24, 77.73, None],
    ]


def test_the_longest_rule_comes_first_and_equals_are_in_the_order_of_the_study(
    tmp_path: Path,
) -> None:
    for rule, seconds in zip(RULES, ("2.00", "3.00", "2.00", "-"), strict=True):
        put(tmp_path / f"{rule}.tsv", line(seconds))
    table = costs.over_rules(tmp_path, RULES)
    assert table["rule"].to_list() == ["split", "manifest", "finetune", "score"]


@pytest.mark.parametrize("absent", ["NA", "-"])
def test_what_was_not_measured_is_empty_and_its_job_counted(tmp_path: Path, absent: str) -> None:
    put(tmp_path / "split/a.tsv", line("0.10", absent, absent))
    put(tmp_path / "split/b.tsv", line("0.20", absent, absent))
    row = of(costs.over_rules(tmp_path, RULES), "split")
    assert (row["jobs"], row["total_seconds"], row["longest_seconds"]) == (2, 0.3, 0.2)
    assert row[["cpu_seconds", "memory_mb"]].isna().all()
    assert row["reason"] == "2 jobs not measured, or not wholly"


def test_sums_are_of_the_jobs_that_were_measured(tmp_path: Path) -> None:
    put(tmp_path / "split/a.tsv", line("0.10"))
    put(tmp_path / "split/b.tsv", line("9.00", "8.00", "50.00"))
    row = of(costs.over_rules(tmp_path, RULES), "split")
    assert row[["jobs", "total_seconds", "cpu_seconds", "memory_mb"]].to_list() == [2, 9.1, 8, 50]
    assert row["reason"] == "1 job not measured, or not wholly"


def test_a_measured_nothing_is_no_empty_cell(tmp_path: Path) -> None:
    put(tmp_path / "split.tsv", line("0.48", "0.00", "8.82"))
    row = of(costs.over_rules(tmp_path, RULES), "split")
    assert row["cpu_seconds"] == 0
    assert row["reason"] is None


DAMAGED = {
    "empty": "",
    "no values": f"{HEADER}\n",
    "several jobs": f"{HEADER}\n{line('1.00')}\n{line('2.00')}\n",
    "cut in a line": f"{HEADER}\n{line('1.00')[:12]}\n",
    "cut in a number": f"{HEADER}\n{line('1.00', '12.34')[:-1]}",
    "no number": f"{HEADER}\n{line('1,00')}\n",
    "not finite": f"{HEADER}\n{line('nan')}\n",
    "negative": f"{HEADER}\n{line('-3.00')}\n",
    "other columns": "s\th:m:s\n1.00\t0:00:01\n",
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_file_says_what_is_wrong(tmp_path: Path, text: str) -> None:
    path = tmp_path / "split.tsv"
    path.write_text(text)
    with pytest.raises(Explained, match=r"split\.tsv does not say what a job cost"):
        costs.read(path)


def test_a_file_that_is_no_text_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "split.tsv").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(Explained):
        costs.read(tmp_path / "split.tsv")


def test_a_damaged_file_is_told_and_does_not_stop_the_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "split/a.tsv", line("5.00", "4.00", "50.00"))
    put(tmp_path / "split/b.tsv")
    put(tmp_path / "manifest.tsv")
    with caplog.at_level(logging.WARNING, "retinopathy"):
        table = costs.over_rules(tmp_path, RULES)
    row = of(table, "split")
    assert row[["jobs", "total_seconds", "memory_mb"]].to_list() == [2, 5, 50]
    assert row["reason"] == "1 job with a damaged file"
    alone = of(table, "manifest")
    assert alone["jobs"] == 1
    assert alone[["total_seconds", "longest_seconds", "cpu_seconds", "memory_mb"]].isna().all()
    assert "split/b.tsv" in caplog.text and "manifest.tsv" in caplog.text


def test_rules_that_do_not_count_are_left_out(tmp_path: Path) -> None:
    for rule in ("summary", "benchmarks_table", "scores", "score"):
        put(tmp_path / f"{rule}.tsv", line("1.00"))
    (tmp_path / "score.log").write_text("nothing to count")
    assert costs.over_rules(tmp_path, RULES)["rule"].to_list() == ["score"]


@pytest.mark.parametrize("name", [".", "absent"])
def test_without_files_there_is_a_table_without_rows(tmp_path: Path, name: str) -> None:
    table = costs.over_rules(tmp_path / name, RULES)
    assert table.empty and tuple(table.columns) == costs.COSTS
    tables.write(table, tmp_path / "benchmarks.csv", costs.COSTS)
    assert spent.found(tables.read(tmp_path / "benchmarks.csv", costs.COSTS)) == (
        "No job was measured."
    )


def test_files_of_snakemake_itself_are_read(tmp_path: Path) -> None:
    measured = BenchmarkRecord(
        running_time=12.5, max_rss=100.0, max_vms=1.0, max_uss=1.0, max_pss=1.0, cpu_time=7.25
    )
    measured.data_collected = True
    short = BenchmarkRecord(running_time=0.01)
    short.process_gone = True
    read = []
    for name, record in {"a": measured, "b": short}.items():
        path = tmp_path / f"{name}.tsv"
        write_benchmark_records([record], str(path), False)
        read.append(costs.read(path))
    assert read[0] == Cost(12.5, 7.25, 100.0)
    assert read[1].seconds == 0.01
    assert np.isnan([read[1].cpu_seconds, read[1].memory_mb]).all()


def counted(**columns: list[object]) -> pd.DataFrame:
    """Return a table of costs of two rules."""
    table = {
        "rule": ["finetune", "score"],
        "jobs": [24, 1],
        "total_seconds": [5400.0, 1800.0],
        "longest_seconds": [2400.0, 1800.0],
        "cpu_seconds": [9000.0, 1800.0],
        "memory_mb": [1700.4, 4475.12],
        "reason": [None, None],
    }
    return pd.DataFrame(table | columns)


def test_the_finding_names_what_took_the_most() -> None:
    assert spent.found(counted()) == (
        "25 jobs took 2 h 00 min in sum and 3 h 00 min of CPU time; jobs that ran side by side "
        "took less by the clock. The rule finetune took the most: 1 h 30 min (75 %) in 24 jobs. "
        "The most memory was seen in score: 4475 MB."
    )


def test_the_finding_says_nothing_of_what_was_not_measured() -> None:
    nothing: list[object] = [NAN, NAN]
    said = spent.found(counted(cpu_seconds=nothing, memory_mb=nothing))
    assert "CPU" not in said and "memory" not in said and "nan" not in said
    assert spent.found(counted(total_seconds=nothing)) == "No job was measured."
    assert "(0 %)" in spent.found(counted(total_seconds=[0.0, 0.0]))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.48, "0.48 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (3569, "59 min"),
        (3571, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (360_000, "100 h 00 min"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert spent.lasting(seconds) == said


def page_of(table: pd.DataFrame) -> str:
    page = Page("A study")
    spent.costs(page, Material({"benchmarks": table}, {}, {"benchmarks": "What it was."}))
    return page.html()


def test_the_section_shows_numbers_without_exponents_and_no_empty_column() -> None:
    html = page_of(counted(memory_mb=[1700.4, NAN]))
    assert "13 What it cost" in html and "What it was." in html
    assert "<td>5400</td>" in html and "<td>1700</td>" in html and "e+0" not in html
    assert "nan" not in html.lower() and "<th>reason</th>" not in html


def test_the_section_of_no_jobs_says_so() -> None:
    html = page_of(counted().iloc[:0])
    assert "No job was measured." in html and "<table" not in html
