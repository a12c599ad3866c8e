"""Make the tables behind the curves of the final runs on the test split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from retinopathy import calibration, curves, intervals, study_tables, tables
from retinopathy.logs import logged

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
    repetitions: int,
    outputs: Mapping[str, Path],
) -> None:
    """Write `roc`, `precision_recall`, `reliability` and `confusion` of `outputs`.

    Args:
        evidence: What the runs left, with their predictions of the test split; logits stay as they
            are, what ranks them does so within folds.
        repetitions: Bootstrap samples behind every interval.
        outputs: Where to write.
    """
    groups = [group for group in study_tables.grouped(evidence) if not study_tables.diverged(group)]
    for name, columns, make in (
        ("roc", ROC, curves.roc_band),
        ("precision_recall", PRECISION_RECALL, precision_recall),
        ("reliability", RELIABILITY, reliability),
        ("confusion", CONFUSION, confusion),
    ):
        parts = [
            make(study_tables.pooled(group), group[0].run.seed, repetitions).assign(
                **described(group)
            )
            for group in groups
        ]
        table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
        tables.write(table[list(columns)], outputs[name], columns)


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
    one = pd.Series(1.0, final.index)
    for scaling, divisor in (("none", one), ("temperature", final["temperature"])):
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
            job.params.repetitions,
            {name: Path(path) for name, path in job.output.items()},
        )
