import json
import runpy
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.predicted import random_table

from retinopathy import baseline_tables, intervals, tables

ROOT = Path(__file__).parents[2]
STARTS = {("referable", "xception"): "imagenet", ("referable", "densenet169"): "random, all"}


def predictions(inputs: str, fold: str, seed: int) -> pd.DataFrame:
    """Return what two methods predicted of the test photographs of a fold."""
    drawn = random_table(30, seed)
    places = {"task": "referable", "inputs": inputs, "fold": fold}
    known = drawn.assign(patient=f"{fold}-" + drawn["patient"], **places)
    return pd.concat(
        [known.assign(method="knn"), known.assign(method="svm", logit=-known["logit"])]
    )


def settings(inputs: str, fold: str, knn: str, svm: str) -> pd.DataFrame:
    chosen = pd.DataFrame({"method": ["knn", "svm"], "setting": [knn, svm]})
    return chosen.assign(task="referable", inputs=inputs, fold=fold)


def rows(predicted: list[pd.DataFrame], chosen: list[pd.DataFrame]) -> pd.DataFrame:
    return baseline_tables.rows(pd.concat(predicted), pd.concat(chosen), STARTS, 96, 1, 100)


def test_features_of_each_network_are_rows_of_their_own() -> None:
    kinds = ["metadata", "features/xception", "features/densenet169"]
    found = rows(
        [predictions(kind, "holdout", 1) for kind in kinds],
        [settings(kind, "holdout", "n_neighbors=5", "C=1") for kind in kinds],
    )
    assert tuple(found.columns)[: len(baseline_tables.COLUMNS)] == baseline_tables.COLUMNS
    assert found["method"].to_list() == ["knn", "svm"] * 3
    assert found["inputs"].to_list() == ["metadata"] * 2 + ["features"] * 4
    networks = found["network"].fillna("").to_list()
    assert networks == ["", "", "xception", "xception", "densenet169", "densenet169"]
    starts = found["initialisation"].fillna("").to_list()
    assert starts == ["", "", "imagenet", "imagenet", "random, all", "random, all"]
    assert found["size"].fillna(0).to_list() == [0, 0, 96, 96, 96, 96]
    assert set(found["fold"]) == {"holdout"}
    assert found["setting"].to_list() == ["n_neighbors=5", "C=1"] * 3


def test_folds_are_pooled_and_their_settings_joined() -> None:
    chosen = ["C=1", "C=0.1", "C=1"]
    folds = [predictions("pixels", str(fold), fold) for fold in range(3)]
    found = rows(
        folds,
        [settings("pixels", str(fold), "n_neighbors=5", svm) for fold, svm in enumerate(chosen)],
    )
    assert found["setting"].to_list() == ["n_neighbors=5", "C=1 (folds 0, 2); C=0.1 (fold 1)"]
    assert set(found["fold"]) == {"pooled"}
    pooled = pd.concat(folds)
    expected = intervals.evaluate(pooled[pooled["method"] == "knn"], 0.5, 1, 100)
    assert found.iloc[0][list(expected)].to_dict() == pytest.approx(expected)
    assert found["n"].to_list() == [180, 180]


def test_the_script_matches_settings_and_weights_to_their_predictions(tmp_path: Path) -> None:
    main: Any = runpy.run_path(str(ROOT / "workflow_scripts/baselines_table.py"))["main"]
    cases = [("referable", inputs, "holdout") for inputs in ("pixels", "features/xception")]
    predicted, chosen = [], []
    for place, (_, inputs, fold) in enumerate(cases):
        table = predictions(inputs, fold, 1).assign(image="1_left", level=0, split="test")
        predicted.append(tmp_path / f"{place}.csv")
        table[["method", *tables.PREDICTIONS]].to_csv(predicted[-1], index=False)
        chosen.append(tmp_path / f"settings-{place}.csv")
        settings(inputs, fold, f"n_neighbors={place}", "C=1").to_csv(chosen[-1], index=False)
    (tmp_path / "origin.json").write_text(json.dumps({"initialisation": "random_frozen"}))
    origins = {("referable", "xception"): tmp_path / "origin.json"}
    written = (tmp_path / "baselines.csv", tmp_path / "baselines.md")
    main(cases, predicted, chosen, origins, 96, 1, 100, *written)
    found = tables.read(written[0], baseline_tables.COLUMNS)
    assert found["setting"].to_list() == ["n_neighbors=0", "C=1", "n_neighbors=1", "C=1"]
    assert found["initialisation"].to_list()[2:] == ["random, frozen features"] * 2
    assert "C=1" in written[1].read_text()
