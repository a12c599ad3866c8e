"""Tables of predictions made for the occasion."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import expit


def table(label: ArrayLike, logit: ArrayLike, patient: ArrayLike | None = None) -> pd.DataFrame:
    """Return predictions; without `patient`, every photograph has one of its own."""
    logits = np.asarray(logit, dtype=float)
    patients = np.arange(len(logits)) if patient is None else np.asarray(patient)
    return pd.DataFrame(
        {
            "patient": patients.astype(str),
            "label": label,
            "logit": logits,
            "probability": expit(logits),
        }
    )


def random_table(patients: int, seed: int, *, decimals: int = 8) -> pd.DataFrame:
    """Return both eyes of some patients, independent, the diseased 0.8 higher on average."""
    generator = np.random.default_rng(seed)
    label = generator.integers(2, size=2 * patients)
    logit = np.round(generator.normal(size=2 * patients) + 0.8 * label, decimals)
    return table(label, logit, np.repeat(np.arange(patients), 2))


def alike(patients: int, seed: int) -> pd.DataFrame:
    """Return both eyes of some patients, which have one label and nearly the same logit.

    The logits of the diseased are 0.8 higher on average; their standard deviation is 1.
    """
    generator = np.random.default_rng(seed)
    label = np.repeat(generator.integers(2, size=patients), 2)
    shared = np.repeat(generator.normal(size=patients), 2)
    logit = np.sqrt(0.9) * shared + np.sqrt(0.1) * generator.normal(size=2 * patients)
    return table(label, logit + 0.8 * label, np.repeat(np.arange(patients), 2))


UNDEFINED = {
    "one class": table([1, 1], [0.0, 1.0]),
    "label 2": table([0, 2], [0.0, 1.0]),
    "nothing": table([], []),
    "no label": table([0, 1, np.nan], [0.0, 1.0, 2.0]),
    "nan": table([0, 1], [0.0, np.nan]),
    "infinite": table([0, 1], [0.0, np.inf]),
    "probability 1.5": table([0, 1], [0.0, 1.0]).assign(probability=[0.5, 1.5]),
    "no patient": table([0, 1], [0.0, 1.0]).assign(patient=["1", np.nan]),
    "no fold of both": table([0, 1], [0.0, 1.0]).assign(fold=["0", "1"]),
}
"""Tables that no metric is defined for, by what is wrong with them."""
