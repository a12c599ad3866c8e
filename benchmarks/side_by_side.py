"""What every benchmark shares: alternate the variants, keep the best, write and print ratios."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

RESULTS = Path(__file__).parents[1] / "results" / "benchmarks"
REPEATS = 5

Measured = Callable[[], float]
"""Does some work and returns how many seconds it took."""


def of_cpu(work: Callable[[], object]) -> Measured:
    """Measure `work` in seconds of CPU of this process, all threads together."""
    return lambda: _spent(time.process_time, work)


def of_wall(work: Callable[[], object]) -> Measured:
    """Measure `work` in seconds on the clock."""
    return lambda: _spent(time.perf_counter, work)


def least(variants: Mapping[str, Measured]) -> dict[str, float]:
    """Return the seconds of each variant: the best of a few alternating repeats."""
    best = dict.fromkeys(variants, float("inf"))
    for _ in range(REPEATS):
        for name, work in variants.items():
            best[name] = min(best[name], work())
    return best


def write(name: str, rows: list[tuple[str, str, float, str]], *references: str) -> None:
    """Write `case, variant, value, unit` and print every value beside its ratio to a reference.

    A value's reference is the variant among `references` with the same case and unit.
    """
    table = pd.DataFrame(rows, columns=["case", "variant", "value", "unit"])
    RESULTS.mkdir(parents=True, exist_ok=True)
    table.to_csv(RESULTS / f"{name}.csv", index=False)
    base = table[table["variant"].isin(references)].set_index(["case", "unit"])["value"]
    divisors = pd.MultiIndex.from_frame(table[["case", "unit"]]).map(base.to_dict())
    shown = table.assign(ratio=table["value"] / divisors.to_numpy(float))
    print(shown.to_string(index=False, float_format=lambda value: f"{value:.3f}", na_rep=""))


def _spent(clock: Callable[[], float], work: Callable[[], object]) -> float:
    started = clock()
    work()
    return clock() - started
