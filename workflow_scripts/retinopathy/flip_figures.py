"""The photograph that the larger size made right: what each network saw of it, and where."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.patches import Rectangle

from retinopathy import map_pictures, overlays, plotting
from retinopathy.figures import LEVELS
from retinopathy.maps import Heat, Pixels
from retinopathy.methods import COARSE, FINE, TITLES
from retinopathy.numerals import decimals
from retinopathy.photographs import CropBox, cut
from retinopathy.runs import HOLDOUT
from retinopathy.wording import CALLS, is_control, p_value

CELLS = 2
"""Side of the region that is enlarged, in cells of the map: it knows no place more exactly."""

SPREAD, GAIN = 160, 3
"""Grey levels that the contrast of a region is spread over, and by how much at most."""


@dataclass(frozen=True)
class Sight:
    """What a network saw of the photograph and made of it.

    Attributes:
        size: Side of its input, pixels.
        seen: What it saw, uint8 (size, size, 3).
        cam: Its CAM of the diseased class, (h, w).
        guided: Its Guided Grad-CAM of the diseased class, (size, size).
        probability: Of the diseased class.
        threshold: Probability from which the photograph is called diseased.
    """

    size: int
    seen: Pixels
    cam: Heat
    guided: Heat
    probability: float
    threshold: float

    @property
    def call(self) -> int:
        """1 when the photograph is called diseased, else 0."""
        return int(self.probability >= self.threshold)


@dataclass(frozen=True)
class Flip:
    """A photograph that two networks call differently.

    Attributes:
        photograph: The whole of it at full resolution, uint8 (height, width, 3).
        picture: Its crop, as maps are laid over it, uint8 (side, side, 3).
        box: The crop, in pixels of `photograph`.
        label: 1 for diseased, else 0.
        small: The network that was wrong.
        large: The network that was right.
    """

    photograph: Pixels
    picture: Pixels
    box: CropBox
    label: int
    small: Sight
    large: Sight

    @property
    def pointing(self) -> Sight:
        """The network that called the photograph diseased: its CAM says for what."""
        return self.large if self.label else self.small


# Words --------------------------------------------------------------------------------------------


def tell(gained: pd.DataFrame, test: pd.Series) -> str:
    """Return what is said above the figure, three lines.

    Args:
        gained: The photographs of `flips.gained`, at least one; the first is shown.
        test: The row of `flips.tests` of the same task, network and seed.
    """
    row = gained.iloc[0]
    small, large = (f"{test[f'size_{name}']} px" for name in ("small", "large"))
    true = CALLS[row["label"]]
    fold = "" if row["fold"] == HOLDOUT else f" of fold {row['fold']}"
    rank = f"the largest gain among the {len(gained)} test photographs"
    if len(gained) == 1:
        rank = "the only test photograph"
    lines = (
        f"{_who(test)}: {row['image']}, level {LEVELS[row['level']]}, {true}, "
        f"is called wrongly at {small} and rightly at {large}.",
        f"Probability of disease {row['probability_small']:.2f} → {row['probability_large']:.2f}: "
        f"the true class gains {row['gain']:.2f}, {rank}{fold} that {large} puts right.",
        counted(test),
    )
    return "\n".join(lines)


def counted(test: pd.Series) -> str:
    """Return how many photographs the size made right and wrong, and McNemar's adjusted p."""
    small, large = (f"{test[f'size_{name}']} px" for name in ("small", "large"))
    if test["n"] == 0:
        return f"There is nothing to compare: {test['reason']}."
    p = test["clustered_mcnemar_p_holm"]
    tested = "" if pd.isna(p) else f"; McNemar's test by patients, adjusted (Holm): p {p_value(p)}"
    pooled = "" if test["fold"] == HOLDOUT else ", folds pooled"
    return (
        f"Of {test['n']:,} test photographs{pooled}, {test['only_large_right']:.0f} are right at "
        f"{large} only and {test['only_small_right']:.0f} at {small} only{tested}."
    )


