"""Make the tables of the sanity checks of maps."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from retinopathy import deletion, display, sanity_tables, similarity, tables
from retinopathy.files import read_json
from retinopathy.logs import logged
from retinopathy.runs import Run
from retinopathy.sanity_tables import Checked

Maker = Callable[[Sequence[Checked], int], pd.DataFrame]
Columns = tuple[str, ...]

TABLES: Mapping[str, tuple[str, Columns, Maker, Columns]] = {
    "randomisation": (
        "similarities",
        similarity.SIMILARITIES,
        sanity_tables.randomisation,
        sanity_tables.RANDOMISATION,
    ),
    "class_swap": (
        "swaps",
        similarity.SWAPS,
        sanity_tables.class_swap,
        sanity_tables.CLASS_SWAP,
    ),
    "deletion": ("curves", deletion.CURVES, sanity_tables.areas, sanity_tables.DELETION),
    "deletion_curves": ("curves", deletion.CURVES, sanity_tables.curves, sanity_tables.CURVES),
}
"""Table → of which files it is made, their columns, how, and its own columns."""


def main(
    runs: Sequence[Run],
    records: Sequence[Path],
    found: Mapping[str, Sequence[Path]],
    repetitions: int,
    written: Mapping[str, Path],
) -> None:
    """Write every table as CSV, and beside it as Markdown.

    Args:
        runs: The runs that were checked.
        records: Their records.
        found: `similarities`, `swaps` and `curves`: a file of every run each.
        repetitions: Bootstrap samples of patients behind every interval.
        written: Names of `TABLES` → where to write.
    """
    known = [read_json(path) for path in records]
    for name, (files, expected, make, columns) in TABLES.items():
        read = [tables.read(path, expected) for path in found[files]]
        checked = [Checked(*one) for one in zip(runs, known, read, strict=True)]
        table = make(checked, repetitions)
        tables.write(table, written[name], columns)
        display.write_markdown(table, written[name].with_suffix(".md"))


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            [Run.parse(address) for address in job.params.runs],
            [Path(path) for path in job.input.records],
            {
                name: [Path(path) for path in job.input[name]]
                for name in ("similarities", "swaps", "curves")
            },
            job.params.repetitions,
            {name: Path(job.output[name]) for name in TABLES},
        )
