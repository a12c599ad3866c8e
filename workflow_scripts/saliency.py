"""Explain a final run on a handful of test photographs, chosen by rule."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from retinopathy import devices, maps, models, sheets, showcase, tables
from retinopathy.files import read_json
from retinopathy.logs import LOG, logged
from retinopathy.manifest import rows_of
from retinopathy.runs import Run


def main(
    run: Run,
    weights: Path,
    trained: Path,
    predictions: Path,
    operating: Path,
    table: Path,
    count: int,
    contrast: str,
    maps_file: Path,
    figure: Path,
) -> None:
    """Write CAM and Guided Grad-CAM as arrays and as a sheet.

    A run that diverged has no test predictions: its sheet says so, its file has no maps.
    """
    predicted = tables.read(predictions, tables.PREDICTIONS)
    threshold = read_json(operating).get("threshold", 0.5)
    chosen = showcase.choose(predicted, threshold, count)
    LOG.info("explaining %s", ", ".join(chosen["image"]))
    if chosen.empty:
        nothing = np.empty((0, 1, 1), np.float32)
        maps.write(maps_file, [], nothing, nothing, run.address)
        sheets.say(f"{run.network} at {run.size} px has no test predictions.", figure)
        return
    shown = showcase.load(rows_of(table, chosen["image"]), run.size, contrast)
    model = models.load_trained(run, weights, trained)
    cam, guided = maps.explain(model, np.stack([photograph.seen for photograph in shown]))
    maps.write(maps_file, shown, cam, guided, run.address)
    rows = [
        sheets.Row(_title(row, threshold) + maps.remark(both[0]), maps.panels(photograph, *both))
        for row, photograph, *both in zip(
            chosen.to_dict("records"), shown, cam, guided, strict=True
        )
    ]
    sheets.draw(rows, maps.COLUMNS, figure, heat="share of the largest value")


def _title(row: Mapping[Hashable, Any], threshold: float) -> str:
    right = (row["probability"] >= threshold) == (row["label"] == 1)
    return (
        f"{row['image']}\nlevel {row['level']}\nprobability {row['probability']:.2f}\n"
        f"{'right' if right else 'wrong'}\n({row['kind']})"
    )


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        exact = job.config["training"]["deterministic"]
        LOG.info("device: %s", devices.prepare(job.threads, deterministic=exact))
        main(
            Run.parse(job.params.run),
            Path(job.input.weights),
            Path(job.input.trained),
            Path(job.input.predictions),
            Path(job.input.operating),
            Path(job.input.manifest),
            job.params.photographs,
            job.params.contrast,
            Path(job.output.maps),
            Path(job.output.figure),
        )
