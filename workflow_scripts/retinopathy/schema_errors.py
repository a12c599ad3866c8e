"""What a JSON schema finds wrong, in words for those who have not read the schema."""

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import yaml
from jsonschema.exceptions import ValidationError

from retinopathy.errors import Explained

TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list, such as [1, 2]",
    "object": "keys with values",
    "null": "nothing",
}
"""Type in a schema → what people call it."""

_PYTHON = (  # bool before int: true is no number here
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    (str, "a text"),
    (list, "a list"),
    (dict, "keys with values"),
)
_PATTERNS = {
    "^[a-z][a-z0-9_]*$": "small letters, digits and underscores, with a letter first",
}
_RULES: Mapping[str, Callable[[Any], str]] = {
    "type": lambda kind: " or ".join(TYPES[one] for one in _several(kind)),
    "enum": lambda values: " or ".join(map(written, values)),
    "minimum": lambda bound: f"at least {bound}",
    "maximum": lambda bound: f"at most {bound}",
    "exclusiveMinimum": lambda bound: f"more than {bound}",
    "exclusiveMaximum": lambda bound: f"less than {bound}",
    "minItems": lambda number: f"a list with at least {number} in it",
    "maxItems": lambda number: f"a list with at most {number} in it",
    "uniqueItems": lambda _: "a list with nothing twice in it",
    "minLength": lambda number: f"a text of at least {number} characters",
    "minProperties": lambda number: f"at least {number} of them",
    "multipleOf": lambda factor: "an even number" if factor == 2 else f"a multiple of {factor}",
    "pattern": lambda pattern: _PATTERNS.get(pattern, f"a text like {pattern}"),
}
_BOUNDS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
_TEXT = (
    "numbers, true and false belong into a file given with --configfile: Snakemake reads those of "
    "--config as text"
)


def explained(error: ValidationError) -> Explained:
    """Turn an error of the schema into one that a person can act on."""
    place = _place(error.absolute_path) or "the top level"
    schema: Any = error.schema
    instance: Any = error.instance
    wanted: Any = error.validator_value
    if error.validator == "additionalProperties":
        return _unknown(place, list(schema.get("properties", {})), instance)
    if error.validator == "required":
        return _missing(place, wanted, instance)
    return Explained(
        f"config: {place} cannot be used",
        expected=_expected(str(error.validator), wanted, schema),
        received=_received(instance),
        hint=_hint(str(error.validator), wanted, instance) or _meaning(schema),
    )


def _expected(rule: str, wanted: Any, schema: Mapping[str, Any]) -> str:
    """Return what a rule of a schema asks for; of a number, all of its bounds."""
    if rule in _BOUNDS:
        return " and ".join(_RULES[bound](schema[bound]) for bound in _BOUNDS if bound in schema)
    return _RULES[rule](wanted) if rule in _RULES else f"{rule} {wanted}"


def _hint(rule: str, wanted: Any, instance: Any) -> str | None:
    """Return what was probably meant."""
    if rule == "type" and is_written_as(instance, wanted):
        return _TEXT
    if rule == "enum" and isinstance(instance, str):
        return meant(instance, [value for value in wanted if isinstance(value, str)])
    return None


def _meaning(schema: Mapping[str, Any]) -> str:
    known = schema.get("description")
    return f"it is: {known}" if known else "config.yaml says what it means, and has an example"


def written(value: Any) -> str:
    """Return a value as a configuration writes it."""
    if isinstance(value, str):
        return repr(value)
    text: str = yaml.safe_dump(value, default_flow_style=True, width=1000)
    return text.removesuffix("\n").removesuffix("\n...")


def meant(word: str, known: Iterable[str]) -> str | None:
    """Return the question whether the nearest of the known words was meant; None without one."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {near[0]}?" if near else None


def is_written_as(instance: Any, wanted: Any) -> bool:
    """Return whether an instance is the text of what is wanted."""
    if not isinstance(instance, str):
        return False
    try:
        value = yaml.safe_load(instance)
    except yaml.YAMLError:
        return False
    return wanted in ("integer", "number", "boolean") and isinstance(value, int | float)


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _place(path: Iterable[Any]) -> str:
    """Return keys with points between them; places in a list count from 1."""
    place = ""
    for step in path:
        place += f" (number {step + 1} of the list)" if isinstance(step, int) else f".{step}"
    return place.removeprefix(".")


def _received(instance: Any) -> str:
    if instance is None:
        return "nothing: there is no value behind the key"
    kind = next((name for known, name in _PYTHON if isinstance(instance, known)), "")
    return f"{written(instance)}, {kind}" if kind else written(instance)


def _unknown(place: str, known: list[str], instance: Mapping[str, Any]) -> Explained:
    unknown = [str(key) for key in instance if key not in known]
    return Explained(
        f"config: unknown key at {place}",
        expected=", ".join(known) or "the keys of config.yaml",
        received=", ".join(unknown),
        hint=meant(unknown[0], known) or "config.yaml has every key, and says what it means",
    )


def _missing(place: str, needed: list[str], instance: Mapping[str, Any]) -> Explained:
    missing = [key for key in needed if key not in instance]
    return Explained(
        f"config: a key is missing at {place}",
        expected=", ".join(missing),
        received=", ".join(map(str, instance)) or "no key",
        hint="an overlay changes single values; config.yaml has every key",
    )
