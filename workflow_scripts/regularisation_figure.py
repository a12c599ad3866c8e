"""Draw what dropout and L2 do to the curves."""

from pathlib import Path

from retinopathy import study_figures, tables
from retinopathy.logs import logged
from retinopathy.steadiness import STEADINESS


def main(steadiness: Path, curves: Path, figure: Path) -> None:
    """Draw training and validation accuracy of every setting."""
    study_figures.regularisation(
        tables.read(steadiness, STEADINESS), tables.read(curves, tables.CURVES), figure
    )


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(Path(job.input.steadiness), Path(job.input.curves), Path(job.output.figure))
