"""The repository keeps its own rules."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

BIN = Path(sys.executable).parent
RULES = sorted((Path(__file__).parents[2] / "rules").glob("*.smk"))
SCRIPTS = sorted((Path(__file__).parents[2] / "workflow_scripts").glob("*.py"))


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
