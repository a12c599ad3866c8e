"""The backup of an unfinished run: all that the next epoch depends on, in one file.

Data order and augmentation follow from seed and epoch, so they need no backup; the state of the
optimiser, of dropout's random generators and of early stopping does.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retinopathy.files import written

Arrays = dict[str, NDArray[Any]]


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        history: One mapping per finished epoch.
        best_epoch: The epoch that validates best, from 1; 0 before the first.
        seconds: Spent on training and validation so far.
        best: What training had made of the variables then.
    """

    history: list[dict[str, float]]
    best_epoch: int
    seconds: float
    best: Arrays


def key(*parts: str) -> str:
    """Return the name of the backup of a run that `parts` define: 32 hexadecimal digits."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def save(path: Path, progress: Progress, variables: Mapping[str, Any]) -> None:
    """Write progress and the present values of variables, whole or not at all."""
    story = {
        "history": progress.history,
        "best_epoch": progress.best_epoch,
        "seconds": progress.seconds,
    }
    arrays: dict[str, Any] = {f"now/{name}": np.asarray(v) for name, v in variables.items()}
    arrays |= {f"best/{name}": array for name, array in progress.best.items()}
    with written(path) as beside, beside.open("wb") as stream:
        np.savez(stream, story=np.array(json.dumps(story)), **arrays)


def restore(path: Path, variables: Mapping[str, Any]) -> Progress | None:
    """Set variables to their values in the backup and return its progress; None without one."""
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as stored:
        for name, variable in variables.items():
            variable.assign(stored[f"now/{name}"])
        story = json.loads(str(stored["story"]))
        best = {
            name.removeprefix("best/"): stored[name]
            for name in stored.files
            if name.startswith("best/")
        }
        return Progress(**story, best=best)
