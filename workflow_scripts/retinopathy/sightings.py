"""Where networks look, in a sentence or two: findings from the tables of maps and of flips.

A map is said to find a type of lesion only where its average precision is ahead of every control,
by an interval above 0, on the same photographs: of a uniform map, of priors and filters that know
no network, and of the same network with random weights by the same method.
Intervals are not corrected for their number, and the sentences say so.
"""

from typing import Any

import pandas as pd

from retinopathy import lesion_types
from retinopathy.display import called
from retinopathy.localisation_tables import TRAINED
from retinopathy.methods import COARSE, FINE, METHODS, REFERENCE
from retinopathy.numerals import decimals
from retinopathy.standings import ALPHA, controls, from_imagenet
from retinopathy.wording import counted, is_control, listed, p_value, shift

METRIC = "average_precision_difference"
"""What decides whether a map finds a type of lesion."""

_SUBTRACTED = "trained network − "
"""How a comparison with a control begins."""

_FILTER = " filter"
"""How a comparison with a filter ends, which shows what stands out of a photograph."""

_CHANCE = "Intervals are not corrected for their number: some would be above 0 by chance."


# Lesions ------------------------------------------------------------------------------------------


def found(differences: pd.DataFrame, scores: pd.DataFrame) -> list[str]:
    """Return which lesions the networks find: a paragraph per set and task.

    Args:
        differences: `localisation_tables.DIFFERENCES`.
        scores: `localisation_tables.COLUMNS`.

    Returns:
        Empty where nothing was compared, as without photographs with outlined lesions.
    """
    # Types alone: all lesions together are found where any is, and anatomy is none.
    kinds = ~differences["lesion"].isin([lesion_types.ALL, *lesion_types.ANATOMY])
    known = differences[kinds].dropna(subset=["lesion"])
    return [
        _set(str(name), str(task), rows, scores)
        for (name, task), rows in known.groupby(["set", "task"], sort=False)
    ]


def _set(name: str, task: str, rows: pd.DataFrame, scores: pd.DataFrame) -> str:
    trained = from_imagenet(rows)
    parts = [
        f"Lesion set “{name}”, task “{task}”; a lesion is found where the average precision of a "
        "map is ahead of every control, in pairs, by an interval above 0."
    ]
    if trained.empty:
        parts.append("No network from ImageNet weights was asked.")
    for (network, size), own in trained.groupby(["network", "size"], sort=False):
        said = "; ".join(
            _method(method, own[own["method"] == method], scores)
            for method in (COARSE, FINE, REFERENCE)
        )
        parts.append(f"{network} at {size} px: {said}.")
    untold = controls(rows)["network"].nunique()
    if untold:
        parts.append(f"Not told here: {counted(untold, 'network')} from random weights, controls.")
    return " ".join([*parts, _CHANCE])


def _method(method: str, rows: pd.DataFrame, scores: pd.DataFrame) -> str:
    """Return which types of lesion a method finds, of those for which there are intervals."""
    rivals = rows[rows["compared"].str.startswith(_SUBTRACTED)]
    lows = _lowest(rivals)
    known, unknown = lows.dropna(), [_type(kind) for kind in lows[lows.isna()].index]
    if known.empty:
        return f"{called(method)}: nothing is known, for want of patients"
    ahead = [_gain(rows[rows["lesion"] == kind], scores) for kind in known.index[known > 0]]
    finds = f"{listed(ahead) if ahead else 'none'} of {counted(len(known), 'type')} found"
    parts = [f"{called(method)}: {finds}"]
    nearly: dict[str, list[str]] = {}
    for kind in known.index[known <= 0]:
        unbeaten = _unbeaten(rivals[rivals["lesion"] == kind])
        # A filter sees what stands out: no better than one is not no better than chance.
        if all(name.endswith(_FILTER) for name in unbeaten):
            gain = _gain(rows[rows["lesion"] == kind], scores)
            nearly.setdefault(listed(unbeaten), []).append(gain)
    for names, gains in nearly.items():
        parts.append(f"ahead of all but the {names} for {listed(gains)}")
    if unknown:
        parts.append(f"not told for want of patients: {listed(unknown)}")
    return ", ".join(parts)


def _unbeaten(rivals: pd.DataFrame) -> list[str]:
    """Return the controls that a map is not ahead of for a type of lesion."""
    behind = rivals[~(rivals[f"{METRIC}_low"] > 0)]
    return [str(name).removeprefix(_SUBTRACTED) for name in behind["compared"]]


def _lowest(rivals: pd.DataFrame) -> pd.Series:
    """Return the lowest bound of what a map is ahead by, for each type: NaN without any of them."""
    bounds = rivals.groupby("lesion", sort=False)[f"{METRIC}_low"]
    lowest: pd.Series = bounds.agg(lambda some: some.min(skipna=False))
    return lowest


