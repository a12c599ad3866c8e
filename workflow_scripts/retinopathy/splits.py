"""Who is trained on and who is tested: parts of patients, and photographs for each task.

Patients, not photographs, are dealt to parts, once for all tasks: the two eyes of a patient are
alike, so an eye in training would give away its fellow in the test.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from retinopathy.errors import Explained
from retinopathy.manifest import LEVELS, persons, usable
from retinopathy.parts import draw

SPLITS = ("train", "validation", "test")

CONTROL = "control: parts are dealt to photographs, so that patients are shared on purpose"
"""What the proof of a split says that ignores patients."""


@dataclass(frozen=True)
class Task:
    """A rule that turns levels into a binary label.

    Attributes:
        name: Its name in the configuration.
        negative: Levels with label 0.
        positive: Levels with label 1; levels in neither are left out.
        photographs: How many photographs to use at most, both labels together.
        balance: What every part has equally often: each `label`; or each label and, within it,
            each `level` too, up to one photograph.
    """

    name: str
    negative: tuple[int, ...]
    positive: tuple[int, ...]
    photographs: int
    balance: str

    @classmethod
    def of(cls, name: str, values: Mapping[str, Any]) -> "Task":
        """Return the task that the configuration's section `tasks: name:` describes."""
        negative, positive = tuple(values["negative"]), tuple(values["positive"])
        return cls(name, negative, positive, values["photographs"], values["balance"])

    @property
    def strata(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """For each label, what makes it up in equal numbers: its levels, or the label itself."""
        return (self.negative, self.positive) if self.balance == "level" else ((0,), (1,))


def deal_parts(manifest: pd.DataFrame, parts: int, seed: int) -> dict[str, int]:
    """Deal the patients with usable photographs to parts, as evenly as possible.

    Patients are shuffled within the level of their worse eye and dealt in turn, each level going
    on where the last one stopped: parts differ by at most one patient, of each level and in all.
    Patients who have a picture in common are one person, and are dealt as one.

    Args:
        manifest: Columns image, patient, level, status, in any order of rows.
        parts: How many parts, ≥ 1.
        seed: Another seed deals otherwise.

    Returns:
        Patient → part, in [0, parts).
    """
    person_of = persons(manifest)
    good = usable(manifest)
    worse = good.groupby(good["patient"].map(person_of))["level"].max()
    order = sorted(worse.items(), key=lambda item: (item[1], draw(str(item[0]), seed)))
    part_of = {person: place % parts for place, (person, _) in enumerate(order)}
    return {patient: part_of[person_of[patient]] for patient in good["patient"].unique()}


def select(
    manifest: pd.DataFrame, task: Task, parts_of: Mapping[str, int], seed: int
) -> pd.DataFrame:
    """Select photographs for a task, every one at most once.

    When there are more than the task asks for, each part gives the same share of its own; which
    photographs stay depends on their names and the seed only.

    Args:
        manifest: The manifest.
        task: What to select.
        parts_of: Patient → part, from `deal_parts`.
        seed: Another seed selects otherwise.

    Returns:
        Columns image, patient, level, label, part, sorted by image.
    """
    rows = candidates(manifest, task, parts_of)
    quotas = _quotas(_capacities(rows, task), task)
    place = [draw(image, seed) for image in rows["image"]]
    order = rows.assign(place=place, stratum=_stratum(rows, task)).sort_values(["place", "image"])
    rank = order.groupby(["part", "stratum"]).cumcount()
    quota = [quotas[key] for key in zip(order["part"], order["stratum"], strict=True)]
    chosen = order.loc[rank < np.asarray(quota, np.int64), rows.columns]
    return chosen.sort_values("image", ignore_index=True)


def available(manifest: pd.DataFrame, task: Task, parts_of: Mapping[str, int]) -> int:
    """Return how many photographs a task could have, if it asked for any number."""
    return 2 * sum(_capacities(candidates(manifest, task, parts_of), task).values())


def stock(manifest: pd.DataFrame, task: Task, parts_of: Mapping[str, int]) -> str:
    """Say how many balanced photographs a task could have, and of how many usable ones."""
    rows = candidates(manifest, task, parts_of)
    there = 2 * sum(_capacities(rows, task).values())
    whole = 2 * sum(_capacities(rows.assign(part=0), task).values())
    lost = f", {whole} if parts did not have to be balanced each" if whole > there else ""
    counts = rows["level"].value_counts()
    classes = [
        f"label {label} has {(rows['label'] == label).sum()} usable photographs ("
        + ", ".join(f"level {level}: {counts.get(level, 0)}" for level in levels)
        + ")"
        for label, levels in enumerate((task.negative, task.positive))
    ]
    return f"{there} distinct and balanced{lost}; {'; '.join(classes)}"


def split_table(selected: pd.DataFrame, roles: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    """Add each photograph's split.

    Args:
        selected: Columns image, patient, level, label, part.
        roles: Split → parts, from `parts.roles`.

    Returns:
        Columns image, patient, level, label, part, split; parts without a split are left out.
    """
    split_of = {part: split for split, parts in roles.items() for part in parts}
    table = selected.assign(split=selected["part"].map(split_of))
    return table[table["split"].notna()].astype({"split": "str"}).reset_index(drop=True)


def read_selected(path: Path) -> pd.DataFrame:
    """Read selected photographs, with or without their splits, with the types of the columns.

    Raises:
        Explained: Columns are missing.
    """
    types = dict.fromkeys(("image", "patient"), "str")
    types |= dict.fromkeys(("level", "label", "part"), "int64")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    missing = [name for name in types if name not in table.columns]
    if missing:
        raise Explained(
            f"{path} is not a table of selected photographs",
            expected=f"columns {', '.join(types)}",
            received=f"no column {', '.join(missing)}",
            hint="delete it, so that it is made again",
        )
    return table.astype(types)


def proof(table: pd.DataFrame) -> pd.DataFrame:
    """Count what is in each split, and prove that no patient is in two.

    Args:
        table: Columns image, patient, level, label, split.

    Returns:
        One row per split: split, photographs, patients, patients_shared (with any other split: 0),
        label_0, label_1, level_0 … level_4.

    Raises:
        ValueError: A patient is in two splits, or a photograph is there twice.
    """
    splits_of = table.groupby("patient")["split"].nunique()
    shared = splits_of[splits_of > 1].index
    if len(shared) or table["image"].duplicated().any():
        twice = table.loc[table["image"].duplicated(), "image"]
        raise ValueError(f"in two splits: patients {list(shared)}; twice: images {list(twice)}")
    return _counted(table)


def admission(table: pd.DataFrame) -> pd.DataFrame:
    """Count what is in each split of a control that ignores patients, and say that it is one.

    Args:
        table: Columns image, patient, level, label, split.

    Returns:
        What `proof` returns, with `patients_shared` as they are, and the column control: `CONTROL`.

    Raises:
        ValueError: A photograph is there twice.
    """
    if table["image"].duplicated().any():
        raise ValueError(f"twice: images {list(table.loc[table['image'].duplicated(), 'image'])}")
    return _counted(table).assign(control=CONTROL)


def _counted(table: pd.DataFrame) -> pd.DataFrame:
    counted = []
    for name in SPLITS:
        inside = table["split"] == name
        crossing = set(table.loc[inside, "patient"]) & set(table.loc[~inside, "patient"])
        counted.append({"split": name, "patients_shared": len(crossing)} | count(table[inside]))
    return pd.DataFrame(counted)


def count(rows: pd.DataFrame) -> dict[str, int]:
    """Return the numbers of `photographs`, `patients`, `label_0` …, `level_0` … in some rows."""
    labels = {f"label_{label}": int((rows["label"] == label).sum()) for label in (0, 1)}
    levels = {f"level_{level}": int((rows["level"] == level).sum()) for level in LEVELS}
    patients = int(rows["patient"].nunique())
    return {"photographs": len(rows), "patients": patients} | labels | levels


def candidates(manifest: pd.DataFrame, task: Task, parts_of: Mapping[str, int]) -> pd.DataFrame:
    """Return every usable photograph of the task's levels: image, patient, level, label, part."""
    good = usable(manifest)
    wanted = good.loc[
        good["level"].isin([*task.negative, *task.positive]), ["image", "patient", "level"]
    ].astype({"level": "int64"})
    return wanted.assign(
        label=wanted["level"].isin(task.positive).astype("int64"),
        part=wanted["patient"].map(parts_of).astype("int64"),
    )


def _stratum(rows: pd.DataFrame, task: Task) -> pd.Series:
    """Return what of `Task.strata` each row belongs to."""
    return rows["level"] if task.balance == "level" else rows["label"]


def _capacities(rows: pd.DataFrame, task: Task) -> dict[int, int]:
    """Return part → how many photographs of each label could be used."""
    counts = Counter(zip(rows["part"], _stratum(rows, task), strict=True))
    return {
        int(part): min(
            len(members) * min(counts[part, stratum] for stratum in members)
            for members in task.strata
        )
        for part in sorted(set(rows["part"]))
    }


def _quotas(capacities: Mapping[int, int], task: Task) -> dict[tuple[int, int], int]:
    """Return (part, stratum) → how many photographs of it to use.

    What does not divide evenly goes to the strata that have the least so far, so that they differ
    by at most one over all parts as well.
    """
    shared = _share_out(capacities, task.photographs // 2)
    quotas: Counter[tuple[int, int]] = Counter()
    for members in task.strata:
        used = Counter(dict.fromkeys(members, 0))
        for part, n in shared.items():
            whole, more = divmod(n, len(members))
            for place, stratum in enumerate(sorted(members, key=lambda one: (used[one], one))):
                quotas[part, stratum] = whole + (place < more)
                used[stratum] += quotas[part, stratum]
    return quotas


def _share_out(capacities: Mapping[int, int], limit: int) -> dict[int, int]:
    """Scale whole numbers down to a sum of `limit`, by largest remainders (Hamilton)."""
    total = sum(capacities.values())
    if total <= limit:
        return dict(capacities)
    shares = {key: divmod(n * limit, total) for key, n in capacities.items()}
    quotas = {key: whole for key, (whole, _) in shares.items()}
    order = sorted(shares, key=lambda key: (-shares[key][1], key))
    for key in order[: limit - sum(quotas.values())]:
        quotas[key] += 1
    return quotas
