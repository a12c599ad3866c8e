"""What the test split shows: the sections of the story after everything was chosen."""

import pandas as pd

from retinopathy import assurances, verdicts
from retinopathy.display import BOUNDED
from retinopathy.intervals import bounded
from retinopathy.material import Material
from retinopathy.page import Page
from retinopathy.standings import champion
from retinopathy.wording import signed

_WHO = ["task", "case", "initialisation", "seed", "n"]
_RATES = bounded("sensitivity", "specificity")
_VALUES = bounded("ppv", "npv")
_TRUTH = bounded("probability", "brier", "ece")


def over_seeds(page: Page, table: pd.DataFrame) -> None:
    """Show mean and spread over seeds, where there are several."""
    if table["seeds"].max() > 1:
        page.say("Over the seeds, mean and standard deviation (sd) of those that did not diverge:")
        page.table(table, [name for name in table.columns if name != "split"])


def networks(page: Page, material: Material) -> None:
    """Tell the final runs: both sizes side by side, and what changed."""
    table = material.tables["networks"]
    page.heading("6 The full problem: the final runs, on the test split")
    for task, rows in table.groupby("task", sort=False):
        found = verdicts.final(rows, material.tables["comparisons"])
        page.finding(f"Task “{task}”. {found}")
    if "pooled" in set(table["fold"]):
        page.note(
            "Every part of the patients was the test part once; the AUC counts pairs of photographs"
            " of one fold. The values that all runs share were looked for in parts that are test "
            "parts here: these figures did not choose them, but they are not blind to the patients."
        )
    for (name, size), rows in table.groupby(["task", "size"], sort=False):
        page.say(f"Task “{name}”, {size} px, n = {rows['n'].max()}:")
        page.table(
            rows,
            ["network", "depth", "initialisation", "seed", *BOUNDED, *_RATES, "outcome"],
        )
    over_seeds(page, material.tables["networks_seeds"])
    material.show(page, "networks")


def transfer(page: Page, material: Material) -> None:
    """Tell what transfer gives, how many photographs it needs, and what a leak pretends."""
    tables = material.tables
    page.heading("9 What transfer gives")
    for sentence in verdicts.transfer(tables["initialisation"], tables["comparisons"]):
        page.finding(sentence)
    page.say(
        "The final runs beside two controls: random weights that stay frozen below the same depth, "
        "with the normalisation statistics of the training photographs, and the whole network "
        "trained from random weights. All may train equally long, and stop where validation AUC "
        "rises no more: where the best epoch is among the last, longer training could give more; "
        "and a control that did not even learn its own training photographs, as "
        "tables/initialisation_curves.csv can tell, says what this many epochs give, and no more. "
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
    page.finding(verdicts.fewer(tables["learning_curve"]))
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
    page.finding(_leak(tables["leakage"]))
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
    material.show(page, "leakage")


def _leak(table: pd.DataFrame) -> str:
    """Return what the control came to, in words: a run that diverged leaves it open."""
    apart, leaks = (rows["auc"].mean(skipna=False) for _, rows in table.groupby("case", sort=False))
    if pd.isna(apart) or pd.isna(leaks):
        return "A run diverged: the control cannot be compared."
    tested = "The test photographs are others, so"
    if "pooled" in set(table["fold"]):
        tested = (
            "Both cases are tested on the same photographs, each once, but in other folds, within "
            "which the AUC counts pairs:"
        )
    return (
        f"With the leak the AUC is {leaks:.3f}, without it {apart:.3f}: {signed(leaks - apart)}, "
        f"means over the seeds. {tested} no difference was tested; the intervals below say how "
        "uncertain each is."
    )


def trust(page: Page, material: Material) -> None:
    """Tell how far the final runs can be trusted."""
    page.heading("12 How far can the final runs be trusted?")
    _trusted(page, material)
    for name in ("roc", "precision_recall", "confusion"):
        material.show(page, name)
    _operating(page, material)
    page.say("Are the probabilities true?")
    page.table(
        material.tables["calibration"],
        [*_WHO, "probabilities", "temperature", "prevalence", *_TRUTH],
    )
    material.explain(page, "calibration")
    material.show(page, "reliability")
    _slices(page, material)
    _ensembles(page, material)
    page.say("Every two models of a study on the same photographs:")
    for (study, task), rows in material.tables["comparisons"].groupby(
        ["study", "task"], sort=False
    ):
        page.say(f"Study “{study}”, task “{task}”. {verdicts.apart(rows)}")
    material.show(page, "comparisons")
    _external(page, material)


def _trusted(page: Page, material: Material) -> None:
    """Say what the best final model of each task finds, and how true its probabilities are."""
    tables = material.tables
    for task, rows in tables["networks"].groupby("task", sort=False):
        best = champion(rows)
        if best is None:
            page.finding(f"Task “{task}”. A run of every final model diverged.")
            continue
        found = (
            assurances.operating(tables["operating_points"], best),
            assurances.calibration(tables["calibration"], best),
        )
        page.finding(" ".join([f"Task “{task}”.", *filter(None, found)]))


def _operating(page: Page, material: Material) -> None:
    page.say("Thresholds that were chosen on validation and frozen, on the test split:")
    points = material.tables["operating_points"]
    stated = [name for name in points.columns if name.startswith(("ppv_at", "npv_at"))]
    page.table(points, [*_WHO, "point", "threshold", *_RATES, *_VALUES, *stated, "reason"])
    material.explain(page, "operating_points")


def _slices(page: Page, material: Material) -> None:
    page.say("Parts of the test photographs, first seed:")
    slices = material.tables["slices"]
    page.table(
        slices[slices["seed"] == slices["seed"].iloc[0]],
        [*_WHO, "slice", "value", "positives", *BOUNDED, *_RATES],
    )
    material.explain(page, "slices")


def _ensembles(page: Page, material: Material) -> None:
    table = material.tables["ensembles"]
    if table.empty:
        return
    page.say("Ensembles of the final runs:")
    for sentence in assurances.ensembles(table):
        page.say(sentence)
    page.table(table, [*_WHO, "members", "left_out", *BOUNDED])
    material.explain(page, "ensembles")


def _external(page: Page, material: Material) -> None:
    table = material.tables["external"]
    if table.empty:
        page.note("No external set is configured.")
        return
    page.say("Other cameras and populations:")
    for sentence in assurances.external(table, material.tables["networks"]):
        page.say(sentence)
    page.table(table, ["set", *_WHO, "positives", *BOUNDED, *_RATES, "reason"])
    material.explain(page, "external")
