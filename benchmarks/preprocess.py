"""Milliseconds of CPU per raw photograph, one thread, from bytes to a square RGB array.

make benchmark NAME=preprocess [PHOTOGRAPHS=FOLDER]

Of the variants that are given bytes only, `project` finds the retina, crops and resizes, decoding
once (`photographs.find_and_prepare`); `opencv_full` decodes in full, finds the retina on a copy
reduced to an eighth, crops and resizes; `fundusprep` is retinalysis-fundusprep. `project, box
known` is what a records job does after the manifest has found the retina, `opencv_full, box known`
the same with full decoding, and `project, two decodes` is what manifest and records job do
together, as if the manifest served one size only. `floor` is given the box, decodes at the
strongest reduction that still covers the target, and does nothing else.

Likeness is the structural similarity (Wang et al. 2004; grey, Gaussian window, the whole square) of
`project` with full decoding, the same box and area resizing. Throughput is on the clock.

Expect `project` below 1.5 times the floor, the others several times as much, a likeness of 0.98 and
two processes nearly twice as fast as one.
"""

import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))

from side_by_side import Measured, least, of_cpu, of_wall, write

from retinopathy import decoding, photographs, sources

ROOT = Path(__file__).parents[1]
FOLDER = ROOT.parent / "shared" / "data" / "kaggle_raw_sample"
OTHER = ROOT / ".venv-benchmark" / "bin" / "python"
SIZES = (224, 448)
SEARCHED = 256  # least larger side of the copy on which the manifest finds the retina
ROUNDS = 10  # how often a process prepares all photographs for one measure of throughput

Row = tuple[str, str, float, str]
Boxed = list[tuple[bytes, photographs.CropBox]]


def find(data: bytes) -> photographs.CropBox:
    """Find the crop box as the manifest does."""
    reduction = decoding.strongest_reduction(max(decoding.dimensions(data)), SEARCHED)
    return photographs.crop_box(
        photographs.find_retina(decoding.decode(data, reduction), reduction)
    )


def full(data: bytes, box: photographs.CropBox | None, size: int) -> decoding.Pixels:
    """Decode in full, find the retina unless its box is known, crop and resize."""
    image = decoding.decode(data)
    if box is None:
        height, width = image.shape[:2]
        small = cv2.resize(image, (width // 8, height // 8), interpolation=cv2.INTER_AREA)
        box = photographs.crop_box(photographs.find_retina(np.asarray(small, np.uint8), 8))
    square = photographs.cut(image, box, 1)
    return np.asarray(cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def in_worker(worker: "subprocess.Popen[str]", size: int) -> Measured:
    """Let the other's process prepare all photographs and say what it took."""

    def measured() -> float:
        assert worker.stdin and worker.stdout
        print(size, file=worker.stdin, flush=True)
        return float(worker.stdout.readline())

    return measured


def costs(boxed: Boxed, size: int, worker: "subprocess.Popen[str]") -> list[Row]:
    """Measure the CPU of every variant at one size."""
    variants = {
        "floor": lambda data, box: decoding.decode(
            data, decoding.strongest_reduction(box.side, size)
        ),
        "project": lambda data, _: photographs.find_and_prepare(data, size, "none"),
        "project, box known": lambda data, box: photographs.prepare(data, box, size, "none"),
        "project, two decodes": lambda data, _: photographs.prepare(data, find(data), size, "none"),
        "opencv_full": lambda data, _: full(data, None, size),
        "opencv_full, box known": lambda data, box: full(data, box, size),
    }
    measured = {
        name: of_cpu(lambda work=work: [work(data, box) for data, box in boxed])
        for name, work in variants.items()
    }
    spent = least(measured | {"fundusprep": in_worker(worker, size)})
    return [
        (f"{size} px", name, 1000 * seconds / len(boxed), "ms CPU per photograph")
        for name, seconds in spent.items()
    ]


def likeness(boxed: Boxed, size: int) -> list[Row]:
    """Compare what `project` makes with full decoding and area resizing of the same box."""
    found = []
    for data, _ in boxed:
        circle, prepared = photographs.find_and_prepare(data, size, "none")
        found.append(ssim(prepared, full(data, photographs.crop_box(circle), size)))
    return [
        (f"{size} px", "project, mean", float(np.mean(found)), "SSIM with full decoding"),
        (f"{size} px", "project, least", min(found), "SSIM with full decoding"),
    ]


def ssim(first: decoding.Pixels, second: decoding.Pixels) -> float:
    """Return the mean structural similarity of two RGB images, uint8, in grey.

    Wang, Bovik, Sheikh, Simoncelli 2004: Gaussian window of standard deviation 1.5, 11 pixels wide.
    """

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (11, 11), 1.5)[5:-5, 5:-5]

    x, y = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float64) for image in (first, second))
    mx, my = mean(x), mean(y)
    vx, vy, covariance = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    light, structure = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    above = (2 * mx * my + light) * (2 * covariance + structure)
    below = (mx**2 + my**2 + light) * (vx + vy + structure)
    return float((above / below).mean())


def rounds(paths: list[Path], size: int, count: int) -> None:
    """Prepare all photographs a number of times, with one thread."""
    cv2.setNumThreads(1)
    files = [path.read_bytes() for path in paths]
    for _ in range(count):
        for data in files:
            photographs.find_and_prepare(data, size, "none")


def throughput(paths: list[Path], size: int) -> list[Row]:
    """Measure photographs per second of one process and of two."""
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:

        def together(processes: int, count: int) -> None:
            for done in [pool.submit(rounds, paths, size, count) for _ in range(processes)]:
                done.result()

        together(2, 1)  # starts both
        spent = least(
            {
                name: of_wall(lambda n=n: together(n, ROUNDS))
                for name, n in (("project, one process", 1), ("project, two processes", 2))
            }
        )
    done = len(paths) * ROUNDS
    return [
        (f"{size} px", name, n * done / seconds, "photographs per second")
        for n, (name, seconds) in enumerate(spent.items(), start=1)
    ]


def main() -> None:
    """Measure at 224 and 448 pixels, side by side."""
    cv2.setNumThreads(1)
    paths = sources.list_photographs(Path(os.environ.get("PHOTOGRAPHS", FOLDER)))
    boxed = [(data, find(data)) for data in (path.read_bytes() for path in paths)]
    command = [OTHER, Path(__file__).with_name("fundusprep_worker.py"), *paths]
    rows = []
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as worker:
        for size in SIZES:
            rows += costs(boxed, size, worker)
    for size in SIZES:
        rows += likeness(boxed, size) + throughput(paths, size)
    write("preprocess", rows, "floor", "project, one process")


if __name__ == "__main__":
    main()
