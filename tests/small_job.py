"""One small run in a process of its own, which gets a signal at a moment that can be chosen.

    python -m tests.small_job FOLDER NAME SIGNAL MOMENT

The folder holds what `small_runs` writes, and `origin.json`; outputs go to FOLDER/NAME. The moment
is the start of a line of the log, or `batch N`: when the Nth batch of the process is read.
"""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import finetune
from retinopathy import devices, inputs
from retinopathy.logs import LOG
from tests import small_runs

FILES = ("trained.h5", "architecture.json", "history.csv", "validation.csv", "record.json")


def main(folder: Path, name: str, number: signal.Signals, moment: str) -> None:
    """Run the job; get the signal `number` at a moment."""

    def sign(now: str) -> None:
        if moment and now.startswith(moment):
            os.kill(os.getpid(), number)

    class Teller(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            sign(record.getMessage())

    class Told(inputs.FeatureInputs):
        count = 0

        def batches(self, *wanted: Any) -> Iterator[Any]:
            for tensors in super().batches(*wanted):
                Told.count += 1
                sign(f"batch {Told.count}")
                yield tensors

    setattr(inputs, "FeatureInputs", Told)  # noqa: B010
    LOG.addHandler(Teller())
    LOG.setLevel("INFO")
    device = devices.prepare(1)
    outputs = ("trained", "architecture", "history", "predictions", "record")
    finetune.main(
        small_runs.RUN,
        small_runs.RECIPE,
        folder / small_runs.WEIGHTS,
        folder / "origin.json",
        [folder / "train-head.h5"],
        [folder / "validation-head.h5"],
        folder / name / "scratch",
        "code",
        device,
        {one: folder / name / file for one, file in zip(outputs, FILES, strict=True)},
        backup_minutes=1e-6,
    )


if __name__ == "__main__":
    place, called, kind, at = sys.argv[1:]
    main(Path(place), called, signal.Signals[kind], at)
