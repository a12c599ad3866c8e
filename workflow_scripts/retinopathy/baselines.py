"""Classical methods on vectors: pixels, frozen features or metadata.

Each method is a scikit-learn pipeline with a small grid of settings. The setting is chosen by
cross-validation on the training split, the photographs of a patient kept in one fold, and the
pipeline is then fitted to the whole of it.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import joblib
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from retinopathy.errors import Explained
from retinopathy.files import written

Split = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Rows to fit on and rows to judge by."""

_FOLDS = 4
_COMPONENTS = 100  # directions kept by principal component analysis
_CERTAIN = 1e-6  # probabilities nearer to 0 or 1 have no logit worth the name


@dataclass(frozen=True)
class _Method:
    """A classifier and its grid; a grid's first values are used where none can be chosen.

    Attributes:
        classifier: Makes the classifier from a seed.
        grid: Setting of the classifier → values to try.
        scaled: Whether inputs are standardised, and long ones reduced to their principal
            components; trees need neither.
        whitened: Whether components are brought to unit variance.
    """

    classifier: Callable[[int], Any]
    grid: Mapping[str, tuple[float, ...]]
    scaled: bool = True
    whitened: bool = False


_METHODS = {
    "random_forest": _Method(
        lambda seed: RandomForestClassifier(200, max_features="log2", random_state=seed),
        {"min_samples_leaf": (1, 5)},
        scaled=False,
    ),
    "svm": _Method(lambda seed: SVC(random_state=seed), {"C": (1.0, 0.1, 10.0)}),
    "mlp": _Method(
        lambda seed: MLPClassifier((64,), max_iter=100, random_state=seed),
        {"alpha": (0.1, 0.001, 10.0)},
        whitened=True,
    ),
    "knn": _Method(
        lambda _: KNeighborsClassifier(weights="distance"), {"n_neighbors": (5, 15, 45)}
    ),
    "logistic_regression": _Method(
        lambda seed: LogisticRegression(max_iter=1000, random_state=seed),
        {"C": (0.1, 0.001, 0.01, 1.0)},
    ),
}

METHODS = tuple(_METHODS)
"""Names of the classical methods, in the order of the tables."""


@dataclass(frozen=True)
class Fitted:
    """A fitted method.

    Attributes:
        method: One of `METHODS`.
        setting: The setting that was kept.
        auc: Its mean AUC over the folds of cross-validation; NaN where there were too few
            patients to choose by, and the first values of the grid were taken.
        pipeline: The scikit-learn pipeline, fitted to the training split.
    """

    method: str
    setting: dict[str, float]
    auc: float
    pipeline: Any

    @property
    def named(self) -> str:
        """The setting for people, such as `C=0.1`; where none could be chosen, it says so."""
        values = ", ".join(f"{name}={value:g}" for name, value in self.setting.items())
        return f"{values}, not chosen: too few patients" if np.isnan(self.auc) else values


def pixels(images: NDArray[np.uint8], side: int) -> NDArray[np.float32]:
    """Return photographs as vectors: reduced by averaging areas, in [0, 1].

    Args:
        images: Photographs, (n, size, size, 3).
        side: Side after reduction, pixels; at most `size`.

    Returns:
        Shape (n, side · side · 3).

    Raises:
        Explained: `side` is larger than the photographs.
    """
    size = images.shape[1]
    if not 0 < side <= size:
        raise Explained(
            "photographs cannot be reduced to that side",
            expected=f"1 to {size} pixels",
            received=side,
            hint="lower `baselines.pixels`, or raise `baselines.size`",
        )
    vectors = np.empty((len(images), side * side * 3), dtype=np.float32)
    for vector, image in zip(vectors, images, strict=True):
        reduced = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        vector[:] = reduced.ravel()
    return vectors / np.float32(255)


def fit(method: str, x: NDArray[np.float32], y: ArrayLike, groups: ArrayLike, seed: int) -> Fitted:
    """Choose a setting of `method` by cross-validation over patients and fit it.

    Args:
        method: One of `METHODS`.
        x: Inputs, (n, dimensions), finite.
        y: Labels 0 and 1, (n,).
        groups: Patients, (n,).
        seed: Governs the folds and whatever is random in the method.

    Raises:
        Explained: `method` is unknown, a class is missing, or `x` is not finite.
    """
    labels, patients = np.asarray(y, dtype=np.int64), np.asarray(groups)
    _check(method, x, labels)
    splits = patient_splits(labels, patients, seed)
    smallest = min((len(train) for train, _ in splits), default=len(x))
    pipeline = _pipeline(_METHODS[method], smallest, x.shape[1], seed)
    grid = _grid(_METHODS[method], smallest)
    with warnings.catch_warnings():
        # The number of passes is part of the setting, not a tolerance that should be met.
        warnings.simplefilter("ignore", ConvergenceWarning)
        if not splits:
            setting = {name: values[0] for name, values in grid.items()}
            pipeline.set_params(**setting).fit(x, labels)
            return Fitted(method, _bare(setting), float("nan"), pipeline)
        search = GridSearchCV(pipeline, grid, scoring="roc_auc", cv=splits).fit(x, labels)
    return Fitted(
        method, _bare(search.best_params_), float(search.best_score_), search.best_estimator_
    )


