"""The four questions of the study, each answered in a few sentences from its tables."""

from collections.abc import Mapping

import pandas as pd

from retinopathy import registry, sightings, verdicts
from retinopathy.standings import ALPHA, controls, difference, from_imagenet, leading, sizes
from retinopathy.wording import counted, listed, model, reached, shift

Tables = Mapping[str, pd.DataFrame]

_OTHERS = {"pixels": "classical methods on pixels", "features": "on frozen ImageNet features"}
"""Inputs of baselines → what they are called beside the best final model."""


def answers(tables: Tables) -> dict[str, list[str]]:
    """Return question → paragraphs.

    Args:
        tables: `networks`, `baselines`, `initialisation`, `comparisons`, `depth`, `depth_cuts`,
            `depth_test`, `localisation` and `localisation_differences`.
    """
    return {
        "How much does transfer learning help?": transfer(tables),
        "How deep should one train?": [depth(tables)],
        "How large must the photograph be?": size(tables),
        "Do the networks look at the lesions?": lesions(tables),
    }


# Transfer -----------------------------------------------------------------------------------------


def transfer(tables: Tables) -> list[str]:
    """Return what the best final model is ahead of, a paragraph per task, and of its controls."""
    finals = tables["networks"]
    found = [
        _task(str(task), rows, tables["baselines"])
        for task, rows in finals.groupby("task", sort=False)
    ]
    against = verdicts.transfer(tables["initialisation"], tables["comparisons"])
    return [*found, " ".join(against)]


def _task(task: str, rows: pd.DataFrame, baselines: pd.DataFrame) -> str:
    best, others = leading(from_imagenet(rows)), controls(rows)
    if best.empty:
        return f"Task “{task}”: {_without(others)}"
    first = best.iloc[0]
    parts = [
        f"Task “{task}”: the best of {_models(from_imagenet(rows))} from ImageNet weights, "
        f"{model(first)}, reaches an AUC of {reached(best)} on {first['n']} test photographs."
    ]
    own = baselines[baselines["task"] == task]
    parts += [_beside(best, own, inputs) for inputs in _OTHERS]
    if not others.empty:
        parts.append(f"Not counted: {_models(others)} from random weights, which are controls.")
    return " ".join(part for part in parts if part)


def _models(rows: pd.DataFrame) -> str:
    return counted(rows["case"].nunique(), "final model")


def _without(others: pd.DataFrame) -> str:
    """Say what there is where no final model from ImageNet weights finished."""
    found = "no final model from ImageNet weights finished, so that this is not answered."
    best = leading(others)
    if best.empty:
        return found
    return (
        f"{found} The best of {_models(others)} from random weights, which are controls, "
        f"{model(best.iloc[0])}, reaches an AUC of {reached(best)}."
    )


def _beside(best: pd.DataFrame, baselines: pd.DataFrame, inputs: str) -> str:
    """Return how the best final model compares with the best classical method on some inputs."""
    rows = baselines[baselines["inputs"] == inputs]
    rows = from_imagenet(rows) if inputs == "features" else rows
    other = leading(rows)
    if other.empty:
        return ""
    return (
        f"The best of {len(rows)} {_OTHERS[inputs]}, {model(other.iloc[0])}, reaches "
        f"{reached(other)}: {_less(best['auc'].mean() - other['auc'].mean())}; "
        f"{verdicts.intervals(best, other)}."
    )


def _less(gap: float) -> str:
    return f"{abs(gap):.3f} {'less' if gap > 0 else 'more'}"


# Depth --------------------------------------------------------------------------------------------


def depth(tables: Tables) -> str:
    """Return what the study of depth found on validation, and which depths differ on test."""
    table, comparisons = tables["depth"], tables["comparisons"]
    first = table.iloc[0]
    control = "" if controls(table).empty else f", from “{first['initialisation']}”: a control"
    return " ".join(
        [
            f"Task “{first['task']}”, {model(first)}{control}. {verdicts.choice(table)}",
            verdicts.pairs(comparisons[comparisons["study"] == "depth"], "depths"),
            *_deeper(tables),
            *_cuts(tables["depth_cuts"].iloc[-1]),
        ]
    )


def _deeper(tables: Tables) -> list[str]:
    """Return what the depth that validation prefers adds to the head alone, on the test split."""
    best, comparisons = leading(tables["depth"]), tables["comparisons"]
    if best.empty:
        return []
    task, case = best.iloc[0][["task", "case"]]
    gain = difference(comparisons, "depth", task, case, registry.HEAD)
    if gain is None:
        return []
    return [
        f"There “{case}” differs from the head alone by {shift(gain, 'auc_difference')}.",
        *_tested(tables["depth_test"], case),
    ]


def _tested(table: pd.DataFrame, chosen: str) -> list[str]:
    """Return which depth is highest on the test split, where it is not the chosen one."""
    best = leading(table)
    if best.empty or best.iloc[0]["case"] == chosen:
        return []
    return [
        f"On the test split, which chose nothing, “{best.iloc[0]['case']}” is highest, with "
        f"{reached(best)}: the order is another one there."
    ]


def _cuts(mean: pd.Series) -> list[str]:
    """Return what is known of cuts inside blocks, from the last row of their table."""
    if pd.isna(mean["p"]):
        return []
    told = "told apart" if mean["p"] < ALPHA else "not told apart"
    return [
        f"Cuts inside a block lie {shift(mean, 'shortfall')} of AUC under whole-block cuts: {told}."
    ]


# Size ---------------------------------------------------------------------------------------------


def size(tables: Tables) -> list[str]:
    """Return what the larger photograph adds, compared in pairs: a paragraph per task."""
    gains = sizes(tables["comparisons"])
    if gains.empty or gains["auc_gain"].isna().all():
        return ["No network was compared with itself at another size."]
    known = gains.dropna(subset=["auc_gain"])
    return [_sizes(str(task), rows) for task, rows in known.groupby("task", sort=False)]


def _sizes(task: str, rows: pd.DataFrame) -> str:
    own, others = from_imagenet(rows), controls(rows)
    parts = _added(own)
    if not others.empty:
        parts += ["Controls, from random weights:", *_added(others)]
    return f"Task “{task}”, on the same photographs. {' '.join(parts)}"


def _added(rows: pd.DataFrame) -> list[str]:
    """Return what each step in size changes, and how many of its changes are told from none."""
    said = []
    for (small, large), own in rows.groupby(["size_small", "size_large"]):
        gains = [f"of {row['network']} by {shift(row, 'auc_gain')}" for _, row in own.iterrows()]
        apart = int((own["auc_p"] < ALPHA).sum())
        count = ("not told", "told")[apart] if len(own) == 1 else f"{apart} of {len(own)} told"
        said.append(
            f"Going from {small} to {large} px changes the AUC {listed(gains)}: {count} apart."
        )
    return said


# Lesions ------------------------------------------------------------------------------------------


def lesions(tables: Tables) -> list[str]:
    """Return whether the networks look at the lesions; a paragraph per set and task."""
    found = sightings.found(tables["localisation_differences"], tables["localisation"])
    return found or ["Not measured: there are no scores of maps against outlined lesions."]
