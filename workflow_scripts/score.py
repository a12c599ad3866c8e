"""Predict the test photographs with a finished run, and freeze its operating points.

Thresholds and temperature come from the validation predictions alone.
"""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import calibration, devices, models, predictions, tables
from retinopathy.files import read_json, write_json
from retinopathy.logs import LOG, logged
from retinopathy.operating import choose_threshold, points
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
    """Write the predictions of the test split and the operating points.

    A run that diverged predicts nothing: its table is empty, its operating points say why.
    """
    outcome = read_json(record)["outcome"]
    known = tables.read(validation, tables.PREDICTIONS)
    if outcome == "diverged":
        tables.write(known.head(0), predicted, tables.PREDICTIONS)
        write_json(operating, {"outcome": outcome})
        return
    point = {
        "outcome": outcome,
        "threshold": choose_threshold(known),
        "temperature": calibration.fit_temperature(known),
        "points": points(known),
    }
    model = models.load_trained(run, weights, trained)
    table = predictions.predict(model, list(test), run.size, "test", batch)
    LOG.info("%d test photographs, threshold %.3f", len(table), point["threshold"])
    tables.write(table, predicted, tables.PREDICTIONS)
    write_json(operating, point)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        LOG.info("device: %s", devices.prepare(job.threads))
        main(
            Run.parse(job.wildcards.run),
            Path(job.input.weights),
            Path(job.input.trained),
            Path(job.input.record),
            Path(job.input.validation),
            [Path(path) for path in job.input.test],
            job.params.batch,
            Path(job.output.predictions),
            Path(job.output.operating),
        )
