"""Make the tables behind the curves of the final runs on the test split."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from retinopathy import calibration, curves, intervals, study_tables, tables
from retinopathy.files import read_json
from retinopathy.logs import logged
from retinopathy.runs import HOLDOUT

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
    groups = finals(evidence, temperatures)
    for name, columns, make in (
        ("roc", ROC, curves.roc_band),
        ("precision_recall", PRECISION_RECALL, precision_recall),
        ("reliability", RELIABILITY, reliability),
        ("confusion", CONFUSION, confusion),
    ):
        parts = [
            make(group, int(group["seed"].iloc[0]), repetitions).assign(**described(group))
            for group in groups
        ]
        table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
        tables.write(table[list(columns)], outputs[name], columns)


def finals(
    evidence: Sequence[study_tables.Evidence], temperatures: Sequence[float | None]
) -> list[pd.DataFrame]:
    """Return the predictions of every task, case and seed, folds pooled.

    Columns say what they are of, and each row's frozen threshold and temperature: those of its
    fold. Logits stay as they are: what ranks them does so within folds. Where a run diverged,
    there is no table.
    """
    groups: dict[tuple[str, str, int], list[pd.DataFrame]] = {}
    diverged = set()
    for item, temperature in zip(evidence, temperatures, strict=True):
        run, key = item.run, (item.run.task, item.case, item.run.seed)
        if temperature is None:
            diverged.add(key)
        groups.setdefault(key, []).append(
            item.predictions.assign(
                task=run.task,
                case=item.case,
                network=run.network,
                size=run.size,
                initialisation=item.record["starts_from"],
                seed=run.seed,
                fold=run.fold,
                threshold=item.threshold,
                temperature=temperature,
            )
        )
    return [
        pd.concat(parts, ignore_index=True) for key, parts in groups.items() if key not in diverged
    ]


def described(final: pd.DataFrame) -> dict[str, Any]:
    """Return the columns `KEYS` of a table of `finals`."""
    first = final.iloc[0]
    fold = HOLDOUT if first["fold"] == HOLDOUT else "pooled"
    return {name: first[name] for name in KEYS[:-1]} | {"fold": fold, "n": len(final)}


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
            study_tables.gather(
                job.params.cases,
                [Path(path) for path in job.input.records],
                [Path(path) for path in job.input.histories],
                [Path(path) for path in job.input.predictions],
                [Path(path) for path in job.input.operating],
            ),
            [read_json(Path(path)).get("temperature") for path in job.input.operating],
            job.params.repetitions,
            {name: Path(path) for name, path in job.output.items()},
        )
