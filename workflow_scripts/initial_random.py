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
    from snakemake.script import snakemake

    with logged(snakemake.log[0]):
        LOG.info("device: %s", devices.prepare(snakemake.threads))
        main(
            snakemake.wildcards.network,
            int(snakemake.wildcards.size),
            int(snakemake.wildcards.seed),
            snakemake.wildcards.initialisation,
            [Path(path) for path in snakemake.input.train],
            Path(snakemake.output.weights),
            Path(snakemake.output.origin),
        )
