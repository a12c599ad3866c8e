"""A control: photographs dealt to splits as if the two eyes of a patient had nothing in common.

It shows what a split of photographs would have pretended. Nothing that chooses may use it.
"""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from retinopathy.parts import draw


def deal(selected: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Deal the parts of a task anew, to its photographs instead of its patients.

    Within each level the parts are shuffled over the photographs: every part keeps its number of
    photographs of each level, and so of each label. What differs from the task is who is where.

    Args:
        selected: Columns image, patient, level, label, part.
        seed: Another seed deals otherwise; the order of the rows does not matter.

    Returns:
        The same rows with another part, sorted by image.
    """
    # A draw of its own: that of the name alone has chosen the photographs of each part.
    turn = [draw(f"leaking:{image}", seed) for image in selected["image"]]
    by_part = selected.sort_values(["level", "part"])
    dealt = selected.assign(turn=turn).sort_values(["level", "turn", "image"])
    dealt["part"] = by_part["part"].to_numpy()
    return dealt[selected.columns].sort_values("image", ignore_index=True)


def fellow_in_train(
    selected: pd.DataFrame, folds: Iterable[Mapping[str, Sequence[int]]]
) -> float | None:
    """Return the share of test photographs of whose patient another one is in training.

    Args:
        selected: Columns image, patient, part; each image once.
        folds: For each fold that is tested, split → parts, from `parts.roles`.

    Returns:
        In [0, 1], over all folds together; None where there is no test photograph.
    """
    known = []
    for roles in folds:
        train = selected.loc[selected["part"].isin(roles["train"]), "patient"]
        test = selected.loc[selected["part"].isin(roles["test"]), "patient"]
        known.append(test.isin(train))
    together = pd.concat(known)
    return float(together.mean()) if len(together) else None
