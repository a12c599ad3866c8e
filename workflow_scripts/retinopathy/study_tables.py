"""Tables of studies: one row per case and seed, made from records and saved predictions."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from retinopathy import intervals, tables
from retinopathy.files import read_json
from retinopathy.runs import HOLDOUT, Run
from retinopathy.tables import DIVERGED

EVEN = 0.5
"""Threshold of classical methods, for which none is chosen, and on validation tables: one that was
chosen on the same photographs would flatter them."""


@dataclass(frozen=True)
class Evidence:
    """What a study knows of one of its runs.

    Attributes:
        case: What the study calls it.
        run: The run.
        record: Its result record.
        history: Its learning curves, one row per epoch.
        predictions: Its predictions of one split; empty when it diverged.
        threshold: Probability from which a photograph is called diseased.
        frozen: What validation froze besides, as `operating.json` holds it: temperature and other
            points; empty where nothing is frozen.
    """

    case: str
    run: Run
    record: dict[str, Any]
    history: pd.DataFrame
    predictions: pd.DataFrame
    threshold: float
    frozen: Mapping[str, Any] = field(default_factory=dict)


def gather(
    cases: Sequence[tuple[str, str]], files: Mapping[str, Sequence[str | Path]]
) -> list[Evidence]:
    """Read what the runs of a study left, in the order of `cases` (name, address).

    Args:
        cases: Name and address of every run.
        files: `records`, `histories`, `predictions` and, where they are frozen, `operating`: a file
            of every run each. What else there is does not count.
    """
    points = [read_json(Path(path)) for path in files.get("operating", ())]
    return [
        Evidence(
            name,
            Run.parse(address),
            read_json(Path(record)),
            pd.read_csv(history),
            tables.read(Path(predicted), tables.PREDICTIONS),
            point.get("threshold", EVEN),
            point,
        )
        for (name, address), record, history, predicted, point in zip(
            cases,
            files["records"],
            files["histories"],
            files["predictions"],
            points or [{}] * len(cases),
            strict=True,
        )
    ]


def grouped(evidence: Iterable[Evidence]) -> list[list[Evidence]]:
    """Return the runs of each task, case and seed, which differ in fold only; order is kept."""
    groups: dict[Hashable, list[Evidence]] = {}
    for item in evidence:
        groups.setdefault((item.run.task, item.case, item.run.seed), []).append(item)
    return list(groups.values())


def diverged(group: Iterable[Evidence]) -> bool:
    """Return whether any run of a group diverged: its predictions are then incomplete."""
    return any(item.record["outcome"] == DIVERGED for item in group)


def described(group: Sequence[Evidence], split: str) -> dict[str, Any]:
    """Return the columns that say what a group is, for its predictions of a split."""
    run, record = group[0].run, group[0].record
    return {
        "task": run.task,
        "method": run.network,
        "inputs": "pixels",
        "network": run.network,
        "size": run.size,
        "depth": run.depth,
        "initialisation": record["starts_from"],
        "seed": run.seed,
        "split": split,
        "fold": run.fold if run.fold == HOLDOUT else "pooled",
        "case": group[0].case,
        "outcome": DIVERGED if diverged(group) else record["outcome"],
        "n": 0 if diverged(group) else sum(len(item.predictions) for item in group),
    }


def pooled(group: Iterable[Evidence]) -> pd.DataFrame:
    """Return the predictions of a group with the `fold` of each, and what was frozen in it.

    That are `threshold` and `temperature`, which is no number where nothing was frozen.
    """
    return pd.concat(
        [
            item.predictions.assign(
                fold=item.run.fold,
                threshold=item.threshold,
                temperature=item.frozen.get("temperature", np.nan),
            )
            for item in group
        ],
        ignore_index=True,
    )


def rows(evidence: Iterable[Evidence], repetitions: int, split: str) -> pd.DataFrame:
    """Return the table of metrics: one row per task, case and seed, folds pooled.

    The column `photographs` is how many a run was trained on; of folds, which differ by some, the
    mean.
    """
    return tables.metric_rows(_row(group, repetitions, split) for group in grouped(evidence))


def _row(group: list[Evidence], repetitions: int, split: str) -> dict[str, Any]:
    """Return the row of one case and seed; metrics are absent when any of its runs diverged."""
    run, record = group[0].run, group[0].record
    row = described(group, split) | {
        "rate": run.rate,
        "l2": run.l2,
        "dropout": run.dropout,
        "stop_reason": "; ".join(sorted({item.record["stop_reason"] for item in group})),
        "best_epoch": float(np.mean([item.record["best_epoch"] for item in group])),
        "epochs": float(np.mean([item.record["epochs_run"] for item in group])),
        "photographs": round(float(np.mean([item.record["photographs"] for item in group]))),
        "trainable_parameters": record["trainable_parameters"],
        "seconds": sum(item.record["seconds"] for item in group),
    }
    if diverged(group):
        return row
    predictions = pooled(group)
    return row | intervals.evaluate(predictions, predictions["threshold"], run.seed, repetitions)


def over_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean and spread over the seeds of every case: one row per task and case.

    Args:
        table: Of `rows`.

    Returns:
        `tables.SEEDS`: how many `seeds` there are and how many of them `diverged`, `n` photographs
        of each, and mean and standard deviation, over the others, of AUC and accuracy; the
        deviation is empty for a single one.
    """
    return pd.DataFrame(
        {
            "task": task,
            "case": case,
            "initialisation": rows["initialisation"].iloc[0],
            "split": rows["split"].iloc[0],
            "n": rows["n"].max(),
            "seeds": len(rows),
            "diverged": int(rows["auc"].isna().sum()),
            **{
                f"{name}_{word}": of(rows[name])
                for name in ("auc", "accuracy")
                for word, of in (("mean", pd.Series.mean), ("sd", pd.Series.std))
            },
        }
        for (task, case), rows in table.groupby(["task", "case"], sort=False)
    )[list(tables.SEEDS)]


