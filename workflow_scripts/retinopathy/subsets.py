"""Lists of a task's photographs: written so that they can be published, and read back as input.

A list is a CSV file with the columns image, patient, level, label, part, sorted by image, with line
feeds. Its hash is that of the file's bytes, so `sha256sum` shows it too.
"""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from retinopathy import manifest, splits
from retinopathy.errors import Explained

COLUMNS = ("image", "patient", "level", "label", "part")

_NUMBERS = ("level", "label", "part")
_SHOWN = 5  # names in a message


def canonical(selected: pd.DataFrame) -> str:
    """Return selected photographs as the text of a list."""
    rows = selected.sort_values("image")[list(COLUMNS)]
    return str(rows.to_csv(index=False, lineterminator="\n"))


def fingerprint(selected: pd.DataFrame) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 of the canonical text."""
    return hashlib.sha256(canonical(selected).encode()).hexdigest()[:12]


def describe(selected: pd.DataFrame, task: str, seed: int) -> dict[str, object]:
    """Return what a list is: task, hash, seed, and counts in all and per part."""
    parts = [
        {"part": int(part)} | splits.count(selected[selected["part"] == part])
        for part in sorted(selected["part"].unique())
    ]
    known = {"task": task, "hash": fingerprint(selected), "seed": seed}
    return known | splits.count(selected) | {"parts": parts}


def read(path: Path) -> pd.DataFrame:
    """Read a list: the column image, and any of patient, level, label and part.

    Returns:
        `image` and `patient` (from the image's name where the list does not say), and those of
        level, label and part that are there, as whole numbers.

    Raises:
        Explained: It is no such table, or a photograph is there twice.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise _no_list(path, str(error)) from error
    if "image" not in table or table.empty:
        raise _no_list(path, f"{len(table)} rows with the columns {', '.join(table.columns)}")
    if table["image"].duplicated().any():
        twice = table.loc[table["image"].duplicated(), "image"]
        raise _no_list(path, f"more than once: {names(twice)}")
    listed = table[[name for name in COLUMNS if name in table]].copy()
    for name in _NUMBERS:
        if name in listed:
            numbers = pd.to_numeric(listed[name], errors="coerce")
            if numbers.isna().any() or (numbers % 1 != 0).any():
                raise _no_list(path, f"a {name} that is no whole number")
            listed[name] = numbers.astype("int64")
    if "patient" not in listed:
        listed["patient"] = [manifest.identify(image)[0] for image in listed["image"]]
    return listed


def parts_of(lists: Mapping[str, pd.DataFrame], parts: int) -> dict[str, int]:
    """Return patient → part, as the lists of all tasks have it.

    Args:
        lists: Task → its list; lists without parts say nothing.
        parts: How many parts there are.

    Raises:
        Explained: A part is not one of them, or a patient is in two.
    """
    given: dict[str, int] = {}
    source: dict[str, str] = {}
    for task, listed in lists.items():
        if "part" not in listed:
            continue
        for patient, part in zip(listed["patient"], listed["part"], strict=True):
            if part not in range(parts):
                raise Explained(
                    f"the list of the task {task} has a part that the study has not",
                    expected=f"parts from 0 to {parts - 1}",
                    received=f"patient {patient} in part {part}",
                    hint="set splits.parts to the number of parts of the study that wrote the list",
                )
            if given.setdefault(patient, int(part)) != part:
                raise Explained(
                    "lists disagree on the part of a patient",
                    expected="every patient in one part, the same in the lists of all tasks",
                    received=f"patient {patient} in part {given[patient]} in the list of the task "
                    f"{source[patient]}, in part {part} in that of {task}",
                    hint="use lists of one study, or lists without the column part",
                )
            source.setdefault(patient, task)
    return given


def pick(
    rows: pd.DataFrame, task: splits.Task, listed: pd.DataFrame, dealt: Mapping[str, int]
) -> tuple[pd.DataFrame, list[str]]:
    """Pick exactly the photographs of a list, as far as they are usable here.

    Args:
        rows: The manifest.
        task: The task whose list it is.
        listed: The list, from `read`.
        dealt: Patient → part, with those of `parts_of`.

    Returns:
        Columns image, patient, level, label, part, sorted by image; and the listed images that
        are not usable here.

    Raises:
        Explained: Level, label or patient of a usable photograph are not what the list says, or
            its level is not one of the task.
    """
    usable = manifest.usable(rows)
    here = usable[usable["image"].isin(listed["image"])]
    selected = splits.candidates(here, task, dealt).sort_values("image", ignore_index=True)
    foreign = here.loc[~here["image"].isin(selected["image"]), "image"]
    if len(foreign):
        raise _differs(task, "level", names(foreign) + ": of a level that is not one of the task")
    said = listed.set_index("image").loc[selected["image"]]
    for name in ("level", "label", "patient"):
        if name in said and (other := said[name].to_numpy() != selected[name].to_numpy()).any():
            row = selected[other].iloc[0]
            example = (
                f"{row['image']} has {row[name]} here and {said.loc[row['image'], name]} there"
            )
            raise _differs(task, name, f"{other.sum()} that differ: {example}")
    absent = sorted(set(listed["image"]) - set(here["image"]))
    return selected, absent


def names(images: Iterable[str]) -> str:
    """Return how many images there are and the first few names."""
    known = list(images)
    return f"{len(known)}: {', '.join(known[:_SHOWN])}{' …' if len(known) > _SHOWN else ''}"


def _no_list(path: Path, received: str) -> Explained:
    return Explained(
        f"{path} is no list of photographs",
        expected="a CSV file with the column image, every image once, and any of the columns "
        "patient, level, label and part",
        received=received,
        hint="a study writes such lists to results/<study>/subsets/<task>.csv",
    )


def _differs(task: splits.Task, name: str, received: str) -> Explained:
    return Explained(
        f"the list of the task {task.name} is not of these photographs or this task",
        expected=f"for every listed photograph the {name} that it has here",
        received=received,
        hint="compare `source: labels:` and the task's levels with those of the study that wrote "
        "the list, or remove the column from the list",
    )
