"""What the first third of the workflow costs as the number of photographs grows.

make benchmark NAME=scale [COUNTS=1000,5000,20000,88702]

For each count small photographs are drawn, and Snakemake takes them from a folder and a label file
to manifest, selection and splits, 1,000 photographs in a shard. Expect the milliseconds per
photograph to stay the same, the memory of the largest job well under 2 GiB, and a dry run of the
full study in a few seconds. The photographs are small, so that the figures show what comes on top
of decoding.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import yaml
from side_by_side import write

ROOT = Path(__file__).parents[1]
COUNTS = (1000, 5000, 20000, 88702)
SHARES = (0.734, 0.070, 0.151, 0.025, 0.020)  # of the levels in the competition's training set


def draw(folder: Path, count: int) -> None:
    """Draw `count` photographs of two eyes a patient, 160 × 120 pixels, and their labels."""
    (folder / "photographs").mkdir(parents=True)
    generator = np.random.default_rng(1)
    worse = generator.choice(5, size=count, p=SHARES)
    lines = ["image,level"]
    for number in range(count):
        image = f"{number // 2}_{('left', 'right')[number % 2]}"
        (folder / "photographs" / f"{image}.jpeg").write_bytes(_picture(generator))
        lines.append(f"{image},{worse[number // 2]}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")


def _picture(generator: np.random.Generator) -> bytes:
    """Draw a disc with vessels of its own: the same picture twice would be a copy."""
    image = np.zeros((120, 160, 3), np.uint8)
    light = generator.uniform(0.6, 1.3)
    cv2.circle(image, (80, 60), 55, (40 * light, 80 * light, 160 * light), -1)
    for _ in range(12):
        walk = np.cumsum(generator.normal(0, 6, (9, 2)), axis=0) + np.array([80, 60])
        inside = np.clip(walk, (45, 25), (115, 95)).astype(np.int32)
        cv2.polylines(image, [inside], isClosed=False, color=(20, 30, 90), thickness=2)
    return cv2.imencode(".jpg", image)[1].tobytes()


def snakemake(folder: Path, *arguments: str) -> float:
    """Run the full study's workflow on the photographs of `folder`; return seconds of wall time."""
    overlay = folder / "overlay.yaml"
    source = {"kind": "folder", "photographs": "photographs", "labels": "labels.csv"}
    tasks = {name: {"when_fewer": "use_all"} for name in ("extremes", "referable")}
    shards = {"shards": -(-len([*(folder / "photographs").iterdir()]) // 1000)}
    overlay.write_text(yaml.safe_dump({"source": source, "tasks": tasks, "photographs": shards}))
    command = [
        Path(sys.executable).with_name("snakemake"),
        "--snakefile",
        ROOT / "Snakefile",
        "--directory",
        folder,
        "--workflow-profile",
        ROOT / "profiles/default",
        "--configfile",
        ROOT / "config.yaml",
        overlay,
        "--quiet=all",
        *arguments,
    ]
    started = time.perf_counter()
    subprocess.run(command, check=True, cwd=folder, capture_output=True)
    return time.perf_counter() - started


def measured(folder: Path, count: int) -> list[tuple[str, str, float, str]]:
    """Draw, run and return the rows of one count."""
    draw(folder, count)
    (folder / "config.yaml").symlink_to(ROOT / "config.yaml")
    planned = snakemake(folder, "--dry-run")
    targets = [f"results/kaggle/splits/{task}.csv" for task in ("extremes", "referable")]
    snakemake(folder, "--", *targets)
    spent: dict[str, list[float]] = {}
    largest = 0.0
    benchmarks = folder / "results/kaggle/benchmarks"
    for path in benchmarks.rglob("*.tsv"):
        rule = path.relative_to(benchmarks).parts[0].removesuffix(".tsv")
        row = pd.read_csv(path, sep="\t").iloc[0]
        spent.setdefault(rule, []).append(float(row["cpu_time"]))
        largest = max(largest, float(row["max_rss"]))
    case = f"{count} photographs"
    rows = [
        (case, rule, 1000 * sum(seconds) / count, "ms CPU per photograph")
        for rule, seconds in sorted(spent.items())
    ]
    return [
        *rows,
        (case, "all", sum(value for _, _, value, _ in rows), "ms CPU per photograph"),
        (case, "largest job", largest, "MB of memory"),
        (case, "dry run of the full study", planned, "s"),
    ]


def main() -> None:
    """Measure every count."""
    given = os.environ.get("COUNTS")
    counts = [int(count) for count in given.split(",")] if given else COUNTS
    rows = []
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            rows += measured(Path(folder) / "study", count)
    write("scale", rows, "all")


if __name__ == "__main__":
    main()
