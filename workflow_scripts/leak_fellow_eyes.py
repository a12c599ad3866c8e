"""Deal the photographs of a task to parts as if eyes had no fellow: a control."""

from pathlib import Path

from retinopathy import leaking, splits, subsets
from retinopathy.files import read_json, write_json, write_text
from retinopathy.logs import LOG, logged
from retinopathy.runs import LEAKING


def main(selected: Path, known: Path, seed: int, table: Path, record: Path) -> None:
    """Write the list of the control, and what it is.

    Args:
        selected: The list of the task.
        known: What that list is.
        seed: Deals.
        table: Where to write the list of the control.
        record: Where to write what it is.
    """
    dealt = leaking.deal(splits.read_selected(selected), seed)
    task = read_json(known)
    own = {"task": task["task"] + LEAKING, "hash": subsets.fingerprint(dealt), "seed": seed}
    LOG.info("%s: %d photographs; %s", own["task"], len(dealt), splits.CONTROL)
    write_text(table, subsets.canonical(dealt))
    write_json(record, task | own | {"parts": subsets.by_part(dealt), "control": splits.CONTROL})


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.selected),
            Path(job.input.known),
            job.params.seed,
            Path(job.output.selected),
            Path(job.output.record),
        )
