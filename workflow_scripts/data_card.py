"""Draw what the photographs are: how many per level, and one example of each."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from retinopathy import decoding, figures, manifest, photographs, sheets, splits
from retinopathy.files import written
from retinopathy.logs import logged

EXAMPLE_SIDE = 360
"""Side of an example in pixels."""


def main(
    table: Path,
    tasks: Mapping[str, Path],
    counts: Path,
    levels_figure: Path,
    examples_figure: Path,
) -> None:
    """Write the counts per level, their histogram, and an example per level.

    Args:
        table: The manifest.
        tasks: Task → its split table.
        counts: Where to write the counts.
        levels_figure: Where to draw the histogram.
        examples_figure: Where to draw the examples.
    """
    usable = manifest.usable(manifest.read_manifest(table))
    sets = {"all usable": usable} | {
        f"task {task}": splits.read_selected(path) for task, path in tasks.items()
    }
    counted = pd.concat(
        rows.groupby("level").size().rename("photographs").reset_index().assign(set=name)
        for name, rows in sets.items()
    )[["set", "level", "photographs"]]
    with written(counts) as beside:
        counted.to_csv(beside, index=False)
    figures.levels(counted, levels_figure)
    sheets.draw([sheets.Row("", _examples(usable))], _titles(usable), examples_figure)


def _titles(usable: pd.DataFrame) -> Sequence[str]:
    return [figures.LEVELS[level] for level in sorted(usable["level"].unique())]


def _examples(usable: pd.DataFrame) -> list[decoding.Pixels]:
    """Return one photograph per level: the one of median brightness, which is seldom a bad one."""
    images = []
    for _, rows in usable.groupby("level"):
        middle = rows.sort_values(["brightness", "image"]).iloc[len(rows) // 2]
        box = photographs.CropBox(middle["crop_left"], middle["crop_top"], middle["crop_side"])
        data = Path(middle["path"]).read_bytes()
        images.append(photographs.prepare(data, box, EXAMPLE_SIDE, "none"))
    return images


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.manifest),
            dict(zip(job.params.tasks, map(Path, job.input.splits), strict=True)),
            Path(job.output.table),
            Path(job.output.levels),
            Path(job.output.examples),
        )
