"""Compare every two models of a study on the same test photographs."""

from collections.abc import Mapping, Sequence
from itertools import chain, islice
from pathlib import Path

from retinopathy import comparisons, display, study_tables, tables
from retinopathy.logs import logged


def main(
    models: Mapping[str, Sequence[study_tables.Evidence]],
    seed: int,
    repetitions: int,
    table: Path,
    markdown: Path,
) -> None:
    """Write the comparisons, one row per pair of cases of a study and task.

    Args:
        models: Study → what its runs left, with their predictions of the test split.
        seed: Governs the bootstrap.
        repetitions: Bootstrap samples behind every interval.
        table: Where to write the CSV.
        markdown: Where to write the same for people.
    """
    rows = comparisons.table(models, repetitions, seed, "test")
    tables.write(rows, table, comparisons.COLUMNS)
    display.write_markdown(rows, markdown)


def by_study(
    cases: Mapping[str, Sequence[tuple[str, str]]], evidence: Sequence[study_tables.Evidence]
) -> dict[str, list[study_tables.Evidence]]:
    """Return study → its evidence, which is given in the order of the cases of all studies."""
    rest = iter(evidence)
    return {study: list(islice(rest, len(of_study))) for study, of_study in cases.items()}


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            by_study(
                job.params.cases,
                study_tables.gather(
                    list(chain.from_iterable(job.params.cases.values())), dict(job.input.items())
                ),
            ),
            job.params.seed,
            job.params.repetitions,
            Path(job.output.table),
            Path(job.output.markdown),
        )
