"""Fit the classical methods on the training split of a task."""

from pathlib import Path

from retinopathy import baseline_inputs, baselines, devices
from retinopathy.logs import LOG, logged


def main(
    materials: baseline_inputs.Materials, seed: int, destination: Path, settings: Path
) -> None:
    """Fit every method, keep them in `destination`, and write what was chosen to `settings`."""
    x, rows = baseline_inputs.load(materials)
    fitted = {}
    for method in baselines.METHODS:
        fitted[method] = baselines.fit(
            method, x, rows["label"].to_numpy(), rows["patient"].to_numpy(), seed
        )
        LOG.info("%s: %s", method, fitted[method].named)
    baselines.save(fitted, destination)
    baselines.save_settings(fitted, settings)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        exact = job.config["training"]["deterministic"]
        LOG.info("device: %s", devices.prepare(job.threads, deterministic=exact))
        main(
            baseline_inputs.Materials.of(
                job.input.records,
                job.input.weights,
                job.input.manifest,
                **job.params.materials,
            ),
            job.params.seed,
            Path(job.output.models),
            Path(job.output.settings),
        )
