"""Make the table of the control that ignores patients, beside the run that keeps them apart."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from retinopathy import display, leaking, parts, splits, study_tables, tables
from retinopathy.logs import logged

COLUMNS = (*tables.METRICS, "case", "photographs", "fellow_in_train")
"""Columns of the table; the last is the share of its `n` test photographs of whose patient another
one was in training."""


def main(
    evidence: list[study_tables.Evidence],
    selected: Mapping[str, Path],
    assignment: Mapping[str, Sequence[int]],
    repetitions: int,
    outputs: Mapping[str, Path],
) -> None:
    """Write `table`, `markdown`, `seeds` and `curves` of `outputs`.

    Args:
        evidence: What the runs left, with their predictions of the test split.
        selected: Task → its table of splits.
        assignment: Split → parts, for the fold `holdout`.
        repetitions: Bootstrap samples behind every interval.
        outputs: Where to write.
    """
    count = sum(len(members) for members in assignment.values())
    shares = {}
    for task, path in selected.items():
        folds = sorted({item.run.fold for item in evidence if item.run.task == task})
        roles = [parts.roles(count, assignment, fold) for fold in folds]
        shares[task] = leaking.fellow_in_train(splits.read_selected(path), roles)
    rows = study_tables.rows(evidence, repetitions, "test")
    table: pd.DataFrame = rows.assign(fellow_in_train=rows["task"].map(shares))
    tables.write(table, outputs["table"], COLUMNS)
    display.write_markdown(table, outputs["markdown"])
    tables.write(study_tables.over_seeds(table), outputs["seeds"], tables.SEEDS)
    tables.write(study_tables.curves("leakage", evidence), outputs["curves"], tables.CURVES)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            study_tables.gather(job.params.cases, dict(job.input.items())),
            {Path(path).stem: Path(path) for path in job.input.splits},
            job.params.assignment,
            job.params.repetitions,
            {name: Path(path) for name, path in job.output.items()},
        )
