"""Unpack the photographs of one set of the competition."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from retinopathy import archives, arrivals
from retinopathy.files import read_json, write_json, written
from retinopathy.joined import Part
from retinopathy.logs import LOG, logged


def main(
    folder: Path, receipts: Sequence[Path], remove: bool, receipt: Path, refused: Path
) -> None:
    """Unpack a set's photographs from the parts of its archive.

    Args:
        folder: Where photographs go; the parts are in the folder `archives` beside it.
        receipts: One per part, in order.
        remove: Remove each part once nothing in it is needed any more.
        receipt: Where to write how many photographs there are, of how many bytes, from which parts.
        refused: Where to write which entries of the archive were not unpacked, and why.
    """
    arrived = [read_json(path) for path in receipts]
    parts = [Part(folder.parent / "archives" / a["name"], a["bytes"]) for a in arrived]
    for part in parts:
        if part.path.is_file():
            arrivals.check(part.path)
    found = archives.unpack(parts, folder, LOG.info, arrivals.remove if remove else None)
    LOG.info(f"{found.photographs} photographs, {len(found.refused)} entries refused")
    rows = pd.DataFrame([(one.image, one.reason) for one in found.refused])
    with written(refused) as beside:
        rows.reindex(columns=[0, 1]).to_csv(beside, index=False, header=["image", "reason"])
    content = {
        "set": folder.name,
        "photographs": found.photographs,
        "bytes": found.bytes,
        "refused": len(found.refused),
        "archives": {a["name"]: a["sha256"] for a in arrived},
    }
    write_json(receipt, content)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.params.photographs) / job.wildcards.kaggle_set,
            [Path(path) for path in job.input.archives],
            job.config["source"]["remove_archives"],
            Path(job.output.receipt),
            Path(job.output.refused),
        )
