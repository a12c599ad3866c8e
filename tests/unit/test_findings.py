import pandas as pd
import pytest
from tests.measured import NAN, metric, metrics

from retinopathy import findings, intervals, slices
from retinopathy.material import Material
from retinopathy.page import Page
from retinopathy.studies import APART, LEAKS

# The control of a leak ----------------------------------------------------------------------------


def leak(*apart: float, **more: object) -> str:
    """Return what is said of some AUC, a seed each, that are 0.1 higher with the leak."""
    rows = [metric(APART, auc, seed=seed, **more) for seed, auc in enumerate(apart)]
    rows += [metric(LEAKS, auc + 0.1, seed=seed, **more) for seed, auc in enumerate(apart)]
    return findings._leak(metrics(*rows))


def test_what_a_leak_pretends_is_a_difference_of_means() -> None:
    assert leak(0.7, 0.8).startswith(
        "With the leak the AUC is 0.850, without it 0.750: +0.100, means over the seeds."
    )


@pytest.mark.parametrize("aucs", [(0.80, NAN, 0.82), (NAN,)])
def test_a_run_that_diverged_leaves_nothing_to_compare(aucs: tuple[float, ...]) -> None:
    assert leak(*aucs) == "A run diverged: the control cannot be compared."


def test_only_without_folds_are_the_photographs_of_a_leak_others() -> None:
    assert "The test photographs are others, so no difference was tested" in leak(0.7)
    pooled = leak(0.7, fold="pooled")
    assert "photographs are others" not in pooled
    assert "Both cases are tested on the same photographs, each once" in pooled
    assert "no difference was tested" in pooled


# Slices -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seeds", [(3, 1), (1, 3)])
def test_slices_are_shown_of_the_first_seed_that_is_listed(seeds: tuple[int, int]) -> None:
    names = (*slices.COLUMNS, *intervals.bounded(*slices.METRICS))
    table = pd.DataFrame(dict.fromkeys(names, 0.5), index=range(2)).assign(
        case="xception 96", seed=seeds, slice="all", value=[f"of {seed}" for seed in seeds]
    )
    page = Page("A study")
    findings._slices(page, Material({"slices": table}, {}, {"slices": "Why."}))
    assert f"of {seeds[0]}<" in page.html()
    assert f"of {seeds[1]}<" not in page.html()
