"""Explain a final run, or the network it started from untrained, on photographs with masks."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retinopathy import devices, lesions, maps, models, photographs
from retinopathy.decoding import read
from retinopathy.files import read_json
from retinopathy.logs import LOG, logged
from retinopathy.photographs import CropBox
from retinopathy.runs import Run
from retinopathy.study_tables import DIVERGED

AVERAGED = ("integrated_gradients", "smooth_grad")
"""Methods that are left out of untrained networks: they take as long as `samples` others."""


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

    Of an untrained network by all but `AVERAGED`.

    Args:
        run: The run.
        weights: The weights that it starts from.
        trained: What training changed of them; none of an untrained network.
        record: The record of the final run.
        table: The set of photographs.
        contrast: Contrast normalisation, as in the records.
        samples: Gradients that a method averages where it does.
        maps_file: Where to write.
    """
    shown = lesions.photographs_of(lesions.read(table))
    if shown.empty or read_json(record)["outcome"] == DIVERGED:
        LOG.info("nothing to explain")
        maps.write(maps_file, maps.none(run.address))
        return
    boxes = shown[["crop_left", "crop_top", "crop_side"]].to_numpy(np.int64)
    seen = np.stack(
        [
            photographs.prepare(read(Path(path)), CropBox(*map(int, box)), run.size, contrast)
            for path, box in zip(shown["path"], boxes, strict=True)
        ]
    )
    methods = [name for name in maps.METHODS if trained or name not in AVERAGED]
    model = models.load_trained(run, weights, *trained) if trained else models.flat(run, weights)
    heat = {}
    for method in methods:
        LOG.info("%s of %d photographs", method, len(seen))
        heat[method, "diseased"] = maps.explain(model, seen, [method], samples=samples)[method]
    maps.write(maps_file, maps.Maps(tuple(shown["image"]), boxes, run.address, heat))


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
            Path(job.input.table),
            job.params.contrast,
            job.params.samples,
            Path(job.output.maps),
        )
