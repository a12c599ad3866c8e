"""Make the table of a study on the test split, at the frozen operating points of its runs."""

from collections.abc import Mapping
from pathlib import Path

from retinopathy import display, study_tables, tables
from retinopathy.logs import logged


def main(
    study: str,
    evidence: list[study_tables.Evidence],
    repetitions: int,
    outputs: Mapping[str, Path],
) -> None:
    """Write `table`, `markdown`, `seeds` and `curves` of `outputs`.

    Args:
        study: Name of the study.
        evidence: What its runs left, with their predictions of the test split.
        repetitions: Bootstrap samples behind every interval.
        outputs: Where to write.
    """
    table = study_tables.rows(evidence, repetitions, "test")
    tables.write(table, outputs["table"], (*tables.METRICS, "case"))
    display.write_markdown(table, outputs["markdown"])
    tables.write(study_tables.over_seeds(table), outputs["seeds"], tables.SEEDS)
    tables.write(study_tables.curves(study, evidence), outputs["curves"], tables.CURVES)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            job.wildcards.name,
            study_tables.gather(job.params.cases, dict(job.input.items())),
            job.params.repetitions,
            {name: Path(path) for name, path in job.output.items()},
        )
