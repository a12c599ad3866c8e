"""Train one run; its address is its parameters."""

import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from retinopathy import devices, inputs, tables, training
from retinopathy.files import read_json, sha256, write_json
from retinopathy.logs import LOG, logged
from retinopathy.runs import INITIALISATIONS, Run


def main(
    run: Run,
    recipe: training.Recipe,
    weights: Path,
    origin: Path,
    train: Sequence[Path],
    validation: Sequence[Path],
    scratch: Path,
    code: str,
    device: str,
    outputs: Mapping[str, Path],
) -> None:
    """Train `run` and leave its trained variables, history, validation predictions and record.

    Args:
        run: What to train.
        recipe: What all runs of the study share.
        weights: The weights that the run starts from.
        origin: Where they come from.
        train: Files of the training split: records, or features of the run's cut.
        validation: Files of the validation split, of the same kind.
        scratch: Where the backup is kept until all is written.
        code: Hash of the code, so that a backup made by other code is not used.
        device: The sentence on the device that is really used.
        outputs: `trained`, `history`, `predictions` and `record`.
    """
    known, held_out = (inputs.opened(paths, run, weights) for paths in (train, validation))
    stored = training.backup_path(
        scratch, run, recipe, weights, (known, held_out), code, devices.versions()
    )
    result = training.train(run, recipe, weights, known, held_out, stored, LOG.info)
    training.save_trained(result.model, outputs["trained"])
    tables.write(result.history, outputs["history"], training.HISTORY)
    tables.write(result.predictions, outputs["predictions"], tables.PREDICTIONS)
    found = read_json(origin)
    write_json(
        outputs["record"],
        record(run, recipe, result)
        | {
            "starts_from": INITIALISATIONS[found["initialisation"]],
            "weights_origin": found["origin"],
            "weights_sha256": sha256(weights),
            "device": device,
            "seconds": round(sum(result.seconds.values()), 2),
            "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        },
    )
    stored.unlink(missing_ok=True)


def record(run: Run, recipe: training.Recipe, result: training.Result) -> dict[str, Any]:
    """Return what defines a run and how it ended."""
    return {
        **{name: getattr(run, name) for name in Run.__dataclass_fields__},
        **{name: getattr(recipe, name) for name in training.Recipe.__dataclass_fields__},
        "outcome": result.outcome,
        "stop_reason": result.stop_reason,
        "epochs_run": len(result.history),
        "best_epoch": result.best_epoch,
        "trainable_parameters": result.trainable_parameters,
        "seconds_by_phase": result.seconds,
        "photographs_per_second": _speed(result),
        "versions": devices.versions() | {"python": sys.version.split()[0]},
    }


def _speed(result: training.Result) -> float:
    """Return the mean number of photographs trained on per second, validation apart."""
    return round(len(result.history) * result.photographs / result.history["seconds"].sum(), 2)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        used = devices.prepare(job.threads)
        LOG.info("device: %s", used)
        main(
            Run.parse(job.wildcards.run),
            training.Recipe(**job.params.recipe),
            Path(job.input.weights),
            Path(job.input.origin),
            [Path(path) for path in job.input.train],
            [Path(path) for path in job.input.validation],
            Path(job.params.scratch),
            job.params.code,
            used,
            {name: Path(path) for name, path in job.output.items()},
        )
