"""How far final models can be trusted, in sentences: the findings before the tables about that.

They are about the best final model of a task, at its first seed.
"""

import pandas as pd

from retinopathy.standings import champion, controls, from_imagenet, leading
from retinopathy.wording import interval, listed, model, percent, reached, share


def calibration(table: pd.DataFrame, best: pd.Series) -> str | None:
    """Return how true the probabilities of a model are, before and after temperature scaling.

    Args:
        table: Of calibration.
        best: A row of the table of final runs.

    Returns:
        None where the model has no numbers there.
    """
    own = _own(table, best).dropna(subset=["ece"])
    kinds = (own[own["probabilities"] == kind] for kind in ("as predicted", "temperature scaled"))
    before, after = (rows.iloc[0] if len(rows) else None for rows in kinds)
    if before is None or after is None:
        return None
    sure = "above 1: too sure" if after["temperature"] > 1 else "below 1: not sure enough"
    return (
        f"The probabilities of {model(best)} are off by {interval(before, 'ece')} on average "
        f"(expected calibration error), and by {interval(after, 'ece')} at the temperature "
        f"{after['temperature']:.2f} that validation chose ({sure} of itself there)."
    )


def operating(table: pd.DataFrame, best: pd.Series) -> str | None:
    """Return what a model finds at the threshold that validation chose; None where it has none.

    Args:
        table: Of operating points.
        best: A row of the table of final runs.
    """
    own = _own(table, best).dropna(subset=["sensitivity", "specificity"])
    if own.empty:
        return None
    row = own.iloc[0]
    stated = sorted(
        float(name.removeprefix("ppv_at_"))
        for name in own.columns
        if name.startswith("ppv_at_") and not name.endswith(("_low", "_high"))
    )
    screened = [
        f"Were {share(prevalence)} of those photographed diseased, "
        f"{percent(row, f'ppv_at_{prevalence:g}')} of those that it calls diseased would be."
        for prevalence in stated[:1]
        if pd.notna(row[f"ppv_at_{prevalence:g}"])
    ]
    found = (
        f"At the threshold with the {row['point']} on validation, {model(best)} finds "
        f"{percent(row, 'sensitivity')} of the diseased photographs and calls "
        f"{percent(row, 'specificity')} of the healthy ones healthy."
    )
    return " ".join([found, *screened])


def _own(table: pd.DataFrame, best: pd.Series) -> pd.DataFrame:
    """Return the rows of a table that belong to a final run."""
    for name in ("task", "case", "seed"):
        table = table[table[name] == best[name]]
    return table


def ensembles(table: pd.DataFrame) -> list[str]:
    """Return the best ensemble of each task, and which have members from random weights.

    Those are not among the best: they say nothing of ensembles of ImageNet networks.
    """
    said = []
    for task, rows in from_imagenet(table).groupby("task", sort=False):
        best = leading(rows)
        if len(best):
            said.append(
                f"Task “{task}”: the best ensemble of models from ImageNet weights is "
                f"“{best['case'].iloc[0]}”, with an AUC of {reached(best)}."
            )
    mixed = controls(table)
    if not mixed.empty:
        names = listed(list(dict.fromkeys(f"“{case}”" for case in mixed["case"])))
        said.append(
            f"With members that started from random weights, which are controls: {names}. They say "
            "nothing of what ensembles of ImageNet networks reach."
        )
    return said


def external(table: pd.DataFrame, finals: pd.DataFrame) -> list[str]:
    """Return how the best final model of each task does on each external set.

    Args:
        table: Of external sets.
        finals: The final runs on the test split.
    """
    said = []
    for task, rows in finals.groupby("task", sort=False):
        best = champion(rows)
        if best is None:
            continue
        for name, own in _own(table, best).dropna(subset=["auc"]).groupby("set", sort=False):
            said.append(
                f"Task “{task}”: on {own['n'].iloc[0]} photographs of “{name}”, {model(best)} has "
                f"an AUC of {reached(own)}; on the study's own test split, {best['auc']:.3f}."
            )
    return said
