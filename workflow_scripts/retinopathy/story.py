"""The study told in the order of its questions: every sentence with a figure reads a table."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from retinopathy import card, manifest
from retinopathy.page import Page

METRICS = ["n", "auc", "auc_low", "auc_high", "accuracy"]


def tell(study: str, tables: Mapping[str, pd.DataFrame], figures: Mapping[str, list[Path]]) -> Page:
    """Return the page of a study.

    Args:
        study: Its name.
        tables: `levels`, `rejects`, `proofs`, `subsets`, `fellow_eye`, `baselines`, `sweep`,
            `regularisation`, `depth`, `depth_test`, `recommendations`, `networks`,
            `initialisation`, `flips`; and mean and spread over the seeds of each study, with
            `_seeds` behind its name.
        figures: Name of a figure → its files.
    """
    page = Page(f"Transfer learning for diabetic retinopathy: the study “{study}”")
    _answer(page, tables)
    _photographs(page, tables, figures)
    _baselines(page, tables["baselines"])
    _choices(page, tables, figures)
    _networks(page, tables, figures)
    _initialisation(page, tables)
    _saliency(page, tables["flips"], figures)
    return page


def _answer(page: Page, tables: Mapping[str, pd.DataFrame]) -> None:
    """Begin with the answer: the best classical method on pixels against the best final run."""
    for task, final in tables["networks"].groupby("task", sort=False):
        finished = final.dropna(subset=["auc"])
        classical = tables["baselines"]
        classical = classical[(classical["task"] == task) & (classical["inputs"] == "pixels")]
        for initialisation, rows in finished.groupby("initialisation", sort=False):
            best = rows.sort_values("auc").iloc[-1]
            page.say(
                f"Task “{task}”, starting from {initialisation}: the best of "
                f"{len(rows)} final runs, {best['network']} at {best['size']} px, reaches "
                f"{_auc(best)} on {best['n']:.0f} test photographs."
            )
        if not classical.empty:
            best = classical.sort_values("auc").iloc[-1]
            page.say(
                f"The best of {len(classical)} classical methods on pixels, {best['method']}, "
                f"reaches {_auc(best)}."
            )
    page.note("Picked as the best of several on the test split: these figures flatter a little.")


def _auc(row: pd.Series) -> str:
    return (
        f"an AUC of {row['auc']:.3f} (95 % interval {row['auc_low']:.3f} to {row['auc_high']:.3f})"
    )


def _photographs(
    page: Page, tables: Mapping[str, pd.DataFrame], figures: Mapping[str, list[Path]]
) -> None:
    page.heading("1 The photographs")
    counts = tables["levels"]
    usable = counts.loc[counts["set"] == "all usable", "photographs"].sum()
    page.say(
        f"{usable} usable photographs; {len(tables['rejects'])} more images were rejected or have "
        "no file, each with its reason. Levels go from 0 (none) to 4 (proliferative)."
    )
    page.figure(figures["levels"][0], "Photographs per level: all usable, and per task.")
    page.figure(figures["examples"][0], "One photograph per level, cut to the retina.")
    if not tables["rejects"].empty:
        reasons = (
            manifest.kinds(tables["rejects"]["reason"])
            .value_counts()
            .rename("images")
            .reset_index()
        )
        page.table(reasons, ["reason", "images"])
    page.say("A patient is in one split only, and in the same one for every task.")
    proofs = card.holdout(tables["proofs"])
    page.table(proofs, list(proofs.columns))
    for task in tables["subsets"].itertuples():
        page.say(card.labels(task))
    page.note(
        "How many photographs each task asked for and has. Its list, with its parts, is known by "
        "the first digits of its SHA-256:"
    )
    tasks = card.tasks(tables["subsets"])
    page.table(tasks, list(tasks.columns))
    for row in tables["fellow_eye"].itertuples():
        page.say(card.warning(row))


def _baselines(page: Page, table: pd.DataFrame) -> None:
    page.heading("2 Classical methods, on the test split")
    page.say(
        "On pixels, on metadata alone (what the camera gives away), and on the frozen features of "
        "a network. An AUC of 0.5 is guessing."
    )
    page.table(table, ["task", "inputs", "method", "network", "initialisation", *METRICS])


def _choices(
    page: Page, tables: Mapping[str, pd.DataFrame], figures: Mapping[str, list[Path]]
) -> None:
    """Tell the three studies that choose, on the validation split."""
    for number, (name, question, columns) in enumerate(
        (
            ("sweep", "Which learning rate, which L2 constant?", ["rate", "l2"]),
            ("regularisation", "Are dropout and L2 needed?", ["case", "dropout", "l2"]),
            ("depth", "How deep should one fine-tune?", ["case", "trainable_parameters"]),
        ),
        start=3,
    ):
        table = tables[name]
        page.heading(f"{number} {question}")
        page.say(
            f"Task “{table['task'].iloc[0]}”, {table['network'].iloc[0]} at "
            f"{table['size'].iloc[0]} px, on the validation split, at threshold 0.5."
        )
        page.figure(figures[name][0], question)
        page.table(
            table, [*columns, "initialisation", "seed", *METRICS, "best_epoch", "epochs", "outcome"]
        )
        _seeds(page, tables[f"{name}_seeds"])
        advice = tables["recommendations"]
        page.say("What validation recommends, beside what the final runs use:")
        page.table(
            advice[advice["study"] == name],
            ["parameter", "recommended", "configured", "followed", "reason"],
        )
    page.say(
        "The same runs on the test split, which chose none of them, each at the threshold that its "
        "validation split chose:"
    )
    page.table(tables["depth_test"], ["case", "initialisation", "seed", *METRICS, "outcome"])
    _seeds(page, tables["depth_test_seeds"])


def _seeds(page: Page, table: pd.DataFrame) -> None:
    """Show mean and spread over seeds, where there are several."""
    if table["seeds"].max() > 1:
        page.say("Over the seeds, mean and standard deviation (sd) of those that did not diverge:")
        page.table(table, [name for name in table.columns if name != "split"])


def _networks(
    page: Page, tables: Mapping[str, pd.DataFrame], figures: Mapping[str, list[Path]]
) -> None:
    table = tables["networks"]
    page.heading("6 The full problem: the final runs, on the test split")
    if "pooled" in set(table["fold"]):
        page.note(
            "Every part of the patients was the test part once; the AUC counts pairs of photographs"
            " of one fold. The values that all runs share were looked for in parts that are test "
            "parts here: these figures did not choose them, but they are not blind to the patients."
        )
    small, large = sorted(table["size"].unique())
    for (task, network, initialisation), rows in table.groupby(
        ["task", "network", "initialisation"], sort=False
    ):
        means = rows.groupby("size")["auc"].mean()
        if means.notna().all() and len(means) == 2:
            page.say(
                f"{task}, {network}, {initialisation}: AUC {means[small]:.3f} at {small} px, "
                f"{means[large]:.3f} at {large} px."
            )
    page.table(
        table, ["task", "network", "size", "depth", "initialisation", "seed", *METRICS, "outcome"]
    )
    _seeds(page, tables["networks_seeds"])
    page.figure(figures["networks"][0], "Test AUC with 95 % intervals, beside classical methods.")
    page.figure(figures["roc"][0], "ROC curves on the test split.")


def _initialisation(page: Page, tables: Mapping[str, pd.DataFrame]) -> None:
    page.heading("7 What transfer gives")
    page.say(
        "The final runs beside two controls: random weights that stay frozen below the same depth, "
        "with the normalisation statistics of the training photographs, and the whole network "
        "trained from random weights. On the test split."
    )
    page.table(
        tables["initialisation"],
        ["task", "network", "size", "initialisation", "depth", "rate", "seed", *METRICS, "outcome"],
    )
    _seeds(page, tables["initialisation_seeds"])


def _saliency(page: Page, flips: pd.DataFrame, figures: Mapping[str, list[Path]]) -> None:
    page.heading("8 Where the networks look")
    page.note(
        "Guided Grad-CAM is known to change little when weights are randomised (Adebayo et al. "
        "2018): read it as an edge-sharpened CAM, not as proof."
    )
    for path in figures["saliency"]:
        page.figure(path, f"{path.stem}: CAM and Guided Grad-CAM of the diseased class.")
    page.heading("9 What size changes")
    counts = flips.groupby(["task", "network", "right_at"], sort=False).size()
    if counts.empty:
        page.say("No test photograph flips between the sizes.")
    else:
        page.say("Test photographs that are right at one size only:")
        page.table(
            counts.rename("photographs").reset_index(),
            ["task", "network", "right_at", "photographs"],
        )
    for path in figures["flips"]:
        page.figure(path, f"{path.stem}: wrong at the small size and right at the large one.")
