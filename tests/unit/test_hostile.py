"""A hostile folder: everything is listed under the right reason, and nothing else is lost."""

from pathlib import Path

import pandas as pd
import pytest
from tests import hostile

from retinopathy import inspection, manifest, sources

SHARDS = 3


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> hostile.Hostile:
    return hostile.build(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def table(built: hostile.Hostile) -> pd.DataFrame:
    """Return the manifest, by way of its files."""
    tables = []
    for shard in range(SHARDS):
        files = sources.by_image([built.photographs])
        rows = inspection.inspect_all(files, shard, SHARDS, lambda _: None)
        path = built.labels.with_name(f"{shard}.csv")
        rows.to_csv(path, index=False)
        tables.append(manifest.read_manifest(path))
        pd.testing.assert_frame_equal(tables[-1], rows)
    labels = sources.read_labels(built.labels, "image", "level")
    refused = sources.read_refused([built.refused])
    labelled = manifest.label(manifest.combine(tables), labels, refused)
    return manifest.mark_same_bytes(labelled)


def test_every_one_has_its_reason_and_nothing_else_is_lost(
    built: hostile.Hostile, table: pd.DataFrame
) -> None:
    assert built.kinds >= 55
    assert dict(zip(table["image"], table["status"], strict=True)) == built.expected
    assert len(table) == len(built.expected)


def test_good_ones_can_be_used(table: pd.DataFrame) -> None:
    good = manifest.usable(table)
    assert len(good) >= 40
    assert good["circle_found"].all()
    turned = good["image"].str.startswith("turned")
    assert set(zip(good["width"], good["height"], turned, strict=True)) == {
        (320, 240, False),
        (240, 320, True),
    }
    assert all(Path(path).is_file() for path in good["path"])
    coloured = good["image"].str.startswith("colour")
    assert good.loc[coloured, "saturation"].std() < 3
    assert good.loc[good["image"].str.startswith("grey"), "saturation"].max() == 0


def test_rejects_survive_their_table(table: pd.DataFrame, tmp_path: Path) -> None:
    rejects = manifest.rejects(table)
    rejects.to_csv(tmp_path / "rejects.csv", index=False)
    again = pd.read_csv(tmp_path / "rejects.csv", dtype=str, keep_default_na=False)
    assert dict(zip(again["image"], again["reason"], strict=True)) == dict(
        zip(rejects["image"], rejects["reason"], strict=True)
    )


def test_nothing_stays_open(built: hostile.Hostile) -> None:
    open_files = Path("/proc/self/fd")
    if not open_files.is_dir():
        pytest.skip("this system does not list open files")
    before = len(list(open_files.iterdir()))
    for image, files in sources.by_image([built.photographs]).items():
        inspection.inspect_files(image, files)
    assert len(list(open_files.iterdir())) == before
