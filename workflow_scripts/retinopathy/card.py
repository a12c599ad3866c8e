"""The data card: what the photographs of a study are, on one page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from retinopathy import fellow
from retinopathy.manifest import LEVELS, OK, kinds
from retinopathy.page import Page
from retinopathy.runs import HOLDOUT
from retinopathy.tables import TEXT
from retinopathy.wording import counted

FIGURES = {
    "levels": "Photographs per level: all usable ones, and those of each task.",
    "examples": "One photograph per level, cut to the retina: the one of median brightness.",
    "sizes": "Levels of the photographs of each size; the number of photographs at the right.",
    "brightness": "Brightness and saturation of the retina's centre per level; the line is the "
    "median. Heights are scaled per panel: they do not compare between levels.",
    "rejects": "Rejected photographs, chosen evenly over the reasons; an empty tile has no file, "
    "or one that could not be decoded.",
}
"""Figures of the card and their captions."""

METRICS = ("n", "auc", "auc_low", "auc_high", "accuracy")

TASKS = ("task", "asked", "balance", "list", "photographs", "patients", "hash", "seed")
"""Columns of a page's table of tasks."""

UNGRADED = "no grade"

DRAWN = (
    "These photographs are drawn by the program. What is measured on them shows that the workflow "
    "works; it says nothing about patients."
)
"""What pages say first of a synthetic study."""

_SIZES = 12  # sizes with a row of their own
_PAIRS = 20  # duplicate pairs on the page


def levels(sets: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Count the photographs per level of several sets: columns set, level, photographs."""
    return pd.concat(
        rows.groupby("level").size().rename("photographs").reset_index().assign(set=name)
        for name, rows in sets.items()
    )[["set", "level", "photographs"]]


def by_set(counts: pd.DataFrame) -> pd.DataFrame:
    """Return counts from `levels` with a row per set: columns set, level_0 … level_4."""
    wide = counts.pivot_table("photographs", "set", "level", sort=False, fill_value=0)
    wide = wide.reindex(columns=LEVELS, fill_value=0).astype("int64")
    wide.columns = pd.Index([f"level_{level}" for level in LEVELS])
    return wide.reset_index()


def by_level(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Count photographs per value of a column, in all and per level, the most frequent first.

    Returns:
        Columns `column`, photographs, level_0 … level_4; missing values do not count.
    """
    counts = pd.crosstab(rows[column], rows["level"]).reindex(columns=LEVELS, fill_value=0)
    counts.columns = pd.Index([f"level_{level}" for level in LEVELS])
    counts.insert(0, "photographs", counts.sum(axis=1))
    return counts.sort_values("photographs", ascending=False, kind="stable").reset_index()


def qualities(usable: pd.DataFrame) -> pd.DataFrame:
    """Count photographs per published grade, as `by_level` does; none where none has a grade."""
    graded = usable.assign(quality=usable["quality"].replace("", UNGRADED))
    return by_level(graded if (usable["quality"] != "").any() else graded.iloc[:0], "quality")


def sizes(usable: pd.DataFrame) -> pd.DataFrame:
    """Count photographs per size, in all and per level.

    Returns:
        Columns size (`width × height`, in pixels), photographs, level_0 … level_4; the most
        frequent sizes first, and one last row for what has none of its own.
    """
    named = usable["width"].astype("str") + " × " + usable["height"].astype("str")
    counts = by_level(usable.assign(size=named), "size")
    rest = counts.iloc[_SIZES:]
    if rest.empty:
        return counts
    others = rest.drop(columns="size").sum().to_frame().T
    others.insert(0, "size", f"{len(rest)} other sizes")
    return pd.concat([counts.head(_SIZES), others], ignore_index=True)


def external(sets: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]) -> pd.DataFrame:
    """Count what there is of each external set.

    Args:
        sets: Name → its manifest, and its photographs that the study has too (column image).

    Returns:
        Columns set, photographs, without_file (images that are none), rejected, in_the_study, and
        level_0 … level_4 of the others.
    """
    rows = []
    for name, (named, overlaps) in sets.items():
        manifest = named[named["path"] != ""]
        good = manifest[manifest["status"] == OK]
        left = good[~good["image"].isin(overlaps["image"])]
        counts = {f"level_{level}": int((left["level"] == level).sum()) for level in LEVELS}
        rejected, known = len(manifest) - len(good), len(good) - len(left)
        facts = {"photographs": len(manifest), "without_file": len(named) - len(manifest)}
        facts |= {"rejected": rejected, "in_the_study": known}
        rows.append({"set": name, **facts, **counts})
    return pd.DataFrame(rows)


