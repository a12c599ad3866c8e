"""Make the synthetic set of lesions: photographs of a test split with the masks drawn with them."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retinopathy import lesions, manifest, tables
from retinopathy.logs import LOG, logged


def main(
    photographs: Path,
    split: Path,
    test: Sequence[int],
    folders: Sequence[Path],
    most: int,
    seed: int,
    table: Path,
    marks: Path,
) -> None:
    """Write the set's table and its masks on the grid.

    Args:
        photographs: The manifest.
        split: Photographs of the task with their `part`.
        test: The parts that the runs which are scored never met.
        folders: Folders of masks.
        most: How many photographs to use at most; 0 for all.
        seed: Governs which.
        table: Where to write the table.
        marks: Where to write the masks.
    """
    dealt = pd.read_csv(split, dtype=tables.TEXT)
    unseen = dealt.loc[dealt["part"].isin(test), "image"]
    rows = manifest.rows_of(photographs, unseen)
    masks = lesions.find_masks(folders)
    own = {image: kinds for image, kinds in masks.items() if image in set(unseen)}
    lesions.write_set(lesions.collect(rows, own, most, seed), table, marks, LOG.info)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.manifest),
            Path(job.input.split),
            job.params.test,
            [Path(folder) / "masks" for folder in job.input.folders],
            job.params.photographs,
            job.params.seed,
            Path(job.output.table),
            Path(job.output.marks),
        )
