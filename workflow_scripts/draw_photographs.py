"""Draw one shard of the embedded synthetic set."""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import synthetic
from retinopathy.files import written
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
    """Draw every `shards`-th patient, from number `shard`, into `folder`; write their labels."""
    numbers = range(shard, patients, shards)
    table = synthetic.generate(folder, numbers, seed, level_shares, LOG.info)
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
