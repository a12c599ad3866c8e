"""Make the random weights of a control run."""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import devices, weights
from retinopathy.files import write_json
from retinopathy.logs import LOG, logged


def main(
    network: str,
    size: int,
    seed: int,
    initialisation: str,
    train: Sequence[Path],
    file: Path,
    origin: Path,
) -> None:
    """Write random weights to `file` and where they come from to `origin`.

    For frozen features the normalisation statistics are estimated on the training split `train`;
    a network that is trained from scratch estimates its own.
    """
    if initialisation == "random_frozen":
        found = weights.randomise(network, size, seed, list(train), file)
    else:
        found = weights.randomise_all(network, size, seed, file)
    write_json(origin, found)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        exact = job.config["training"]["deterministic"]
        LOG.info("device: %s", devices.prepare(job.threads, deterministic=exact))
        main(
            job.wildcards.network,
            int(job.wildcards.size),
            int(job.wildcards.seed),
            job.wildcards.initialisation,
            [Path(path) for path in job.input.train],
            Path(job.output.weights),
            Path(job.output.origin),
        )
