"""Files of masks, known by their names: `ID_TYPE.png`, for a photograph `ID`."""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from retinopathy import sources

_NAMED = re.compile(r"(?P<image>.+)_(?P<lesion>[A-Z][A-Z0-9]*)\.png")
_OTHERWISE = re.compile(r".+_[A-Z][A-Z0-9]*\.\w+")


def by_image(paths: Iterable[Path]) -> dict[str, dict[str, Path]]:
    """Return image id → type → mask, of the paths that are named like masks.

    Both sorted by name. Other files do not count, nor do hidden ones.
    """
    masks: dict[str, dict[str, Path]] = {}
    for path in sorted(paths):
        named = _NAMED.fullmatch(path.name)
        if named and not path.name.startswith("."):
            masks.setdefault(sources.image_id(named["image"]), {})[named["lesion"]] = path
    return masks


def find(folders: Iterable[Path]) -> dict[str, dict[str, Path]]:
    """Return what `by_image` does, of all files in some folders."""
    return by_image(path for folder in folders for path in folder.iterdir())


def listing(folder: Path) -> str:
    """Tell whether a folder has masks of other photographs than before, whatever is in the masks.

    Returns:
        32 hexadecimal digits, of the ids of the photographs.
    """
    return hashlib.blake2b("\n".join(sorted(find([folder]))).encode(), digest_size=16).hexdigest()


def misnamed(folder: Path) -> list[str]:
    """Return the names of files that would be masks but for their endings, sorted.

    Only `.png`, in small letters, is one.
    """
    names = (path.name for path in folder.iterdir() if not path.name.startswith("."))
    return sorted(
        name for name in names if _OTHERWISE.fullmatch(name) and not _NAMED.fullmatch(name)
    )
