"""List the photographs that are wrong at one size and right at the other."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retinopathy import display, flips, tables
from retinopathy.files import read_json
from retinopathy.logs import logged
from retinopathy.runs import Run


def main(
    runs: Sequence[Run],
    small: Sequence[tuple[Path, Path]],
    large: Sequence[tuple[Path, Path]],
    table: Path,
    markdown: Path,
) -> None:
    """Write one row per run and flipped photograph.

    Args:
        runs: The final runs at the small size.
        small: Predictions and operating point of each of `runs`.
        large: The same of the runs that differ from them in size alone.
        table: Where to write the table as CSV.
        markdown: Where to write it as Markdown.
    """
    found = [
        flips.compare(run, _decided(*one), _decided(*other))
        for run, one, other in zip(runs, small, large, strict=True)
    ]
    together = pd.concat(found, ignore_index=True)[list(flips.COLUMNS)]
    tables.write(together, table, flips.COLUMNS)
    display.write_markdown(together, markdown)


def _decided(predictions: Path, operating: Path) -> pd.DataFrame:
    threshold = read_json(operating).get("threshold", 0.5)
    return flips.decide(tables.read(predictions, tables.PREDICTIONS), threshold)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        inputs = job.input
        main(
            [Run.parse(address) for address in job.params.runs],
            list(zip(map(Path, inputs.small), map(Path, inputs.small_operating), strict=True)),
            list(zip(map(Path, inputs.large), map(Path, inputs.large_operating), strict=True)),
            Path(job.output.table),
            Path(job.output.markdown),
        )
