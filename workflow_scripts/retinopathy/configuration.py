"""Whether a configuration makes sense, said before the first job starts.

The schema (`rules/schemas/config.schema.yaml`) judges keys, types and ranges; the functions here
judge what a schema cannot: that names refer to something and that values agree with each other.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from retinopathy import registry, schema_errors, sources
from retinopathy.errors import Explained
from retinopathy.runs import LEAKING

Config = Mapping[str, Any]


def check(config: Config, schema: Path) -> None:
    """Stop at the first thing in `config` that cannot be right.

    Args:
        config: The merged configuration.
        schema: Path of the JSON schema, written as YAML.

    Raises:
        Explained: What was expected, what was received, and a hint.
    """
    validator = Draft202012Validator(yaml.safe_load(schema.read_text(encoding="utf-8")))
    errors = sorted(validator.iter_errors(config), key=lambda error: list(map(str, error.path)))
    if errors:
        raise schema_errors.explained(errors[0])
    _check_splits(config["splits"])
    _check_tasks(config)
    for place, network, depths in _networks(config):
        _check_network(place, network, depths)
    _check_scratch(config["studies"])
    _check_baselines(config["baselines"])
    _check_source(config["source"])
    _check_files(config)
    _check_columns(config)
    _check_final(config)
    _check_photographs(config)
    _check_weights(config)


def _check_splits(splits: Config) -> None:
    named = [part for split in ("train", "validation", "test") for part in splits[split]]
    if sorted(named) != list(range(splits["parts"])):
        raise Explained(
            "config: splits must share out the parts",
            expected=f"each of the parts 0 to {splits['parts'] - 1} in exactly one split",
            received=", ".join(
                f"{split} {splits[split]}" for split in ("train", "validation", "test")
            ),
            hint="change splits.parts or the parts of splits.train, validation and test",
        )


def _check_tasks(config: Config) -> None:
    tasks = config["tasks"]
    for name, task in tasks.items():
        if name.endswith(LEAKING):
            raise Explained(
                f"config: tasks.{name} has the name of a control",
                expected=f"a name that does not end in {LEAKING}",
                received=name,
                hint="the study of leakage makes such a task of the one that it names",
            )
        shared = sorted(set(task["negative"]) & set(task["positive"]))
        if shared:
            raise Explained(
                f"config: tasks.{name} puts a level into both classes",
                expected="levels that are negative or positive, not both",
                received=f"level {', '.join(map(str, shared))} in both",
                hint="a level in neither class is left out of the task",
            )
        made = Path("results", config["study"]).resolve()
        if Path(task["subset"]).resolve().is_relative_to(made):
            raise Explained(
                f"config: tasks.{name}.subset is in the folder that the study makes",
                expected=f"a list outside results/{config['study']}",
                received=task["subset"],
                hint="copy the list first: the study writes its own in that place",
            )
    single = {
        f"studies.{name}.task": study.get("task") for name, study in config["studies"].items()
    }
    several = {
        f"studies.{name}.tasks": config["studies"][name]["tasks"]
        for name in ("networks", "initialisation")
    }
    several["baselines.tasks"] = config["baselines"]["tasks"]
    used = [(place, task) for place, task in single.items() if task is not None]
    used += [(place, task) for place, names in several.items() for task in names]
    for place, task in used:
        if task not in tasks:
            raise Explained(
                f"config: {place} names a task that is not there",
                expected=" or ".join(tasks),
                received=task,
                hint="add the task to `tasks`, or use one of them",
            )


def _networks(config: Config) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each place of the configuration that names a network, with the depths it is given."""
    for network in config["baselines"]["networks"]:
        yield "baselines.networks", network, []
    for network in config["weights"]["files"]:
        yield "weights.files", network, []
    studies = config["studies"]
    for name in ("sweep", "regularisation"):
        yield f"studies.{name}", studies[name]["network"], [studies[name]["depth"]]
    yield "studies.depth", studies["depth"]["network"], studies["depth"]["depths"]
    final = studies["networks"]
    for network in final["depths"]:
        yield "studies.networks.depths", network, []
    for network in final["networks"]:
        if network not in final["depths"]:
            raise Explained(
                "config: a final network has no depth",
                expected=f"studies.networks.depths.{network}",
                received=", ".join(final["depths"]),
                hint="name the cut from which it is trained, or `head`",
            )
        yield "studies.networks", network, [final["depths"][network]]
    for network in studies["initialisation"]["networks"]:
        if network not in final["networks"]:
            raise Explained(
                "config: studies.initialisation names a network without final runs",
                expected=" or ".join(final["networks"]),
                received=network,
                hint="add it to studies.networks.networks, or leave it out",
            )
    yield "predict.network", config["predict"]["network"], []


