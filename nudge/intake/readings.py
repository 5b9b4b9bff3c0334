"""What was read at sites: logs of incidents, counts of surveys, speeds vehicle by vehicle or in bands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from nudge.base.columns import Kind, Value
from nudge.base.errors import Place, Problem, Refused
from nudge.intake.cells import Cells
from nudge.intake.codes import FileCode, RowCode
from nudge.intake.headings import words_of
from nudge.intake.mapping import ColumnMapping, Wanted, suggest
from nudge.intake.reader import Table, open_table
from nudge.intake.rejects import problems
from nudge.intake.site_codes import SiteCode

_SITE: Final = ("Site ID", "Site Ref", "Site Reference", "Site No", "Location ID")
_STREET: Final = ("Street", "Street Name", "Road", "Road Name", "Location")
_WHAT: Final = ("What", "Type", "Waste Type", "Category", "Survey")


def _dated(*words: str) -> Wanted:
    return Wanted("on", Kind.DATE, words, compulsory=True, weaker=("Date", "Date Time", "Day", "When"))


KINDS: Final[Mapping[str, tuple[Wanted, ...]]] = {
    "incidents": (
        _dated("Reported On", "Date Reported", "Reported", "Report Date", "Incident Date"),
        Wanted("incident", words=("Incident ID", "Incident Ref", "Incident No", "Case ID", "Report ID")),
        Wanted("site", words=_SITE),
        Wanted("street", words=_STREET),
        Wanted("latitude", Kind.NUMBER, ("Lat",)),
        Wanted("longitude", Kind.NUMBER, ("Lon", "Long", "Lng")),
        Wanted("what", words=_WHAT),
    ),
    "surveys": (
        _dated("Surveyed On", "Survey Date", "Date Surveyed", "Counted On"),
        Wanted("site", words=_SITE, compulsory=True),
        Wanted("what", words=_WHAT),
        Wanted("number", Kind.NUMBER, ("Count", "Counted", "Deposits", "Items", "Total"), compulsory=True),
        Wanted("exposure", Kind.NUMBER, ("Exposure Days", "Days", "Days Since Cleared", "Days Counted")),
    ),
    "speeds": (
        _dated("Measured On", "Reading Date"),
        Wanted("site", words=_SITE, compulsory=True),
        Wanted("speed", Kind.NUMBER, ("Speed MPH", "MPH")),
        Wanted("lower", Kind.NUMBER, ("From", "Speed From", "Band From", "Lower Edge")),
        Wanted("upper", Kind.NUMBER, ("To", "Speed To", "Band To", "Upper Edge")),
        Wanted("number", Kind.NUMBER, ("Vehicles", "Count", "Volume")),
    ),
}
"""The kinds of file, as `source:` names them, with what each may hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteReading:
    """One row. Text that the file lacks is "". `number` counts incidents, items or vehicles.

    `exposure` is what a survey's count is over, in days or another size, 1 where the file has none. Speeds have
    `lower` and `upper`: the band [lower, upper), or twice the speed of vehicles measured one by one.
    """

    row: int
    on: date
    site: str
    street: str = ""
    latitude: float | None = None
    longitude: float | None = None
    what: str = ""
    number: int = 1
    exposure: float = 1.0
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """A file of readings. rows = readings + those with a fault + `blank` (not counted there) + `repeated`."""

    name: str
    sha256: str
    kind: str
    rows: int
    readings: tuple[SiteReading, ...]
    faults: tuple[Problem, ...]
    blank: int
    repeated: int
    mapping: ColumnMapping
    notes: tuple[str, ...] = ()

    @property
    def faulty(self) -> int:
        """How many rows have a fault."""
        return len({problem.place.row for problem in self.faults})

    @property
    def proposed_covers(self) -> tuple[date, date] | None:
        """The first and the last day in the rows; None without rows."""
        days = [reading.on for reading in self.readings]
        return (min(days), max(days)) if days else None


def read_readings(
    path: Path, kind: str, *, mapping: ColumnMapping | None = None, encoding: str | None = None
) -> Readings:
    """Read a file of one of KINDS. Raises Refused where headings are missing or dates are month first.

    A survey without a count was not made: it is counted as blank, and is no nought. An incident reported under one id
    again is the same incident.
    """
    wanted = KINDS[kind]
    said = tuple(filter(None, mapping.columns.values())) if mapping else ()
    table = open_table(path, encoding=encoding, words=(*said, *words_of(wanted)))
    found = suggest(table.headings, wanted, file_kind=kind, learnt=mapping, source=table.name)
    reader = _Reader(table, Cells(table, found), kind)
    Refused.when(reader.headings_missing())
    readings = tuple(reader.rows())
    Refused.when(reader.cells.order.problems(table.name))
    return Readings(
        name=table.name,
        sha256=table.sha256,
        kind=kind,
        rows=reader.counts["rows"],
        readings=readings,
        faults=tuple(reader.faults),
        blank=reader.counts["blank"],
        repeated=reader.counts["repeated"],
        mapping=found,
        notes=table.notes,
    )


