"""Predict the test photographs of a task with the fitted classical methods."""

from pathlib import Path

import numpy as np
import pandas as pd

from retinopathy import baseline_inputs, baselines, devices, tables
from retinopathy.logs import LOG, logged


def main(materials: baseline_inputs.Materials, models: Path, table: Path) -> None:
    """Write one row per method and test photograph to `table`."""
    x, rows = baseline_inputs.load(materials)
    predicted = []
    for method, fitted in baselines.load(models).items():
        logit = baselines.predict(fitted, x)
        predicted.append(
            rows.assign(
                method=method, split="test", logit=logit, probability=1 / (1 + np.exp(-logit))
            )
        )
    tables.write(pd.concat(predicted), table, ("method", *tables.PREDICTIONS))


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        exact = job.config["training"]["deterministic"]
        LOG.info("device: %s", devices.prepare(job.threads, deterministic=exact))
        main(
            baseline_inputs.Materials.of(
                job.input.records,
                job.input.weights,
                job.input.manifest,
                **job.params.materials,
            ),
            Path(job.input.models),
            Path(job.output.predictions),
        )
