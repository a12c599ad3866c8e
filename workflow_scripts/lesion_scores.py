"""Score the maps of a network against the masks of lesions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from retinopathy import lesion_types, lesions, localisation, maps, overlays, tables
from retinopathy.logs import LOG, logged


def main(maps_file: Path, table: Path, marks: Path, scores: Path) -> None:
    """Write one row per photograph, method and type of lesion.

    Args:
        maps_file: Maps of the diseased class.
        table: The set of photographs.
        marks: Their masks on the grid.
        scores: Where to write.
    """
    explained = maps.read(maps_file)
    patients = lesions.read(table, lesions.PHOTOGRAPHS).set_index("image")["patient"]
    rows = pd.DataFrame(_rows(explained, marks), columns=list(lesion_types.SCORES))
    LOG.info("%d scores of %d photographs", len(rows), rows["image"].nunique())
    scored = rows.assign(patient=rows["image"].map(patients))
    tables.write(scored, scores, lesion_types.SCORES)


def _rows(explained: maps.Maps, marks: Path) -> Iterator[dict[str, Any]]:
    places = {image: place for place, image in enumerate(explained.images)}
    for marked in lesions.read_marks(marks):
        if marked.image not in places:
            continue
        found = localisation.targets(marked)
        for (method, _), heat in explained.heat.items():
            side = lesions.GRID
            whole = overlays.place(heat[places[marked.image]], (0, 0, side), (side, side))
            for row in localisation.score(whole, marked, found):
                yield row | {"image": marked.image, "method": method}


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.maps),
            Path(job.input.photographs),
            Path(job.input.marks),
            Path(job.output.scores),
        )
