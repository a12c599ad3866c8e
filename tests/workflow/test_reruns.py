"""Only what is stale is made anew, and all of it."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from retinopathy import provenance
from tests.drawn import disc, jpeg
from tests.workflow.conftest import SMALLEST, Plan, copy_project, planned, snakemake

pytestmark = pytest.mark.workflow


def scripts_that_import(project: Path, module: str) -> set[str]:
    """Return the scripts that import a module of the library, directly or not."""
    return {
        script.stem
        for script in (project / "workflow_scripts").glob("*.py")
        if module in {path.stem for path in provenance.modules_of(script)}
    }


def assert_exactly_stale(plan: Plan, users: set[str]) -> None:
    """All users would run, and others only because of what users make anew.

    Of a job that is stale and has inputs that are, Snakemake counts only the latter.
    """
    assert users <= plan.rules
    assert plan.stale <= users
    assert plan.stale or not users


def test_a_second_call_does_nothing(finished: Path) -> None:
    assert planned(finished) == Plan(set(), set())


def test_imports_are_followed_to_the_scripts(root: Path) -> None:
    assert scripts_that_import(root, "page") == {"summary", "data_card"}
    assert scripts_that_import(root, "sheets") == {
        "data_card",
        "flip_figure",
        "lesion_sheet",
        "saliency",
        "saliency_sizes",
        "sanity_sheet",
    }
    assert scripts_that_import(root, "backup") == {"finetune"}


@pytest.mark.parametrize("module", ["saliency", "metrics", "figures", "records", "page"])
def test_a_changed_module_reruns_the_rules_that_import_it(
    copied: Callable[[], Path], module: str
) -> None:
    project = copied()
    with (project / f"workflow_scripts/retinopathy/{module}.py").open("a") as stream:
        stream.write("\n# changed\n")
    used = planned(project, "--forceall").rules
    assert_exactly_stale(planned(project), scripts_that_import(project, module) & used)


def test_a_changed_script_reruns_its_rule(copied: Callable[[], Path]) -> None:
    project = copied()
    with (project / "workflow_scripts/depth_figure.py").open("a") as stream:
        stream.write("\n# changed\n")
    assert planned(project) == Plan(
        {"depth_figure", "benchmarks_table", "summary", "all"}, {"depth_figure"}
    )


def test_touching_everything_reruns_nothing(copied: Callable[[], Path]) -> None:
    project = copied()
    for folder in ("workflow_scripts", "rules", "config", "results", "resources"):
        for path in sorted((project / folder).rglob("*")):
            if path.is_file():
                os.utime(path)
    for name in ("Snakefile", "config.yaml"):
        os.utime(project / name)
    assert planned(project) == Plan(set(), set())


def test_another_branch_and_back_reruns_nothing(copied: Callable[[], Path]) -> None:
    project = copied()
    git = ["git", "-c", "user.name=tests", "-c", "user.email=tests@localhost"]
    subprocess.run([*git, "checkout", "-q", "-b", "other"], cwd=project, check=True)
    for name in ("workflow_scripts/finetune.py", "workflow_scripts/retinopathy/metrics.py"):
        with (project / name).open("a") as stream:
            stream.write("\n# changed\n")
    subprocess.run([*git, "commit", "-q", "-a", "-m", "change"], cwd=project, check=True)
    assert planned(project).rules
    subprocess.run([*git, "checkout", "-q", "main"], cwd=project, check=True)
    assert planned(project) == Plan(set(), set())


@pytest.mark.parametrize(
    ("change", "users"),
    [
        (
            {"evaluation": {"repetitions": 300}},
            {
                "fellow_eye",
                "baselines_table",
                "study_table",
                "test_table",
                "leakage_table",
                "cuts_table",
                "comparisons_table",
                "evaluation_curves",
                "slices_table",
                "ensembles_table",
                "operating_table",
                "external_table",
                "localisation_table",
                "sanity_tables",
            },
        ),
        (
            {"saliency": {"samples": 5}},
            {"saliency", "lesion_maps", "randomise_maps", "deletion_curves"},
        ),
        (
            {"saliency": {"photographs": 4}},
            {"saliency", "saliency_sizes", "randomise_maps", "swap_classes", "deletion_curves"},
        ),
        ({"lesions": {"photographs": 3}}, {"drawn_lesions"}),
        (
            {"saliency": {"images": ["0_left"]}},
            {"saliency", "saliency_sizes", "randomise_maps"},
        ),
        ({"training": {"patience": 3}}, {"finetune"}),
        ({"baselines": {"pixels": 9}}, {"fit_baseline", "score_baseline"}),
        ({"photographs": {"reject_limit": 0.5}}, {"manifest"}),
        (
            {"photographs": {"contrast": "graham"}},
            {
                "records",
                "saliency",
                "saliency_sizes",
                "flip_figure",
                "lesion_maps",
                "randomise_maps",
                "swap_classes",
                "deletion_curves",
            },
        ),
        ({"splits": {"train": [0, 2], "validation": [1]}}, {"split"}),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_changed_value_reruns_its_users(
    copied: Callable[[], Path], change: dict[str, dict[str, object]], users: set[str]
) -> None:
    project = copied()
    overlay = project / "config/tests.yaml"
    config = yaml.safe_load(overlay.read_text())
    for section, values in change.items():
        config.setdefault(section, {}).update(values)
    overlay.write_text(yaml.safe_dump(config, sort_keys=False))
    assert_exactly_stale(planned(project), users)


def test_an_edited_study_reruns_only_its_new_runs_and_what_reads_them(
    copied: Callable[[], Path],
) -> None:
    project = copied()
    overlay = project / "config/tests.yaml"
    config = yaml.safe_load(overlay.read_text())
    config["studies"]["sweep"]["rates"] = [0.001, 0.002]
    overlay.write_text(yaml.safe_dump(config, sort_keys=False))
    rules = planned(project).rules
    page = {"benchmarks_table", "summary", "all"}
    assert rules == {"finetune", "study_table", "sweep_figure"} | page


def test_a_changed_label_inspects_nothing_again(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    (project / "eyes").mkdir()
    for number in range(6):
        path = project / f"eyes/{number}_left.jpeg"
        path.write_bytes(jpeg(disc(320, 240, 160, 120, 80 + 4 * number)))
    labels = project / "labels.csv"
    labels.write_text("image,level\n" + "".join(f"{number}_left,0\n" for number in range(6)))
    source = {"kind": "folder", "photographs": "eyes", "labels": "labels.csv"}
    (project / "eyes.yaml").write_text(yaml.safe_dump({"source": source}))
    target = ("eyes.yaml", "--", "results/tests/manifest.csv")
    snakemake(project, *SMALLEST, *target)
    assert planned(project, *target) == Plan(set(), set())
    labels.write_text(labels.read_text().replace("3_left,0", "3_left,4"))
    assert planned(project, *target).rules == {"manifest"}
    (project / "eyes/6_left.jpeg").write_bytes(jpeg(disc(320, 240, 160, 120, 70)))
    assert planned(project, *target).rules == {"inspect_photographs", "manifest"}
