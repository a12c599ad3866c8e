"""Freeze the operating points and the temperature of a finished run, from validation alone."""

from pathlib import Path

from retinopathy import calibration, tables
from retinopathy.files import read_json, write_json
from retinopathy.logs import LOG, logged
from retinopathy.operating import choose_threshold, points
from retinopathy.tables import DIVERGED


def main(record: Path, validation: Path, operating: Path) -> None:
    """Write the threshold, the temperature and the other points of a run.

    A run that diverged has none; what is written says so.
    """
    outcome = read_json(record)["outcome"]
    if outcome == DIVERGED:
        write_json(operating, {"outcome": outcome})
        return
    known = tables.read(validation, tables.PREDICTIONS)
    point = {
        "outcome": outcome,
        "threshold": choose_threshold(known),
        "temperature": calibration.fit_temperature(known),
        "points": points(known),
    }
    LOG.info("%d photographs, threshold %.3f", len(known), point["threshold"])
    write_json(operating, point)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(Path(job.input.record), Path(job.input.validation), Path(job.output.operating))
