"""Say how to get the competition's files until they are in place."""

from pathlib import Path

from retinopathy.errors import Explained
from retinopathy.logs import logged

COMPETITION = "https://www.kaggle.com/c/diabetic-retinopathy-detection/data"


def main(labels: str, photographs: str) -> None:
    """Raise: the label file is not there, and only its reader may accept the competition's rules.

    What a reader puts in place is never an output of a rule: Snakemake deletes outputs.

    Raises:
        Explained: Always; a label file in place keeps this script from being run.
    """
    raise Explained(
        "the photographs of the competition are not here yet",
        expected=f"{labels} and the folder {photographs} with the photographs",
        received="neither" if not Path(photographs).is_dir() else f"only {photographs}",
        hint=f"accept the rules at {COMPETITION}, unpack trainLabels.csv.zip and "
        f"train.zip.001 to .005 there (35 GB), or set source.photographs and source.labels",
    )


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(job.params.labels, job.params.photographs)