def _check_network(place: str, network: str, depths: list[str]) -> None:
    if network not in registry.NETWORKS:
        raise Explained(
            f"config: {place} names a network that is not known",
            expected=" or ".join(registry.NETWORKS),
            received=network,
            hint=schema_errors.meant(network, registry.NETWORKS) or "spell it as it is here",
        )
    for depth in depths:
        try:
            registry.parse_depth(network, depth)
        except Explained as error:
            error.args = (f"config: {place}: {error}",)
            raise


def _check_scratch(studies: Config) -> None:
    """A network that starts from scratch has no frozen part: its depth is `all`."""
    for name, study in studies.items():
        if study.get("initialisation") != "random_all":
            continue
        depths = study.get("depths", [study.get("depth")])
        given = list(depths.values()) if isinstance(depths, Mapping) else depths
        if set(given) != {registry.ALL}:
            raise Explained(
                f"config: studies.{name} trains from scratch, but not all of the network",
                expected=f"depth {registry.ALL}",
                received=", ".join(given),
                hint="use random_frozen to keep random layers as they are",
            )


def _check_baselines(baselines: Config) -> None:
    if baselines["pixels"] > baselines["size"]:
        raise Explained(
            "config: baselines.pixels is larger than the photographs it is made of",
            expected=f"at most baselines.size, {baselines['size']}",
            received=baselines["pixels"],
            hint="pixel baselines see reduced photographs",
        )


def _check_source(source: Config) -> None:
    if source["kind"] == "synthetic" and source["patients"] < 1:
        raise Explained(
            "config: a synthetic source without patients",
            expected="source.patients of at least 1",
            received=source["patients"],
            hint="150 patients make 300 photographs",
        )
    if not math.isclose(sum(source["level_shares"]), 1, abs_tol=1e-6):
        raise Explained(
            "config: source.level_shares must sum to 1",
            expected="five shares with the sum 1",
            received=f"{source['level_shares']}, sum {sum(source['level_shares']):g}",
            hint="scale them",
        )


def _check_files(config: Config) -> None:
    """What the configuration names must be there before the first job."""
    for place, (path, expected, hint) in _named_files(config).items():
        if not Path(path).exists():
            raise Explained(
                f"config: {place} is not there",
                expected=expected,
                received=f"{path}, which does not exist",
                hint=hint,
            )


def _named_files(config: Config) -> dict[str, tuple[str, str, str]]:
    """Return place in the configuration → path, what is expected there, a hint."""
    folder, table = "a folder of photographs", "a table of photographs and their levels"
    named = {}
    if config["source"]["kind"] == "folder":
        for key, expected in (("photographs", folder), ("labels", table)):
            hint = f"give its place with --config 'source={{{key}: PATH}}'"
            named[f"source.{key}"] = (config["source"][key], expected, hint)
    for name, known in config["external"].items():
        for key, expected in (("photographs", folder), ("labels", table)):
            named[f"external.{name}.{key}"] = (
                known[key],
                expected,
                "leave the set out, or mend it",
            )
    for name, folders in config["lesions"]["sets"].items():
        for key, expected in (("photographs", folder), ("masks", "a folder of masks of lesions")):
            hint = "leave the set out, or mend its path"
            named[f"lesions.sets.{name}.{key}"] = (folders[key], expected, hint)
    if quality := config["photographs"]["quality"]["table"]:
        hint = 'an empty string, "", asks for no grades'
        named["photographs.quality.table"] = (quality, "a table of photographs and grades", hint)
    for name, task in config["tasks"].items():
        if task["subset"]:
            hint = 'an empty string, "", selects photographs anew'
            named[f"tasks.{name}.subset"] = (task["subset"], "a list of photographs", hint)
    for network, path in config["weights"]["files"].items():
        expected = "a file saved by Keras with save_weights, without the top"
        hint = "leave the network out to have its weights fetched"
        named[f"weights.files.{network}"] = (path, expected, hint)
    return named


