"""Draw the final runs beside the classical methods."""

from pathlib import Path

from retinopathy import figures, tables
from retinopathy.logs import logged


def main(table: Path, baselines: Path, comparison: Path) -> None:
    """Draw test AUC with intervals."""
    final = tables.read(table, tables.METRICS)
    figures.networks(final, tables.read(baselines, tables.METRICS), comparison)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(Path(job.input.table), Path(job.input.baselines), Path(job.output.comparison))
