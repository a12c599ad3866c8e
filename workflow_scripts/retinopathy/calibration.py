"""Calibration: whether a probability of 0.8 means that 8 of 10 such photographs are diseased."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import norm

from retinopathy.errors import Explained
from retinopathy.metrics import Codes, Floats, Integers, Measure, check, per_patient

TEMPERATURES = (0.05, 20.0)
"""Range in which the temperature is searched: beyond it, logits are all but 0 or infinite."""

BINS = 10
"""Bins of equal width into which probabilities are sorted."""

RELIABILITY = ("low", "high", "n", "patients", "probability", "share", "share_low", "share_high")
"""Columns of a reliability table: one row per bin that holds photographs."""

_Z = norm.ppf(0.975)  # of a 95 % interval


def fit_temperature(validation: pd.DataFrame) -> float:
    """Return the temperature T > 0 that makes sigmoid(logit / T) most likely on validation.

    Temperature scaling (Guo et al., On calibration of modern neural networks, ICML 2017): one
    number, no change of ranking. The negative log-likelihood is convex in 1 / T, so its slope has
    one root; where that lies outside `TEMPERATURES` (classes apart at logit 0: T → 0; logits
    that mislead: T → ∞) the bound is returned.

    Raises:
        Explained: A class is absent or a value is not a number.
    """
    known = check(validation)

    def slope(inverse: float) -> float:
        return float(np.mean((expit(inverse * known.logit) - known.label) * known.logit))

    least, largest = TEMPERATURES
    if slope(1 / largest) >= 0:
        return largest
    if slope(1 / least) <= 0:
        return least
    return float(1 / brentq(slope, 1 / largest, 1 / least))


def scaled(predictions: pd.DataFrame, temperature: ArrayLike) -> pd.DataFrame:
    """Return predictions with their logits divided by a temperature.

    A threshold for the probabilities as they were does not fit the new ones.

    Args:
        predictions: Columns logit and probability, and others, which stay.
        temperature: One for all, or one per row where folds with their own are pooled.

    Raises:
        Explained: A temperature is not a positive number.
    """
    divisor = np.asarray(temperature, dtype=np.float64)
    if not (np.isfinite(divisor) & (divisor > 0)).all():
        raise Explained(
            "logits cannot be scaled by this temperature",
            expected="a positive number",
            received=temperature,
            hint="fit it on validation predictions",
        )
    logit = predictions["logit"].to_numpy(dtype=np.float64) / divisor
    return predictions.assign(logit=logit, probability=expit(logit))


def errors(predictions: pd.DataFrame) -> Measure:
    """Return the measure of `brier` and `ece`, both in [0, 1].

    `brier` is the mean squared error of the probability (Brier, Monthly Weather Review 78, 1950).
    `ece`, the expected calibration error, is the mean distance, weighed by photographs, of mean
    probability and share of diseased ones in `BINS` bins of equal width (Naeini, Cooper and
    Hauskrecht, AAAI 2015, for the probability of one class; Guo et al., ICML 2017). Of a finite
    sample it is above 0 even where every probability is true.

    Raises:
        Explained: A class is absent or a value is not a number.
    """
    known = check(predictions)
    excess = known.probability - known.label
    inside = bins(known.probability)[:, None] == np.arange(BINS)
    values = np.column_stack([np.ones(len(excess)), excess**2, inside * excess[:, None]])
    table = per_patient(values, known.patient)

    def measure(counts: Integers) -> dict[str, Floats]:
        n, squares, *in_bins = (counts @ table).T
        return {"brier": squares / n, "ece": np.abs(in_bins).sum(axis=0) / n}

    return measure


def bins(probability: Floats) -> Codes:
    """Return the bin of each probability, 0 to `BINS` - 1; a bin holds its lower bound."""
    edges = np.arange(1, BINS) / BINS
    return np.searchsorted(edges, probability, side="right")


def reliability(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the table of a reliability diagram.

    Returns:
        `RELIABILITY`: bounds of the bin, photographs and patients in it, their mean probability,
        the share of diseased ones and its 95 % interval. Empty bins are left out.

    Raises:
        Explained: A class is absent or a value is not a number.
    """
    known = check(predictions)
    place = bins(known.probability)
    rows = []
    for one in np.unique(place):
        inside = place == one
        diseased = float(known.label[inside].mean())
        patients = len(np.unique(known.patient[inside]))
        bounds = wilson(diseased, patients)
        mean = known.probability[inside].mean()
        limits = (one / BINS, (one + 1) / BINS)
        rows.append((*limits, inside.sum(), patients, mean, diseased, *bounds))
    return pd.DataFrame(rows, columns=list(RELIABILITY))


def wilson(observed: float, patients: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share (Wilson, J. Am. Stat. Assoc. 22, 1927).

    It counts patients, not photographs, as if the eyes of a patient were always alike: somewhat
    too wide, where a bootstrap of a bin of one class would have no width at all.

    Args:
        observed: The share among the photographs, in [0, 1].
        patients: Their patients, at least 1.
    """
    spread = _Z**2 / patients
    middle = observed + spread / 2
    half = np.sqrt(spread * (observed * (1 - observed) + spread / 4))
    low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
    return max(0.0, float(low)), min(1.0, float(high))
