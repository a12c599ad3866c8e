import base64
import re
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from retinopathy.material import read_caption
from retinopathy.page import Page, embedded


def drawing() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    image = np.full((300, 400, 3), 255, np.uint8)
    cv2.putText(image, "AUC 0.5", (20, 150), cv2.FONT_HERSHEY_SIMPLEX, 2, (61, 95, 217), 3)
    return image


def photograph() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    noise = np.random.default_rng(1).normal(0, 12, (300, 400, 3))
    return np.clip(cv2.GaussianBlur(noise, (0, 0), 2) * 4 + 128, 0, 255).astype(np.uint8)


def shown(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], path: Path) -> tuple[str, bytes]:
    """Return kind and content of what a page embeds of an image."""
    cv2.imwrite(str(path), image)
    found = re.fullmatch("data:image/(.*);base64,(.*)", embedded(path))
    assert found
    return found[1], base64.b64decode(found[2])


def test_drawings_lose_nothing_on_a_page(tmp_path: Path) -> None:
    kind, content = shown(drawing(), tmp_path / "a.png")
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert kind == "webp"
    assert decoded is not None and (decoded == drawing()).all()


def test_photographs_are_smaller_on_a_page_and_look_the_same(tmp_path: Path) -> None:
    kind, content = shown(photograph(), tmp_path / "a.png")
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert kind == "webp"
    assert len(content) < (tmp_path / "a.png").stat().st_size / 3
    assert decoded is not None
    assert np.abs(decoded.astype(float) - photograph()).mean() < 3


def test_what_is_too_large_for_webp_stays_as_it_is(tmp_path: Path) -> None:
    kind, content = shown(np.zeros((16400, 2, 3), np.uint8), tmp_path / "a.png")
    assert (kind, content) == ("png", (tmp_path / "a.png").read_bytes())


def test_a_table_has_names_for_people_and_says_what_its_cells_leave_open() -> None:
    page = Page("a")
    table = pd.DataFrame({"auc": [1.0, 0.7], "auc_low": [1.0, 0.6], "auc_high": [1.0, 0.8]})
    page.table(table.assign(method="svm", trainable_parameters=2049), [*table.columns, "method"])
    page.table(table.iloc[1:], list(table.columns))
    html = page.html()
    assert "<th>AUC</th>" in html and "<td>support vector machine</td>" in html
    assert html.count("No width:") == 1
    assert "no interval" not in html.lower()


def test_findings_and_answers_are_escaped() -> None:
    page = Page("a")
    page.finding("p < 0.05")
    page.answer("Why?", ["first", "second & third"])
    assert '<p class="finding">p &lt; 0.05</p>' in page.html()
    assert "<p><strong>Why?</strong> first</p><p>second &amp; third</p>" in page.html()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("``ppv`` and ``n``: some", "positive predictive value and n: some"),
        ("nothing to name", "nothing to name"),
        ("deviation (``_sd``)", "deviation (sd)"),
    ],
)
def test_captions_name_columns_as_tables_do(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.rst"
    path.write_text(f"{text}\n")
    assert read_caption(path) == said
