"""List the photographs that are wrong at one size and right at the other, and test their number."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from retinopathy import display, flips, study_tables, tables
from retinopathy.logs import LOG, logged


def main(evidence: Sequence[study_tables.Evidence], paths: Mapping[str, Path]) -> None:
    """Write one row per flipped photograph, and one per task, network and seed.

    Args:
        evidence: What the final runs of both sizes left, with their predictions of the test split.
        paths: Where to write `table` and `markdown`, the photographs, and `tests` and
            `tests_markdown`, the tests.
    """
    pairs = flips.by_size(evidence)
    flipped = flips.photographs(pairs, "test")
    LOG.info("%d photographs flip", len(flipped))
    tables.write(flipped, paths["table"], flips.COLUMNS)
    display.write_markdown(flipped, paths["markdown"])
    tested = flips.tests(pairs, "test")
    tables.write(tested, paths["tests"], flips.TESTS)
    display.write_markdown(tested, paths["tests_markdown"])


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            study_tables.gather(job.params.cases, dict(job.input.items())),
            {name: Path(path) for name, path in job.output.items()},
        )
