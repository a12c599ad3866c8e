"""Ask whether the maps of a final run change with the class that they are to explain."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from retinopathy import devices, models, randomisation, showcase, similarity, tables
from retinopathy.files import read_json
from retinopathy.logs import LOG, logged
from retinopathy.manifest import rows_of
from retinopathy.runs import Run


def main(
    explained: tuple[Run, Path, Path],
    predictions: Path,
    operating: Path,
    manifest: Path,
    settings: Mapping[str, Any],
    swaps: Path,
) -> None:
    """Write how alike the maps of both classes are, photograph by photograph.

    A run that diverged has no test predictions: its table has no rows.

    Args:
        explained: A final run, its initial weights and what training made of them.
        predictions: Its test predictions.
        operating: Its frozen threshold.
        manifest: The manifest.
        settings: How many `photographs`, and the `contrast` of the records.
        swaps: Where to write.
    """
    run = explained[0]
    threshold = read_json(operating).get("threshold", 0.5)
    predicted = tables.read(predictions, tables.PREDICTIONS)
    chosen = showcase.choose(predicted, threshold, settings["photographs"])
    found = pd.DataFrame(columns=list(similarity.SWAPS))
    if not chosen.empty:
        LOG.info("explaining %s", ", ".join(chosen["image"]))
        rows = rows_of(manifest, chosen["image"])
        shown = showcase.load(rows, run.size, settings["contrast"])
        model = models.load_trained(*explained)
        found = randomisation.swap(model, *showcase.stacked(shown), chosen)
    tables.write(found, swaps, similarity.SWAPS)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        exact = job.config["training"]["deterministic"]
        LOG.info("device: %s", devices.prepare(job.threads, deterministic=exact))
        inputs, params = job.input, job.params
        main(
            (Run.parse(params.run), Path(inputs.weights), Path(inputs.trained)),
            Path(inputs.predictions),
            Path(inputs.operating),
            Path(inputs.manifest),
            {name: params[name] for name in ("photographs", "contrast")},
            Path(job.output.swaps),
        )