def _gain(rows: pd.DataFrame, scores: pd.DataFrame) -> str:
    """Return a type of lesion that a map finds, and how far it is above chance."""
    keys = ["set", "task", "network", "size", "method", "lesion"]
    row = rows.iloc[0]
    same = (scores[keys] == row[keys]).all(axis=1) & (scores["control"] == TRAINED)
    (lift,) = scores.loc[same, "lift"]
    return f"{_type(row['lesion'])} ({lift:.1f} times chance, n = {row['n']})"


def _type(kind: Any) -> str:
    return lesion_types.NAMES.get(str(kind), str(kind))


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
        left = [f"{called(row['method'])} {_alike(row)}" for _, row in rows.iterrows()]
        control = "" if controls(rows).empty else " (from random weights: a control)"
        said.append(f"{network} at {size} px{control}, task “{task}”: {listed(left)}.")
    return (
        "When every weight is random, the rank correlation of the map with that of the trained "
        f"network is (1: nothing changed): {' '.join(said)}"
    )


def _alike(row: pd.Series) -> str:
    """Return a mean correlation, and of how many photographs where it is not known of all."""
    if pd.isna(row["similarity"]):
        return "undefined"
    fewer = f" (n = {_of(row)})" if row["undefined"] else ""
    return f"{decimals(row['similarity'], 2)}{fewer}"


def _of(row: pd.Series) -> str:
    """Return how many photographs a mean is of, and how many were asked where these are more."""
    asked = row["n"] + row["undefined"]
    return f"{row['n']} of {asked}" if row["undefined"] else str(row["n"])


def missed(table: pd.DataFrame) -> str:
    """Return for which methods the network misses what the map points to, beside the controls.

    Args:
        table: `sanity_tables.DELETION`.
    """
    rows = from_imagenet(table[table["kind"] == "deletion"])
    said = [
        _beside(str(task), str(network), own)
        for (task, network), own in rows.groupby(["task", "network"], sort=False)
        if own["logit_area_low"].notna().any()
    ]
    if not said:
        return "Whether networks miss what their maps point to is not known."
    return (
        "Removing first what a map points to should lower the logit more than other orders do. "
        f"{' '.join(said)} Means of the same photographs, not tested for their difference; "
        f"{called(REFERENCE)} have an advantage here, for they divide up the very difference "
        "between the logit of the photograph and that of the blurred copy."
    )


def _beside(task: str, network: str, rows: pd.DataFrame) -> str:
    """Return which maps of a network are ahead of every order that no network made."""
    known = rows.dropna(subset=["over_patches_low"])
    if known.empty:
        return f"{network}, task “{task}”: not known, its CAM has a single cell."
    own = known[known["method"].isin(METHODS)]
    rivals = known[~known["method"].isin(METHODS)].sort_values("over_patches")
    best = rivals.iloc[-1] if len(rivals) else None
    least = 0.0 if best is None else max(float(best["over_patches"]), 0.0)
    ahead = own[(own["over_patches"] > least) & (own["over_patches_low"] > 0)]
    names = f": {listed([called(name) for name in ahead['method']])}" if len(ahead) else ""
    strongest = "patches by chance" if not least or best is None else called(best["method"])
    return (
        f"{network}, task “{task}”: {len(ahead)} of {counted(len(own), 'map')} beyond the "
        f"strongest control, {strongest}{names}."
    )


def swapped(table: pd.DataFrame) -> str:
    """Return which maps are the same for both classes.

    Args:
        table: `sanity_tables.CLASS_SWAP`.
    """
    known = from_imagenet(table).dropna(subset=["similarity"])
    if known.empty:
        return "Whether maps of networks from ImageNet weights change with the class is not known."
    said = [
        f"{called(row['method'])} of {row['network']} (“{row['task']}”) "
        f"{decimals(row['similarity'], 2)}, n = {_of(row)}"
        for _, row in known.iterrows()
    ]
    return (
        "The rank correlation of the maps of both classes, 1 where they point to the same places: "
        f"{'; '.join(said)}."
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
    control = " (from random weights: a control)" if is_control(row["initialisation"]) else ""
    return (
        f"{row['network']}{control}, task “{row['task']}”, seed {row['seed']}: of {row['n']} test "
        f"photographs {row['only_large_right']} are right at {row['size_large']} px only and "
        f"{row['only_small_right']} at {row['size_small']} px only "
        f"({'told' if p < ALPHA else 'not told'} apart, McNemar's test by patients, adjusted "
        f"(Holm), p {p_value(p)})."
    )
