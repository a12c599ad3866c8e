"""Draw one shard of the embedded synthetic set."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retinopathy import synthetic
from retinopathy.files import sha256, written
from retinopathy.logs import LOG, logged


def main(
    folder: Path,
    labels: Path,
    masks: Path,
    patients: int,
    level_shares: Sequence[float],
    seed: int,
    shard: int,
    shards: int,
) -> None:
    """Draw every `shards`-th patient, from number `shard`, into `folder`; write their labels.

    Both tables carry the SHA-256 of what was drawn: Snakemake judges a folder by its time alone, a
    file by its content, so what follows depends on the labels, or on the masks where these count.

    Args:
        folder: Where `photographs` and `masks` go.
        labels: Where to write image, level and sha256 of each photograph.
        masks: Where to write name (mask) and sha256 of each mask.
        patients: How many there are in all shards.
        level_shares: Shares of levels 0 to 4.
        seed: Of the whole set.
        shard: Number of this shard.
        shards: How many there are.
    """
    (folder / "masks").mkdir(parents=True, exist_ok=True)  # though no photograph has lesions
    numbers = range(shard, patients, shards)
    table = synthetic.generate(folder, numbers, seed, level_shares, LOG.info)
    drawn = [folder / "photographs" / f"{image}.jpeg" for image in table["image"]]
    table = table.assign(sha256=[sha256(path) for path in drawn])
    files = sorted((folder / "masks").glob("*.png"))
    names, hashes = [path.name for path in files], [sha256(path) for path in files]
    covers = pd.DataFrame({"mask": names, "sha256": hashes})
    for rows, path in ((table, labels), (covers, masks)):
        with written(path) as beside:
            rows.to_csv(beside, index=False)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.output.folder),
            Path(job.output.labels),
            Path(job.output.masks),
            job.params.patients,
            job.params.level_shares,
            job.params.seed,
            int(job.wildcards.shard),
            job.params.shards,
        )
