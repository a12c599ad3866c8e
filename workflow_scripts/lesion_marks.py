"""Look at the masks of a set of photographs, and put them on the grid on which maps are scored."""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import lesions, mask_files
from retinopathy.logs import LOG, logged
from retinopathy.manifest import usable


def main(photographs: Path, folders: Sequence[Path], table: Path, marks: Path) -> None:
    """Write the table of masks, and the photographs that can be scored with theirs on the grid.

    Args:
        photographs: The set of photographs.
        folders: Folders of masks.
        table: Where to write the table.
        marks: Where to write the masks on the grid.
    """
    for folder in folders:
        if others := mask_files.misnamed(folder):
            named = ", ".join(others[:5]) + ", …" * (len(others) > 5)
            LOG.warning("%s: left out, for no mask ends so: %d (%s)", folder, len(others), named)
    shown = lesions.read(photographs, lesions.PHOTOGRAPHS)
    found = lesions.measure(usable(shown), mask_files.find(folders))
    lesions.mark_all(lesions.scored(shown, found), marks)
    lesions.write(found, table, lesions.MASKS, LOG.info)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.photographs),
            [Path(folder) for folder in job.params.folders],
            Path(job.output.table),
            Path(job.output.marks),
        )
