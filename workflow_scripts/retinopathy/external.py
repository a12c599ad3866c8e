"""External sets: photographs of other cameras and populations, on which nothing is trained."""

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from retinopathy.sources import NO_LEVEL

PART = 0
"""The one part of every external set: nothing of it is dealt to splits."""


def translate(
    table: pd.DataFrame, columns: tuple[str, str], levels: Mapping[str, int]
) -> pd.DataFrame:
    """Translate the grades of a set to levels.

    Args:
        table: The set's table, every column text.
        columns: Names of its columns with the image and the grade.
        levels: Grade to level, 0 to 4. Grades are compared as text and, where both are numbers, as
            numbers: `2`, `2.0` and ` 2 ` are the same grade.

    Returns:
        Columns image (str), level (Int64): missing where there is no grade, `NO_LEVEL` where the
        map has no level for it.
    """
    known = {_grade(grade): level for grade, level in levels.items()}
    image, grade = columns
    written = table[grade].map(_grade)
    found = [known.get(text, NO_LEVEL) if text else pd.NA for text in written]
    return pd.DataFrame({"image": table[image], "level": pd.array(found, "Int64")})


def select(
    usable: pd.DataFrame,
    known: Collection[str],
    negative: Sequence[int],
    positive: Sequence[int],
) -> pd.DataFrame:
    """Select the photographs of a task's levels that the study does not have.

    Args:
        usable: Usable rows of the set's manifest.
        known: Images that are in the study too.
        negative: Levels with label 0.
        positive: Levels with label 1.

    Returns:
        Columns image, patient, level, label, part, sorted by image; every part is `PART`.
    """
    wanted = usable["level"].isin([*negative, *positive]) & ~usable["image"].isin(list(known))
    rows = usable.loc[wanted, ["image", "patient", "level"]].astype({"level": "int64"})
    labels = rows["level"].isin(positive).astype("int64")
    return rows.assign(label=labels, part=PART).sort_values("image", ignore_index=True)


def _grade(text: object) -> str:
    """Return a grade in one spelling."""
    stripped = str(text).strip()
    try:
        number = float(stripped)
    except ValueError:
        return stripped
    return f"{number:g}"
