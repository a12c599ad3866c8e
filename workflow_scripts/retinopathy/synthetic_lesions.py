"""Lesions of diabetic retinopathy for synthetic eyes, and harmless spots that look like them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from retinopathy.synthetic_eye import (
    DISC,
    DISC_RADIUS,
    FOVEA,
    Floats,
    Layer,
    Vessel,
    View,
    fill,
    wander,
)

TYPES = ("MA", "HE", "EX", "SE", "NV")
"""Microaneurysms, haemorrhages, hard exudates, soft exudates, new vessels."""
DARK = ("MA", "HE", "NV")
"""Types made of blood."""

Range = tuple[int, int]


@dataclass(frozen=True)
class Grade:
    """How many lesions an eye of a level has: inclusive ranges.

    Attributes:
        microaneurysms: In the whole eye.
        haemorrhages: In each quadrant.
        exudates: Clusters of hard exudates.
        soft_exudates: Cotton-wool spots.
        new_vessels: Tufts, on the disc or elsewhere.
        preretinal: Haemorrhages before the retina.
        beading: Some veins are beaded.
    """

    microaneurysms: Range = (0, 0)
    haemorrhages: Range = (0, 0)
    exudates: Range = (0, 0)
    soft_exudates: Range = (0, 0)
    new_vessels: Range = (0, 0)
    preretinal: Range = (0, 0)
    beading: bool = False


GRADES = (
    Grade(),
    Grade(microaneurysms=(3, 12)),
    Grade(microaneurysms=(4, 18), haemorrhages=(1, 4), exudates=(1, 3), soft_exudates=(0, 2)),
    Grade(
        microaneurysms=(10, 30),
        haemorrhages=(5, 12),
        exudates=(0, 3),
        soft_exudates=(0, 4),
        beading=True,
    ),
    Grade(
        microaneurysms=(5, 20),
        haemorrhages=(1, 6),
        exudates=(0, 2),
        soft_exudates=(0, 3),
        new_vessels=(2, 4),
        preretinal=(0, 2),
    ),
)
"""By level, after the international clinical scale (Wilkinson et al., Ophthalmology 110, 2003)."""


@dataclass(frozen=True)
class Spot:
    """A lesion or something that looks like one.

    Attributes:
        kind: One of `TYPES`, `drusen` or `pigment`.
        outline: Polygon (n, 2) in eye coordinates.
        opacity: 0 to 1.
    """

    kind: str
    outline: Floats
    opacity: float


def lesions(
    rng: np.random.Generator, grade: Grade, view: View, vessels: Sequence[Vessel]
) -> list[Spot]:
    """Draw the lesions of one eye by chance; all lie where the photograph shows the retina.

    Contrast differs between eyes: in some the lesions are hard to see.
    """
    contrast = rng.uniform(0.5, 1.0)
    spots = _microaneurysms(rng, grade.microaneurysms, view, contrast)
    for quadrant in range(4):
        spots += _haemorrhages(rng, grade.haemorrhages, view, quadrant, contrast)
    for _ in range(_count(rng, grade.exudates)):
        spots += _exudates(rng, view, contrast)
    for _ in range(_count(rng, grade.soft_exudates)):
        spots.append(_soft_exudate(rng, view, contrast))
    for _ in range(_count(rng, grade.new_vessels)):
        spots += _tuft(rng, view, vessels, contrast)
    for _ in range(_count(rng, grade.preretinal)):
        spots.append(_preretinal(rng, view, contrast))
    return spots


def look_alikes(rng: np.random.Generator, view: View) -> list[Spot]:
    """Draw what is found in healthy eyes too: drusen, pigment spots, seldom a naevus."""
    spots = []
    if rng.random() < 0.4:
        opacity = rng.uniform(0.15, 0.6)
        for at in _places(rng, view, _count(rng, (4, 39)), FOVEA, rng.uniform(0.2, 0.6)):
            spots.append(_blob(rng, "drusen", at, rng.uniform(0.004, 0.013), 0.1, opacity))
    if rng.random() < 0.5:
        opacity = rng.uniform(0.2, 0.7)
        for at in _places(rng, view, _count(rng, (2, 13)), FOVEA, 0.7):
            spots.append(_blob(rng, "pigment", at, rng.uniform(0.003, 0.009), 0.25, opacity))
    if rng.random() < 0.06:
        at = _places(rng, view, 1, FOVEA, 0.7)[0]
        spots.append(_blob(rng, "pigment", at, rng.uniform(0.03, 0.09), 0.06, 0.35))
    return spots


def draw_spots(spots: Sequence[Spot], kinds: Sequence[str], view: View) -> Layer:
    """Draw the spots of some kinds: uint8 (side, side), 255 where nothing shines through."""
    layer = np.zeros((view.side, view.side), np.uint8)
    for spot in spots:
        if spot.kind in kinds:
            fill(layer, view.pixels(spot.outline), 255 * spot.opacity)
    return layer


def draw_mask(spots: Sequence[Spot], kind: str, view: View) -> Layer:
    """Draw where the lesions of a type are: uint8 (side, side), 0 or 255, at least a pixel each.

    New vessels count with the small gaps between them, as a grader would outline a tuft.
    """
    mask = np.zeros((view.side, view.side), np.uint8)
    for spot in spots:
        if spot.kind == kind:
            corners = np.rint(view.pixels(spot.outline)).astype(np.int32)
            cv2.fillPoly(mask, [corners], 255)
    if kind == "NV":
        reach = 2 * round(0.01 * view.scale) + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
        mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc), np.uint8)
    return mask


def _count(rng: np.random.Generator, bounds: Range) -> int:
    return int(rng.integers(bounds[0], bounds[1], endpoint=True))


def _places(
    rng: np.random.Generator,
    view: View,
    count: int,
    centre: Floats,
    spread: float,
    quadrant: int | None = None,
) -> Floats:
    """Draw points (count, 2) around a centre that are visible and neither on disc nor foveola.

    Args:
        rng: Source of the points.
        view: What is visible.
        count: How many.
        centre: Mean (2,).
        spread: Standard deviation along each axis.
        quadrant: 0 to 3: only points of this quadrant around the eye's origin.
    """
    found = np.empty((0, 2))
    while len(found) < count:
        points = centre + rng.normal(0, spread, (64, 2))
        if quadrant is not None:
            points = np.abs(points) * (1 - 2 * (quadrant % 2), 1 - 2 * (quadrant // 2))
        fine = view.shows(points, 0.1)
        fine &= np.hypot(*(points - DISC).T) > 1.35 * DISC_RADIUS
        fine &= np.hypot(*(points - FOVEA).T) > 0.05
        found = np.concatenate((found, points[fine]))
    return found[:count]


def _blob(
    rng: np.random.Generator,
    kind: str,
    at: Floats,
    radius: float,
    roughness: float,
    opacity: float,
    *,
    stretch: float = 1.0,
    angle: float = 0.0,
) -> Spot:
    """Return a roundish spot whose outline is a circle with four random harmonics."""
    phi = np.linspace(0, 2 * math.pi, 28, endpoint=False)
    waves = np.arange(2, 6)[:, None] * phi + rng.uniform(0, 2 * math.pi, (4, 1))
    r = radius * (1 + (rng.normal(0, roughness, (4, 1)) * np.sin(waves)).sum(axis=0).clip(-0.6, 1))
    x, y = r * np.cos(phi) * math.sqrt(stretch), r * np.sin(phi) / math.sqrt(stretch)
    c, s = math.cos(angle), math.sin(angle)
    return Spot(kind, at + np.column_stack((c * x - s * y, s * x + c * y)), opacity)


def _microaneurysms(
    rng: np.random.Generator, bounds: Range, view: View, contrast: float
) -> list[Spot]:
    spots = []
    for at in _places(rng, view, _count(rng, bounds), FOVEA, 0.42):
        opacity = contrast * rng.uniform(0.6, 1.0)
        spots.append(_blob(rng, "MA", at, rng.uniform(0.0035, 0.007), 0.05, opacity))
    return spots


def _haemorrhages(
    rng: np.random.Generator, bounds: Range, view: View, quadrant: int, contrast: float
) -> list[Spot]:
    """Return dots and blots, and flames that follow the nerve fibres away from the disc."""
    spots = []
    for at in _places(rng, view, _count(rng, bounds), np.zeros(2), 0.5, quadrant):
        radius = min(0.04, 0.0095 * math.exp(rng.normal(0, 0.45)))
        flame = rng.random() < 0.3
        away = at - DISC
        spot = _blob(
            rng,
            "HE",
            at,
            radius,
            0.1 if flame else 0.15,
            contrast * rng.uniform(0.7, 1.0),
            stretch=rng.uniform(2.5, 5) if flame else rng.uniform(1, 1.8),
            angle=math.atan2(away[1], away[0]) + rng.normal(0, 0.2),
        )
        spots.append(spot)
    return spots


def _exudates(rng: np.random.Generator, view: View, contrast: float) -> list[Spot]:
    """Return a cluster of hard exudates, half of them in a ring around a leak."""
    centre = _places(rng, view, 1, FOVEA, 0.35)[0]
    ring = rng.uniform(0.04, 0.09) if rng.random() < 0.5 else 0.0
    spots = []
    for _ in range(rng.integers(6, 22)):
        phi = rng.uniform(0, 2 * math.pi)
        around = centre + ring * np.array([math.cos(phi), math.sin(phi)])
        at = _near(rng, view, around, 0.012 if ring else 0.035)
        opacity = contrast * rng.uniform(0.6, 1.0)
        spots.append(_blob(rng, "EX", at, rng.uniform(0.0035, 0.009), 0.25, opacity))
    return spots


def _near(rng: np.random.Generator, view: View, centre: Floats, spread: float) -> Floats:
    """Draw one point near a centre, drawn towards the eye's middle when it falls out of view."""
    at: Floats = centre + rng.normal(0, spread, 2)
    while not view.shows(at[None], 0.06)[0]:
        at = at * 0.9
    return at


