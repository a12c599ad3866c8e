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


@pytest.mark.parametrize("name", ["NA", "NULL", "NAN", "nan", "null", "None", "N/A", "INF", "TRUE"])
def test_a_name_that_looks_like_no_value_is_a_name(name: str, tmp_path: Path) -> None:
    names = {column: [name, name] for column in ("image", "patient", "lesion")}
    tables.write(pd.DataFrame(names), tmp_path / "t.csv", list(names))
    read = tables.read(tmp_path / "t.csv", list(names))
    assert read.to_dict("list") == names


def test_a_reason_that_looks_like_no_value_is_read_and_an_empty_one_is_none(tmp_path: Path) -> None:
    table = pd.DataFrame({"image": ["1", "2", "3"], "reason": ["NA", "", "too few"]})
    tables.write(table, tmp_path / "t.csv", ["reason"])
    read = tables.read(tmp_path / "t.csv", ["reason"])["reason"]
    assert read.to_list() == ["NA", pytest.approx(float("nan"), nan_ok=True), "too few"]


def test_numbers_that_are_none_or_without_end_are_read_as_such(tmp_path: Path) -> None:
    numbers = pd.DataFrame({"auc": [0.5, np.nan, np.inf], "loss": [np.nan, -np.inf, 1e-300]})
    whole = pd.DataFrame({"n": [1, None, 3], "only_a_right": [None, None, 2]}, dtype="Int64")
    outcomes = pd.DataFrame({"outcome": ["finished", tables.DIVERGED, None]})
    table = pd.concat([numbers, whole, outcomes], axis=1)
    tables.write(table, tmp_path / "t.csv", ["auc"])
    read = tables.read(tmp_path / "t.csv", ["auc"])
    pd.testing.assert_frame_equal(read, table)


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
