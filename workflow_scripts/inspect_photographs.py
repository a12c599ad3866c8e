"""Look at one shard of the photographs: one row each, whatever is wrong with it."""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import inspection, sources
from retinopathy.errors import Explained
from retinopathy.files import written
from retinopathy.logs import LOG, logged


def main(folders: Sequence[Path], shard: int, shards: int, table: Path) -> None:
    """Inspect the photographs of `folders` that fall into `shard`.

    Args:
        folders: Folders of photographs, searched to any depth.
        shard: Number of the shard, from 0.
        shards: How many shards there are.
        table: Where to write the rows.

    Raises:
        Explained: There is no photograph in any folder.
    """
    files = sources.by_image(folders)
    if not files:
        raise Explained(
            "no photographs",
            expected=f"files ending in {', '.join(sorted(sources.ENDINGS))}",
            received=f"none in {', '.join(map(str, folders))}",
            hint="correct `photographs:` in the configuration, or put them there",
        )
    rows = inspection.inspect_all(files, shard, shards, LOG.info)
    with written(table) as beside:
        rows.to_csv(beside, index=False)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            [Path(folder) for folder in job.params.folders],
            int(job.wildcards.shard),
            job.params.shards,
            Path(job.output.table),
        )
