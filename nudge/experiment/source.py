"""YAML text as a tree in which every key and value knows its line and column.

The tree is built from PyYAML's events rather than by its constructor, so that what YAML 1.1 would quietly change is
refused or left as it is written: the last of two keys does not win, `no` is not False, 12:30 is not 750, 00123 stays
text, an alias cannot grow. Only `true` and `false` are booleans; dates stay text until a key asks for one.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import yaml

from nudge.base.errors import Place, Problem
from nudge.experiment.codes import ExperimentCode as Code

LARGEST: Final = 256 * 1024
DEEPEST: Final = 32
_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_WHOLE: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_DECIMAL: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})?\.[0-9]{1,18}(?:[eE][-+]?[0-9]{1,3})?")
_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE_OR_FALSE: Final = {"true": True, "false": False}
_SWITCHES: Final = {"yes": "true", "on": "true", "no": "false", "off": "false"}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ESCAPE: Final = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)")


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `start` and `end` are offsets into the text, quotes included."""

    text: str
    style: str | None  # None where plain, else ' " | >
    start: int
    end: int


@dataclass(slots=True)
class Listing:
    """A list, in order."""

    start: int
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Pairs:
    """Keys and values, in order; each key once."""

    start: int
    keys: dict[str, Scalar] = field(default_factory=dict)
    values: dict[str, Node] = field(default_factory=dict)


Node: TypeAlias = Scalar | Listing | Pairs


class Text:
    """The text of one file, and where its offsets are."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def place(self, offset: int) -> Place:
        """Line and column, both from 1, of an offset."""
        line = bisect_right(self._starts, min(offset, len(self.text))) - 1
        return Place(self.name, line=line + 1, column=offset - self._starts[line] + 1)

    def inside(self, scalar: Scalar, offset: int) -> Place:
        """The place of the character at `offset` of a scalar's value, past quotes, escapes and folded lines."""
        return self.place(_position(self.text, scalar, offset))


@dataclass(frozen=True, slots=True)
class Tree:
    """What came of a text as YAML: its root (None where no tree can be trusted), and all that is wrong with it.

    `told` are the places where more would only say the same again.
    """

    root: Node | None
    problems: tuple[Problem, ...]
    told: frozenset[Place] = frozenset()


def tree(text: Text) -> Tree:
    """Read a text as YAML."""
    tabs = [
        Code.TAB_IN_INDENT.at(text.place(match.end() - 1))
        for match in re.finditer(r"(?m)^ *\t", text.text)
        if text.text[match.end() :].split("\n", 1)[0].strip()
    ]
    if tabs:  # where a line begins decides what it belongs to, so nothing after a tab can be judged
        return Tree(None, tuple(tabs))
    builder = _Builder(text)
    try:
        root = builder.build()
    except yaml.YAMLError as fault:
        return Tree(None, (*builder.problems, _unreadable(text, fault, builder.long_quote)))
    except (ValueError, OverflowError):  # PyYAML: a \U escape beyond Unicode
        return Tree(None, (*builder.problems, Code.ESCAPE_UNKNOWN.at(text.place(builder.read_to))))
    except _Stop:
        return Tree(None, tuple(builder.problems))
    told = {problem.place for problem in builder.problems} | {text.place(offset) for offset in builder.silent}
    return Tree(root, tuple(builder.problems), frozenset(told))


def value_of(node: Node) -> Any:
    """The plain value of a tree: str, int, float, bool, None, list, dict."""
    if isinstance(node, Listing):
        return [value_of(item) for item in node.items]
    if isinstance(node, Pairs):
        return {key: value_of(item) for key, item in node.values.items()}
    return scalar_value(node)


