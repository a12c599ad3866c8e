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
    from snakemake.script import snakemake

    with logged(snakemake.log[0]):
        LOG.info("device: %s", devices.prepare(snakemake.threads))
        main(
            snakemake.wildcards.inputs,
            baseline_inputs.Materials(
                records=tuple(map(Path, snakemake.input.records)),
                size=snakemake.params.size,
                side=snakemake.params.pixels,
                network=snakemake.params.network,
                weights=next(map(Path, snakemake.input.weights), None),
                manifest=next(map(Path, snakemake.input.manifest), None),
            ),
            snakemake.params.seed,
            Path(snakemake.output.models),
        )
