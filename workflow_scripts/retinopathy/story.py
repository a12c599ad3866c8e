"""The study told in the order of its questions: every sentence with a figure reads a table."""

import pandas as pd

from retinopathy import card, findings, looking, manifest, registry, spent, verdicts
from retinopathy.answers import answers
from retinopathy.display import BOUNDED
from retinopathy.findings import over_seeds
from retinopathy.intervals import bounded
from retinopathy.material import Material
from retinopathy.page import Page
from retinopathy.standings import controls
from retinopathy.wording import counted, p_value, shift

CHOICES = {
    "sweep": ("3 Which learning rate, which L2 constant?", ("rate", "l2")),
    "regularisation": ("4 Are dropout and L2 needed?", ("case", "dropout", "l2")),
    "depth": ("5 How deep should one fine-tune?", ("case", "trainable_parameters")),
}
"""Studies that choose → the heading of their section, and what tells their cases apart."""

NETWORKS = (
    "network",
    "title",
    "parameters",
    "depth",
    "megabytes",
    "top1",
    "default_size",
    "multiply_adds",
)


_CUTS = ("cut", "below", "above", "initialisation", "seeds", "n", "auc", "interpolated")


def tell(study: str, source: str, material: Material) -> Page:
    """Return the page of a study; `source` is the kind of its photographs' source."""
    page = Page(f"Transfer learning for diabetic retinopathy: the study “{study}”")
    if source == "synthetic":
        page.say(card.DRAWN)
    page.say(
        "Photographs of the back of the eye are told apart into two classes: with and without "
        "diabetic retinopathy that matters; they are called diseased and healthy here, and mild "
        "retinopathy (level 1) counts as healthy in the task “referable”. Networks that were "
        "trained on ImageNet, photographs of everyday things, are trained further. How much does "
        "that help, how deep should one train, how large must the photograph be, and do the "
        "networks look at the lesions? Where weights of ImageNet could not be had, a network "
        "starts from random ones and says so: it is then a control, and tells nothing of that "
        "network. AUC is the probability that a diseased photograph is ranked above a healthy "
        "one: 0.5 is guessing, 1 perfect. In brackets are 95 % intervals, by bootstrap over "
        "patients: they say what other patients would change, not what another training would. "
        "Captions speak of all columns of a table; those that are not shown are in "
        "tables/<name>.csv."
    )
    _networks(page, material)
    _answer(page, material)
    _photographs(page, material)
    _baselines(page, material.tables["baselines"])
    for name in CHOICES:
        _choice(page, name, material)
    findings.networks(page, material)
    looking.saliency(page, material)
    looking.flips(page, material)
    findings.transfer(page, material)
    findings.trust(page, material)
    spent.costs(page, material)
    return page


def _networks(page: Page, material: Material) -> None:
    facts = material.tables["network_facts"]
    page.heading("The networks")
    costs = [name for name in facts.columns if name.startswith("multiply_adds_")]
    page.table(facts, [*NETWORKS, *costs])
    page.note(f"{material.captions['network_facts']} Source: {facts['top1_source'][0]}")
    material.show(page, "blocks")


def _answer(page: Page, material: Material) -> None:
    """Answer the questions with which the page begins."""
    page.heading("In short")
    tasks = [card.labels(task) for task in material.tables["subsets"].itertuples()]
    page.say(" ".join(["Levels go from 0 (none) to 4 (proliferative).", *tasks]))
    for question, paragraphs in answers(material.tables).items():
        page.answer(question, paragraphs)
    page.note(
        "In brackets: 95 % intervals. What is best was picked among several on the test split: "
        "its figures flatter a little. Told apart: p below 0.05 in a comparison of both models on "
        "the same photographs, adjusted for the number of comparisons; models of the first seed. "
        "Not told apart is not the same as equal: fewer photographs tell less apart."
    )


def _photographs(page: Page, material: Material) -> None:
    tables = material.tables
    page.heading("1 The photographs")
    counts = tables["levels"]
    usable = int(counts.loc[counts["set"] == "all usable", "photographs"].sum())
    page.finding(
        f"{counted(usable, 'photograph')} can be used; {rejected(len(tables['rejects']))}."
    )
    material.show(page, "levels")
    material.show(page, "examples")
    if not tables["rejects"].empty:
        reasons = manifest.kinds(tables["rejects"]["reason"]).value_counts()
        page.table(reasons.rename("images").reset_index(), ["reason", "images"])
    page.say("A patient is in one split only, and in the same one for every task.")
    proofs = card.holdout(tables["proofs"])
    page.table(proofs, list(proofs.columns))
    page.note(
        "How many photographs each task asked for and has. Its list, with its parts, is known by "
        "the first digits of its SHA-256:"
    )
    tasks = card.tasks(tables["subsets"])
    page.table(tasks, list(tasks.columns))
    for row in tables["fellow_eye"].itertuples():
        page.say(card.warning(row))


