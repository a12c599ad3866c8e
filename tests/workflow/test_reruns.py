"""Only what is stale is made anew, and all of it."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from retinopathy import provenance
from tests.workflow.conftest import planned

pytestmark = pytest.mark.workflow


def scripts_that_import(project: Path, module: str) -> set[str]:
    """Return the scripts that import a module of the library, directly or not."""
    return {
        script.stem
        for script in (project / "workflow_scripts").glob("*.py")
        if module in {path.stem for path in provenance.modules_of(script)}
    }


def stale_by_params(plan: dict[str, set[str]]) -> set[str]:
    """Return the rules that would run because of a parameter, not because of an input."""
    return {
        rule for rule, reasons in plan.items() if any("Params have changed" in r for r in reasons)
    }


def test_a_second_call_does_nothing(finished: Path) -> None:
    assert planned(finished) == {}


@pytest.mark.parametrize("module", ["saliency", "metrics", "figures", "records", "page"])
def test_a_changed_module_reruns_the_rules_that_import_it(
    copied: Callable[[], Path], module: str
) -> None:
    project = copied()
    with (project / f"workflow_scripts/retinopathy/{module}.py").open("a") as stream:
        stream.write("\n# changed\n")
    used = set(planned(project, "--forceall"))
    expected = scripts_that_import(project, module) & used
    plan = planned(project)
    assert stale_by_params(plan) == expected
    for rule in set(plan) - expected - {"all"}:
        assert all(
            "nput files updated" in reason or "updated input" in reason.lower()
            for reason in plan[rule]
        ), plan[rule]


def test_a_changed_script_reruns_its_rule(copied: Callable[[], Path]) -> None:
    project = copied()
    with (project / "workflow_scripts/depth_figure.py").open("a") as stream:
        stream.write("\n# changed\n")
    assert stale_by_params(planned(project)) == {"depth_figure"}


def test_touching_everything_reruns_nothing(copied: Callable[[], Path]) -> None:
    project = copied()
    for folder in ("workflow_scripts", "rules", "config", "results", "resources"):
        for path in sorted((project / folder).rglob("*")):
            if path.is_file():
                os.utime(path)
    for name in ("Snakefile", "config.yaml"):
        os.utime(project / name)
    assert planned(project) == {}


def test_another_branch_and_back_reruns_nothing(copied: Callable[[], Path]) -> None:
    project = copied()
    git = ["git", "-c", "user.name=tests", "-c", "user.email=tests@localhost"]
    subprocess.run([*git, "checkout", "-q", "-b", "other"], cwd=project, check=True)
    for name in ("workflow_scripts/finetune.py", "workflow_scripts/retinopathy/metrics.py"):
        with (project / name).open("a") as stream:
            stream.write("\n# changed\n")
    subprocess.run([*git, "commit", "-q", "-a", "-m", "change"], cwd=project, check=True)
    assert planned(project) != {}
    subprocess.run([*git, "checkout", "-q", "main"], cwd=project, check=True)
    assert planned(project) == {}


@pytest.mark.parametrize(
    ("change", "users"),
    [
        (
            {"evaluation": {"repetitions": 300}},
            {"study_table", "networks_table", "baselines_table"},
        ),
        ({"saliency": {"photographs": 4}}, {"saliency"}),
        ({"training": {"patience": 3}}, {"finetune"}),
        ({"baselines": {"pixels": 9}}, {"fit_baseline", "score_baseline"}),
        ({"photographs": {"reject_limit": 0.5}}, {"manifest"}),
        ({"photographs": {"contrast": "graham"}}, {"records", "saliency", "flip_figure"}),
        ({"splits": {"train": [0, 2], "validation": [1]}}, {"split"}),
    ],
    ids=str,
)
def test_a_changed_value_reruns_its_users(
    copied: Callable[[], Path], change: dict[str, dict[str, object]], users: set[str]
) -> None:
    project = copied()
    overlay = project / "config/tests.yaml"
    config = yaml.safe_load(overlay.read_text())
    for section, values in change.items():
        config.setdefault(section, {}).update(values)
    overlay.write_text(yaml.safe_dump(config))
    assert stale_by_params(planned(project)) == users


def test_an_edited_study_reruns_only_its_new_runs_and_what_reads_them(
    copied: Callable[[], Path],
) -> None:
    project = copied()
    overlay = project / "config/tests.yaml"
    config = yaml.safe_load(overlay.read_text())
    config["studies"]["sweep"]["rates"] = [0.001, 0.002]
    overlay.write_text(yaml.safe_dump(config))
    plan = planned(project)
    assert set(plan) == {"finetune", "study_table", "curves_figure", "summary", "all"}
