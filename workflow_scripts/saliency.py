"""Explain a final run on a handful of test photographs, chosen by rule."""

from pathlib import Path

import numpy as np

from retinopathy import devices, maps, sheets, showcase, tables, training
from retinopathy.files import read_json
from retinopathy.logs import LOG, logged
from retinopathy.runs import Run


def main(
    run: Run,
    weights: Path,
    trained: Path,
    predictions: Path,
    operating: Path,
    manifest: Path,
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
        maps.write(maps_file, [], np.empty((0, 1, 1)), np.empty((0, 1, 1)), run.address)
        sheets.say(f"{run.network} at {run.size} px has no test predictions.", figure)
        return
    shown = showcase.load(list(chosen["image"]), manifest, run.size, contrast)
    model = training.load_trained(run, weights, trained)
    cam, guided = maps.explain(model, np.stack([photograph.seen for photograph in shown]))
    maps.write(maps_file, shown, cam, guided, run.address)
    rows = [
        sheets.Row(_title(row, threshold), maps.panels(photograph, *both))
        for row, photograph, *both in zip(
            chosen.to_dict("records"), shown, cam, guided, strict=True
        )
    ]
    sheets.draw(rows, maps.COLUMNS, figure, heat="share of the largest value")


def _title(row: dict[str, object], threshold: float) -> str:
    right = (float(str(row["probability"])) >= threshold) == (row["label"] == 1)
    return (
        f"{row['image']}\nlevel {row['level']}\nprobability {row['probability']:.2f}\n"
        f"{'right' if right else 'wrong'}\n({row['kind']})"
    )


if __name__ == "__main__":
    from snakemake.script import snakemake

    with logged(snakemake.log[0]):
        LOG.info("device: %s", devices.prepare(snakemake.threads))
        main(
            Run.parse(snakemake.params.run),
            Path(snakemake.input.weights),
            Path(snakemake.input.trained),
            Path(snakemake.input.predictions),
            Path(snakemake.input.operating),
            Path(snakemake.input.manifest),
            snakemake.params.photographs,
            snakemake.params.contrast,
            Path(snakemake.output.maps),
            Path(snakemake.output.figure),
        )
