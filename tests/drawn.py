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


def fundus(radius: int = 130, light: float = 1.0) -> bytes:
    image = np.zeros((300, 400, 3), np.uint8)
    cv2.circle(image, (200, 150), radius, (40 * light, 90 * light, 180 * light), -1)
    cv2.circle(image, (250, 150), 20, (120 * light, 200 * light, 220 * light), -1)
    return cv2.imencode(".jpg", image)[1].tobytes()


def flat(level: int) -> bytes:
    return cv2.imencode(".jpg", np.full((300, 400, 3), level, np.uint8))[1].tobytes()


def speck() -> bytes:
    image = np.zeros((300, 400, 3), np.uint8)
    cv2.rectangle(image, (10, 10), (60, 40), (255, 255, 255), -1)
    return cv2.imencode(".png", image)[1].tobytes()
