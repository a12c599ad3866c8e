"""Lists of a task's photographs: written so that they can be published, and read back as input.

A list is a CSV file with the columns image, patient, level, label, part, sorted by image, with line
feeds. Its hash is that of the file's bytes, so `sha256sum` shows it too.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from retinopathy import manifest, sources, splits
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


@dataclass(frozen=True)
class Choice:
    """The photographs of a task.

    Attributes:
        photographs: Columns image, patient, level, label, part, sorted by image.
        asked: How many the task, or its published list, asks for.
        wanted: The same in words.
        there: How many there are, in words.
        listed: Whether they come from a published list.
        dealt: Whether the seed has a say in them: not in a list with parts.
    """

    photographs: pd.DataFrame
    asked: int
    wanted: str
    there: str
    listed: bool
    dealt: bool


def describe(choice: Choice, task: splits.Task, seed: int, source: str) -> dict[str, object]:
    """Return what a task's list is: what was asked for, hash, and counts in all and per part.

    Args:
        choice: Its photographs, from `choose`.
        task: The task.
        seed: The study's; None is given where it has no say.
        source: Path of the published list that was used, or nothing.
    """
    selected = choice.photographs
    known: dict[str, object] = {
        "task": task.name,
        "negative": list(task.negative),
        "positive": list(task.positive),
        "asked": choice.asked,
        "balance": None if choice.listed else task.balance,
        "list": source or None,
        "hash": fingerprint(selected),
        "seed": seed if choice.dealt else None,
    }
    return known | splits.count(selected) | {"parts": by_part(selected)}


def by_part(selected: pd.DataFrame) -> list[dict[str, int]]:
    """Return the counts of `splits.count` for every part of selected photographs."""
    return [
        {"part": int(part)} | splits.count(selected[selected["part"] == part])
        for part in sorted(selected["part"].unique())
    ]


def read(path: Path) -> pd.DataFrame:
    """Read a list: the column image, and any of patient, level, label and part.

    Returns:
        `image` and `patient` (from the image's name where the list does not say), and those of
        level, label and part that are there, as whole numbers.

    Raises:
        Explained: It is no such table, or a photograph is there twice.
    """
    try:
        table = sources.read_table(path, ("image",))
    except Explained as error:
        raise _no_list(path, str(error.__cause__ or error.problem)) from error
    if table.empty:
        raise _no_list(path, f"no rows below the columns {', '.join(table.columns)}")
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
                raise _two_parts(patient, (given[patient], source[patient]), (int(part), task))
            source.setdefault(patient, task)
    return given


def deal(
    rows: pd.DataFrame, listed: Mapping[str, pd.DataFrame], parts: int, seed: int
) -> dict[str, int]:
    """Return patient → part: as the lists have it; others are dealt as if there were no list.

    So the list of a study changes nothing in it. Patients who have a picture in common with one of
    a list are the same person, and go to the same part.

    Args:
        rows: The manifest.
        listed: Task → its list, for the tasks that have one.
        parts: How many parts there are.
        seed: Deals.

    Raises:
        Explained: The lists contradict each other, themselves or the study.
    """
    given = parts_of(listed, parts)
    person_of = manifest.persons(rows)
    known = {person_of.get(patient, patient): part for patient, part in given.items()}
    dealt = splits.deal_parts(rows, parts, seed)
    return {name: known.get(person_of[name], part) for name, part in dealt.items()} | given


def choose(
    rows: pd.DataFrame,
    task: splits.Task,
    listed: Mapping[str, pd.DataFrame],
    dealt: Mapping[str, int],
    seed: int,
) -> Choice:
    """Choose the photographs of a task: those of its list, if it has one.

    Args:
        rows: The manifest.
        task: What to choose.
        listed: Task → its list, for the tasks that have one.
        dealt: Patient → part, from `deal`.
        seed: Selects where there is no list.
    """
    if task.name in listed:
        own = listed[task.name]
        selected, absent = pick(rows, task, own, dealt)
        wanted = f"all {len(own)} photographs of its published list"
        there = f"{len(selected)}; not usable here are {names(absent)}"
        return Choice(selected, len(own), wanted, there, True, "part" not in own)
    selected = splits.select(rows, task, dealt, seed)
    wanted = f"{task.photographs}, half of each label"
    there = splits.stock(rows, task, dealt)
    return Choice(selected, task.photographs, wanted, there, False, True)


def check(choice: Choice, task: str, when_fewer: str, say: Callable[[str], None]) -> None:
    """Stop when there are too few photographs, or say with how many the study goes on.

    Args:
        choice: The photographs of the task.
        task: Its name.
        when_fewer: `stop` or `use_all`.
        say: Called with the sentence.

    Raises:
        Explained: There are fewer photographs than asked for, and `when_fewer` is `stop`, or none.
    """
    n = len(choice.photographs)
    if n == 0 or (n < choice.asked and when_fewer == "stop"):
        raise Explained(
            f"too few photographs for the task {task}",
            expected=choice.wanted,
            received=choice.there,
            hint="ask for fewer, or set the task's when_fewer to use_all"
            if n
            else "the task needs photographs of every one of its levels or classes",
        )
    if n < choice.asked:
        say(f"{task}: asked for {choice.wanted}; going on with {n}: {choice.there}")


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


def _two_parts(patient: str, one: tuple[int, str], other: tuple[int, str]) -> Explained:
    """Say that a patient is in two parts; each with the task whose list says so."""
    (part, task), (another, second) = one, other
    if task == second:
        received = f"patient {patient} in parts {part} and {another} in one list, that of {task}"
    else:
        received = (
            f"patient {patient} in part {part} in the list of the task {task}, in part {another} "
            f"in that of {second}"
        )
    return Explained(
        "a patient is in two parts",
        expected="every patient in one part, the same in the lists of all tasks",
        received=received,
        hint="use lists as studies write them, all of one study, or without the column part",
    )


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
