"""Make the table of ensembles of the final runs on the test split."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from retinopathy import display, ensembles, study_tables, tables
from retinopathy.logs import logged


def main(
    evidence: Sequence[study_tables.Evidence],
    thresholds: Path,
    repetitions: int,
    outputs: Mapping[str, Path],
) -> None:
    """Write `table` and `markdown` of `outputs`.

    Args:
        evidence: What the final runs left, with their predictions of the test split.
        thresholds: Those of the ensembles, chosen on validation.
        repetitions: Bootstrap samples behind every interval.
        outputs: Where to write.
    """
    chosen = tables.read(thresholds, ensembles.THRESHOLDS)
    table = ensembles.rows(evidence, chosen, repetitions)
    tables.write(table, outputs["table"], ensembles.COLUMNS)
    display.write_markdown(table, outputs["markdown"])


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            study_tables.gather(job.params.cases, dict(job.input.items())),
            Path(job.input.thresholds),
            job.params.repetitions,
            {name: Path(path) for name, path in job.output.items()},
        )