def nothing(test: pd.Series) -> str:
    """Return why there is no photograph to show."""
    small, large = test["size_small"], test["size_large"]
    return (
        f"{_who(test)}: no test photograph of the network whose maps are shown is wrong at "
        f"{small} px and right at {large} px.\n{counted(test)}"
    )


def _who(test: pd.Series) -> str:
    """Return network and task; what started from random weights is a control."""
    start = test["initialisation"]
    control = f", control ({start})" if is_control(start) else ""
    return f"{test['network']}{control}, {test['task']}"


# The figure ---------------------------------------------------------------------------------------


def region(heat: Heat, box: CropBox, shape: Sequence[int]) -> CropBox:
    """Return the square around the strongest place of a map: `CELLS` of its cells wide.

    It is at most half as wide as the crop: a map of one cell has no place to enlarge.

    Args:
        heat: A map of the crop, (h, w), of either sign.
        box: The crop, in pixels of the photograph.
        shape: Height and width of the photograph, whose crop the square does not leave.
    """
    height, width = shape[:2]
    risen = heat - heat.min() + 1  # above 0, which is what lies outside of the crop
    placed = overlays.place(risen, (box.left, box.top, box.side), (height, width))
    # At the rim of the crop, half a cell has the same value.
    rows, columns = np.nonzero(placed == placed.max())
    side = round(box.side * min(CELLS / max(heat.shape), 0.5))
    left, top = (
        min(max(round(at.mean() + 0.5 - side / 2), start, 0), min(start + box.side, end) - side)
        for at, start, end in ((columns, box.left, width), (rows, box.top, height))
    )
    return CropBox(left, top, side)


def draw(flip: Flip, told: str, path: Path) -> None:
    """Draw the photograph, both networks' maps, and the strongest region as each network sees it.

    Args:
        flip: What is shown.
        told: What is said above it.
        path: Where to draw.
    """
    chosen = region(flip.pointing.cam, flip.box, flip.photograph.shape)
    with plotting.figure(path, 11.5, 9.6) as drawn:
        drawn.suptitle(told, fontsize=9.5, x=0.01, ha="left")
        grid = drawn.add_gridspec(3, 4)
        _frame(drawn.add_subplot(grid[0, :2]), flip, chosen)
        _calls(drawn.add_subplot(grid[0, 2]), flip)
        gain = _gain(_part(flip.large, flip.box, chosen))
        original = cut(flip.photograph, chosen, 1)
        axes = drawn.add_subplot(grid[0, 3])
        _picture(axes, _raised(original, original, gain), chosen)
        axes.set_title(
            f"the region, {chosen.side} pixels wide,\ncontrast raised as in those below", fontsize=9
        )
        for number, sight in enumerate((flip.small, flip.large), start=1):
            _row(drawn, grid, number, flip, sight, chosen, gain)


def _frame(axes: Axes, flip: Flip, chosen: CropBox) -> None:
    """Draw the whole photograph with the crop and the region."""
    height, width = flip.photograph.shape[:2]
    axes.imshow(flip.photograph, extent=(0, width, height, 0))
    _bare(axes)
    axes.add_patch(Rectangle((0, 0), 1, 1, transform=axes.transAxes, color="#555555", zorder=-1))
    _mark(axes, flip.box, "--")
    _mark(axes, chosen, "-")
    axes.set_xlim(min(0, flip.box.left), max(width, flip.box.left + flip.box.side))
    axes.set_ylim(max(height, flip.box.top + flip.box.side), min(0, flip.box.top))
    axes.set_title(
        f"the photograph, {width} × {height}; dashed: what networks are given; "
        f"square: strongest\nregion of the CAM at {flip.pointing.size} px, which calls it diseased",
        fontsize=9,
    )


