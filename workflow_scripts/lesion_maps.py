"""Explain a final run, or the network it started from untrained, on photographs with masks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from retinopathy import devices, explaining, lesions, maps, models, photographs
from retinopathy.decoding import read
from retinopathy.files import read_json
from retinopathy.logs import LOG, logged
from retinopathy.manifest import usable
from retinopathy.methods import METHODS
from retinopathy.runs import Run
from retinopathy.tables import DIVERGED

AT_ONCE = 32
"""Photographs in memory at once: what integrated gradients hold between grows with them."""


def main(
    run: Run,
    weights: Path,
    trained: Sequence[Path],
    record: Path,
    table: Path,
    contrast: str,
    samples: int,
    maps_file: Path,
) -> None:
    """Write the maps of the diseased class by every method; none of a run that diverged.

    Args:
        run: The run.
        weights: The weights that it starts from.
        trained: What training changed of them; none of an untrained network.
        record: The record of the final run.
        table: The set of photographs.
        contrast: Contrast normalisation, as in the records.
        samples: Gradients that the slow methods average.
        maps_file: Where to write.
    """
    shown = usable(lesions.read(table, lesions.PHOTOGRAPHS))
    if shown.empty or read_json(record)["outcome"] == DIVERGED:
        LOG.info("nothing to explain")
        maps.write(maps_file, maps.none(run.address))
        return
    model = models.load_trained(run, weights, *trained) if trained else models.flat(run, weights)
    parts = []
    for start in range(0, len(shown), AT_ONCE):
        LOG.info("explaining photographs from number %d of %d", start + 1, len(shown))
        seen = _seen(shown.iloc[start : start + AT_ONCE], run.size, contrast)
        parts.append(explaining.explain(model, seen, samples=samples))
    heat = {
        (method, "diseased"): np.concatenate([part[method] for part in parts]) for method in METHODS
    }
    boxes = shown[["crop_left", "crop_top", "crop_side"]].to_numpy(np.int64)
    maps.write(maps_file, maps.Maps(tuple(shown["image"]), boxes, run.address, heat))


def _seen(shown: pd.DataFrame, size: int, contrast: str) -> NDArray[np.uint8]:
    """Return photographs as records hold them, uint8 (n, size, size, 3)."""
    return np.stack(
        [
            photographs.prepare(read(Path(row["path"])), lesions.box_of(row), size, contrast)
            for row in shown.to_dict("records")
        ]
    )


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        exact = job.config["training"]["deterministic"]
        LOG.info("device: %s", devices.prepare(job.threads, deterministic=exact))
        main(
            Run.parse(job.params.run),
            Path(job.input.weights),
            [Path(path) for path in job.input.trained],
            Path(job.input.record),
            Path(job.input.photographs),
            job.params.contrast,
            job.params.samples,
            Path(job.output.maps),
        )