@dataclass(slots=True)
class _Reader:
    """Reads one file, gathering faults and counts."""

    table: Table
    cells: Cells
    kind: str
    faults: list[Problem] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    incidents: set[str] = field(default_factory=set)

    def headings_missing(self) -> Iterator[Problem]:
        """What a kind needs that more than one column can give."""
        have, place = self.cells.at, Place(self.table.name)
        if self.kind == "incidents" and not {"site", "street", "latitude"} & have.keys():
            yield FileCode.HEADING_ABSENT.at(place, wanted="site", nearest="")
        if self.kind == "speeds" and "speed" not in have:
            for name in ("lower", "upper", "number"):
                if name not in have:
                    yield FileCode.HEADING_ABSENT.at(place, wanted=name, nearest="")

    def rows(self) -> Iterator[SiteReading]:
        for number, line in self.table.rows():
            self.counts["rows"] += 1
            reading = self._reading(number) if self.cells.take(number, line) else None
            if self.cells.faults:
                self.faults += problems(self.table.name, self.cells.faults)
            elif reading is not None:
                yield reading

    def _reading(self, row: int) -> SiteReading | None:
        cells = self.cells
        on = cells.value("on", Kind.DATE)
        site = cells.reference("site", compulsory=self.kind != "incidents")
        if on is None and not cells.faults:
            cells.fault(RowCode.DATE_BLANK, "on")
        if cells.faults or not isinstance(on, date):
            return None
        if self.kind == "incidents":
            return self._incident(row, on, site)
        if self.kind == "surveys":
            return self._survey(row, on, site)
        return self._speed(row, on, site)

    def _incident(self, row: int, on: date, site: str) -> SiteReading | None:
        cells = self.cells
        incident = cells.text("incident")
        if incident and incident in self.incidents:
            self.counts["repeated"] += 1
            return None
        self.incidents.add(incident)
        return SiteReading(
            row=row,
            on=on,
            site=site,
            street=cells.text("street"),
            latitude=_number(cells.value("latitude", Kind.NUMBER)),
            longitude=_number(cells.value("longitude", Kind.NUMBER)),
            what=cells.text("what"),
        )

    def _survey(self, row: int, on: date, site: str) -> SiteReading | None:
        count = self._count("number", SiteCode.COUNT_NOT_WHOLE)
        exposure = _number(self.cells.value("exposure", Kind.NUMBER))
        if exposure is None and "exposure" in self.cells.at and count is not None:
            self._fault(SiteCode.EXPOSURE_MISSING, row, "exposure")
            return None
        if exposure is not None and exposure <= 0:
            self._fault(SiteCode.EXPOSURE_MISSING, row, "exposure")
            return None
        if count is None:
            return None
        what = self.cells.text("what")
        return SiteReading(
            row=row, on=on, site=site, what=what, number=count, exposure=1.0 if exposure is None else exposure
        )

    def _speed(self, row: int, on: date, site: str) -> SiteReading | None:
        if "speed" in self.cells.at:
            speed = _number(self.cells.value("speed", Kind.NUMBER))
            if speed is None:
                self.counts["blank"] += not self.cells.faults
                return None
            if speed < 0:
                self._fault(SiteCode.SPEED_NEGATIVE, row, "speed")
                return None
            return SiteReading(row=row, on=on, site=site, lower=speed, upper=speed)
        count = self._count("number", SiteCode.COUNT_NOT_WHOLE)
        lower, upper = (_number(self.cells.value(name, Kind.NUMBER)) for name in ("lower", "upper"))
        if count is None:
            return None
        if lower is None or upper is None or not 0 <= lower < upper:
            self._fault(SiteCode.BAND_OPEN, row, "lower" if lower is None else "upper")
            return None
        return SiteReading(row=row, on=on, site=site, number=count, lower=lower, upper=upper)

    def _count(self, name: str, code: SiteCode) -> int | None:
        """A whole number from 0; None, counted, where it is blank."""
        value = _number(self.cells.value(name, Kind.NUMBER))
        if value is None:
            self.counts["blank"] += not self.cells.faults
            return None
        if value < 0 or not value.is_integer():
            self._fault(code, self.cells.row, name)
            return None
        return int(value)

    def _fault(self, code: SiteCode, row: int, name: str) -> None:
        heading = self.cells.headings.get(name, name)
        self.faults.append(code.at(Place(self.table.name, row=row, heading=heading)))


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
