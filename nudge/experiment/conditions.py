"""Conditions such as `arrears >= 10 and stage == "first letter"`, read by a grammar of our own and never executed.

    condition   = all | either {or either}        either = part {and part}        part = not part | comparison
    comparison  = side {(== != < <= > >= | in | not in) side}       side = column | number | "text" | true | false
                                                                           | [value, …] | (condition)

Beside a money column a number is pounds; beside a date column text is a date as "2026-03-31". Text is compared without
regard to capitals or to spaces at its ends, because housing systems vary in both. A blank cell makes a comparison
neither true nor false, and `and`, `or`, `not` follow Kleene: false and unknown is false, true or unknown is true.
Own rather than Python's parser: the offsets are characters, the numbers exact, and the same on every Python.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, NoReturn, TypeAlias

from nudge.base.columns import Kind, Value
from nudge.experiment.codes import ExperimentCode as Code
from nudge.experiment.spelling import listed, meant

EVENT_COLUMNS: Final[Mapping[str, Mapping[str, Kind]]] = {
    "contacts": {"direction": Kind.TEXT, "channel": Kind.TEXT, "reason": Kind.TEXT},
    "payments": {"code": Kind.TEXT, "amount": Kind.MONEY},
}
"""What an event's `when` may ask of each file of responses."""
LONGEST: Final = 2_000
DEEPEST: Final = 32
_TOKEN: Final = re.compile(
    r"(?P<space>\s+)|(?P<number>-?[0-9]{1,15}(?:\.[0-9]{1,9})?(?![0-9.]))|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<text>\"[^\"\n]*\"|'[^'\n]*')|(?P<sign>==|!=|<=|>=|[<>()\[\],])"
)
_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "in": lambda value, values: value in values, "not in": lambda value, values: value not in values,
}  # fmt: skip
_ORDERED: Final = frozenset({"<", "<=", ">", ">="})
_KEYWORDS: Final = frozenset({"and", "or", "not", "in", "true", "false"})
_EXAMPLE: Final = {
    Kind.MONEY: ("an amount in pounds", "150 or 12.50"),
    Kind.NUMBER: ("a number", "4 or 2.5"),
    Kind.TEXT: ("text in quotes", '"rent"'),
    Kind.FLAG: ("true or false", "true"),
    Kind.DATE: ("a date in quotes", '"2026-03-31"'),
}
_CURLY: Final = "“”‘’"


class ConditionError(ValueError):
    """A condition that cannot be read: what is wrong, `offset` characters into the text (from 0)."""

    def __init__(self, offset: int, code: Code, **facts: object) -> None:
        super().__init__(code.expected.format(**facts))
        self.offset, self.code, self.facts = offset, code, facts


@dataclass(frozen=True, slots=True)
class Always:
    """True of every row: the word `all`."""

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        return True


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag column, as it stands."""

    name: str

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        value = values.get(self.name)
        return None if value is None else bool(value)


@dataclass(frozen=True, slots=True)
class Truth:
    """The words true and false."""

    value: bool

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        return self.value


@dataclass(frozen=True, slots=True)
class Compared:
    """One side against the other; `left` and `right` are a column's name or a value."""

    left: Column | Literal
    operator: str
    right: Column | Literal

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        left, right = self.left.value_in(values), self.right.value_in(values)
        return None if left is None or right is None else _COMPARE[self.operator](left, right)


@dataclass(frozen=True, slots=True)
class Both:
    """Every part true; false as soon as one is."""

    parts: tuple[Node, ...]

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        unknown = False
        for part in self.parts:
            found = part.holds(values)
            if found is False:
                return False
            unknown = unknown or found is None
        return None if unknown else True


