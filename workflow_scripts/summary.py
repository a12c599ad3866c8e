"""Write the page that tells the whole study."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from retinopathy import card, story
from retinopathy.files import read_json, write_text
from retinopathy.logs import logged
from retinopathy.material import Material, read_caption
from retinopathy.tables import read

COLLECTIONS = ("saliency", "saliency_sizes", "lesions", "sanity", "flips")
"""Figures of which there is one per final network, or several."""


def main(
    study: str,
    source: str,
    tables: Mapping[str, Path],
    proofs: Mapping[str, Path],
    subsets: list[Path],
    recommendations: list[Path],
    figures: Mapping[str, list[Path]],
    captions: list[Path],
    page: Path,
) -> None:
    """Read tables and figures, and write the page."""
    known = {name: read(path, ()) for name, path in tables.items()}
    known["proofs"] = card.read_proofs(proofs)
    known["subsets"] = pd.DataFrame([read_json(path) for path in subsets])
    known["recommendations"] = pd.concat([pd.read_csv(path) for path in recommendations])
    told = {path.stem: read_caption(path) for path in captions}
    write_text(page, story.tell(study, source, Material(known, figures, told)).html())


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        inputs = job.input
        named = {Path(path).stem: Path(path) for path in [*inputs.tables, *inputs.seeds]}
        main(
            job.wildcards.study,
            job.params.source,
            named | {name: Path(inputs[name]) for name in ("levels", "rejects", "benchmarks")},
            {Path(path).stem.removesuffix("_proof"): Path(path) for path in inputs.proofs},
            [Path(path) for path in inputs.subsets],
            [Path(path) for path in inputs.recommendations],
            {Path(path).stem: [Path(path)] for path in inputs.figures}
            | {name: [Path(path) for path in inputs[name]] for name in COLLECTIONS},
            [Path(path) for path in inputs.captions],
            Path(job.output.page),
        )
