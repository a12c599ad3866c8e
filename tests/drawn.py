"""Photographs drawn for tests."""

import cv2
import numpy as np

from retinopathy.decoding import Pixels


def disc(width: int, height: int, x: float, y: float, radius: float) -> Pixels:
    """Draw a reddish disc, darker at its rim, on a nearly black background with noise."""
    noise = np.random.default_rng(7).integers(0, 5, (height, width, 3))
    rows, columns = np.mgrid[:height, :width]
    distance = np.hypot(columns - x, rows - y) / radius
    light = np.where(distance <= 1, 1 - 0.6 * distance**2, 0)[..., None]
    return np.asarray(light * np.array([200, 110, 60]) + noise, np.uint8)


def jpeg(image: Pixels, *settings: int) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), settings)[1].tobytes()


def difference(first: Pixels, second: Pixels) -> float:
    return float(np.abs(first.astype(float) - second).mean())
