"""Make the tables behind the curves of the final runs on the test split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from retinopathy import calibration, curves, intervals, study_tables, tables
from retinopathy.files import read_json
from retinopathy.logs import logged
from retinopathy.runs import Run

KEYS = ("task", "case", "network", "size", "initialisation", "seed", "split", "fold", "n")
"""Columns that say of which final run a row is; `n` counts the photographs of the whole split."""

ROC = (*KEYS, "fpr", "tpr", "tpr_low", "tpr_high")
PRECISION_RECALL = (*KEYS, "prevalence", "recall", "precision", "precision_low", "precision_high")

_BIN = ["photographs" if name == "n" else name for name in calibration.RELIABILITY]
RELIABILITY = (*KEYS, "scaling", "temperature", "ece", "ece_low", "ece_high", *_BIN)
"""One row per bin, `scaling` (`none` or `temperature`) and final run."""

CONFUSION = (*KEYS, "threshold", "label", "called", "photographs", "share")
"""One row per cell: `share` is of the photographs with the label."""


def main(
    evidence: Sequence[study_tables.Evidence],
    temperatures: Sequence[float | None],
    repetitions: int,
    outputs: Mapping[str, Path],
) -> None:
    """Write `roc`, `precision_recall`, `reliability` and `confusion` of `outputs`.

    Args:
        evidence: What the runs left, with their predictions of the test split.
        temperatures: Of each run; None where it diverged.
        repetitions: Bootstrap samples behind every interval.
        outputs: Where to write.
    """
    known = dict(zip((item.run for item in evidence), temperatures, strict=True))
    groups = [group for group in study_tables.grouped(evidence) if not study_tables.diverged(group)]
    for name, columns, make in (
        ("roc", ROC, curves.roc_band),
        ("precision_recall", PRECISION_RECALL, precision_recall),
        ("reliability", RELIABILITY, reliability),
        ("confusion", CONFUSION, confusion),
    ):
        parts = [
            make(final(group, known), group[0].run.seed, repetitions).assign(**described(group))
            for group in groups
        ]
        table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
        tables.write(table[list(columns)], outputs[name], columns)


def final(
    group: Sequence[study_tables.Evidence], temperatures: Mapping[Run, float | None]
) -> pd.DataFrame:
    """Return the predictions of a group with each row's frozen threshold and temperature.

    They are those of its fold. Logits stay as they are: what ranks them does so within folds.
    """
    by_fold = {item.run.fold: temperatures[item.run] for item in group}
    predictions = study_tables.pooled(group)
    return predictions.assign(temperature=predictions["fold"].map(by_fold))


def described(group: Sequence[study_tables.Evidence]) -> dict[str, Any]:
    """Return the columns `KEYS` of a group."""
    known = study_tables.described(group, "test")
    return {name: known[name] for name in KEYS}


def precision_recall(final: pd.DataFrame, seed: int, repetitions: int) -> pd.DataFrame:
    """Return the precision–recall curve with its band, and the precision of guessing."""
    band = curves.precision_recall_band(final, seed, repetitions)
    return band.assign(prevalence=final["label"].mean())


def reliability(final: pd.DataFrame, seed: int, repetitions: int) -> pd.DataFrame:
    """Return the reliability before and after the temperature of each fold.

    `temperature` is 1 before; after, the mean over the photographs.
    """
    parts = []
    own = final["temperature"].astype(float)
    for scaling, divisor in (("none", pd.Series(1.0, final.index)), ("temperature", own)):
        scaled = calibration.scaled(final, divisor)
        errors = intervals.with_intervals(scaled, calibration.errors(scaled), seed, repetitions)
        parts.append(
            calibration.reliability(scaled)
            .rename(columns={"n": "photographs"})
            .assign(scaling=scaling, temperature=divisor.mean(), **errors)
        )
    return pd.concat(parts, ignore_index=True)


def confusion(final: pd.DataFrame, _seed: int, _repetitions: int) -> pd.DataFrame:
    """Return the confusion matrix at the frozen threshold of each fold.

    `threshold` is the mean over the photographs.
    """
    cells = curves.confusion(final, final["threshold"]).rename(columns={"n": "photographs"})
    return cells.assign(threshold=final["threshold"].mean())


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            study_tables.gather(job.params.cases, dict(job.input.items())),
            [read_json(Path(path)).get("temperature") for path in job.input.operating],
            job.params.repetitions,
            {name: Path(path) for name, path in job.output.items()},
        )
