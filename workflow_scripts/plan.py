"""Plan the tasks from the labels alone, as if every photograph were usable."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from retinopathy import manifest, sources, splits, subsets, tables
from retinopathy.logs import LOG, logged

COLUMNS = ("task", "asked", "balance", "list", "possible")
"""Columns of the plan, and level_0 … level_4: labels of the levels that the task uses."""


def main(
    labels: Sequence[Path],
    columns: tuple[str, str],
    tasks: Mapping[str, splits.Task],
    when_fewer: Mapping[str, str],
    lists: Mapping[str, Path],
    parts: int,
    seed: int,
    plan: Path,
) -> None:
    """Write how many photographs each task asks for, and how many it could have.

    Args:
        labels: Label files; together they label all photographs.
        columns: Names of their columns with the image and the level.
        tasks: Name → the task.
        when_fewer: Name → `stop` or `use_all`.
        lists: Task → its published list, for the tasks that have one.
        parts: How many parts there are.
        seed: Deals and selects.
        plan: Where to write.

    Raises:
        Explained: A task cannot have as many as it asks for, and its `when_fewer` is `stop`, or it
            cannot have any.
    """
    rows = _all_usable(pd.concat([sources.read_labels(path, *columns) for path in labels]))
    listed = {name: subsets.read(path) for name, path in lists.items()}
    dealt = subsets.deal(rows, listed, parts, seed)
    planned = []
    for name, task in tasks.items():
        choice = subsets.choose(rows, task, listed, dealt, seed)
        subsets.check(choice, name, when_fewer[name], LOG.info)
        possible = len(choice.photographs) if choice.listed else splits.available(rows, task, dealt)
        LOG.info("%s: %d photographs asked for, %d possible", name, choice.asked, possible)
        counts = splits.candidates(rows, task, dealt)["level"].value_counts()
        planned.append(
            {"task": name, "asked": choice.asked, "possible": possible}
            | {"balance": "" if choice.listed else task.balance, "list": lists.get(name, "")}
            | {f"level_{level}": counts.get(level, 0) for level in task.negative + task.positive}
        )
    wide = [*COLUMNS, *(f"level_{level}" for level in manifest.LEVELS)]
    table = pd.DataFrame(planned).reindex(columns=wide)
    numbers = wide[len(COLUMNS) :]
    tables.write(table.astype(dict.fromkeys(numbers, "Int64")), plan, COLUMNS)


def _all_usable(labels: pd.DataFrame) -> pd.DataFrame:
    """Return a manifest in which every image with one sound level is usable."""
    rows = pd.DataFrame({"image": labels["image"].unique(), "status": manifest.OK})
    rows[["patient", "eye"]] = [manifest.identify(image) for image in rows["image"]]
    typed = manifest.typed(rows.reindex(columns=list(manifest.COLUMNS)))
    return manifest.label(typed, labels, {})


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            [Path(path) for path in job.input.labels],
            (job.params.image_column, job.params.level_column),
            {name: splits.Task.of(name, task) for name, task in job.params.tasks.items()},
            {name: task["when_fewer"] for name, task in job.params.tasks.items()},
            dict(zip(job.params.listed, map(Path, job.input.lists), strict=True)),
            job.params.parts,
            job.params.seed,
            Path(job.output.plan),
        )
