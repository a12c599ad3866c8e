"""Labels of many patients, as manifests without photographs, and the tasks of the study."""

from pathlib import Path

import numpy as np
import pandas as pd

from retinopathy.splits import Task

EXTREMES = Task("extremes", negative=(0,), positive=(4,), photographs=10**6, balance="label")
REFERABLE = Task("referable", (0, 1), (2, 3, 4), 200, "label")


def patients(n: int, seed: int = 1) -> pd.DataFrame:
    """Return a manifest of both eyes of n patients, with the competition's shares of levels."""
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(n):
        level = rng.choice(5, p=[0.7, 0.08, 0.14, 0.04, 0.04])
        for eye in ("left", "right"):
            other = rng.choice(5) if rng.random() < 0.1 else level
            status = "unreadable" if rng.random() < 0.05 else "ok"
            rows.append((f"{patient}_{eye}", str(patient), other, status))
    table = pd.DataFrame(rows, columns=["image", "patient", "level", "status"])
    return table.astype({"level": "Int64"})


def official(real_photographs: Path) -> pd.DataFrame:
    """Return the competition's labels as a manifest in which every photograph is usable."""
    table = pd.read_csv(real_photographs / "trainLabels.csv").astype({"level": "Int64"})
    names = table["image"].str.rsplit("_", n=1)
    return table.assign(patient=names.str[0], eye=names.str[1], status="ok")
