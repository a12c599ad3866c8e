"""Crop, resize and write one shard of a task's photographs as TFRecord."""

from pathlib import Path

from retinopathy import manifest, records, splits
from retinopathy.logs import LOG, logged


def main(
    photographs: Path,
    table: Path,
    part: int,
    shard: int,
    shards: int,
    size: int,
    contrast: str,
    seed: int,
    destination: Path,
) -> None:
    """Write the photographs of `part` that fall into `shard`, `size` pixels wide."""
    chosen = records.shard_rows(splits.read_selected(table), part, shard, shards)
    places = manifest.read_manifest(photographs)[
        ["image", "path", "crop_left", "crop_top", "crop_side"]
    ]
    rows = chosen.merge(places, on="image", validate="one_to_one")
    written = records.write_shard(rows, destination, size, contrast, seed, LOG.info)
    LOG.info("%d photographs at %d px", written, size)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.manifest),
            Path(job.input.selected),
            int(job.wildcards.part),
            int(job.wildcards.shard),
            job.params.shards,
            int(job.wildcards.size),
            job.params.contrast,
            job.params.seed,
            Path(job.output.records),
        )
