"""Make the table of the classical methods on the test split."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from retinopathy import baseline_tables, display, tables
from retinopathy.files import read_json
from retinopathy.logs import logged
from retinopathy.runs import INITIALISATIONS


def main(
    baselines: Sequence[tuple[str, str, str]],
    predictions: Sequence[Path],
    settings: Sequence[Path],
    origins: Mapping[tuple[str, str], Path],
    size: int,
    seed: int,
    repetitions: int,
    table: Path,
    markdown: Path,
) -> None:
    """Write one row per task, inputs and method, folds pooled.

    Args:
        baselines: Task, inputs and fold of each file of predictions and of settings.
        predictions: Files of predictions of the test split, one row per method and photograph.
        settings: Files of what cross-validation chose, one row per method.
        origins: Task and network → where the weights behind its features come from.
        size: Side of the photographs that the features are of, pixels.
        seed: Seed of the bootstrap.
        repetitions: Bootstrap samples behind every interval.
        table: Where to write the table as CSV.
        markdown: Where to write it as Markdown.
    """
    found = {key: read_json(path)["initialisation"] for key, path in origins.items()}
    rows = baseline_tables.rows(
        _read(baselines, predictions, ("method", *tables.PREDICTIONS)),
        _read(baselines, settings, baseline_tables.SETTINGS),
        {key: INITIALISATIONS[name] for key, name in found.items()},
        size,
        seed,
        repetitions,
    )
    tables.write(rows, table, baseline_tables.COLUMNS)
    display.write_markdown(rows, markdown)


def _read(
    baselines: Sequence[tuple[str, str, str]], paths: Sequence[Path], columns: Sequence[str]
) -> pd.DataFrame:
    """Return the tables of all baselines as one, with the task, inputs and fold of each row."""
    return pd.concat(
        tables.read(path, columns).assign(task=task, inputs=inputs, fold=fold)
        for (task, inputs, fold), path in zip(baselines, paths, strict=True)
    )


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        starts = [tuple(start) for start in job.params.starts]
        main(
            [tuple(entry) for entry in job.params.baselines],
            [Path(path) for path in job.input.predictions],
            [Path(path) for path in job.input.settings],
            dict(zip(starts, map(Path, job.input.origins), strict=True)),
            job.params.size,
            job.params.seed,
            job.params.repetitions,
            Path(job.output.table),
            Path(job.output.markdown),
        )
