"""One self-contained HTML page of headings, sentences, tables and figures."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import cv2
import pandas as pd

from retinopathy import display

LONG = 24
"""Rows of a table that is shown at once."""

QUALITY = 90
"""Quality, of 100, at which WebP keeps figures that are mostly photographs."""

_LOSSLESS = 101  # qualities above 100 lose nothing
_LARGEST = 16383  # side of the largest WebP, pixels

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 60rem; margin: 2rem auto;
       padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
table { border-collapse: collapse; font-size: 0.8rem; display: block; overflow-x: auto; }
th, td { padding: 0.2rem 0.6rem; text-align: right; border-bottom: 1px solid #ddd;
         white-space: nowrap; }
th { border-bottom: 2px solid #222; white-space: normal; vertical-align: bottom; }
.finding { border-left: 4px solid #0b3c5d; padding-left: 0.8rem; }
figure { margin: 1rem 0; } img { max-width: 100%; }
nav ul { list-style: none; padding: 0; columns: 2; font-size: 0.85rem; }
summary { cursor: pointer; color: #0b3c5d; }
figcaption, .note { color: #555; font-size: 0.85rem; }
"""


@dataclass
class Page:
    """A page that grows from top to bottom.

    Attributes:
        title: Title of the page.
        body: Its parts so far, as HTML.
        sections: Headings so far; the page begins with links to them.
    """

    title: str
    body: list[str] = field(default_factory=list)
    sections: list[str] = field(default_factory=list)

    def heading(self, text: str) -> None:
        """Begin a section."""
        self.sections.append(text)
        self.body.append(f'<h2 id="s{len(self.sections)}">{escape(text)}</h2>')

    def say(self, text: str) -> None:
        """Add a paragraph."""
        self.body.append(f"<p>{escape(text)}</p>")

    def finding(self, text: str) -> None:
        """Add what a section found, to be seen before all else in it."""
        self.body.append(f'<p class="finding">{escape(text)}</p>')

    def answer(self, question: str, paragraphs: Sequence[str]) -> None:
        """Add a question in bold and its answer; the first paragraph stands beside it."""
        first, *others = (escape(text) for text in paragraphs)
        self.body.append(f"<p><strong>{escape(question)}</strong> {first}</p>")
        self.body.extend(f"<p>{text}</p>" for text in others)

    def note(self, text: str) -> None:
        """Add a remark in small print."""
        self.body.append(f'<p class="note">{escape(text)}</p>')

    def table(self, table: pd.DataFrame, columns: list[str]) -> None:
        """Add the `columns` of a table that have content, numbers to three digits.

        Names and intervals are those of `display`, which also says what is to be said of them. A
        table of more than `LONG` rows is opened by a click.
        """
        shown = display.folded(table[columns]).dropna(axis="columns", how="all")
        remarks = display.remarks(shown)
        shown.columns = pd.Index([display.title(name) for name in shown.columns])
        made = shown.map(display.called).map(display.cell).to_html(index=False, border=0)
        if len(shown) > LONG:
            made = f"<details><summary>Table of {len(shown)} rows</summary>{made}</details>"
        self.body.append(made)
        for remark in remarks:
            self.note(remark)

    def figure(self, path: Path, caption: str) -> None:
        """Add a PNG, embedded, with its caption."""
        self.body.append(
            f'<figure><img alt="{escape(caption)}" src="{embedded(path)}">'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
        )

    def folded(self, summary: str, figures: Mapping[Path, str]) -> None:
        """Add figures with their captions that are opened by a click on `summary`."""
        self.body.append(f"<details><summary>{escape(summary)}</summary>")
        for path, caption in figures.items():
            self.figure(path, caption)
        self.body.append("</details>")

    def html(self) -> str:
        """Return the whole page."""
        title = escape(self.title)
        links = "".join(
            f'<li><a href="#s{number}">{escape(text)}</a></li>'
            for number, text in enumerate(self.sections, start=1)
        )
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
            f"<style>{STYLE}</style></head><body><h1>{title}</h1>"
            f"<nav><ul>{links}</ul></nav>{''.join(self.body)}"
            "</body></html>\n"
        )


def embedded(path: Path) -> str:
    """Return a PNG as the address of an image that is its own content, made smaller as WebP.

    Nothing is lost of drawings. What is more than twice as large as with a little loss is mostly
    photographs, and is kept with that. What is too large for WebP, or cannot be
    read here, stays as it is.
    """
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None or max(image.shape) > _LARGEST:
        return _address("png", path.read_bytes())
    whole, lossy = (_webp(image, quality) for quality in (_LOSSLESS, QUALITY))
    return _address("webp", lossy if len(whole) > 2 * len(lossy) else whole)


def _webp(image: cv2.typing.MatLike, quality: int) -> bytes:
    _, encoded = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, quality])
    return encoded.tobytes()


def _address(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
