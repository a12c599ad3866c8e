"""Make the weights that ImageNet runs start from; stand-ins, named so, where there are none."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from retinopathy import devices, weights
from retinopathy.files import read_json, write_json, written
from retinopathy.logs import LOG, logged


def main(
    network: str,
    size: int,
    seed: int,
    pretrained: Path,
    pretrained_origin: Path,
    train: Sequence[Path],
    file: Path,
    origin: Path,
) -> None:
    """Write initial weights to `file` and where they come from to `origin`.

    Args:
        network: Name in the registry.
        size: Side of the input in pixels.
        seed: Seed of stand-in weights.
        pretrained: The network's ImageNet weights.
        pretrained_origin: Whether there are any.
        train: Records of the training split, from which the normalisation statistics of stand-in
            weights are estimated; empty where stand-ins are not allowed.
        file: A `.weights.h5` file of the network without its top.
        origin: A JSON file; `initialisation` is what runs really start from.
    """
    found = read_json(pretrained_origin)
    if found["origin"] == "missing":
        found = weights.randomise(network, size, seed, list(train), file)
    else:
        with written(file) as beside:
            shutil.copyfile(pretrained, beside)
    LOG.info("%s starts from: %s (%s)", network, found["initialisation"], found["origin"])
    write_json(origin, found)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        exact = job.config["training"]["deterministic"]
        LOG.info("device: %s", devices.prepare(job.threads, deterministic=exact))
        main(
            job.wildcards.network,
            int(job.wildcards.size),
            job.params.seed,
            Path(job.input.weights),
            Path(job.input.origin),
            [Path(path) for path in job.input.train],
            Path(job.output.weights),
            Path(job.output.origin),
        )
