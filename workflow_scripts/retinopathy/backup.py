"""The backup of an unfinished run: all that its next step depends on, in one file.

Data order and augmentation follow from seed and epoch, so they need no backup; the state of the
optimiser, of dropout's random generators and of early stopping does, and so does what the present
epoch has gathered.
"""

import hashlib
import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retinopathy.files import written

Arrays = dict[str, NDArray[Any]]

STOPPED = 128 + signal.SIGTERM
"""The exit status of a run that was told to stop, as shells write it."""


@dataclass
class Tally:
    """What a pass over a split has gathered so far.

    Attributes:
        logits: One per photograph of the split; those not met yet mean nothing.
        steps: How many batches are done.
        loss: Sum of the losses of the photographs.
        seconds: Spent on it.
    """

    logits: NDArray[np.float64]
    steps: int = 0
    loss: float = 0.0
    seconds: float = 0.0


@dataclass
class Progress:
    """How far a run is.

    Attributes:
        history: One mapping per finished epoch.
        best_epoch: The epoch that validates best, from 1; 0 before the first.
        seconds: Spent on training and validation so far.
        best: What training had made of the variables then.
        tally: Of the training pass of the present epoch; none between epochs.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    seconds: float = 0.0
    best: Arrays = field(default_factory=dict)
    tally: Tally | None = None


class Stopped(SystemExit):
    """The run was told to stop; its backup is made."""

    def __init__(self) -> None:
        super().__init__(STOPPED)


class Keeper:
    """Keeps the backup of one run."""

    def __init__(
        self, path: Path, minutes: float = 10.0, told: Callable[[], bool] = lambda: False
    ) -> None:
        """Say where the backup is.

        Args:
            path: From `training.backup_path`.
            minutes: Between two backups within an epoch.
            told: Whether the run has been told to stop.
        """
        self.path = path
        self._between = 60 * minutes
        self._told = told
        self._saved = time.monotonic()

    def after_step(self, progress: Progress, variables: Callable[[], Mapping[str, Any]]) -> None:
        """Make a backup where it is time for one, or where the run has to stop.

        Raises:
            Stopped: The run was told to stop.
        """
        stopped = self._told()
        if stopped or time.monotonic() - self._saved >= self._between:
            self.save(progress, variables())
        if stopped:
            raise Stopped

    def save(self, progress: Progress, variables: Mapping[str, Any]) -> None:
        """Write progress and the present values of variables, whole or not at all."""
        story: dict[str, Any] = {
            "history": progress.history,
            "best_epoch": progress.best_epoch,
            "seconds": progress.seconds,
        }
        arrays: dict[str, Any] = {f"now/{name}": np.asarray(v) for name, v in variables.items()}
        arrays |= {f"best/{name}": array for name, array in progress.best.items()}
        if progress.tally:
            story["tally"] = {
                name: getattr(progress.tally, name) for name in ("steps", "loss", "seconds")
            }
            arrays["logits"] = progress.tally.logits
        with written(self.path) as beside, beside.open("wb") as stream:
            np.savez(stream, story=np.array(json.dumps(story)), **arrays)
        self._saved = time.monotonic()

    def progress(self) -> Progress:
        """Return the progress of the backup; that of a run not begun where there is none."""
        if not self.path.is_file():
            return Progress()
        with np.load(self.path, allow_pickle=False) as stored:
            story = json.loads(str(stored["story"]))
            tally = story.pop("tally", None)
            best = {
                name.removeprefix("best/"): stored[name]
                for name in stored.files
                if name.startswith("best/")
            }
            gathered = Tally(stored["logits"], **tally) if tally else None
            return Progress(**story, best=best, tally=gathered)

    def restore(self, variables: Mapping[str, Any]) -> None:
        """Set variables to their values in the backup, if there is one."""
        if self.path.is_file():
            with np.load(self.path, allow_pickle=False) as stored:
                for name, variable in variables.items():
                    variable.assign(stored[f"now/{name}"])

    def remove(self) -> None:
        """Remove the backup: the result is safe."""
        self.path.unlink(missing_ok=True)


def key(*parts: str) -> str:
    """Return the name of the backup of a run that `parts` define: 32 hexadecimal digits."""
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


@contextmanager
def told_to_stop() -> Iterator[Callable[[], bool]]:
    """Take note of SIGTERM, which schedulers send, rather than die of it at once.

    Yields:
        A function that says whether the signal has come.
    """
    came: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    try:
        yield lambda: bool(came)
    finally:
        signal.signal(signal.SIGTERM, before)
