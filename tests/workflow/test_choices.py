"""Nothing that chooses has seen a test photograph: a walk over the graph of files."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.workflow.conftest import SMALLEST, files_of

pytestmark = pytest.mark.workflow

CHOICES = {
    "when a run stopped": r"/runs/.+/trained\.h5",
    "thresholds and temperature": r"/runs/.+/operating\.json",
    "settings of classical methods": r"/baselines/.+/models\.joblib",
    "recommendations": r"/tables/\w+_recommendation\.csv",
    "thresholds of ensembles": r"/tables/ensemble_thresholds\.csv",
}
TEST_PREDICTIONS = re.compile(r"/test\.csv$|/external/.+/predictions\.csv$")
HOLDOUT_TEST = "3"  # of config/tests.yaml
POOLED = (CHOICES["recommendations"], CHOICES["thresholds of ensembles"])
"""What has all folds in one file: thresholds of ensembles are chosen fold by fold; recommendations
are of all folds together, of each of which some part is the test part, and pages say so."""


def ancestors(graph: Mapping[str, set[str]], file: str) -> set[str]:
    """Return all files that a file is made of, directly or not."""
    found: set[str] = set()
    waiting = [file]
    while waiting:
        for path in graph.get(waiting.pop(), set()) - found:
            found.add(path)
            waiting.append(path)
    return found


def part_of_test(file: str) -> str:
    """Return the part that is the test part of what a file belongs to."""
    fold = re.search(r"fold=(\d+)", file)
    return fold[1] if fold else HOLDOUT_TEST


@pytest.fixture(scope="module", params=[False, True], ids=["holdout", "folds"])
def folds(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def graph(
    finished: Path, folds: bool, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, set[str]]:
    overlay = tmp_path_factory.mktemp("folds") / "folds.yaml"
    overlay.write_text(f"splits: {{folds: {str(folds).lower()}}}\n")
    return files_of(finished, *SMALLEST, str(overlay))


@pytest.mark.parametrize("pattern", CHOICES.values(), ids=CHOICES)
def test_a_choice_has_no_test_photograph_among_its_ancestors(
    graph: dict[str, set[str]], folds: bool, pattern: str
) -> None:
    choices = [file for file in graph if re.search(pattern, file)]
    assert choices
    for file in choices:
        before = ancestors(graph, file)
        assert any("/records/" in path for path in before)
        assert not [path for path in before if TEST_PREDICTIONS.search(path)], file
        if not (folds and pattern in POOLED):
            assert not [path for path in before if f"/part-{part_of_test(file)}" in path], file


def test_the_walk_would_see_it(graph: dict[str, set[str]]) -> None:
    scored = [file for file in graph if TEST_PREDICTIONS.search(file)]
    assert scored
    for file in scored:
        assert any(f"/part-{part_of_test(file)}" in path for path in ancestors(graph, file)), file
    judged = ancestors(graph, "results/tests/tables/networks.csv")
    assert any(TEST_PREDICTIONS.search(path) for path in judged)
