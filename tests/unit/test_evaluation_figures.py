import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from scipy.special import expit, logit
from sklearn.metrics import confusion_matrix
from tests.predicted import random_table

import evaluation_curves
import evaluation_figure
from retinopathy import calibration, evaluation_figures, intervals, metrics, study_tables, tables
from retinopathy.runs import Run
from retinopathy.study_tables import Evidence

RUN = Run("referable", "xception", 96, "imagenet", "head", 0.001, 0.0, 0.5, "holdout", 1)
KINDS = ("roc", "precision_recall", "reliability", "confusion")


def evidence(
    threshold: float = 0.6, patients: int = 40, outcome: str = "finished", **changes: object
) -> Evidence:
    """Return what a run left; its photographs follow from its fold, its logits from all of it."""
    run = dataclasses.replace(RUN, **changes)  # type: ignore[arg-type]
    drawn = random_table(patients, 7 * sum(map(ord, run.fold)) + run.seed + run.size)
    drawn["patient"] = drawn["patient"] + f"of{run.fold}"
    drawn = drawn.assign(image=range(len(drawn)), level=4 * drawn["label"], split="test")
    record = {
        "starts_from": "imagenet",
        "outcome": outcome,
        "stop_reason": "all epochs done",
        "best_epoch": 2,
        "epochs_run": 3,
        "photographs": 60,
        "trainable_parameters": 2049,
        "seconds": 1.5,
    }
    kept = drawn.head(0) if outcome == "diverged" else drawn
    return Evidence(f"{run.network} {run.size}", run, record, pd.DataFrame(), kept, threshold)


def written(
    given: list[Evidence], temperatures: list[float | None], folder: Path
) -> dict[str, pd.DataFrame]:
    """Return the tables that the script writes, as the figures read them."""
    outputs = {name: folder / f"{name}.csv" for name in KINDS}
    known = [
        dataclasses.replace(item, frozen={} if one is None else {"temperature": one})
        for item, one in zip(given, temperatures, strict=True)
    ]
    evaluation_curves.main(known, 20, outputs)
    return {
        name: tables.read(path, getattr(evaluation_figures, name.upper()))
        for name, path in outputs.items()
    }


def test_tables_have_their_columns_and_say_what_they_are_of(tmp_path: Path) -> None:
    found = written([evidence()], [1.5], tmp_path)
    for name, table in found.items():
        assert tuple(table.columns) == getattr(evaluation_curves, name.upper())
        described = table[list(evaluation_curves.KEYS)].drop_duplicates().to_dict("records")
        assert described == [
            {
                "task": "referable",
                "case": "xception 96",
                "network": "xception",
                "size": 96,
                "initialisation": "imagenet",
                "seed": 1,
                "split": "test",
                "fold": "holdout",
                "n": 80,
            }
        ]


def test_confusion_is_at_the_frozen_threshold_of_each_fold(tmp_path: Path) -> None:
    folds = [evidence(threshold, fold=fold) for fold, threshold in (("0", 0.3), ("1", 0.9))]
    cells = written(folds, [1.0, 1.0], tmp_path)["confusion"]
    called = [item.predictions["probability"] >= item.threshold for item in folds]
    labels = pd.concat([item.predictions["label"] for item in folds])
    expected = confusion_matrix(labels, pd.concat(called))
    counts, shares = evaluation_figures.matrix(cells.sample(frac=1, random_state=1))
    assert counts.tolist() == expected.tolist()
    assert shares == pytest.approx(expected / expected.sum(axis=1, keepdims=True))
    assert set(cells["fold"]) == {"pooled"}
    assert set(cells["n"]) == {160}
    assert cells["threshold"].unique() == pytest.approx([0.6])


@pytest.mark.parametrize("shift", [0.0, 30.0])
def test_curves_of_pooled_folds_do_not_compare_logits_of_two_models(
    shift: float, tmp_path: Path
) -> None:
    folds = [evidence(fold=fold) for fold in ("0", "1")]
    moved = folds[1].predictions.assign(logit=lambda table: table["logit"] + shift)
    given = [folds[0], dataclasses.replace(folds[1], predictions=moved)]
    found = written(given, [1.0, 1.0], tmp_path)
    pooled = pd.concat([item.predictions.assign(fold=item.run.fold) for item in folds])
    expected = metrics.value(pooled, metrics.ranking(pooled))
    roc, ranked = found["roc"], found["precision_recall"]
    assert np.trapezoid(roc["tpr"], roc["fpr"]) == pytest.approx(expected["auc"], abs=0.02)
    assert ranked["precision"].mean() == pytest.approx(expected["average_precision"], abs=0.03)
    assert ranked["prevalence"].unique() == pytest.approx([pooled["label"].mean()])


