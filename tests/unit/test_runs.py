import pytest
from hypothesis import given
from hypothesis import strategies as st

from retinopathy.errors import Explained
from retinopathy.runs import INITIALISATIONS, Run

NUMBERS = st.sampled_from([0.0, 1e-5, 3e-4, 0.001, 0.0010000001, 0.5, 0.25, 2.0])

RUNS = st.builds(
    Run,
    task=st.sampled_from(["extremes", "referable", "referable_leaking"]),
    network=st.sampled_from(["xception", "inception_v3", "densenet169"]),
    size=st.integers(75, 2048),
    initialisation=st.sampled_from(sorted(INITIALISATIONS)),
    depth=st.sampled_from(["head", "all", "bn", "block14", "block14+3", "mixed10"]),
    rate=NUMBERS,
    l2=NUMBERS,
    dropout=NUMBERS,
    fold=st.sampled_from(["holdout", "0", "4"]),
    seed=st.integers(0, 99),
    features=st.sampled_from(["float32", "float16"]),
    photographs=st.sampled_from([0, 1, 500, 13746]),
)


@given(RUNS)
def test_an_address_leads_back_to_its_run(run: Run) -> None:
    assert Run.parse(run.address) == run


@given(RUNS)
def test_an_address_survives_a_cluster_and_a_shell(run: Run) -> None:
    assert not set(run.address + run.initial) & set(",;:&|<>(){}[]*?$#! '\"\\")


@given(RUNS, RUNS)
def test_different_runs_have_different_addresses(one: Run, other: Run) -> None:
    assert (one.address == other.address) == (one == other)


@given(RUNS)
def test_only_random_weights_depend_on_seed_and_fold(run: Run) -> None:
    other = Run(**{**run.__dict__, "seed": run.seed + 1})
    assert (run.initial == other.initial) == (run.initialisation == "imagenet")


@given(RUNS)
def test_a_run_on_fewer_photographs_starts_from_the_same_weights(run: Run) -> None:
    other = Run(**{**run.__dict__, "photographs": run.photographs + 1})
    assert run.initial == other.initial


@pytest.mark.parametrize(
    "address",
    [
        "",
        "referable/xception",
        "a/b/c/d/e/rate=1_l2=1_dropout=1/x",
        "a/b/75/imagenet/head/rate=1_l2=1_dropout=1_photographs=0/fold=holdout_seed=1",
        "a/b/75/imagenet/head/rate=1_l2=1_dropout=1_photographs=010/fold=holdout_seed=1",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Explained, match="address"):
        Run.parse(address)


def test_addresses_do_not_speak_of_the_usual() -> None:
    run = Run("referable", "xception", 224, "imagenet", "head", 0.001, 0.0, 0.5, "holdout", 1)
    assert run.address == (
        "referable/xception/224/imagenet/head/rate=0.001_l2=0_dropout=0.5/fold=holdout_seed=1"
    )


def test_addresses_speak_of_the_unusual() -> None:
    run = Run(
        "referable", "xception", 224, "imagenet", "head", 0.001, 0.0, 0.5, "3", 1, "float16", 500
    )
    assert run.address.endswith("_dropout=0.5_photographs=500_features=float16/fold=3_seed=1")


def test_a_control_knows_the_task_that_it_is_of() -> None:
    usual = Run("referable", "xception", 224, "imagenet", "head", 0.001, 0.0, 0.5, "holdout", 1)
    control = Run(**{**usual.__dict__, "task": "referable_leaking"})
    assert (usual.leaks, control.leaks) == (False, True)
    assert usual.selection == control.selection == "referable"
