"""Studies: lists of runs, expanded from the configuration.

Every address is a literal value of the configuration: the graph of jobs is known before the first
one starts. Runs that two studies share are one run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from retinopathy import caching
from retinopathy.runs import HOLDOUT, Run

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A run and what its study calls it: cases with the same name differ in seed or fold only."""

    name: str
    run: Run


def folds(config: Config) -> tuple[str, ...]:
    """Return the folds of final runs and baselines: the holdout split, or every part in turn."""
    if not config["splits"]["folds"]:
        return (HOLDOUT,)
    return tuple(str(part) for part in range(config["splits"]["parts"]))


def sweep(config: Config) -> list[Case]:
    """Return learning rate × L2 constant."""
    study = config["studies"]["sweep"]
    return [
        Case(f"rate {rate:g}, L2 {l2:g}", run)
        for rate, l2, seed in product(study["rates"], study["l2"], study["seeds"])
        for run in [_run(study, seed=seed, rate=rate, l2=l2)]
    ]


def regularisation(config: Config) -> list[Case]:
    """Return the four settings of dropout and L2."""
    study = config["studies"]["regularisation"]
    return [
        Case(name, _run(study, seed=seed, **setting))
        for (name, setting), seed in product(study["settings"].items(), study["seeds"])
    ]


def depth(config: Config) -> list[Case]:
    """Return the cuts from which a network is trained."""
    study = config["studies"]["depth"]
    return [
        Case(cut, _run(study, seed=seed, depth=cut))
        for cut, seed in product(study["depths"], study["seeds"])
    ]


def networks(config: Config) -> list[Case]:
    """Return the final runs: every network at every size."""
    study = config["studies"]["networks"]
    return [
        Case(
            f"{network} {size}",
            _run(
                study,
                task=task,
                network=network,
                size=size,
                depth=study["depths"][network],
                fold=fold,
                seed=seed,
            ),
        )
        for task, network, size, fold, seed in product(
            study["tasks"], study["networks"], study["sizes"], folds(config), study["seeds"]
        )
    ]


STUDIES: dict[str, Callable[[Config], list[Case]]] = {
    "sweep": sweep,
    "regularisation": regularisation,
    "depth": depth,
    "networks": networks,
}


def cases(config: Config, study: str) -> list[Case]:
    """Return the cases of a study, in the order of its table."""
    shared = sharing(config)
    return [
        Case(case.name, caching.typed(config, case.run, shared)) for case in STUDIES[study](config)
    ]


def sharing(config: Config) -> Mapping[caching.Cut, int]:
    """Return how many runs of all studies share the features of each cut."""
    return caching.sharing(case.run for study in STUDIES.values() for case in study(config))


def shown(config: Config, task: str, network: str, size: int) -> Run:
    """Return the final run whose maps are shown: the first seed, the first fold."""
    return next(
        case.run
        for case in cases(config, "networks")
        if (case.run.task, case.run.network, case.run.size) == (task, network, size)
    )


def _run(study: Config, *, fold: str = HOLDOUT, **values: Any) -> Run:
    """Return the run with `values`, and with the study's own for what they leave out."""
    fields = {name: study[name] for name in Run.__dataclass_fields__ if name in study}
    fields |= values | {"fold": fold}
    return Run(**fields | {name: float(fields[name]) for name in ("rate", "l2", "dropout")})
