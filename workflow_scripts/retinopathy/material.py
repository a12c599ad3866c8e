"""What a study left for its page: tables, figures, and what there is to say of each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from retinopathy.display import title
from retinopathy.page import Page
from retinopathy.standings import controls, from_imagenet
from retinopathy.wording import counted


@dataclass(frozen=True)
class Material:
    """Tables, figures and captions of a study.

    Attributes:
        tables: Name of a table in `results/<study>/tables/` → the table; and `levels`, `rejects`,
            `proofs`, `subsets` and `recommendations`.
        figures: Name of a figure → its files.
        captions: Name of a file in `report/` → its text. A figure has that called `<name>_figure`,
            or else `<name>`.
    """

    tables: Mapping[str, pd.DataFrame]
    figures: Mapping[str, list[Path]]
    captions: Mapping[str, str]

    def show(self, page: Page, name: str) -> None:
        """Add all figures of a name to a page, with their caption; several share one."""
        caption = self.captions.get(f"{name}_figure") or self.captions[name]
        paths = self.figures[name]
        if len(paths) == 1:
            page.figure(paths[0], caption)
            return
        page.note(caption)
        apart = {path: _named(path) for path in paths if self._is_control(path)}
        for path in paths:
            if path not in apart:
                page.figure(path, _named(path))
        if apart:
            page.folded(f"{counted(len(apart), 'figure')} of controls, from random weights", apart)

    def _is_control(self, path: Path) -> bool:
        """Return whether a figure is of a network that started from random weights alone."""
        finals = self.tables["networks"]
        started = controls(finals)["network"].unique()
        transferred = set(from_imagenet(finals)["network"])
        return any(name in path.stem for name in started if name not in transferred)

    def explain(self, page: Page, name: str) -> None:
        """Add the caption of a table to a page, in small print."""
        page.note(self.captions[name])


def _named(path: Path) -> str:
    """Return what a figure is of, from its name."""
    return ", ".join(path.stem.split("-"))


def read_caption(path: Path) -> str:
    """Return the text of a caption, with the names of columns that the page's tables have."""
    text = path.read_text(encoding="utf-8").strip()
    return re.sub("``(.+?)``", lambda name: title(name[1]), text)
