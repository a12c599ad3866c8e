"""Diagrams of the networks: their blocks from input to head, and where they are cut.

Drawn from the registry alone; nothing is built and nothing measured.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from retinopathy import plotting
from retinopathy.registry import HEAD, NETWORKS, NORMALISATION, parse_depth

LARGEST_REDUCTION = 32
"""Of the registry's networks: maps that are reduced so much are one step high."""

WHOLE = "depth study: cut before a whole block"
INSIDE = "depth study: cut inside a block (+k: its first k layers stay frozen)"
FINAL = "final runs"
"""What the three kinds of mark mean."""

LEGEND = (
    "Above each block: side of the feature maps that enter it, as a share of the photograph's, and "
    "their number.\nWhat lies to the right of a mark is trained."
)

WIDTH, ROW = 10.0, 2.1
"""Inches of the figure, and of each network in it."""

_MARKS_AT, _OFFSETS_AT, _FINAL_AT, _BOTTOM = -0.6, -1.0, -2.2, -2.7
"""Heights of what stands below the blocks, in steps."""


@dataclass(frozen=True)
class Box:
    """A block as it is drawn, by the feature maps that enter it; the head by the pooled features.

    Attributes:
        name: Of the block; `head` for what follows the last one.
        label: Side of the maps as a share of the photograph's, and how many there are.
        left: Where it begins, from 0 on.
        width: 8 and one for each doubling of the number of maps, so that names fit narrow ones.
        height: One step more for each doubling of their side; half a step for pooled features.
    """

    name: str
    label: str
    left: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Where it ends."""
        return self.left + self.width


def boxes(network: str) -> list[Box]:
    """Return the blocks of a network from input to output, side by side, and the head."""
    facts = NETWORKS[network]
    entering = [
        (block, f"1/{reduction}\n{maps}", maps, 1 + math.log2(LARGEST_REDUCTION / reduction))
        for block, (maps, reduction) in facts.enters.items()
    ]
    entering.append((HEAD, f"pooled\n{facts.features}", facts.features, 0.5))
    drawn: list[Box] = []
    for name, label, maps, height in entering:
        left = drawn[-1].right if drawn else 0.0
        drawn.append(Box(name, label, left, 8 + math.log2(maps), height))
    return drawn


def place(network: str, depth: str) -> float:
    """Return where a cut stands among `boxes`: what is to its right is trained.

    Inside a block it is as far along as its share of the block's layers.

    Args:
        network: Name in the registry.
        depth: `head`, a block, `block+k` or `all`.

    Raises:
        ValueError: The depth is `bn`, which cuts nowhere.
        Explained: There is no such depth.
    """
    if depth == NORMALISATION:
        raise ValueError(f"depth `{depth}` is no cut")
    block, offset = parse_depth(network, depth)
    box = next(one for one in boxes(network) if one.name == (block or HEAD))
    share = offset / NETWORKS[network].layers_of(box.name) if offset else 0.0
    return box.left + share * box.width


def blocks(
    networks: Sequence[str],
    studied: Mapping[str, Sequence[str]],
    final: Mapping[str, str],
    path: Path,
) -> None:
    """Draw the blocks of networks, one under the other, with the cuts that are studied and used.

    Args:
        networks: Names in the registry, at least one.
        studied: Network of the depth study → its depths.
        final: Network → depth of its final runs.
        path: Where to write the figure.
    """
    with plotting.figure(path, WIDTH, ROW * len(networks) + 0.5) as drawn:
        draw(drawn, networks, studied, final)


def draw(
    figure: Figure,
    networks: Sequence[str],
    studied: Mapping[str, Sequence[str]],
    final: Mapping[str, str],
) -> None:
    """Draw what `blocks` saves onto an empty figure."""
    rows = figure.subplots(len(networks), 1, squeeze=False)[:, 0]
    for axes, network in zip(rows, networks, strict=True):
        depths = studied.get(network, ())
        used = [final[network]] if network in final else []
        axes.set_title(_title(network, depths, used), loc="left")
        _frame(axes, network)
        _mark_studied(axes, network, _cuts(depths))
        _mark_final(axes, network, _cuts(used))
    _explain(figure, rows)


def _cuts(depths: Iterable[str]) -> list[str]:
    """Return the depths that cut somewhere."""
    return [depth for depth in depths if depth != NORMALISATION]


def _title(network: str, depths: Sequence[str], used: Sequence[str]) -> str:
    """Return the title of a network: what it is, and in words what no mark can show."""
    facts = NETWORKS[network]
    notes = [
        f"{whose}: scales and shifts of BatchNormalization, no cut"
        for whose, given in (("also studied", depths), ("final runs", used))
        if NORMALISATION in given
    ]
    return "; ".join([f"{facts.title}, {len(facts.blocks)} blocks", *notes])


def _frame(axes: Axes, network: str) -> None:
    """Draw the blocks with their names below and the size of what enters them above."""
    drawn = boxes(network)
    for box in drawn:
        axes.add_patch(
            Rectangle(
                (box.left, 0),
                box.width,
                box.height,
                facecolor="white" if box.name == HEAD else "#dddddd",
                edgecolor="#444444",
                linewidth=0.8,
            )
        )
        middle = box.left + box.width / 2
        axes.annotate(
            box.label,
            (middle, box.height),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=7,
            linespacing=1.0,
        )
    names = [box.name.replace("_", "_\n") for box in drawn]
    axes.set_xticks([box.left + box.width / 2 for box in drawn], names, fontsize=7)
    axes.tick_params(length=0)
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)
    margin = 0.01 * drawn[-1].right
    axes.set_xlim(-margin, drawn[-1].right + margin)
    axes.set_ylim(_BOTTOM, max(box.height for box in drawn) + 1.8)


def _mark_studied(axes: Axes, network: str, depths: Sequence[str]) -> None:
    """Mark the cuts of the depth study: whole blocks, and with their k those inside a block."""
    inside = [depth for depth in depths if parse_depth(network, depth)[1]]
    whole = [depth for depth in depths if depth not in inside]
    faces = (plotting.COLOURS[0], "white")
    for kind, (label, chosen) in enumerate(((WHOLE, whole), (INSIDE, inside))):
        if not chosen:
            continue
        places = [place(network, depth) for depth in chosen]
        _lines(axes, network, places, _MARKS_AT, plotting.LINES[1], 0.9)
        axes.plot(
            places,
            [_MARKS_AT] * len(places),
            plotting.MARKERS[kind],
            color=plotting.COLOURS[kind],
            markerfacecolor=faces[kind],
            markersize=5.5,
            zorder=3,
            label=label,
        )
    _write_offsets(axes, network, inside)


def _write_offsets(axes: Axes, network: str, depths: Sequence[str]) -> None:
    """Write the k of the cuts inside blocks, together for each block so that none overlap."""
    offsets: dict[str | None, list[str]] = defaultdict(list)
    places: dict[str | None, list[float]] = defaultdict(list)
    for depth in sorted(depths, key=lambda depth: place(network, depth)):
        block, offset = parse_depth(network, depth)
        offsets[block].append(f"+{offset}")
        places[block].append(place(network, depth))
    for block, written in offsets.items():
        middle = sum(places[block]) / len(written)
        axes.text(middle, _OFFSETS_AT, " ".join(written), ha="center", va="top", fontsize=6)


def _mark_final(axes: Axes, network: str, depths: Sequence[str]) -> None:
    """Mark the cuts of the final runs."""
    if not depths:
        return
    places = [place(network, depth) for depth in depths]
    _lines(axes, network, places, _FINAL_AT, plotting.LINES[0], 1.8)
    axes.plot(
        places,
        [_FINAL_AT] * len(places),
        plotting.MARKERS[2],
        color="black",
        markersize=7,
        label=FINAL,
    )


def _lines(
    axes: Axes, network: str, places: Iterable[float], bottom: float, style: str, width: float
) -> None:
    """Draw a line from the mark of each cut to the top of the block that it cuts."""
    for cut in places:
        height = next(box.height for box in boxes(network) if cut < box.right)
        axes.plot(
            [cut, cut],
            [bottom, height],
            linestyle=style,
            color="black",
            linewidth=width,
            solid_capstyle="butt",
        )


def _explain(figure: Figure, rows: Iterable[Axes]) -> None:
    """Say above the networks what is drawn, and what the marks mean that there are."""
    handles: dict[str, Artist] = {}
    for axes in rows:
        found, labels = axes.get_legend_handles_labels()
        handles |= dict(zip(labels, found, strict=True))
    order = [label for label in (WHOLE, INSIDE, FINAL) if label in handles]
    figure.legend(
        [handles[label] for label in order],
        order,
        loc="outside upper left",
        ncols=3,
        fontsize=8,
        title=LEGEND,
        title_fontsize=8,
        alignment="left",
    )
