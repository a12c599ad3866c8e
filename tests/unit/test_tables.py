from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from retinopathy import tables
from retinopathy.errors import Explained


def test_ids_stay_text(tmp_path: Path) -> None:
    table = pd.DataFrame({"image": ["007_left"], "patient": ["007"], "fold": ["0"]})
    tables.write(table, tmp_path / "t.csv", ("image", "patient"))
    read = tables.read(tmp_path / "t.csv", ("image", "patient"))
    assert read.iloc[0].to_list() == ["007_left", "007", "0"]


def test_a_missing_column_is_named_when_writing_and_when_reading(tmp_path: Path) -> None:
    table = pd.DataFrame({"image": ["a"]})
    with pytest.raises(Explained, match="patient"):
        tables.write(table, tmp_path / "t.csv", ("image", "patient"))
    assert not (tmp_path / "t.csv").exists()
    tables.write(table, tmp_path / "t.csv", ("image",))
    with pytest.raises(Explained, match="patient"):
        tables.read(tmp_path / "t.csv", ("image", "patient"))


def test_metric_rows_begin_with_the_common_columns_and_keep_the_rest() -> None:
    table = tables.metric_rows([{"auc": 0.7, "brier": 0.2, "task": "referable"}])
    assert tuple(table.columns) == (*tables.METRICS, "brier")
    assert table["network"].isna().all()


def test_whole_numbers_stay_whole_beside_absent_ones(tmp_path: Path) -> None:
    table = tables.metric_rows([{"size": 224, "n": 10, "seed": 1}, {"n": 10, "seed": 1}])
    tables.write(table, tmp_path / "t.csv", tables.METRICS)
    assert "224.0" not in (tmp_path / "t.csv").read_text()
    assert tables.read(tmp_path / "t.csv", tables.METRICS)["size"].to_list() == [224, pd.NA]


def test_markdown_leaves_out_what_does_not_apply() -> None:
    table = pd.DataFrame({"n": [80.0, 100.0], "auc": [0.71234, np.nan], "none": [None, None]})
    text = tables.markdown(table)
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
    shown = tables.folded(table)
    assert list(shown.columns) == ["n", "auc", "rate_low"]
    assert shown["auc"].tolist()[:2] == ["0.812 (0.700–0.900)", "0.500"]
    assert pd.isna(shown["auc"][2])
    assert "0.812 (0.700–0.900)" in tables.markdown(table)
