"""Choose the thresholds of ensembles of the final runs, on validation alone."""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import ensembles, operating_tables, study_tables, tables
from retinopathy.logs import logged


def main(
    evidence: Sequence[study_tables.Evidence], operating: Sequence[Path], thresholds: Path
) -> None:
    """Write the thresholds.

    Args:
        evidence: What the final runs left, with their predictions of the validation split.
        operating: Their frozen operating points, in the same order.
        thresholds: Where to write.
    """
    table = ensembles.thresholds(evidence, operating_tables.read_frozen(evidence, operating))
    tables.write(table, thresholds, ensembles.THRESHOLDS)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        points = [Path(path) for path in job.input.operating]
        main(
            study_tables.gather(job.params.cases, dict(job.input.items())),
            points,
            Path(job.output.thresholds),
        )
