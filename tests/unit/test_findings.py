import pandas as pd
import pytest

from retinopathy import findings


def pair(case_a: str, case_b: str, difference: float, **more: object) -> dict[str, object]:
    row: dict[str, object] = {"study": "networks", "task": "referable", "n": 40}
    row |= {"case_a": case_a, "case_b": case_b, "auc_p_holm": 0.03}
    row |= {"seed": 1, "initialisation_a": "imagenet", "initialisation_b": "random, all"}
    row |= {"clustered_mcnemar_p_holm": 0.5, "only_a_right": 3, "only_b_right": 7}
    for value in ("auc", "accuracy"):
        row |= {f"{value}_a": 0.7, f"{value}_b": 0.7 - difference}
        row |= {
            f"{value}_difference": difference,
            f"{value}_difference_low": difference - 0.1,
            f"{value}_difference_high": difference + 0.2,
        }
    return row | more


def test_sizes_of_one_network_are_compared_whatever_their_order() -> None:
    table = findings.sizes(
        pd.DataFrame(
            [
                pair("xception 96", "xception 192", -0.1),
                pair("xception 96", "densenet169 192", 0.4),
                pair("densenet169 448", "densenet169 96", 0.05),
                pair("xception 96", "xception 192", 0.9, study="depth"),
            ]
        )
    ).set_index("network")
    assert list(table.index) == ["xception", "densenet169"]
    assert list(table["initialisation"]) == ["random, all", "imagenet"]  # of the large one
    rising, other = table.loc["xception"], table.loc["densenet169"]
    assert (rising["auc_small"], rising["auc_large"]) == pytest.approx((0.7, 0.8))
    assert tuple(rising[["auc_gain", "auc_gain_low", "auc_gain_high"]]) == pytest.approx(
        (0.1, -0.1, 0.2)
    )
    assert (rising["only_small_right"], rising["only_large_right"]) == (3, 7)
    assert (other["accuracy_small"], other["accuracy_large"]) == pytest.approx((0.65, 0.7))
    assert tuple(other[["auc_gain", "auc_gain_low", "auc_gain_high"]]) == pytest.approx(
        (0.05, -0.05, 0.25)
    )
    assert (other["only_small_right"], other["only_large_right"]) == (7, 3)


def test_an_absent_interval_is_said() -> None:
    row = pd.Series({"auc": 0.75, "auc_low": float("nan"), "auc_high": float("nan")})
    assert findings.interval(row, "auc") == "0.750 (no interval)"