def _row(
    drawn: Figure,
    grid: GridSpec,
    number: int,
    flip: Flip,
    sight: Sight,
    chosen: CropBox,
    gain: float,
) -> None:
    """Draw what one network saw, its maps, and the region as it sees it."""
    largest = decimals(float(sight.cam.max()), 1)
    cam = f"{map_pictures.heading(COARSE, sight.cam)}, largest {largest}"
    near = _raised(sight.seen, _part(sight, flip.box, chosen), gain)
    shown = (
        ("what it sees", sight.seen),
        (cam + map_pictures.remark(sight.cam), map_pictures.lined(flip.picture, sight.cam, COARSE)),
        (TITLES[FINE], map_pictures.over(flip.picture, sight.guided, FINE)),
        (f"the region, {chosen.side * sight.size / flip.box.side:.0f} pixels wide", near),
    )
    panels = [drawn.add_subplot(grid[number, column]) for column in range(len(shown))]
    for axes, (title, image) in zip(panels, shown, strict=True):
        _picture(axes, image, flip.box)
        axes.set_title(title, fontsize=9)
    for axes in panels[:-1]:
        _mark(axes, chosen, "-")
    panels[-1].set_xlim(chosen.left, chosen.left + chosen.side)
    panels[-1].set_ylim(chosen.top + chosen.side, chosen.top)
    panels[0].set_ylabel(
        f"{sight.size} px: {'right' if sight.call == flip.label else 'wrong'}\n"
        f"called {CALLS[sight.call]}: {sight.probability:.2f}, threshold {sight.threshold:.2f}",
        fontsize=9,
    )


def _calls(axes: Axes, flip: Flip) -> None:
    """Draw both probabilities beside their thresholds."""
    for height, sight in ((1, flip.small), (0, flip.large)):
        right = sight.call == flip.label
        axes.plot([0, 1], [height] * 2, color="#999999", linewidth=0.8, linestyle="-", zorder=0)
        axes.plot(sight.threshold, height, "|", color="black", markersize=18, markeredgewidth=1.5)
        axes.plot(
            sight.probability,
            height,
            "o",
            color=plotting.COLOURS[0],
            markerfacecolor=plotting.COLOURS[0] if right else "white",
            markersize=9,
        )
        axes.annotate(
            f"{sight.probability:.2f}",
            (sight.probability, height),
            (0, -16),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
        axes.text(0, height + 0.2, f"{sight.size} px", fontsize=9)
    axes.set(xlim=(-0.05, 1.05), ylim=(-0.6, 1.6), xlabel="probability of disease")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False)
    axes.set_title("filled: right; hollow: wrong\nbar: threshold", fontsize=9)


def _part(sight: Sight, box: CropBox, chosen: CropBox) -> Pixels:
    """Return the pixels of what a network saw that lie in a region, at least in part."""
    scale = sight.size / box.side
    rows, columns = (
        slice(int(start * scale), math.ceil((start + chosen.side) * scale))
        for start in (chosen.top - box.top, chosen.left - box.left)
    )
    return sight.seen[rows, columns]


def _gain(region: Pixels) -> float:
    """Return what the contrast of a region is multiplied by, at least 1.

    Then the green channel, in which lesions stand out, covers `SPREAD` grey levels; but `GAIN` is
    the most: beyond, the blocks of JPEG are what one sees.
    """
    low, high = np.percentile(region[..., 1].astype(np.float64), (1, 99))
    return float(np.clip(SPREAD / max(high - low, 1), 1, GAIN))


def _raised(image: Pixels, region: Pixels, gain: float) -> Pixels:
    """Return an image with its contrast raised about the median colour of a region of it."""
    middle = np.median(region, axis=(0, 1))
    return np.asarray(np.rint(np.clip(middle + gain * (image - middle), 0, 255)), np.uint8)


def _picture(axes: Axes, image: Pixels, box: CropBox) -> None:
    """Show an image of a box, its pixels as they are, in pixels of the photograph."""
    edges = (box.left, box.left + box.side, box.top + box.side, box.top)
    axes.imshow(image, extent=edges, interpolation="nearest")
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _mark(axes: Axes, box: CropBox, line: str) -> None:
    """Draw the edges of a box: white on black, so that they are seen on anything."""
    shared: dict[str, Any] = {"fill": False, "linestyle": line}
    for colour, width in (("black", 2.6), ("white", 1.2)):
        edges = Rectangle((box.left, box.top), box.side, box.side, **shared)
        edges.set(edgecolor=colour, linewidth=width)
        axes.add_patch(edges)
