"""Milliseconds of CPU per raw photograph, one thread, from bytes to a square RGB array.

make benchmark NAME=preprocess [PHOTOGRAPHS=FOLDER]

`floor` decodes at the strongest reduction that still covers the target and does nothing else;
`opencv_full` decodes in full, cuts and resizes. Expect `project` close to the floor.
"""

import os
import sys
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))

from side_by_side import cpu_milliseconds, write

from retinopathy import decoding, photographs, sources

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "kaggle_raw_sample"


def full(data: bytes, box: photographs.CropBox, size: int) -> None:
    """Decode in full, cut to the part of the box that is inside, resize."""
    image = decoding.decode(data)
    left, top = max(box.left, 0), max(box.top, 0)
    cut = image[top : box.top + box.side, left : box.left + box.side]
    cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA)


def main() -> None:
    """Measure at 224 and 448 pixels, side by side."""
    cv2.setNumThreads(1)
    folder = Path(os.environ.get("PHOTOGRAPHS", FOLDER))
    files = [path.read_bytes() for path in sources.list_photographs(folder)]
    circles = [photographs.find_retina(decoding.decode(data, 8), 8) for data in files]
    boxed = [
        (data, photographs.crop_box(circle)) for data, circle in zip(files, circles, strict=True)
    ]
    rows = []
    for size in (224, 448):
        variants = {
            "floor": lambda size=size: [
                decoding.decode(data, decoding.strongest_reduction(box.side, size))
                for data, box in boxed
            ],
            "project": lambda size=size: [
                photographs.prepare(data, box, size, "none") for data, box in boxed
            ],
            "opencv_full": lambda size=size: [full(data, box, size) for data, box in boxed],
        }
        spent = cpu_milliseconds(variants, len(boxed))
        rows += [
            (f"{size} px", name, value, "ms CPU per photograph") for name, value in spent.items()
        ]
    write("preprocess", rows, "floor")


if __name__ == "__main__":
    main()
