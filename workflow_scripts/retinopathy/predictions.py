"""Predictions of a model: one row per photograph, none dropped."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from retinopathy import records
from retinopathy.framework import tf
from retinopathy.tables import PREDICTIONS

BATCH = 16
"""Photographs at a time: the whole network is at work, whatever little of it was trained."""


def predict(model: Any, paths: Sequence[Path], size: int, split: str) -> pd.DataFrame:
    """Predict the photographs in some records, in their order.

    Args:
        model: A flat `keras.Model` from pixels in [0, 255] to logits, (n, 1).
        paths: Record files.
        size: Side of the photographs, pixels.
        split: What the table calls them.

    Returns:
        Columns image, patient, level, label, split, logit, probability.

    Raises:
        Explained: The records do not fit.
    """

    def forward(pixels: tf.Tensor) -> tf.Tensor:
        return model(tf.cast(pixels, tf.float32), training=False)[:, 0]

    pixels = tf.TensorSpec((None, size, size, 3), tf.uint8)
    traced = tf.function(forward, input_signature=[pixels])
    chunks = records.read(paths, size).batch(BATCH).prefetch(1)
    logits = [traced(chunk["pixels"]).numpy() for chunk in chunks]
    return table(records.rows(paths, size), np.concatenate([np.empty(0), *logits]), split)


def table(rows: pd.DataFrame, logits: NDArray[np.floating], split: str) -> pd.DataFrame:
    """Return rows with their logits and probabilities, in the columns of predictions."""
    wide = logits.astype(np.float64)
    return rows.assign(split=split, logit=wide, probability=expit(wide))[list(PREDICTIONS)]
