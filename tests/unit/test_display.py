import numpy as np
import pandas as pd

from retinopathy import display


def test_markdown_leaves_out_what_does_not_apply() -> None:
    table = pd.DataFrame({"n": [80.0, 100.0], "auc": [0.71234, np.nan], "none": [None, None]})
    text = display.markdown(table)
    assert "0.712" in text and "none" not in text and "nan" not in text
    assert "| 80" in text.replace("|   80", "| 80")


def test_bounds_are_shown_beside_their_value() -> None:
    table = pd.DataFrame(
        {
            "n": [10, 20, 30],
            "auc": [0.81234, 0.5, None],
            "auc_low": [0.7, None, None],
            "auc_high": [0.9, None, None],
            "rate_low": [1, 2, 3],
        }
    )
    shown = display.folded(table)
    assert list(shown.columns) == ["n", "auc", "rate_low"]
    assert shown["auc"].tolist()[:2] == ["0.812 (0.700–0.900)", "0.500"]
    assert pd.isna(shown["auc"][2])
    assert "0.812 (0.700–0.900)" in display.markdown(table)
