"""Fit the classical methods on the training split of a task."""

from pathlib import Path

from retinopathy import baseline_inputs, baselines, devices
from retinopathy.logs import LOG, logged


def main(kind: str, materials: baseline_inputs.Materials, seed: int, destination: Path) -> None:
    """Fit every method on inputs of the `kind` and keep them in `destination`."""
    x, rows = baseline_inputs.LOADERS[kind](materials)
    fitted = {}
    for method in baselines.METHODS:
        fitted[method] = baselines.fit(
            method, x, rows["label"].to_numpy(), rows["patient"].to_numpy(), seed
        )
        LOG.info("%s: %s", method, fitted[method].setting)
    baselines.save(fitted, destination)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        LOG.info("device: %s", devices.prepare(job.threads))
        main(
            job.wildcards.inputs,
            baseline_inputs.Materials.of(
                job.input.records,
                job.input.weights,
                job.input.manifest,
                **job.params.materials,
            ),
            job.params.seed,
            Path(job.output.models),
        )
