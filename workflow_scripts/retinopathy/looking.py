"""Where the networks look, whether to believe it, and what size changes: two sections."""

from retinopathy import sightings
from retinopathy.intervals import bounded
from retinopathy.material import Material
from retinopathy.page import Page
from retinopathy.standings import sizes

_NETWORK = ["task", "network", "size", "initialisation", "seed", "split"]
_SCORES = bounded("lift", "average_precision", "sensitivity", "pointing", "energy")

_KNOWN = ["n", "undefined"]
_AREAS = ("logit_area", "over_pixels", "over_patches")

_SIZES = ["size_small", "size_large"]
_COUNTS = ["n", "patients", "both_right", "only_small_right", "only_large_right", "both_wrong"]
_P = ["mcnemar_p", "clustered_mcnemar_p_holm"]
_TESTS = ["task", "network", *_SIZES, "initialisation", "seed", *_COUNTS, *_P, "reason"]
_SEEN = [f"{value}_{size}" for size in ("small", "large") for value in ("probability", "threshold")]
_FLIPS = ["task", "network", "seed", "image", "level", "right_at", *_SEEN, "gain"]


def saliency(page: Page, material: Material) -> None:
    """Show where the networks look, how well that finds lesions, and whether to believe it."""
    tables = material.tables
    page.heading("7 Where the networks look")
    for sentence in sightings.found(tables["localisation_differences"], tables["localisation"]):
        page.finding(sentence)
    page.finding(sightings.randomised(tables["randomisation"]))
    material.show(page, "saliency")
    material.show(page, "saliency_sizes")
    _lesions(page, material)
    _sanity(page, material)


def _lesions(page: Page, material: Material) -> None:
    """Tell how well maps find lesions that people, or the drawing of the set, outlined."""
    table = material.tables["localisation"]
    if table.empty:
        page.note("No set of photographs with outlined lesions is configured.")
        return
    page.say("How well do the maps find the lesions?")
    page.table(table, ["set", *_NETWORK, "method", "control", "lesion", "n", *_SCORES, "reason"])
    material.explain(page, "localisation")
    material.show(page, "localisation")
    for sentence in sightings.resolved(material.tables["localisation_differences"]):
        page.say(f"What the large size adds for the smallest lesions. {sentence}")
    page.note(
        "Every difference, from each control and between the sizes, with its interval, is in "
        "tables/localisation_differences.csv."
    )
    material.show(page, "lesions")


def _sanity(page: Page, material: Material) -> None:
    """Tell whether the maps change with what they are to explain."""
    tables = material.tables
    page.say("Can the maps be believed? First: do they change when weights become random?")
    page.table(
        sightings.ends(tables["randomisation"]),
        [
            *_NETWORK,
            "method",
            "stage",
            "random_share",
            *_KNOWN,
            *bounded("similarity", "ssim"),
            "reason",
        ],
    )
    material.explain(page, "randomisation")
    material.show(page, "randomisation")
    material.show(page, "sanity")
    page.say("Second: does the network miss what they point to?")
    page.finding(sightings.missed(tables["deletion"]))
    page.table(
        tables["deletion"],
        [*_NETWORK, "method", "kind", *_KNOWN, *bounded(*_AREAS), "reason"],
    )
    material.explain(page, "deletion")
    material.show(page, "deletion")
    page.say("Third: do they change with the class that they are to explain?")
    page.finding(sightings.swapped(tables["class_swap"]))
    page.table(
        tables["class_swap"],
        [*_NETWORK, "method", *_KNOWN, *bounded("similarity", "difference"), "reason"],
    )
    material.explain(page, "class_swap")


def flips(page: Page, material: Material) -> None:
    """Tell which photographs the size decides."""
    tables = material.tables
    page.heading("8 What size changes")
    page.finding(sightings.flipped(tables["flip_tests"]))
    page.say("What changed from the small size to the large one, on the same photographs:")
    changed = sizes(tables["comparisons"])
    # How the calls differ is tested below, in a family of its own.
    page.table(changed, [name for name in changed.columns if name != "calls_p"])
    page.note(
        "Gains are large minus small. p: DeLong's test with patients as units, corrected (Holm) "
        "for the number of comparisons between the final runs. All of this speaks of the networks "
        "of the first seed; how much another training would differ, the table of seeds says where "
        "there are several."
    )
    page.say("Test photographs that are right at one size only, every seed:")
    page.table(tables["flip_tests"], _TESTS)
    material.explain(page, "flip_tests")
    page.table(tables["flips"], _FLIPS)
    material.explain(page, "flips")
    material.show(page, "flips")
