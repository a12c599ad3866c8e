"""The repository keeps its own rules."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from retinopathy import provenance

BIN = Path(sys.executable).parent
ROOT = Path(__file__).parents[2]
RULES = sorted((ROOT / "rules").glob("*.smk"))
SCRIPTS = sorted((ROOT / "workflow_scripts").glob("*.py"))


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["snakefmt", "--check", "Snakefile", "rules"],
        ["snakemake", "--lint"],
    ],
    ids=" ".join,
)
def test_checker_finds_nothing(root: Path, command: list[str]) -> None:
    done = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _rules() -> dict[str, str]:
    """Return the text of every rule by its name."""
    text = "\n".join(path.read_text() for path in RULES)
    starts = [*re.finditer(r"^rule (\w+):", text, re.MULTILINE)]
    ends = [match.start() for match in starts[1:]] + [len(text)]
    return {
        match.group(1): text[match.start() : end] for match, end in zip(starts, ends, strict=True)
    }


@pytest.mark.parametrize("name", sorted(_rules()))
def test_rule_says_all_that_a_rule_should(name: str) -> None:
    text = _rules()[name]
    directives = ("output", "params", "log", "benchmark", "conda", "threads", "resources")
    for directive in (*directives, "message", "script"):
        assert f"\n    {directive}:" in text, f"{name} lacks {directive}"
    assert f'code=code("{name}")' in text
    for direction in ("input", "output"):
        section = re.search(rf"\n    {direction}:\n((?:        .*\n|\n)+)", text)
        unnamed = (
            re.findall(r"^        [^ #)\]}\n](?!\w*=).*$", section[1], re.M) if section else []
        )
        assert not unnamed, f"{name} has an {direction} without a name: {unnamed}"
    if "devices.prepare" in (ROOT / f"workflow_scripts/{name}.py").read_text():
        assert "gpu=" in text, f"{name} may use a GPU and does not ask for one"
    assert f"workflow_scripts/{name}.py" in text


def test_every_script_belongs_to_a_rule() -> None:
    assert {path.stem for path in SCRIPTS} == set(_rules())


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script_is_short_and_its_guard_shorter(path: Path) -> None:
    body, guard = path.read_text().split('if __name__ == "__main__":')
    assert len(body.splitlines()) <= 130
    assert len(guard.splitlines()) <= 30


def test_captions_exist(root: Path) -> None:
    for path in RULES:
        for caption in re.findall(r'caption="\.\./(report/\w+\.rst)"', path.read_text()):
            assert (root / caption).is_file()


@pytest.mark.parametrize("profile", ["cpu", "default", "demo", "slurm"])
def test_profiles_rerun_for_the_same_reasons(root: Path, profile: str) -> None:
    settings = yaml.safe_load((root / f"profiles/{profile}/config.yaml").read_text())
    assert settings["rerun-triggers"] == ["input", "mtime", "params", "software-env"]
    assert settings["max-checksum-file-size"] >= 10**12


def test_nothing_heavy_is_imported_when_the_workflow_is_read(root: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, 'workflow_scripts');"
        "from retinopathy import configuration, parts, provenance, studies;"
        "sys.exit(bool({'tensorflow', 'keras', 'sklearn', 'cv2'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0


@pytest.mark.parametrize("name", ["kaggle", "python", "tensorflow"])
def test_environments_pin_what_the_lock_pins(root: Path, name: str) -> None:
    lock = (root / "envs/cpu.lock").read_text() + (root / "envs/gpu.lock").read_text()
    pinned = yaml.safe_load((root / f"envs/{name}.yaml").read_text())["dependencies"][-1]["pip"]
    for requirement in pinned:
        package = re.sub(r"\[.*\]", "", requirement)
        assert re.search(rf"^{re.escape(package)}\b", lock, re.MULTILINE), requirement


@pytest.mark.parametrize("name", sorted(_rules()))
def test_environment_of_a_rule_has_what_its_script_imports(root: Path, name: str) -> None:
    environment = re.search(r"\.\./envs/(\w+)\.yaml", _rules()[name])
    assert environment
    listed = yaml.safe_load((root / f"envs/{environment[1]}.yaml").read_text())["dependencies"]
    pinned = {re.split(r"[=\[]", requirement)[0] for requirement in listed[-1]["pip"]}
    script = root / f"workflow_scripts/{name}.py"
    imported = {
        found
        for path in (script, *provenance.modules_of(script))
        for found in _packages(path)
        if found not in sys.stdlib_module_names and found != provenance.PACKAGE
    }
    assert {BROUGHT_BY.get(found, found) for found in imported} <= pinned


BROUGHT_BY = {
    "cv2": "opencv-python-headless",
    "cycler": "matplotlib",
    "joblib": "scikit-learn",
    "sklearn": "scikit-learn",
    "threadpoolctl": "scikit-learn",
    "yaml": "pyyaml",
}
"""Package that is imported → the requirement that brings it, where that has another name."""


def _packages(path: Path) -> set[str]:
    """Return the packages that a file imports, wherever it does so, by their first names."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    parts = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in (*plain, *parts)}


@pytest.mark.parametrize("page", ["README.md", "results/README.md"])
def test_pages_are_finished_and_their_links_lead_somewhere(root: Path, page: str) -> None:
    text = (root / page).read_text()
    assert not re.search(r"@[A-Z]+@|placeholder", text)
    for link in re.findall(r"\]\(([^)]+)\)", text):
        assert link.startswith("http") or ((root / page).parent / link).is_file(), link
