import gc
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from retinopathy import framework

LIBRARY = Path(framework.__file__).parents[1]


def in_a_new_process(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(LIBRARY), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_job_that_trains_imports_nothing_for_figures_or_classical_methods() -> None:
    loaded = in_a_new_process("import sys, finetune; print(*sys.modules, sep='\\n')").splitlines()
    assert "keras" in loaded
    assert not {"matplotlib", "sklearn", "scipy.stats"} & set(loaded)


def test_who_wants_the_hidden_packages_still_has_them() -> None:
    code = "import retinopathy.framework, sklearn.svm, matplotlib.pyplot, gc; print(gc.isenabled())"
    assert in_a_new_process(code).split() == ["True"]


def test_packages_are_absent_within_the_block_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with framework.absent("wave"), pytest.raises(ImportError):
        import_module("wave")
    found = import_module("wave")
    with framework.absent("wave"):
        assert import_module("wave") is found  # Who has it already keeps it.
    assert sys.modules["wave"] is found


def test_collection_goes_on_after_a_fault() -> None:
    with pytest.raises(RuntimeError), framework.without_collection():
        assert not gc.isenabled()
        raise RuntimeError
    assert gc.isenabled()
