"""Look at a folder of photographs, and at which of them have masks of their lesions."""

from pathlib import Path

from retinopathy import lesions, manifest, mask_files
from retinopathy.logs import LOG, logged


def main(
    photographs: Path,
    masks: Path,
    study: Path,
    most: int,
    seed: int,
    table: Path,
) -> None:
    """Write the set's photographs.

    Args:
        photographs: Folder of photographs.
        masks: Folder of masks, of which only the names count.
        study: The manifest of the study; what is in it too may have been trained on.
        most: How many photographs to use at most; 0 for all.
        seed: Governs which.
        table: Where to write.
    """
    rows = lesions.inspect(photographs, manifest.read_manifest(study), LOG.info)
    found = lesions.collect(rows, set(mask_files.find([masks])), most, seed)
    lesions.write(found, table, lesions.PHOTOGRAPHS, LOG.info)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.params.folders["photographs"]),
            Path(job.params.folders["masks"]),
            Path(job.input.study),
            job.params.photographs,
            job.params.seed,
            Path(job.output.table),
        )
