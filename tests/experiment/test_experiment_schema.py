"""The schema beside the examples is the one that the models make, and an editor that uses it is not misled."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nudge.experiment import schema, source
from nudge.experiment.loader import parse
from nudge.experiment.source import Text

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "null": (type(None),),
    "array": (list,), "object": (dict,),
}  # fmt: skip
SAYS_NOTHING = {"$schema", "title", "description", "default", "definitions", "examples", "format", "then", "else"}


def is_of(value: Any, names: str | list[str]) -> bool:
    kinds = [kind for name in ([names] if isinstance(names, str) else names) for kind in TYPES[name]]
    return isinstance(value, tuple(kinds)) and (bool in kinds or not isinstance(value, bool))


LEAVES: dict[str, tuple[type | tuple[type, ...], Callable[[Any, Any], bool]]] = {
    "type": (object, is_of),
    "enum": (object, lambda value, wanted: value in wanted),
    "const": (object, lambda value, wanted: value == wanted),
    "pattern": (str, lambda value, wanted: re.search(wanted, value) is not None),
    "minLength": (str, lambda value, wanted: len(value) >= wanted),
    "minItems": (list, lambda value, wanted: len(value) >= wanted),
    "maxItems": (list, lambda value, wanted: len(value) <= wanted),
    "minProperties": (dict, lambda value, wanted: len(value) >= wanted),
    "minimum": ((int, float), lambda value, wanted: value >= wanted),
    "exclusiveMinimum": ((int, float), lambda value, wanted: value > wanted),
    "maximum": ((int, float), lambda value, wanted: value <= wanted),
    "required": (dict, lambda value, wanted: set(wanted) <= set(value)),
}


def inner(value: Any, keyword: str, wanted: Any, rule: dict[str, Any]) -> list[tuple[Any, dict[str, Any]]]:
    """The parts of a value that a keyword puts to rules of their own."""
    if keyword == "items":
        return [(item, wanted) for item in value] if isinstance(value, list) else []
    if keyword == "allOf":
        return [(value, part) for part in wanted]
    pairs = value.items() if isinstance(value, dict) else ()
    if keyword == "properties":
        return [(item, wanted[key]) for key, item in pairs if key in wanted]
    if keyword == "patternProperties":
        return [(item, part) for key, item in pairs for pattern, part in wanted.items() if re.search(pattern, key)]
    if keyword == "additionalProperties":
        others = [item for key, item in pairs if key not in rule.get("properties", {})]
        return [(item, wanted if isinstance(wanted, dict) else {"enum": []}) for item in others]
    return pytest.fail(f"the schema uses {keyword}, which this test does not know")


def errors(value: Any, rule: dict[str, Any], whole: dict[str, Any]) -> list[str]:
    """What draft 7 objects to, for the keywords that our schema uses; an unknown keyword fails the test."""
    found: list[str] = []
    for keyword, wanted in rule.items():
        if keyword in SAYS_NOTHING:
            continue
        if keyword in LEAVES:
            of, holds = LEAVES[keyword]
            found += [] if not isinstance(value, of) or holds(value, wanted) else [f"{value!r}: {keyword} {wanted}"]
        elif keyword == "$ref":
            found += errors(value, whole["definitions"][wanted.rsplit("/", 1)[1]], whole)
        elif keyword == "if":
            found += errors(value, rule["else" if errors(value, wanted, whole) else "then"], whole)
        elif keyword == "anyOf":
            found += [] if any(not errors(value, part, whole) for part in wanted) else [f"{value!r} fits none"]
        else:
            found += [
                error for item, part in inner(value, keyword, wanted, rule) for error in errors(item, part, whole)
            ]
    return found


def complaints(text: str) -> list[str]:
    root = source.tree(Text("plan.yaml", text)).root
    assert root is not None
    made = schema.json_schema()
    return errors(source.value_of(root), made, made)


def test_the_committed_schema_is_the_one_the_models_make(experiments: Path) -> None:
    assert (experiments / "schema.json").read_text(encoding="utf-8") == schema.as_text()


@pytest.mark.parametrize("name", ["wealden-arrears", "karlan-list-2007", "rossi", "pbc"])
def test_an_editor_finds_nothing_wrong_with_a_shipped_experiment(experiments: Path, name: str) -> None:
    assert complaints((experiments / f"{name}.yaml").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("of", "to"),
    [
        ("harms:", "harm:"),
        ("patch: text", "patch: txt"),
        ("horizon: 56", "horizon: soon"),
        ("horizon: 56", "data_cut: 2026-01-01"),
        ("{reply: 3}", "{reply: 0}"),
        ("{id: new}", "{id: New}"),
        ("{method: blocked}", "{method: blocks}"),
        ("{method: blocked}", "{method: recorded}"),
        ("question: Does it help?\n", ""),
        ("suppress: [deceased]", "suppress: []"),
    ],
)
def test_an_editor_underlines_what_is_refused(tiny_live: str, of: str, to: str) -> None:
    assert complaints(tiny_live) == []
    assert complaints(tiny_live.replace(of, to)) != []


def test_an_editor_explains_every_key_of_both_kinds() -> None:
    made = schema.json_schema()
    keys = {key for part in made["definitions"].values() for key in part.get("properties", {})}
    assert keys == set(schema.HINTS)
    for part in made["definitions"].values():
        for key, rule in part.get("properties", {}).items():
            assert rule["description"] == schema.HINTS[key]


def test_the_schema_is_plain_json() -> None:
    assert json.loads(schema.as_text()) == schema.json_schema()


def test_both_kinds_are_offered_where_the_method_is_chosen(tiny_recorded: str) -> None:
    made = schema.json_schema()
    assert made["properties"]["design"]["properties"]["method"]["enum"] == [
        *("blocked", "pairs", "rerandomised", "minimised", "stepped_wedge", "crossover", "recorded")
    ]
    assert parse(tiny_recorded, "plan.yaml").experiment.design.method == "recorded"
