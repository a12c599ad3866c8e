"""Show the photograph that was wrong at the small size and right at the large one."""

from pathlib import Path

import pandas as pd

from retinopathy import decoding, devices, explaining, flip_figures, flips, models, sheets, tables
from retinopathy.logs import LOG, logged
from retinopathy.manifest import rows_of
from retinopathy.methods import COARSE, FINE
from retinopathy.runs import Run
from retinopathy.showcase import Shown, load

Trained = tuple[Run, Path, Path]
"""A run, the weights that it started from, and its trained variables."""


def main(
    listed: Path,
    tested: Path,
    manifest: Path,
    small: Trained,
    large: Trained,
    contrast: str,
    figure: Path,
) -> None:
    """Draw both sizes' maps of the photograph whose true class gained most.

    Args:
        listed: The table of photographs that flip.
        tested: The table of tests.
        manifest: The manifest.
        small: The run at the small size.
        large: The run at the large size.
        contrast: Contrast normalisation, as in the records.
        figure: Where to draw.
    """
    run = small[0]
    gained = flips.gained(tables.read(listed, flips.COLUMNS), run)
    table = tables.read(tested, flips.TESTS)
    same = [table[name] == getattr(run, name) for name in ("task", "network", "seed")]
    test = table[same[0] & same[1] & same[2]].iloc[0]
    if gained.empty:
        sheets.say(flip_figures.nothing(test), figure)
        return
    row = gained.iloc[0]
    LOG.info("explaining %s", row["image"])
    photograph = rows_of(manifest, [row["image"]])
    shown = [load(photograph, one.size, contrast)[0] for one, *_ in (small, large)]
    sights = [
        _sight(one, seen, row, name)
        for one, seen, name in zip((small, large), shown, ("small", "large"), strict=True)
    ]
    whole = decoding.decode(Path(photograph["path"].iloc[0]).read_bytes())
    found = flip_figures.Flip(whole, shown[1].picture, shown[1].box, row["label"], *sights)
    flip_figures.draw(found, flip_figures.tell(gained, test), figure)


def _sight(trained: Trained, shown: Shown, row: pd.Series, name: str) -> flip_figures.Sight:
    """Return what the network of one size saw, where it looked and what it said."""
    model = models.load_trained(*trained)
    heat = explaining.explain(model, shown.seen[None], (COARSE, FINE))
    return flip_figures.Sight(
        trained[0].size,
        shown.seen,
        heat[COARSE][0],
        heat[FINE][0],
        row[f"probability_{name}"],
        row[f"threshold_{name}"],
    )


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        exact = job.config["training"]["deterministic"]
        LOG.info("device: %s", devices.prepare(job.threads, deterministic=exact))
        inputs, params = job.input, job.params
        main(
            Path(inputs.flips),
            Path(inputs.tests),
            Path(inputs.manifest),
            (Run.parse(params.small), Path(inputs.small_weights), Path(inputs.small_trained)),
            (Run.parse(params.large), Path(inputs.large_weights), Path(inputs.large_trained)),
            params.contrast,
            Path(job.output.figure),
        )
