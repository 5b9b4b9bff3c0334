"""The small types that experiment keys are made of: identifiers, numbers, dates, months, paths.

Every refusal here is a `PydanticCustomError` whose type is the name of an `ExperimentCode`, so that the loader can
put it at its line and column without reading a sentence back.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    StrictBool,
    StrictInt,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from nudge.base.values import day_in_words, uk_date

ID_PATTERN: Final = r"^[a-z0-9-]{1,64}$"
NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
COLUMN_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9_]{0,63}$"
LETTER_PATTERN: Final = r"^(?:[A-Za-z0-9][A-Za-z0-9_.-]*/)*[A-Za-z0-9][A-Za-z0-9_.-]*\.html$"
RESERVED: Final = frozenset({"and", "or", "not", "in", "true", "false", "all"})
LARGEST_NUMBER: Final = 10**9
LONGEST_SPAN: Final = 2_000_000  # in days still inside the calendar of Python's dates
_PERIOD: Final = re.compile(r"(\d{4})-(\d{2})\.\.(\d{4})-(\d{2})")
_ISO: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_LET_THROUGH: Final = re.compile(r"([^\W\d_][^\d\n]{0,60}?)[ ,]+(\d{4}-\d{2}-\d{2}): ?because (\S.{2,})")
_TWO_WAYS: Final = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})")


class Value(BaseModel):
    """A part of an experiment file: frozen, and refusing every key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)


