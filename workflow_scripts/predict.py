"""Predict new photographs: probability, decision, quality, and where the network looked."""

from dataclasses import astuple
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from retinopathy import (
    decoding,
    devices,
    explaining,
    inspection,
    map_pictures,
    models,
    overlays,
    showcase,
    sources,
)
from retinopathy.errors import Explained
from retinopathy.files import read_json, written
from retinopathy.logs import LOG, logged
from retinopathy.manifest import OK
from retinopathy.methods import COARSE
from retinopathy.runs import Run

QUALITY = 95
"""Of the JPEG files of overlays, in per cent."""

COLUMNS = ("image", "probability", "threshold", "decision", "quality", "overlay")


def main(
    run: Run,
    weights: Path,
    trained: Path,
    operating: Path,
    folder: Path,
    contrast: str,
    table: Path,
    overlays: Path,
) -> None:
    """Write one row per photograph of `folder` to `table` and pictures to `overlays`.

    A photograph that cannot be used has no probability; `quality` says why.

    Args:
        run: A final run.
        weights: The weights that it started from.
        trained: What training made of them.
        operating: Its frozen threshold.
        folder: New photographs.
        contrast: Contrast normalisation, as in the records.
        table: Where to write the table.
        overlays: Folder for class activation maps laid over the photographs at full resolution.
    """
    overlays.mkdir(parents=True, exist_ok=True)
    threshold = _threshold(run, operating)
    model = models.load_trained(run, weights, trained)
    rows = []
    found = sorted(sources.by_image([folder]).items())
    for facts in (row for named in found for row in inspection.inspect_files(*named)):
        image = facts["image"]
        row = {"image": image, "threshold": threshold, "quality": facts["status"]}
        if facts["status"] == OK:
            if not facts["circle_found"]:
                row["quality"] = "outline of the retina not found"
            (shown,) = showcase.load(pd.DataFrame([facts]), run.size, contrast)
            row["probability"] = _probability(model, shown)
            row["decision"] = "diseased" if row["probability"] >= threshold else "healthy"
            laid = _overlay(model, shown, decoding.decode(decoding.read(Path(facts["path"]))))
            row["overlay"] = _save(laid, overlays / f"{image}.jpg")
        LOG.info("%s: %s", image, row.get("decision", row["quality"]))
        rows.append(row)
    with written(table) as beside:
        pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(beside, index=False)


def _threshold(run: Run, operating: Path) -> float:
    """Return the frozen threshold of a run, which has one unless it diverged."""
    point = read_json(operating)
    if "threshold" not in point:
        raise Explained(
            f"the run {run.address} cannot predict",
            expected="a run that finished",
            received=point["outcome"],
            hint="choose another final run in `predict:`",
        )
    return float(point["threshold"])


def _probability(model: models.Model, shown: showcase.Shown) -> float:
    logit = float(np.asarray(model(shown.seen[None], training=False))[0, 0])
    return float(1 / (1 + np.exp(-logit)))


def _overlay(
    model: models.Model, shown: showcase.Shown, photograph: decoding.Pixels
) -> decoding.Pixels:
    """Return the whole photograph with the map of its crop laid over it, where it was cropped."""
    heat = explaining.explain(model, shown.seen[None], [COARSE])[COARSE][0]
    return overlays.overlay(photograph, map_pictures.scaled(heat, COARSE), astuple(shown.box))


def _save(image: decoding.Pixels, path: Path) -> str:
    """Write a picture as JPEG, whole or not at all, and return its name."""
    with written(path) as beside:
        bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
        if not cv2.imwrite(str(beside), bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY]):
            raise OSError(f"{path} could not be written")
    return path.name


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        exact = job.config["training"]["deterministic"]
        LOG.info("device: %s", devices.prepare(job.threads, deterministic=exact))
        main(
            Run.parse(job.params.run),
            Path(job.input.weights),
            Path(job.input.trained),
            Path(job.input.operating),
            Path(job.params.photographs),
            job.params.contrast,
            Path(job.output.table),
            Path(job.output.overlays),
        )
