"""Predict photographs with a finished run."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retinopathy import devices, models, predictions, tables
from retinopathy.files import read_json
from retinopathy.logs import LOG, logged
from retinopathy.runs import Run


def main(
    run: Run,
    weights: Path,
    trained: Path,
    record: Path,
    records: Sequence[Path],
    split: str,
    predicted: Path,
) -> None:
    """Write the predictions of the photographs in `records`, under the name of their split.

    A run that diverged predicts nothing: its table is empty.
    """
    if read_json(record)["outcome"] == tables.DIVERGED:
        empty = pd.DataFrame(columns=list(tables.PREDICTIONS))
        tables.write(empty, predicted, tables.PREDICTIONS)
        return
    model = models.load_trained(run, weights, trained)
    table = predictions.predict(model, list(records), run.size, split)
    LOG.info("%d photographs", len(table))
    tables.write(table, predicted, tables.PREDICTIONS)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        exact = job.config["training"]["deterministic"]
        LOG.info("device: %s", devices.prepare(job.threads, deterministic=exact))
        main(
            Run.parse(job.wildcards.run),
            Path(job.input.weights),
            Path(job.input.trained),
            Path(job.input.record),
            [Path(path) for path in job.input.records],
            job.params.split,
            Path(job.output.predictions),
        )