def rejected(number: int) -> str:
    """Return how many images cannot be used, in words."""
    if number == 0:
        return "none was rejected"
    verb, has = ("was", "has") if number == 1 else ("were", "have")
    return f"{counted(number, 'other image')} {verb} rejected or {has} no file, with the reason"


def _baselines(page: Page, table: pd.DataFrame) -> None:
    page.heading("2 Classical methods, on the test split")
    for task, rows in table.groupby("task", sort=False):
        page.finding(f"Task “{task}”. {verdicts.baselines(rows)}")
    page.say(
        "On pixels, on metadata alone (what the camera gives away), and on the frozen features of "
        "each network. Their settings were chosen by cross-validation over the patients of the "
        "training split; they call at probability 0.5, which the AUC does not depend on. Every "
        "interval is of one method: of many, some miss their AUC by chance."
    )
    for task, rows in table.groupby("task", sort=False):
        page.say(f"Task “{task}”, n = {rows['n'].max()}:")
        page.table(rows, ["inputs", "network", "initialisation", "method", "setting", *BOUNDED])


def _choice(page: Page, name: str, material: Material) -> None:
    """Tell a study that chooses, on the validation split."""
    tables, (heading, columns) = material.tables, CHOICES[name]
    table = tables[name]
    page.heading(heading)
    page.finding(verdicts.choice(table))
    if name == "regularisation":
        page.finding(verdicts.erratic(tables["regularisation_steadiness"]))
    page.say(
        f"Task “{table['task'].iloc[0]}”, {table['network'].iloc[0]} at "
        f"{table['size'].iloc[0]} px, on {table['n'].max()} photographs of the validation split, "
        "at threshold 0.5. The same photographs chose the best epoch of each run, which flatters "
        "these figures."
    )
    if not controls(table).empty:
        page.note("These runs started from random weights: controls, not fine-tuning.")
    material.show(page, name)
    page.table(
        table, [*columns, "initialisation", "seed", *BOUNDED, "best_epoch", "epochs", "outcome"]
    )
    over_seeds(page, tables[f"{name}_seeds"])
    if name == "regularisation":
        page.table(
            tables["regularisation_steadiness"],
            list(tables["regularisation_steadiness"].columns),
        )
        material.explain(page, "regularisation_steadiness")
    _advice(page, name, material)
    if name == "depth":
        _cuts(page, material)
        page.say(
            "The same runs on the test split, each at the threshold that its validation split "
            "chose:"
        )
        page.table(
            tables["depth_test"], ["case", "initialisation", "seed", "n", *BOUNDED, "outcome"]
        )
        over_seeds(page, tables["depth_test_seeds"])


def _advice(page: Page, name: str, material: Material) -> None:
    """Tell what a study recommends, and how far that goes."""
    advice = material.tables["recommendations"]
    page.say("What validation recommends, beside what the configuration uses:")
    page.table(
        advice[advice["study"] == name],
        ["parameter", "recommended", "configured", "followed", "reason"],
    )
    table = material.tables[name]
    if name == "sweep" and set(table["depth"]) == {registry.HEAD}:
        page.note(
            "Swept with the head alone in training: the rate is that of the head (head_rate); what "
            "lies below it takes smaller steps (rate), which this sweep does not look for."
        )
    if "pooled" in set(table["fold"]):
        page.note(
            "Of all folds together: what is validation in one fold is the test part of another. "
            "The recommendation is not blind to the patients that the final runs are tested on."
        )


def _cuts(page: Page, material: Material) -> None:
    """Tell whether whole blocks are better cuts than cuts inside blocks."""
    table = material.tables["depth_cuts"]
    mean = table.iloc[-1]
    if pd.isna(mean["shortfall"]):
        page.say(f"Whole blocks against cuts inside a block: not known, {mean['reason']}.")
        return
    verdict = (
        f"On average a cut inside a block lies {shift(mean, 'shortfall')} of AUC under the line "
        "between the whole-block cuts around it (negative: above it)"
    )
    tested = f"no test: {mean['reason']}" if pd.isna(mean["p"]) else f"p {p_value(mean['p'])}"
    page.say(f"{verdict}; {tested}.")
    page.table(
        table,
        [*_CUTS, *bounded("shortfall"), "p", "reason"],
    )
    material.explain(page, "depth_cuts")
