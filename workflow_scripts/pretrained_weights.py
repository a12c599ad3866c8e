"""Find the ImageNet weights of a network and keep them as a file with origin and SHA-256."""

from pathlib import Path

from retinopathy import weights
from retinopathy.errors import Explained
from retinopathy.files import write_json, written
from retinopathy.logs import LOG, logged

ATTEMPTS = 3


def main(network: str, placed: str | None, when_missing: str, file: Path, origin: Path) -> None:
    """Write `file` and `origin`; where there are none and that is allowed, an empty file.

    Raises:
        Explained: The weights cannot be had and `when_missing` is `stop`.
    """
    try:
        found = resolve(network, Path(placed) if placed else None, file)
    except Explained as error:
        if when_missing == "stop":
            raise
        LOG.warning("%s", error)
        with written(file) as beside:
            beside.touch()
        found = {"network": network, "origin": "missing", "detail": error.problem}
    LOG.info("%s: %s", network, found["origin"])
    write_json(origin, found)


def resolve(network: str, placed: Path | None, file: Path) -> dict[str, str]:
    """Find the weights; where a mirror is known, a lost connection deserves another attempt."""
    for _ in range(ATTEMPTS - 1 if network in weights.MIRRORS else 0):
        try:
            return weights.resolve(network, placed, file)
        except Explained as error:
            LOG.warning("trying again: %s", error)
    return weights.resolve(network, placed, file)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            job.wildcards.network,
            job.input.get("placed"),
            job.params.when_missing,
            Path(job.output.weights),
            Path(job.output.origin),
        )
