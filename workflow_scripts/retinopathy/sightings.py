"""Where networks look, in a sentence or two: findings from the tables of maps and of flips.

A map is said to find a type of lesion only where its average precision is ahead of a uniform map,
of the middle of the retina and of the same network untrained, each by an interval above 0, on the
same photographs. Intervals are not corrected for their number, and the sentences say so.
"""

from collections.abc import Iterator

import pandas as pd

from retinopathy import lesions
from retinopathy.display import called
from retinopathy.standings import ALPHA, controls, from_imagenet
from retinopathy.wording import IMAGENET, counted, listed, shift

METRIC = "average_precision_difference"
"""What decides whether a map finds a type of lesion."""

RIVALS = ("uniform", "centre prior", "random network")
"""What a map must be ahead of to find a type of lesion."""

METHODS = (
    "cam",
    "grad_cam",
    "guided_backpropagation",
    "guided_grad_cam",
    "integrated_gradients",
    "smooth_grad",
)
"""Methods whose maps are of networks: others in the same tables are controls."""

COARSE, FINE = METHODS[0], METHODS[3]
"""The two methods of the study: a map of regions, and one of pixels."""

_CHANCE = "Intervals are not corrected for their number: some would be above 0 by chance."


# Lesions ------------------------------------------------------------------------------------------


def found(differences: pd.DataFrame) -> list[str]:
    """Return which lesions the networks find: a paragraph per set and task.

    Args:
        differences: `localisation_tables.DIFFERENCES`.

    Returns:
        Empty where nothing was compared, as without photographs with outlined lesions.
    """
    # Types alone: all lesions together are found where any is, and anatomy is none.
    kinds = ~differences["lesion"].isin([lesions.ALL, *lesions.ANATOMY])
    known = differences[kinds].dropna(subset=["lesion"])
    return [
        _set(str(name), str(task), rows)
        for (name, task), rows in known.groupby(["set", "task"], sort=False)
    ]


def _set(name: str, task: str, rows: pd.DataFrame) -> str:
    trained = from_imagenet(rows)
    parts = [f"Lesion set “{name}”, task “{task}”."]
    if trained.empty:
        parts.append("No network from ImageNet weights was asked.")
    for (network, size), own in trained.groupby(["network", "size"], sort=False):
        parts.append(f"{network} at {size} px: {_methods(own)}.")
    untold = controls(rows)["network"].nunique()
    if untold:
        parts.append(f"Not told here: {counted(untold, 'network')} from random weights, controls.")
    return " ".join([*parts, _CHANCE])


def _methods(rows: pd.DataFrame) -> str:
    """Return what the two methods of the study find, of one network at one size."""
    count = rows["lesion"].nunique()
    said = []
    for method in (COARSE, FINE):
        ahead = list(_ahead(rows[rows["method"] == method]))
        types = f"{listed(ahead)} ({len(ahead)} of {counted(count, 'type')})" if ahead else ""
        said.append(f"{called(method)} finds {types or 'no type of lesion'}")
    against = "a uniform map, the middle and the same network untrained"
    return f"better than {against}, {' and '.join(said)}"


def _ahead(rows: pd.DataFrame) -> Iterator[str]:
    """Yield the types of lesions that one method of one network finds, in words."""
    for kind, own in rows.groupby("lesion", sort=False):
        lows = [_against(own, rival) for rival in RIVALS]
        if all(low is not None and low > 0 for low in lows):
            yield lesions.NAMES.get(str(kind), str(kind))


def _against(rows: pd.DataFrame, rival: str) -> float | None:
    """Return the lower bound of what a map is ahead of a rival; None where there is none."""
    low = rows.loc[rows["compared"].str.endswith(f"− {rival}"), f"{METRIC}_low"].dropna()
    return None if low.empty else float(low.iloc[0])


def resolved(differences: pd.DataFrame) -> list[str]:
    """Return what the large size adds for the smallest lesions: a sentence per set and task.

    Args:
        differences: `localisation_tables.DIFFERENCES`.
    """
    sizes = differences["compared"].astype(str).str.contains(r"^\d+ px − \d+ px$")
    small = from_imagenet(differences[sizes & (differences["lesion"] == "MA")])
    small = small.dropna(subset=[METRIC])
    return [
        f"Lesion set “{name}”, task “{task}”, {lesions.NAMES['MA']} in "
        f"{counted(int(rows['n'].max()), 'photograph')}, average precision: {_gains(rows)}."
        for (name, task), rows in small.groupby(["set", "task"], sort=False)
    ]


def _gains(rows: pd.DataFrame) -> str:
    chosen = rows[rows["method"].isin([COARSE, FINE])]
    return "; ".join(
        f"{row['network']}, {row['compared']}, {called(row['method'])} {shift(row, METRIC, 4)}"
        for _, row in chosen.iterrows()
    )


# Trust --------------------------------------------------------------------------------------------


def randomised(table: pd.DataFrame) -> str:
    """Return how much of each map is left when every weight is random.

    Args:
        table: `sanity_tables.RANDOMISATION`.
    """
    cascade = table[table["kind"] == "cascading"].dropna(subset=["similarity"])
    if cascade.empty:
        return "No network was made random: no test photograph could be explained."
    said = []
    for (task, network, size), rows in cascade.groupby(["task", "network", "size"], sort=False):
        last = rows.groupby("method", sort=False).tail(1)
        left = [f"{called(row['method'])} {row['similarity']:.2f}" for _, row in last.iterrows()]
        control = "" if controls(last).empty else " (from random weights: a control)"
        said.append(f"{network} at {size} px{control}, task “{task}”: {listed(left)}.")
    return (
        "When every weight is random, the rank correlation of the map with that of the trained "
        f"network is (1: nothing changed): {' '.join(said)}"
    )


def missed(table: pd.DataFrame) -> str:
    """Return for which methods the network misses what the map points to.

    Args:
        table: `sanity_tables.DELETION`.
    """
    rows = from_imagenet(table[table["kind"] == "deletion"])
    known = rows[rows["method"].isin(METHODS)].dropna(subset=["over_patches_low"])
    if known.empty:
        return "Whether networks miss what their maps point to is not known."
    ahead = known[known["over_patches_low"] > 0]
    names = [f"{called(row['method'])} of {row['network']}" for _, row in ahead.iterrows()]
    return (
        f"Removing first what a map points to lowers the logit more than patches by chance do, by "
        f"an interval above 0, for {len(ahead)} of {counted(len(known), 'map')} of networks from "
        f"ImageNet weights{': ' + listed(names) if names else ''}."
    )


# Size ---------------------------------------------------------------------------------------------


def flipped(tests: pd.DataFrame) -> str:
    """Return how many photographs are right at one size only, and whether that is told from chance.

    Args:
        tests: `flips.TESTS`.
    """
    known = tests.dropna(subset=["clustered_mcnemar_p_holm"])
    if known.empty:
        return "No photograph is right at one size only, or no two sizes could be compared."
    return " ".join(_flips(row) for _, row in known.iterrows())


def _flips(row: pd.Series) -> str:
    p = row["clustered_mcnemar_p_holm"]
    control = "" if row["initialisation"] == IMAGENET else " (from random weights: a control)"
    return (
        f"{row['network']}{control}, task “{row['task']}”, seed {row['seed']}: of {row['n']} test "
        f"photographs {row['only_large_right']} are right at {row['size_large']} px only and "
        f"{row['only_small_right']} at {row['size_small']} px only "
        f"({'told' if p < ALPHA else 'not told'} apart, McNemar's test by patients, p = {p:.2g})."
    )