def curves(study: str, evidence: Iterable[Evidence]) -> pd.DataFrame:
    """Return the learning curves of a study in long form: one row per run, epoch and split."""
    parts = []
    for item in evidence:
        for split, prefix in (("train", ""), ("validation", "validation_")):
            values = {name: item.history[prefix + name] for name in ("accuracy", "auc", "loss")}
            part = pd.DataFrame({"epoch": item.history["epoch"], **values})
            parts.append(
                part.assign(
                    study=study,
                    task=item.run.task,
                    case=item.case,
                    initialisation=item.record["starts_from"],
                    seed=item.run.seed,
                    fold=item.run.fold,
                    split=split,
                )
            )
    return pd.concat(parts, ignore_index=True)[list(tables.CURVES)]


def best(table: pd.DataFrame) -> pd.Series | None:
    """Return the row of the case with the highest mean AUC over its seeds; the first of equals.

    A case of which a run diverged is not considered; None when there is no other.
    """
    means = table.groupby("case", sort=False)["auc"].agg(lambda aucs: aucs.mean(skipna=False))
    if means.isna().all():
        return None
    row: pd.Series = table[table["case"] == means.idxmax()].iloc[0]
    return row


def _lead(table: pd.DataFrame, row: pd.Series) -> str:
    """Return the case of `best`, its mean AUC, and how far it is ahead of the next."""
    means = table.groupby("case", sort=False)["auc"].agg(lambda aucs: aucs.mean(skipna=False))
    mean, others = means[row["case"]], means.drop(row["case"]).dropna()
    found = f"{row['case']} with {mean:.3f}"
    if others.empty:
        return found
    lead = mean - others.max()
    ahead = f"{lead:.3f} ahead of" if lead > 0 else "the first of equals, with"
    return f"{found}, {ahead} {others.idxmax()}"


def _followed(configured: Any, recommended: Any, tried: pd.Series) -> str:
    """Return whether the configuration follows a recommendation, or could not; nothing of none."""
    if configured is None:
        return ""
    if configured == recommended:
        return "yes"
    return "no" if (tried == configured).any() else "no: the study did not try what is configured"


def recommendation(study: str, table: pd.DataFrame, parameters: dict[str, Any]) -> pd.DataFrame:
    """Return what validation recommends beside what the configuration uses.

    Args:
        study: Name of the study.
        table: Its table of metrics on the validation split.
        parameters: Column of the table → the value that the configuration uses for the final
            runs; None where it uses none.
    """
    row = best(table)
    if row is None:
        return pd.DataFrame(
            [
                (study, name, None, configured, "", "none: a run of every case diverged")
                for name, configured in parameters.items()
            ],
            columns=list(tables.RECOMMENDATION),
        )
    reason = f"highest mean validation AUC of {table['case'].nunique()} cases: {_lead(table, row)}"
    return pd.DataFrame(
        {
            "study": study,
            "parameter": name,
            "recommended": row[name],
            "configured": configured,
            "followed": _followed(configured, row[name], table[name]),
            "reason": reason,
        }
        for name, configured in parameters.items()
    )
