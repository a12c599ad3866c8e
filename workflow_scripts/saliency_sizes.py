"""Explain the same test photographs by the final runs of both sizes, side by side."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from retinopathy import devices, explaining, map_pictures, maps, models, sheets, showcase, tables
from retinopathy.files import read_json
from retinopathy.logs import LOG, logged
from retinopathy.manifest import rows_of
from retinopathy.methods import COARSE, FINE
from retinopathy.runs import Run

METHODS = (COARSE, FINE)


@dataclass(frozen=True)
class Final:
    """A final run and what it left.

    Attributes:
        run: The run.
        weights: The weights that it started from.
        trained: What training made of them.
        predictions: Its predictions of the test split.
        operating: Its frozen threshold.
    """

    run: Run
    weights: Path
    trained: Path
    predictions: Path
    operating: Path


@dataclass(frozen=True)
class Told:
    """What one size says of the chosen photographs: decisions in words, and maps by method."""

    size: int
    verdicts: Sequence[str]
    heat: Mapping[str, maps.Heat]


def main(
    finals: Sequence[Final],
    record: Path,
    manifest: Path,
    settings: Mapping[str, Any],
    figure: Path,
) -> None:
    """Draw photographs with the maps of both sizes; the large size's predictions choose them.

    Args:
        finals: The run at the small size and the one at the large size.
        record: The record of the large one.
        manifest: The manifest.
        settings: `photographs`, how many are chosen by rule; `images`, ids of others; `contrast`,
            as in the records.
        figure: Where to draw.
    """
    large = finals[-1]
    predicted = [tables.read(final.predictions, tables.PREDICTIONS) for final in finals]
    if any(table.empty for table in predicted):
        sheets.say(f"{large.run.network} has no test predictions at one of the sizes.", figure)
        return
    threshold, images = read_json(large.operating)["threshold"], settings["images"]
    chosen = showcase.choose(predicted[-1], threshold, settings["photographs"], images)
    rows = rows_of(manifest, chosen["image"])
    # One model after the other: both at once would need the memory of both.
    told = [
        _tell(final, table, rows, settings["contrast"])
        for final, table in zip(finals, predicted, strict=True)
    ]
    shown = showcase.load(rows, large.run.size, settings["contrast"])
    drawn = [
        _row(place, row, shown[place], told) for place, row in enumerate(chosen.to_dict("records"))
    ]
    titles = [
        f"{map_pictures.heading(method, one.heat[method])}\n{one.size} px"
        for method in METHODS
        for one in told
    ]
    sheets.draw(
        drawn,
        ["photograph", *titles],
        figure,
        heat=map_pictures.MEANING,
        title=showcase.heading([final.run for final in finals], read_json(record)["starts_from"]),
        note=showcase.absent(predicted[-1], images),
    )


def _tell(final: Final, predicted: pd.DataFrame, rows: pd.DataFrame, contrast: str) -> Told:
    """Load one run, explain the photographs in `rows` of the manifest, and let it go."""
    LOG.info("explaining %s by %s", ", ".join(rows["image"]), final.run.address)
    threshold = read_json(final.operating)["threshold"]
    own = predicted.set_index("image").loc[rows["image"]].to_dict("records")
    verdicts = [f"{final.run.size} px: {showcase.verdict(row, threshold)}" for row in own]
    shown = showcase.load(rows, final.run.size, contrast)
    model = models.load_trained(final.run, final.weights, final.trained)
    seen = np.stack([photograph.seen for photograph in shown])
    return Told(final.run.size, verdicts, explaining.explain(model, seen, METHODS))


def _row(
    place: int, row: Mapping[Hashable, Any], shown: showcase.Shown, told: Sequence[Told]
) -> sheets.Row:
    """Return the row of one photograph: what each size called it, and the maps of both."""
    verdicts = [one.verdicts[place] + map_pictures.remark(one.heat[COARSE][place]) for one in told]
    cams = [map_pictures.lined(shown.picture, one.heat[COARSE][place], COARSE) for one in told]
    fine = [map_pictures.over(shown.picture, one.heat[FINE][place], FINE) for one in told]
    title = "\n".join([showcase.truth(row), *verdicts, showcase.reason(row)])
    return sheets.Row(title, [shown.picture, *cams, *fine])


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        exact = job.config["training"]["deterministic"]
        LOG.info("device: %s", devices.prepare(job.threads, deterministic=exact))
        inputs, params = job.input, job.params
        left = ("weights", "trained", "predictions", "operating")
        main(
            [
                Final(Run.parse(params[size]), *(Path(inputs[f"{size}_{one}"]) for one in left))
                for size in ("small", "large")
            ],
            Path(inputs.record),
            Path(inputs.manifest),
            {name: params[name] for name in ("photographs", "images", "contrast")},
            Path(job.output.figure),
        )
