"""What the test split shows: the sections of the story after everything was chosen."""

from typing import Any

import pandas as pd

from retinopathy.display import BOUNDED
from retinopathy.intervals import bounded
from retinopathy.material import Material
from retinopathy.page import Page

_WHO = ["task", "case", "initialisation", "seed", "n"]
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


def networks(page: Page, material: Material) -> None:
    """Tell the final runs: both sizes side by side, and what changed."""
    table = material.tables["networks"]
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
    over_seeds(page, material.tables["networks_seeds"])
    material.show(page, "networks")


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
    row = {"task": pair["task"], "network": network, "n": pair["n"], "seed": pair["seed"]}
    row |= {"initialisation": pair[f"initialisation_{large}"]}
    for value in ("auc", "accuracy"):
        # The table has the difference of a minus b.
        middle, low, high = pair[list(bounded(f"{value}_difference"))]
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


def saliency(page: Page, material: Material) -> None:
    """Show where the networks look."""
    page.heading("7 Where the networks look")
    material.show(page, "saliency")


def flips(page: Page, material: Material) -> None:
    """Tell which photographs the size decides."""
    page.heading("8 What size changes")
    page.say("What changed from the small size to the large one, on the same photographs:")
    changed = sizes(material.tables["comparisons"])
    page.table(changed, list(changed.columns))
    page.note(
        "Gains are large minus small. p: DeLong's test with patients as units, and the exact test "
        "of which photographs are called rightly at one size only, both corrected (Holm) for the "
        "number of comparisons between the final runs. All of this speaks of the networks of the "
        "first seed; how much another training would differ, the table of seeds says where there "
        "are several."
    )
    flipped = material.tables["flips"]
    counts = flipped.groupby(["task", "network", "right_at"], sort=False).size()
    if counts.empty:
        page.say("No test photograph flips between the sizes.")
    else:
        page.say("Test photographs that are right at one size only:")
        page.table(
            counts.rename("photographs").reset_index(),
            ["task", "network", "right_at", "photographs"],
        )
    material.show(page, "flips")


def transfer(page: Page, material: Material) -> None:
    """Tell what transfer gives, how many photographs it needs, and what a leak pretends."""
    tables = material.tables
    page.heading("9 What transfer gives")
    page.say(
        "The final runs beside two controls: random weights that stay frozen below the same depth, "
        "with the normalisation statistics of the training photographs, and the whole network "
        "trained from random weights. All may train equally long, and stop where validation AUC "
        "rises no more: where the best epoch is among the last, longer training could give more. "
        "On the test split."
    )
    judged = [*BOUNDED, "best_epoch", "epochs", "outcome"]
    page.table(
        tables["initialisation"],
        ["network", *_WHO, "size", "depth", "rate", *judged],
    )
    over_seeds(page, tables["initialisation_seeds"])
    material.show(page, "initialisation")
    page.heading("10 How many photographs does it take?")
    page.say(
        "The same run with fewer photographs of the training split, in a fixed order of patients, "
        "so that the fewer are among the more. Fewer photographs are fewer steps in an epoch, too: "
        "with them, both count. On the test split."
    )
    page.table(
        tables["learning_curve"],
        ["task", "network", "size", "photographs", "initialisation", "seed", "n", *judged],
    )
    over_seeds(page, tables["learning_curve_seeds"])
    material.show(page, "learning_curve")
    page.heading("11 What a leak would have pretended")
    page.say(
        "A control, not a result: the same photographs dealt one by one, so that a patient's other "
        "eye may be in the training split. Eyes of a patient are alike; a network that knows the "
        "patient need not find lesions."
    )
    page.say(_leak(tables["leakage"]))
    page.table(
        tables["leakage"],
        ["task", "case", "initialisation", "seed", "n", *BOUNDED, "fellow_in_train"],
    )
    over_seeds(page, tables["leakage_seeds"])
    material.show(page, "leakage")


def _leak(table: pd.DataFrame) -> str:
    """Return what the control came to, in words."""
    apart, leaks = (rows["auc"].mean() for _, rows in table.groupby("case", sort=False))
    if pd.isna(apart) or pd.isna(leaks):
        return "A run diverged: the control cannot be compared."
    more = leaks - apart
    verdict = "pretended" if more > 0 else "pretended nothing here"
    return (
        f"The leak {verdict}: {more:+.3f} of AUC, means over the seeds. The intervals below say "
        "how much of that chance could make."
    )


def trust(page: Page, material: Material) -> None:
    """Tell how far the final runs can be trusted."""
    tables = material.tables
    page.heading("12 How far can the final runs be trusted?")
    for name in ("roc", "precision_recall", "confusion"):
        material.show(page, name)
    page.say("Thresholds that were chosen on validation and frozen, on the test split:")
    points = tables["operating_points"]
    stated = [name for name in points.columns if name.startswith(("ppv_at", "npv_at"))]
    page.table(points, [*_WHO, "point", "threshold", *_RATES, *_VALUES, *stated, "reason"])
    material.explain(page, "operating_points")
    page.say("Are the probabilities true?")
    page.table(
        tables["calibration"], [*_WHO, "probabilities", "temperature", "prevalence", *_TRUTH]
    )
    material.explain(page, "calibration")
    material.show(page, "reliability")
    page.say("Parts of the test photographs, first seed:")
    slices = tables["slices"]
    page.table(
        slices[slices["seed"] == slices["seed"].min()],
        [*_WHO, "slice", "value", "positives", *BOUNDED, *_RATES],
    )
    material.explain(page, "slices")
    if not tables["ensembles"].empty:
        page.say("Ensembles of the final runs:")
        page.table(tables["ensembles"], [*_WHO, "members", "left_out", *BOUNDED])
        material.explain(page, "ensembles")
    page.say("Every two models of a study on the same photographs:")
    material.show(page, "comparisons")
    _external(page, material)


def _external(page: Page, material: Material) -> None:
    table = material.tables["external"]
    if table.empty:
        page.note("No external set is configured.")
        return
    page.say("Other cameras and populations:")
    page.table(table, ["set", *_WHO, "positives", *BOUNDED, *_RATES, "reason"])
    material.explain(page, "external")
