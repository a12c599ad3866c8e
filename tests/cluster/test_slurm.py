"""Jobs of the smallest study, submitted to a real SLURM through the shipped profile."""

import subprocess
from pathlib import Path

import pytest

from tests.cluster import one_node
from tests.conftest import BIN
from tests.workflow.conftest import SMALLEST, copy_project

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(bool(one_node.missing()), reason=one_node.missing() or "SLURM is here"),
]


def test_a_run_is_trained_on_the_cluster(tmp_path_factory: pytest.TempPathFactory) -> None:
    # Sockets have short names: not below pytest's own folder of this test.
    folder = tmp_path_factory.mktemp("slurm")
    project = copy_project(tmp_path_factory.mktemp("project"))
    target = (
        "results/tests/runs/extremes/xception/75/random_frozen/head"
        "/rate=0.001_l2=0_dropout=0.5/fold=holdout_seed=1/record.json"
    )
    with one_node.slurm(folder) as environment:
        done = subprocess.run(
            [
                BIN / "snakemake",
                target,
                *SMALLEST,
                "--workflow-profile",
                "profiles/slurm",
                "--latency-wait",
                "5",
                "--slurm-init-seconds-before-status-checks",
                "10",
            ],
            cwd=project,
            env=environment | {"PATH": f"{BIN}:{environment['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-6000:]
    assert (project / target).is_file()
    jobs = [line for line in (folder / "jobs.txt").read_text().splitlines() if line]
    assert jobs and all("JobState=COMPLETED" in job for job in jobs)


def test_the_daemons_come_up_and_are_gone_afterwards(tmp_path: Path) -> None:
    with one_node.slurm(tmp_path / "s") as environment:
        assert "main" in subprocess.check_output(["sinfo"], env=environment, text=True)
    assert subprocess.run(["sinfo"], env=environment, capture_output=True, check=False).returncode