def some_rejects(manifest: pd.DataFrame, most: int) -> pd.DataFrame:
    """Choose at most `most` rejected photographs, as many of each kind of reason as there can be.

    Returns:
        Rows of the manifest, those of one kind together.
    """
    bad = manifest[manifest["status"] != OK]
    kind = kinds(bad["status"])
    turn = bad.groupby(kind).cumcount()
    order = bad.assign(kind=kind, turn=turn).sort_values(["turn", "kind"], kind="stable")
    return order.head(most).sort_values(["kind", "turn"]).drop(columns=["kind", "turn"])


def tasks(subsets: pd.DataFrame) -> pd.DataFrame:
    """Return what each task's list of photographs is, for people: columns `TASKS`.

    Args:
        subsets: One row per task, from `subsets.describe`.
    """
    shown = subsets.reindex(columns=list(TASKS)).astype({"asked": "Int64", "seed": "Int64"})
    absent = {"balance": "as listed", "list": "none", "seed": "none"}
    return shown.astype(dict.fromkeys(absent, "object")).fillna(absent)


def read_proofs(paths: Mapping[str, Path]) -> pd.DataFrame:
    """Return the proofs of all tasks as one table, with the column `task`.

    Args:
        paths: Task → its proof.
    """
    parts = [pd.read_csv(path, dtype=TEXT).assign(task=task) for task, path in paths.items()]
    return pd.concat(parts)


