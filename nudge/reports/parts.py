"""What a report is made of, before it is a page, a PDF or terminal text: words, tables, pictures, sections."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from nudge.reports.consort import Branch, Stage


class Tone(StrEnum):
    """How a verdict looks; its words say it too."""

    GOOD = "good"
    BAD = "bad"
    SMALL = "small"
    UNSURE = "unsure"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One arm's verdict: a short head, one sentence with the interval, and what the average is over."""

    head: str
    tone: Tone
    sentence: str
    basis: str = ""
    meaning: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A paragraph; `aside` prints it small."""

    words: str
    aside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Points, each with a term before it or none."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Cells as printed. The first cell of a row names it; columns numbered in `words` hold words, others figures."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An arm's share of 100 in touch over time, with limits (None where there are none)."""

    label: str
    time: tuple[float, ...]
    share: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """The picture of shares over time."""

    lines: tuple[Line, ...]
    horizon: float
    ticks: tuple[float, ...]
    axis: str
    unit: str
    alt: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One estimate in an interval picture; `line` is the arm's place, which sets its colour and marker."""

    label: str
    words: str
    estimate: float
    low: float | None
    high: float | None
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """The picture of estimates with their intervals."""

    marks: tuple[Mark, ...]
    axis: str
    no_effect: float | None
    ratio: bool
    sides: tuple[str, str] | None
    worthwhile: float | None
    alt: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flowing:
    """The picture of who was in the trial, from file to analysis."""

    trunk: tuple[Stage, ...]
    branches: tuple[Branch, ...]
    alt: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerDot:
    """Invented trials of one length: how many of 100 found the difference, and the error of that at 95 in 100."""

    at: float
    share: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerPicture:
    """The picture of power: of 100 trials, how many find a difference, against weeks or units (`at`)."""

    at: tuple[float, ...]
    share: tuple[float, ...]
    dots: tuple[PowerDot, ...]
    planned: float
    target: float
    axis: str
    unit: str
    alt: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A page as a PNG, with the words that stand for it and the caption under it."""

    png: bytes
    alt: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Pages side by side; `full` ones stand one under another, as large as there is room."""

    items: tuple[Picture, ...]
    full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Words of a redline; `changed` are those that the other side has not."""

    words: str
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RedlineRow:
    """A block before and after. `what` says what became of it; a side that has nothing here is empty.

    A row of `same` blocks has one side only, `after`, a passage for each, and stands across both columns.
    """

    before: tuple[Passage, ...]
    after: tuple[Passage, ...]
    what: str
    levers: str
    same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Redlined:
    """Two letters block by block; `columns` names them."""

    caption: str
    columns: tuple[str, str]
    rows: tuple[RedlineRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbatim:
    """Lines to copy as they stand."""

    lines: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """Lines to sign on: who, and the initials and date where they are given already."""

    caption: str
    lines: tuple[tuple[str, str], ...]


Part: TypeAlias = (
    Text | Listing | Table | Curves | Intervals | Flowing | PowerPicture | Pictures | Redlined | Signing | Verbatim
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and what stands under it; `level` 2 or 3."""

    slug: str
    heading: str
    parts: tuple[Part, ...]
    level: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A whole report, in the order in which it is read."""

    title: str
    question: str | None
    facts: tuple[tuple[str, str], ...]
    banner: str | None
    answers_heading: str
    answers: tuple[Answer, ...]
    sections: tuple[Section, ...]
    colophon: str
    kind: str = "Report of a trial"
