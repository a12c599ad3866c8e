"""Make the table of how soon and how steadily runs reach their best."""

from pathlib import Path

from retinopathy import display, steadiness, tables
from retinopathy.logs import logged


def main(metrics: Path, curves: Path, table: Path, markdown: Path) -> None:
    """Write the steadiness of every setting, as CSV and for people."""
    found = steadiness.over_runs(
        tables.read(curves, tables.CURVES), tables.read(metrics, (*tables.METRICS, "case"))
    )
    tables.write(found, table, steadiness.STEADINESS)
    display.write_markdown(found, markdown)


if __name__ == "__main__":
    job = globals()["snakemake"]

    with logged(job.log[0]):
        main(
            Path(job.input.metrics),
            Path(job.input.curves),
            Path(job.output.table),
            Path(job.output.markdown),
        )