def scalar_value(node: Scalar) -> str | int | float | bool | None:
    """A plain scalar as number, truth, nothing or text; a quoted one as text."""
    text = node.text
    if node.style is not None:
        return text
    if text in _NULL:
        return None
    if text in _TRUE_OR_FALSE:
        return _TRUE_OR_FALSE[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def _start(event: Any) -> int:
    index: int = event.start_mark.index
    return index


class _Stop(Exception):
    """Nothing after this can be judged."""


class _Builder:
    """Turns PyYAML's events into a tree, noting what is refused on the way."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self.problems: list[Problem] = []
        self.path: list[str] = []
        self.read_to = 0
        self.long_quote: Scalar | None = None
        self.silent: set[int] = set()  # offsets of keys whose value is already refused

    def refuse(self, code: Code, offset: int, **facts: object) -> None:
        self.problems.append(code.at(self.text.place(offset), **facts))

    def build(self) -> Node | None:
        root: Node | None = None
        events: Iterator[Any] = yaml.parse(self.text.text, Loader=yaml.SafeLoader)
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self.refuse(Code.SECOND_DOCUMENT, _start(event))
                    raise _Stop
                root = self.node(next(events), events, depth=1)
        return root

    def node(self, event: Any, events: Iterator[Any], *, depth: int) -> Node:
        start = _start(event)
        if isinstance(event, yaml.AliasEvent):
            self.refuse(Code.ALIAS_USED, start)
            return Scalar("", None, start, start)
        if event.anchor is not None:
            self.refuse(Code.ALIAS_USED, start)
        elif event.tag is not None:
            self.refuse(Code.TAG_USED, start)
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if depth > DEEPEST:
            self.refuse(Code.TOO_DEEP, start)
            raise _Stop
        if isinstance(event, yaml.SequenceStartEvent):
            return self.listing(start, events, depth=depth)
        return self.pairs(start, events, depth=depth)

    def scalar(self, event: Any) -> Scalar:
        scalar = Scalar(event.value, event.style, event.start_mark.index, event.end_mark.index)
        self.read_to = scalar.end
        if scalar.style in {"'", '"'} and "\n" in self.text.text[scalar.start : scalar.end]:
            self.long_quote = scalar
        if _SURROGATE.search(scalar.text):
            self.refuse(Code.ESCAPE_UNKNOWN, scalar.start)
        word = scalar.text.lower()
        if scalar.style is None and word in _SWITCHES and self.path != ["design", "randomised"]:
            self.refuse(Code.YES_NO_UNQUOTED, scalar.start, word=scalar.text, boolean=_SWITCHES[word])
        return scalar

    def listing(self, start: int, events: Iterator[Any], *, depth: int) -> Listing:
        listing = Listing(start)
        self.path.append("[]")
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            listing.items.append(self.node(event, events, depth=depth + 1))
        self.path.pop()
        return listing

    def pairs(self, start: int, events: Iterator[Any], *, depth: int) -> Pairs:
        pairs = Pairs(start)
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            self.path.append("?")
            key = self.node(event, events, depth=depth + 1)
            self.path[-1] = key.text if isinstance(key, Scalar) else "?"
            event = next(events)
            if isinstance(event, yaml.AliasEvent):
                self.silent.add(key.start)
            value = self.node(event, events, depth=depth + 1)
            self.path.pop()
            self.add(pairs, key, value)
        return pairs

    def add(self, pairs: Pairs, key: Node, value: Node) -> None:
        if not isinstance(key, Scalar) or not key.text:
            self.refuse(Code.KEY_NOT_A_WORD, key.start)
        elif key.text == "<<" and key.style is None:
            self.refuse(Code.MERGE_USED, key.start)
        elif (first := pairs.keys.get(key.text)) is not None:
            self.refuse(Code.KEY_TWICE, key.start, key=key.text, line=self.text.place(first.start).line)
        else:
            pairs.keys[key.text], pairs.values[key.text] = key, value


_FIXES: Final = (
    ("expected ',' or ']'", "Close the list with a square bracket, commas between its values."),
    ("expected ',' or '}'", "Close the braces, commas between the pairs; leave a space after each colon."),
    ("mapping values are not allowed", "Put text that holds a colon in quotes; check the indentation."),
    ("could not find expected ':'", "Write `key: value`, with a space after the colon."),
    ("expected <block end>", "Indent it like the lines above it."),
    ("found unexpected end of stream", "Close the quote."),
    ("cannot start any token", "Put the text in quotes."),
    ("unknown escape", "Use single quotes round text with a backslash."),
)


def _unreadable(text: Text, fault: yaml.YAMLError, long_quote: Scalar | None) -> Problem:
    """A fault of PyYAML's where its cause is rather than where it was noticed."""
    if isinstance(fault, yaml.reader.ReaderError):
        return Code.CHARACTER_NOT_ALLOWED.at(text.place(fault.position), character=f"U+{int(fault.character):04X}")
    detail, offset = "the text breaks off here", len(text.text)
    if isinstance(fault, yaml.MarkedYAMLError):
        detail = fault.problem or detail
        opened = fault.context_mark
        if opened is not None and opened.index is not None and re.search("flow|quoted", fault.context or ""):
            if "flow" in (fault.context or "") and opened.line != (fault.problem_mark or opened).line:
                return Code.BRACKET_OPEN.at(text.place(opened.index), mark=text.text[opened.index])
            if "end of stream" in detail:
                return Code.QUOTE_OPEN.at(text.place(opened.index), line="none")
        if long_quote is not None and "<block end>" in detail:
            return Code.QUOTE_OPEN.at(text.place(long_quote.start), line=text.place(long_quote.end).line)
        mark = fault.problem_mark or fault.context_mark
        offset = mark.index if mark is not None else offset
    if "'\\t'" in detail:
        return Code.TAB_IN_INDENT.at(text.place(offset))
    fix = next((words for part, words in _FIXES if part in detail), "Check the indentation and the quotes near here.")
    return Code.YAML_UNREADABLE.at(text.place(offset), detail=_plain(detail), fix=fix)


def _plain(detail: str) -> str:
    return re.sub(r"<([a-z ]+)>", r"\1", detail)


def _position(text: str, scalar: Scalar, offset: int) -> int:
    """The offset in the text of a character of the value: source and value are walked side by side."""
    at = scalar.start
    if scalar.style in {"|", ">"}:
        at = text.find("\n", scalar.start, scalar.end) + 1 or scalar.end
    elif scalar.style is not None:
        at += 1
    found = at
    for character in scalar.text[: offset + 1]:
        step = 1
        if character.isspace():
            found = at
            while at < scalar.end and text[at].isspace():
                at += 1
            continue
        while at < scalar.end and text[at].isspace():
            at += 1
        found = at
        if scalar.style == '"' and (match := _ESCAPE.match(text, at)):
            step = len(match[0])
        elif scalar.style == "'" and text.startswith("''", at):
            step = 2
        at += step
    past = offset - len(scalar.text)
    return min(at if past >= 0 else found, scalar.end, len(text))
