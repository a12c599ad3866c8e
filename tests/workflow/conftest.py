"""A copy of the project with the smallest study finished in it, made once for all tests."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import BIN, ROOT

SMALLEST = ("--configfile", "config/tests.yaml")


def copy_project(destination: Path) -> Path:
    """Copy what git tracks or would track, with its history, to a fresh folder."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in names:
        if (ROOT / name).is_file():
            (destination / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, destination / name)
    return destination


def snakemake(
    project: Path, *arguments: str, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in a project; its standard error is part of its output."""
    done = subprocess.run(
        [BIN / "snakemake", "--cores", "2", *arguments],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"},
    )
    if check and done.returncode != 0:
        raise AssertionError(done.stdout[-8000:])
    return done


@dataclass(frozen=True)
class Plan:
    """What a dry run would do.

    Attributes:
        rules: Rules of which a job would run.
        stale: Rules of which a job would run because a parameter changed.
    """

    rules: set[str]
    stale: set[str]


def planned(project: Path, *arguments: str) -> Plan:
    """Return what a dry run of the smallest study would do."""
    text = snakemake(project, "--dry-run", "--quiet", "rules", *SMALLEST, *arguments).stdout
    if "Nothing to be done" in text:
        return Plan(set(), set())
    table = text.split("Job stats:")[1].split("total")[0]
    counted = re.findall(r"^(\w+) +\d+$", table, re.MULTILINE)
    because = re.search(r"params have changed since last execution:\n +(.*)", text)
    return Plan(set(counted), set(because[1].split(", ")) if because else set())


def _jobs(project: Path, *arguments: str) -> Iterator[tuple[str, set[str], set[str]]]:
    """Yield rule, inputs and outputs of every job of a study, whatever of it was made.

    A dry run tells them of rules without a message only: the rules of a copy have none.
    """
    with tempfile.TemporaryDirectory() as folder:
        silent = copy_project(Path(folder))
        for path in (silent / "rules").glob("*.smk"):
            text = re.sub(r"^    message:\n        .*\n", "", path.read_text(), flags=re.MULTILINE)
            path.write_text(text)
        for made in ("results", "resources"):
            shutil.rmtree(silent / made, ignore_errors=True)
            (silent / made).symlink_to(project / made)
        text = snakemake(silent, "--dry-run", "--forceall", *arguments).stdout
    for block in re.split(r"^(?:local)?rule ", text, flags=re.MULTILINE)[1:]:
        files = {
            kind: set(found[1].split(", ")) if found else set()
            for kind in ("input", "output")
            for found in [re.search(rf"^    {kind}: (.*)", block, re.MULTILINE)]
        }
        yield block[: block.index(":")], files["input"], files["output"]


def inputs_of(project: Path) -> dict[str, set[str]]:
    """Return rule → input files of all jobs of the smallest study."""
    found: dict[str, set[str]] = {}
    for rule, inputs, _ in _jobs(project, *SMALLEST):
        found.setdefault(rule, set()).update(inputs)
    return found


def files_of(project: Path, *arguments: str) -> dict[str, set[str]]:
    """Return file → files that it is made of, for a configuration given by `arguments`."""
    return {file: inputs for _, inputs, files in _jobs(project, *arguments) for file in files}


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project in which the smallest study is finished. Do not change it."""
    project = copy_project(tmp_path_factory.mktemp("project"))
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=project, check=True)
    git = ["git", "-c", "user.name=tests", "-c", "user.email=tests@localhost"]
    subprocess.run([*git, "add", "-A"], cwd=project, check=True)
    subprocess.run([*git, "commit", "-q", "-m", "all"], cwd=project, check=True)
    snakemake(
        project,
        *SMALLEST,
        "--resources",
        "gpu=2",
        "--set-threads",
        "finetune=1",
        "features=1",
        "score=1",
        "saliency=1",
        "saliency_sizes=1",
        "lesion_maps=1",
        "randomise_maps=1",
        "swap_classes=1",
        "deletion_curves=1",
        "flip_figure=1",
        "initial_random=1",
    )
    return project


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Callable[[], Path]:
    """Return a function that makes a copy of the finished project, to be changed."""

    def make() -> Path:
        return Path(shutil.copytree(finished, tmp_path / "copy", symlinks=True))

    return make
