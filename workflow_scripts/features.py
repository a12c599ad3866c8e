"""Compute what lies below a cut once, for all runs that share it."""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import devices, features
from retinopathy.logs import LOG, logged


def main(
    network: str,
    size: int,
    depth: str,
    weights: Path,
    records: Sequence[Path],
    augment: bool,
    kept: str,
    destination: Path,
) -> None:
    """Write the outputs of the frozen part for the photographs of one part."""
    features.write_features(
        network, size, depth, weights, list(records), destination, augment=augment, kept=kept
    )
    LOG.info("%s: %.1f MB", destination.name, destination.stat().st_size / 1e6)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        _, network, size, _ = job.wildcards.initial.split("/")
        exact = job.config["training"]["deterministic"]
        LOG.info("device: %s", devices.prepare(job.threads, deterministic=exact))
        main(
            network,
            int(size),
            job.wildcards.depth,
            Path(job.input.weights),
            [Path(path) for path in job.input.records],
            job.params.augment,
            job.params.kept,
            Path(job.output.features),
        )
