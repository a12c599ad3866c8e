"""What a table comes to, in a sentence or two: the findings that stand before the tables of a page.

No sentence says more than its numbers carry. Intervals are of patients: the spread over trainings
is the one over seeds. Where models were compared in pairs the difference has an interval of its
own; elsewhere it is said whether the intervals of both overlap.
"""

from collections.abc import Iterator

import pandas as pd

from retinopathy.display import called
from retinopathy.standings import ALPHA, controls, difference, from_imagenet, leading, overlap
from retinopathy.wording import IMAGENET, counted, listed, model, reached, shift, signed

CHANCE = 0.5
"""AUC of guessing."""


# Guessing -----------------------------------------------------------------------------------------


def guessing(rows: pd.DataFrame, thing: str) -> str:
    """Return how many models are told from guessing: their interval does not hold `CHANCE`.

    Args:
        rows: A table of metrics, a row per model; models that diverged have no numbers.
        thing: What a model is called.
    """
    known = rows.dropna(subset=["auc_low"])
    if known.empty:
        return f"there is no interval for any of {counted(len(rows), thing)}"
    better, worse = (known["auc_low"] > CHANCE).sum(), (known["auc_high"] < CHANCE).sum()
    if better == worse == 0:
        if len(known) == 1:
            return f"the one {thing} is not told from guessing (its interval contains {CHANCE})"
        return f"none of {len(known)} {thing}s is told from guessing (all intervals hold {CHANCE})"
    parts = [
        f"{better} of {counted(len(known), thing)} {_is(better)} better than guessing "
        f"(with an interval above {CHANCE})"
    ]
    if worse:
        parts.append(f"{worse} {_is(worse)} worse (with one below {CHANCE})")
    return listed(parts)


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def baselines(rows: pd.DataFrame) -> str:
    """Return what the classical methods of one task came to: a sentence for each kind of input."""
    return " ".join(_kind(words, some) for words, some in _kinds(rows))


