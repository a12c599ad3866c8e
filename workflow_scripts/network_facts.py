"""Make the table of the networks: what they are and what they cost."""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import devices, display, network_facts, tables
from retinopathy.logs import LOG, logged


def main(networks: Sequence[str], sizes: Sequence[int], table: Path, markdown: Path) -> None:
    """Write the facts of `networks`, with their cost at photographs of `sizes` pixels."""
    facts = network_facts.table(networks, sizes)
    tables.write(facts, table, network_facts.COLUMNS)
    display.write_markdown(facts, markdown)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        # Graphs are built here, and nothing is computed with them.
        LOG.info("device: %s", devices.prepare(job.threads, gpus=0))
        main(
            job.params.networks,
            job.params.sizes,
            Path(job.output.table),
            Path(job.output.markdown),
        )
