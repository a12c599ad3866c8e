"""Operating points: thresholds that are chosen on validation predictions and then frozen."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from retinopathy.errors import Explained
from retinopathy.metrics import Floats, Integers, check

WANTED = (0.90, 0.95)
"""Sensitivities and specificities that operating points are chosen for."""


@dataclass(frozen=True)
class _Thresholds:
    """Thresholds, ascending, and what they call diseased.

    Attributes:
        threshold: Midway between neighbouring probabilities, the outermost midway to 0 and to 1.
        found: Diseased photographs that are called so.
        false: Healthy photographs that are called diseased.
        positives: All diseased photographs.
        negatives: All healthy ones.
    """

    threshold: Floats
    found: Integers
    false: Integers
    positives: int
    negatives: int


def choose_threshold(validation: pd.DataFrame) -> float:
    """Return the probability threshold with the largest Youden's J on validation predictions.

    J = sensitivity + specificity − 1 (Youden, Cancer 3, 1950). Of equally good thresholds the
    nearest to 0.5 is taken, then the smaller.

    Raises:
        Explained: A class is absent or a value is not a number.
    """
    at = _thresholds(validation)
    # In whole numbers (J × positives × negatives), so that equal J are seen to be equal.
    youden = at.found * at.negatives - at.false * at.positives
    best = at.threshold[youden == youden.max()]
    return float(best[np.argmin(np.abs(best - 0.5))])


def threshold_for_specificity(validation: pd.DataFrame, wanted: float) -> float:
    """Return the smallest threshold with at least the wanted specificity on validation predictions.

    Raises:
        Explained: A class is absent, a value is not a number, or validation is too small: unless
            one healthy photograph may lie above the threshold, it could be anywhere above all.
    """
    at = _thresholds(validation)
    allowed = _allowed(at.negatives, wanted, "specificity", "healthy")
    reached = at.threshold[at.false <= allowed]
    if not len(reached):
        raise _saturated("specificity", wanted, "healthy")
    return float(reached[0])


def threshold_for_sensitivity(validation: pd.DataFrame, wanted: float) -> float:
    """Return the largest threshold with at least the wanted sensitivity on validation predictions.

    Raises:
        Explained: A class is absent, a value is not a number, or validation is too small: unless
            one diseased photograph may lie below the threshold, it could be anywhere below all.
    """
    at = _thresholds(validation)
    allowed = _allowed(at.positives, wanted, "sensitivity", "diseased")
    reached = at.threshold[at.positives - at.found <= allowed]
    if not len(reached):
        raise _saturated("sensitivity", wanted, "diseased")
    return float(reached[-1])


def points(validation: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return the operating points of `WANTED`, by name.

    Returns:
        `sensitivity_at_0.90_specificity` and so on, each with `threshold`; where it is undefined,
        that is None, and `reason` says why.

    Raises:
        Explained: A class is absent or a value is not a number.
    """
    check(validation)
    choices = (
        ("sensitivity_at_{:.2f}_specificity", threshold_for_specificity),
        ("specificity_at_{:.2f}_sensitivity", threshold_for_sensitivity),
    )
    found: dict[str, dict[str, Any]] = {}
    for name, choose in choices:
        for wanted in WANTED:
            try:
                point: dict[str, Any] = {"threshold": choose(validation, wanted)}
            except Explained as undefined:
                point = {"threshold": None, "reason": undefined.problem}
            found[name.format(wanted)] = point
    return found


def _thresholds(validation: pd.DataFrame) -> _Thresholds:
    known = check(validation)
    steps = np.unique(np.concatenate([[0.0], known.probability, [1.0]]))
    threshold = (steps[:-1] + steps[1:]) / 2
    positives = np.sort(known.probability[known.label == 1])
    negatives = np.sort(known.probability[known.label == 0])
    return _Thresholds(
        threshold,
        len(positives) - np.searchsorted(positives, threshold),
        len(negatives) - np.searchsorted(negatives, threshold),
        len(positives),
        len(negatives),
    )


def _allowed(photographs: int, wanted: float, rate: str, kind: str) -> int:
    """Return how many photographs of a class may be called wrongly; raise where that is none."""
    if not 0 < wanted < 1:
        raise Explained(
            f"no threshold can be chosen for this {rate}",
            expected="a number between 0 and 1",
            received=wanted,
            hint="state it as a share, such as 0.95",
        )
    # The margin is for products such as 0.1 × 10, which may come out below 1.
    allowed = int((1 - wanted) * photographs + 1e-9)
    if not allowed:
        needed = int(np.ceil(1 / (1 - wanted) - 1e-9))
        raise Explained(
            f"{photographs} {kind} photographs are too few for a {rate} of {wanted:.2f}: "
            f"{needed} are needed",
            expected=f"at least {needed} {kind} photographs",
            received=photographs,
            hint="give validation more photographs",
        )
    return allowed


def _saturated(rate: str, wanted: float, kind: str) -> Explained:
    return Explained(
        f"no threshold has a {rate} of {wanted:.2f}: too many {kind} photographs have the most "
        "extreme probability",
        expected=f"probabilities that tell {kind} photographs apart",
        received="equal ones",
        hint="look at the run's record: its logits may be far too large",
    )