def test_reliability_is_before_and_after_the_temperature_of_each_fold(tmp_path: Path) -> None:
    folds = [evidence(fold="0"), evidence(fold="1")]
    bins = written(folds, [0.5, 2.0], tmp_path)["reliability"]
    before, after = (bins[bins["scaling"] == name] for name in ("none", "temperature"))
    pooled = pd.concat([item.predictions for item in folds], ignore_index=True)
    scaled = pooled.assign(probability=expit(pooled["logit"] / np.repeat([0.5, 2.0], 80)))
    for rows, predictions in ((before, pooled), (after, scaled)):
        excess = (rows["photographs"] * (rows["probability"] - rows["share"])).abs().sum()
        assert rows["ece"].unique() == pytest.approx([excess / 160])
        counted, _ = np.histogram(predictions["probability"], np.linspace(0, 1, 11))
        assert evaluation_figures.histogram(rows).tolist() == counted.tolist()
    assert before["temperature"].unique() == pytest.approx([1])
    assert after["temperature"].unique() == pytest.approx([1.25])


def test_error_before_scaling_is_that_of_the_table_of_metrics(tmp_path: Path) -> None:
    item = evidence()
    row = written([item], [2.0], tmp_path)["reliability"].iloc[0]
    expected = intervals.evaluate(item.predictions, item.threshold, item.run.seed, 20)
    names = ["ece", "ece_low", "ece_high"]
    assert row[names].to_list() == pytest.approx([expected[name] for name in names])


def test_a_temperature_mends_what_is_too_sure_of_itself(tmp_path: Path) -> None:
    drawn = np.random.default_rng(1)
    probability = drawn.uniform(0.05, 0.95, 4000)
    label = (drawn.uniform(size=4000) < probability).astype(int)
    sure = 4 * logit(probability)
    names = [str(place) for place in range(4000)]
    table = evidence(patients=2000).predictions.assign(
        patient=names, label=label, logit=sure, probability=expit(sure)
    )
    bins = written([dataclasses.replace(evidence(), predictions=table)], [4.0], tmp_path)
    errors = bins["reliability"].groupby("scaling")["ece"].first()
    assert errors["none"] > 0.15
    assert errors["temperature"] < 0.04


def test_empty_bins_hold_no_photographs() -> None:
    # 0.3 and 0.7 are not 3 and 7 tenths exactly.
    bins = pd.DataFrame({"low": [0.3, 0.7, 0.9], "photographs": [4, 5, 6]})
    assert evaluation_figures.histogram(bins).tolist() == [0, 0, 0, 4, 0, 0, 0, 5, 0, 6]
    assert evaluation_figures.histogram(bins.head(0)).sum() == 0
    assert len(evaluation_figures.histogram(bins)) == calibration.BINS


@pytest.mark.parametrize(
    ("photographs", "said"),
    [
        ([5, 9], ""),
        ([4, 5], "\n1 bin of fewer than 5 photographs not drawn"),
        ([1, 4], "\n2 bins of fewer than 5 photographs not drawn"),
        ([], ""),
    ],
)
def test_bins_that_are_not_drawn_are_counted(photographs: list[int], said: str) -> None:
    assert evaluation_figures.few(pd.DataFrame({"photographs": photographs})) == said


def test_a_final_run_of_which_a_fold_diverged_has_no_curves(tmp_path: Path) -> None:
    given = [
        evidence(fold="0"),
        evidence(fold="1", outcome="diverged"),
        evidence(fold="0", network="densenet169"),
        evidence(fold="1", network="densenet169"),
    ]
    for table in written(given, [1.0, None, 1.0, 1.0], tmp_path).values():
        assert set(table["network"]) == {"densenet169"}


def test_panels_are_of_a_task_and_size_and_of_the_first_seed() -> None:
    given = [
        evidence(size=size, network=network, seed=seed, task=task)
        for task in ("referable", "extremes")
        for network in ("xception", "densenet169")
        for size in (192, 96)
        for seed in (2, 1)
    ]
    table = study_tables.rows(given, 20, "test")
    panels = evaluation_figures.shown(table)
    assert [title for title, _ in panels] == [
        f"{task}, {size} px: n = 80" for task in ("referable", "extremes") for size in (96, 192)
    ]
    for _, finals in panels:
        assert finals["network"].to_list() == ["xception", "densenet169"]
        assert set(finals["seed"]) == {2}


def test_a_curve_is_found_by_its_task_case_and_seed(tmp_path: Path) -> None:
    given = [
        evidence(),
        evidence(seed=2),
        evidence(size=192),
        evidence(task="extremes"),
    ]
    bands = written(given, [1.0] * 4, tmp_path)["roc"]
    table = study_tables.rows(given, 20, "test")
    for _, final in table.iterrows():
        found = evaluation_figures.of(bands, final)
        assert len(found) == 101
        assert set(found["size"]) == {final["size"]}


@pytest.mark.parametrize("diverged", [["b"], ["a", "b"]], ids=["one", "all"])
def test_figures_are_drawn_where_runs_diverged(diverged: list[str], tmp_path: Path) -> None:
    given = [
        evidence(network=name, outcome="diverged" if name in diverged else "finished")
        for name in ("a", "b")
    ]
    temperatures = [None if name in diverged else 1.5 for name in ("a", "b")]
    written(given, temperatures, tmp_path)
    table = study_tables.rows(given, 20, "test")
    tables.write(table, tmp_path / "table.csv", tables.METRICS)
    inputs = {name: tmp_path / f"{name}.csv" for name in ("table", *KINDS)}
    outputs = {name: tmp_path / f"{name}.png" for name in KINDS}
    evaluation_figure.main(inputs, outputs)
    for path in outputs.values():
        assert imread(path).shape[1] > 400
