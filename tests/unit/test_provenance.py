from pathlib import Path

import pytest

from retinopathy import provenance


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Return a folder with one script that imports `a`, which imports `b`; `c` is apart."""
    library = tmp_path / provenance.PACKAGE
    library.mkdir()
    (library / "a.py").write_text("def f():\n    from retinopathy.b import g\n")
    (library / "b.py").write_text("import retinopathy.a\n")
    (library / "c.py").write_text("")
    (tmp_path / "script.py").write_text("import json\nfrom retinopathy import a\n")
    return tmp_path


def test_modules_are_followed_through_each_other_and_in_circles(scripts: Path) -> None:
    names = {module.stem for module in provenance.modules_of(scripts / "script.py")}
    assert names == {"a", "b"}


@pytest.mark.parametrize(("module", "changes"), [("a", True), ("b", True), ("c", False)])
def test_the_hash_follows_what_is_imported(scripts: Path, module: str, changes: bool) -> None:
    before = provenance.code_hash(scripts / "script.py")
    with (scripts / provenance.PACKAGE / f"{module}.py").open("a") as stream:
        stream.write("# changed\n")
    assert (provenance.code_hash(scripts / "script.py") != before) == changes


def test_the_hash_follows_the_script_and_not_its_time(scripts: Path) -> None:
    before = provenance.code_hash(scripts / "script.py")
    (scripts / "script.py").touch()
    assert provenance.code_hash(scripts / "script.py") == before
    (scripts / "script.py").write_text("from retinopathy import a\n")
    assert provenance.code_hash(scripts / "script.py") != before


def test_every_module_of_the_library_is_found_by_some_script(root: Path) -> None:
    scripts = root / "workflow_scripts"
    found = {
        module.name for script in scripts.glob("*.py") for module in provenance.modules_of(script)
    }
    names = ("caching", "configuration", "provenance", "registry", "schema_errors", "studies")
    read_by_the_workflow = {f"{name}.py" for name in names}
    library = {path.name for path in (scripts / provenance.PACKAGE).glob("*.py")}
    assert library - found - read_by_the_workflow == {"__init__.py"}