def holdout(proofs: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the proofs of all tasks that are of no fold, the task first."""
    shown = proofs.loc[proofs["fold"] == HOLDOUT].drop(columns="fold")
    first = ["task", "split", "photographs", "patients", "patients_shared"]
    return shown[[*first, *shown.columns.drop(first)]]


def labels(task: Any) -> str:
    """Say what the labels of a task are, from its description by `subsets.describe`."""
    levels = [
        ("level " if len(some) == 1 else "levels ") + ", ".join(map(str, some))
        for some in (task.negative, task.positive)
    ]
    return f"In the task “{task.task}” label 0 is {levels[0]}, and label 1 is {levels[1]}."


def crossing(tasks: Mapping[str, pd.DataFrame]) -> int:
    """Return how many patients are in more than one split, over all tasks together: 0 is right."""
    together = pd.concat(list(tasks.values()))
    return int((together.groupby("patient")["split"].nunique() > 1).sum())


def tell(
    study: str,
    tables: Mapping[str, pd.DataFrame],
    counts: Mapping[str, int],
    figures: Mapping[str, Path],
) -> Page:
    """Return the page.

    Args:
        study: Its name.
        tables: `levels`, `subsets` (from `subsets.describe`), `proofs`, `fellow`, `sizes`,
            `qualities`, `reasons`, `duplicates`, `external`.
        counts: `photographs` (files), `unfiled` (images without a file), `usable`, `patients`,
            `unfound` (usable, without a circle), `crossing`.
        figures: The files of `FIGURES`.
    """
    page = Page(f"Data card of the study “{study}”")
    page.say(
        f"{counts['usable']} of {counted(counts['photographs'], 'photograph')} can be used; they "
        f"come from {counted(counts['patients'], 'patient')}. {_unfound(counts['unfound'])}"
    )
    if counts["unfiled"]:
        page.say(
            f"For {counted(counts['unfiled'], 'further image')} there is no file: see "
            f"results/{study}/rejects.csv."
        )
    page.heading("Levels")
    page.figure(figures["levels"], FIGURES["levels"])
    page.table(tables["levels"], list(tables["levels"].columns))
    page.figure(figures["examples"], FIGURES["examples"])
    _tell_splits(page, study, tables, counts["crossing"])
    _tell_shortcuts(page, tables, figures)
    _tell_rejects(page, tables, figures)
    _tell_duplicates(page, study, tables["duplicates"])
    if not tables["external"].empty:
        page.heading("External sets")
        page.say(
            "Nothing is trained on them. Photographs that the study has too, as the same bytes or "
            "as the same picture scaled or compressed anew, are left out, and listed in "
            f"results/{study}/external/<set>/overlaps.csv. Mirrored ones are not recognised."
        )
        page.table(tables["external"], list(tables["external"].columns))
        page.note("Levels are counted without what is rejected or in the study.")
    return page


def _unfound(number: int) -> str:
    if number == 0:
        return "The outline of the retina was found in each."
    whole = "it is used whole" if number == 1 else "they are used whole"
    return f"In {counted(number, 'photograph')} the outline of the retina was not found: {whole}."


def _tell_splits(page: Page, study: str, tables: Mapping[str, pd.DataFrame], crossing: int) -> None:
    page.heading("Tasks and splits")
    shown = tasks(tables["subsets"])
    page.table(shown, list(shown.columns))
    page.note(
        "Asked: how many photographs the task, or its published list, asks for. Balance: each "
        "label is there equally often, or within a label each level too; a published list is taken "
        "as it is. List: the published list that was used. The hash is the first digits of the "
        "SHA-256 of the list of photographs with their parts, "
        f"results/{study}/subsets/<task>.csv. The seed deals patients to parts and selects "
        "photographs; a published list with parts needs none."
    )
    for task in tables["subsets"].itertuples():
        page.say(labels(task))
    proofs = holdout(tables["proofs"])
    page.table(proofs, list(proofs.columns))
    page.note("Patients shared: those who are in another split of the task as well.")
    if len(proofs) < len(tables["proofs"]):
        page.say(f"The splits of the other folds are in results/{study}/splits/<task>_proof.csv.")
    page.say(f"Patients in more than one split, over all tasks together: {crossing}.")
    page.heading("Why patients, and not photographs, are dealt to splits")
    for row in tables["fellow"].itertuples():
        page.say(warning(row))
    page.table(tables["fellow"], ["task", *METRICS, *fellow.COLUMNS])


def warning(row: Any) -> str:
    """Say what the fellow eye gives away in one task, from its row of the table `fellow_eye`."""
    if pd.isna(row.auc):
        return f"Task “{row.task}”: too few photographs whose fellow eye is usable."
    return (
        f"Task “{row.task}”: of {row.n} photographs whose fellow eye is usable, that eye has the "
        f"same level in {row.same_level:.0%} and is in the same class in {row.same_class:.0%}. Its "
        f"level alone, without a look at the photograph, predicts the label with an AUC of "
        f"{row.auc:.3f} (95 % interval {row.auc_low:.3f} to {row.auc_high:.3f}). In a split of "
        "photographs, a network that recognises the patient could gain as much without looking for "
        "lesions."
    )


def _tell_shortcuts(
    page: Page, tables: Mapping[str, pd.DataFrame], figures: Mapping[str, Path]
) -> None:
    page.heading("Sizes, light and quality")
    page.say(
        "What differs between levels here, a network can use instead of lesions. The baselines on "
        "metadata measure how much it gives away."
    )
    page.figure(figures["sizes"], FIGURES["sizes"])
    page.table(tables["sizes"], list(tables["sizes"].columns))
    page.figure(figures["brightness"], FIGURES["brightness"])
    if tables["qualities"].empty:
        page.say("No published grades of quality were given.")
    else:
        page.say("Usable photographs per published grade of quality; grades exclude none:")
        page.table(tables["qualities"], list(tables["qualities"].columns))


def _tell_rejects(
    page: Page, tables: Mapping[str, pd.DataFrame], figures: Mapping[str, Path]
) -> None:
    page.heading("Rejected photographs")
    if tables["reasons"].empty:
        page.say("No photograph was rejected.")
    else:
        page.table(tables["reasons"], list(tables["reasons"].columns))
        page.figure(figures["rejects"], FIGURES["rejects"])


def _tell_duplicates(page: Page, study: str, pairs: pd.DataFrame) -> None:
    page.heading("Photographs that are there twice")
    if pairs.empty:
        page.say("No photograph was found to be there twice.")
    else:
        equal = int((pairs["how"] == "bytes").sum())
        page.say(
            f"{counted(equal, 'pair')} with the same bytes, {counted(len(pairs) - equal, 'pair')} "
            "that show the same picture scaled or compressed anew. One photograph of a pair is "
            "used; none where their levels differ."
        )
        shown = pairs.head(_PAIRS).rename(columns={"level_same_as": "level_of_that"})
        page.table(shown, list(shown.columns))
        if len(shown) < len(pairs):
            whole = f"results/{study}/tables/duplicates.csv"
            page.note(f"The first {len(shown)} of {len(pairs)}; all are in {whole}.")
    page.note(
        "Pictures in other bytes are looked for among photographs of different patients that are "
        "alike in perceptual hash, brightness and saturation. Mirrored ones are not recognised."
    )
