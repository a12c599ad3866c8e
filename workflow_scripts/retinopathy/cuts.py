"""Whether whole blocks are better cuts than cuts inside a block.

A cut inside a block trains more than the next whole-block cut above it and less than the one below.
Were the kind of cut of no matter, its AUC would be expected on the straight line between theirs;
the *shortfall* is by how much it lies under that line. The line is drawn over trainable parameters,
not over the places of layers: a cut moved past layers without weights trains the same network, and
so has the same place on the line.

A row of one cut speaks of the networks that were trained: its interval and p-value come from
resampled patients, the same for all cuts. The last row, the mean, speaks of other cuts and other
trainings as well. It is the analysis of many readers and many patients (Obuchowski and Rockette,
Communications in Statistics: Simulation and Computation 24, 1995; degrees of freedom of Hillis,
Statistics in Medicine 26, 2007), in which the cuts are the readers: the spread between cuts is
observed, and what all cuts share through their patients is known from the bootstrap. Neighbours
that two cuts share make their shortfalls alike; that enters by the weights of the line. Signs of
shortfalls are not permuted instead, because shortfalls with a common neighbour are not independent,
and because fewer than six of them could never be significant.

What is assumed: between neighbours AUC rises or falls evenly with the trained parameters. Where it
rises ever more slowly, cuts inside blocks lie above the line, and the test is too cautious in
finding whole blocks better. The head, as a neighbour, was trained at its own rate.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t

from retinopathy import intervals, metrics, registry
from retinopathy.comparisons import align
from retinopathy.errors import Explained
from retinopathy.metrics import Floats, Integers, Measure
from retinopathy.study_tables import Evidence, diverged, pooled

COLUMNS = (
    "task",
    "network",
    "size",
    "initialisation",
    "split",
    "cut",
    "below",
    "above",
    "n",
    "seeds",
    "auc",
    "interpolated",
    "shortfall",
    "shortfall_low",
    "shortfall_high",
    "p",
    "reason",
)
"""Columns of `table`; `reason` says why numbers are absent."""

MEAN = "mean"
"""What the last row has for a cut."""


class Incomparable(Explained):
    """No cut inside a block lies between two whole-block cuts."""


@dataclass(frozen=True)
class Cut:
    """What is known of a depth.

    Attributes:
        name: The depth.
        place: Of the first layer that is trained, see `registry.first_trained`.
        whole: Whether it is a cut between blocks, the head and everything included.
        parameters: How many are trained.
        models: Predictions of each seed, folds pooled; none when one of its runs diverged.
    """

    name: str
    place: int
    whole: bool
    parameters: int
    models: tuple[pd.DataFrame, ...]


@dataclass(frozen=True)
class Line:
    """A cut inside a block and the nearest whole-block cuts.

    Attributes:
        cut: The one inside a block.
        below: The one next to it towards the input, which trains more.
        above: The one next to it towards the output, which trains less.
    """

    cut: Cut
    below: Cut
    above: Cut

    @property
    def share(self) -> float:
        """The weight of `below` in what is expected of `cut`, in [0, 1]."""
        least, most = self.above.parameters, self.below.parameters
        if not least <= self.cut.parameters <= most or least == most:
            raise Explained(
                f"no line can be drawn from {self.above.name} over {self.cut.name} to "
                f"{self.below.name}",
                expected="more trained parameters the deeper the cut",
                received=f"{least}, {self.cut.parameters} and {most}",
                hint="look at `trainable_parameters` of their records",
            )
        return (self.cut.parameters - least) / (most - least)


@dataclass(frozen=True)
class Mean:
    """The mean of shortfalls.

    Attributes:
        value: In AUC.
        low: Lower bound of its 95 % interval; NaN where that is undefined.
        high: Upper bound.
        p: Two-sided p-value of none.
        reason: Why bounds and p-value are absent; else empty.
    """

    value: float
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan
    reason: str = ""


def table(evidence: Sequence[Evidence], repetitions: int, seed: int, split: str) -> pd.DataFrame:
    """Return how far the cuts inside blocks fall short of the whole-block cuts around them.

    The AUC of a cut is the mean over its seeds. A cut of which a run diverged is no neighbour.

    Args:
        evidence: What the runs of the depth study left, of one task and network, with their
            predictions of one split.
        repetitions: Bootstrap samples of patients.
        seed: Governs the bootstrap.
        split: Whose predictions they are.

    Returns:
        `COLUMNS`: one row per cut inside a block, in the order of the study, with its neighbours,
        `n` photographs and how many `seeds` its AUC is the mean of; and a row `mean`. A shortfall
        is positive where the cut inside the block is worse than the line between its neighbours.
        A cut that diverged, or is not between two whole-block cuts, has a reason and no numbers.

    Raises:
        Incomparable: No cut inside a block lies between two whole-block cuts.
        Explained: Cuts were not given the same photographs, their metrics are undefined, or they
            do not train more parameters the deeper they are.
    """
    known = cuts(evidence)
    drawn = lines(known)
    finished = [cut for cut in known if cut.models]
    photographs, measure = _aucs(finished)
    aucs = metrics.value(photographs, measure)["auc"]
    samples = intervals.bootstrap(photographs, measure, seed, repetitions)["auc"]
    weights = contrasts(drawn, finished)
    by_cut = dict(zip([cut.name for cut in finished], aucs, strict=True))
    tested = _tested(drawn, by_cut, weights @ aucs, samples @ weights.T)
    rows = [
        {"cut": cut.name} | tested.get(cut.name, {"n": 0, "reason": _missing(cut)})
        for cut in known
        if not cut.whole
    ]
    found = pd.DataFrame([*rows, _last(list(tested.values()), weights, samples)])
    run, record = evidence[0].run, evidence[0].record
    described: dict[str, Any] = {
        "task": run.task,
        "network": run.network,
        "size": run.size,
        "split": split,
    }
    found = found.assign(**described, initialisation=record["starts_from"])
    found = found.reindex(columns=list(COLUMNS)).fillna({"n": len(photographs), "reason": ""})
    return found.astype({"n": "Int64", "seeds": "Int64"})


def undefined(reason: str) -> pd.DataFrame:
    """Return the table of a study whose cuts cannot be compared: a row `mean` with the reason."""
    return pd.DataFrame([{"cut": MEAN, "reason": reason}], columns=list(COLUMNS))


# Cuts ---------------------------------------------------------------------------------------------


def cuts(evidence: Iterable[Evidence]) -> list[Cut]:
    """Return the cuts of a study, in its order; `bn` is none."""
    by_depth: dict[str, dict[int, list[Evidence]]] = {}
    for item in evidence:
        if item.run.depth != registry.NORMALISATION:
            by_depth.setdefault(item.run.depth, {}).setdefault(item.run.seed, []).append(item)
    return [_cut(depth, list(seeds.values())) for depth, seeds in by_depth.items()]


def _cut(depth: str, seeds: list[list[Evidence]]) -> Cut:
    item = seeds[0][0]
    lost = any(map(diverged, seeds))
    return Cut(
        depth,
        registry.first_trained(item.run.network, depth),
        depth in registry.depths(item.run.network),
        int(item.record["trainable_parameters"]),
        () if lost else tuple(map(pooled, seeds)),
    )


def lines(known: Sequence[Cut]) -> list[Line]:
    """Return the line of every cut inside a block that has one, in the order given.

    Raises:
        Incomparable: None has.
    """
    whole = [cut for cut in known if cut.whole and cut.models]
    drawn = []
    for cut in known:
        below = [one for one in whole if one.place < cut.place]
        above = [one for one in whole if one.place > cut.place]
        if not cut.whole and cut.models and below and above:
            nearest = max(below, key=_place), min(above, key=_place)
            drawn.append(Line(cut, *nearest))
    if not drawn:
        names = [cut.name if cut.models else f"{cut.name} (diverged)" for cut in known]
        raise Incomparable(
            "no cut inside a block lies between two whole-block cuts",
            expected="depths such as block13, block13+5 and block14",
            received=", ".join(names),
            hint="add depths to the study: one inside a block, and the blocks around it",
        )
    return drawn


def _place(cut: Cut) -> int:
    return cut.place


def contrasts(drawn: Sequence[Line], known: Sequence[Cut]) -> Floats:
    """Return the weights that make shortfalls of the AUCs of cuts, (lines, cuts)."""
    column = {cut.name: place for place, cut in enumerate(known)}
    weights = np.zeros((len(drawn), len(known)))
    for row, line in zip(weights, drawn, strict=True):
        row[column[line.cut.name]] = -1
        row[column[line.below.name]] = line.share
        row[column[line.above.name]] = 1 - line.share
    return weights


def _missing(cut: Cut) -> str:
    return "not between two whole-block cuts that finished" if cut.models else "a run diverged"


# Numbers ------------------------------------------------------------------------------------------


def _aucs(finished: Sequence[Cut]) -> tuple[pd.DataFrame, Measure]:
    """Return the photographs, and the measure of every cut's AUC, (samples, cuts)."""
    first = finished[0].models[0]
    rankings = [
        [metrics.ranking(align(first, model)[1]) for model in cut.models] for cut in finished
    ]

    def measure(counts: Integers) -> dict[str, Floats]:
        seeds = ([ranking(counts)["auc"] for ranking in cut] for cut in rankings)
        return {"auc": np.column_stack([np.mean(values, axis=0) for values in seeds])}

    return first, measure


