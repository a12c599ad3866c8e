import copy
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from retinopathy import configuration
from retinopathy.errors import Explained

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "rules/schemas/config.schema.yaml"
OVERLAYS = sorted((ROOT / "config").glob("*.yaml"))


def merged(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Merge as Snakemake does: mappings key by key, all else replaced."""
    result = dict(copy.deepcopy(base))
    for key, value in overlay.items():
        nested = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if nested else value
    return result


def full() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text())
    return content


def test_full_study_is_valid() -> None:
    configuration.check(full(), SCHEMA)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_shipped_overlays_are_valid(overlay: Path, tmp_path: Path) -> None:
    config = merged(full(), yaml.safe_load(overlay.read_text()))
    if config["source"]["kind"] == "folder":
        (tmp_path / "labels.csv").write_text("image,level\n")
        config["source"] |= {"photographs": str(tmp_path), "labels": str(tmp_path / "labels.csv")}
    configuration.check(config, SCHEMA)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_overlays_only_change_keys_that_the_full_study_has(overlay: Path) -> None:
    def strange(base: Mapping[str, Any], over: Mapping[str, Any], place: str) -> list[str]:
        found = []
        for key, value in over.items():
            if key not in base:
                found.append(f"{place}{key}")
            elif isinstance(value, Mapping):
                found += strange(base[key], value, f"{place}{key}.")
        return found

    assert strange(full(), yaml.safe_load(overlay.read_text()), "") == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sede": 1}, ["sede", "unknown key", "did you mean seed?"]),
        ({"training": {"epoch": 3}}, ["at training", "did you mean epochs?"]),
        ({"seed": "one"}, ["seed", "'one', a text", "a whole number"]),
        ({"seed": "1"}, ["seed", "'1'", "--configfile"]),
        ({"source": {"remove_archives": "true"}}, ["source.remove_archives", "--configfile"]),
        ({"tasks": {"extremes": {"photographs": 7}}}, ["photographs", "an even number", "7"]),
        ({"training": {"epochs": 0}}, ["training.epochs", "at least 1", "0"]),
        ({"source": {"kind": "cloud"}}, ["source.kind", "synthetic", "cloud"]),
        ({"studies": {"sweep": {"network": "vgg"}}}, ["studies.sweep", "xception", "vgg"]),
        ({"studies": {"sweep": {"depth": "block99"}}}, ["studies.sweep: xception", "block99"]),
        ({"studies": {"sweep": {"task": "cats"}}}, ["studies.sweep.task", "extremes", "cats"]),
        ({"baselines": {"tasks": ["cats"]}}, ["baselines.tasks", "cats"]),
        ({"baselines": {"networks": ["vgg"]}}, ["baselines.networks", "xception", "vgg"]),
        ({"baselines": {"networks": []}}, ["baselines.networks", "at least 1 in it"]),
        ({"tasks": {"extremes": {"negative": [0, 4]}}}, ["tasks.extremes", "level 4"]),
        (
            {"tasks": {"extremes": {"subset": "results/kaggle/subsets/extremes.csv"}}},
            ["tasks.extremes.subset", "outside results/kaggle"],
        ),
        ({"splits": {"train": [0, 1]}}, ["splits", "0 to 4"]),
        ({"splits": {"train": [0, 1, 2, 3]}}, ["splits", "exactly one"]),
        ({"studies": {"networks": {"networks": ["resnet"]}}}, ["resnet"]),
        ({"source": {"kind": "synthetic"}}, ["source.patients"]),
        ({"source": {"level_shares": [1, 1, 0, 0, 0]}}, ["sum 2"]),
        ({"source": {"kind": "folder", "photographs": "/nowhere"}}, ["/nowhere", "--config"]),
        ({"weights": {"files": {"xception": "/nowhere.h5"}}}, ["/nowhere.h5"]),
        ({"studies": {"sweep": {"initialisation": "random_all"}}}, ["studies.sweep", "all"]),
        ({"studies": {"networks": {"depths": {"vgg": "all"}}}}, ["networks.depths", "vgg"]),
        (
            {"studies": {"initialisation": {"networks": ["resnet50_v2"]}}},
            ["initialisation", "resnet50_v2"],
        ),
        ({"studies": {"initialisation": {"tasks": ["mild"]}}}, ["initialisation", "mild"]),
        ({"studies": {"initialisation": {"rates": {"imagenet": 0.1}}}}, ["rates"]),
        (
            {"tasks": {"mild_leaking": full()["tasks"]["referable"]}},
            ["tasks.mild_leaking", "does not end in _leaking"],
        ),
        ({"studies": {"leakage": {"task": "referable_leaking"}}}, ["leakage.task", "referable"]),
        ({"studies": {"initialisation": {"size": 80}}}, ["initialisation.size", "224 or 448"]),
        ({"studies": {"initialisation": {"seeds": [1, 7]}}}, ["initialisation.seeds", "7"]),
        ({"studies": {"leakage": {"size": 300}}}, ["studies.leakage.size", "224 or 448", "300"]),
        (
            {"studies": {"learning_curve": {"network": "resnet50_v2"}}},
            ["studies.learning_curve.network", "xception", "resnet50_v2"],
        ),
        (
            {"studies": {"learning_curve": {"photographs": [500, 13746]}}},
            ["learning_curve", "fewer than the 13746", "13746"],
        ),
        (
            {"studies": {"learning_curve": {"photographs": [0]}}},
            ["photographs (number 1 of the list)", "at least 2"],
        ),
        ({"studies": {"depth": {"folds": 5}}}, ["studies.depth.folds", "all"]),
        ({"baselines": {"pixels": 300}}, ["baselines.pixels", "224"]),
        ({"studies": {"sweep": {"size": 20}}}, ["sweep.size", "at least 75 and at most 2048"]),
        ({"studies": {"sweep": {"network": "xeption"}}}, ["sweep", "did you mean xception?"]),
        ({"studies": {"sweep": {"initialisation": "imagnet"}}}, ["did you mean imagenet?"]),
        ({"training": None}, ["training", "keys with values", "nothing: there is no value"]),
        ({"splits": {"folds": 1}}, ["splits.folds", "true or false", "1, a whole number"]),
        ({"study": "My study"}, ["study", "small letters", "'My study'"]),
        ({"evaluation": {"prevalences": [2]}}, ["more than 0 and less than 1", "2, a whole"]),
        ({"splits": {"folds": True}, "weights": {"when_missing": "random"}}, ["folds", "stop"]),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, dict) else "",
)
def test_what_cannot_be_right_is_explained(change: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(Explained) as raised:
        configuration.check(merged(full(), change), SCHEMA)
    message = str(raised.value)
    for word in [*words, "expected:", "received:", "hint:"]:
        assert word in message


def with_tables(folder: Path, header: str) -> dict[str, Any]:
    """Return a study of a folder with an external set and grades; all tables have a header."""
    table = folder / "table.csv"
    table.write_text(f"{header}\n")
    known = {"photographs": str(folder), "labels": str(table), "image_column": "image"}
    change = {
        "source": {"kind": "folder", "photographs": str(folder), "labels": str(table)},
        "external": {"other": known | {"level_column": "level", "levels": {"0": 0}}},
        "photographs": {"quality": {"table": str(table)}},
    }
    return merged(full(), change)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("id,grade", ["source.labels", "source.image_column and source.level_column", "'id'"]),
        ("image;grade", ["source.labels", "set source.level_column", "'image', 'grade'"]),
        ("image\tlevel", ["quality.table", "photographs.quality.quality_column", "'quality'"]),
        ("image level quality", ["only column", "separate columns"]),
        ("", ["unreadable table", "table.csv"]),
    ],
)
def test_tables_are_looked_at_before_the_first_job(
    tmp_path: Path, header: str, words: list[str]
) -> None:
    with pytest.raises(Explained) as raised:
        configuration.check(with_tables(tmp_path, header), SCHEMA)
    for word in words:
        assert word in str(raised.value)


def test_columns_of_every_table_are_checked(tmp_path: Path) -> None:
    config = with_tables(tmp_path, "image;level;quality")
    configuration.check(config, SCHEMA)
    config["external"]["other"]["level_column"] = "grade"
    with pytest.raises(Explained, match=r"set external\.other\.level_column"):
        configuration.check(config, SCHEMA)
    # Labels of the competition that a person placed are looked at, and those to be fetched are not.
    config = with_tables(tmp_path, "image;level;quality")
    config["source"] |= {"kind": "kaggle", "level_column": "grade"}
    with pytest.raises(Explained, match=r"source\.level_column"):
        configuration.check(config, SCHEMA)
    config["source"]["labels"] = str(tmp_path / "nowhere.csv")
    configuration.check(config, SCHEMA)


@pytest.mark.parametrize("key", ["photographs", "masks"])
def test_a_folder_of_a_set_of_lesions_that_is_not_there_is_named(tmp_path: Path, key: str) -> None:
    there = {"photographs": str(tmp_path), "masks": str(tmp_path)}
    config = merged(full(), {"lesions": {"sets": {"mine": there}}})
    configuration.check(config, SCHEMA)
    config["lesions"]["sets"]["mine"][key] = str(tmp_path / "nowhere")
    with pytest.raises(Explained, match=rf"lesions\.sets\.mine\.{key} is not there"):
        configuration.check(config, SCHEMA)


def test_a_missing_key_is_named() -> None:
    config = full()
    del config["training"]["batch"]
    with pytest.raises(Explained, match="missing at training\n  expected: batch\n"):
        configuration.check(config, SCHEMA)


def test_no_message_has_words_of_the_schema() -> None:
    words = re.compile(
        "minimum|maximum|exclusive|enum|minItems|uniqueItems|multipleOf|pattern|NoneType|\\bstr\\b"
    )
    changes: list[dict[str, Any]] = [
        {"seed": None},
        {"seed": 1.5},
        {"seed": -1},
        {"study": ""},
        {"training": [1]},
        {"tasks": {"extremes": {"photographs": 7, "negative": [7]}}},
        {"tasks": {"Extremes": full()["tasks"]["extremes"]}},
        {"source": {"kind": "cloud", "sets": ["test"]}},
        {"source": {"level_shares": [1, 0]}},
        {"studies": {"networks": {"seeds": [1, 1], "sizes": 224}}},
        {"studies": {"sweep": {"rates": [0]}}},
    ]
    for change in changes:
        with pytest.raises(Explained) as raised:
            configuration.check(merged(full(), change), SCHEMA)
        assert not words.search(str(raised.value)), raised.value