@dataclass(frozen=True, slots=True)
class Either:
    """One part true; unknown only where no part is true and one is unknown."""

    parts: tuple[Node, ...]

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        unknown = False
        for part in self.parts:
            found = part.holds(values)
            if found:
                return True
            unknown = unknown or found is None
        return None if unknown else False


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; unknown stays unknown."""

    part: Node

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        found = self.part.holds(values)
        return None if found is None else not found


Node: TypeAlias = Always | Flag | Truth | Compared | Both | Either | Not


@dataclass(frozen=True, slots=True)
class Column:
    """A column by name; text is made comparable as it is read."""

    name: str
    kind: Kind

    def value_in(self, values: Mapping[str, Value]) -> Any:
        value = values.get(self.name)
        return plain(value) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in the condition, already as the cells beside it are held."""

    value: Any

    def value_in(self, values: Mapping[str, Value]) -> Any:
        return self.value


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that has been read. Money in `values` is pence, as typed cells hold it."""

    text: str
    names: frozenset[str]
    node: Node

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        """True, false, or None where a value that decides is missing. A name not in `values` is missing."""
        return self.node.holds(values)


def plain(text: str) -> str | None:
    """Text as it is compared: composed, without capitals or outer spaces; None where nothing is left."""
    return unicodedata.normalize("NFC", text.strip().casefold()) or None


def compile_condition(text: str, kinds: Mapping[str, Kind]) -> Condition:
    """Read a condition over columns of these kinds. Raises ConditionError with the offset of the first fault."""
    if len(text) > LONGEST:
        raise ConditionError(LONGEST, Code.CONDITION_TOO_LONG)
    if text.strip().lower() == "all":
        return Condition(text, frozenset(), Always())
    reader = _Reader(text, kinds)
    node = reader.whole()
    return Condition(text, frozenset(reader.names), node)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, word, text, sign, end
    text: str
    offset: int

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind == "word" else self.text


@dataclass(frozen=True, slots=True)
class _Side:
    """What stands beside a comparison, before its neighbour says what it must be."""

    offset: int
    column: Column | None = None
    node: Node | None = None  # a bracketed condition
    tokens: tuple[_Token, ...] = ()  # one value, or those of a list
    is_list: bool = False


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            _no_meaning(text, at)
        kind = match.lastgroup or ""
        if kind != "space":
            yield _Token(kind, match[0], at)
        at = match.end()
    yield _Token("end", "", len(text))


def _no_meaning(text: str, at: int) -> NoReturn:
    character = text[at]
    if character in "\"'":
        raise ConditionError(at, Code.CONDITION_QUOTE_OPEN)
    if character == "=":
        raise ConditionError(at, Code.CONDITION_SINGLE_EQUALS)
    fix = "Leave it out."
    if character in _CURLY:
        fix = "Use straight quotes."
    elif character in "&|":
        fix = "Write `and`, `or`."
    elif character == "!":
        fix = "Write `not`, or != to compare."
    elif character in "£$€":
        fix = "Write amounts as digits only."
    raise ConditionError(at, Code.CONDITION_CHARACTER, character=character, fix=fix)


class _Reader:
    """One reading of one condition, from left to right."""

    def __init__(self, text: str, kinds: Mapping[str, Kind]) -> None:
        self.tokens = list(_tokens(text))
        self.kinds = kinds
        self.names: set[str] = set()
        self.position = 0
        self.depth = 0

    @property
    def next(self) -> _Token:
        return self.tokens[self.position]

    def take(self) -> _Token:
        token = self.next
        self.position += 1
        return token

    def take_word(self, *words: str) -> bool:
        if self.next.kind in {"word", "sign"} and self.next.word in words:
            self.position += 1
            return True
        return False

    def wanted(self, what: str, fix: str) -> NoReturn:
        raise ConditionError(self.next.offset, Code.CONDITION_WORD_WANTED, wanted=what, fix=fix)

    def whole(self) -> Node:
        node = self.either()
        if self.next.kind != "end":
            self.wanted("`and`, `or` or the end of the condition", "Join the parts with `and` or `or`.")
        return node

    def either(self) -> Node:
        parts = [self.both()]
        while self.take_word("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def both(self) -> Node:
        parts = [self.part()]
        while self.take_word("and"):
            parts.append(self.part())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def part(self) -> Node:
        turns = 0
        while self.take_word("not"):  # counted, not recursed: a thousand of them is silly but no fault of ours
            turns += 1
        node = self.comparison()
        return Not(node) if turns % 2 else node

    def comparison(self) -> Node:
        left = self.side()
        parts: list[Node] = []
        while (sign := self.comparator()) is not None:
            right = self.side()
            parts.append(_compared(left, sign, right))
            left = right
        if not parts:
            return self.alone(left)
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def comparator(self) -> _Token | None:
        token = self.next
        if token.kind == "sign" and token.text in _COMPARE:
            return self.take()
        if token.word == "in":
            return self.take()
        if token.word == "not" and self.tokens[self.position + 1].word == "in":
            self.position += 2
            return _Token("word", "not in", token.offset)
        return None

    def alone(self, side: _Side) -> Node:
        if side.node is not None:
            return side.node
        if side.column is not None:
            name, kind = side.column.name, side.column.kind
            if kind is Kind.FLAG:
                return Flag(name)
            example = f"{name} == {_EXAMPLE[kind][1].split(' or ')[0]}"
            raise ConditionError(
                side.offset, Code.CONDITION_NOT_TRUE_OR_FALSE, name=name, kind=f"{kind}", example=example
            )
        token = side.tokens[0] if side.tokens else None
        if not side.is_list and token is not None and token.word in {"true", "false"}:
            return Truth(token.word == "true")
        raise ConditionError(side.offset, Code.CONDITION_NO_COLUMN)

    def side(self) -> _Side:
        token = self.next
        if token.kind in {"number", "text"} or token.word in {"true", "false"}:
            return _Side(token.offset, tokens=(self.take(),))
        if token.kind == "word" and token.word not in _KEYWORDS:
            return _Side(token.offset, column=self.column())
        if token.text == "[":
            return self.listed()
        if token.text == "(":
            return self.bracketed()
        return self.wanted("a column or a value", "Write what is compared, such as arrears >= 10.")

    def column(self) -> Column:
        token = self.take()
        if token.text not in self.kinds:
            raise ConditionError(
                token.offset,
                Code.CONDITION_NAME_UNKNOWN,
                valid=listed(self.kinds),
                fix=meant(token.text, self.kinds, f'Use one of them, or put the word in quotes: "{token.text}".'),
            )
        self.names.add(token.text)
        return Column(token.text, self.kinds[token.text])

    def listed(self) -> _Side:
        offset = self.take().offset
        values: list[_Token] = []
        while self.next.text != "]" or self.next.kind != "sign":
            if self.next.kind not in {"number", "text"} and self.next.word not in {"true", "false"}:
                self.wanted("a value or `]`", "Put words in quotes, commas between them.")
            values.append(self.take())
            if not self.take_word(",") and self.next.text != "]":
                self.wanted("a comma or `]`", "Close the list with a square bracket.")
        self.take()
        if not values:
            raise ConditionError(offset, Code.CONDITION_WORD_WANTED, wanted="a list with values", fix="Fill the list.")
        return _Side(offset, tokens=tuple(values), is_list=True)

    def bracketed(self) -> _Side:
        offset = self.take().offset
        self.depth += 1
        if self.depth > DEEPEST:
            raise ConditionError(offset, Code.CONDITION_TOO_DEEP)
        node = self.either()
        if not self.take_word(")"):
            self.wanted("`)`", "Close the bracket.")
        self.depth -= 1
        return _Side(offset, node=node)


def _compared(left: _Side, sign: _Token, right: _Side) -> Node:
    operator_ = sign.word
    if left.node is not None or right.node is not None:
        side = left if left.node is not None else right
        raise ConditionError(side.offset, Code.CONDITION_NO_COLUMN)
    column = left.column or right.column
    if column is None:
        raise ConditionError(left.offset, Code.CONDITION_NO_COLUMN)
    if operator_ in {"in", "not in"}:
        if left.column is None:
            raise ConditionError(left.offset, Code.CONDITION_NO_COLUMN)
        if not right.is_list:
            raise ConditionError(right.offset, Code.CONDITION_LIST_WANTED)
        return Compared(column, operator_, Literal(tuple(_value(token, column) for token in right.tokens)))
    for side in (left, right):
        if side.is_list:
            raise ConditionError(side.offset, Code.CONDITION_LIST_UNWANTED, operator=operator_)
    if operator_ in _ORDERED and column.kind in {Kind.TEXT, Kind.FLAG}:
        raise ConditionError(sign.offset, Code.CONDITION_NO_ORDER, kind=f"{column.kind}")
    return Compared(_beside(left, column), operator_, _beside(right, column))


def _beside(side: _Side, column: Column) -> Column | Literal:
    if side.column is None:
        return Literal(_value(side.tokens[0], column))
    if side.column.kind is not column.kind:
        raise ConditionError(
            side.offset, Code.CONDITION_KINDS_DIFFER, wanted=f"a column of {column.kind}", name=column.name,
            example=_EXAMPLE[column.kind][1],
        )  # fmt: skip
    return side.column


def _value(token: _Token, column: Column) -> Any:
    """The token as cells of that column hold it; refused where it is not of the column's kind."""
    try:
        return _READ[column.kind](token)
    except ConditionError:
        raise
    except (ValueError, KeyError):
        wanted, example = _EXAMPLE[column.kind]
        raise ConditionError(
            token.offset, Code.CONDITION_KINDS_DIFFER, wanted=wanted, name=column.name, example=example
        ) from None


def _of(token: _Token, kind: str) -> str:
    if token.kind != kind:
        raise ValueError
    return token.text


def _pence(token: _Token) -> int:
    amount = Decimal(_of(token, "number")) * 100
    if amount != amount.to_integral_value():
        raise ValueError
    return int(amount)


def _text(token: _Token) -> str:
    found = plain(_of(token, "text")[1:-1])
    if found is None:
        raise ConditionError(token.offset, Code.CONDITION_BLANK_TEXT)
    return found


def _iso(token: _Token) -> date:
    text = _of(token, "text")[1:-1].strip()
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) is None:
        raise ValueError
    return date.fromisoformat(text)


_READ: Final[Mapping[Kind, Callable[[_Token], Any]]] = {
    Kind.MONEY: _pence,
    Kind.NUMBER: lambda token: float(_of(token, "number")),
    Kind.TEXT: _text,
    Kind.FLAG: lambda token: {"true": True, "false": False}[token.word],
    Kind.DATE: _iso,
}
