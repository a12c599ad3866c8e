"""Draw the curves, the calibration and the confusion matrices of the final runs."""

from collections.abc import Mapping
from pathlib import Path

from retinopathy import evaluation_figures, tables
from retinopathy.logs import logged


def main(inputs: Mapping[str, Path], outputs: Mapping[str, Path]) -> None:
    """Draw `roc`, `precision_recall`, `reliability` and `confusion`.

    Args:
        inputs: `table` of metrics on the test split, and the table behind each figure.
        outputs: Where to write each figure.
    """
    final = tables.read(inputs["table"], (*tables.METRICS, "case"))
    for name, columns, draw in (
        ("roc", evaluation_figures.ROC, evaluation_figures.roc),
        (
            "precision_recall",
            evaluation_figures.PRECISION_RECALL,
            evaluation_figures.precision_recall,
        ),
        ("reliability", evaluation_figures.RELIABILITY, evaluation_figures.reliability),
        ("confusion", evaluation_figures.CONFUSION, evaluation_figures.confusion),
    ):
        draw(final, tables.read(inputs[name], columns), outputs[name])


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            {name: Path(path) for name, path in job.input.items()},
            {name: Path(path) for name, path in job.output.items()},
        )
