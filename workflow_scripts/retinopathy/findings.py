"""What the test split shows: the sections of the story after everything was chosen."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from retinopathy.page import Page
from retinopathy.tables import BOUNDED

Tables = Mapping[str, pd.DataFrame]
Figures = Mapping[str, list[Path]]


def bounded(*names: str) -> list[str]:
    """Return the columns of values with their intervals."""
    return [f"{name}{end}" for name in names for end in ("", "_low", "_high")]


_RATES = bounded("sensitivity", "specificity")
_VALUES = bounded("ppv", "npv")
_TRUTH = bounded("probability", "brier", "ece")


def interval(row: pd.Series, name: str) -> str:
    """Return a value of a row with its 95 % interval, in words."""
    if pd.isna(row[f"{name}_low"]):
        return f"{row[name]:.3f} (no interval)"
    return f"{row[name]:.3f} (95 % interval {row[f'{name}_low']:.3f} to {row[f'{name}_high']:.3f})"


def over_seeds(page: Page, table: pd.DataFrame) -> None:
    """Show mean and spread over seeds, where there are several."""
    if table["seeds"].max() > 1:
        page.say("Over the seeds, mean and standard deviation (sd) of those that did not diverge:")
        page.table(table, [name for name in table.columns if name != "split"])


def networks(page: Page, tables: Tables, figures: Figures) -> None:
    """Tell the final runs: both sizes side by side, and what changed."""
    table = tables["networks"]
    page.heading("6 The full problem: the final runs, on the test split")
    if "pooled" in set(table["fold"]):
        page.note(
            "Every part of the patients was the test part once; the AUC counts pairs of photographs"
            " of one fold. The values that all runs share were looked for in parts that are test "
            "parts here: these figures did not choose them, but they are not blind to the patients."
        )
    for (task, size), rows in table.groupby(["task", "size"], sort=False):
        page.say(f"Task “{task}”, {size} px, n = {rows['n'].max()}:")
        page.table(
            rows,
            ["network", "depth", "initialisation", "seed", *BOUNDED, *_RATES, "outcome"],
        )
    page.say("What changed from the small size to the large one, on the same photographs:")
    changed = sizes(tables["comparisons"])
    page.table(changed, list(changed.columns))
    page.note(
        "First seed; differences are large minus small. p: DeLong's test with patients as units, "
        "and the exact test of which photographs are called rightly at one size only, both "
        "corrected (Holm) for the number of comparisons between the final runs."
    )
    over_seeds(page, tables["networks_seeds"])
    page.figure(figures["networks"][0], "Test AUC with 95 % intervals, beside classical methods.")


def sizes(comparisons: pd.DataFrame) -> pd.DataFrame:
    """Return the comparisons of each final network with itself at the other size.

    Args:
        comparisons: Of every two final runs; cases are called `<network> <size>`.

    Returns:
        One row per task and network: AUC and accuracy of the small and the large size, what the
        large one adds, with its interval, and corrected p-values.
    """
    pairs = comparisons[comparisons["study"] == "networks"]
    first, second = (
        pairs[f"case_{one}"].str.rsplit(" ", n=1, expand=True).set_axis(["network", "size"], axis=1)
        for one in "ab"
    )
    same = first["network"] == second["network"]
    pairs, first, second = pairs[same], first[same], second[same]
    falls = first["size"].astype(int) > second["size"].astype(int)
    return pd.DataFrame(
        _gain(pair, name, ("a", "b") if fall else ("b", "a"))
        for (_, pair), name, fall in zip(pairs.iterrows(), first["network"], falls, strict=True)
    )


def _gain(pair: pd.Series, network: str, order: tuple[str, str]) -> dict[str, Any]:
    """Return what the large size of a pair adds; `order` names the large one, then the small."""
    large, small = order
    row = {"task": pair["task"], "network": network, "n": pair["n"]}
    for value in ("auc", "accuracy"):
        # The table has the difference of a minus b.
        middle, low, high = pair[bounded(f"{value}_difference")]
        gain = (middle, low, high) if large == "a" else (-middle, -high, -low)
        row |= {
            f"{value}_small": pair[f"{value}_{small}"],
            f"{value}_large": pair[f"{value}_{large}"],
            **dict(zip(bounded(f"{value}_gain"), gain, strict=True)),
        }
    return row | {
        "auc_p": pair["auc_p_holm"],
        "only_small_right": pair[f"only_{small}_right"],
        "only_large_right": pair[f"only_{large}_right"],
        "calls_p": pair["clustered_mcnemar_p_holm"],
    }


def saliency(page: Page, figures: Figures) -> None:
    """Show where the networks look."""
    page.heading("7 Where the networks look")
    page.note(
        "Guided Grad-CAM is known to change little when weights are randomised (Adebayo et al. "
        "2018): read it as an edge-sharpened CAM, not as proof."
    )
    for path in figures["saliency"]:
        page.figure(path, f"{path.stem}: CAM and Guided Grad-CAM of the diseased class.")


def flips(page: Page, table: pd.DataFrame, figures: Figures) -> None:
    """Tell which photographs the size decides."""
    page.heading("8 What size changes")
    counts = table.groupby(["task", "network", "right_at"], sort=False).size()
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


def transfer(page: Page, tables: Tables, figures: Figures) -> None:
    """Tell what transfer gives, how many photographs it needs, and what a leak pretends."""
    page.heading("9 What transfer gives")
    page.say(
        "The final runs beside two controls: random weights that stay frozen below the same depth, "
        "with the normalisation statistics of the training photographs, and the whole network "
        "trained from random weights. On the test split."
    )
    columns = ["task", "network", "size", "initialisation", "depth", "rate", "seed", "n"]
    page.table(tables["initialisation"], [*columns, *BOUNDED, "outcome"])
    over_seeds(page, tables["initialisation_seeds"])
    page.heading("10 How many photographs does it take?")
    page.say(
        "The same run with fewer photographs of the training split, whole patients in a fixed "
        "order, so that the fewer are among the more. On the test split."
    )
    page.table(
        tables["learning_curve"],
        ["task", "network", "size", "photographs", "initialisation", "seed", "n", *BOUNDED],
    )
    over_seeds(page, tables["learning_curve_seeds"])
    page.figure(
        figures["learning_curve"][0],
        "Test AUC against photographs trained on; 95 % intervals, bootstrap over patients.",
    )
    page.heading("11 What a leak would have pretended")
    page.say(
        "A control, not a result: the same photographs dealt one by one, so that a patient's other "
        "eye may be in the training split. Eyes of a patient are alike; a network that knows the "
        "patient need not find lesions."
    )
    page.table(
        tables["leakage"],
        ["task", "case", "initialisation", "seed", "n", *BOUNDED, "fellow_in_train"],
    )
    over_seeds(page, tables["leakage_seeds"])
    page.figure(figures["leakage"][0], "Test AUC with patients kept apart, and with the leak.")


def trust(page: Page, tables: Tables, figures: Figures) -> None:
    """Tell how far the final runs can be trusted."""
    page.heading("12 How far can the final runs be trusted?")
    page.say("Curves on the test split, first seed; bands are 95 %, bootstrap over patients.")
    page.figure(figures["roc"][0], "ROC curves.")
    page.figure(
        figures["precision_recall"][0], "Precision–recall curves; dotted: the share of diseased."
    )
    page.figure(figures["confusion"][0], "Confusion matrices at the frozen thresholds.")
    page.say(
        "Thresholds were chosen on validation and frozen; on the test split they reach what they "
        "were chosen for only roughly. Predictive values at a stated prevalence follow from "
        "sensitivity and specificity: the photographs here are balanced, a screening is not."
    )
    points = tables["operating_points"]
    stated = [name for name in points.columns if name.startswith(("ppv_at", "npv_at"))]
    page.table(
        points,
        ["task", "case", "seed", "point", "threshold", *_RATES, *_VALUES, *stated, "reason"],
    )
    page.say(
        "Are the probabilities true? As predicted, scaled by the temperature that validation "
        "chose, and corrected to a stated prevalence:"
    )
    page.table(
        tables["calibration"],
        ["task", "case", "seed", "probabilities", "temperature", "prevalence", *_TRUTH],
    )
    page.figure(figures["reliability"][0], "Reliability before and after temperature scaling.")
    page.say("Slices of the test photographs, first seed: of many, some differ by chance.")
    slices = tables["slices"]
    page.table(
        slices[slices["seed"] == slices["seed"].min()],
        ["task", "case", "slice", "value", "n", "positives", *BOUNDED, *_RATES],
    )
    _ensembles(page, tables["ensembles"])
    page.say("Every two models of a study on the same photographs, first seed:")
    page.figure(
        figures["comparisons"][0],
        "Differences of test AUC with 95 % intervals; filled: p below 0.05 after correction.",
    )
    _external(page, tables["external"])


def _ensembles(page: Page, table: pd.DataFrame) -> None:
    if table.empty:
        return
    page.say("Ensembles: the mean of the members' probabilities, at a threshold of its own:")
    page.table(table, ["task", "case", "members", "left_out", "seed", "n", *BOUNDED])


def _external(page: Page, table: pd.DataFrame) -> None:
    if table.empty:
        page.note("No external set is configured.")
        return
    page.say(
        "Other cameras and populations: the final runs as they are, at their frozen thresholds, on "
        "photographs of which no run has seen any:"
    )
    judged = [*BOUNDED, *_RATES, "reason"]
    page.table(
        table,
        ["set", "task", "case", "initialisation", "seed", "n", "positives", *judged],
    )
