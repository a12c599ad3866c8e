import pandas as pd
from tests.measured import FROZEN, NAN, metric, metrics

from retinopathy import assurances
from retinopathy.intervals import bounded
from retinopathy.standings import champion

BEST = metrics(metric("xception 96", 0.8)).iloc[0]
KEYS = {"task": "referable", "case": "xception 96", "seed": 1}


def bounds(name: str, value: float) -> dict[str, object]:
    return dict(zip(bounded(name), (value, value - 0.1, value + 0.1), strict=True))


def calibrated(after: float, temperature: float) -> pd.DataFrame:
    rows = [("as predicted", 0.2, 1.0), ("temperature scaled", after, temperature)]
    return pd.DataFrame(
        KEYS | {"probabilities": kind, "temperature": t} | bounds("ece", ece)
        for kind, ece, t in rows
    )


def test_probabilities_are_told_before_and_after_scaling() -> None:
    said = assurances.calibration(calibrated(0.15, 2.0), BEST)
    assert said == (
        "The probabilities of xception at 96 px are off by 0.200 (0.100 to 0.300) on average "
        "(expected calibration error), and by 0.150 (0.050 to 0.250) at the temperature 2.00 that "
        "validation chose (above 1: too sure of itself there)."
    )
    assert "below 1: not sure enough" in str(assurances.calibration(calibrated(0.15, 0.5), BEST))


def test_a_model_without_probabilities_says_nothing_of_them() -> None:
    assert assurances.calibration(calibrated(NAN, 1.0), BEST) is None
    assert assurances.calibration(calibrated(0.1, 1.0).assign(seed=2), BEST) is None


POINTS = pd.DataFrame(
    [
        KEYS
        | {"point": "largest Youden index"}
        | bounds("sensitivity", 0.8)
        | bounds("specificity", 0.7)
        | bounds("ppv_at_0.05", 0.3)
        | bounds("ppv_at_0.2", 0.6)
    ]
)


def test_the_frozen_threshold_is_told_with_what_screening_would_make_of_it() -> None:
    assert assurances.operating(POINTS, BEST) == (
        "At the threshold with the largest Youden index on validation, xception at 96 px finds "
        "80 % (70 to 90 %) of the diseased photographs and calls 70 % (60 to 80 %) of the healthy "
        "ones healthy. Were 5 % of those photographed diseased, 30 % (20 to 40 %) of those that it "
        "calls diseased would be."
    )
    nobody = str(assurances.operating(POINTS.assign(**{"ppv_at_0.05": NAN}), BEST))
    assert nobody.endswith("healthy.")
    assert assurances.operating(POINTS.assign(sensitivity=NAN), BEST) is None


def test_ensembles_with_random_members_are_named_and_not_the_best() -> None:
    table = metrics(
        metric("all networks, 96", 0.95, initialisation=f"imagenet; {FROZEN}"),
        metric("xception, all sizes", 0.9),
        metric("vgg, all sizes", 0.8),
        metric("densenet169, all sizes", 0.5, initialisation=FROZEN),
    )
    best, mixed = assurances.ensembles(table)
    assert "is “xception, all sizes”, with an AUC of 0.900" in best
    assert "“all networks, 96” and “densenet169, all sizes”. They say nothing" in mixed
    (only,) = assurances.ensembles(table.iloc[[0, 3]])
    assert only.startswith("With members that started from random weights")
    assert len(assurances.ensembles(table.iloc[1:3])) == 1


def test_the_best_model_is_told_on_external_sets() -> None:
    finals = metrics(metric("xception 96", 0.8), metric("xception 192", 0.7))
    external = metrics(
        metric("xception 96", 0.6, set="other", n=40),
        metric("xception 96", NAN, set="lost"),
        metric("xception 192", 0.9, set="other"),
    )
    (said,) = assurances.external(external, finals)
    assert "on 40 photographs of “other”, xception at 96 px has an AUC of 0.600" in said
    assert said.endswith("test split, 0.800.")
    assert assurances.external(external, metrics(metric("xception 96", NAN))) == []
    assert champion(metrics(metric("xception 96", NAN))) is None
