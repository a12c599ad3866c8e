"""Draw the blocks of the networks and where they are cut."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from retinopathy import diagrams
from retinopathy.logs import logged


def main(
    networks: Sequence[str],
    studied: Mapping[str, Sequence[str]],
    final: Mapping[str, str],
    figure: Path,
) -> None:
    """Draw `networks` with the cuts of the depth study, `studied`, and of the final runs."""
    diagrams.blocks(networks, studied, final, figure)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            job.params.networks,
            job.params.studied,
            job.params.final,
            Path(job.output.figure),
        )
