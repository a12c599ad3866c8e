"""Studies: lists of runs, expanded from the configuration.

Every address is a literal value of the configuration: the graph of jobs is known before the first
one starts. Runs that two studies share are one run.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from retinopathy import caching, registry
from retinopathy.runs import HOLDOUT, INITIALISATIONS, LEAKING, Run

Config = Mapping[str, Any]


APART, LEAKS = "patients apart", "fellow eyes leak (control)"
"""The two cases of the study of leakage."""


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
        Case(f"rate {rate:g}, L2 {l2:g}", _run(study, fold=fold, seed=seed, rate=rate, l2=l2))
        for rate, l2, fold, seed in product(
            study["rates"], study["l2"], _folds(config, study), study["seeds"]
        )
    ]


def regularisation(config: Config) -> list[Case]:
    """Return the four settings of dropout and L2."""
    study = config["studies"]["regularisation"]
    return [
        Case(name, _run(study, fold=fold, seed=seed, **setting))
        for (name, setting), fold, seed in product(
            study["settings"].items(), _folds(config, study), study["seeds"]
        )
    ]


def depth(config: Config) -> list[Case]:
    """Return the cuts from which a network is trained."""
    study = config["studies"]["depth"]
    return [
        Case(cut, _run(study, fold=fold, seed=seed, depth=cut, rate=rate(study, cut)))
        for cut, fold, seed in product(study["depths"], _folds(config, study), study["seeds"])
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
                rate=rate(study, study["depths"][network]),
                fold=fold,
                seed=seed,
            ),
        )
        for task, network, size, fold, seed in product(
            study["tasks"], study["networks"], study["sizes"], folds(config), study["seeds"]
        )
    ]


def initialisation(config: Config) -> list[Case]:
    """Return the final runs of one size beside the same networks from random weights.

    A control with frozen features is trained from the depth of the final runs; one that starts
    from scratch is trained as a whole. Both have learning rates of their own.
    """
    study, final = config["studies"]["initialisation"], config["studies"]["networks"]
    cases = []
    for task, network in product(study["tasks"], study["networks"]):
        cut, start = final["depths"][network], final["initialisation"]
        settings = {start: ("final run", cut, rate(final, cut))} | {
            control: (
                INITIALISATIONS[control],
                registry.ALL if control == "random_all" else cut,
                own,
            )
            for control, own in study["rates"].items()
            if control != start  # Else the final runs are that control.
        }
        cases += [
            Case(
                f"{network}: {name}",
                _run(
                    final,
                    task=task,
                    network=network,
                    size=study["size"],
                    initialisation=start,
                    depth=cut,
                    rate=own,
                    fold=fold,
                    seed=seed,
                ),
            )
            for (start, (name, cut, own)), fold, seed in product(
                settings.items(), folds(config), study["seeds"]
            )
        ]
    return cases


def learning_curve(config: Config) -> list[Case]:
    """Return the final run of one network and size, trained on fewer photographs and on all."""
    study = config["studies"]["learning_curve"]
    return [
        Case(
            f"{photographs or 'all'} photographs",
            _final(config, study, fold=fold, seed=seed, photographs=photographs),
        )
        for photographs, fold, seed in product(
            [*study["photographs"], 0], folds(config), study["seeds"]
        )
    ]


def leakage(config: Config) -> list[Case]:
    """Return the final run of one network and size beside one whose parts ignore patients."""
    study = config["studies"]["leakage"]
    tasks = {APART: study["task"], LEAKS: study["task"] + LEAKING}
    return [
        Case(name, _final(config, study, task=task, fold=fold, seed=seed))
        for (name, task), fold, seed in product(tasks.items(), folds(config), study["seeds"])
    ]


STUDIES: dict[str, Callable[[Config], list[Case]]] = {
    "sweep": sweep,
    "regularisation": regularisation,
    "depth": depth,
    "networks": networks,
    "initialisation": initialisation,
    "learning_curve": learning_curve,
    "leakage": leakage,
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


def tasks(config: Config) -> list[str]:
    """Return the tasks that runs or baselines use, in the order of the configuration."""
    used = {case.run.selection for study in STUDIES.values() for case in study(config)}
    return [name for name in config["tasks"] if name in used | set(config["baselines"]["tasks"])]


def shown(config: Config, task: str, network: str, size: int) -> Run:
    """Return the final run whose maps are shown: the first seed, the first fold."""
    return next(
        case.run
        for case in cases(config, "networks")
        if (case.run.task, case.run.network, case.run.size) == (task, network, size)
    )


def _folds(config: Config, study: Config) -> tuple[str, ...]:
    """Return the folds of a study that chooses: those of the final runs, or the holdout split."""
    return folds(config) if study["folds"] == "all" else (HOLDOUT,)


def _final(config: Config, study: Config, **values: Any) -> Run:
    """Return a final run of a study's task, network and size, but for `values`."""
    final = config["studies"]["networks"]
    cut = final["depths"][study["network"]]
    own = {name: study[name] for name in ("task", "network", "size")}
    return _run(final, **own | {"depth": cut, "rate": rate(final, cut)} | values)


def rate(study: Config, cut: str) -> float:
    """Return the learning rate of a study for a depth.

    The head alone has one of its own: one that suits the layers below it would leave it half
    trained, and a comparison of depths would be one of rates.
    """
    return float(study["head_rate" if cut == registry.HEAD else "rate"])


def _run(study: Config, *, fold: str = HOLDOUT, **values: Any) -> Run:
    """Return the run with `values`, and with the study's own for what they leave out."""
    fields = {name: study[name] for name in Run.__dataclass_fields__ if name in study}
    fields |= values | {"fold": fold}
    return Run(**fields | {name: float(fields[name]) for name in ("rate", "l2", "dropout")})
