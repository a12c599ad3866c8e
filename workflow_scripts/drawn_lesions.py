"""Make the synthetic set of lesions: photographs of a test split of which masks were drawn too."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retinopathy import lesions, manifest, mask_files, splits
from retinopathy.logs import LOG, logged


def main(
    photographs: Path,
    split: Path,
    test: Sequence[int],
    masks: Sequence[Path],
    most: int,
    seed: int,
    table: Path,
) -> None:
    """Write the set's photographs.

    Args:
        photographs: The manifest.
        split: Photographs of the task with their `part`.
        test: The parts that the runs which are scored never met.
        masks: Tables of the masks that were drawn.
        most: How many photographs to use at most; 0 for all.
        seed: Governs which.
        table: Where to write.
    """
    dealt = splits.read_selected(split)
    unseen = dealt.loc[dealt["part"].isin(test), "image"]
    rows = manifest.rows_of(photographs, unseen)
    names = pd.concat([pd.read_csv(path, dtype=str) for path in masks])["mask"]
    masked = set(mask_files.by_image(map(Path, names))) & set(unseen)
    found = lesions.collect(rows, masked, most, seed)
    lesions.write(found, table, lesions.PHOTOGRAPHS, LOG.info)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.manifest),
            Path(job.input.split),
            job.params.test,
            [Path(path) for path in job.input.masks],
            job.params.photographs,
            job.params.seed,
            Path(job.output.table),
        )
