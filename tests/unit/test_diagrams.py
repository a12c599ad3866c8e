"""Diagrams of all networks of the registry: places of blocks and cuts, and what can be read."""

from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from retinopathy import diagrams, plotting, registry
from retinopathy.errors import Explained

NAMES = list(registry.NETWORKS)
INCEPTION = ["head", "mixed10", "mixed10+10", "mixed9", "mixed8+8", "mixed8", "all"]


def drawn(
    networks: list[str], studied: dict[str, list[str]], final: dict[str, str]
) -> tuple[Figure, list[Any]]:
    """Return a figure that has been laid out, and its axes."""
    with mpl.rc_context(plotting.STYLE):
        size = (diagrams.WIDTH, diagrams.ROW * len(networks) + 0.5)
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        diagrams.draw(figure, networks, studied, final)
        figure.canvas.draw()
    return figure, figure.axes


def marks(axes: Any) -> dict[str, tuple[str, list[float]]]:
    """Return meaning → marker and places of the marks on axes."""
    return {
        line.get_label(): (line.get_marker(), [float(x) for x in line.get_xdata()])
        for line in axes.lines
        if not line.get_label().startswith("_")
    }


@pytest.mark.parametrize("name", NAMES)
def test_blocks_stand_side_by_side_and_the_head_last(name: str) -> None:
    boxes = diagrams.boxes(name)
    assert [box.name for box in boxes] == [*registry.NETWORKS[name].blocks, "head"]
    assert boxes[0].left == 0
    assert all(first.right == second.left for first, second in pairwise(boxes))


@pytest.mark.parametrize("name", NAMES)
def test_a_doubling_is_one_step(name: str) -> None:
    boxes = {box.name: box for box in diagrams.boxes(name)}
    enters = registry.NETWORKS[name].enters
    for (first, (maps, reduction)), (second, (more, further)) in combinations(enters.items(), 2):
        steps = boxes[first].height - boxes[second].height
        assert 2**steps == pytest.approx(further / reduction)
        assert 2 ** (boxes[second].width - boxes[first].width) == pytest.approx(more / maps)
    assert min(boxes[block].height for block in enters) >= 1 > boxes["head"].height


@pytest.mark.parametrize("name", NAMES)
def test_cuts_stand_in_the_order_of_the_layers(name: str) -> None:
    facts = registry.NETWORKS[name]
    inside = [f"{block}+1" for block in facts.blocks if facts.layers_of(block) > 1]
    depths = [*registry.depths(name), *inside]
    depths.sort(key=lambda depth: registry.first_trained(name, depth))
    places = [diagrams.place(name, depth) for depth in depths]
    assert places == sorted(places)
    assert len(set(places)) == len(places) - 1  # `all` is the first block.


def test_a_cut_inside_a_block_is_at_its_share_of_the_layers() -> None:
    boxes = {box.name: box for box in diagrams.boxes("xception")}
    block = boxes["block13"]  # 10 layers
    assert diagrams.place("xception", "block13") == block.left
    assert diagrams.place("xception", "block13+5") == block.left + block.width / 2
    assert diagrams.place("xception", "head") == boxes["head"].left
    assert diagrams.place("xception", "all") == 0


def test_what_is_no_cut_has_no_place() -> None:
    with pytest.raises(ValueError, match="no cut"):
        diagrams.place("xception", "bn")
    with pytest.raises(Explained, match="block15"):
        diagrams.place("xception", "block15")


def test_kinds_of_cut_have_marks_of_their_own_at_their_networks() -> None:
    final = {"xception": "block13", "inception_v3": "mixed9"}
    networks = ["xception", "inception_v3", "densenet169"]
    _, (first, second, third) = drawn(networks, {"inception_v3": INCEPTION}, final)
    assert marks(first) == {diagrams.FINAL: ("^", [diagrams.place("xception", "block13")])}
    assert marks(third) == {}
    found = marks(second)
    places = {depth: diagrams.place("inception_v3", depth) for depth in INCEPTION}
    inside = [places.pop("mixed10+10"), places.pop("mixed8+8")]
    assert found[diagrams.INSIDE] == ("s", inside)
    assert found[diagrams.WHOLE] == ("o", list(places.values()))
    assert found[diagrams.FINAL] == ("^", [places["mixed9"]])
    assert len({marker for marker, _ in found.values()}) == 3


def test_the_legend_explains_the_marks_that_there_are() -> None:
    def explained(studied: dict[str, list[str]], final: dict[str, str]) -> list[str]:
        figure, _ = drawn(["xception"], studied, final)
        return [text.get_text() for text in figure.legends[0].get_texts()]

    assert explained({"xception": ["head", "block14"]}, {}) == [diagrams.WHOLE]
    assert explained({}, {"xception": "all"}) == [diagrams.FINAL]
    assert explained({"densenet169": ["conv5+1"]}, {}) == []


def test_normalisation_alone_is_said_in_words() -> None:
    _, (axes,) = drawn(["xception"], {"xception": ["bn", "block14"]}, {"xception": "bn"})
    assert axes.get_title(loc="left").count("scales and shifts") == 2
    assert list(marks(axes)) == [diagrams.WHOLE]


def test_no_two_texts_overlap() -> None:
    studied = {"resnet50_v2": ["conv5_block3+3", "conv5_block2+2", "conv5_block2+9", "head"]}
    final = {"xception": "block14+3", "densenet169": "conv5+200", "mobilenet_v2": "all"}
    figure, rows = drawn(NAMES, studied, final)
    texts = [
        text
        for axes in rows
        for text in [*axes.texts, *axes.get_xticklabels(), axes.title, axes._left_title]
        if text.get_text()
    ]
    texts += [text for text in figure.legends[0].findobj(Text) if text.get_text()]
    assert len(texts) > 2 * sum(len(diagrams.boxes(name)) for name in NAMES)
    around = [(text.get_text(), text.get_window_extent()) for text in texts]
    for (one, first), (other, second) in combinations(around, 2):
        assert not first.overlaps(second), (one, other)
    width, height = figure.bbox.size
    for written, box in around:
        assert 0 <= box.x0 < box.x1 <= width, written
        assert 0 <= box.y0 < box.y1 <= height, written


def test_the_figure_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "blocks.png"
    diagrams.blocks(["densenet169"], {"densenet169": ["conv5"]}, {"densenet169": "head"}, path)
    assert path.read_bytes().startswith(b"\x89PNG")
