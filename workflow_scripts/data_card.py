"""Write the data card: what the photographs are, how they are split, and what to beware of."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from retinopathy import card, card_figures, duplicates, figures, manifest, sheets, splits, tables
from retinopathy.files import read_json, write_text
from retinopathy.logs import LOG, logged


def main(
    study: str,
    photographs: Path,
    tasks: Mapping[str, Path],
    proofs: Mapping[str, Path],
    subsets: Sequence[Path],
    fellow: Path,
    external: Mapping[str, tuple[Path, Path]],
    outputs: Mapping[str, Path],
) -> None:
    """Write `table`, `sizes`, `duplicates`, the figures of `card.FIGURES` and `page` of `outputs`.

    Args:
        study: Name of the study.
        photographs: The manifest.
        tasks: Task → its split table.
        proofs: Task → its proof.
        subsets: What each task's list of photographs is.
        fellow: Metrics of the fellow eye.
        external: External set → its manifest, and its photographs that the study has too.
        outputs: Where to write.
    """
    rows = manifest.read_manifest(photographs)
    usable = manifest.usable(rows)
    chosen = {task: splits.read_selected(path) for task, path in tasks.items()}
    levels = card.levels(
        {"all usable": usable} | {f"task {task}": table for task, table in chosen.items()}
    )
    sizes = card.sizes(usable)
    candidates = duplicates.candidates(usable)
    LOG.info("%d pairs of different patients are alike in hash and light", len(candidates))
    pairs = pd.concat(
        [duplicates.same_bytes(rows), duplicates.same_pixels(usable, candidates)],
        ignore_index=True,
    )
    tables.write(levels, outputs["table"], ("set", "level", "photographs"))
    tables.write(sizes, outputs["sizes_table"], ("size", "photographs"))
    tables.write(pairs, outputs["duplicates"], duplicates.COLUMNS)
    _draw(rows, usable, levels, sizes, outputs)
    reasons = manifest.kinds(manifest.rejects(rows)["reason"]).value_counts()
    page = card.tell(
        study,
        {
            "levels": card.by_set(levels),
            "proofs": pd.concat(
                [
                    pd.read_csv(path, dtype=tables.TEXT).assign(task=task)
                    for task, path in proofs.items()
                ]
            ),
            "fellow": tables.read(fellow, tables.METRICS),
            "sizes": sizes,
            "qualities": card.by_level(usable[usable["quality"] != ""], "quality"),
            "reasons": reasons.rename("photographs").reset_index(),
            "duplicates": pairs,
            "external": card.external(
                {
                    name: (manifest.read_manifest(own), tables.read(shared, ("image",)))
                    for name, (own, shared) in external.items()
                }
            ),
        },
        [read_json(path) for path in subsets],
        {
            "photographs": len(rows),
            "usable": len(usable),
            "patients": usable["patient"].nunique(),
            "unfound": int((~usable["circle_found"]).sum()),
            "crossing": card.crossing(chosen),
            "candidates": len(candidates),
        },
        outputs,
    )
    write_text(outputs["page"], page.html())


def _draw(
    rows: pd.DataFrame,
    usable: pd.DataFrame,
    levels: pd.DataFrame,
    sizes: pd.DataFrame,
    outputs: Mapping[str, Path],
) -> None:
    figures.levels(levels, outputs["levels"])
    titles = [figures.LEVELS[level] for level in sorted(usable["level"].unique())]
    sheets.draw([sheets.Row("", card_figures.examples(usable))], titles, outputs["examples"])
    card_figures.sizes(sizes, outputs["sizes"])
    card_figures.light(usable, outputs["brightness"])
    rejected = card.some_rejects(rows, card_figures.TILES)
    if rejected.empty:
        sheets.say("No photograph was rejected.", outputs["rejects"])
    else:
        card_figures.sheet(card_figures.rejects(rejected), outputs["rejects"])


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            job.wildcards.study,
            Path(job.input.manifest),
            dict(zip(job.params.tasks, map(Path, job.input.splits), strict=True)),
            dict(zip(job.params.tasks, map(Path, job.input.proofs), strict=True)),
            [Path(path) for path in job.input.subsets],
            Path(job.input.fellow),
            {
                name: (Path(own), Path(shared))
                for name, own, shared in zip(
                    job.params.external, job.input.external, job.input.overlaps, strict=True
                )
            },
            {name: Path(path) for name, path in job.output.items()},
        )
