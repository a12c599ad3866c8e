"""The data card: what the photographs of a study are, on one page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from retinopathy import fellow
from retinopathy.duplicates import LOOKED_AT
from retinopathy.manifest import LEVELS, OK, kinds
from retinopathy.page import Page

FIGURES = {
    "levels": "Photographs per level: all usable ones, and those of each task.",
    "examples": "One photograph per level, cut to the retina: the one of median brightness.",
    "sizes": "Levels of the photographs of each size; the number of photographs at the right.",
    "brightness": "Brightness and saturation of the retina's centre per level; the line is the "
    "median.",
    "rejects": "Rejected photographs, chosen evenly over the reasons; an empty tile could not be "
    "decoded.",
}
"""Figures of the card and their captions."""

METRICS = ("n", "auc", "auc_low", "auc_high", "accuracy")

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
        Columns set, photographs, rejected, in_the_study, and level_0 … level_4 of the others.
    """
    rows = []
    for name, (manifest, overlaps) in sets.items():
        good = manifest[manifest["status"] == OK]
        left = good[~good["image"].isin(overlaps["image"])]
        counts = {f"level_{level}": int((left["level"] == level).sum()) for level in LEVELS}
        rejected, known = len(manifest) - len(good), len(good) - len(left)
        known_facts = {"set": name, "photographs": len(manifest), "rejected": rejected}
        rows.append(known_facts | {"in_the_study": known} | counts)
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


def crossing(tasks: Mapping[str, pd.DataFrame]) -> int:
    """Return how many patients are in more than one split, over all tasks together: 0 is right."""
    together = pd.concat(list(tasks.values()))
    return int((together.groupby("patient")["split"].nunique() > 1).sum())


def tell(
    study: str,
    tables: Mapping[str, pd.DataFrame],
    subsets: Sequence[Mapping[str, Any]],
    counts: Mapping[str, int],
    figures: Mapping[str, Path],
) -> Page:
    """Return the page.

    Args:
        study: Its name.
        tables: `usable` per level, `proofs`, `fellow`, `sizes`, `qualities`, `reasons`,
            `duplicates`, `external`.
        subsets: What each task's list of photographs is, from `subsets.describe`.
        counts: `photographs`, `usable`, `patients`, `unfound` (usable, without a circle),
            `crossing`, `candidates`.
        figures: The files of `FIGURES`.
    """
    page = Page(f"Data card of the study “{study}”")
    page.say(
        f"{counts['photographs']} photographs, of which {counts['usable']} of {counts['patients']} "
        f"patients are usable. In {counts['unfound']} of these the outline of the retina was not "
        "found: they are used whole."
    )
    page.heading("Levels")
    page.figure(figures["levels"], FIGURES["levels"])
    page.table(tables["levels"], list(tables["levels"].columns))
    page.figure(figures["examples"], FIGURES["examples"])
    _tell_splits(page, tables, subsets, counts["crossing"])
    _tell_shortcuts(page, tables, figures)
    _tell_rejects(page, tables, counts["candidates"], figures)
    if not tables["external"].empty:
        page.heading("External sets")
        page.say(
            "Nothing is trained on them. Photographs that the study has too, as the same bytes or "
            "as the same picture compressed anew, are left out."
        )
        page.table(tables["external"], list(tables["external"].columns))
    return page


def _tell_splits(
    page: Page,
    tables: Mapping[str, pd.DataFrame],
    subsets: Sequence[Mapping[str, Any]],
    crossing: int,
) -> None:
    page.heading("Tasks and splits")
    page.table(pd.DataFrame(subsets), ["task", "photographs", "patients", "hash", "seed"])
    page.note("The hash is the first digits of the SHA-256 of the task's list of photographs.")
    page.table(tables["proofs"], list(tables["proofs"].columns))
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
        f"{row.auc:.3f} (95 % interval {row.auc_low:.3f} to {row.auc_high:.3f}): a split of "
        "photographs would leak that much."
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
        page.say("Published grades of quality:")
        page.table(tables["qualities"], list(tables["qualities"].columns))


def _tell_rejects(
    page: Page, tables: Mapping[str, pd.DataFrame], candidates: int, figures: Mapping[str, Path]
) -> None:
    page.heading("Rejected photographs")
    if tables["reasons"].empty:
        page.say("No photograph was rejected.")
    else:
        page.table(tables["reasons"], list(tables["reasons"].columns))
        page.figure(figures["rejects"], FIGURES["rejects"])
    page.heading("Photographs that are there twice")
    pairs = tables["duplicates"]
    looked_at = min(candidates, LOOKED_AT)
    page.say(
        f"{(pairs['how'] == 'bytes').sum()} pairs with equal bytes. Of pairs of different patients "
        f"with like perceptual hash, brightness and saturation, {looked_at} of {candidates} were "
        f"looked at, and {(pairs['how'] == 'pixels').sum()} have the same vessels."
    )
    page.note(
        "A perceptual hash alone says little, since retinas look alike: among 959 photographs of "
        "the competition, 39 pairs of different patients are at most 2 of 64 bits apart."
    )
    if not pairs.empty:
        page.table(pairs.head(_PAIRS), list(pairs.columns))
        page.note(f"The first {min(len(pairs), _PAIRS)} of {len(pairs)}; all are in the table.")
