"""Choose the thresholds of ensembles of the final runs, on validation alone."""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import ensembles, study_tables, tables
from retinopathy.logs import logged


def main(evidence: Sequence[study_tables.Evidence], thresholds: Path) -> None:
    """Write the thresholds.

    Args:
        evidence: What the final runs left, with their predictions of the validation split.
        thresholds: Where to write.
    """
    table = ensembles.thresholds(evidence)
    tables.write(table, thresholds, ensembles.THRESHOLDS)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            study_tables.gather(job.params.cases, dict(job.input.items())),
            Path(job.output.thresholds),
        )
