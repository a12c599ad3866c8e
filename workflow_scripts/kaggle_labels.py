"""Put the labels of the competition together, fetching what is not there."""

import zipfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retinopathy import arrivals, kaggle, sources
from retinopathy.errors import Explained
from retinopathy.files import written
from retinopathy.logs import LOG, logged

COLUMNS = ("image", "level")
"""Columns of the competition's own files."""


def main(
    folder: Path,
    sets: Sequence[str],
    placed: Path | None,
    solution: Path | None,
    columns: tuple[str, str],
    labels: Path,
) -> None:
    """Write one table with the labels of all sets.

    Args:
        folder: Folder of the competition's files.
        sets: `train`, or `train` and `test`.
        placed: Labels of the training set that are there already.
        solution: Labels of the test set that are there already.
        columns: Columns with image and level in `placed`, and in what is written.
        labels: Where to write.
    """
    if placed is None:
        tables = [sources.read_labels(_training_labels(folder / "archives"), *COLUMNS)]
    else:
        tables = [sources.read_labels(placed, *columns)]
    if "test" in sets:
        tables.append(sources.read_labels(solution or _solution(folder), *COLUMNS))
    table = pd.concat(tables)
    table.columns = pd.Index(columns)
    with written(labels) as beside:
        table.to_csv(beside, index=False)


def _training_labels(archives: Path) -> Path:
    """Return the training set's labels, fetched and unpacked.

    Raises:
        Explained: They cannot be had, or are not in their archive.
    """
    arrivals.obtain(archives, kaggle.LABELS, LOG.info)
    target = archives / Path(kaggle.LABELS).stem
    try:
        with zipfile.ZipFile(archives / kaggle.LABELS) as opened, written(target) as beside:
            beside.write_bytes(opened.read(target.name))
    except (zipfile.BadZipFile, KeyError) as error:
        raise Explained(
            f"{archives / kaggle.LABELS} is not the archive of the labels",
            expected=f"a zip with {target.name} in it",
            received=error,
            hint="remove it and its record, and run again",
        ) from error
    return target


def _solution(folder: Path) -> Path:
    """Return the test set's labels, if Kaggle has them.

    Raises:
        Explained: They cannot be had.
    """
    try:
        arrivals.obtain(folder / "archives", kaggle.SOLUTION, LOG.info)
    except kaggle.Missing as error:
        raise Explained(
            "the labels of the test set are not among the competition's files",
            expected=f"{folder / kaggle.SOLUTION} with columns image, level and Usage",
            received="no such file here, and none in Kaggle's list",
            hint=f"they were published in the forum, {kaggle.PAGE}/discussion: put them there by "
            "hand, or leave test out of `source: sets:`",
        ) from error
    return folder / "archives" / kaggle.SOLUTION


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.params.photographs),
            job.params.sets,
            next(map(Path, job.input.placed), None),
            next(map(Path, job.input.solution), None),
            (job.params.image_column, job.params.level_column),
            Path(job.output.labels),
        )
