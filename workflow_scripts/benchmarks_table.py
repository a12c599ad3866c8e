"""Make the table of what the study's jobs cost."""

from collections.abc import Sequence
from pathlib import Path

from retinopathy import costs, display, tables
from retinopathy.logs import logged


def main(folder: Path, rules: Sequence[str], table: Path, markdown: Path) -> None:
    """Write what the jobs of `rules` cost, from their benchmark files in `folder`."""
    found = costs.over_rules(folder, rules)
    tables.write(found, table, costs.COSTS)
    display.write_markdown(found, markdown)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.params.folder),
            job.params.rules,
            Path(job.output.table),
            Path(job.output.markdown),
        )
