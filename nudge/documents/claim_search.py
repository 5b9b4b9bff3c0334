"""Which claims a council could make that are true: looked for among its own past letters, and honest about the looking.

Whoever looks through many shares finds some above one half by chance. So the interval of each is at the level that
Bonferroni gives for those it could be chosen from: for a claim that a letter may print, all such; for one of a part of
the tenants, all that were looked at. A claim taken from here says so (`chosen_from`), and the seal keeps that level.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from nudge.base.columns import Value
from nudge.base.values import MONTHS
from nudge.documents.claims import WEAK_NORM, ClaimFigure, Written, work_out_claim
from nudge.documents.codes import ClaimCode
from nudge.experiment.claim import ELIGIBLE
from nudge.experiment.fields import Period

WITHIN: Final = (14, 28, 56)
"""Days that a letter can speak of, and that a second letter, a month's rent and a trial's horizon come near to."""
LEAST: Final = 100
LEAST_LATELY: Final = 20
"""Tenancies that a part of the council's tenants needs in the period, and in its last quarter, to be looked at."""
EXPIRES: Final = 180
ADVERSE: Final = frozenset({"complaint", "returned", "vacated", "deceased", "breathing_space"})
CONDITION: Final = "contact"
_DID: Final[Mapping[str, str]] = {
    "agreed": "agreed a way forward with us",
    "contact": "got in touch with us",
    "payment": "made a payment",
}
_TO_BE_SAID: Final = str.maketrans("[]", "{}")
_WEEKS: Final = {14: "two weeks", 28: "four weeks", 56: "eight weeks"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """A claim that was looked at, with the keys that an experiment gives to one."""

    says: str
    numerator: str
    within: int
    population: str
    period: Period
    expires_days: int = EXPIRES
    chosen_from: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A claim looked at and what its data say. `part` names the column and value of a part of the tenants.

    A claim of a part is for information: in a letter it would reach tenants whom it does not count.
    """

    name: str
    sought: Sought
    figure: ClaimFigure
    part: tuple[str, str] | None

    @property
    def is_true(self) -> bool:
        """Whether the rules on "most" hold, at the level for all that were looked at."""
        return not self.figure.problems

    @property
    def is_weak(self) -> bool:
        return (self.figure.share or 0.0) < WEAK_NORM

    @property
    def is_printable(self) -> bool:
        """Whether a letter may print it."""
        return self.is_true and self.part is None

    @property
    def tenths(self) -> int:
        """The share in tenths, rounded down, as people will read it."""
        return 10 * self.figure.numerator // self.figure.denominator if self.figure.denominator else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Everything that was looked at, the strongest first; `too_few` parts had too few tenancies to be looked at."""

    candidates: tuple[Candidate, ...]
    period: Period
    eligible: int
    unknown: int
    too_few: int

    @property
    def printable(self) -> tuple[Candidate, ...]:
        return tuple(one for one in self.candidates if one.is_printable)


def search_claims(
    rows: Iterable[Written],
    *,
    eligible: Callable[[Mapping[str, Value]], bool | None],
    parts: Mapping[str, Callable[[Mapping[str, Value]], object]],
    about: str,
    people: str,
    period: Period | None,
    cut: date,
    event_kinds: Sequence[str],
    has_household: bool,
    source: str,
    source_sha256: str,
    unread: int = 0,
) -> Search:
    """Look at every claim that past letters could bear out.

    `parts` gives, by column, what part a tenancy belongs to (None or blank: none). `about` follows "we wrote to" and
    `people` says whom. Without a `period` it is the last twelve whole months of which every letter is old enough, or
    as many as there are.
    """
    every = list(rows)
    met = [(row, eligible(row.values)) for row in every]
    taken = [row for row, meets in met if meets is True]
    span = period or _period([row.letter_on for row in taken], cut)
    inside = [row for row in taken if row.letter_on in span]
    lately = _months_before(span.last, 2)
    groups: list[tuple[tuple[str, str] | None, list[Written]]] = [(None, inside)]
    too_few = 0
    for column, part_of in parts.items():
        by_value: dict[str, list[Written]] = {}
        for row in inside:
            if (value := part_of(row.values)) not in {None, ""}:
                by_value.setdefault(str(value), []).append(row)
        for value, members in sorted(by_value.items()):
            if len(members) >= LEAST and sum(row.letter_on >= lately for row in members) >= LEAST_LATELY:
                groups.append(((column, value), members))
            else:
                too_few += 1
    events = [event for event in event_kinds if event not in ADVERSE]
    asked = [
        (part, members, sought)
        for part, members in groups
        for sought in _sought(events, span, about, people, conditions=part is None)
    ]
    whole = sum(part is None for part, _, _ in asked)
    found = []
    for part, members, sought in asked:
        sought = replace(sought, chosen_from=whole if part is None else len(asked))
        name = f"{sought.numerator}_within_{sought.within}"
        if sought.population != ELIGIBLE:
            name = f"{sought.population}_then_{name}"
        figure = work_out_claim(
            name,
            sought,
            members,
            eligible=lambda values: True,
            cut=cut,
            event_kinds=event_kinds,
            has_household=has_household,
            source=source,
            source_sha256=source_sha256,
            unread=unread,
        )
        if part is not None:  # whether the file covers the period shows in the whole of it
            kept = (one for one in figure.problems if one.code != ClaimCode.CLAIM_PERIOD_UNCOVERED.slug)
            figure = replace(figure, problems=tuple(kept))
        found.append(Candidate(name=name, sought=sought, figure=figure, part=part))
    order = sorted(found, key=_strength)
    return Search(
        candidates=tuple(order),
        period=span,
        eligible=len(inside),
        unknown=Counter(meets for _, meets in met)[None],
        too_few=too_few,
    )


def as_yaml(candidate: Candidate) -> str:
    """The lines to paste under `claims:` of the experiment. What has to be worded yet is in braces, and so refused."""
    sought = candidate.sought
    return "\n".join(
        (
            f"  {candidate.name}:",
            f'    says: "{sought.says.translate(_TO_BE_SAID)}"',
            f"    numerator: {sought.numerator}",
            f"    within: {sought.within}",
            f"    population: {sought.population}",
            f"    source: {candidate.figure.source}",
            f"    period: {sought.period}",
            f"    expires_days: {sought.expires_days}",
            f"    chosen_from: {sought.chosen_from}",
        )
    )


def _sought(events: Sequence[str], period: Period, about: str, people: str, *, conditions: bool) -> Iterator[Sought]:
    when = _when(period)
    for within in WITHIN:
        span = _WEEKS[within]
        for event in events:
            did = _DID.get(event, f"[say what {event.replace('_', ' ')} means]")
            says = f"{{share}} of the {people} we wrote to{about} {when} {did} within {span}"
            yield Sought(says=says, numerator=event, within=within, population=ELIGIBLE, period=period)
            if conditions and CONDITION in events and event != CONDITION:
                says = (
                    f"{{share}} of the {people} who got in touch with us within {span} of our letter{about} {when}"
                    f" {did} in that time"
                )
                yield Sought(says=says, numerator=event, within=within, population=CONDITION, period=period)


def _when(period: Period) -> str:
    months = (period.last.year - period.first.year) * 12 + period.last.month - period.first.month + 1
    return "in the year to {period_end}" if months == 12 else f"in the {months} months to {{period_end}}"


def _strength(candidate: Candidate) -> tuple[object, ...]:
    """True ones first, those that may be printed before the others; then the higher tenth, the sooner, the surer."""
    figure = candidate.figure
    return (
        not candidate.is_true,
        candidate.part is not None,
        -candidate.tenths,
        candidate.sought.within,
        -(figure.lower or 0.0),
        candidate.name,
        candidate.part or (),
    )


def _period(days: Sequence[date], cut: date) -> Period:
    """The last twelve whole months that end early enough for every letter to be judged, or as many as there are."""
    last = _months_before(cut - timedelta(days=max(WITHIN)) + timedelta(days=1), 0) - timedelta(days=1)
    first = _months_before(last, 11)
    earliest = min(days, default=first)
    return Period(max(first, min(earliest.replace(day=1), last.replace(day=1))), last)


def _months_before(day: date, months: int) -> date:
    """The first day of the month so many months before that of `day`."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, 1)


def month_in_words(day: date) -> str:
    """`August 2026`."""
    return f"{MONTHS[day.month - 1]} {day.year}"
