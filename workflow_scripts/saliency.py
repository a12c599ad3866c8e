"""Explain a final run on a handful of test photographs, chosen by rule or by name."""

from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from retinopathy import devices, explaining, map_pictures, maps, models, sheets, showcase, tables
from retinopathy.files import read_json
from retinopathy.logs import LOG, logged
from retinopathy.manifest import rows_of
from retinopathy.methods import COARSE
from retinopathy.runs import Run


def main(
    run: Run,
    weights: Path,
    trained: Path,
    record: Path,
    predictions: Path,
    operating: Path,
    manifest: Path,
    settings: dict[str, Any],
    maps_file: Path,
    figure: Path,
) -> None:
    """Write the maps of all methods as arrays, and CAM and Guided Grad-CAM as a sheet.

    A run that diverged has no test predictions: its sheet says so, its file has no maps.

    Args:
        run: A final run.
        weights: The weights that it started from.
        trained: What training made of them.
        record: Its record.
        predictions: Its predictions of the test split.
        operating: Its frozen threshold.
        manifest: The manifest.
        settings: `photographs`, how many are chosen by rule; `images`, ids of others; `samples`,
            gradients that a method averages; `contrast`, as in the records.
        maps_file: Where to write the maps.
        figure: Where to draw the sheet.
    """
    predicted = tables.read(predictions, tables.PREDICTIONS)
    if predicted.empty:
        maps.write(maps_file, maps.none(run.address))
        sheets.say(f"{run.network} at {run.size} px has no test predictions.", figure)
        return
    threshold = read_json(operating)["threshold"]
    chosen = showcase.choose(predicted, threshold, settings["photographs"], settings["images"])
    note = showcase.absent(predicted, settings["images"])
    LOG.info("explaining %s", ", ".join(chosen["image"]))
    if note:
        LOG.warning(note)
    shown = showcase.load(rows_of(manifest, chosen["image"]), run.size, settings["contrast"])
    model = models.load_trained(run, weights, trained)
    seen = np.stack([photograph.seen for photograph in shown])
    heat = explaining.explain_classes(model, seen, settings["samples"])
    images = tuple(photograph.image for photograph in shown)
    boxes = np.array([astuple(photograph.box) for photograph in shown], np.int64)
    maps.write(maps_file, maps.Maps(images, boxes, run.address, heat))
    heading = showcase.heading([run], read_json(record)["starts_from"])
    _draw(chosen, threshold, shown, heat, figure, {"title": heading, "note": note})


def _draw(
    chosen: pd.DataFrame,
    threshold: float,
    shown: Sequence[showcase.Shown],
    heat: maps.ByClass,
    figure: Path,
    around: dict[str, str],
) -> None:
    """Draw one row per photograph, with the maps of the diseased class."""
    diseased = maps.of_class(heat, "diseased")
    rows = []
    for place, row in enumerate(chosen.to_dict("records")):
        own = {method: found[place] for method, found in diseased.items()}
        said = [showcase.truth(row), showcase.verdict(row, threshold), showcase.reason(row)]
        title = "\n".join(said) + map_pictures.remark(own[COARSE])
        rows.append(sheets.Row(title, map_pictures.panels(shown[place].picture, own)))
    sheets.draw(rows, map_pictures.columns(diseased), figure, heat=map_pictures.MEANING, **around)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        exact = job.config["training"]["deterministic"]
        LOG.info("device: %s", devices.prepare(job.threads, deterministic=exact))
        settings = ("photographs", "images", "samples", "contrast")
        main(
            Run.parse(job.params.run),
            Path(job.input.weights),
            Path(job.input.trained),
            Path(job.input.record),
            Path(job.input.predictions),
            Path(job.input.operating),
            Path(job.input.manifest),
            {name: job.params[name] for name in settings},
            Path(job.output.maps),
            Path(job.output.figure),
        )