def refusal(code: str, /, **facts: object) -> PydanticCustomError:
    """A validation error that names a code of this room; its facts are taken from the experiment file only."""
    return PydanticCustomError(code, code, facts)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """Whole calendar months, both ends inside: `2025-04..2026-03` is 1 April 2025 to 31 March 2026."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}..{self.last:%Y-%m}"

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


def _period(value: Any) -> Period:
    if isinstance(value, Period):
        return value
    match = _PERIOD.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise refusal("PERIOD_UNREADABLE")
    from_year, from_month, to_year, to_month = (int(part) for part in match.groups())
    try:
        first = date(from_year, from_month, 1)
        last = date(to_year, to_month, monthrange(to_year, to_month)[1])
    except ValueError:
        raise refusal("PERIOD_UNREADABLE") from None
    if last < first:
        raise refusal("PERIOD_BACKWARDS", turned=f"{last:%Y-%m}..{first:%Y-%m}")
    return Period(first, last)


def months(text: str) -> Period | None:
    """Months as `2025-04..2026-03`; None where they do not read so."""
    try:
        return _period(text)
    except PydanticCustomError:
        return None


def _day(value: Any) -> date:
    if isinstance(value, date):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if match := _ISO.fullmatch(text):
        try:
            return date(*(int(part) for part in match.groups()))
        except ValueError:
            raise refusal("DATE_NOT_IN_CALENDAR") from None
    if match := _TWO_WAYS.fullmatch(text):
        day_first = uk_date(text)
        month_first = uk_date(f"{match[2]}/{match[1]}/{match[3]}")
        if day_first and month_first and day_first != month_first:
            raise refusal(
                "DATE_READS_TWO_WAYS",
                day_first=day_first.isoformat(),
                day_first_words=day_in_words(day_first),
                month_first=month_first.isoformat(),
                month_first_words=day_in_words(month_first),
            )
    if (read := uk_date(text)) is not None:
        raise refusal("DATE_NOT_ISO", iso=read.isoformat())
    raise refusal("DATE_WANTED")


def _detail(value: Any) -> str | int | date:
    """Text, or a date where all of the text is one; a whole number."""
    if isinstance(value, bool):
        raise refusal("QUOTES_WANTED", word=str(value).lower())
    if isinstance(value, int):
        if abs(value) > LARGEST_NUMBER:
            raise refusal("NUMBER_TOO_LARGE")
        return value
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise refusal("DETAIL_WANTED")
    text = _filled(value).strip()
    is_a_date = _ISO.fullmatch(text) or _TWO_WAYS.fullmatch(text) or uk_date(text) is not None
    return _day(text) if is_a_date else text


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise refusal("NUMBER_WANTED")
    if abs(value) > LARGEST_NUMBER:
        raise refusal("NUMBER_TOO_LARGE")
    return int(value) if isinstance(value, float) and value.is_integer() else value  # 3.0 says what 3 says


def _above_zero(value: Any) -> int | float:
    number = _number(value)
    if number <= 0:
        raise refusal("ABOVE_ZERO_WANTED")
    return number


def _span(value: Any) -> int | float:
    number = _above_zero(value)
    if number > LONGEST_SPAN:
        raise refusal("NUMBER_TOO_LARGE")
    return number


def _not_negative(value: Any) -> int | float:
    number = _number(value)
    if number < 0:
        raise refusal("NOT_NEGATIVE_WANTED")
    return number


def _whole_above_zero(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise refusal("WHOLE_ABOVE_ZERO_WANTED")
    if value > LONGEST_SPAN:
        raise refusal("NUMBER_TOO_LARGE")
    return value


def _free_text(value: Any) -> str:
    """Text compared with cells of the data: trimmed; a whole number is written without decimals."""
    if isinstance(value, bool):
        raise refusal("QUOTES_WANTED", word=str(value).lower())
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        raise refusal("TEXT_WANTED")
    return value.strip()


def _listed(value: Any) -> Any:
    """One word where a list may stand is a list of one."""
    return [value] if isinstance(value, (str, int, float)) and not isinstance(value, bool) else value


def _column_name(value: str) -> str:
    if value.lower() in RESERVED:
        raise refusal("NAME_RESERVED", name=value)
    return value


def _window(value: Any) -> tuple[int, int]:
    ends = value if isinstance(value, (list, tuple)) else ()
    if len(ends) != 2 or any(isinstance(end, bool) or not isinstance(end, int) for end in ends):
        raise refusal("PAIR_WANTED")
    if max(map(abs, ends)) > LONGEST_SPAN:
        raise refusal("NUMBER_TOO_LARGE")
    return ends[0], ends[1]


def _range(value: Any) -> tuple[int | float, int | float]:
    ends = value if isinstance(value, (list, tuple)) else ()
    if len(ends) != 2:
        raise refusal("RANGE_ILL_FORMED")
    low, high = (_number(end) for end in ends)
    if not low < high:
        raise refusal("RANGE_ILL_FORMED")
    return low, high


def _override(value: Any) -> str:
    """`AB 2026-11-20: because …`: who let it through, when and why."""
    text = " ".join(value.split()) if isinstance(value, str) else ""
    match = _LET_THROUGH.fullmatch(text)
    if match is None or uk_date(match[2]) is None:
        raise refusal("OVERRIDE_ILL_FORMED")
    return text


def _filled(value: str) -> str:
    if not value.strip():
        raise refusal("KEY_BLANK")
    return value


@dataclass(frozen=True, slots=True)
class _Spelt:
    """Text of a certain spelling; a refusal offers the nearest spelling that would do."""

    pattern: str
    code: str
    join: str  # what stands in for characters that are not allowed
    lower: bool = False

    def __call__(self, value: str) -> str:
        if re.match(self.pattern, value) is None or value.endswith("\n"):
            raise refusal(self.code, fix=self.fix(value))
        return value

    def fix(self, value: str) -> str:
        words = re.findall(r"[A-Za-z0-9]+", value.lower() if self.lower else value)
        spelt = self.join.join(words)[:64]
        return f"Write `{spelt}`." if re.match(self.pattern, spelt) else "Choose another."


def _spelling(pattern: str, code: str, join: str, *, lower: bool = False) -> tuple[AfterValidator, WithJsonSchema]:
    return AfterValidator(_Spelt(pattern, code, join, lower)), WithJsonSchema({"type": "string", "pattern": pattern})


_NUMBER: Final = {"type": "number"}
_ID, _ID_SCHEMA = _spelling(ID_PATTERN, "ID_ILL_FORMED", "-", lower=True)
_NAME, _NAME_SCHEMA = _spelling(NAME_PATTERN, "NAME_ILL_FORMED", "_")
_COLUMN, _COLUMN_SCHEMA = _spelling(COLUMN_PATTERN, "COLUMN_ILL_FORMED", "_")
_LETTER, _LETTER_SCHEMA = _spelling(LETTER_PATTERN, "LETTER_ILL_FORMED", "-")

TrialId = Annotated[str, _ID, _ID_SCHEMA]
"""A trial's id: it names folders and files."""
Name = Annotated[str, _NAME, _NAME_SCHEMA]
"""An identifier inside the file: of an outcome, event, claim, wave or suppression reason."""
ColumnName = Annotated[str, _COLUMN, AfterValidator(_column_name), _COLUMN_SCHEMA]
"""A column or band, as conditions name it."""
Letter = Annotated[str, _LETTER, _LETTER_SCHEMA]
"""A template's path inside the templates folder, such as letters/arrears-current.html."""
Text = Annotated[str, AfterValidator(_filled), WithJsonSchema({"type": "string", "minLength": 1})]
LanguageCode = Literal["en", "cy", "pl", "ro", "pt"]
"""The languages of `base.languages` that a letter can be in."""
Override = Annotated[str, BeforeValidator(_override), WithJsonSchema({"type": "string", "minLength": 1})]
"""Who let something through, when and why: `AB 2026-11-20: because …`."""
FreeText = Annotated[str, BeforeValidator(_free_text, json_schema_input_type=str | int | float)]
"""Text that is compared with cells of the data: trimmed, whole numbers without decimals."""
Names = Annotated[tuple[Name, ...], BeforeValidator(_listed, json_schema_input_type=Name | list[Name])]
Texts = Annotated[tuple[FreeText, ...], BeforeValidator(_listed, json_schema_input_type=FreeText | list[FreeText])]
Truth = StrictBool
Number = Annotated[int | float, PlainValidator(_number), WithJsonSchema(_NUMBER)]
AboveZero = Annotated[int | float, PlainValidator(_above_zero), WithJsonSchema({**_NUMBER, "exclusiveMinimum": 0})]
Span = Annotated[int | float, PlainValidator(_span), WithJsonSchema({**_NUMBER, "exclusiveMinimum": 0})]
"""A length of time in the outcome's own unit."""
NotNegative = Annotated[int | float, PlainValidator(_not_negative), WithJsonSchema({**_NUMBER, "minimum": 0})]
Whole = StrictInt
WholeAboveZero = Annotated[
    int, PlainValidator(_whole_above_zero), WithJsonSchema({"type": "integer", "exclusiveMinimum": 0})
]
Window = Annotated[
    tuple[int, int],
    PlainValidator(_window),
    PlainSerializer(list, return_type=list[int]),
    WithJsonSchema({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}),
]
"""Days before and after the day wanted, both ends inside."""
Range = Annotated[
    tuple[int | float, int | float],
    PlainValidator(_range),
    PlainSerializer(list, return_type=list[int | float]),
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
]
"""The least and the most that a number can be."""
Day = Annotated[
    date,
    PlainValidator(_day),
    PlainSerializer(date.isoformat, return_type=str),
    WithJsonSchema({"type": "string", "format": "date"}),
]
Detail = Annotated[
    str | int | date,
    PlainValidator(_detail),
    PlainSerializer(lambda value: value.isoformat() if isinstance(value, date) else value, return_type=str | int),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1}, {"type": "integer"}]}),
]
"""A constant for letters and signs: text, a whole number, or a date, which is text that is all of it a date."""
Months = Annotated[
    Period,
    PlainValidator(_period),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d{2}\.\.\d{4}-\d{2}$", "examples": ["2025-04..2026-03"]}),
]
