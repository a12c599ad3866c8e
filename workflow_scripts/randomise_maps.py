"""Ask whether maps change with the network: its weights are made random stage by stage."""

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from retinopathy import (
    devices,
    maps,
    models,
    randomisation,
    sanity_maps,
    showcase,
    similarity,
    tables,
)
from retinopathy.files import read_json
from retinopathy.logs import LOG, logged
from retinopathy.manifest import rows_of
from retinopathy.methods import TITLES
from retinopathy.randomisation import CASCADING
from retinopathy.registry import HEAD
from retinopathy.runs import Run

SETTINGS = ("photographs", "images", "samples", "contrast")


def main(
    explained: tuple[Run, Path, Path],
    random: tuple[Run, Path],
    evidence: tuple[Path, Path, Path],
    manifest: Path,
    settings: Mapping[str, Any],
    similarities: Path,
    sheet: Path,
) -> None:
    """Write how alike maps are, photograph by photograph, and the maps of one photograph.

    A run that diverged has no test predictions: its table has no rows, its sheet nothing.

    Args:
        explained: A final run, its initial weights and what training made of them.
        random: A run of the same network from random weights, and these.
        evidence: Record, test predictions and frozen threshold of the final run.
        manifest: The manifest.
        settings: How many `photographs`, which `images` besides, how many `samples` slow methods
            average, and the `contrast` of the records.
        similarities: Where to write what random weights do.
        sheet: Where to write the maps of one photograph.
    """
    record, predictions, operating = evidence
    run = explained[0]
    threshold = read_json(operating).get("threshold", 0.5)
    predicted = tables.read(predictions, tables.PREDICTIONS)
    chosen = showcase.choose(predicted, threshold, settings["photographs"], settings["images"])
    changed = pd.DataFrame(columns=list(similarity.SIMILARITIES))
    drawn = None
    if not chosen.empty:
        LOG.info("explaining %s", ", ".join(chosen["image"]))
        rows = rows_of(manifest, chosen["image"])
        seen, insides = showcase.stacked(showcase.load(rows, run.size, settings["contrast"]))
        model, other = models.load_trained(*explained), models.flat(*random)
        found = randomisation.check(model, other, seen, insides, chosen, settings["samples"])
        changed = found.similarities
        place = _clearest(chosen, threshold)
        start = read_json(record)["starts_from"]
        title = _title(run, start, chosen.to_dict("records")[place], threshold)
        drawn = _sheet(found, place, title, seen[place], insides[place])
    tables.write(changed, similarities, similarity.SIMILARITIES)
    sanity_maps.write(sheet, drawn)


def _clearest(chosen: pd.DataFrame, threshold: float) -> int:
    """Return the place of the most confident diseased one that is right; without one, the first."""
    right = (chosen["label"] == 1) & (chosen["probability"] >= threshold)
    return int((chosen["probability"] * right).to_numpy().argmax())


def _title(run: Run, start: str, row: Mapping[Hashable, Any], threshold: float) -> str:
    said = [*showcase.truth(row).splitlines(), *showcase.verdict(row, threshold).splitlines()]
    return f"{showcase.heading([run], start)}\n{'; '.join(said)}"


def _sheet(
    found: randomisation.Found, place: int, title: str, seen: maps.Pixels, inside: similarity.Inside
) -> sanity_maps.Sheet:
    """Return the maps of one photograph in every state, with their similarity to the first."""
    rows = found.similarities
    own = rows[(rows["image"] == rows["image"].unique()[place]) & (rows["kind"] == CASCADING)]
    alike = own.set_index(["method", "stage"])["similarity"]
    _, *stages = found.states
    return sanity_maps.Sheet(
        title=title,
        seen=seen,
        inside=inside,
        states=(randomisation.TRAINED, *map(_state, stages[:-1]), "all random"),
        heat={
            title: np.stack([state[name][place] for state in found.states.values()])
            for name, title in TITLES.items()
        },
        similarity={
            title: np.array([1.0, *(alike[name, stage] for stage in stages)])
            for name, title in TITLES.items()
        },
    )


def _state(stage: str) -> str:
    return "head random" if stage == HEAD else f"random down to {stage}"


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        exact = job.config["training"]["deterministic"]
        LOG.info("device: %s", devices.prepare(job.threads, deterministic=exact))
        inputs, params, outputs = job.input, job.params, job.output
        main(
            (Run.parse(params.run), Path(inputs.weights), Path(inputs.trained)),
            (Run.parse(params.random), Path(inputs.random)),
            (Path(inputs.record), Path(inputs.predictions), Path(inputs.operating)),
            Path(inputs.manifest),
            {name: params[name] for name in SETTINGS},
            Path(outputs.similarities),
            Path(outputs.sheet),
        )
