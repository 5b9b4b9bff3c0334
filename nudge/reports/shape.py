"""The shape of a JSON document, as values that can be checked: records, lists, numbers, words of a closed list.

A check yields (path, code, facts) for each thing wrong; whoever reads the document words it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from nudge.reports.codes import SummaryCode

Fault: TypeAlias = tuple[str, SummaryCode, Mapping[str, object]]
Shape: TypeAlias = Callable[[Any, str], Iterator[Fault]]


def _kind(wanted: str, fits: Callable[[Any], bool]) -> Shape:
    def check(value: Any, path: str) -> Iterator[Fault]:
        if not fits(value):
            yield path, SummaryCode.WRONG_KIND, {"wanted": wanted}

    return check


def number(value: Any, path: str) -> Iterator[Fault]:
    """A finite double or integer."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        yield path, SummaryCode.WRONG_KIND, {"wanted": "a number"}
    elif not math.isfinite(value):
        yield path, SummaryCode.NOT_FINITE, {}


text: Final = _kind("text", lambda value: isinstance(value, str))
truth: Final = _kind("true or false", lambda value: isinstance(value, bool))
count: Final = _kind(
    "a whole number of 0 or more", lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0
)
anything: Final = _kind("a value", lambda value: True)


def word(valid: Collection[str]) -> Shape:
    """Text from a closed list."""

    def check(value: Any, path: str) -> Iterator[Fault]:
        if value not in valid:
            yield path, SummaryCode.UNKNOWN_WORD, {"valid": ", ".join(sorted(valid))}

    return check


def null_or(shape: Shape) -> Shape:
    """The shape, or null."""

    def check(value: Any, path: str) -> Iterator[Fault]:
        if value is not None:
            yield from shape(value, path)

    return check


def list_of(shape: Shape) -> Shape:
    """A list whose every item has the shape."""

    def check(value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
            yield path, SummaryCode.WRONG_KIND, {"wanted": "a list"}
            return
        for index, item in enumerate(value):
            yield from shape(item, f"{path}[{index}]")

    return check


def row(*shapes: Shape) -> Shape:
    """A list of fixed length, one shape each."""

    def check(value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, Sequence) or isinstance(value, (str, bytes)) or len(value) != len(shapes):
            yield path, SummaryCode.WRONG_KIND, {"wanted": f"a list of {len(shapes)}"}
            return
        for index, (item, shape) in enumerate(zip(value, shapes, strict=True)):
            yield from shape(item, f"{path}[{index}]")

    return check


def map_of(shape: Shape) -> Shape:
    """An object with any names, whose every value has the shape."""

    def check(value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, Mapping):
            yield path, SummaryCode.WRONG_KIND, {"wanted": "an object"}
            return
        for name, item in value.items():
            yield from shape(item, f"{path}.{name}" if path else str(name))

    return check


def record(**shapes: Shape) -> Shape:
    """An object that has every one of the keys; keys beyond them are allowed and ignored."""

    def check(value: Any, path: str) -> Iterator[Fault]:
        if not isinstance(value, Mapping):
            yield path, SummaryCode.WRONG_KIND, {"wanted": "an object"}
            return
        for key, shape in shapes.items():
            at = f"{path}.{key}" if path else key
            if key not in value:
                yield at, SummaryCode.KEY_ABSENT, {"key": key}
            else:
                yield from shape(value[key], at)

    return check


def with_optional(shape: Shape, **shapes: Shape) -> Shape:
    """The record, with keys that older documents lack: checked where they stand."""

    def check(value: Any, path: str) -> Iterator[Fault]:
        yield from shape(value, path)
        if isinstance(value, Mapping):
            for key, own in shapes.items():
                if key in value:
                    yield from own(value[key], f"{path}.{key}" if path else key)

    return check
