"""Make the tables of how well maps find lesions."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retinopathy import display, lesion_types, localisation_tables, tables
from retinopathy.files import read_json
from retinopathy.localisation_tables import CONTROL, TRAINED, UNTRAINED, Scored
from retinopathy.logs import logged
from retinopathy.runs import Run

SPLITS = {"synthetic": "test"}
"""Set → what its photographs are to the runs; other sets are external."""


def main(
    cases: Sequence[tuple[str, str, str]],
    scores: Sequence[Path],
    records: Sequence[Path],
    control_cases: Sequence[tuple[str, str]],
    controls: Sequence[Path],
    seed: int,
    repetitions: int,
    table: Path,
    differences: Path,
) -> None:
    """Write both tables as CSV, and beside them as Markdown; only headers without sets.

    Args:
        cases: Set, `trained` or `random`, and address of the final run, of all networks.
        scores: Their scores, in the same order.
        records: The records of the final runs.
        control_cases: Set and task of the controls.
        controls: Their scores.
        seed: Governs the bootstrap.
        repetitions: Bootstrap samples of patients behind every interval.
        table: Where to write the scores.
        differences: Where to write the comparisons.
    """
    scored = [_network(*case) for case in zip(cases, scores, records, strict=True)]
    for (lesion_set, task), path in zip(control_cases, controls, strict=True):
        split = SPLITS.get(lesion_set, "external")
        scored.append(Scored(lesion_set, split, task, CONTROL, None, "", "", _read(path)))
    for rows, path, columns in (
        (
            localisation_tables.table(scored, seed, repetitions),
            table,
            localisation_tables.COLUMNS,
        ),
        (
            localisation_tables.differences(scored, seed, repetitions),
            differences,
            localisation_tables.DIFFERENCES,
        ),
    ):
        tables.write(rows, path, columns)
        display.write_markdown(rows, path.with_suffix(".md"))


def _network(case: tuple[str, str, str], scores: Path, record: Path) -> Scored:
    lesion_set, weights, address = case
    run, known = Run.parse(address), read_json(record)
    trained = weights == "trained"
    return Scored(
        lesion_set=lesion_set,
        split=SPLITS.get(lesion_set, "external"),
        task=run.task,
        control=TRAINED if trained else UNTRAINED,
        run=run,
        starts_from=known["starts_from"] if trained else "random, untrained",
        outcome=known["outcome"],
        scores=_read(scores),
    )


def _read(path: Path) -> pd.DataFrame:
    return tables.read(path, lesion_types.SCORES)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            job.params.cases,
            [Path(path) for path in job.input.scores],
            [Path(path) for path in job.input.records],
            job.params.controls,
            [Path(path) for path in job.input.controls],
            job.params.seed,
            job.params.repetitions,
            Path(job.output.table),
            Path(job.output.differences),
        )
