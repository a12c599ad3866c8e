"""Show the photograph that was wrong at the small size and right at the large one."""

from pathlib import Path

import pandas as pd

from retinopathy import devices, flips, maps, models, sheets, showcase, tables
from retinopathy.logs import LOG, logged
from retinopathy.manifest import rows_of
from retinopathy.runs import Run


def main(
    table: Path,
    manifest: Path,
    small: tuple[Run, Path, Path],
    large: tuple[Run, Path, Path],
    contrast: str,
    figure: Path,
) -> None:
    """Draw the maps of both sizes of the photograph whose true class gained most.

    Args:
        table: The flips.
        manifest: The manifest.
        small: Run, initial weights and trained variables at the small size.
        large: The same at the large size.
        contrast: Contrast normalisation, as in the records.
        figure: Where to draw.
    """
    run = small[0]
    flipped = tables.read(table, flips.COLUMNS)
    image = flips.clearest(flipped, run.task, run.network, run.seed)
    if image is None:
        sheets.say(
            f"No test photograph is wrong at {run.size} px and right at {large[0].size} px "
            f"for {run.network} on {run.task}.",
            figure,
        )
        return
    LOG.info("explaining %s", image)
    row = flipped[(flipped["image"] == image) & (flipped["network"] == run.network)].iloc[0]
    rows = [
        _row(one, image, manifest, contrast, row, name)
        for name, one in (("small", small), ("large", large))
    ]
    sheets.draw(rows, maps.COLUMNS, figure, heat="share of the largest value")


def _row(
    explained: tuple[Run, Path, Path],
    image: str,
    manifest: Path,
    contrast: str,
    flip: pd.Series,
    name: str,
) -> sheets.Row:
    """Return the row of one size: the photograph, its maps, and what was predicted."""
    run, weights, trained = explained
    (photograph,) = showcase.load(rows_of(manifest, [image]), run.size, contrast)
    model = models.load_trained(run, weights, trained)
    cam, guided = maps.explain(model, photograph.seen[None])
    verdict = "right" if flip["right_at"] == name else "wrong"
    title = (
        f"{image}, level {flip['level']}\n{run.size} px: {verdict}\n"
        f"probability {flip[f'probability_{name}']:.2f}{maps.remark(cam[0])}"
    )
    return sheets.Row(title, maps.panels(photograph, cam[0], guided[0]))


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        exact = job.config["training"]["deterministic"]
        LOG.info("device: %s", devices.prepare(job.threads, deterministic=exact))
        inputs, params = job.input, job.params
        main(
            Path(inputs.flips),
            Path(inputs.manifest),
            (Run.parse(params.small), Path(inputs.small_weights), Path(inputs.small_trained)),
            (Run.parse(params.large), Path(inputs.large_weights), Path(inputs.large_trained)),
            params.contrast,
            Path(job.output.figure),
        )
