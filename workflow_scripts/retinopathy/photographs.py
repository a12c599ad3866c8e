"""Photographs of the back of the eye: finding the retina, cropping, resizing.

Pixels are 8-bit RGB arrays of shape (height, width, 3). Positions are in pixels of the full
photograph as it is seen, after the orientation that its EXIF header asks for.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from retinopathy.decoding import Pixels, decode, dimensions, strongest_reduction

Floats = NDArray[np.float64]
Whole = NDArray[np.int32]

_SEARCH_SIDE = 640  # the retina is searched on a copy no larger than this
_SEARCH_LEAST = 170  # and whose shorter side has at least this
_ARC_POINTS = 240  # points of the outline to which circles are fitted
_LEAST_CONTRAST = 10.0  # grey levels between the retina and its background
_LEAST_SUPPORT = 0.5  # share of the outline that has to lie on the circle
_LEAST_RADIUS = 0.12  # of the larger side: where the retina fills it, the optic disc is a circle
_LARGEST_EXCESS = 1.15  # how far the retina may reach beyond its circle, in radii
_LEAST_FIELD = 0.1  # of a crop: where the retina fills it, the optic disc is unlike the corners


@dataclass(frozen=True)
class Circle:
    """The outline of the retina.

    Attributes:
        x: Column of the centre, pixels of the full photograph.
        y: Row of the centre.
        radius: Radius, pixels; what lies above and below a clipped photograph counts.
        found: False when no circle fits; then the circle is centred on the photograph and its
            diameter is the larger side, so that a crop of it loses nothing.
    """

    x: float
    y: float
    radius: float
    found: bool


@dataclass(frozen=True)
class CropBox:
    """A square in pixels of the full photograph; where it reaches beyond, it is black.

    Attributes:
        left: First column; may be negative.
        top: First row; may be negative.
        side: Side, > 0.
    """

    left: int
    top: int
    side: int


# The retina -------------------------------------------------------------------------------------


def find_retina(image: Pixels, scale: float = 1.0) -> Circle:
    """Find the circle of the retina.

    The retina is the largest region that is unlike the corners. Circles through three points of
    its outline vote (after RANSAC, Fischler & Bolles 1981, but with fixed triples, so that the
    result is always the same), and the best one is refined by least squares (Kåsa 1976).
    Points at the edge of the photograph do not take part, so clipped circles are found whole.

    Args:
        image: uint8 (h, w, 3), usually a reduced copy.
        scale: Pixels of the full photograph per pixel of `image`.

    Returns:
        The circle that contains the whole visible retina, in pixels of the full photograph.
    """
    height, width = image.shape[:2]
    shrink = math.ceil(max(height, width) / _SEARCH_SIDE)
    contrast = _contrast(image, shrink)
    outline = _outline(contrast)
    fitted = None if outline is None else _fit_outline(outline, *contrast.shape[::-1])
    if fitted is None:
        side = max(height, width)
        return Circle(width * scale / 2, height * scale / 2, side * scale / 2, found=False)
    x, y, radius = (value * scale * shrink for value in fitted)
    return Circle(x, y, radius, found=True)


def crop_box(circle: Circle) -> CropBox:
    """Return the square with the whole circle whose edges lie on a grid of at most 1 % of its side.

    The grid is 8, 4, 2 or 1 pixels: boxes of large photographs start and end on whole pixels of
    the reduced decodings too, so that the same crop can be taken from any of them.
    """
    grid = strongest_reduction(2 * circle.radius, 100)
    left = grid * math.floor((circle.x - circle.radius) / grid)
    top = grid * math.floor((circle.y - circle.radius) / grid)
    reach = max(circle.x - left, circle.y - top) + circle.radius
    return CropBox(left, top, grid * math.ceil(reach / grid))


def _contrast(image: Pixels, shrink: int) -> Pixels:
    """Return how much each pixel differs from the border, in the channel where it does the most.

    Args:
        image: uint8 (h, w, 3).
        shrink: Divisor of the side of the result, >= 1.

    Returns:
        uint8 (h / shrink, w / shrink), without isolated pixels.
    """
    corners = [image[place].reshape(-1, 3) for place in _corners(_corner(image))]
    border = np.median(np.concatenate(corners), axis=0)
    first, second, third = cv2.split(cv2.absdiff(image, np.append(border, 0.0)))
    contrast = cv2.max(cv2.max(first, second), third)
    if shrink > 1:
        height, width = (max(1, side // shrink) for side in contrast.shape)
        # A whole number of pixels for each is several times as fast.
        whole = contrast[: height * shrink, : width * shrink]
        contrast = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.medianBlur(contrast, 3), np.uint8)


def _outline(contrast: Pixels) -> Floats | None:
    """Return points at equal distances along `_hull`, float64 (_ARC_POINTS, 2), x and y."""
    hull = _hull(contrast)
    return None if hull is None else _dense(np.asarray(hull, np.float64))


def _hull(contrast: Pixels) -> Whole | None:
    """Return the convex outline of the largest region unlike the border; None if there is none.

    Args:
        contrast: uint8 (h, w).

    Returns:
        int32 (n, 2), corners, x and y.
    """
    strong = float(np.percentile(contrast[::3, ::3], 95))
    if strong < _LEAST_CONTRAST:
        return None
    # Low enough for a dark rim, and above the flare that bright photographs have beside it.
    mask = np.asarray(contrast > min(max(0.15 * strong, 6.0), 30.0), np.uint8)
    kernel = np.ones((_corner(contrast) // 2 * 2 + 1,) * 2, np.uint8)  # odd: even ones shift
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, kernel)
    contours, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    hull = cv2.convexHull(max(contours, key=cv2.contourArea))
    return np.asarray(hull.reshape(-1, 2), np.int32)


def _corner(image: Pixels) -> int:
    """Return the side of the corners that show the border and not the retina, pixels."""
    height, width = image.shape[:2]
    return int(max(2, min(height, width) // 32))


def _corners(size: int) -> list[tuple[slice, slice]]:
    ends = (slice(None, size), slice(-size, None))
    return [(rows, columns) for rows in ends for columns in ends]


def _dense(polygon: Floats) -> Floats:
    """Return points at equal distances along a closed polygon, float64 (_ARC_POINTS, 2)."""
    closed = np.vstack([polygon, polygon[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    places = np.linspace(0, along[-1], _ARC_POINTS, endpoint=False)
    return np.column_stack([np.interp(places, along, closed[:, axis]) for axis in (0, 1)])


def _fit_outline(outline: Floats, width: int, height: int) -> tuple[float, float, float] | None:
    """Return x, y, radius of the circle that holds the outline; None when it is no circle."""
    inner = np.all((outline > 1.5) & (outline < np.array([width, height]) - 2.5), axis=1)
    arc = outline[inner]
    if len(arc) < _ARC_POINTS // 10:
        return None
    side = max(width, height)
    x, y, radius = _vote(arc, side)
    distances = np.hypot(arc[:, 0] - x, arc[:, 1] - y)
    near = np.abs(distances - radius) < max(1.0, 0.01 * radius)
    if near.mean() < _LEAST_SUPPORT:
        return None
    x, y, radius = _least_squares(arc[near])
    reach = float(np.abs(outline - np.array([x, y])).max())
    if reach > _LARGEST_EXCESS * radius or not _LEAST_RADIUS * side < radius < side:
        return None
    # Outlines run through the centres of pixels: half a pixel to their rims, half for the blur.
    return x + 0.5, y + 0.5, max(radius, reach) + 1.0


def _vote(points: Floats, largest: float) -> tuple[float, float, float]:
    """Return the circle through three of the points that passes near the most of them.

    Circles of a radius beyond `largest` do not count: straight edges would win with them.
    """
    n = len(points)
    starts = np.arange(0, n, 3)
    steps = (n // 3, n // 4, n // 6)
    triples = np.vstack([np.column_stack([starts, starts + s, starts + 2 * s]) for s in steps]) % n
    x, y, radius = _through(points[triples])
    # Twice as fast as `np.hypot`, which minds numbers that are out of range.
    distances = np.sqrt((points[:, 0] - x[:, None]) ** 2 + (points[:, 1] - y[:, None]) ** 2)
    votes = (np.abs(distances - radius[:, None]) < np.maximum(1.0, 0.01 * radius)[:, None]).sum(1)
    best = int(np.argmax(np.where(radius <= largest, votes, -1)))
    return float(x[best]), float(y[best]), float(radius[best])


def _through(triples: Floats) -> tuple[Floats, Floats, Floats]:
    """Return x, y and radius, each (n,), of the circles through triples of points, (n, 3, 2)."""
    origin = triples[:, 0]
    (bx, by), (cx, cy) = (triples[:, 1] - origin).T, (triples[:, 2] - origin).T
    b, c, area = bx**2 + by**2, cx**2 + cy**2, 2 * (bx * cy - by * cx)
    area = np.where(np.abs(area) < 1e-9, np.nan, area)
    x, y = (cy * b - by * c) / area, (bx * c - cx * b) / area
    return x + origin[:, 0], y + origin[:, 1], np.hypot(x, y)


def _least_squares(points: Floats) -> tuple[float, float, float]:
    """Fit a circle by the least squares of x² + y² − 2ax − 2by − c (Kåsa 1976)."""
    centre = points.mean(axis=0)
    shifted = points - centre
    system = np.column_stack([2 * shifted, np.ones(len(points))])
    (a, b, c), *_ = np.linalg.lstsq(system, (shifted**2).sum(axis=1), rcond=None)
    return float(a + centre[0]), float(b + centre[1]), math.sqrt(float(c + a**2 + b**2))


# Preprocessing ----------------------------------------------------------------------------------


def prepare(data: bytes, box: CropBox, size: int, contrast: str) -> Pixels:
    """Return the cropped, resized and, if asked, contrast-normalised photograph.

    Decoding is at the strongest reduction that leaves the crop at least `size` pixels wide.

    Args:
        data: Content of the photograph's file.
        box: What to crop, in pixels of the full photograph.
        size: Side of the result, pixels.
        contrast: A name in `CONTRASTS`.

    Returns:
        uint8 (size, size, 3), RGB.

    Raises:
        Explained: The photograph is unreadable.
        KeyError: `contrast` is unknown.
    """
    normalise = CONTRASTS[contrast]
    reduction = strongest_reduction(box.side, size)
    return normalise(_square(decode(data, reduction), reduction, box, size))


def find_and_prepare(data: bytes, size: int, contrast: str) -> tuple[Circle, Pixels]:
    """Find the retina and prepare it; as a rule both come from the same decoding.

    The retina is about as wide as the shorter side of most photographs, which tells at what
    reduction to decode before the retina is known.

    Args:
        data: Content of the photograph's file.
        size: Side of the result, pixels.
        contrast: A name in `CONTRASTS`.

    Returns:
        The circle, and what `prepare` makes of its crop box.

    Raises:
        Explained: The photograph is unreadable.
        KeyError: `contrast` is unknown.
    """
    normalise = CONTRASTS[contrast]
    reduction = strongest_reduction(min(dimensions(data)), max(size, _SEARCH_LEAST))
    pixels = decode(data, reduction)
    circle = find_retina(pixels, reduction)
    box = crop_box(circle)
    if reduction != strongest_reduction(box.side, size):
        return circle, prepare(data, box, size, contrast)
    return circle, normalise(_square(pixels, reduction, box, size))


def subtract_local_average(image: Pixels) -> Pixels:
    """Normalise colour and light of a square crop: 4 (I − local average of I) + 128.

    After B. Graham, "Kaggle diabetic retinopathy detection competition report", 2015: the average
    is Gaussian with a standard deviation of 1/30 of the retina's radius, and what is nearer to the
    edge than 0.1 of the radius, three standard deviations, is grey (128): there the black beyond
    would shine into the average. His edge is the circle; here the edge of the photograph counts too
    where it cuts the circle.

    Args:
        image: uint8 (size, size, 3), the circle of the retina inscribed.

    Returns:
        uint8 (size, size, 3).
    """
    radius = len(image) / 2
    field = _field(image)
    average = cv2.GaussianBlur(image, (0, 0), radius / 30)
    difference = cv2.addWeighted(image, 4, average, -4, 128)
    squares = (np.arange(len(image)) - (len(image) - 1) / 2) ** 2
    inside = squares[:, None] + squares <= (0.9 * radius) ** 2
    inside &= cv2.distanceTransform(field, cv2.DIST_L2, 5) > 0.1 * radius
    grey = np.full_like(image, 128)
    return np.asarray(cv2.copyTo(difference, inside.view(np.uint8), grey), np.uint8)


def _field(image: Pixels) -> Pixels:
    """Return where a square crop shows the retina: 255, elsewhere 0, uint8 (size, size).

    It is convex: a circle, cut by the edges of the photograph.
    """
    hull = _hull(_contrast(image, 1))
    if hull is None or cv2.contourArea(hull) < _LEAST_FIELD * image[..., 0].size:
        return np.full(image.shape[:2], 255, np.uint8)
    field = np.zeros(image.shape[:2], np.uint8)
    cv2.fillConvexPoly(field, hull, 255)
    return field


def _unchanged(image: Pixels) -> Pixels:
    return image


CONTRASTS: dict[str, Callable[[Pixels], Pixels]] = {
    "none": _unchanged,
    "graham": subtract_local_average,
}
"""Ways to normalise contrast."""


def _square(pixels: Pixels, reduction: int, box: CropBox, size: int) -> Pixels:
    """Cut `box` out of a photograph decoded at `reduction`, `size` pixels wide."""
    square = cut(pixels, box, reduction)
    # Averaging over areas is right when shrinking only; it would repeat pixels when enlarging.
    method = cv2.INTER_AREA if len(square) >= size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (size, size), interpolation=method), np.uint8)


def cut(pixels: Pixels, box: CropBox, reduction: int) -> Pixels:
    """Cut `box` out of a photograph decoded at `reduction`; black beyond its edges."""
    left, top = round(box.left / reduction), round(box.top / reduction)
    side = max(1, round(box.side / reduction))
    square = np.zeros((side, side, 3), np.uint8)
    height, width = pixels.shape[:2]
    rows = slice(max(top, 0), max(min(top + side, height), 0))
    columns = slice(max(left, 0), max(min(left + side, width), 0))
    part = pixels[rows, columns]
    square[rows.start - top :, columns.start - left :][: part.shape[0], : part.shape[1]] = part
    return square
