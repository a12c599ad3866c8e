"""Train one run; its address is its parameters."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from retinopathy import devices, events, inputs, models, run_records, tables, training
from retinopathy.backup import Keeper, told_to_stop
from retinopathy.files import read_json, sha256
from retinopathy.logs import LOG, logged
from retinopathy.recipes import Recipe
from retinopathy.runs import Run


def main(
    run: Run,
    recipe: Recipe,
    weights: Path,
    origin: Path,
    train: Sequence[Path],
    validation: Sequence[Path],
    scratch: Path,
    code: str,
    device: str,
    outputs: Mapping[str, Path],
    backup_minutes: float = 10,
    tensorboard: Path | None = None,
) -> None:
    """Train `run` and leave its variables, description, history, predictions and record.

    Args:
        run: What to train.
        recipe: What all runs of the study share.
        weights: The weights that the run starts from.
        origin: Where they come from.
        train: Files of the whole training split: records, or features of the run's cut.
        validation: Files of the validation split, of the same kind.
        scratch: Where the backup is kept until all is written.
        code: Hash of the code, so that a backup made by other code is not used.
        device: The sentence on the device that is really used.
        outputs: `trained`, `architecture`, `history`, `predictions` and `record`.
        backup_minutes: Between two backups within an epoch.
        tensorboard: Folder for events, or nothing.
    """
    started = time.monotonic()
    known, held_out = (inputs.opened(paths, run, weights) for paths in (train, validation))
    known = inputs.limited(known, run)
    stored = training.backup_path(
        scratch, run, recipe, weights, (known, held_out), code, devices.circumstances()
    )
    opened = time.monotonic()
    with told_to_stop() as told:
        keeper = Keeper(stored, backup_minutes, told)
        tell = events.writer(tensorboard) if tensorboard else _nothing
        result = training.train(run, recipe, weights, known, held_out, keeper, LOG.info, tell)
    trained = time.monotonic()
    models.save_trained(result.model, outputs["trained"])
    models.describe(run, weights, outputs["architecture"])
    tables.write(result.history, outputs["history"], training.HISTORY)
    tables.write(result.predictions, outputs["predictions"], tables.PREDICTIONS)
    run_records.describe(
        run,
        recipe,
        result,
        {"train": known, "validation": held_out},
        read_json(origin),
        sha256(weights),
        device,
        {
            "open": round(opened - started, 3),
            **result.seconds,
            "write": round(time.monotonic() - trained, 3),
        },
    ).write(outputs["record"])
    keeper.remove()


def _nothing(_: Mapping[str, float]) -> None:
    """Keep no events."""


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        # What is read here defines no run: as parameters, these would have runs made again.
        how = job.config["training"]
        used = devices.prepare(
            job.threads, job.resources.get("gpu", 1), deterministic=how["deterministic"]
        )
        LOG.info("device: %s", used)
        folder = Path(f"results/{job.wildcards.study}/tensorboard/{job.wildcards.run}")
        with devices.training_strategy().scope():
            main(
                Run.parse(job.wildcards.run),
                Recipe(**job.params.recipe),
                Path(job.input.weights),
                Path(job.input.origin),
                [Path(path) for path in job.input.train],
                [Path(path) for path in job.input.validation],
                Path(job.params.scratch),
                job.params.code,
                used,
                {name: Path(path) for name, path in job.output.items()},
                how["backup_minutes"],
                folder if how["tensorboard"] else None,
            )
