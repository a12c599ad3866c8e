"""Rows of tables of metrics and of comparisons with known numbers."""

import pandas as pd

from retinopathy.localisation_tables import DIFFERENCES
from retinopathy.tables import WHOLE

NAN = float("nan")
FROZEN = "random, frozen features"


def metric(case: str, auc: float, **more: object) -> dict[str, object]:
    """Return a row of final runs; its interval is 0.1 on both sides unless given."""
    network, _, size = case.rpartition(" ")
    row = {
        "task": "referable",
        "method": network or case,
        "inputs": "pixels",
        "network": network or case,
        "size": int(size) if size.isdigit() else 96,
        "depth": "block14",
        "initialisation": "imagenet",
        "seed": 1,
        "split": "test",
        "fold": "holdout",
        "n": 0 if pd.isna(auc) else 72,
        "auc": auc,
        "auc_low": auc - 0.1,
        "auc_high": auc + 0.1,
        "case": case,
    }
    return row | more


def metrics(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(rows).astype(WHOLE)


def baseline(method: str, auc: float, inputs: str = "pixels", **more: object) -> dict[str, object]:
    """Return a row of a classical method; on features of Xception where it has features."""
    features = {"network": "xception", "initialisation": "imagenet"}
    own = features if inputs == "features" else {"network": NAN, "initialisation": NAN}
    row = metric(method, auc, method=method, inputs=inputs) | own | more
    return {name: value for name, value in row.items() if name != "case"}


def pair(case_a: str, case_b: str, difference: float, **more: object) -> dict[str, object]:
    """Return a comparison, of final runs unless said; its bounds are 0.1 below and 0.2 above."""
    row: dict[str, object] = {"study": "networks", "task": "referable", "n": 72, "seed": 1}
    row |= {"case_a": case_a, "case_b": case_b, "auc_p_holm": 0.03}
    row |= {"initialisation_a": "imagenet", "initialisation_b": "imagenet"}
    row |= {"clustered_mcnemar_p_holm": 0.5, "only_a_right": 3, "only_b_right": 7}
    for value in ("auc", "accuracy"):
        row |= {f"{value}_a": 0.7, f"{value}_b": 0.7 - difference}
        row |= {
            f"{value}_difference": difference,
            f"{value}_difference_low": difference - 0.1,
            f"{value}_difference_high": difference + 0.2,
        }
    return row | more


def pairs(*rows: dict[str, object]) -> pd.DataFrame:
    """Return comparisons; also where there are none."""
    return pd.DataFrame(rows, columns=list(pair("a", "b", 0)))


def ahead(compared: str, low: float, **changes: object) -> dict[str, object]:
    """Return a row of differences of localisation, whose average precision has a lower bound."""
    row: dict[str, object] = dict.fromkeys(DIFFERENCES)
    return (
        row
        | {
            "set": "drawn",
            "task": "referable",
            "network": "xception",
            "size": 192,
            "initialisation": "imagenet",
            "method": "cam",
            "lesion": "HE",
            "compared": compared,
            "n": 20,
            "average_precision_difference": low + 0.1,
            "average_precision_difference_low": low,
            "average_precision_difference_high": low + 0.2,
        }
        | changes
    )
