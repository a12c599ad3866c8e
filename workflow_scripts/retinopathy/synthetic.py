"""The embedded synthetic set: fundus photographs laid out like Kaggle's, with lesion masks.

A folder holds `photographs/ID_left.jpeg` and `photographs/ID_right.jpeg` for every patient, and for
every type of lesion that a photograph shows a PNG of its size, `masks/ID_left_MA.png`:
8 bits, one channel, 255 on lesions and 0 elsewhere. Types are MA (microaneurysms), HE
(haemorrhages), EX (hard exudates), SE (soft exudates) and NV (new vessels); a type without a
visible pixel has no file.

Seed and patient number alone determine a patient, so shards can be drawn apart, and what is drawn
besides lesions (anatomy, colours, light, camera) does not depend on the level.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from retinopathy.errors import Explained
from retinopathy.files import written
from retinopathy.synthetic_camera import (
    Camera,
    Fundus,
    absorb,
    aperture,
    choose_camera,
    choose_fundus,
    choose_view,
    cover,
    expose,
    frame,
    paint_fundus,
    pale_as,
    place,
    soften,
)
from retinopathy.synthetic_eye import Layer, bead, draw_vessels, grow_vessels
from retinopathy.synthetic_lesions import (
    DARK,
    GRADES,
    TYPES,
    draw_mask,
    draw_spots,
    lesions,
    look_alikes,
)

EYES = ("left", "right")
LEVELS = (0.42, 0.10, 0.20, 0.10, 0.18)
"""Shares of the levels that let few photographs fill balanced tasks."""
SAME_LEVEL = 0.87
"""Share of patients with the same level in both eyes, as in the competition's training set."""

_LEVEL_STREAM, _PATIENT_STREAM, _EYE_STREAM, _LESION_STREAM = range(4)


@dataclass(frozen=True)
class Photograph:
    """One drawn eye.

    Attributes:
        pixels: uint8 (height, width, 3), RGB, as before compression.
        masks: Per type that is visible, uint8 (height, width), 0 or 255.
        quality: Of the JPEG file, 0–100.
    """

    pixels: Layer
    masks: dict[str, Layer]
    quality: int


def generate(
    folder: Path,
    patients: Sequence[int],
    seed: int,
    levels: Sequence[float],
    progress: Callable[[str], None],
) -> pd.DataFrame:
    """Draw both eyes of some patients into a folder.

    Args:
        folder: Where `photographs` and `masks` go; made when missing.
        patients: Numbers of the patients, 0 or more.
        seed: Of the whole set, 0 or more.
        levels: Shares of levels 0 to 4 among eyes, see `LEVELS`.
        progress: Is told a sentence after every hundredth patient and at the end.

    Returns:
        Columns `image` (str, `ID_left`) and `level` (int64), in the order of `patients`.

    Raises:
        Explained: `levels` are not five shares that sum to 1.
    """
    check_levels(levels)
    (folder / "photographs").mkdir(parents=True, exist_ok=True)
    rows = []
    for done, patient in enumerate(patients, start=1):
        for eye, level in zip(EYES, draw_levels(patient, seed, levels), strict=True):
            image = f"{patient}_{eye}"
            _write(folder, image, draw_photograph(patient, eye, level, seed))
            rows.append((image, level))
        if done % 100 == 0 or done == len(patients):
            progress(f"drew {done} of {len(patients)} patients")
    table = pd.DataFrame(rows, columns=["image", "level"])
    return table.astype({"image": "str", "level": "int64"})


def check_levels(levels: Sequence[float]) -> None:
    """Raise `Explained` unless `levels` are five shares, none negative, that sum to 1."""
    if len(levels) != len(GRADES) or min(levels) < 0 or abs(sum(levels) - 1) > 1e-6:
        raise Explained(
            "the shares of synthetic levels are no distribution",
            expected="five numbers from 0 to 1, for levels 0 to 4, that sum to 1",
            received=f"{list(levels)}, sum {sum(levels):g}",
            hint="correct `source: level_shares:`",
        )


