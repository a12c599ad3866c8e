"""What the other eye gives away: the level of a patient's fellow eye as a prediction.

A split of photographs instead of patients would put fellow eyes on both sides of it. This baseline
is what a method could gain there without looking at a single pixel of the retina.
"""

import pandas as pd

from retinopathy import intervals
from retinopathy.splits import Task

COLUMNS = ("patients", "same_level", "same_class")
"""What a row has besides the common columns of metrics: patients with two such eyes, shares of the
photographs whose fellow has the same level, and whose fellow is in the same class of the task."""

_METRICS = ("auc", "auc_low", "auc_high", "accuracy")


def pairs(usable: pd.DataFrame) -> pd.DataFrame:
    """Return the photographs whose fellow eye is usable too.

    Args:
        usable: Columns image, patient, eye (`left`, `right` or empty), level.

    Returns:
        Columns image, patient, level, fellow_level; one row per eye.
    """
    eyes = usable.loc[usable["eye"].isin(["left", "right"]), ["image", "patient", "eye", "level"]]
    eyes = eyes.drop_duplicates(["patient", "eye"])
    fellows = eyes[["patient", "level"]].assign(
        eye=eyes["eye"].map({"left": "right", "right": "left"})
    )
    joined = eyes.merge(fellows, on=["patient", "eye"], suffixes=("", "_of_fellow"))
    return joined.drop(columns="eye").rename(columns={"level_of_fellow": "fellow_level"})


def baseline(
    usable: pd.DataFrame, task: Task, seed: int, repetitions: int
) -> dict[str, float | int | str]:
    """Return how well the fellow eye predicts the label of a task.

    The score is the level of the fellow eye, whatever it is; a photograph is called positive when
    that level is a positive one of the task.

    Args:
        usable: Usable rows of the manifest.
        task: The task; photographs of its levels count.
        seed: Governs the bootstrap.
        repetitions: Bootstrap samples of patients behind the interval.

    Returns:
        A row of a table of metrics, with `COLUMNS`. Where a class is absent, or there are fewer
        than two patients, only counts.
    """
    rows = pairs(usable)
    rows = rows[rows["level"].isin([*task.negative, *task.positive])].astype({"level": "int64"})
    fellow = rows["fellow_level"].astype("int64")
    label = rows["level"].isin(task.positive).astype("int64")
    called = fellow.isin(task.positive).astype("float64")
    row: dict[str, float | int | str] = {
        "task": task.name,
        "method": "level of the fellow eye",
        "split": "all",
        "seed": seed,
        "n": len(rows),
        "patients": int(rows["patient"].nunique()),
    }
    if label.nunique() < 2 or row["patients"] == 1:
        return row
    shares = {
        "same_level": float((fellow == rows["level"]).mean()),
        "same_class": float(
            ((called == label) & fellow.isin([*task.negative, *task.positive])).mean()
        ),
    }
    predictions = pd.DataFrame(
        {"patient": rows["patient"], "label": label, "logit": fellow, "probability": called}
    )
    measured = intervals.evaluate(predictions, 0.5, seed, repetitions)
    return row | {name: measured[name] for name in _METRICS} | shares
