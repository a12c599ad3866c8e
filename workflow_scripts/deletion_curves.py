"""Ask what a network says while the strongest places of a map go, or come back first."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from retinopathy import (
    deletion,
    devices,
    explaining,
    maps,
    models,
    saliency,
    showcase,
    similarity,
    tables,
)
from retinopathy.files import read_json
from retinopathy.framework import keras, tf
from retinopathy.logs import LOG, logged
from retinopathy.manifest import rows_of
from retinopathy.methods import COARSE
from retinopathy.runs import Run


def main(
    explained: tuple[Run, Path, Path],
    predictions: Path,
    operating: Path,
    manifest: Path,
    settings: Mapping[str, Any],
    curves: Path,
) -> None:
    """Write what is said of every photograph at every share of its retina.

    Photographs are chosen by rule among those that are called diseased, rightly or not. A run that
    diverged has none, and others may have none: their table has no rows.

    Args:
        explained: A final run, its initial weights and what training made of them.
        predictions: Its test predictions.
        operating: Its frozen threshold.
        manifest: The manifest.
        settings: How many `photographs`, `samples` that slow methods average, and the `contrast`
            of the records.
        curves: Where to write.
    """
    run = explained[0]
    threshold = read_json(operating).get("threshold", 0.5)
    predicted = tables.read(predictions, tables.PREDICTIONS)
    called = predicted[predicted["probability"] >= threshold]
    chosen = showcase.choose(called, threshold, settings["photographs"])
    if chosen.empty:
        LOG.info("no photograph is called diseased")
        tables.write(pd.DataFrame(columns=list(deletion.CURVES)), curves, deletion.CURVES)
        return
    shown = showcase.load(rows_of(manifest, chosen["image"]), run.size, settings["contrast"])
    seen, insides = showcase.stacked(shown)
    model = models.load_trained(*explained)
    heats = explaining.explain(model, seen, samples=settings["samples"])
    blurred, score = saliency.blurred(seen), _scorer(model)
    found = []
    for place, row in enumerate(chosen.to_dict("records")):
        inside = insides[place]
        generator = np.random.default_rng([run.seed, place])
        own = {name: heat[place] for name, heat in heats.items()}
        orders = _orders(own, inside, generator)
        photograph = seen[place].astype(np.float32)
        rows = deletion.curves(score, photograph, blurred[place], inside, orders)
        found.append(rows.assign(image=row["image"], patient=row["patient"]))
        LOG.info("%s: %d orders", row["image"], len(orders))
    tables.write(pd.concat(found)[list(deletion.CURVES)], curves, deletion.CURVES)


def _orders(
    heats: Mapping[str, maps.Heat], inside: similarity.Inside, generator: np.random.Generator
) -> dict[str, deletion.Order | None]:
    """Return the orders of the retina's pixels by the maps of one photograph, and by controls."""
    size, cells = len(inside), heats[COARSE].shape
    own = {name: similarity.enlarged(heat, size) for name, heat in heats.items()}
    return {
        name: deletion.ranked(heat, inside, generator)
        for name, heat in (own | deletion.controls(size, cells, generator)).items()
    }


def _scorer(model: keras.Model) -> deletion.Score:
    """Return the function from photographs to logits, traced once."""
    pixels = tf.TensorSpec(model.input_shape, tf.float32)
    traced = tf.function(
        lambda photographs: model(photographs, training=False)[:, 0], input_signature=[pixels]
    )
    return lambda photographs: np.asarray(traced(tf.convert_to_tensor(photographs)))


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
            {name: params[name] for name in ("photographs", "samples", "contrast")},
            Path(job.output.curves),
        )
