"""The study told in the order of its questions: every sentence with a figure reads a table."""

import pandas as pd

from retinopathy import card, findings, manifest
from retinopathy.findings import Figures, Tables, bounded, interval, over_seeds
from retinopathy.page import Page
from retinopathy.tables import BOUNDED

CHOICES = {
    "sweep": ("3 Which learning rate, which L2 constant?", ("rate", "l2")),
    "regularisation": ("4 Are dropout and L2 needed?", ("case", "dropout", "l2")),
    "depth": ("5 How deep should one fine-tune?", ("case", "trainable_parameters")),
}
"""Studies that choose → the heading of their section, and what tells their cases apart."""

NETWORKS = (
    "title",
    "parameters",
    "depth",
    "megabytes",
    "top1",
    "default_size",
    "multiply_adds",
)


def tell(study: str, tables: Tables, figures: Figures) -> Page:
    """Return the page of a study.

    Args:
        study: Its name.
        tables: Name of a table in `results/<study>/tables/` → the table; and `levels`, `rejects`,
            `proofs`, `subsets` and `recommendations`.
        figures: Name of a figure → its files.
    """
    page = Page(f"Transfer learning for diabetic retinopathy: the study “{study}”")
    _answer(page, tables)
    _networks(page, tables["network_facts"], figures)
    _photographs(page, tables, figures)
    _baselines(page, tables["baselines"])
    for name in CHOICES:
        _choice(page, name, tables, figures)
    findings.networks(page, tables, figures)
    findings.saliency(page, figures)
    findings.flips(page, tables["flips"], figures)
    findings.transfer(page, tables, figures)
    findings.trust(page, tables, figures)
    return page


def _answer(page: Page, tables: Tables) -> None:
    """Begin with the answer: the best classical method on pixels against the best final run."""
    page.say(
        "Photographs of the back of the eye are told apart into two classes: with and without "
        "diabetic retinopathy that matters. The networks come from ImageNet, photographs of "
        "everyday things, and are trained further. How much does that help, how deep should one "
        "train, how large must the photograph be, and do the networks look at the lesions? AUC is "
        "the probability that a diseased photograph is ranked above a healthy one: 0.5 is "
        "guessing, 1 perfect. In brackets are 95 % intervals, by bootstrap over patients."
    )
    for task, final in tables["networks"].groupby("task", sort=False):
        finished = final.dropna(subset=["auc"])
        classical = tables["baselines"]
        classical = classical[(classical["task"] == task) & (classical["inputs"] == "pixels")]
        for initialisation, rows in finished.groupby("initialisation", sort=False):
            best = rows.sort_values("auc").iloc[-1]
            page.say(
                f"Task “{task}”, starting from {initialisation}: the best of "
                f"{len(rows)} final runs, {best['network']} at {best['size']} px, reaches an AUC "
                f"of {interval(best, 'auc')} on {best['n']:.0f} test photographs."
            )
        if not classical.empty:
            best = classical.sort_values("auc").iloc[-1]
            page.say(
                f"The best of {len(classical)} classical methods on pixels, {best['method']}, "
                f"reaches {interval(best, 'auc')}."
            )
    page.note("Picked as the best of several on the test split: these figures flatter a little.")


def _networks(page: Page, facts: pd.DataFrame, figures: Figures) -> None:
    page.heading("The networks")
    page.say(
        "Parameters are millions, with the ImageNet top; depth counts layers with kernels along the"
        f" longest path; top 1 is the published accuracy on ImageNet ({facts['top1_source'][0]}); "
        "multiply-adds, billions per photograph, are the cost of one look, at the default size and "
        "at the sizes of this study."
    )
    costs = [name for name in facts.columns if name.startswith("multiply_adds_")]
    page.table(facts, [*NETWORKS, *costs])
    page.figure(
        figures["blocks"][0],
        "Blocks from input to head: height is the side of the feature maps, width their number. "
        "Filled circles: whole-block cuts of the depth study; open squares: cuts inside a block; "
        "triangles: where the final runs are cut. What lies to the right of a cut is trained.",
    )


def _photographs(page: Page, tables: Tables, figures: Figures) -> None:
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
        reasons = manifest.kinds(tables["rejects"]["reason"]).value_counts()
        page.table(reasons.rename("images").reset_index(), ["reason", "images"])
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
        "each network. Their settings were chosen by cross-validation over the patients of the "
        "training split."
    )
    for task, rows in table.groupby("task", sort=False):
        page.say(f"Task “{task}”, n = {rows['n'].max()}:")
        page.table(rows, ["inputs", "network", "initialisation", "method", "setting", *BOUNDED])


def _choice(page: Page, name: str, tables: Tables, figures: Figures) -> None:
    """Tell a study that chooses, on the validation split."""
    table, (heading, columns) = tables[name], CHOICES[name]
    page.heading(heading)
    page.say(
        f"Task “{table['task'].iloc[0]}”, {table['network'].iloc[0]} at "
        f"{table['size'].iloc[0]} px, on {table['n'].max()} photographs of the validation split, "
        "at threshold 0.5."
    )
    page.figure(figures[name][0], heading)
    page.table(
        table, [*columns, "initialisation", "seed", *BOUNDED, "best_epoch", "epochs", "outcome"]
    )
    over_seeds(page, tables[f"{name}_seeds"])
    if name == "regularisation":
        _steadiness(page, tables["regularisation_steadiness"])
    advice = tables["recommendations"]
    page.say("What validation recommends, beside what the final runs use:")
    page.table(
        advice[advice["study"] == name],
        ["parameter", "recommended", "configured", "followed", "reason"],
    )
    if name == "depth":
        _cuts(page, tables["depth_cuts"])
        page.say(
            "The same runs on the test split, which chose none of them, each at the threshold that "
            "its validation split chose:"
        )
        page.table(
            tables["depth_test"], ["case", "initialisation", "seed", "n", *BOUNDED, "outcome"]
        )
        over_seeds(page, tables["depth_test_seeds"])


def _steadiness(page: Page, table: pd.DataFrame) -> None:
    page.say(
        "How soon and how steadily validation accuracy reaches its best: “erratic” is the standard "
        "deviation of its steps from one epoch to the next, 0 for a straight line. Means over runs,"
        " with their standard deviation (sd) where there are several."
    )
    page.table(table, [name for name in table.columns if name not in ("split", "n")])


def _cuts(page: Page, table: pd.DataFrame) -> None:
    """Tell whether whole blocks are better cuts than cuts inside blocks."""
    mean = table.iloc[-1]
    if pd.isna(mean["shortfall"]):
        page.say(f"Whole blocks against cuts inside a block: not known, {mean['reason']}.")
        return
    verdict = (
        f"On average a cut inside a block lies {interval(mean, 'shortfall')} of AUC under the line "
        "between the whole-block cuts around it (negative: above it)"
    )
    tested = f"no test: {mean['reason']}" if pd.isna(mean["p"]) else f"p = {mean['p']:.2g}"
    page.say(f"{verdict}; {tested}.")
    page.table(
        table,
        ["cut", "below", "above", "auc", "interpolated", *bounded("shortfall"), "p", "reason"],
    )
