"""What scores of maps against lesions are of, by name: types of lesions, scores and controls.

Names alone, so that who reads the tables needs nothing that reads photographs.
"""

from collections.abc import Iterable

NAMES = {
    "MA": "microaneurysms",
    "HE": "haemorrhages",
    "EX": "hard exudates",
    "SE": "soft exudates",
    "NV": "new vessels",
    "OD": "optic disc (no lesion)",
    "all": "all lesions",
}
"""Known types, in the order in which they are shown, and what people call them."""

ANATOMY = ("OD",)
"""Types that are no lesions: reported, but not among all lesions."""

ALL = "all"
"""The union of all lesions of a photograph, whatever their types."""

METRICS = ("pointing", "energy", "average_precision", "sensitivity")
"""Scores of a map, see `localisation`."""

SCORES = ("image", "patient", "method", "lesion", "lesion_share", *METRICS)
"""Columns of scores: one row per photograph, map and type of lesion that the photograph shows.
`lesion_share` is the share of the retina's cells that have the lesion."""

CONTROLS = {
    "uniform": "uniform",
    "centre": "centre prior",
    "rim": "retina-edge prior",
    "vessels": "vessel filter",
    "edges": "edge filter",
}
"""What needs no network, see `priors`: name in tables → what people call it."""


def order(kinds: Iterable[str]) -> list[str]:
    """Return types in the order in which they are shown: known lesions, others, anatomy, all."""
    known = list(NAMES)
    return sorted(
        kinds,
        key=lambda kind: (
            kind == ALL,
            kind in ANATOMY,
            known.index(kind) if kind in known else len(known),
            kind,
        ),
    )
