"""Show the maps of both sizes on photographs with masks, and where the lesions are."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from retinopathy import lesion_types, lesions, map_pictures, maps, sheets, showcase
from retinopathy.decoding import Pixels
from retinopathy.files import read_json
from retinopathy.lesions import Marked, Mask
from retinopathy.logs import logged
from retinopathy.methods import COARSE, FINE, TITLES
from retinopathy.runs import Run

ROWS = 4
SHOWN = (COARSE, FINE)
_LINE = 2  # cells, of the outlines


def main(
    photographs: Path, table: Path, marks: Path, files: Sequence[Path], record: Path, figure: Path
) -> None:
    """Draw a sheet: each photograph, its lesions, and the maps of both sizes.

    Args:
        photographs: The set of photographs.
        table: Their masks.
        marks: Their masks on the grid.
        files: The maps at the small and at the large size.
        record: The record of the run at the large size.
        figure: Where to draw.
    """
    shown = lesions.read(photographs, lesions.PHOTOGRAPHS)
    rows = lesions.scored(shown, lesions.read(table, lesions.MASKS))
    explained = [maps.read(path) for path in files]
    chosen = lesions.choose(rows, ROWS) if any(one.images for one in explained) else []
    if not chosen:
        sheets.say("There are no maps of photographs with masks of their lesions.", figure)
        return
    known = [one for one in explained if one.images]
    marked = {one.image: one for one in lesions.read_marks(marks) if one.image in chosen}
    runs = [Run.parse(one.run) for one in known]
    titles = ["photograph", "lesions outlined"]
    titles += [f"{TITLES[name]}, {run.size} px" for run in runs for name in SHOWN]
    places = {row["image"]: row for row in shown.to_dict("records")}
    drawn = [
        sheets.Row(_title(marked[image]), _panels(places[image], marked[image], known))
        for image in chosen
    ]
    title = showcase.heading(runs, read_json(record)["starts_from"])
    sheets.draw(drawn, titles, figure, heat=map_pictures.MEANING, title=title)


def _panels(
    row: Mapping[Hashable, Any], marked: Marked, explained: Sequence[maps.Maps]
) -> list[Pixels]:
    """Return the pictures of one photograph."""
    crop = lesions.square(row)
    every = lesions.together(marked.lesions).get(lesion_types.ALL, np.zeros_like(marked.field))
    panels = [crop, outlined(crop, every, (255, 255, 255))]
    for one in explained:
        place = one.images.index(marked.image)
        for method in SHOWN:
            heat = one.heat[method, "diseased"][place]
            panels.append(outlined(map_pictures.over(crop, heat, method), every, (0, 255, 255)))
    return panels


def outlined(picture: Pixels, mask: Mask, colour: tuple[int, int, int]) -> Pixels:
    """Return a picture, uint8 (GRID, GRID, 3), with a line around each region of a mask."""
    around = cv2.dilate(mask.view(np.uint8), np.ones((3, 3), np.uint8), iterations=2)
    regions, _ = cv2.findContours(around, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(picture.copy(), regions, -1, colour, _LINE), np.uint8)


def _title(marked: Marked) -> str:
    """Return the id and how much of the retina each type covers."""
    shares = {
        kind: mask[marked.field].mean() for kind, mask in lesions.together(marked.lesions).items()
    }
    said = [f"{kind} {share:.2%}" for kind, share in shares.items() if kind != lesion_types.ALL]
    return "\n".join([marked.image, *said])


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.photographs),
            Path(job.input.masks),
            Path(job.input.marks),
            [Path(path) for path in job.input.maps],
            Path(job.input.record),
            Path(job.output.figure),
        )
