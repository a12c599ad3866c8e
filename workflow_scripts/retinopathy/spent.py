"""What the study cost: the last section of its story."""

import pandas as pd

from retinopathy.costs import COSTS
from retinopathy.material import Material
from retinopathy.page import Page
from retinopathy.wording import counted, share

_MINUTE, _HOUR = 60, 3600


def costs(page: Page, material: Material) -> None:
    """Tell which rules took the time, and which the memory."""
    table = material.tables["benchmarks"]
    page.heading("13 What it cost")
    page.finding(found(table))
    if table.empty:
        return
    page.table(table, list(COSTS))
    material.explain(page, "benchmarks")


def found(table: pd.DataFrame) -> str:
    """Return what took most of the time and of the memory, in words.

    Args:
        table: `costs.COSTS`.
    """
    timed = table.dropna(subset=["total_seconds"])
    if timed.empty:
        return "No job was measured."
    total, most = timed["total_seconds"].sum(), _largest(timed, "total_seconds")
    worked = table["cpu_seconds"].sum(min_count=1)
    known = "" if pd.isna(worked) else f" and {lasting(worked)} of CPU time"
    parts = [
        f"{counted(int(table['jobs'].sum()), 'job')} took {lasting(total)} in sum{known}; jobs "
        "that ran side by side took less by the clock.",
        f"The rule {most['rule']} took the most: {lasting(most['total_seconds'])} "
        f"({_part(most['total_seconds'], total)}) in {counted(int(most['jobs']), 'job')}.",
    ]
    sized = table.dropna(subset=["memory_mb"])
    if not sized.empty:
        largest = _largest(sized, "memory_mb")
        parts.append(
            f"The most memory was seen in {largest['rule']}: {largest['memory_mb']:.0f} MB."
        )
    return " ".join(parts)


def _largest(table: pd.DataFrame, name: str) -> pd.Series:
    return table.nlargest(1, name).iloc[0]


def _part(value: float, total: float) -> str:
    # Snakemake gives two decimals: jobs may have taken none of it.
    return share(value / total) if total else share(0)


def lasting(seconds: float) -> str:
    """Return a duration as people say it: `2 h 05 min`, `12 min`, `48 s`, `0.5 s`.

    Args:
        seconds: 0 or more.
    """
    if seconds >= _HOUR - _MINUTE / 2:
        hours, minutes = divmod(round(seconds / _MINUTE), 60)
        return f"{hours} h {minutes:02d} min"
    if seconds >= _MINUTE - 0.5:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.2g} s"
