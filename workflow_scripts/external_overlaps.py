"""Find the photographs of an external set that the study has too."""

from pathlib import Path

from retinopathy import copies, manifest
from retinopathy.files import written
from retinopathy.logs import LOG, logged


def main(photographs: Path, study: Path, table: Path) -> None:
    """Compare the usable photographs of two manifests; write columns image, same_as, how."""
    own, others = (manifest.usable(manifest.read_manifest(path)) for path in (photographs, study))
    found = copies.find(own, others, LOG.info)
    LOG.info("%d of %d photographs are in the study too", len(found), len(own))
    with written(table) as beside:
        found.to_csv(beside, index=False)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(Path(job.input.manifest), Path(job.input.study), Path(job.output.overlaps))
