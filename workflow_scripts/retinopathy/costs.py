"""What the jobs of a study cost, from what Snakemake measured of each.

Source of the measurements: the benchmark files of Snakemake, one per job, with one line of names
and one of values: https://snakemake.readthedocs.io/en/stable/snakefiles/rules.html#benchmark-rules.
Snakemake looks at a job's processes when it starts, every half second for its first 15 seconds, and
every 30 seconds afterwards; what was not looked at in time is `NA` or `-`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from retinopathy.errors import Explained
from retinopathy.logs import LOG
from retinopathy.wording import counted

COSTS = (
    "rule",
    "jobs",
    "total_seconds",
    "longest_seconds",
    "cpu_seconds",
    "memory_mb",
    "reason",
)
"""Columns of the table of costs: one row per rule."""

_ENDING = ".tsv"
_ABSENT = ("NA", "-")


@dataclass(frozen=True)
class Cost:
    """What one job cost; NaN is what was not measured.

    Attributes:
        seconds: Seconds by the clock, from its start to its end.
        cpu_seconds: Seconds of CPU of all its processes, as of the last look at them.
        memory_mb: The most resident memory of its processes together that was seen at a look, in MB
            of 1024² bytes.
    """

    seconds: float
    cpu_seconds: float
    memory_mb: float


def read(path: Path) -> Cost:
    """Return what a benchmark file says of its job.

    Raises:
        Explained: The file is not one of a single job, or was not written to its end.
    """
    try:
        text = path.read_text(encoding="utf-8")
        names, values = text.splitlines()
        row = dict(zip(names.split("\t"), values.split("\t"), strict=True))
        if not text.endswith("\n"):
            raise ValueError("the last line has no end")
        return Cost(_number(row["s"]), _number(row["cpu_time"]), _number(row["max_rss"]))
    except (ValueError, KeyError) as error:
        raise Explained(
            f"{path} does not say what a job cost",
            expected="a line of names, s, cpu_time and max_rss among them, and one of values",
            received=repr(error),
            hint="remove the file; it is made again when its job runs again",
        ) from error


def _number(text: str) -> float:
    """Return a measured number, or NaN for what was not measured.

    Raises:
        ValueError: It is no number, or none that can be measured.
    """
    if text in _ABSENT:
        return math.nan
    number = float(text)
    if not (math.isfinite(number) and number >= 0):
        raise ValueError(f"{text} cannot have been measured")
    return number


def over_rules(folder: Path, rules: Sequence[str]) -> pd.DataFrame:
    """Return what the jobs of each rule cost.

    A job that was not measured is counted, and adds to no sum. So is one whose file is damaged: a
    study is not lost by what says how long it took.

    Args:
        folder: Folder of benchmark files: `<rule>.tsv`, or any files in a folder `<rule>`. It may
            be absent.
        rules: Names of the rules that count, in the order of the study.

    Returns:
        `COSTS`: seconds and memory as in `Cost`, of jobs of a rule the sum or the largest; what
        was measured of no job is NaN, and `reason` says of how many jobs something is missing.
        Rules without a file are left out. The longest total comes first.
    """
    files = _files(folder)
    others = sorted(set(files) - set(rules))
    if others:
        LOG.info("not counted: %s", ", ".join(others))
    rows = [_row(rule, files[rule]) for rule in rules if rule in files]
    return pd.DataFrame(rows, columns=list(COSTS)).sort_values(
        "total_seconds", ascending=False, kind="stable", ignore_index=True
    )


def _files(folder: Path) -> Mapping[str, list[Path]]:
    """Return rule → the benchmark files of its jobs."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob(f"*{_ENDING}")):
        rule = path.relative_to(folder).parts[0].removesuffix(_ENDING)
        found.setdefault(rule, []).append(path)
    return found


def _row(rule: str, paths: Sequence[Path]) -> dict[str, object]:
    damaged, costs = 0, []
    for path in paths:
        try:
            costs.append(read(path))
        except Explained as error:
            LOG.warning("%s", error)
            damaged += 1
    measured = pd.DataFrame(costs, columns=["seconds", "cpu_seconds", "memory_mb"], dtype=float)
    missing = int(measured.isna().any(axis=1).sum())
    reasons = {"not measured, or not wholly": missing, "with a damaged file": damaged}
    told = [f"{counted(jobs, 'job')} {why}" for why, jobs in reasons.items() if jobs]
    return {
        "rule": rule,
        "jobs": len(paths),
        # The sum of no values is none; binary fractions leave digits that were not measured.
        "total_seconds": round(float(measured["seconds"].sum(min_count=1)), 2),
        "longest_seconds": measured["seconds"].max(),
        "cpu_seconds": round(float(measured["cpu_seconds"].sum(min_count=1)), 2),
        "memory_mb": measured["memory_mb"].max(),
        "reason": "; ".join(told) or None,
    }
