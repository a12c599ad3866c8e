"""Make the table of slices: the final runs on parts of the test photographs."""

from collections.abc import Mapping
from pathlib import Path

from retinopathy import display, manifest, slices, study_tables, tables
from retinopathy.logs import logged


def main(
    evidence: list[study_tables.Evidence],
    photographs: Path,
    repetitions: int,
    outputs: Mapping[str, Path],
) -> None:
    """Write `table` and `markdown` of `outputs`.

    Args:
        evidence: What the final runs left, with their predictions of the test split.
        photographs: The manifest.
        repetitions: Bootstrap samples behind every interval.
        outputs: Where to write.
    """
    table = slices.rows(evidence, manifest.read_manifest(photographs), repetitions)
    tables.write(table, outputs["table"], slices.COLUMNS)
    display.write_markdown(table, outputs["markdown"])


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            study_tables.gather(job.params.cases, dict(job.input.items())),
            Path(job.input.manifest),
            job.params.repetitions,
            {name: Path(path) for name, path in job.output.items()},
        )