def predict(fitted: Fitted, x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the logit of the diseased class, (n,).

    A support vector machine has no probabilities: the distance from its boundary, in margins,
    stands for the logit, so that its decisions are its own but its calibration is not.
    """
    if hasattr(fitted.pipeline, "decision_function"):
        return np.asarray(fitted.pipeline.decision_function(x), dtype=np.float64)
    probability = fitted.pipeline.predict_proba(x)[:, 1].clip(_CERTAIN, 1 - _CERTAIN)
    return np.asarray(np.log(probability / (1 - probability)), dtype=np.float64)


def save(fitted: Mapping[str, Fitted], path: Path) -> None:
    """Write fitted methods by name, whole or not at all."""
    with written(path) as beside:
        joblib.dump(dict(fitted), beside, compress=1)


def save_settings(fitted: Mapping[str, Fitted], path: Path) -> None:
    """Write what cross-validation chose as CSV, whole or not at all.

    Columns method, setting (for people) and auc: its mean over the folds, empty where there were
    too few patients to choose by.
    """
    rows = [(method, one.named, one.auc) for method, one in fitted.items()]
    table = pd.DataFrame(rows, columns=["method", "setting", "auc"])
    with written(path) as beside:
        table.to_csv(beside, index=False, lineterminator="\n")


def load(path: Path) -> dict[str, Fitted]:
    """Read what `save` wrote.

    Reading runs code from the file, as unpickling does: read only files that this workflow made.

    Raises:
        Explained: The file holds something else.
    """
    content = joblib.load(path)
    if not (isinstance(content, dict) and all(isinstance(one, Fitted) for one in content.values())):
        raise Explained(
            f"{path} does not hold fitted methods",
            expected="a file written by the rule `fit_baseline`",
            received=type(content).__name__,
            hint="delete it and run the workflow again",
        )
    return content


def patient_splits(y: NDArray[np.int64], groups: NDArray[Any], seed: int) -> list[Split]:
    """Return folds that keep patients together and classes in proportion.

    There are four folds, fewer where a class has fewer patients; folds that lack a class in
    either part are left out, as they can judge nothing. None are left when patients are too few.
    """
    patients = min(len(np.unique(groups[y == label])) for label in (0, 1))
    folds = min(_FOLDS, patients)
    if folds < 2:
        return []
    dealer = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    return [
        (train, test)
        for train, test in dealer.split(np.zeros(len(y)), y, groups)
        if len(np.unique(y[train])) == len(np.unique(y[test])) == 2
    ]


def _pipeline(method: _Method, rows: int, dimensions: int, seed: int) -> Any:
    """Return the unfitted pipeline for at least `rows` rows of `dimensions` numbers."""
    steps: list[Any] = [StandardScaler()] if method.scaled else []
    if method.scaled and dimensions > _COMPONENTS:
        components = max(1, min(_COMPONENTS, rows - 1))
        steps.append(PCA(components, whiten=method.whitened, random_state=seed))
    return make_pipeline(*steps, method.classifier(seed))


def _grid(method: _Method, rows: int) -> dict[str, list[float]]:
    """Return the grid under the pipeline's names; there are no more neighbours than rows."""
    stem = type(method.classifier(0)).__name__.lower()
    return {
        f"{stem}__{name}": [v for v in values if name != "n_neighbors" or v <= rows] or [rows]
        for name, values in method.grid.items()
    }


def _bare(setting: Mapping[str, Any]) -> dict[str, float]:
    """Return a setting under the classifier's names."""
    return {name.partition("__")[2]: value for name, value in setting.items()}


def _check(method: str, x: NDArray[np.float32], y: NDArray[np.int64]) -> None:
    if method not in _METHODS:
        raise Explained(
            "unknown classical method",
            expected=", ".join(METHODS),
            received=method,
            hint="choose one of those",
        )
    if set(np.unique(y)) != {0, 1}:
        raise Explained(
            "a classifier needs photographs of both classes to learn from",
            expected="labels 0 and 1",
            received=f"{len(y)} photographs with the labels {np.unique(y).tolist()}",
            hint="give the training split more photographs",
        )
    if not np.isfinite(x).all():
        raise Explained(
            "inputs of a classical method have to be numbers",
            expected="finite values",
            received=f"{int((~np.isfinite(x)).sum())} values that are not",
            hint="look for empty cells in the manifest, or broken weights behind the features",
        )
