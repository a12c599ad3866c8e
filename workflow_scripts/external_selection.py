"""Select the photographs of an external set for a task: usable ones that the study has not."""

from pathlib import Path

import pandas as pd

from retinopathy import external, manifest
from retinopathy.files import written
from retinopathy.logs import LOG, logged


def main(
    photographs: Path,
    overlaps: Path,
    negative: tuple[int, ...],
    positive: tuple[int, ...],
    table: Path,
) -> None:
    """Write columns image, patient, level, label, part; the part is always 0."""
    usable = manifest.usable(manifest.read_manifest(photographs))
    known = pd.read_csv(overlaps, dtype=str, keep_default_na=False)["image"]
    selected = external.select(usable, known, negative, positive)
    LOG.info("%d of %d photographs, %d left out as known", len(selected), len(usable), len(known))
    with written(table) as beside:
        selected.to_csv(beside, index=False)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.manifest),
            Path(job.input.overlaps),
            tuple(job.params.negative),
            tuple(job.params.positive),
            Path(job.output.selected),
        )
