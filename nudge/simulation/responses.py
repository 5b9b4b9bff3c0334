"""What comes back from the tenants of an invented council, in the messy files of five systems, with its truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import numpy as np

from nudge.simulation.behaviour import NEVER, Truth, live
from nudge.simulation.council import SimulatedCouncil
from nudge.simulation.sheet import Sheet, plain_pounds, uk
from nudge.simulation.stream import Stream
from nudge.simulation.tenancies import SimulatedTenancy

REASONS: Final = (("rent", 45.0), ("arrears", 40.0), ("money advice", 15.0))
CHANNELS: Final = (("telephone", 70.0), ("email", 15.0), ("web form", 8.0), ("visit", 7.0))
CODES: Final = (("card", 60.0), ("standing order", 25.0), ("cash", 15.0))
RETURNED: Final = 0.015
COMPLAINED: Final = 0.008
NEVER_CAME: Final = date.max
Line = tuple[date, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedResponses:
    """Files that cover `covers`, both days included. `truth` is what an endless trial of these arms finds;
    `first_response` the day of each tenancy's first contact or payment, files or not (None: never)."""

    covers: tuple[date, date]
    contacts: Sheet
    payments: Sheet
    returned: Sheet
    complaints: Sheet
    moved: Sheet
    breathing_space: Sheet
    rent_accounts: tuple[Sheet, ...]
    truth: Truth
    first_response: Mapping[str, date | None] = field(repr=False)

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """Every file that has a row."""
        several = (self.contacts, self.payments, self.returned, self.complaints, self.moved, self.breathing_space)
        return tuple(sheet for sheet in (*several, *self.rent_accounts) if sheet.rows)


@dataclass(frozen=True, slots=True)
class _Case:
    """One tenancy in the trial: its day 0 and the days after it on which things happen."""

    tenancy: SimulatedTenancy
    day0: date
    contact: int
    payment: int
    vacated: int
    deceased: int
    breathing_space: int

    def on(self, day: int) -> date:
        """The date of a day after day 0; the end of time where it never comes."""
        return self.day0 + timedelta(days=day) if day < NEVER else NEVER_CAME

    @property
    def response(self) -> int:
        return min(self.contact, self.payment)


def respond(
    council: SimulatedCouncil,
    arms: Mapping[str, str],
    day0: Mapping[str, date],
    *,
    until: date,
    since: date | None = None,
    letters: Mapping[str, str] | None = None,
) -> SimulatedResponses:
    """Let the tenancies of a trial respond to the letters of their arms, up to and including `until`.

    `arms` and `day0` go by tenancy reference; a tenancy without either does nothing but noise. `since` leaves out
    earlier rows, so that a week's files can be had alone; by default all from the first day 0 less a fortnight. With
    `letters` (tenancy reference to letter reference) some come back undelivered. What a tenancy would do under each
    arm is settled by the council's seed: the same tenancy under another arm differs by the arm alone.
    """
    cases = _cases(council, arms, day0)
    first = since or min((case.day0 for case in cases), default=until) - timedelta(days=14)
    others = [one for one in council.tenancies if one.reference not in arms]
    named = {arms[case.tenancy.reference] for case in cases}
    order = sorted(named, key=lambda arm: (council.behaviour.effect(arm) != 1, arm))

    def sheet(name: str, headings: Sequence[str], lines: Iterable[Line]) -> Sheet:
        kept = sorted(line for line in lines if first <= line[0] <= until)
        title = f"{name}-{until.isoformat()}.csv"
        return Sheet(name=title, headings=tuple(headings), rows=tuple(row for _, row in kept))

    seed, posted = council.seed, letters or {}
    return SimulatedResponses(
        covers=(first, until),
        contacts=sheet("contacts", _CONTACTS, _contacts(seed, council.start, cases, others, posted)),
        payments=sheet("payments", _PAYMENTS, _payments(seed, council.start, cases, others)),
        returned=sheet("returned", _RETURNED, _returned(seed, cases, posted)),
        complaints=sheet("complaints", _COMPLAINTS, _complaints(seed, cases)),
        moved=sheet("moved", _MOVED, _moved(cases)),
        breathing_space=sheet("breathing-space", _BREATHING, _breathing(cases)),
        rent_accounts=_accounts(cases, council.start, first, until),
        truth=council.behaviour.truth(order or ["control"]),
        first_response={one.tenancy.reference: one.on(one.response) if one.response < NEVER else None for one in cases},
    )


