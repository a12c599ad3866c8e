import pandas as pd
import pytest
from tests.measured import FROZEN, NAN, ahead

from retinopathy import sightings
from retinopathy.flips import TESTS
from retinopathy.localisation_tables import COLUMNS, CONTROL, DIFFERENCES, TRAINED, UNTRAINED
from retinopathy.sanity_tables import CLASS_SWAP, DELETION, RANDOMISATION

RIVALS = ("uniform", "vessel filter", "edge filter", "random network")
NOTHING = pd.DataFrame(columns=list(COLUMNS))
SCORES = pd.DataFrame(
    {
        "set": "drawn",
        "task": "referable",
        "network": "xception",
        "size": 192,
        "method": ["cam", "cam", "cam", "uniform"],
        "control": [TRAINED, TRAINED, UNTRAINED, CONTROL],
        "lesion": ["HE", "MA", "HE", "HE"],
        "lift": [2.5, 3.5, 1.5, 1.0],
    }
)


def differences(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(DIFFERENCES))


def against(*lows: float, **changes: object) -> list[dict[str, object]]:
    """Return what a map is ahead of each of its rivals."""
    return [
        ahead(f"trained network − {rival}", low, **changes)
        for rival, low in zip(RIVALS, lows, strict=True)
    ]


def test_a_type_of_lesion_is_found_where_a_map_is_ahead_of_every_control() -> None:
    (said,) = sightings.found(
        differences(
            *against(0.1, 0.2, 0.1, 0.3),
            *against(0.1, -0.1, 0.1, 0.2, lesion="MA"),
            *against(0.1, NAN, 0.1, 0.1, lesion="EX"),
            ahead("192 px − 96 px", -0.5),
        ),
        SCORES,
    )
    assert "CAM: haemorrhages (2.5 times chance, n = 20) of 2 types found, " in said
    assert "not told for want of patients: hard exudates;" in said
    assert "Guided Grad-CAM: nothing is known" in said
    assert "ahead of all but the vessel filter for microaneurysms (3.5 times chance, n" in said
    (said,) = sightings.found(differences(*against(0.1, -0.1, -0.1, 0.2, lesion="MA")), SCORES)
    assert "ahead of all but the vessel filter and edge filter for microaneurysms" in said
    (said,) = sightings.found(differences(*against(-0.1, -0.1, 0.1, 0.2, lesion="MA")), SCORES)
    assert "microaneurysms" not in said


def test_all_lesions_together_and_anatomy_are_no_types() -> None:
    rows = [row for kind in ("all", "OD") for row in against(0.1, 0.1, 0.1, 0.1, lesion=kind)]
    assert sightings.found(differences(*rows), SCORES) == []
    (said,) = sightings.found(differences(*rows, *against(0.1, 0.1, 0.1, 0.1)), SCORES)
    assert "of 1 type" in said


def test_without_intervals_nothing_is_said_to_be_found_or_not() -> None:
    (said,) = sightings.found(differences(*against(0.1, 0.1, 0.1, NAN)), SCORES)
    assert "CAM: nothing is known, for want of patients" in said
    (said,) = sightings.found(differences(*against(-0.1, 0.1, 0.1, 0.1)), SCORES)
    assert "CAM: none of 1 type found" in said


def test_networks_from_random_weights_are_not_told_as_finding_lesions() -> None:
    own = against(0.1, 0.1, 0.1, 0.1, network="densenet169", initialisation=FROZEN)
    (said,) = sightings.found(differences(*own), SCORES)
    assert "No network from ImageNet weights" in said
    assert "1 network from random weights" in said
    assert "densenet169" not in said


def test_without_photographs_with_outlined_lesions_nothing_is_found() -> None:
    assert sightings.found(differences(), NOTHING) == []
    assert sightings.resolved(differences()) == []
    nobody = differences({"set": "drawn", "task": "referable", "n": 0})
    assert sightings.found(nobody, NOTHING) == []


def test_what_the_large_size_adds_is_told_of_microaneurysms_alone() -> None:
    sizes = ahead("192 px − 96 px", 0.1, lesion="MA")
    (said,) = sightings.resolved(
        differences(sizes, ahead("192 px − 96 px", 0.4), *against(0.7, 0.7, 0.7, 0.7, lesion="MA"))
    )
    assert "microaneurysms in 20 photographs" in said
    assert said.endswith("xception, 192 px − 96 px, CAM +0.2000 (+0.1000 to +0.3000).")


