"""Draw one shard of the embedded synthetic set."""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import synthetic
from retinopathy.files import sha256, written
from retinopathy.logs import LOG, logged


def main(
    folder: Path,
    labels: Path,
    patients: int,
    level_shares: Sequence[float],
    seed: int,
    shard: int,
    shards: int,
) -> None:
    """Draw every `shards`-th patient, from number `shard`, into `folder`; write their labels.

    The labels carry the SHA-256 of each photograph: Snakemake judges a folder by its time alone, a
    file by its content, so what follows depends on the labels.
    """
    numbers = range(shard, patients, shards)
    table = synthetic.generate(folder, numbers, seed, level_shares, LOG.info)
    drawn = [folder / "photographs" / f"{image}.jpeg" for image in table["image"]]
    table = table.assign(sha256=[sha256(path) for path in drawn])
    with written(labels) as beside:
        table.to_csv(beside, index=False)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.output.folder),
            Path(job.output.labels),
            job.params.patients,
            job.params.level_shares,
            job.params.seed,
            int(job.wildcards.shard),
            job.params.shards,
        )
