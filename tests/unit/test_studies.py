from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from retinopathy import studies
from retinopathy.runs import HOLDOUT

ROOT = Path(__file__).parents[2]


@pytest.fixture
def config() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())
    return content


def test_sweep_is_the_product_of_its_lists(config: dict[str, Any]) -> None:
    study = config["studies"]["sweep"]
    cases = studies.cases(config, "sweep")
    settings = {(case.run.rate, case.run.l2) for case in cases}
    assert len(cases) == len(settings) * len(study["seeds"])
    assert settings == {(rate, l2) for rate in study["rates"] for l2 in study["l2"]}


def test_final_runs_that_start_as_a_control_does_are_that_control(config: dict[str, Any]) -> None:
    config["studies"]["networks"]["initialisation"] = "random_frozen"
    runs = [case.run for case in studies.cases(config, "initialisation")]
    final = [case.run for case in studies.cases(config, "networks")]
    frozen = [run for run in runs if run.initialisation == "random_frozen"]
    assert {run.initialisation for run in runs} == {"random_frozen", "random_all"}
    assert all(run in final for run in frozen)


def test_the_head_alone_has_a_rate_of_its_own(config: dict[str, Any]) -> None:
    study = config["studies"]["depth"]
    for case in studies.cases(config, "depth"):
        own = case.run.depth == "head"
        assert case.run.rate == study["head_rate" if own else "rate"]


def test_settings_of_regularisation_differ_in_regularisation_only(config: dict[str, Any]) -> None:
    runs = {case.run.address.split("/rate=")[0] for case in studies.cases(config, "regularisation")}
    assert len(runs) == 1


@pytest.mark.parametrize("study", studies.STUDIES)
def test_no_address_appears_twice_in_a_study(config: dict[str, Any], study: str) -> None:
    cases = studies.cases(config, study)
    assert len({case.run.address for case in cases}) == len(cases)


def test_folds_multiply_what_is_tested_and_what_asks_for_them(config: dict[str, Any]) -> None:
    without = {study: len(studies.cases(config, study)) for study in studies.STUDIES}
    config["splits"]["folds"] = True
    config["studies"]["depth"]["folds"] = "all"
    for study, count in without.items():
        cases = studies.cases(config, study)
        folded = study not in ("sweep", "regularisation")
        assert len(cases) == count * (config["splits"]["parts"] if folded else 1)
        assert ({case.run.fold for case in cases} == {HOLDOUT}) == (not folded)


def test_controls_are_beside_the_final_runs_of_their_network(config: dict[str, Any]) -> None:
    runs = [case.run for case in studies.cases(config, "initialisation")]
    final = [case.run for case in studies.cases(config, "networks")]
    starts = [run.initialisation for run in runs if run.seed == 1]
    assert starts == ["imagenet", "random_frozen", "random_all"] * 3
    for run in runs:
        assert (run in final) == (run.initialisation == "imagenet")
        assert (run.depth == "all") == (run.initialisation == "random_all")


def test_the_run_that_is_shown_is_a_final_run(config: dict[str, Any]) -> None:
    run = studies.shown(config, "referable", "densenet169", 448)
    assert run in [case.run for case in studies.cases(config, "networks")]
    assert run.seed == config["studies"]["networks"]["seeds"][0]


def test_the_learning_curve_is_a_final_run_on_fewer_photographs(config: dict[str, Any]) -> None:
    study = config["studies"]["learning_curve"] | {"task": "referable", "seeds": [1]}
    config["studies"]["learning_curve"] = study
    cases = studies.cases(config, "learning_curve")
    assert [case.run.photographs for case in cases] == [500, 1000, 2000, 5000, 0]
    assert [case.name for case in cases][-2:] == ["5000 photographs", "all photographs"]
    final = [case.run for case in studies.cases(config, "networks")]
    assert all(replace(case.run, photographs=0) in final for case in cases)


def test_leakage_is_a_final_run_beside_a_control(config: dict[str, Any]) -> None:
    config["studies"]["leakage"]["seeds"] = [2]
    apart, control = studies.cases(config, "leakage")
    assert apart.run in [case.run for case in studies.cases(config, "networks")]
    assert control.run == replace(apart.run, task="referable_leaking")
    assert control.run.leaks and "control" in control.name


def test_nothing_but_its_study_has_the_control(config: dict[str, Any]) -> None:
    for study in studies.STUDIES:
        leaking = {case.run.leaks for case in studies.cases(config, study)}
        assert leaking == ({False, True} if study == "leakage" else {False})


def test_tasks_are_those_that_something_uses(config: dict[str, Any]) -> None:
    assert studies.tasks(config) == ["extremes", "referable", "referable_all"]
    config["studies"]["learning_curve"]["task"] = "referable"
    config["baselines"]["tasks"] = ["referable"]
    assert studies.tasks(config) == ["extremes", "referable"]