def _cases(council: SimulatedCouncil, arms: Mapping[str, str], day0: Mapping[str, date]) -> list[_Case]:
    """Every tenancy of the council lives its days, in the trial or not, so that no tenancy's chances hang on others."""
    everybody = council.tenancies
    effect = np.array([council.behaviour.effect(arms.get(one.reference, "")) for one in everybody])
    household = np.array([one.household for one in everybody], dtype=np.int64)
    days = live(Stream(council.seed, "responses"), council.behaviour, effect=effect, household=household)
    found = [
        _Case(
            tenancy=one,
            day0=day0[one.reference],
            contact=int(days.contact[number]),
            payment=int(days.payment[number]),
            vacated=int(days.vacated[number]),
            deceased=int(days.deceased[number]),
            breathing_space=int(days.breathing_space[number]),
        )
        for number, one in enumerate(everybody)
        if one.reference in arms and one.reference in day0
    ]
    return sorted(found, key=lambda case: (case.day0, case.tenancy.reference))


_CONTACTS: Final = (
    *("Date Time", "Direction", "Channel", "Tenancy Ref", "Phone", "Name"),
    *("Reason Code", "Quoted Ref", "Officer", "Logged On"),
)


def _contacts(
    seed: int,
    start: date,
    cases: Sequence[_Case],
    others: Sequence[SimulatedTenancy],
    letters: Mapping[str, str],
) -> Iterator[Line]:
    for case in cases:
        one, stream = case.tenancy, Stream(seed, "contacts", case.tenancy.reference)
        quoted = letters.get(one.reference, "")
        again = case.contact + stream.between(3, 20) if stream.chance(0.3) and case.contact < NEVER else NEVER
        for day in (case.contact, again):
            if day < NEVER:
                yield _contact(stream, one, case.on(day), blank=stream.chance(0.25), quoted=quoted)
        if stream.chance(0.06):
            yield _contact(stream, one, case.on(stream.between(-10, 40)), reason="repairs")
        if stream.chance(0.25):
            yield _contact(stream, one, case.on(stream.between(15, 50)), way="Out", reason="arrears")
        if stream.chance(0.03):  # before the letter, so no response to it
            yield _contact(stream, one, case.on(-stream.between(1, 9)), reason="rent")
    for one in others:
        stream = Stream(seed, "contacts elsewhere", one.reference)
        if stream.chance(0.12):
            yield _contact(stream, one, start + timedelta(days=stream.below(120)), blank=stream.chance(0.3))
    callers = [case for case in cases[:20] if case.tenancy.mobile or case.tenancy.telephone][:4]
    for case, caller in zip(callers[::2], callers[1::2], strict=False):  # a reference of one, a telephone of another
        stream = Stream(seed, "conflicts", case.tenancy.reference)
        when, row = _contact(stream, caller.tenancy, case.on(5))
        yield when, (*row[:3], case.tenancy.reference, *row[4:])


def _contact(
    stream: Stream,
    one: SimulatedTenancy,
    day: date,
    *,
    way: str = "in",
    reason: str = "",
    blank: bool = False,
    quoted: str = "",
) -> Line:
    """One line of the contact log. `blank`: no reference, where a telephone or a letter tells who it was."""
    caller = stream.pick(one.people)
    number = one.mobile or one.telephone
    quoted = quoted if stream.chance(0.2) else ""
    logged = day + timedelta(days=stream.weighted(((0, 90.0), (1, 8.0), (4, 2.0))))
    return (
        day,
        (
            f"{uk(day)} {stream.between(8, 17):02d}:{stream.below(60):02d}",
            stream.pick(("In", "in", "Inbound")) if way == "in" else way,
            stream.weighted(CHANNELS),
            "" if blank and (number or quoted) else one.reference,
            _dialled(stream, number),
            f"{caller.title} {caller.forename[0]} {caller.surname}".strip(),
            reason or stream.weighted(REASONS),
            quoted,
            stream.pick(("KB", "TM", "SA", "JP")),
            uk(logged),
        ),
    )


def _dialled(stream: Stream, number: str) -> str:
    """A number as a telephone system logs it."""
    abroad = f"+44{number[1:]}" if number else ""
    return stream.weighted(((number, 70.0), (number.replace(" ", ""), 25.0), (abroad, 5.0)))


_PAYMENTS: Final = ("Pay Ref", "Post Date", "Type Code", "Amount")


