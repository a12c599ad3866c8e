"""Files that are either whole or absent: write beside, then rename."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; rename it to `path` when the block ends well.

    A block that raises leaves `path` as it was. The temporary file keeps the ending of `path`,
    because some writers judge the format by it. What a killed process left of it is written over.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".partial.{path.name}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` (UTF-8) to `path`, whole or not at all."""
    with written(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write `content` as indented JSON; NaN and infinities are refused, as JSON has none.

    Raises:
        ValueError: A float in `content` is not finite.
    """
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object."""
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
