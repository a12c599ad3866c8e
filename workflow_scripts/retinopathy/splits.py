"""Who is trained on and who is tested: parts of patients, and photographs for each task.

Patients, not photographs, are dealt to parts, once for all tasks: the two eyes of a patient are
alike, so an eye in training would give away its fellow in the test.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from retinopathy.errors import Explained
from retinopathy.manifest import LEVELS, usable
from retinopathy.parts import draw

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Task:
    """A rule that turns levels into a binary label.

    Attributes:
        name: Its name in the configuration.
        negative: Levels with label 0.
        positive: Levels with label 1; levels in neither are left out.
        photographs: How many photographs to use at most, both labels together.
        balanced: Whether to use as many of one label as of the other, in every part.
    """

    name: str
    negative: tuple[int, ...]
    positive: tuple[int, ...]
    photographs: int
    balanced: bool


def deal_parts(manifest: pd.DataFrame, parts: int, seed: int) -> dict[str, int]:
    """Deal the patients with usable photographs to parts, as evenly as possible.

    Patients are shuffled within the level of their worse eye and dealt in turn, each level going
    on where the last one stopped: parts differ by at most one patient, of each level and in all.

    Args:
        manifest: Columns image, patient, level, status, in any order of rows.
        parts: How many parts, ≥ 1.
        seed: Another seed deals otherwise.

    Returns:
        Patient → part, in [0, parts).
    """
    worse = usable(manifest).groupby("patient")["level"].max()
    order = sorted(worse.items(), key=lambda item: (item[1], draw(str(item[0]), seed)))
    return {str(patient): place % parts for place, (patient, _) in enumerate(order)}


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
    rows = _candidates(manifest, task, parts_of)
    quotas = _quotas(_capacities(rows, task), task)
    order = rows.assign(place=[draw(image, seed) for image in rows["image"]])
    order = order.sort_values(["place", "image"])
    rank = order.groupby(["part", "label"]).cumcount()
    quota = [quotas[key] for key in zip(order["part"], order["label"], strict=True)]
    chosen = order[rank < np.asarray(quota, np.int64)].drop(columns="place")
    return chosen.sort_values("image", ignore_index=True)


def available(manifest: pd.DataFrame, task: Task, parts_of: Mapping[str, int]) -> int:
    """Return how many photographs a task could have, if it asked for any number."""
    return sum(_capacities(_candidates(manifest, task, parts_of), task).values())


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
    counted = [_count(name, table[table["split"] == name]) for name in SPLITS]
    return pd.DataFrame(counted)


def _candidates(manifest: pd.DataFrame, task: Task, parts_of: Mapping[str, int]) -> pd.DataFrame:
    """Return every usable photograph of the task's levels: image, patient, level, label, part."""
    good = usable(manifest)
    wanted = good.loc[
        good["level"].isin([*task.negative, *task.positive]), ["image", "patient", "level"]
    ].astype({"level": "int64"})
    return wanted.assign(
        label=wanted["level"].isin(task.positive).astype("int64"),
        part=wanted["patient"].map(parts_of).astype("int64"),
    )


def _capacities(rows: pd.DataFrame, task: Task) -> dict[tuple[int, int], int]:
    """Return (part, label) → how many photographs of it could be used."""
    counts = Counter((int(p), int(y)) for p, y in zip(rows["part"], rows["label"], strict=True))
    if not task.balanced:
        return dict(counts)
    parts = {part for part, _ in counts}
    least = {part: min(counts[part, label] for label in (0, 1)) for part in parts}
    return {(part, label): least[part] for part in parts for label in (0, 1)}


def _quotas(capacities: Mapping[tuple[int, int], int], task: Task) -> dict[tuple[int, int], int]:
    """Return (part, label) → how many photographs of it to use."""
    if not task.balanced:
        return _share_out(capacities, task.photographs)
    pairs = {key: n for key, n in capacities.items() if key[1] == 1}
    shared = _share_out(pairs, task.photographs // 2)
    return {(part, label): n for (part, _), n in shared.items() for label in (0, 1)}


def _share_out(capacities: Mapping[tuple[int, int], int], limit: int) -> dict[tuple[int, int], int]:
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


def _count(split: str, rows: pd.DataFrame) -> dict[str, object]:
    labels = {f"label_{label}": int((rows["label"] == label).sum()) for label in (0, 1)}
    levels = {f"level_{level}": int((rows["level"] == level).sum()) for level in LEVELS}
    patients = rows["patient"].nunique()
    return (
        {"split": split, "photographs": len(rows), "patients": patients, "patients_shared": 0}
        | labels
        | levels
    )