def _payments(seed: int, start: date, cases: Sequence[_Case], others: Sequence[SimulatedTenancy]) -> Iterator[Line]:
    for case in cases:
        one, stream = case.tenancy, Stream(seed, "payments", case.tenancy.reference)
        amount = 100 * stream.between(10, 120)
        if case.payment < NEVER:
            code = stream.weighted(CODES)
            for week in range(stream.between(1, 6)):
                yield _payment(stream, one, case.on(case.payment + 7 * week), code, amount)
            if stream.chance(0.01):  # a card payment that failed
                yield _payment(stream, one, case.on(case.payment + 3), code, -amount)
        if stream.chance(0.15):  # nothing that the tenant decided on
            code = stream.pick(("housing benefit", "direct debit"))
            yield _payment(stream, one, case.on(stream.between(1, 50)), code, amount)
    for one in others:
        stream = Stream(seed, "payments elsewhere", one.reference)
        if stream.chance(0.2):
            day = start + timedelta(days=stream.below(120))
            yield _payment(stream, one, day, stream.weighted(CODES), 100 * stream.between(10, 90))


def _payment(stream: Stream, one: SimulatedTenancy, day: date, code: str, amount: int) -> Line:
    written = f"£{amount / 100:,.2f}" if amount > 0 and stream.chance(0.2) else plain_pounds(amount)
    return day, (one.payment_reference, uk(day), code, written)


_RETURNED: Final = ("Letter Ref", "Returned On", "Return Reason")


def _returned(seed: int, cases: Sequence[_Case], letters: Mapping[str, str]) -> Iterator[Line]:
    for case in cases:
        stream = Stream(seed, "returned", case.tenancy.reference)
        day = case.on(stream.between(5, 25))
        if stream.chance(RETURNED) and case.tenancy.reference in letters:
            reason = stream.pick(("gone away", "addressee unknown", "address incomplete"))
            yield day, (letters[case.tenancy.reference], uk(day), reason)


_COMPLAINTS: Final = ("Tenancy Ref", "Complaint Date", "Complaint Type")


def _complaints(seed: int, cases: Sequence[_Case]) -> Iterator[Line]:
    for case in cases:
        stream = Stream(seed, "complaints", case.tenancy.reference)
        day = case.on(stream.between(2, 30))
        if stream.chance(COMPLAINED):
            yield day, (case.tenancy.reference, uk(day), stream.pick(("letter", "staff", "charges")))


_MOVED: Final = ("Tenancy Ref", "Tenancy End Date", "End Reason")


def _moved(cases: Sequence[_Case]) -> list[Line]:
    return [
        (case.on(day), (case.tenancy.reference, uk(case.on(day)), what))
        for case in cases
        for day, what in ((case.vacated, "vacated"), (case.deceased, "deceased"))
        if day < NEVER and day <= min(case.vacated, case.deceased)
    ]


_BREATHING: Final = ("Tenancy Ref", "Moratorium Start", "Moratorium End")


def _breathing(cases: Sequence[_Case]) -> list[Line]:
    return [
        (day, (case.tenancy.reference, uk(day), uk(day + timedelta(days=59))))
        for case in cases
        if case.breathing_space < min(case.vacated, case.deceased)
        for day in [case.on(case.breathing_space)]
    ]


def _accounts(cases: Sequence[_Case], start: date, first: date, until: date) -> tuple[Sheet, ...]:
    """Every rent account of the trial on each day of an extract and weekly after it, credits marked CR."""
    sheets = []
    day = start
    while day <= until:
        if day >= first:
            rows = []
            for case in cases:
                owed = _owed(case, start, day)
                balance = plain_pounds(owed) if owed >= 0 else f"{plain_pounds(-owed)} CR"
                rows.append((case.tenancy.reference, uk(day), balance))
            headings = ("Tenancy Ref", "Balance Date", "Current Bal")
            sheets.append(Sheet(name=f"rent-accounts-{day.isoformat()}.csv", headings=headings, rows=tuple(rows)))
        day += timedelta(days=7)
    return tuple(sheets)


def _owed(case: _Case, start: date, day: date) -> int:
    """Pence owed on a day: it grows by a fifth of the rent a week until a response, then falls by a tenth a week."""
    weeks = (day - start).days // 7
    since = (day - case.on(case.response)).days // 7 if case.response < NEVER else -1
    if since < 0:
        return case.tenancy.arrears(weeks)
    owed = case.tenancy.arrears(weeks - since)
    return round(owed * 0.9**since) - 1_500 * since
