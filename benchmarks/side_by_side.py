"""What every benchmark shares: alternate the variants, keep the best, write and print ratios."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd

RESULTS = Path(__file__).parents[1] / "results" / "benchmarks"
REPEATS = 3


def cpu_milliseconds(variants: Mapping[str, Callable[[], None]], items: int) -> dict[str, float]:
    """Return milliseconds of CPU per item and variant: the best of a few alternating repeats."""
    best = dict.fromkeys(variants, float("inf"))
    for _ in range(REPEATS):
        for name, work in variants.items():
            started = time.process_time()
            work()
            spent = 1000 * (time.process_time() - started) / items
            best[name] = min(best[name], spent)
    return best


def write(name: str, rows: list[tuple[str, str, float, str]], reference: str) -> None:
    """Write `case, variant, value, unit` and print every value beside its ratio to `reference`."""
    table = pd.DataFrame(rows, columns=["case", "variant", "value", "unit"])
    RESULTS.mkdir(parents=True, exist_ok=True)
    table.to_csv(RESULTS / f"{name}.csv", index=False)
    base = table[table["variant"] == reference].set_index("case")["value"]
    shown = table.assign(ratio=table["value"] / table["case"].map(base))
    print(shown.to_string(index=False, float_format=lambda value: f"{value:.2f}"))