def _tested(
    drawn: Sequence[Line], aucs: dict[str, float], shortfalls: Floats, samples: Floats
) -> dict[str, dict[str, Any]]:
    """Return the row of each cut; the samples of their shortfalls are (samples, lines)."""
    low, high = intervals.bounds(samples, shortfalls)
    return {
        line.cut.name: {
            "below": line.below.name,
            "above": line.above.name,
            "seeds": len(line.cut.models),
            "auc": aucs[line.cut.name],
            "interpolated": aucs[line.cut.name] + shortfalls[place],
            "shortfall": shortfalls[place],
            "shortfall_low": low[place],
            "shortfall_high": high[place],
            "p": two_sided(samples[:, place]),
        }
        for place, line in enumerate(drawn)
    }


def two_sided(samples: Floats) -> float:
    """Return the two-sided p-value of 0, which the percentile interval of the samples belongs to.

    It is twice the share of samples on the rarer side of 0, with one more in it (Davison and
    Hinkley, Bootstrap methods and their application, 1997, section 4.4), so that it is never 0.

    Args:
        samples: Values of the bootstrap samples, (samples,).
    """
    rarer = min((samples <= 0).sum(), (samples >= 0).sum())
    return float(min(1, 2 * (rarer + 1) / (len(samples) + 1)))


