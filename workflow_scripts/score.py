"""Predict the test photographs with a finished run, and freeze its operating point.

Threshold and temperature come from the validation predictions alone.
"""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import devices, metrics, predictions, tables, training
from retinopathy.files import read_json, write_json
from retinopathy.logs import LOG, logged
from retinopathy.runs import Run


def main(
    run: Run,
    weights: Path,
    trained: Path,
    record: Path,
    validation: Path,
    test: Sequence[Path],
    batch: int,
    predicted: Path,
    operating: Path,
) -> None:
    """Write the predictions of the test split and the operating point.

    A run that diverged predicts nothing: its table is empty, its operating point says why.
    """
    outcome = read_json(record)["outcome"]
    known = tables.read(validation, tables.PREDICTIONS)
    if outcome == "diverged":
        tables.write(known.head(0), predicted, tables.PREDICTIONS)
        write_json(operating, {"outcome": outcome})
        return
    point = {
        "outcome": outcome,
        "threshold": metrics.choose_threshold(known),
        "temperature": metrics.fit_temperature(known),
    }
    model = training.load_trained(run, weights, trained)
    table = predictions.predict(model, list(test), run.size, "test", batch)
    LOG.info("%d test photographs, threshold %.3f", len(table), point["threshold"])
    tables.write(table, predicted, tables.PREDICTIONS)
    write_json(operating, point)


if __name__ == "__main__":
    from snakemake.script import snakemake

    with logged(snakemake.log[0]):
        LOG.info("device: %s", devices.prepare(snakemake.threads))
        main(
            Run.parse(snakemake.wildcards.run),
            Path(snakemake.input.weights),
            Path(snakemake.input.trained),
            Path(snakemake.input.record),
            Path(snakemake.input.validation),
            [Path(path) for path in snakemake.input.test],
            snakemake.params.batch,
            Path(snakemake.output.predictions),
            Path(snakemake.output.operating),
        )
