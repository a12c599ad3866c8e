"""Seconds from the start of a process to its first finished training step, at 224 pixels.

make benchmark NAME=startup [PHOTOGRAPHS=FOLDER NETWORKS=xception,mobilenet_v2]

For each network, with random weights, at `head`, the last block and `all`. `project` is a job of
training as the workflow starts it: on features at `head` and the last block, on records at `all`.
`plain_fit` is `Model.fit` of the whole graph with the same layers unfrozen and the rest frozen, on
the same records. Both have batches of 32, the same cores and weights that lie on disk; seconds are
on the clock, the better of two alternating repeats. Features are made before: `features` is the job
that makes those of the last block for a single batch, from the start of its process to its end; it
is paid once for all runs.

Expect `project` at least twice as fast as `plain_fit` at the last block. Most of what is left there
is the import of TensorFlow and the building of the network.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))

from reader import FOLDER, listed
from side_by_side import write
from startup_worker import BATCH, SEED, SIZE, SPLITS

from retinopathy import records, registry, sources, weights

WORKER = Path(__file__).with_name("startup_worker.py")
REPEATS = 2

Row = tuple[str, str, float, str]


def seconds(folder: Path, job: str, network: str, depth: str) -> float:
    """Return the seconds from the start of a process to the first finished step."""
    started = time.monotonic()  # The clock is the same in all processes.
    subprocess.run([sys.executable, str(WORKER), str(folder), job, network, depth], check=True)
    return float((folder / "finished").read_text()) - started


def costs(folder: Path, network: str) -> list[Row]:
    """Measure a network at every depth."""
    weights.randomise_all(network, SIZE, SEED, folder / "backbone.weights.h5")
    last = list(registry.NETWORKS[network].blocks)[-1]
    made = {depth: seconds(folder, "features", network, depth) for depth in (registry.HEAD, last)}
    rows = [(f"{network}, {last}", "features", made[last], "s")]
    for depth in (registry.HEAD, last, registry.ALL):
        taken = [
            (job, seconds(folder, job, network, depth))
            for _ in range(REPEATS)
            for job in ("project", "plain_fit")
        ]
        rows += [
            (f"{network}, {depth}", job, min(value for of, value in taken if of == job), "s")
            for job in ("project", "plain_fit")
        ]
        print(*rows[-2:], flush=True)
    return rows


def main() -> None:
    """Measure every network."""
    paths = sources.list_photographs(Path(os.environ.get("PHOTOGRAPHS", FOLDER)))[: BATCH + 2]
    given = os.environ.get("NETWORKS")
    rows = []
    for network in given.split(",") if given else registry.NETWORKS:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            known = listed(paths)
            known["label"] = [place % 2 for place in range(len(known))]
            for split, inside in zip(SPLITS, (known[:BATCH], known[BATCH:]), strict=True):
                file = folder / f"{split}.tfrecord"
                records.write_shard(inside, file, SIZE, "none", SEED, lambda _: None)
            rows += costs(folder, network)
    write("startup", rows, "project")


if __name__ == "__main__":
    main()
