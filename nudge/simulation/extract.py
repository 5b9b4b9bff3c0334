"""A weekly extract of an invented council, with the faults of real ones put into known places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from nudge.base.values import pounds
from nudge.simulation.names import COUNCIL
from nudge.simulation.sheet import SETS_ASIDE, Fault, PlantedFault, Sheet, plain_pounds, serial, uk, uk_short
from nudge.simulation.stream import Stream
from nudge.simulation.tenancies import SimulatedTenancy, Tenant

HEADINGS: Final = (
    *("Tenancy Ref", "Pay Ref", "UPRN", "Title", "Forename", "Surname"),
    *("Addr1", "Addr2", "Addr3", "Addr4", "Postcode", "C/O"),
    *("Corr Addr1", "Corr Addr2", "Corr Addr3", "Corr Postcode", "Telephone", "Mobile"),
    *("Current Bal", "Weekly Rent", "Wks In Arrs", "Stage", "Patch"),
    *("Agreement", "NOSP Served", "Court Date", "Vacated", "Preferred Lang", "Pref Format"),
)
PAGE: Final = 60
"""Rows to a page; each new page repeats the headings."""
NO_DATE: Final = "31/12/1899"
ENCODINGS: Final = ("cp1252", "cp1252", "utf-8-sig", "cp1252", "utf-16")


@dataclass(slots=True)
class _Line:
    """One row to be: its cells by heading, and what is odd about it, each with the heading concerned."""

    reference: str
    cells: dict[str, str]
    faults: list[tuple[Fault, str]] = field(default_factory=list)

    def set(self, heading: str, cell: str, fault: Fault) -> None:
        self.cells[heading] = cell
        if heading in {"Current Bal", "Court Date"}:  # an amount or a date is written in one way only
            self.faults = [one for one in self.faults if one[1] != heading]
        self.faults.append((fault, heading))

    def copy(self) -> _Line:
        return _Line(self.reference, dict(self.cells), list(self.faults))


def weekly_extract(
    tenancies: Sequence[SimulatedTenancy], *, seed: int, week: int, day: date, shared: frozenset[int]
) -> tuple[Sheet, tuple[PlantedFault, ...]]:
    """The extract of one week, patch by patch, and every fault in it. `shared`: households of several tenancies."""
    stream = Stream(seed, "extract", week)
    name = f"arrears-{day.isoformat()}.csv"
    preamble = ((f"{COUNCIL} – Housing Management",), (f"Rent arrears extract – run date {uk(day)} 06:15",), ())
    listed = sorted((one for one in tenancies if one.listed(week)), key=lambda one: (one.patch, one.reference))
    chosen = _chosen(stream, listed, week)
    lines = [line for one in listed for line in _lines_of(stream, one, week, chosen.get(one.reference), shared)]
    rows: list[tuple[str, ...]] = []
    planted = [PlantedFault(kind=Fault.TITLE_LINES, sheet=name, line=1)]
    first = len(preamble) + 2  # the line below the headings

    def plant(kind: Fault, heading: str | None = None, reference: str | None = None) -> None:
        planted.append(
            PlantedFault(kind=kind, sheet=name, line=first + len(rows), heading=heading, reference=reference)
        )

    for line in lines:
        if len(rows) % PAGE == PAGE - 1:
            plant(Fault.HEADINGS_REPEATED)
            rows.append(HEADINGS)
        for kind, heading in line.faults:
            plant(kind, heading, line.reference)
        rows.append(tuple(line.cells[heading] for heading in HEADINGS))
    plant(Fault.BLANK_ROW)
    rows.append(("",) * len(HEADINGS))
    plant(Fault.TOTALS_ROW)
    owed = pounds(sum(one.arrears(week) for one in listed))
    rows.append(tuple({"Tenancy Ref": "Total", "Current Bal": owed}.get(heading, "") for heading in HEADINGS))
    encoding = ENCODINGS[week % len(ENCODINGS)]
    sheet = Sheet(name=name, preamble=preamble, headings=HEADINGS, rows=tuple(rows), encoding=encoding)
    return sheet, tuple(planted)


# The faults that every extract is given once, on tenancies of one tenant: two credits, and all that set a row aside or
# leave it to an officer.
_GIVEN: Final = (
    Fault.MONEY_MARKED_CREDIT,
    Fault.MONEY_IN_BRACKETS,
    Fault.DATE_OF_FOUR_DIGIT_YEAR,
    Fault.DATE_OF_TWO_DIGIT_YEAR,
    Fault.DATE_AS_SERIAL,
    Fault.CARE_OF,
    Fault.POST_ELSEWHERE,
    Fault.DUPLICATE_ROW,
    *(kind for kind in Fault if kind in SETS_ASIDE | {Fault.EXECUTORS}),  # read, and left to an officer
)


def _chosen(stream: Stream, listed: Sequence[SimulatedTenancy], week: int) -> Mapping[str, Fault]:
    """Which tenancies bear the faults that every extract is given. Later stages first, so that few letters are lost."""
    able = [one for one in stream.shuffled(listed) if len(one.people) == 1 and not one.care_of and not one.post_to]
    able.sort(key=lambda one: one.stage(week) == "first letter")
    dated = [one for one in able if one.court_date]
    chosen: dict[str, Fault] = {}
    for kind in _GIVEN:
        pool = dated if kind.name.startswith("DATE") else able
        free = next((one for one in pool if one.reference not in chosen), None)
        if free is not None:
            chosen[free.reference] = kind
    return chosen


def _lines_of(
    stream: Stream, tenancy: SimulatedTenancy, week: int, kind: Fault | None, shared: frozenset[int]
) -> list[_Line]:
    line = _plain(stream, tenancy, week)
    if tenancy.household in shared:
        line.faults.append((Fault.SHARED_HOME, "UPRN"))
    if kind is not None:
        return _given(line, kind, tenancy)
    if len(tenancy.people) == 1:
        _name(line, tenancy.people[0])
        _small_things(stream, line, tenancy)
        return [line]
    style = tenancy.habit % 4
    if style < 2 or not all(one.title for one in tenancy.people):
        other = line.copy()
        _name(line, tenancy.people[0])
        _name(other, tenancy.people[1])
        for one in (line, other):
            one.faults.append((Fault.JOINT_IN_TWO_ROWS, "Surname"))
        other.cells["Telephone"] = other.cells["Mobile"] = ""
        return [line, other]
    first, second = tenancy.people
    if style == 2 or " " in first.surname + second.surname:
        line.cells["Title"] = f"{first.title} & {second.title}"
        line.cells["Forename"] = f"{first.forename} & {second.forename}"
        same = first.surname == second.surname
        line.set("Surname", first.surname if same else f"{first.surname} & {second.surname}", Fault.JOINT_IN_ONE_ROW)
    else:
        whole = " & ".join(f"{one.title} {one.forename[0]} {one.surname}" for one in tenancy.people)
        line.set("Surname", whole, Fault.JOINT_IN_ONE_ROW)
    return [line]


def _plain(stream: Stream, tenancy: SimulatedTenancy, week: int) -> _Line:
    """A row without a name; amounts above £1,000 and one in ten others bear a pound sign."""
    post_to = tenancy.post_to or ("", "", "", "")
    owed = tenancy.arrears(week)
    flags = {"Agreement": tenancy.agreement, "NOSP Served": tenancy.notice(week), "Vacated": tenancy.vacated}
    cells = {
        "Tenancy Ref": tenancy.reference,
        "Pay Ref": tenancy.payment_reference,
        "UPRN": tenancy.uprn,
        "Title": "",
        "Forename": "",
        "Surname": "",
        **dict(zip(("Addr1", "Addr2", "Addr3", "Addr4"), tenancy.address, strict=True)),
        "Postcode": tenancy.postcode,
        "C/O": tenancy.care_of,
        **dict(zip(("Corr Addr1", "Corr Addr2", "Corr Addr3", "Corr Postcode"), post_to, strict=True)),
        "Telephone": tenancy.telephone,
        "Mobile": tenancy.mobile,
        "Current Bal": plain_pounds(owed),
        "Weekly Rent": plain_pounds(tenancy.weekly_rent),
        "Wks In Arrs": str(tenancy.weeks(week)),
        "Stage": tenancy.stage(week),
        "Patch": tenancy.patch,
        **{heading: "Y" if holds else "N" for heading, holds in flags.items()},
        "Court Date": uk(tenancy.court_date) if tenancy.court_date else "",
        "Preferred Lang": tenancy.language,
        "Pref Format": tenancy.format,
    }
    line = _Line(tenancy.reference, cells)
    if owed >= 100_000 or (owed > 0 and stream.chance(0.1)):
        line.set("Current Bal", pounds(owed), Fault.MONEY_WITH_POUND_SIGN)
    elif owed < 0:
        line.set("Current Bal", f"{pounds(-owed)} CR", Fault.MONEY_MARKED_CREDIT)
    if tenancy.court_date:
        line.faults.append((Fault.DATE_OF_FOUR_DIGIT_YEAR, "Court Date"))
    elif stream.chance(0.2):
        line.set("Court Date", NO_DATE, Fault.DATE_FOR_NONE)
    if tenancy.care_of:
        line.faults.append((Fault.CARE_OF, "C/O"))
    if tenancy.post_to:
        line.faults.append((Fault.POST_ELSEWHERE, "Corr Addr1"))
    return line


def _name(line: _Line, person: Tenant) -> None:
    line.cells |= {"Title": person.title, "Forename": person.forename, "Surname": person.surname}
    if not person.title:
        line.faults.append((Fault.TITLE_BLANK, "Title"))
    if not person.name.isascii():
        line.faults.append((Fault.BEYOND_ASCII, "Surname"))


def _small_things(stream: Stream, line: _Line, tenancy: SimulatedTenancy) -> None:
    """What some rows have and every reader must bear. Capitals stay with the tenancy."""
    if tenancy.habit >= 88:
        line.set("Surname", line.cells["Surname"].upper(), Fault.SURNAME_IN_CAPITALS)
    if stream.chance(0.05):
        line.set("Addr1", line.cells["Addr1"] + "   ", Fault.TRAILING_SPACES)


def _given(line: _Line, kind: Fault, tenancy: SimulatedTenancy) -> list[_Line]:
    """The row or rows of a tenancy that bears a given fault."""
    if kind is not Fault.OCCUPIER:
        _name(line, tenancy.people[0])
    cells = line.cells
    day = tenancy.court_date
    match kind:
        case Fault.MONEY_MARKED_CREDIT:
            line.set("Current Bal", "£1,234.50 CR", kind)
        case Fault.MONEY_IN_BRACKETS:
            line.set("Current Bal", "(12.00)", kind)
        case Fault.DATE_OF_TWO_DIGIT_YEAR if day:
            line.set("Court Date", uk_short(day), kind)
        case Fault.DATE_AS_SERIAL if day:
            line.set("Court Date", serial(day), kind)
        case Fault.CARE_OF:
            line.set("C/O", "Mrs P Whitlock", kind)
        case Fault.POST_ELSEWHERE:
            cells |= {"Corr Addr2": "Aldermere", "Corr Postcode": "ZZ19 4AB"}
            line.set("Corr Addr1", "7 Priory Field", kind)
        case Fault.DUPLICATE_ROW:
            line.faults.append((kind, "Tenancy Ref"))
            return [line, line.copy()]
        case Fault.ROWS_DISAGREE:
            other = line.copy()
            line.faults.append((kind, "Current Bal"))
            other.set("Current Bal", plain_pounds(tenancy.arrears_on_entry + 12_345), kind)
            return [line, other]
        case Fault.ZEROS_LOST:
            line.set("Tenancy Ref", cells["Tenancy Ref"].lstrip("0"), kind)
        case Fault.PAYMENT_REFERENCE_SCIENTIFIC:
            line.set("Pay Ref", f"{int(cells['Pay Ref']):.5E}", kind)
        case Fault.UPRN_SCIENTIFIC:
            line.set("UPRN", f"{int(cells['UPRN']):.2E}", kind)
        case Fault.EXECUTORS:
            cells |= {"Title": "", "Forename": "Exors of"}
            line.set("Surname", f"{tenancy.people[0].forename[0]} {tenancy.people[0].surname}", kind)
        case Fault.NO_FIXED_ABODE:
            cells |= {"Addr2": "", "Addr3": "", "Addr4": "", "Postcode": ""}
            line.set("Addr1", "NFA", kind)
        case Fault.OCCUPIER:
            line.set("Surname", "The Occupier", kind)
        case Fault.POSTCODE_MISSING:
            line.set("Postcode", "", kind)
        case _:  # a date of four digits needs nothing done to it
            pass
    return [line]
