"""How a synthetic eye comes to be a photograph: colour, light, media, optics, sensor, frame.

Nothing here knows the level: whatever is drawn by chance is drawn alike for every eye.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from retinopathy.synthetic_eye import DISC, DISC_RADIUS, FOVEA, Layer, View

Image = NDArray[np.float32]
Field = NDArray[np.float32]

_COARSE = 48
"""Side on which smooth fields are computed before they are enlarged."""


@dataclass(frozen=True)
class Camera:
    """A model of camera.

    Attributes:
        width: Of the photograph, pixels.
        height: Of the photograph, pixels.
        diameter: Of the retina's circle, pixels; clipped above and below when over the height.
        notch: A small square at the edge of the circle marks the orientation.
    """

    width: int
    height: int
    diameter: int
    notch: bool


CAMERAS = (
    Camera(1080, 720, 660, True),
    Camera(1080, 720, 860, False),
    Camera(1024, 683, 640, False),
    Camera(960, 640, 780, False),
    Camera(960, 720, 690, True),
    Camera(900, 675, 780, False),
    Camera(840, 840, 800, False),
    Camera(800, 600, 560, True),
    Camera(720, 480, 560, False),
    Camera(720, 480, 455, False),
    Camera(640, 480, 440, True),
    Camera(640, 640, 600, False),
)


@dataclass(frozen=True)
class Fundus:
    """Colours of a patient's eyes.

    Attributes:
        colour: Of the background, RGB, 0–1, linear with the pixels' values.
        texture: Contrast of the choroid's texture, 0–1.
        blood: Absorption of blood at full density in red, green and blue.
        cup: Diameter of the disc's cup by that of the disc.
    """

    colour: Field
    texture: float
    blood: Field
    cup: float


def choose_camera(rng: np.random.Generator) -> Camera:
    """Draw a model of camera and how exactly it was set: its circle varies by 2 %."""
    camera = CAMERAS[rng.integers(len(CAMERAS))]
    diameter = round(camera.diameter * rng.uniform(0.98, 1.02))
    return Camera(camera.width, camera.height, diameter, camera.notch)


def choose_fundus(rng: np.random.Generator) -> Fundus:
    """Draw the colours of a patient, from pale pink over orange to dark brown."""
    red = rng.uniform(0.42, 0.88)
    green = red * rng.uniform(0.4, 0.74)
    blue = green * rng.uniform(0.3, 0.95)
    strength = rng.uniform(0.7, 1.15)
    return Fundus(
        colour=np.array([red, green, blue], np.float32),
        texture=rng.uniform(0.03, 0.16),
        blood=np.array([0.45, 1.15, 0.95], np.float32) * np.float32(strength),
        cup=rng.uniform(0.25, 0.65),
    )


def pale_as(fundus: Fundus, red: float, green: float, blue: float) -> Field:
    """Return a pale colour (3,) as bright as this fundus: parts of its red, at most 1.1."""
    pale = fundus.colour[0] * np.array([red, green, blue], np.float32)
    return np.asarray(np.minimum(pale, np.float32(1.1)), np.float32)


def choose_view(rng: np.random.Generator, camera: Camera, mirrored: bool) -> View:
    """Draw how the camera looked into the eye: 35° to 56° wide, centred on fovea, disc or both."""
    towards = rng.choice(np.array([0.0, FOVEA[0], 0.6 * DISC[0]]), p=[0.5, 0.35, 0.15])
    zoom = rng.uniform(0.8, 1.25)
    sign = -1 if mirrored else 1
    x = -sign * (towards + rng.normal(0, 0.05)) * zoom
    return View(
        side=camera.diameter,
        zoom=zoom,
        angle=rng.normal(0, 0.1),
        shift=(float(x), rng.normal(0, 0.07)),
        mirrored=mirrored,
        inverted=bool(rng.random() < 0.15),
        band=min(1.0, camera.height / camera.diameter),
    )


def paint_fundus(rng: np.random.Generator, fundus: Fundus, view: View) -> Image:
    """Paint the back of the eye without vessels: texture, macula and disc.

    Returns:
        float32 (side, side, 3), the reflected part of the light, RGB.
    """
    image = np.empty((view.side, view.side, 3), np.float32)
    image[:] = fundus.colour
    image *= _texture(rng, view.side, fundus.texture)[..., None]
    macula = _glow(view, FOVEA, rng.uniform(0.1, 0.2)) * np.float32(rng.uniform(0.15, 0.6))
    macula += _glow(view, FOVEA, 0.04) * np.float32(rng.uniform(0.0, 0.25))
    absorb(image, macula, np.array([0.5, 0.9, 1.0], np.float32))
    fibres = _glow(view, DISC, 0.35) * np.float32(rng.uniform(0.0, 0.3))
    image *= 1 + fibres[..., None]
    _paint_disc(rng, fundus, view, image)
    return image


def absorb(image: Image, density: Field, absorption: Field) -> None:
    """Weaken light by Beer and Lambert's law: `image` × exp(−density × absorption), in place.

    Args:
        image: float32 (h, w, 3).
        density: float32 (h, w), 0–1.
        absorption: float32 (3,), of red, green and blue at density 1.
    """
    for channel in range(3):
        image[..., channel] *= cv2.exp(density * -absorption[channel])


def cover(image: Image, opacity: Field, colour: Field) -> None:
    """Blend a colour (3,) over `image` (h, w, 3) with an opacity (h, w) of 0–1, in place."""
    for channel in range(3):
        image[..., channel] += opacity * (colour[channel] - image[..., channel])


def soften(layer: Layer, sigma: float) -> Field:
    """Blur a layer by `sigma` pixels and scale it to 0–1."""
    return cv2.GaussianBlur(layer, (0, 0), max(sigma, 0.3)).astype(np.float32) / np.float32(255)


def expose(rng: np.random.Generator, image: Image, view: View) -> Layer:
    """Light, blur and digitise the eye: uint8 (side, side, 3), before the frame.

    Light falls off to one side and to the edge, a shadow may lie over a part, the media may be
    hazy, a bright crescent may follow the edge, and lens and sensor have their specks.
    """
    image *= _enlarged(_illumination(rng), view.side)
    haze = rng.uniform(0.15, 0.45) if rng.random() < 0.3 else rng.uniform(0.0, 0.12)
    veil = np.clip(haze * (1 + 0.4 * _noise(rng, 4, _COARSE)) + _crescent(rng), 0, 0.9)
    tint = np.array([0.62, 0.55, 0.48], np.float32) * np.float32(rng.uniform(0.6, 1.3))
    cover(image, np.clip(_enlarged(veil, view.side), 0, 1), tint)
    _specks(rng, image)
    sigma = view.side / 800 * (0.5 + rng.gamma(2.0, 0.35))
    blurred = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)
    grain = rng.standard_normal((view.side, view.side), np.float32)
    blurred += (grain * np.float32(rng.uniform(0.004, 0.016)))[..., None]
    return np.asarray(cv2.convertScaleAbs(np.maximum(blurred, 0), alpha=255), np.uint8)


def frame(rng: np.random.Generator, canvas: Layer, camera: Camera) -> Layer:
    """Put the circle of the retina into the black photograph, clipped where it is too high.

    Args:
        rng: Source of the border's darkness.
        canvas: uint8 (diameter, diameter) or (diameter, diameter, 3).
        camera: Size of photograph and circle.

    Returns:
        uint8 (height, width, 3).
    """
    border = rng.integers(0, 7, endpoint=True)
    photograph = np.full((camera.height, camera.width, 3), border, np.uint8)
    disc = aperture(camera)
    lit = np.where(disc[..., None] > 0, canvas, np.uint8(border))
    place(lit, photograph)
    return photograph


def aperture(camera: Camera) -> Layer:
    """Draw what the camera's aperture lets through: uint8 (diameter, diameter), 0 or 255."""
    side = camera.diameter
    layer = np.zeros((side, side), np.uint8)
    cv2.circle(layer, (side // 2, side // 2), side // 2 - 1, 255, cv2.FILLED)
    if camera.notch:
        at, half = (round(side * 0.835), round(side * 0.135)), max(2, side // 70)
        corner = (at[0] - half, at[1] - half)
        cv2.rectangle(layer, corner, (at[0] + half, at[1] + half), 255, cv2.FILLED)
    return layer


def place(canvas: Layer, photograph: Layer) -> None:
    """Copy the middle of a square canvas to the middle of a photograph, in place."""
    side = canvas.shape[0]
    height, width = photograph.shape[:2]
    rows, columns = min(side, height), min(side, width)
    top, left = (height - rows) // 2, (width - columns) // 2
    cut, skip = (side - rows) // 2, (side - columns) // 2
    photograph[top : top + rows, left : left + columns] = canvas[
        cut : cut + rows, skip : skip + columns
    ]


def _paint_disc(rng: np.random.Generator, fundus: Fundus, view: View, image: Image) -> None:
    """Paint disc, cup, and in some eyes the pale crescent of atrophy beside the disc."""
    bright = pale_as(fundus, 1.3, 0.97, 0.62)
    radius = DISC_RADIUS * rng.uniform(0.85, 1.1)
    if rng.random() < 0.3:
        beside = DISC - (rng.uniform(0.02, 0.05), 0.0)
        cover(image, _ellipse(view, beside, radius * 1.08) * np.float32(0.45), bright)
    tone = np.float32(rng.uniform(0.85, 1.0))
    cover(image, _ellipse(view, DISC, radius) * np.float32(rng.uniform(0.8, 0.95)), bright * tone)
    centre = DISC + rng.normal(0, 0.01, 2)
    pale = pale_as(fundus, 1.35, 1.18, 0.88)
    cover(image, _ellipse(view, centre, radius * fundus.cup) * np.float32(0.8), pale)


def _ellipse(view: View, centre: NDArray[np.float64], radius: float) -> Field:
    """Draw an upright ellipse, a tenth higher than wide, with soft edges."""
    layer = np.zeros((view.side, view.side), np.uint8)
    phi = np.linspace(0, 2 * np.pi, 48)
    outline = view.pixels(centre + radius * np.column_stack((0.95 * np.cos(phi), np.sin(phi))))
    cv2.fillPoly(layer, [np.rint(outline).astype(np.int32)], 255)
    return soften(layer, 0.012 * view.scale)


def _glow(view: View, centre: NDArray[np.float64], sigma: float) -> Field:
    """Return a Gaussian hill of height 1 around a point of the eye, `sigma` eye units wide."""
    x, y = view.pixels(centre[None])[0]
    axis = np.arange(view.side, dtype=np.float32)
    spread = 2 * (sigma * view.scale) ** 2
    across = np.exp(-((axis - np.float32(x)) ** 2) / np.float32(spread))
    down = np.exp(-((axis - np.float32(y)) ** 2) / np.float32(spread))
    return np.asarray(np.outer(down, across), np.float32)


def _noise(rng: np.random.Generator, cells: int, side: int) -> Field:
    """Return smooth noise (side, side) with standard deviation near 1 and `cells` cells across."""
    return _enlarged(rng.standard_normal((cells, cells), np.float32), side)


def _enlarged(field: Field, side: int) -> Field:
    return np.asarray(cv2.resize(field, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)


def _texture(rng: np.random.Generator, side: int, contrast: float) -> Field:
    """Return the choroid's texture: noise over four octaves, mean 1."""
    coarse = sum(_noise(rng, cells, 256) * (8 / cells) ** 0.5 for cells in (8, 17, 35, 70))
    return np.float32(1) + np.float32(contrast / 2) * _enlarged(np.asarray(coarse), side)


def _grid() -> tuple[Field, Field]:
    axis = np.linspace(-1, 1, _COARSE, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    return x, y


def _illumination(rng: np.random.Generator) -> Field:
    """Return the light's colour over the coarse canvas, float32 (_COARSE, _COARSE, 3)."""
    x, y = _grid()
    slope = rng.normal(0, 0.16, 2)
    light = 1 + slope[0] * x + slope[1] * y - rng.uniform(0.05, 0.35) * (x**2 + y**2)
    if rng.random() < 0.3:
        at, width = rng.uniform(-0.7, 0.7, 2), rng.uniform(0.2, 0.5)
        shadow = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * width**2))
        light = light - rng.uniform(0.2, 0.6) * shadow
    gain = rng.uniform(0.7, 1.2)
    white_balance = np.exp(rng.normal(0, 0.05, 3))
    lit = np.maximum(light, 0.06)[..., None] * gain * white_balance
    return np.asarray(lit, np.float32)


def _crescent(rng: np.random.Generator) -> Field:
    """Return the opacity of stray light along the edge, zero in most photographs."""
    x, y = _grid()
    if rng.random() > 0.35:
        return np.zeros_like(x)
    away = rng.uniform(0.03, 0.3) * rng.uniform(-1, 1, 2)
    edge = np.hypot(x - away[0], y - away[1]) - rng.uniform(0.95, 1.05)
    return np.asarray(rng.uniform(0.3, 0.9) / (1 + np.exp(-edge / 0.04)), np.float32)


def _specks(rng: np.random.Generator, image: Image) -> None:
    """Draw dark dust of the sensor and pale ghosts of the lens over `image`, in place."""
    side = image.shape[0]
    dark, pale = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
    for _ in range(rng.poisson(5) if rng.random() < 0.5 else 0):
        _dot(rng, dark, rng.uniform(0.0015, 0.006) * side, 255)
    for _ in range(rng.poisson(3) if rng.random() < 0.4 else 0):
        _dot(rng, pale, rng.uniform(0.004, 0.02) * side, 255)
    if dark.any():
        strength = np.float32(rng.uniform(0.2, 0.6))
        absorb(image, soften(dark, 0.0015 * side) * strength, np.ones(3, np.float32))
    if pale.any():
        white = np.array([0.85, 0.85, 0.75], np.float32)
        cover(image, soften(pale, 0.003 * side) * np.float32(rng.uniform(0.1, 0.5)), white)


def _dot(rng: np.random.Generator, layer: Layer, radius: float, value: int) -> None:
    x, y = rng.integers(0, layer.shape[0], 2).tolist()
    cv2.circle(layer, (x, y), max(1, round(radius)), value, cv2.FILLED, cv2.LINE_AA)
