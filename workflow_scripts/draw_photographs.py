"""Draw one shard of the embedded synthetic set."""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import synthetic
from retinopathy.logs import LOG, logged


def main(
    folder: Path, patients: int, level_shares: Sequence[float], seed: int, shard: int, shards: int
) -> None:
    """Draw every `shards`-th patient, from number `shard`, into `folder`."""
    numbers = range(shard, patients, shards)
    labels = synthetic.generate(folder, numbers, seed, level_shares, LOG.info)
    labels.to_csv(folder / "labels.csv", index=False)


if __name__ == "__main__":
    from snakemake.script import snakemake

    with logged(snakemake.log[0]):
        main(
            Path(snakemake.output.folder),
            snakemake.params.patients,
            snakemake.params.level_shares,
            snakemake.params.seed,
            int(snakemake.wildcards.shard),
            snakemake.params.shards,
        )
