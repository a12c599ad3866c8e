"""Runs that are stopped, in processes of their own: kill -9 and SIGTERM at several moments."""

import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from tests import small_job, small_runs

from retinopathy import backup, files
from retinopathy.files import read_json

pytestmark = pytest.mark.networks

MOMENTS = {
    # The second step of an epoch, the line of an epoch that is judged but not saved, and the last
    # line of all, before anything is written.
    "in an epoch": ("SIGKILL", "batch 7"),
    "after an epoch": ("SIGKILL", "epoch 2/"),
    "at the end": ("SIGKILL", "finished"),
    "told to stop": ("SIGTERM", "batch 7"),
}


def started(root: Path, folder: Path, name: str, sign: str, moment: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.small_job", str(folder), name, sign, moment]
    paths = {"PYTHONPATH": f"{root}:{root / 'workflow_scripts'}", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(command, cwd=root, env=paths, stderr=subprocess.DEVNULL)


def ended(jobs: dict[str, subprocess.Popen[bytes]]) -> dict[str, int]:
    return {name: job.wait(timeout=300) for name, job in jobs.items()}


@pytest.fixture(scope="module")
def made(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an uninterrupted run, `whole`, and one per moment, stopped and run again."""
    folder = tmp_path_factory.mktemp("stopping")
    small_runs.prepare(folder)
    small_runs.write_features(folder, small_runs.RUN, augment=False)
    origin = {"initialisation": "random_frozen", "origin": "random", "detail": "a seed"}
    files.write_json(folder / "origin.json", origin)
    jobs = {name: started(root, folder, name, *when) for name, when in MOMENTS.items()}
    codes = ended(jobs | {"whole": started(root, folder, "whole", "SIGKILL", "")})
    assert codes.pop("whole") == 0
    for name, code in codes.items():
        told = MOMENTS[name][0] == "SIGTERM"
        assert code == (backup.STOPPED if told else -signal.SIGKILL), name
        # Nothing of the result is there, and the backup is not among what Snakemake would delete.
        assert [path.name for path in (folder / name).iterdir()] == ["scratch"], name
    again = {name: started(root, folder, name, "SIGKILL", "") for name in MOMENTS}
    assert set(ended(again).values()) == {0}
    return folder


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_stopped_run_ends_bit_for_bit_as_an_uninterrupted_one(made: Path, moment: str) -> None:
    whole, again = made / "whole", made / moment
    assert (again / "validation.csv").read_bytes() == (whole / "validation.csv").read_bytes()
    assert (again / "architecture.json").read_bytes() == (whole / "architecture.json").read_bytes()
    first, second = (pd.read_csv(folder / "history.csv") for folder in (whole, again))
    pd.testing.assert_frame_equal(
        first.drop(columns="seconds"), second.drop(columns="seconds"), check_exact=True
    )
    changing = {"seconds", "seconds_by_phase", "photographs_per_second", "peak_memory_mb"}
    records = [read_json(folder / "record.json") for folder in (whole, again)]
    assert records[0].keys() == records[1].keys() > changing
    assert all(records[0][name] == records[1][name] for name in records[0].keys() - changing)


def test_what_is_left_is_the_result_alone(made: Path) -> None:
    for name in (*MOMENTS, "whole"):
        left = {path.name for path in (made / name).iterdir()}
        assert left == {*small_job.FILES, "scratch"}
        assert not list((made / name / "scratch").iterdir()), name
