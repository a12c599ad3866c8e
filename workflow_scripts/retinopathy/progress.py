"""How far a long task is, told every few seconds."""

import time
from collections.abc import Callable

SECONDS = 5.0
"""Between two lines, at least."""


class Progress:
    """Tells how many of all bytes are done, and how long the rest will take at this pace."""

    def __init__(
        self,
        say: Callable[[str], None],
        task: str,
        total: int,
        done: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to count.

        Args:
            say: What takes a line.
            task: What is done, the start of each line.
            total: Bytes of the whole task.
            done: Bytes that were done before; they do not count for the pace.
            clock: Tells the time, seconds.
        """
        self._say, self._task, self._total, self._clock = say, task, total, clock
        self._first = done
        self._began = self._told = clock()

    def at(self, done: int) -> None:
        """Say how far the task is, unless that was said a moment ago."""
        now = self._clock()
        if now - self._told < SECONDS:
            return
        self._told = now
        pace = (done - self._first) / (now - self._began)
        left = f"{(self._total - done) / pace / 60:.1f} minutes left" if pace > 0 else "no progress"
        self._say(f"{self._task}: {done / 1e6:,.0f} of {self._total / 1e6:,.0f} MB, {left}")
