"""Make the tables of a study from its runs: metrics, curves, and what validation recommends."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retinopathy import display, study_tables, tables
from retinopathy.logs import logged


def main(
    study: str,
    evidence: list[study_tables.Evidence],
    configured: Mapping[str, Any],
    repetitions: int,
    outputs: Mapping[str, Path],
) -> None:
    """Write `table`, `markdown`, `seeds`, `curves` and `recommendation` of `outputs`.

    Args:
        study: Name of the study.
        evidence: What its runs left, with their predictions of the validation split.
        configured: Parameter that the study is about → the value that the final runs use.
        repetitions: Bootstrap samples behind every interval.
        outputs: Where to write.
    """
    table = study_tables.rows(evidence, repetitions, "validation")
    tables.write(table, outputs["table"], (*tables.METRICS, "case"))
    display.write_markdown(table, outputs["markdown"])
    tables.write(study_tables.over_seeds(table), outputs["seeds"], tables.SEEDS)
    tables.write(study_tables.curves(study, evidence), outputs["curves"], tables.CURVES)
    tables.write(
        study_tables.recommendation(study, table, dict(configured)),
        outputs["recommendation"],
        tables.RECOMMENDATION,
    )


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            job.wildcards.name,
            study_tables.gather(job.params.cases, dict(job.input.items())),
            job.params.configured,
            job.params.repetitions,
            {name: Path(path) for name, path in job.output.items()},
        )
