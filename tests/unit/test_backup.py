"""The backup of a run: whole or not at all."""

from pathlib import Path

import numpy as np
import pytest

from retinopathy.backup import Keeper, Progress, Tally


class Variable:
    """What a backup asks of a variable."""

    def __init__(self, value: float, size: int = 3) -> None:
        self.value = np.full(size, value)

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        return self.value

    def assign(self, value: np.ndarray) -> None:
        self.value = value


def progress() -> Progress:
    tally = Tally(np.array([0.1, 1 / 3]), steps=2, loss=1 / 7, seconds=2.5)
    history = [{"epoch": 1.0, "loss": 0.1 + 0.2}]
    return Progress(history, 1, 12.5, {"layer/kernel": np.array([1 / 3])}, tally)


def test_all_comes_back_exactly(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "backup.npz")
    keeper.save(progress(), {"a": Variable(1 / 3)})
    found, expected = keeper.progress(), progress()
    assert (found.history, found.best_epoch, found.seconds) == (expected.history, 1, 12.5)
    assert np.array_equal(found.best["layer/kernel"], expected.best["layer/kernel"])
    assert found.tally is not None and expected.tally is not None
    assert np.array_equal(found.tally.logits, expected.tally.logits)
    assert (found.tally.steps, found.tally.loss, found.tally.seconds) == (2, 1 / 7, 2.5)
    variable = Variable(0)
    keeper.restore({"a": variable})
    assert np.array_equal(variable.value, np.full(3, 1 / 3))


def test_without_a_backup_a_run_begins(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "backup.npz")
    found = keeper.progress()
    assert (found.history, found.best_epoch, found.tally) == ([], 0, None)
    variable = Variable(5)
    keeper.restore({"a": variable})
    assert variable.value[0] == 5


def test_a_full_disk_keeps_the_backup_that_was_there(full_disk: Path) -> None:
    keeper = Keeper(full_disk / "backup.npz")
    keeper.save(progress(), {"a": Variable(1)})
    with pytest.raises(OSError, match="space left"):
        keeper.save(Progress(), {"a": Variable(2, 10**6)})
    assert [path.name for path in full_disk.iterdir()] == ["backup.npz"]
    assert keeper.progress().best_epoch == 1
    variable = Variable(0)
    keeper.restore({"a": variable})
    assert np.array_equal(variable.value, np.ones(3))
