"""Make the table of external sets: the final runs on them, at their frozen operating points."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from retinopathy import display, external_tables, study_tables, tables
from retinopathy.logs import logged


def main(
    cases: Sequence[tuple[str, str]],
    records: Sequence[Path],
    histories: Sequence[Path],
    predictions: Mapping[str, Sequence[Path]],
    operating: Sequence[Path],
    repetitions: int,
    table: Path,
    markdown: Path,
) -> None:
    """Write one row per set, task, case and seed, folds pooled; only a header without sets.

    Args:
        cases: Name and address of every final run.
        records: Their result records, in the same order.
        histories: Their learning curves.
        predictions: Name of a set → their predictions of it.
        operating: Their frozen operating points.
        repetitions: Bootstrap samples behind every interval.
        table: Where to write the table as CSV.
        markdown: Where to write it as Markdown.
    """
    evidence = {
        name: study_tables.gather(
            cases,
            {
                "records": records,
                "histories": histories,
                "predictions": paths,
                "operating": operating,
            },
        )
        for name, paths in predictions.items()
    }
    rows = external_tables.rows(evidence, repetitions)
    tables.write(rows, table, external_tables.COLUMNS)
    display.write_markdown(rows, markdown)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        runs = len(job.params.cases)
        predicted = [Path(path) for path in job.input.predictions]
        main(
            job.params.cases,
            [Path(path) for path in job.input.records],
            [Path(path) for path in job.input.histories],
            {
                name: predicted[place * runs : (place + 1) * runs]
                for place, name in enumerate(job.params.sets)
            },
            [Path(path) for path in job.input.operating],
            job.params.repetitions,
            Path(job.output.table),
            Path(job.output.markdown),
        )
