"""Deal patients to parts, the same for all tasks, and select a task's photographs."""

from pathlib import Path

from retinopathy import manifest, splits
from retinopathy.errors import Explained
from retinopathy.files import written
from retinopathy.logs import LOG, logged


def main(
    photographs: Path,
    task: splits.Task,
    when_fewer: str,
    parts: int,
    seed: int,
    table: Path,
) -> None:
    """Write the photographs of a task, each with its part.

    Raises:
        Explained: There are fewer photographs than asked for, and `when_fewer` is `stop`.
    """
    usable = manifest.read_manifest(photographs)
    parts_of = splits.deal_parts(usable, parts, seed)
    there = splits.available(usable, task, parts_of)
    if there < task.photographs and when_fewer == "stop":
        raise Explained(
            f"too few photographs for the task {task.name}",
            expected=f"{task.photographs} in two balanced classes",
            received=f"{there} that are distinct and balanced",
            hint="ask for fewer, or set the task's when_fewer to use_all",
        )
    selected = splits.select(usable, task, parts_of, seed)
    LOG.info("%s: %d photographs of %d", task.name, len(selected), len(usable))
    with written(table) as beside:
        selected.to_csv(beside, index=False)


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
            job.params.parts,
            job.params.seed,
            Path(job.output.selected),
        )
