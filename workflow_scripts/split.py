"""Say which split each selected photograph is in, and prove that no patient crosses."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from retinopathy import parts, splits
from retinopathy.files import written
from retinopathy.logs import logged
from retinopathy.runs import HOLDOUT, LEAKING


def main(
    selected: Path,
    assignment: Mapping[str, Sequence[int]],
    folds: Sequence[str],
    table: Path,
    proof: Path,
    prove: Callable[[pd.DataFrame], pd.DataFrame] = splits.proof,
) -> None:
    """Write the task's split table and its proof, one row per fold and split.

    Args:
        selected: The list of the task.
        assignment: Split → parts, for the fold `holdout`.
        folds: The other folds that are used, if any.
        table: Where to write who is in which split.
        proof: Where to write the proof.
        prove: `splits.proof`, or `splits.admission` for a control that ignores patients.
    """
    rows = splits.read_selected(selected)
    count = sum(len(members) for members in assignment.values())

    def split(fold: str) -> pd.DataFrame:
        return splits.split_table(rows, parts.roles(count, assignment, fold))

    proofs = {fold: prove(split(fold)) for fold in dict.fromkeys([HOLDOUT, *folds])}
    with written(table) as beside:
        split(HOLDOUT).to_csv(beside, index=False)
    with written(proof) as beside:
        pd.concat(proofs, names=["fold"]).reset_index("fold").to_csv(beside, index=False)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.selected),
            job.params.assignment,
            job.params.folds,
            Path(job.output.table),
            Path(job.output.proof),
            splits.admission if job.wildcards.task.endswith(LEAKING) else splits.proof,
        )