def _soft_exudate(rng: np.random.Generator, view: View, contrast: float) -> Spot:
    at = _places(rng, view, 1, np.zeros(2), 0.5)[0]
    stretch, angle = rng.uniform(1, 2), rng.uniform(0, math.pi)
    radius = rng.uniform(0.016, 0.036)
    return _blob(rng, "SE", at, radius, 0.12, 0.7 * contrast, stretch=stretch, angle=angle)


def _tuft(
    rng: np.random.Generator, view: View, vessels: Sequence[Vessel], contrast: float
) -> list[Spot]:
    """Return fine tangled vessels that sprout from the disc or from a vein."""
    root = DISC + rng.normal(0, 0.4 * DISC_RADIUS, 2)
    if rng.random() < 0.65 or not view.shows(root[None], 0.08)[0]:
        sprouting = np.concatenate([v.points for v in vessels if v.vein and v.order == 0])
        root = rng.choice(sprouting[view.shows(sprouting, 0.15)])
    heading, size = rng.uniform(0, 2 * math.pi), rng.uniform(0.08, 0.2)
    opacity = contrast * rng.uniform(0.6, 0.9)
    spots = []
    for _ in range(rng.integers(14, 26)):
        turn = rng.normal(0, 0.8)
        line = wander(
            rng, root, heading + turn, size * rng.uniform(0.5, 1.2), bend=-2 * turn, unrest=0.3
        )
        sprout = Vessel(line, np.full(len(line), rng.uniform(0.004, 0.0075)), vein=True, order=3)
        spots.append(Spot("NV", sprout.outline(), opacity))
    return spots


def _preretinal(rng: np.random.Generator, view: View, contrast: float) -> Spot:
    """Return a pool of blood before the retina, level above and round below, like a boat."""
    at = _places(rng, view, 1, np.array([0.0, 0.35]), 0.25)[0]
    width, depth = rng.uniform(0.08, 0.2), rng.uniform(0.05, 0.12)
    phi = np.linspace(0, math.pi, 24)
    rough = 1 + np.convolve(rng.normal(0, 0.08, 24), np.ones(4) / 4, mode="same")
    hull = np.column_stack((width * np.cos(phi), depth * np.sin(phi) * rough))
    return Spot("HE", at + hull, min(1.0, contrast + 0.3))
