"""Where networks look, in a sentence or two: findings from the tables of maps and of flips.

A map is said to find a type of lesion only where its average precision is ahead of a uniform map,
of the middle of the retina and of the same network untrained, each by an interval above 0, on the
same photographs. Intervals are not corrected for their number, and the sentences say so.
"""

import pandas as pd

from retinopathy import lesion_types
from retinopathy.display import called
from retinopathy.standings import ALPHA, controls, from_imagenet
from retinopathy.wording import IMAGENET, counted, listed, shift

METRIC = "average_precision_difference"
"""What decides whether a map finds a type of lesion."""

RIVALS = ("uniform", "centre prior", "random network")
"""What a map must be ahead of to find a type of lesion."""

_AGAINST = ("a uniform map", "the middle", "one draw of the same network untrained")

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
    kinds = ~differences["lesion"].isin([lesion_types.ALL, *lesion_types.ANATOMY])
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
    said = [_method(method, rows[rows["method"] == method]) for method in (COARSE, FINE)]
    return f"better than {listed(_AGAINST)}, {' and '.join(said)}"


def _method(method: str, rows: pd.DataFrame) -> str:
    """Return which types of lesion a method finds, of those for which there are intervals."""
    lows = {
        lesion_types.NAMES.get(str(kind), str(kind)): [_against(own, rival) for rival in RIVALS]
        for kind, own in rows.groupby("lesion", sort=False)
    }
    known = {kind: low for kind, low in lows.items() if None not in low}
    if not known:
        return f"of {called(method)} nothing is known, for want of patients"
    ahead = [kind for kind, low in known.items() if min(one for one in low if one is not None) > 0]
    found = f"{listed(ahead)} ({len(ahead)}" if ahead else "no type of lesion (none"
    unknown = [kind for kind in lows if kind not in known]
    untold = f", {listed(unknown)} not told for want of patients" if unknown else ""
    return f"{called(method)} finds {found} of {counted(len(known), 'type')}{untold})"


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
        f"Lesion set “{name}”, task “{task}”, {lesion_types.NAMES['MA']} in "
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


def ends(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the end of each network's cascade, where all its weights are random.

    Args:
        table: `sanity_tables.RANDOMISATION`.
    """
    cascade = table[table["kind"] == "cascading"]
    shares = cascade.groupby(["task", "network", "size"], sort=False)["random_share"]
    last: pd.DataFrame = cascade[cascade["random_share"] == shares.transform("max")]
    return last


def randomised(table: pd.DataFrame) -> str:
    """Return how much of each map is left when every weight is random.

    Args:
        table: `sanity_tables.RANDOMISATION`.
    """
    last = ends(table)
    if last.empty:
        return "No network was made random: no test photograph could be explained."
    said = []
    for (task, network, size), rows in last.groupby(["task", "network", "size"], sort=False):
        left = [f"{called(row['method'])} {_left(row)}" for _, row in rows.iterrows()]
        control = "" if controls(rows).empty else " (from random weights: a control)"
        said.append(f"{network} at {size} px{control}, task “{task}”: {listed(left)}.")
    return (
        "When every weight is random, the rank correlation of the map with that of the trained "
        f"network is (1: nothing changed): {' '.join(said)}"
    )


def _left(row: pd.Series) -> str:
    return "undefined" if pd.isna(row["similarity"]) else f"{row['similarity']:.2f}"


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
    names = [
        f"{called(row['method'])} of {row['network']} (“{row['task']}”)"
        for _, row in ahead.iterrows()
    ]
    return (
        f"Removing first what a map points to lowers the logit more than patches by chance do, by "
        f"an interval above 0, for {len(ahead)} of {counted(len(known), 'map')} of networks from "
        f"ImageNet weights{': ' + listed(names) if names else ''}. {_CHANCE}"
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
        f"({'told' if p < ALPHA else 'not told'} apart, McNemar's test by patients, adjusted "
        f"(Holm), p = {p:.2g})."
    )
