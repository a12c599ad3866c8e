"""Draw the final runs beside the classical methods, and their ROC curves."""

from pathlib import Path

from retinopathy import figures, tables
from retinopathy.logs import logged


def main(table: Path, roc: Path, baselines: Path, comparison: Path, roc_figure: Path) -> None:
    """Draw test AUC with intervals, and ROC curves."""
    final = tables.read(table, tables.METRICS)
    figures.networks(final, tables.read(baselines, tables.METRICS), comparison)
    figures.roc(final, tables.read(roc, ("task", "case", "seed", "fpr", "tpr")), roc_figure)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.table),
            Path(job.input.roc),
            Path(job.input.baselines),
            Path(job.output.comparison),
            Path(job.output.roc),
        )
