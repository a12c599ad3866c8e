from pathlib import Path

import cv2
import numpy as np
from tests.measured import FROZEN, metric, metrics

from retinopathy.material import Material
from retinopathy.page import Page


def figures(folder: Path, *names: str) -> list[Path]:
    paths = [folder / f"referable-{name}-96.png" for name in names]
    for grey, path in enumerate(paths):
        cv2.imwrite(str(path), np.full((20, 20, 3), 40 * grey, np.uint8))
    return paths


def page_of(folder: Path, *names: str) -> str:
    finals = metrics(metric("xception 96", 0.8), metric("vgg 96", 0.5, initialisation=FROZEN))
    material = Material({"networks": finals}, {"maps": figures(folder, *names)}, {"maps": "Why."})
    page = Page("A study")
    material.show(page, "maps")
    return page.html()


def test_figures_of_controls_are_opened_by_a_click(tmp_path: Path) -> None:
    html = page_of(tmp_path, "vgg", "xception")
    shown, folded = html.split("<details>")
    assert "referable, xception, 96" in shown and "vgg" not in shown
    assert "1 figure of controls" in folded and "referable, vgg, 96" in folded


def test_a_single_figure_has_the_caption_itself(tmp_path: Path) -> None:
    html = page_of(tmp_path, "vgg")
    assert "<details>" not in html
    assert "<figcaption>Why.</figcaption>" in html
