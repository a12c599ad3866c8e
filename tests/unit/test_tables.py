from pathlib import Path

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


def test_an_empty_count_makes_no_fraction_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    written = pd.DataFrame({"network": ["a", "b"], "only_large_right": pd.array([301, None])})
    tables.write(written, path, ["network"])
    assert f"{tables.read(path, ['network'])['only_large_right'][0]}" == "301"
