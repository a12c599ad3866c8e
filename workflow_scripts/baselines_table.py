"""Make the table of the classical methods on the test split."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retinopathy import intervals, tables
from retinopathy.files import read_json
from retinopathy.logs import logged
from retinopathy.runs import HOLDOUT, INITIALISATIONS


def main(
    baselines: Sequence[tuple[str, str, str]],
    predictions: Sequence[Path],
    origins: Sequence[Path],
    network: str,
    size: int,
    seed: int,
    repetitions: int,
    table: Path,
    markdown: Path,
) -> None:
    """Write one row per task, inputs and method, folds pooled.

    Args:
        baselines: Task, inputs and fold of each file of predictions.
        predictions: Files of predictions of the test split, one row per method and photograph.
        origins: Where the weights behind the features come from; empty without features.
        network: The network of the features.
        size: Side of the photographs that the features are of, pixels.
        seed: Seed of the bootstrap.
        repetitions: Bootstrap samples behind every interval.
        table: Where to write the table as CSV.
        markdown: Where to write it as Markdown.
    """
    read = [
        tables.read(path, ("method", *tables.PREDICTIONS)).assign(
            task=task, inputs=inputs, fold=fold
        )
        for (task, inputs, fold), path in zip(baselines, predictions, strict=True)
    ]
    found = {read_json(path)["initialisation"] for path in origins}
    frozen = {
        "network": network,
        "size": size,
        "depth": "head",
        "initialisation": ", ".join(sorted(INITIALISATIONS[name] for name in found)),
    }
    together = pd.concat(read).groupby(["task", "inputs", "method"], sort=False)
    rows = [
        {
            "task": task,
            "method": method,
            "inputs": inputs,
            **(frozen if inputs == "features" else {}),
            "seed": seed,
            "split": "test",
            "fold": HOLDOUT if baselines[0][2] == HOLDOUT else "pooled",
        }
        | intervals.evaluate(group, 0.5, seed, repetitions)
        for (task, inputs, method), group in together
    ]
    metric_table = tables.metric_rows(rows)
    tables.write(metric_table, table, tables.METRICS)
    tables.write_markdown(metric_table, markdown)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            [tuple(entry) for entry in job.params.baselines],
            [Path(path) for path in job.input.predictions],
            [Path(path) for path in job.input.origins],
            job.params.network,
            job.params.size,
            job.params.seed,
            job.params.repetitions,
            Path(job.output.table),
            Path(job.output.markdown),
        )
