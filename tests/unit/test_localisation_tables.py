from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from retinopathy import localisation_figures, localisation_tables
from retinopathy.lesion_types import METRICS, SCORES
from retinopathy.localisation_tables import CONTROL, TRAINED, UNTRAINED, Scored
from retinopathy.runs import Run

RUN = Run("referable", "xception", 96, "imagenet", "block14", 1e-4, 0.0, 0.5, "holdout", 1)
METHODS = ("cam", "guided_grad_cam")


def scores(
    methods: tuple[str, ...], value: float, patients: int = 12, lesions: tuple[str, ...] = ("MA",)
) -> pd.DataFrame:
    """Return scores `value` plus a part that is the photograph's own."""
    own = np.random.default_rng(5).normal(0, 0.1, 2 * patients)
    rows = [
        (f"{place // 2}_{place % 2}", str(place // 2), method, lesion, 0.01, *[value + part] * 4)
        for method in methods
        for place, part in enumerate(own)
        for lesion in lesions
    ]
    return pd.DataFrame(rows, columns=list(SCORES))


def network(value: float, size: int = 96, control: str = TRAINED, patients: int = 12) -> Scored:
    found = scores(METHODS, value, patients)
    run = replace(RUN, size=size)
    return Scored("synthetic", "test", "referable", control, run, "imagenet", "finished", found)


def controls(value: float) -> Scored:
    found = scores(("uniform", "edges"), value)
    return Scored("synthetic", "test", "referable", CONTROL, None, "", "", found)


ALL = [network(0.5), network(0.3, control=UNTRAINED), network(0.6, 192), controls(0.1)]


def test_every_network_and_control_has_its_rows() -> None:
    table = localisation_tables.table(ALL, 1, 200)
    assert list(table.columns) == list(localisation_tables.COLUMNS)
    assert list(zip(table["method"], table["control"], strict=True)) == [
        *[(method, control) for control in (TRAINED, UNTRAINED, TRAINED) for method in METHODS],
        *[(name, CONTROL) for name in ("uniform", "edges")],
    ]
    assert (table["n"] == 24).all()
    assert (table["patients"] == 12).all()
    assert table["depth"].isna().sum() == 4
    for name in METRICS:
        assert (table[f"{name}_low"] < table[name]).all()
        assert (table[name] < table[f"{name}_high"]).all()


def test_values_are_means_over_photographs() -> None:
    table = localisation_tables.table(ALL, 1, 200)
    assert table["energy"].iloc[0] == pytest.approx(ALL[0].scores["energy"].iloc[:24].mean())


def test_lift_is_a_ratio_of_means_and_exactly_one_of_a_uniform_map() -> None:
    found = scores(("cam", "uniform"), 0.5)
    share = 0.01 + np.random.default_rng(1).uniform(0, 0.2, len(found))
    found["lesion_share"] = share
    uniform = found["method"] == "uniform"
    found.loc[uniform, "average_precision"] = share[uniform]
    table = localisation_tables.table([replace(ALL[0], scores=found)], 1, 200)
    cam, flat = table.to_dict("records")
    ends = ("lift", "lift_low", "lift_high")
    assert [flat[end] for end in ends] == pytest.approx([1, 1, 1], abs=1e-12)
    own = found[~uniform]
    expected = own["average_precision"].sum() / own["lesion_share"].sum()
    assert cam["lift"] == pytest.approx(expected)
    assert cam["lift_low"] < cam["lift"] < cam["lift_high"]


def test_lift_is_as_sure_as_its_linearised_variance_says() -> None:
    """Ratio estimator: Cochran, Sampling techniques, 1977, equation 6.13."""
    generator = np.random.default_rng(0)
    found = scores(("cam",), 0.5, patients=200)
    share = np.repeat(generator.uniform(0.05, 0.15, 200), 2)
    found["lesion_share"] = share
    found["average_precision"] = 3 * share + np.repeat(generator.normal(0, 0.05, 200), 2)
    row = localisation_tables.table([replace(ALL[0], scores=found)], 1, 4000).iloc[0]
    rest = found["average_precision"] - row["lift"] * share
    error = np.sqrt((rest[::2] ** 2).sum()) / share[::2].sum()
    width = row["lift_high"] - row["lift_low"]
    assert width == pytest.approx(2 * 1.96 * error, rel=0.08)


def test_differences_are_paired_by_photograph() -> None:
    table = localisation_tables.differences(ALL, 1, 200)
    assert list(table.columns) == list(localisation_tables.DIFFERENCES)
    small = table[table["size"] == 96]
    assert list(small["compared"][:3]) == [
        "trained network − random network",
        "trained network − uniform",
        "trained network − edge filter",
    ]
    large = table[(table["size"] == 192) & (table["compared"] == "192 px − 96 px")]
    assert len(large) == 2
    expected = {"trained network − random network": 0.2, "trained network − uniform": 0.4}
    for words, value in expected.items():
        rows = small[small["compared"] == words]
        # What is the photograph's own cancels out: so does the width of the interval.
        for end in ("", "_low", "_high"):
            assert rows[f"energy_difference{end}"].to_numpy() == pytest.approx(value)
    assert large["energy_difference"].to_numpy() == pytest.approx(0.1)
    # The large size has no untrained network here.
    assert not ((table["size"] == 192) & table["compared"].str.contains("random")).any()


def test_few_patients_have_no_interval_and_a_reason() -> None:
    table = localisation_tables.table([network(0.5, patients=4)], 1, 200)
    assert table["energy_low"].isna().all()
    assert table["lift_low"].isna().all()
    assert table["energy"].notna().all()
    assert table["reason"].str.contains("fewer than 5 patients").all()


def test_a_run_that_diverged_and_an_empty_set_say_so() -> None:
    nothing = scores((), 0)
    diverged = replace(network(0.5), outcome="diverged", scores=nothing)
    table = localisation_tables.table([diverged, replace(controls(0), scores=nothing)], 1, 200)
    assert list(table["reason"]) == ["the run diverged", "no photograph with a mask of its lesions"]
    assert (table["n"] == 0).all()
    assert localisation_tables.differences([diverged, controls(0.1)], 1, 200).empty


def test_without_sets_tables_have_headers_alone() -> None:
    assert list(localisation_tables.table([], 1, 200).columns) == list(localisation_tables.COLUMNS)
    assert localisation_tables.differences([], 1, 200).empty


def test_types_of_lesions_are_scored_apart() -> None:
    apart = replace(ALL[0], scores=scores(METHODS, 0.5, lesions=("all", "MA", "OD")))
    table = localisation_tables.table([apart], 1, 200)
    assert list(table["lesion"]) == ["MA", "OD", "all"] * 2


@pytest.mark.parametrize("scored", [ALL, [], [network(0.5, patients=3), controls(0.1)]])
def test_a_figure_is_drawn_of_whatever_there_is(scored: list[Scored], tmp_path: Path) -> None:
    table = localisation_tables.table(scored, 1, 200)
    titles = dict(zip((*METHODS, "uniform", "edges"), "ABCD", strict=True))
    localisation_figures.localisation(table, titles, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 5000


def test_a_lone_large_run_keeps_the_marker_of_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[tuple[str, str]] = []
    mark = localisation_figures._mark

    def kept(
        axes: Any, row: Any, place: float, marker: str, label: str, *args: Any, **more: Any
    ) -> None:
        found.append((marker, label))
        mark(axes, row, place, marker, label, *args, **more)

    monkeypatch.setattr(localisation_figures, "_mark", kept)
    diverged = replace(network(0.5), outcome="diverged", scores=scores((), 0))
    table = localisation_tables.table([diverged, network(0.6, 192)], 1, 200)
    titles = dict(zip(METHODS, "AB", strict=True))
    localisation_figures.localisation(table, titles, tmp_path / "figure.png")
    assert set(found) == {("s", "192 px")}
