"""What predictions mean where the disease is rarer than among the photographs of a task.

Networks are trained and tested on as many diseased as healthy photographs. Probabilities and
predictive values hold for that prevalence only; here they are carried over to a stated one.
"""

# ASSUME: the diseased of the stated population are like the diseased photographs here, and the
# healthy like the healthy ones: only their shares differ ('label shift'). That does not hold for
# other cameras, nor for a task that balances the levels within a class too.

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from retinopathy import metrics
from retinopathy.errors import Explained
from retinopathy.metrics import Floats, Integers, Measure

COLUMN = "{}_at_{:g}"
"""Name of a value at a prevalence, such as `ppv_at_0.05`."""


def shift(was: ArrayLike, becomes: ArrayLike) -> Floats:
    """Return what is added to a logit when the prevalence changes: logit(becomes) − logit(was).

    The likelihood ratio of a photograph stays as it is, so that the odds of disease change by the
    factor by which the odds before seeing the photograph change (Elkan, The foundations of
    cost-sensitive learning, IJCAI 2001, theorem 2; Saerens, Latinne and Decaestecker, Neural
    Computation 14, 2002, section 2).

    Args:
        was: Prevalence for which the probability is true, between 0 and 1.
        becomes: The stated one.

    Raises:
        Explained: A prevalence is not between 0 and 1.
    """
    return np.asarray(logit(_known(becomes)) - logit(_known(was)), dtype=np.float64)


def corrected(predictions: pd.DataFrame, was: ArrayLike, becomes: float) -> pd.DataFrame:
    """Return predictions whose probabilities are true at a stated prevalence.

    Every logit moves by `shift`. Rankings stay; a threshold for the probabilities as they were does
    not fit the new ones.

    Args:
        predictions: Columns logit and probability, and others, which stay.
        was: Prevalence for which the probabilities are true: that of the photographs they were
            calibrated on; one for all, or one per row where folds with their own are pooled.
        becomes: The stated one.

    Raises:
        Explained: A prevalence is not between 0 and 1.
    """
    moved = predictions["logit"].to_numpy(dtype=np.float64) + shift(was, becomes)
    return predictions.assign(logit=moved, probability=expit(moved))


def predictive_values(
    sensitivity: ArrayLike, specificity: ArrayLike, prevalence: ArrayLike
) -> tuple[Floats, Floats]:
    """Return positive and negative predictive value, in [0, 1], by Bayes' rule.

    They are the shares of diseased among those who would be called diseased, and of healthy among
    those who would be called healthy (Altman and Bland, Diagnostic tests 2: predictive values, BMJ
    309, 1994); NaN where nobody would be called so.

    Args:
        sensitivity: In [0, 1].
        specificity: In [0, 1].
        prevalence: Between 0 and 1. The three are broadcast.

    Raises:
        Explained: A rate is not in [0, 1], or a prevalence is not between 0 and 1.
    """
    share, found, cleared = (
        np.asarray(values, dtype=np.float64)
        for values in np.broadcast_arrays(_known(prevalence), sensitivity, specificity)
    )
    rates = np.stack([found, cleared])
    if not ((rates >= 0) & (rates <= 1)).all():
        raise Explained(
            "no predictive values follow from these rates",
            expected="a sensitivity and a specificity from 0 to 1",
            received=f"rates from {rates.min()} to {rates.max()}",
            hint="state them as shares, such as 0.95",
        )
    true, false = share * found, (1 - share) * (1 - cleared)
    healthy, missed = (1 - share) * cleared, share * (1 - found)
    return metrics.share(true, true + false), metrics.share(healthy, healthy + missed)


def predictive(
    predictions: pd.DataFrame, threshold: ArrayLike, prevalences: Iterable[float]
) -> Measure:
    """Return the measure of the predictive values at stated prevalences.

    It gives `ppv_at_<prevalence>` and `npv_at_<prevalence>` for each, as `predictive_values` makes
    them of the sensitivity and the specificity of a sample.

    Args:
        predictions: Columns patient, label, logit, probability.
        threshold: Probability from which a photograph is called diseased: one for all, or one
            per row where folds with thresholds of their own are pooled.
        prevalences: Between 0 and 1.

    Raises:
        Explained: A class is absent, a value or a threshold is not a number, or a prevalence is
            not between 0 and 1.
    """
    rates = metrics.calls(predictions, threshold)
    stated = [float(_known(one)) for one in prevalences]

    def measure(counts: Integers) -> dict[str, Floats]:
        found = rates(counts)
        values: dict[str, Floats] = {}
        for one in stated:
            positive, negative = predictive_values(found["sensitivity"], found["specificity"], one)
            values |= {COLUMN.format("ppv", one): positive, COLUMN.format("npv", one): negative}
        return values

    return measure


def expected(predictions: pd.DataFrame, prevalence: float) -> Measure:
    """Return the measure of `probability`: its mean in a population of a stated prevalence.

    The mean of the diseased photographs counts `prevalence` times, that of the healthy ones the
    rest. It is the prevalence itself where probabilities are true in that population.

    Args:
        predictions: Columns patient, label, logit, probability; as `corrected` returns them.
        prevalence: Between 0 and 1.

    Raises:
        Explained: A class is absent, a value is not a number, or the prevalence is not between 0
            and 1.
    """
    known = metrics.check(predictions)
    of_diseased = float(_known(prevalence))
    diseased, chance = known.label == 1, known.probability
    cells = [diseased, diseased * chance, ~diseased, ~diseased * chance]
    table = metrics.per_patient(np.column_stack(cells), known.patient)

    def measure(counts: Integers) -> dict[str, Floats]:
        positives, in_positives, negatives, in_negatives = (counts @ table).T
        return {
            "probability": of_diseased * metrics.share(in_positives, positives)
            + (1 - of_diseased) * metrics.share(in_negatives, negatives)
        }

    return measure


def _known(prevalence: ArrayLike) -> Floats:
    """Return prevalences; raise where one is not between 0 and 1."""
    known = np.asarray(prevalence, dtype=np.float64)
    if not ((known > 0) & (known < 1)).all():
        raise Explained(
            "not a prevalence",
            expected="a number between 0 and 1, without them",
            received=prevalence,
            hint="state it as a share, such as 0.05; with one class only nothing can be predicted",
        )
    return known