def _check_columns(config: Config) -> None:
    """Tables that are there must have the columns that the configuration names."""
    for place, (path, section, keys) in _named_tables(config).items():
        columns = sources.columns_of(Path(path))
        wrong = {key: section[key] for key in keys if section[key] not in columns}
        if wrong:
            where = place.rpartition(".")[0]
            named = " and ".join(f"{where}.{key}" for key in wrong)
            apart = "; commas, semicolons or tabs separate columns" if len(columns) == 1 else ""
            raise Explained(
                f"config: {place} lacks a column",
                expected=_columns(list(wrong.values())),
                received=f"{path} with {'only ' * (len(columns) == 1)}{_columns(columns)}",
                hint=f"set {named} to what the table calls it{apart}",
            )


def _columns(names: list[str]) -> str:
    return ("column " if len(names) == 1 else "columns ") + ", ".join(map(repr, names))


def _named_tables(config: Config) -> dict[str, tuple[str, Config, tuple[str, str]]]:
    """Return place in the configuration → path, its section, keys of the names of its columns."""
    levels = ("image_column", "level_column")
    source, quality = config["source"], config["photographs"]["quality"]
    named = {}
    # Labels of the competition are there only when a person placed them.
    if source["kind"] != "synthetic" and Path(source["labels"]).is_file():
        named["source.labels"] = (source["labels"], source, levels)
    for name, known in config["external"].items():
        named[f"external.{name}.labels"] = (known["labels"], known, levels)
    if quality["table"]:
        keys = ("image_column", "quality_column")
        named["photographs.quality.table"] = (quality["table"], quality, keys)
    return named


def _check_weights(config: Config) -> None:
    if config["splits"]["folds"] and config["weights"]["when_missing"] == "random":
        raise Explained(
            "config: folds and weights.when_missing: random cannot go together",
            expected="weights.when_missing: stop",
            received="weights.when_missing: random",
            hint="stand-in weights take their statistics from one training split; "
            "ask for `initialisation: random_frozen` to cross-validate random weights",
        )


def _check_final(config: Config) -> None:
    """What refers to final runs must name some; the task of a study may be another one."""
    studies, final = config["studies"], config["studies"]["networks"]
    control = studies["initialisation"]
    places = [
        *((f"predict.{key}", key, [config["predict"][key]]) for key in ("task", "network", "size")),
        *(
            (f"studies.{name}.{key}", key, [studies[name][key]])
            for name in ("learning_curve", "leakage")
            for key in ("network", "size")
        ),
        *((f"studies.initialisation.{key}s", key, control[f"{key}s"]) for key in ("task", "seed")),
        ("studies.initialisation.size", "size", [control["size"]]),
    ]
    for place, key, named in places:
        for value in named:
            if value not in final[f"{key}s"]:
                raise Explained(
                    f"config: {place} is not one of the final runs",
                    expected=" or ".join(map(str, final[f"{key}s"])),
                    received=value,
                    hint=f"choose one of studies.networks.{key}s",
                )


def _check_photographs(config: Config) -> None:
    """How many a training split has is known when it is made, but it is less than all."""
    study = config["studies"]["learning_curve"]
    there = config["tasks"][study["task"]]["photographs"]
    if max(study["photographs"]) >= there:
        raise Explained(
            "config: studies.learning_curve asks for more photographs than a training split has",
            expected=f"fewer than the {there} of all splits of the task {study['task']}",
            received=max(study["photographs"]),
            hint="a run on all photographs of the training split is always there",
        )