def _last(tested: Sequence[dict[str, Any]], weights: Floats, samples: Floats) -> dict[str, Any]:
    """Return the row `mean`."""
    shortfalls = np.array([row["shortfall"] for row in tested])
    mean = combine(shortfalls, weights, np.cov(samples, rowvar=False))
    return {
        "cut": MEAN,
        "seeds": min(row["seeds"] for row in tested),
        "auc": np.mean([row["auc"] for row in tested]),
        "interpolated": np.mean([row["interpolated"] for row in tested]),
        "shortfall": mean.value,
        "shortfall_low": mean.low,
        "shortfall_high": mean.high,
        "p": mean.p,
        "reason": mean.reason,
    }


def combine(shortfalls: Floats, weights: Floats, covariance: Floats) -> Mean:
    """Return the mean shortfall with what cuts, trainings and patients leave uncertain.

    The shortfalls s = W a vary as W Wᵀ σ² by cut and training, σ² being unknown and the same for
    all cuts, and as W Σ Wᵀ by the patients. With P what takes the mean off, sᵀPs / (K − 1) is the
    spread between K cuts. Its expected value holds both parts; scaled so that σ² counts as in the
    variance of the mean, it lacks of the latter only what cuts share through their patients, which
    Σ gives and which is not taken for negative. t has the degrees of freedom of Hillis. Where cuts
    have no common neighbour, this is the formula of Obuchowski and Rockette.

    Args:
        shortfalls: (lines,).
        weights: Of `contrasts`, (lines, cuts).
        covariance: Of the AUCs of the cuts over patients, Σ, (cuts, cuts).
    """
    count, value = len(shortfalls), float(shortfalls.mean())
    if count < 2:
        return Mean(value, reason="one cut: how much cuts differ is not known")
    # ASSUME: the variance between trainings is the same at every cut. Deep cuts may vary more.
    between, patients = weights @ weights.T, weights @ covariance @ weights.T
    centre = np.eye(count) - 1 / count
    scale = between.mean() / np.trace(centre @ between)
    own = scale * (shortfalls @ centre @ shortfalls)
    shared = max(0.0, patients.mean() - scale * np.trace(centre @ patients))
    error = np.sqrt(own + shared)
    if not own > 0:
        return Mean(value, reason="the cuts do not differ")
    freedom = (count - 1) * ((own + shared) / own) ** 2
    half = t.ppf(intervals.PERCENT[1] / 100, freedom) * error
    p = 2 * t.sf(abs(value) / error, freedom)
    return Mean(value, value - half, value + half, float(p))
