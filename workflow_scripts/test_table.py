"""Make the table of a study on the test split, at the frozen operating points of its runs."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from scipy.special import logit

from retinopathy import curves, study_tables, tables
from retinopathy.logs import logged


def main(
    study: str,
    evidence: list[study_tables.Evidence],
    repetitions: int,
    outputs: Mapping[str, Path],
) -> None:
    """Write `table`, `markdown`, `seeds`, `curves` and `roc` of `outputs`.

    Args:
        study: Name of the study.
        evidence: What its runs left, with their predictions of the test split.
        repetitions: Bootstrap samples behind every interval.
        outputs: Where to write.
    """
    table = study_tables.rows(evidence, repetitions, "test")
    tables.write(table, outputs["table"], (*tables.METRICS, "case"))
    tables.write_markdown(table, outputs["markdown"])
    tables.write(study_tables.over_seeds(table), outputs["seeds"], tables.SEEDS)
    tables.write(study_tables.curves(study, evidence), outputs["curves"], tables.CURVES)
    tables.write(roc(evidence), outputs["roc"], ("task", "case", "seed", "fpr", "tpr"))


def roc(evidence: list[study_tables.Evidence]) -> pd.DataFrame:
    """Return the ROC curve of every task, case and seed.

    Where folds are pooled, logits are measured from the frozen threshold of their fold, because
    those of different models cannot be compared as they are.
    """
    predictions = pd.concat(
        item.predictions.assign(
            task=item.run.task,
            case=item.case,
            seed=item.run.seed,
            logit=item.predictions["logit"] - float(logit(item.threshold)),
        )
        for item in evidence
    )
    keys = ["task", "case", "seed"]
    parts = [
        curves.roc(group).assign(**dict(zip(keys, group[keys].iloc[0], strict=True)))
        for _, group in predictions.groupby(keys, sort=False)
    ]
    return pd.concat(parts, ignore_index=True)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            job.wildcards.name,
            study_tables.gather(
                job.params.cases,
                [Path(path) for path in job.input.records],
                [Path(path) for path in job.input.histories],
                [Path(path) for path in job.input.predictions],
                [Path(path) for path in job.input.operating],
            ),
            job.params.repetitions,
            {name: Path(path) for name, path in job.output.items()},
        )
