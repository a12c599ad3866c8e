from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from retinopathy import baselines
from retinopathy.errors import Explained

Data = tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.str_]]


def data(patients: int, dimensions: int, seed: int, *, apart: float = 1.0) -> Data:
    generator = np.random.default_rng(seed)
    y = np.repeat(generator.permutation(np.arange(patients) % 2), 2)
    x = generator.normal(size=(2 * patients, dimensions)).astype(np.float32)
    x[:, :4] += apart * y[:, None]
    return x, y, np.repeat(np.arange(patients).astype(str), 2)


def test_pixels_are_means_of_areas_in_unit_range() -> None:
    images = np.zeros((2, 4, 4, 3), np.uint8)
    images[1, :2, :2, 0] = [[0, 100], [200, 100]]
    images[1, 2:, 2:] = 255
    vectors = baselines.pixels(images, 2)
    assert vectors.shape == (2, 12)
    assert vectors.dtype == np.float32
    assert not vectors[0].any()
    expected = np.zeros((2, 2, 3))
    expected[0, 0, 0] = 100 / 255
    expected[1, 1] = 1
    assert vectors[1] == pytest.approx(expected.ravel())


def test_pixels_are_not_enlarged() -> None:
    with pytest.raises(Explained, match="1 to 4 pixels"):
        baselines.pixels(np.zeros((1, 4, 4, 3), np.uint8), 5)


@pytest.mark.parametrize("method", baselines.METHODS)
@pytest.mark.parametrize("dimensions", [4, 300], ids=["short", "long"])
def test_every_method_learns_what_is_there(method: str, dimensions: int) -> None:
    x, y, groups = data(60, dimensions, 1, apart=3.0)
    fitted = baselines.fit(method, x, y, groups, seed=1)
    unseen, truth, _ = data(60, dimensions, 2, apart=3.0)
    logit = baselines.predict(fitted, unseen)
    assert logit.shape == (120,)
    assert np.isfinite(logit).all()
    assert roc_auc_score(truth, logit) > 0.8
    assert fitted.auc > 0.8
    assert ((logit > 0) == truth).mean() > 0.7


@pytest.mark.parametrize("method", baselines.METHODS)
def test_same_seed_same_predictions(method: str) -> None:
    x, y, groups = data(20, 120, 1)
    first, again = (baselines.predict(baselines.fit(method, x, y, groups, 3), x) for _ in "ab")
    assert np.array_equal(first, again)


@pytest.mark.parametrize("method", baselines.METHODS)
@pytest.mark.parametrize("patients", [2, 3, 6])
def test_tiny_sets_are_fitted(method: str, patients: int) -> None:
    x, y, groups = data(patients, 300, 1)
    fitted = baselines.fit(method, x, y, groups, seed=1)
    assert fitted.setting
    assert np.isfinite(baselines.predict(fitted, x)).all()


def test_first_setting_is_taken_where_none_can_be_chosen() -> None:
    x, y, groups = data(2, 5, 1)
    fitted = baselines.fit("logistic_regression", x, y, groups, seed=1)
    assert fitted.setting == {"C": 0.1}
    assert np.isnan(fitted.auc)
    assert fitted.named == "C=0.1, not chosen: too few patients"


def test_settings_are_written_for_people(tmp_path: Path) -> None:
    x, y, groups = data(20, 5, 1)
    fitted = {name: baselines.fit(name, x, y, groups, 1) for name in ("knn", "mlp")}
    baselines.save_settings(fitted, tmp_path / "settings.csv")
    found = pd.read_csv(tmp_path / "settings.csv")
    assert found["method"].to_list() == ["knn", "mlp"]
    assert found["setting"].to_list() == [
        f"n_neighbors={fitted['knn'].setting['n_neighbors']}",
        f"alpha={fitted['mlp'].setting['alpha']:g}",
    ]
    assert found["auc"].to_list() == pytest.approx([one.auc for one in fitted.values()])


@pytest.mark.parametrize("patients", [4, 9, 30])
def test_patients_are_in_one_fold_only(patients: int) -> None:
    _, y, groups = data(patients, 5, 1)
    splits = baselines.patient_splits(y, groups, 1)
    assert 1 <= len(splits) <= 4
    for train, judged in splits:
        assert not set(groups[train]) & set(groups[judged])
        assert set(y[train]) == set(y[judged]) == {0, 1}


def test_cross_validation_does_not_reward_recognising_the_patient() -> None:
    generator = np.random.default_rng(0)
    patients = 80
    faces = np.repeat(generator.normal(size=(patients, 20)), 2, axis=0)
    x = (faces + 0.01 * generator.normal(size=faces.shape)).astype(np.float32)
    y = np.repeat(np.arange(patients) % 2, 2)
    fitted = baselines.fit("knn", x, y, np.repeat(np.arange(patients), 2), seed=1)
    leaking = baselines.fit("knn", x, y, np.arange(2 * patients), seed=1)
    assert leaking.auc > 0.9
    assert fitted.auc < 0.7


def test_missing_class_is_explained() -> None:
    x, _, groups = data(6, 5, 1)
    with pytest.raises(Explained, match="both classes"):
        baselines.fit("svm", x, np.ones(12, int), groups, 1)


def test_inputs_that_are_not_numbers_are_explained() -> None:
    x, y, groups = data(6, 5, 1)
    x[3, 2] = np.nan
    with pytest.raises(Explained, match="1 values"):
        baselines.fit("svm", x, y, groups, 1)


def test_unknown_method_is_explained() -> None:
    x, y, groups = data(6, 5, 1)
    with pytest.raises(Explained, match="random_forest"):
        baselines.fit("boosting", x, y, groups, 1)


def test_saved_methods_predict_the_same(tmp_path: Path) -> None:
    x, y, groups = data(20, 120, 1)
    fitted = {name: baselines.fit(name, x, y, groups, 1) for name in ("knn", "svm")}
    baselines.save(fitted, tmp_path / "models.joblib")
    loaded = baselines.load(tmp_path / "models.joblib")
    assert list(loaded) == ["knn", "svm"]
    for name, one in fitted.items():
        assert loaded[name].setting == one.setting
        assert np.array_equal(baselines.predict(loaded[name], x), baselines.predict(one, x))
    assert [path.name for path in tmp_path.iterdir()] == ["models.joblib"]


def test_other_content_is_explained(tmp_path: Path) -> None:
    joblib.dump([1, 2], tmp_path / "other.joblib")
    with pytest.raises(Explained, match="does not hold fitted methods"):
        baselines.load(tmp_path / "other.joblib")