def randomisation(*rows: tuple[str, str, str, float, float, int, int]) -> pd.DataFrame:
    names = ("method", "kind", "stage", "random_share", "similarity", "n", "undefined")
    network = {"task": "referable", "network": "xception", "size": 96, "initialisation": "imagenet"}
    return pd.DataFrame(
        [network | dict(zip(names, row, strict=True)) for row in rows],
        columns=list(RANDOMISATION),
    )


def test_what_is_left_of_a_map_is_told_of_the_end_of_the_cascade() -> None:
    table = randomisation(
        ("cam", "cascading", "head", 0.1, 0.9, 6, 0),
        ("cam", "cascading", "stem", 1.0, -0.05, 6, 0),
        ("guided_grad_cam", "cascading", "stem", 1.0, 0.61, 4, 2),
        ("cam", "independent", "stem", 0.2, 0.7, 6, 0),
    )
    said = sightings.randomised(table)
    assert "CAM −0.05 and Guided Grad-CAM 0.61 (n = 4 of 6)." in said
    assert sightings.randomised(randomisation()).startswith("No network was made random")


def test_the_end_of_a_cascade_is_each_networks_own_and_may_be_undefined() -> None:
    one = randomisation(
        ("grad_cam", "cascading", "head", 0.1, 0.9, 6, 0),
        ("grad_cam", "cascading", "stem", 1.0, NAN, 0, 6),
    )
    other = one.assign(network="densenet169", random_share=[0.1, 1.0000000000000002])
    both = pd.concat([one, other])
    assert sightings.ends(both)["network"].to_list() == ["xception", "densenet169"]
    assert sightings.randomised(both).count("Grad-CAM undefined") == 2


def test_a_network_misses_what_maps_point_to_where_no_other_order_does_as_well() -> None:
    row = {"task": "referable", "network": "xception", "initialisation": "imagenet"}
    row |= {"kind": "deletion"}
    rows = [
        row
        | {"method": method, "over_patches": value, "over_patches_low": value - 0.2}
        | {"logit_area_low": 1.0}
        for method, value in (
            ("cam", 0.3),
            ("grad_cam", 0.9),
            ("smooth_grad", 0.6),
            ("middle", 0.5),
            ("random_pixels", -1.0),
        )
    ]
    said = sightings.missed(pd.DataFrame(rows, columns=list(DELETION)))
    assert (
        "2 of 3 maps beyond the strongest control, the middle first: Grad-CAM and SmoothGrad."
        in said
    )
    alone = sightings.missed(pd.DataFrame(rows[:3], columns=list(DELETION)))
    assert "3 of 3 maps beyond the strongest control, patches by chance" in alone
    single = pd.DataFrame(rows, columns=list(DELETION)).assign(over_patches_low=NAN)
    assert "xception, task “referable”: not known, its CAM has a single cell" in sightings.missed(
        single
    )
    nothing = sightings.missed(pd.DataFrame(columns=list(DELETION)))
    assert nothing == "Whether networks miss what their maps point to is not known."


def test_maps_of_both_classes_are_told_with_how_many_photographs() -> None:
    row = {"task": "referable", "network": "xception", "initialisation": "imagenet"}
    rows = [
        row | {"method": "grad_cam", "similarity": -0.125, "n": 4, "undefined": 2},
        row | {"method": "guided_grad_cam", "similarity": NAN, "n": 0, "undefined": 6},
    ]
    said = sightings.swapped(pd.DataFrame(rows, columns=list(CLASS_SWAP)))
    assert "Grad-CAM of xception (“referable”) −0.12, n = 4 of 6." in said
    assert "not known" not in said and "Guided" not in said
    assert "not known" in sightings.swapped(pd.DataFrame(columns=list(CLASS_SWAP)))


@pytest.mark.parametrize(("p", "told"), [(0.01, "told apart"), (0.4, "not told apart")])
def test_flips_are_counted_and_tested(p: float, told: str) -> None:
    row = dict.fromkeys(TESTS) | {
        "task": "referable",
        "network": "xception",
        "size_small": 96,
        "size_large": 192,
        "initialisation": "imagenet",
        "seed": 1,
        "n": 72,
        "only_small_right": 11,
        "only_large_right": 12,
        "clustered_mcnemar_p_holm": p,
    }
    said = sightings.flipped(pd.DataFrame([row]))
    assert "12 are right at 192 px only and 11 at 96 px only" in said
    assert f"({told}, McNemar" in said
    assert "adjusted" in said
    control = sightings.flipped(pd.DataFrame([row | {"initialisation": FROZEN}]))
    assert "xception (from random weights: a control)" in control
    assert sightings.flipped(pd.DataFrame(columns=list(TESTS))).startswith("No photograph")