def _kinds(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the words for every kind of input, and its rows."""
    keys = ["inputs", "network", "initialisation"]
    for (inputs, network, start), some in rows.groupby(keys, sort=False, dropna=False):
        if inputs == "features":
            control = "" if start == IMAGENET else f" ({start}: a control)"
            yield f"On the frozen features of {network}{control}", some
        else:
            yield f"On {inputs}{' alone' if inputs == 'metadata' else ''}", some


def _kind(words: str, rows: pd.DataFrame) -> str:
    best = leading(rows)
    found = f"{words}: {guessing(rows, 'method')}"
    if best.empty:
        return f"{found}."
    return f"{found}; the highest AUC is that of {called(best['method'].iloc[0])}, {reached(best)}."


# Studies that choose ------------------------------------------------------------------------------


def choice(table: pd.DataFrame) -> str:
    """Return which case of a study does best on validation, and how far it is ahead.

    Args:
        table: Metrics on the validation split: one row per case and seed.
    """
    best = leading(table)
    if best.empty:
        return "A run of every case diverged: validation recommends none."
    others = table[table["case"] != best["case"].iloc[0]]
    found = f"Best on validation is “{best['case'].iloc[0]}”, with an AUC of {reached(best)}"
    following = leading(others)
    if following.empty:
        return f"{found}. There is no other to compare it with."
    lead = best["auc"].mean() - following["auc"].mean()
    behind = f"{lead:.3f} ahead of" if round(lead, 3) > 0 else "no better than"
    firsts = others.dropna(subset=["auc"]).drop_duplicates("case")
    close = sum(overlap(best.iloc[0], row) for _, row in firsts.iterrows())
    return f"{found}; it is {behind} the next, “{following['case'].iloc[0]}”. " + _chance(
        close, len(firsts)
    )


def _chance(close: int, others: int) -> str:
    """Say what follows from how many of the others have an interval that overlaps with the best."""
    if close == 0:
        return "Its interval overlaps with that of no other."
    some = f"{close} of the {others} others" if close < others else f"all {others} others"
    which = "that of the other" if others == 1 else f"those of {some}"
    return f"Its interval overlaps with {which}: this order may be chance."


def erratic(steadiness: pd.DataFrame) -> str:
    """Return how erratic each setting is, from the table of steadiness."""
    known = steadiness.dropna(subset=["erratic"])
    if known.empty:
        return "No run is long enough to tell how erratic its setting is."
    values = [
        f"{row['case']} {row['erratic']:.3f}"
        + ("" if pd.isna(row["erratic_sd"]) else f" ± {row['erratic_sd']:.3f}")
        for _, row in known.iterrows()
    ]
    most = int(known["runs"].max())
    chance = "one run each, so that their spread is not known" if most == 1 else "mean ± sd of runs"
    return (
        "How much validation accuracy jumps from epoch to epoch (erratic; 0 is a straight line): "
        f"{listed(values)}; {chance}."
    )


def pairs(rows: pd.DataFrame, things: str) -> str:
    """Return how many pairs of models are told apart.

    Args:
        rows: Comparisons of every two models of a study and task, the p-values adjusted for the
            number of pairs.
        things: What the models are called.
    """
    known = rows.dropna(subset=["auc_p_holm"])
    if known.empty:
        return f"No two {things} could be compared."
    apart, of = int((known["auc_p_holm"] < ALPHA).sum()), counted(len(known), "pair")
    some = f"{apart} of {of} of {things} {_is(apart)}" if apart else f"no two {things} are"
    n = int(known["n"].iloc[0])
    return f"On {n} test photographs {some} told apart (p below {ALPHA}, adjusted for {of})."


def apart(rows: pd.DataFrame) -> str:
    """Return how many pairs of a study are told apart, those with controls on their own.

    Args:
        rows: As those of `pairs`; the p-values stay adjusted for the number of all pairs.
    """
    known = rows.dropna(subset=["auc_p_holm"])
    sides = [known[f"initialisation_{side}"] == IMAGENET for side in "ab"]
    count = sum(side.astype(int) for side in sides)
    kinds = {
        2: "of models from ImageNet weights",
        1: "of such a model and a control",
        0: "of controls from random weights",
    }
    said = [
        f"{int((some['auc_p_holm'] < ALPHA).sum())} of {counted(len(some), 'pair')} {words}"
        for number, words in kinds.items()
        if len(some := known[count == number])
    ]
    if not said:
        return "No two models could be compared."
    adjusted = f"p below {ALPHA}, adjusted for {counted(len(known), 'pair')}"
    return f"Told apart ({adjusted}): {listed(said)}."


# Final runs ---------------------------------------------------------------------------------------


def final(rows: pd.DataFrame, comparisons: pd.DataFrame) -> str:
    """Return which final model of a task is best, those from random weights apart.

    Args:
        rows: The final runs of one task: one row per network, size and seed.
        comparisons: Of every two models.
    """
    parts = []
    transferred, others = from_imagenet(rows), controls(rows)
    if transferred.empty:
        parts.append("No final model starts from ImageNet weights.")
    else:
        parts.append(_best(transferred, comparisons))
    if not others.empty:
        firsts = others.drop_duplicates("case")
        parts.append(f"Controls, from random weights: {guessing(firsts, 'final model')}.")
    return " ".join(parts)


def _best(rows: pd.DataFrame, comparisons: pd.DataFrame) -> str:
    best = leading(rows)
    if best.empty:
        return "A run of every model from ImageNet weights diverged."
    first, cases = best.iloc[0], rows["case"].nunique()
    found = (
        f"Of {counted(cases, 'final model')} from ImageNet weights the best is {model(first)}, "
        f"with an AUC of {reached(best)}"
    )
    following = leading(rows[rows["case"] != first["case"]])
    if following.empty:
        return f"{found}."
    return f"{found}; the next is {model(following.iloc[0])}. " + ahead(
        comparisons, "networks", (best, following)
    )


def ahead(comparisons: pd.DataFrame, study: str, models: tuple[pd.DataFrame, pd.DataFrame]) -> str:
    """Return by how much one model is ahead of another: in pairs where they were compared so."""
    first, second = (rows.iloc[0] for rows in models)
    gap = difference(comparisons, study, first["task"], first["case"], second["case"])
    if gap is not None:
        told = "told apart" if gap["auc_p_holm"] < ALPHA else "not told apart"
        seed = f" at seed {first['seed']}" if len(models[0]) > 1 else ""
        return (
            f"Their difference{seed} is {shift(gap, 'auc_difference')}, compared in pairs: {told}."
        )
    means = signed(models[0]["auc"].mean() - models[1]["auc"].mean())
    return f"Their difference is {means}, not compared in pairs; {intervals(*models)}."


def intervals(one: pd.DataFrame, other: pd.DataFrame) -> str:
    """Return whether the intervals of two models overlap, and what follows where they do."""
    first, second = one.iloc[0], other.iloc[0]
    if pd.isna([first["auc_low"], second["auc_low"]]).any():
        return "one of them has no interval"
    if overlap(first, second):
        return "their intervals overlap: not told apart without a comparison in pairs"
    return "their intervals do not overlap"


def transfer(table: pd.DataFrame, comparisons: pd.DataFrame) -> list[str]:
    """Return what ImageNet weights change beside random ones: a sentence per task and network.

    Args:
        table: The study of initialisation: cases are called `<network>: <start>`.
        comparisons: Of every two models.
    """
    return [
        _transfer(rows, comparisons) for _, rows in table.groupby(["task", "network"], sort=False)
    ]


def _transfer(rows: pd.DataFrame, comparisons: pd.DataFrame) -> str:
    first = rows.iloc[0]
    head = f"Task “{first['task']}”, {model(first)}:"
    transferred = leading(from_imagenet(rows))
    if transferred.empty:
        return f"{head} no run from ImageNet weights is there to compare with the controls."
    parts = [
        f"{_change(transferred, own, comparisons)} beside “{start}”"
        for start, own in controls(rows).groupby("initialisation", sort=False)
    ]
    if not parts:
        return f"{head} there is no control from random weights."
    return f"{head} ImageNet weights change the AUC by {listed(parts)} weights."


def _change(one: pd.DataFrame, other: pd.DataFrame, comparisons: pd.DataFrame) -> str:
    """Return a difference of two models for a list, in pairs where they were compared so."""
    a, b = one.iloc[0], other.iloc[0]
    gap = difference(comparisons, "initialisation", a["task"], a["case"], b["case"])
    if gap is not None:
        return shift(gap, "auc_difference")
    if other["auc"].isna().any():
        return "an unknown amount (a run diverged)"
    means = signed(one["auc"].mean() - other["auc"].mean())
    return f"{means} (not compared in pairs; {intervals(one, other)})"


def fewer(table: pd.DataFrame) -> str:
    """Return what fewer photographs cost: the fewest against all of the training split.

    Args:
        table: The study of the learning curve, with the column photographs.
    """
    known = table.groupby("case", sort=False).filter(lambda rows: rows["auc"].notna().all())
    counts = known.groupby("case", sort=False)["photographs"].mean().sort_values()
    if len(counts) < 2:
        return "Fewer than two numbers of photographs have a result: there is nothing to compare."
    few, most = (known[known["case"] == counts.index[place]] for place in (0, -1))
    lost = most["auc"].mean() - few["auc"].mean()
    return (
        f"With {counts.iloc[0]:.0f} instead of {counts.iloc[-1]:.0f} training photographs the AUC "
        f"is {reached(few)} instead of {reached(most)}, {signed(-lost)}; "
        f"{intervals(few, most)}."
    )
