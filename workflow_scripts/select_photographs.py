"""Deal patients to parts, the same for all tasks, and select a task's photographs."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from retinopathy import manifest, splits, subsets
from retinopathy.errors import Explained
from retinopathy.files import write_json, write_text
from retinopathy.logs import LOG, logged


def main(
    photographs: Path,
    task: splits.Task,
    when_fewer: str,
    lists: Mapping[str, Path],
    parts: int,
    seed: int,
    table: Path,
    record: Path,
) -> None:
    """Write the photographs of a task, each with its part, and what the list is.

    Args:
        photographs: The manifest.
        task: What to select.
        when_fewer: `stop` or `use_all`.
        lists: Task → its published list, for the tasks that have one. The parts of their patients
            hold for all tasks; others are dealt as if there were no list, so that the list of a
            study changes nothing in it.
        parts: How many parts there are.
        seed: Deals and selects.
        table: Where to write the list.
        record: Where to write its hash and counts.

    Raises:
        Explained: There are fewer photographs than asked for, and `when_fewer` is `stop`, or none.
    """
    rows = manifest.read_manifest(photographs)
    listed = {name: subsets.read(path) for name, path in lists.items()}
    parts_of = splits.deal_parts(rows, parts, seed) | subsets.parts_of(listed, parts)
    if task.name in listed:
        selected, absent = subsets.pick(rows, task, listed[task.name], parts_of)
        asked = f"all {len(listed[task.name])} of the list {lists[task.name]}"
        there = f"{len(selected)}; not usable here are {subsets.names(absent)}"
        fewer = bool(absent)
    else:
        selected = splits.select(rows, task, parts_of, seed)
        asked = f"{task.photographs}, half of each label"
        there = splits.stock(rows, task, parts_of)
        fewer = len(selected) < task.photographs
    if fewer:
        _go_on(task.name, when_fewer, selected, asked, there)
    known = subsets.describe(selected, task.name, seed)
    LOG.info("%s: %d photographs of %d, %s", task.name, len(selected), len(rows), known["hash"])
    write_text(table, subsets.canonical(selected))
    write_json(record, known)


def _go_on(task: str, when_fewer: str, selected: pd.DataFrame, asked: str, there: str) -> None:
    """Stop, or say with how many photographs the study goes on."""
    if when_fewer == "stop" or selected.empty:
        raise Explained(
            f"too few photographs for the task {task}",
            expected=asked,
            received=there,
            hint="ask for fewer, or set the task's when_fewer to use_all"
            if len(selected)
            else "the task needs photographs of every one of its levels or classes",
        )
    LOG.info("%s: asked for %s; going on with %d: %s", task, asked, len(selected), there)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.manifest),
            splits.Task.of(job.wildcards.task, job.params.task),
            job.params.task["when_fewer"],
            dict(zip(job.params.listed, map(Path, job.input.lists), strict=True)),
            job.params.parts,
            job.params.seed,
            Path(job.output.selected),
            Path(job.output.record),
        )
