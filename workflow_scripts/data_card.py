"""Write the data card: what the photographs are, how they are split, and what to beware of."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from retinopathy import card, card_figures, duplicates, figures, manifest, sheets, splits, tables
from retinopathy.files import read_json, write_text
from retinopathy.logs import logged


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
    pairs = duplicates.told(rows)
    tables.write(levels, outputs["table"], ("set", "level", "photographs"))
    tables.write(sizes, outputs["sizes_table"], ("size", "photographs"))
    tables.write(pairs, outputs["duplicates"], duplicates.COLUMNS)
    _draw(rows, usable, levels, sizes, outputs)
    found = {
        "levels": card.by_set(levels),
        "subsets": pd.DataFrame([read_json(path) for path in subsets]),
        "proofs": card.read_proofs(proofs),
        "fellow": tables.read(fellow, tables.METRICS),
        "sizes": sizes,
        "qualities": card.qualities(usable),
        "reasons": _reasons(rows),
        "duplicates": pairs,
        "external": _external(external),
    }
    page = card.tell(study, found, _counts(rows, usable, chosen), outputs)
    write_text(outputs["page"], page.html())


def _reasons(rows: pd.DataFrame) -> pd.DataFrame:
    """Return how many images were rejected for which kind of reason."""
    kinds = manifest.kinds(manifest.rejects(rows)["reason"])
    return kinds.value_counts().rename("images").reset_index()


def _external(external: Mapping[str, tuple[Path, Path]]) -> pd.DataFrame:
    read = {
        name: (manifest.read_manifest(own), tables.read(shared, ("image",)))
        for name, (own, shared) in external.items()
    }
    return card.external(read)


def _counts(
    rows: pd.DataFrame, usable: pd.DataFrame, chosen: Mapping[str, pd.DataFrame]
) -> dict[str, int]:
    """Return how many photographs there are of each kind, and how many patients."""
    return {
        "photographs": int((rows["path"] != "").sum()),
        "unfiled": int((rows["path"] == "").sum()),
        "usable": len(usable),
        "patients": usable["patient"].nunique(),
        "unfound": int((~usable["circle_found"]).sum()),
        "crossing": card.crossing(chosen),
    }


def _draw(
    rows: pd.DataFrame,
    usable: pd.DataFrame,
    levels: pd.DataFrame,
    sizes: pd.DataFrame,
    outputs: Mapping[str, Path],
) -> None:
    figures.levels(levels, outputs["levels"])
    card_figures.sheet(card_figures.examples(usable), len(manifest.LEVELS), outputs["examples"])
    card_figures.sizes(sizes, outputs["sizes"])
    card_figures.light(usable, outputs["brightness"])
    rejected = card.some_rejects(rows, card_figures.TILES)
    if rejected.empty:
        sheets.say("No photograph was rejected.", outputs["rejects"])
    else:
        tiles = card_figures.rejects(rejected)
        card_figures.sheet(tiles, card_figures.COLUMNS, outputs["rejects"])


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
