"""Make the tables of the final runs' frozen operating points and temperatures on the test split."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from retinopathy import display, operating_tables, study_tables, tables
from retinopathy.logs import logged


def main(
    evidence: Sequence[study_tables.Evidence],
    validation: Sequence[Path],
    prevalences: Sequence[float],
    repetitions: int,
    outputs: Mapping[str, Path],
) -> None:
    """Write `points`, `calibration` and both as Markdown, `…_markdown` of `outputs`.

    Args:
        evidence: What the final runs left, with their predictions of the test split.
        validation: Their predictions of the validation split, in the same order.
        prevalences: For which predictive values and probabilities are stated, between 0 and 1.
        repetitions: Bootstrap samples behind every interval.
        outputs: Where to write.
    """
    known = operating_tables.read_validation(evidence, validation)
    points = operating_tables.points(evidence, prevalences, repetitions)
    tables.write(points, outputs["points"], operating_tables.POINTS)
    display.write_markdown(points, outputs["points_markdown"])
    calibration = operating_tables.calibrations(evidence, known, prevalences, repetitions)
    tables.write(calibration, outputs["calibration"], operating_tables.CALIBRATION)
    display.write_markdown(calibration, outputs["calibration_markdown"])


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            study_tables.gather(job.params.cases, dict(job.input.items())),
            [Path(path) for path in job.input.validation],
            job.params.prevalences,
            job.params.repetitions,
            {name: Path(path) for name, path in job.output.items()},
        )
