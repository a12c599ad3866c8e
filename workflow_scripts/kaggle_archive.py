"""Fetch one part of an archive of the competition, or take the one that is there."""

from pathlib import Path

from retinopathy import arrivals
from retinopathy.files import write_json
from retinopathy.logs import LOG, logged


def main(archives: Path, name: str, receipt: Path) -> None:
    """Make sure that a part is in `archives`, unless it was unpacked and removed.

    Args:
        archives: Folder of the archives' parts.
        name: Name of the part.
        receipt: Where to write name, size, SHA-256 and origin of the part.
    """
    found = arrivals.receipt(arrivals.obtain(archives, name, LOG.info))
    LOG.info(", ".join(f"{key} {value}" for key, value in found.items()))
    write_json(receipt, found)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.params.photographs) / "archives",
            job.wildcards.archive,
            Path(job.output.receipt),
        )
