"""Deal patients to parts, select a task's photographs, and prove that no patient crosses."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from retinopathy import manifest, parts, splits
from retinopathy.errors import Explained
from retinopathy.files import written
from retinopathy.logs import LOG, logged


def main(
    photographs: Path,
    task: splits.Task,
    when_fewer: str,
    assignment: Mapping[str, Sequence[int]],
    folds: Sequence[str],
    seed: int,
    table: Path,
    proof: Path,
) -> None:
    """Write the task's split table and its proof, one row per fold and split.

    Raises:
        Explained: There are fewer photographs than asked for, and `when_fewer` is `stop`.
    """
    usable = manifest.read_manifest(photographs)
    count = sum(len(members) for members in assignment.values())
    parts_of = splits.deal_parts(usable, count, seed)
    there = splits.available(usable, task, parts_of)
    if there < task.photographs and when_fewer == "stop":
        raise Explained(
            f"too few photographs for the task {task.name}",
            expected=f"{task.photographs} in two balanced classes",
            received=f"{there} that are distinct and balanced",
            hint="ask for fewer, or set the task's when_fewer to use_all",
        )
    LOG.info("%s: %d photographs of %d", task.name, min(there, task.photographs), len(usable))
    selected = splits.select(usable, task, parts_of, seed)
    chosen = splits.split_table(selected, parts.roles(count, assignment, "holdout"))
    proofs = {
        fold: splits.proof(splits.split_table(selected, parts.roles(count, assignment, fold)))
        for fold in folds
    }
    with written(table) as beside:
        chosen.to_csv(beside, index=False)
    with written(proof) as beside:
        pd.concat(proofs, names=["fold"]).reset_index("fold").to_csv(beside, index=False)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.manifest),
            splits.Task(
                name=job.wildcards.task,
                negative=tuple(job.params.task["negative"]),
                positive=tuple(job.params.task["positive"]),
                photographs=job.params.task["photographs"],
                balanced=True,
            ),
            job.params.task["when_fewer"],
            job.params.assignment,
            job.params.folds,
            job.params.seed,
            Path(job.output.table),
            Path(job.output.proof),
        )