def draw_levels(patient: int, seed: int, levels: Sequence[float]) -> tuple[int, int]:
    """Draw the levels of a patient's left and right eye.

    Each eye has the shares `levels`. With the probability that makes both alike in `SAME_LEVEL`
    of the patients the right eye takes over the left one's level, else it has one of its own.
    """
    rng = np.random.default_rng([seed, patient, _LEVEL_STREAM])
    by_chance = sum(share**2 for share in levels)
    take_over = max(0.0, (SAME_LEVEL - by_chance) / (1 - by_chance)) if by_chance < 1 else 1.0
    edges = np.cumsum(levels)[:-1]
    left, own = np.searchsorted(edges, rng.random(2), side="right").tolist()
    return left, left if rng.random() < take_over else own


def draw_photograph(patient: int, eye: str, level: int, seed: int) -> Photograph:
    """Draw one photograph.

    Args:
        patient: Number of the patient, 0 or more.
        eye: `left` or `right`.
        level: 0 to 4; decides on lesions and on nothing else.
        seed: Of the whole set, 0 or more.
    """
    side = EYES.index(eye)
    patient_rng = np.random.default_rng([seed, patient, _PATIENT_STREAM])
    eye_rng = np.random.default_rng([seed, patient, _EYE_STREAM, side])
    lesion_rng = np.random.default_rng([seed, patient, _LESION_STREAM, side])
    camera, fundus = choose_camera(patient_rng), choose_fundus(patient_rng)
    canvas, masks = _draw_eye(eye_rng, lesion_rng, camera, fundus, eye == "left", level)
    return Photograph(
        pixels=frame(eye_rng, canvas, camera),
        masks=_framed_masks(masks, camera),
        quality=int(eye_rng.integers(60, 96)),
    )


def _draw_eye(
    rng: np.random.Generator,
    lesion_rng: np.random.Generator,
    camera: Camera,
    fundus: Fundus,
    mirrored: bool,
    level: int,
) -> tuple[Layer, dict[str, Layer]]:
    """Return the exposed canvas and the masks on it, both before framing."""
    view = choose_view(rng, camera, mirrored)
    vessels = grow_vessels(rng)
    harmless = look_alikes(rng, view)
    image = paint_fundus(rng, fundus, view)
    harmful = lesions(lesion_rng, GRADES[level], view, vessels)
    if GRADES[level].beading:
        vessels = bead(lesion_rng, vessels)
    blur = view.scale / 400
    brown = np.array([1.0, 1.0, 0.7], np.float32)
    absorb(image, soften(draw_spots(harmless, ["pigment"], view), 1.2 * blur), brown)
    yellow = pale_as(fundus, 1.2, 1.0, 0.55)
    cover(image, soften(draw_spots(harmless, ["drusen"], view), 1.6 * blur), yellow)
    cover(image, soften(draw_spots(harmful, ["EX"], view), 0.6 * blur), yellow)
    blood = np.maximum(draw_vessels(vessels, view), draw_spots(harmful, DARK, view))
    absorb(image, soften(blood, 0.7 * blur), fundus.blood)
    white = pale_as(fundus, 1.15, 1.0, 0.82)
    cover(image, soften(draw_spots(harmful, ["SE"], view), 5 * blur), white)
    return expose(rng, image, view), {kind: draw_mask(harmful, kind, view) for kind in TYPES}


def _framed_masks(masks: dict[str, Layer], camera: Camera) -> dict[str, Layer]:
    """Return the masks at the size of the photograph, of the types that have a visible pixel."""
    framed = {}
    for kind, mask in masks.items():
        whole = np.zeros((camera.height, camera.width), np.uint8)
        place(np.minimum(mask, aperture(camera)), whole)
        if whole.any():
            framed[kind] = whole
    return framed


def _write(folder: Path, image: str, photograph: Photograph) -> None:
    pixels = cv2.cvtColor(photograph.pixels, cv2.COLOR_RGB2BGR)
    options = [cv2.IMWRITE_JPEG_QUALITY, photograph.quality]
    _encode(folder / "photographs" / f"{image}.jpeg", pixels, options)
    for kind, mask in photograph.masks.items():
        _encode(folder / "masks" / f"{image}_{kind}.png", mask, [])


def _encode(path: Path, pixels: cv2.typing.MatLike, options: Sequence[int]) -> None:
    done, data = cv2.imencode(path.suffix, pixels, options)
    if not done:
        raise OSError(f"OpenCV could not encode {path}")
    with written(path) as beside:
        beside.write_bytes(data.tobytes())
