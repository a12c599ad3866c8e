"""Deal patients to parts, the same for all tasks, and select a task's photographs."""

from collections.abc import Mapping
from pathlib import Path

from retinopathy import manifest, splits, subsets
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
            hold for all tasks.
        parts: How many parts there are.
        seed: Deals and selects.
        table: Where to write the list.
        record: Where to write what was asked for, its hash and counts.

    Raises:
        Explained: There are fewer photographs than asked for, and `when_fewer` is `stop`, or none.
    """
    rows = manifest.read_manifest(photographs)
    listed = {name: subsets.read(path) for name, path in lists.items()}
    dealt = subsets.deal(rows, listed, parts, seed)
    choice = subsets.choose(rows, task, listed, dealt, seed)
    subsets.check(choice, task.name, when_fewer, LOG.info)
    known = subsets.describe(choice, task, seed, str(lists.get(task.name, "")))
    n, digest = len(choice.photographs), known["hash"]
    LOG.info("%s: %d photographs of %d, %s", task.name, n, len(rows), digest)
    write_text(table, subsets.canonical(choice.photographs))
    write_json(record, known)


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
