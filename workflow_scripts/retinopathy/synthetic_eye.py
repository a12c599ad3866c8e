"""Anatomy of synthetic eyes: optic disc, fovea, branching vessels, and how they lie in a view.

Eye coordinates have their origin in the middle between disc and fovea, x towards the nose, y down;
the unit is half of a 45° field, so that a view of zoom 1 shows the unit circle.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Layer = NDArray[np.uint8]

DISC = np.array([0.42, -0.03])
"""Centre of the optic disc; 0.69 units, or 15.5°, from the fovea."""
DISC_RADIUS = 0.145
"""6.5° across."""
FOVEA = np.array([-0.27, 0.03])
AVASCULAR_RADIUS = 0.17
"""No vessel comes nearer to the fovea."""

_SUBPIXEL_BITS = 4
_VEIN_WIDTH = 0.026
_ARTERY_WIDTH = 0.018
_VEIN_DENSITY = 175
_ARTERY_DENSITY = 120

# Bézier control points of the two upper arcades; the lower ones are their mirror images.
_ARCADES = (
    np.array([DISC, (0.48, -0.45), (-0.17, -0.83), (-1.27, -0.47)]),
    np.array([DISC, (0.44, -0.28), (0.77, -0.53), (1.27, -0.88)]),
)


@dataclass(frozen=True)
class View:
    """Where eye coordinates fall on a square canvas that the retina's circle just fits.

    Attributes:
        side: Side of the canvas, pixels.
        zoom: 1 for a field of 45°, above 1 for narrower ones.
        angle: Rotation, radians.
        shift: Where the eye's origin lies, in half sides from the centre of the canvas.
        mirrored: The nose is on the left: a left eye.
        inverted: Turned by 180°, as some cameras deliver.
        band: Half the height of what the sensor sees, in half sides; 1 where nothing is clipped.
    """

    side: int
    zoom: float
    angle: float
    shift: tuple[float, float]
    mirrored: bool
    inverted: bool
    band: float

    @property
    def scale(self) -> float:
        """Pixels per unit of eye coordinates."""
        return self.zoom * self.side / 2

    def pixels(self, points: Floats) -> Floats:
        """Map eye coordinates (n, 2) to pixels of the canvas (n, 2), x then y."""
        angle = self.angle + (math.pi if self.inverted else 0.0)
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        turned = (points * (-1.0 if self.mirrored else 1.0, 1.0)) @ turn.T
        return np.asarray(turned * self.scale + (np.array(self.shift) + 1) * self.side / 2)

    def shows(self, points: Floats, margin: float) -> NDArray[np.bool_]:
        """Tell which eye coordinates (n, 2) are in the picture, `margin` half sides inside it."""
        place = self.pixels(points) * 2 / self.side - 1
        inside = np.hypot(place[:, 0], place[:, 1]) < 1 - margin
        return np.asarray(inside & (np.abs(place[:, 1]) < self.band - margin))


@dataclass(frozen=True)
class Vessel:
    """A vessel as a line of changing width, in eye coordinates.

    Attributes:
        points: Centre line (n, 2).
        widths: Diameter at each point (n,).
        vein: A vein; an artery otherwise.
        order: 0 for the trunks of the arcades, 1 for their branches, and so on.
    """

    points: Floats
    widths: Floats
    vein: bool
    order: int

    def outline(self, share: float = 1.0) -> Floats:
        """Return the polygon (2n, 2) that covers `share` of the width."""
        along = np.gradient(self.points, axis=0)
        length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)
        across = np.column_stack((-along[:, 1], along[:, 0])) / length[:, None]
        half = across * (self.widths * share / 2)[:, None]
        return np.concatenate((self.points + half, (self.points - half)[::-1]))


def wander(
    rng: np.random.Generator,
    start: Floats,
    heading: float,
    length: float,
    *,
    bend: float,
    unrest: float,
) -> Floats:
    """Return a smooth line that leaves `start` and loses its way a little.

    Args:
        rng: Source of the deviations.
        start: First point (2,).
        heading: Direction at the start, radians.
        length: Length of the line, in the unit of `start`.
        bend: Change of direction from start to end, radians.
        unrest: Standard deviation of the direction's change per root of a step, radians.

    Returns:
        Points (n, 2), 8 to 40 of them by length.
    """
    steps = int(np.clip(length / 0.02, 8, 40))
    drift = np.cumsum(np.cumsum(rng.normal(0, unrest, steps)) * 0.25 + rng.normal(0, unrest, steps))
    angles = heading + bend * np.linspace(0, 1, steps) + drift
    moves = np.column_stack((np.cos(angles), np.sin(angles))) * (length / steps)
    return np.concatenate((start[None], start + np.cumsum(moves, axis=0)))


def grow_vessels(rng: np.random.Generator) -> list[Vessel]:
    """Grow arteries and veins: four arcades each from the disc, branching to the third order.

    A branch has 35 to 70 % of the width of its parent (Murray's law gives 79 % for two equal
    ones) and every vessel tapers.
    """
    vessels = []
    unrest = rng.uniform(0.02, 0.07)
    for vein in (False, True):
        for arcade in _ARCADES:
            for mirror in (1.0, -1.0):
                vessels += _tree(rng, _trunk(rng, arcade * (1.0, mirror), vein), 2, unrest)
        for _ in range(3):
            heading = rng.uniform(0, 2 * math.pi)
            line = wander(rng, DISC, heading, rng.uniform(0.3, 0.6), bend=0, unrest=unrest)
            vessels += _tree(rng, _tapered(line, 0.007, vein, 1), 1, unrest)
    return vessels


def bead(rng: np.random.Generator, vessels: Sequence[Vessel]) -> list[Vessel]:
    """Return the vessels with the veins of at least two quadrants beaded."""
    trunks = [i for i, vessel in enumerate(vessels) if vessel.vein and vessel.order == 0]
    chosen = set(rng.choice(trunks, size=rng.integers(2, len(trunks) + 1), replace=False).tolist())
    return [_beaded(rng, v) if i in chosen else v for i, v in enumerate(vessels)]


def _beaded(rng: np.random.Generator, vessel: Vessel) -> Vessel:
    steps = np.hypot(*np.diff(vessel.points, axis=0, prepend=vessel.points[:1]).T)
    phase = 2 * math.pi * np.cumsum(steps) / rng.uniform(0.06, 0.09)
    return replace(vessel, widths=vessel.widths * (1.05 + 0.38 * np.sin(phase)))


def _trunk(rng: np.random.Generator, control: Floats, vein: bool) -> Vessel:
    control = control + rng.normal(0, 0.05, control.shape) * np.array([[0.2], [1], [1], [1.5]])
    t = np.linspace(0, 1, 90)[:, None]
    weights = np.hstack(((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3))
    wave = np.convolve(np.cumsum(rng.normal(0, 0.006, 90)), np.ones(9) / 9, mode="same")
    points = weights @ control + np.column_stack((wave * 0.5, wave)) * t
    width = (_VEIN_WIDTH if vein else _ARTERY_WIDTH) * rng.uniform(0.8, 1.15)
    trunk = _tapered(points, width, vein, 0)
    return replace(trunk, widths=trunk.widths * np.linspace(0.2, 12, 90).clip(max=1))


def _tapered(points: Floats, width: float, vein: bool, order: int) -> Vessel:
    return Vessel(points, width * np.linspace(1, 0.4, len(points)), vein, order)


def _tree(rng: np.random.Generator, parent: Vessel, depth: int, unrest: float) -> list[Vessel]:
    """Return `parent` and its branches down to `depth` further orders."""
    tree = [parent]
    length = float(np.hypot(*np.diff(parent.points, axis=0).T).sum())
    count = round(length / rng.uniform(0.2, 0.32)) if depth else 0
    last = len(parent.points) - 1
    side = rng.choice((-1.0, 1.0))
    for place in np.sort(rng.uniform(0.2, 0.97, count)):
        side = -side if rng.random() < 0.8 else side
        branch = _branch(rng, parent, int(place * last), side, length * (1.15 - place), unrest)
        if branch is not None:
            tree += _tree(rng, branch, depth - 1, unrest)
    return tree


def _branch(
    rng: np.random.Generator, parent: Vessel, at: int, side: float, room: float, unrest: float
) -> Vessel | None:
    """Return a branch that leaves `parent` at a point, or None where the fovea is too near."""
    along = parent.points[min(at + 1, len(parent.points) - 1)] - parent.points[at - 1]
    heading = math.atan2(along[1], along[0]) + side * rng.uniform(0.4, 1.0)
    length = min(room, 0.9) * rng.uniform(0.35, 0.8)
    bend = -side * rng.uniform(-0.1, 0.7)
    line = wander(rng, parent.points[at], heading, length, bend=bend, unrest=unrest)
    outside = np.hypot(*(line - FOVEA).T) > AVASCULAR_RADIUS
    kept = int(np.logical_and.accumulate(outside).sum())
    if kept < 4:
        return None
    width = float(parent.widths[at]) * rng.uniform(0.35, 0.7)
    return _tapered(line[:kept], width, parent.vein, parent.order + 1)


def draw_vessels(vessels: Sequence[Vessel], view: View) -> Layer:
    """Draw how much blood lies in the way of the light.

    Vessels thinner than a pixel are drawn fainter instead; wide ones carry the light reflex that
    follows the middle of a vessel.

    Returns:
        uint8 (side, side), 255 for the densest blood.
    """
    layer = np.zeros((view.side, view.side), np.uint8)
    for vessel in sorted(vessels, key=lambda vessel: float(vessel.widths[0])):
        width = float(vessel.widths.mean()) * view.scale
        density = (_VEIN_DENSITY if vessel.vein else _ARTERY_DENSITY) * min(1.0, 0.15 + width / 3)
        fill(layer, view.pixels(vessel.outline()), density)
        if width > 3.5:
            fill(layer, view.pixels(vessel.outline(0.3)), density * 0.6)
    return layer


def fill(layer: Layer, outline: Floats, value: float) -> None:
    """Fill a polygon (n, 2), in pixels, on a layer, with smooth edges; changes `layer`."""
    corners = np.rint(outline * (1 << _SUBPIXEL_BITS)).astype(np.int32)
    cv2.fillPoly(layer, [corners], round(value), cv2.LINE_AA, _SUBPIXEL_BITS)
