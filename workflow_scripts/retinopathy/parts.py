"""Who is in which part: hashes and roles, with nothing but the standard library."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from retinopathy.errors import Explained
from retinopathy.runs import HOLDOUT


def draw(name: str, seed: int = 0) -> int:
    """Return a number that `name` and `seed` alone determine, uniform in [0, 2⁶⁴).

    Sorting by it shuffles, and its remainder deals out, without regard to what else there is.
    """
    digest = hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def shard_of(image: str, shards: int) -> int:
    """Return the shard, in [0, shards), of a photograph: the same whatever others there are."""
    return draw(image) % shards


def linked(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return name → the first, in their order, of all names that pairs link with it."""
    root: dict[str, str] = {}

    def found(name: str) -> str:
        while root.setdefault(name, name) != name:
            root[name] = root[root[name]]
            name = root[name]
        return name

    for one, other in pairs:
        first, last = sorted((found(one), found(other)))
        root[last] = first
    return {name: found(name) for name in list(root)}


def roles(
    parts: int, assignment: Mapping[str, Sequence[int]], fold: str
) -> dict[str, tuple[int, ...]]:
    """Return which parts make up each split.

    Args:
        parts: How many parts there are.
        assignment: Parts of `train`, `validation` and `test`, for the fold `holdout`.
        fold: `holdout`, or the number k of a part: test is k, validation the next one, train the
            rest.

    Returns:
        Parts of `train`, `validation` and `test`.

    Raises:
        Explained: A split has no parts, a part is in two splits, or there is no such part or fold.
    """
    if fold == HOLDOUT:
        split = {name: tuple(assignment[name]) for name in ("train", "validation", "test")}
    else:
        split = _rotated(parts, int(fold))
    dealt = [part for chosen in split.values() for part in chosen]
    sound = (
        all(split.values()) and len(set(dealt)) == len(dealt) and set(dealt) <= set(range(parts))
    )
    if not sound:
        raise Explained(
            f"parts of the fold {fold!r} do not make three splits",
            expected=f"parts from 0 to {parts - 1}, each in one split at most, no split empty",
            received=", ".join(f"{name}: {list(chosen)}" for name, chosen in split.items()),
            hint="correct `splits:`; folds need at least 3 parts",
        )
    return split


def _rotated(parts: int, fold: int) -> dict[str, tuple[int, ...]]:
    validation = (fold + 1) % parts
    train = tuple(part for part in range(parts) if part not in (fold, validation))
    return {"train": train, "validation": (validation,), "test": (fold,)}
