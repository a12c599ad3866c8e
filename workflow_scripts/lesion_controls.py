"""Score what needs no network against the masks of lesions."""

from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from retinopathy import lesion_types, lesions, localisation, priors, tables
from retinopathy.logs import LOG, logged


def main(table: Path, marks: Path, scores: Path) -> None:
    """Write one row per photograph, control and type of lesion.

    Args:
        table: The set of photographs.
        marks: Their masks on the grid.
        scores: Where to write.
    """
    shown = lesions.read(table, lesions.PHOTOGRAPHS).to_dict("records")
    known = {row["image"]: row for row in shown}
    rows = pd.DataFrame(_rows(known, marks), columns=list(lesion_types.SCORES))
    LOG.info("%d scores of %d photographs", len(rows), rows["image"].nunique())
    tables.write(rows, scores, lesion_types.SCORES)


def _rows(shown: Mapping[str, Mapping[Hashable, Any]], marks: Path) -> Iterator[dict[str, Any]]:
    for marked in lesions.read_marks(marks):
        row = shown[marked.image]
        crop, found = lesions.square(row), localisation.targets(marked)
        known = {"image": marked.image, "patient": row["patient"]}
        for method, control in priors.CONTROLS.items():
            heat = control(crop, marked.field)
            for scored in localisation.score(heat, marked, found):
                yield scored | known | {"method": method}


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(Path(job.input.photographs), Path(job.input.marks), Path(job.output.scores))
