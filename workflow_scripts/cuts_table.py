"""Test whether whole blocks are better cuts than cuts inside a block."""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import cuts, display, study_tables, tables
from retinopathy.logs import logged


def main(
    evidence: Sequence[study_tables.Evidence],
    seed: int,
    repetitions: int,
    table: Path,
    markdown: Path,
) -> None:
    """Write how far cuts inside blocks fall short, or why that cannot be known.

    Args:
        evidence: What the runs of the depth study left, with their predictions of the test split.
        seed: Governs the bootstrap.
        repetitions: Bootstrap samples behind every interval.
        table: Where to write the table as CSV.
        markdown: Where to write it as Markdown.
    """
    try:
        rows = cuts.table(evidence, repetitions, seed, "test")
    except cuts.Incomparable as error:
        rows = cuts.undefined(error.problem)
    tables.write(rows, table, cuts.COLUMNS)
    display.write_markdown(rows, markdown)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            study_tables.gather(job.params.cases, dict(job.input.items())),
            job.params.seed,
            job.params.repetitions,
            Path(job.output.table),
            Path(job.output.markdown),
        )
