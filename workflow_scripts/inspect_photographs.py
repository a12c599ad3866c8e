"""Look at one shard of the photographs: one row each, whatever is wrong with it."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retinopathy import manifest, sources
from retinopathy.files import written
from retinopathy.logs import LOG, logged


def main(
    folders: Sequence[Path],
    labels: Sequence[Path],
    refused: Sequence[Path],
    columns: tuple[str, str],
    shard: int,
    shards: int,
    table: Path,
) -> None:
    """Inspect the photographs of `folders` and the rows of `labels` that fall into `shard`.

    Args:
        folders: Folders of photographs, searched to any depth.
        labels: Label files; together they label the photographs of all folders.
        refused: Tables of what could not be taken out of an archive, and why.
        columns: Names of the columns with the image and the level.
        shard: Number of the shard, from 0.
        shards: How many shards there are.
        table: Where to write the rows.
    """
    labelled = pd.concat([sources.read_labels(path, *columns) for path in labels])
    rows = manifest.inspect_all(
        labelled,
        sources.by_image(folders),
        sources.read_refused(refused),
        shard,
        shards,
        LOG.info,
    )
    with written(table) as beside:
        rows.to_csv(beside, index=False)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            [Path(folder) for folder in job.params.folders],
            [Path(path) for path in job.input.labels],
            [Path(path) for path in job.input.refused],
            (job.params.image_column, job.params.level_column),
            int(job.wildcards.shard),
            job.params.shards,
            Path(job.output.table),
        )
