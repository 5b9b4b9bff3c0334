"""What was read at sites: incidents reported, deposits and litter counted, speeds vehicle by vehicle or in bands.

A file is gone through twice: once to judge it, once to hand its readings on, one in memory at a time.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from nudge.base.columns import Kind, Value
from nudge.base.errors import Place, Problem, Refused
from nudge.intake.cells import Cells, reference_key
from nudge.intake.codes import FileCode, RowCode
from nudge.intake.headings import READINGS, words_of
from nudge.intake.layout import SPEEDS, Layout, layout_of
from nudge.intake.mapping import ColumnMapping, suggest
from nudge.intake.reader import Table, open_table
from nudge.intake.rejects import Reject, RejectList, problems, reject
from nudge.intake.speeds import FASTEST, Band, in_mph, settle, unit_in

KINDS: Final = READINGS
"""The kinds of file, as `source:` names them, with what each may hold."""
_LOOKED_AT: Final = 5_000  # hours or days of sites, to see whether each has one row only
_LONE_HOURS: Final = 48
_LONE_DAYS: Final = 5
_HOUR: Final = re.compile(r"(?:.*[ T])?(\d{1,2})(?::?(\d{2}))(?::\d{2}(?:\.\d+)?)?\b.*|(\d{1,2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteReading:
    """One thing read. Text that the file lacks is "". `number` counts incidents, items or vehicles.

    `exposure` is what a survey's count is over: days since the site was cleared, kilometres of route, both
    multiplied, or 1 where the file has neither. Speeds have `lower` and `upper` in miles per hour: the band
    [lower, upper), or twice the speed of vehicles measured one by one; of an `open` band the upper edge is a guess.
    `hour` is 0 to 23 where the file says it. `since` is the day from which a survey's count runs, where that is known.
    `incident` is its id in the log, as `reference_key` writes one.
    """

    row: int
    kind: str
    on: date
    site: str
    street: str = ""
    latitude: float | None = None
    longitude: float | None = None
    what: str = ""
    incident: str = ""
    land: str = ""
    size: str = ""
    source: str = ""
    number: int = 1
    exposure: float = 1.0
    since: date | None = None
    lower: float | None = None
    upper: float | None = None
    open: bool = False
    hour: int | None = None
    direction: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """A file of readings. Its rows are `accepted`, rejected, `blank` (nothing was read: no nought), `repeated`
    (an incident again) or `not_cleared` (counted again by a later survey).

    `exposure` says in words what the counts of surveys are over, `unit` how the file's speeds are written.
    """

    name: str
    sha256: str
    encoding: str
    kind: str
    rows: int
    accepted: int
    rejects: tuple[Reject, ...]
    dropped: Mapping[str, int]
    blank: int
    repeated: int
    not_cleared: int
    proposed_covers: tuple[date, date] | None
    mapping: ColumnMapping
    unit: str = ""
    exposure: str = ""
    notes: tuple[str, ...] = ()
    scan: _Scan = field(repr=False, compare=False)

    def records(self) -> Iterator[SiteReading]:
        """Every reading in the order of the file, one in memory at a time; may be gone through again."""
        return self.scan.again().readings()

    @property
    def faulty(self) -> int:
        """How many rows have a fault."""
        return len({one.row for one in self.rejects})

    @property
    def faults(self) -> tuple[Problem, ...]:
        """The rejects as refusals, for a caller that does not go on without those rows."""
        return problems(self.name, self.rejects)


def read_readings(
    path: Path,
    kind: str,
    *,
    site: str = "",
    unit: str = "",
    mapping: ColumnMapping | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
) -> Readings:
    """Read a file of one of KINDS.

    `site` is that of a file of one counter without a column for it; `unit` (`mph` or `km/h`) that of speeds whose
    headings do not say it. Raises Refused where headings are missing or unclear, dates are month first, or speeds
    come as means or percentiles; single rows at fault are in `rejects`.
    """
    place = Place(path.name)
    if kind not in KINDS:
        raise Refused(FileCode.KIND_UNKNOWN.at(place, kind=kind, valid=", ".join(KINDS)))
    wanted = KINDS[kind]
    said = tuple(filter(None, mapping.columns.values())) if mapping else ()
    table = open_table(path, encoding=encoding, sheet=sheet, words=(*said, *words_of(wanted)))
    found = suggest(table.headings, wanted, file_kind=kind, learnt=mapping, source=table.name)
    shape = layout_of(table, found, kind, site, unit)
    scan = _Scan(table, found, shape)
    rejects = scan.judge()
    return Readings(
        name=table.name,
        sha256=table.sha256,
        encoding=table.encoding,
        kind=kind,
        rows=scan.counts["rows"],
        accepted=scan.counts["accepted"],
        rejects=rejects,
        dropped=MappingProxyType(dict(scan.dropped)),
        blank=scan.counts["blank"],
        repeated=scan.counts["repeated"],
        not_cleared=scan.counts["not_cleared"],
        proposed_covers=(scan.first, scan.last) if scan.counts["accepted"] else None,
        mapping=found,
        unit=shape.unit,
        exposure=shape.exposure,
        notes=(*table.notes, *scan.notes()),
        scan=scan,
    )


class _Scan:
    """One pass over a table, with what it counts. The second pass reads as the first one found."""

    def __init__(self, table: Table, mapping: ColumnMapping, shape: Layout) -> None:
        self.table, self.mapping, self.shape = table, mapping, shape
        self.cells = Cells(table, mapping)
        self.counts, self.dropped = Counter[str](), Counter[str]()
        self.first, self.last = date.max, date.min
        self.sources = Counter[str]()
        self.vehicles = Counter[bool]()  # in the top band without an upper edge, or not
        self.written: dict[str, set[Band]] = {}
        self.rejects = RejectList(table.name)
        self._digests = array("Q")
        self._seen: set[str] = set()
        self._cleared: dict[str, date] = {}
        self._told: dict[tuple[str, date, int | None], int] = {}
        self._judging = False
        self._read: Callable[[date, str], Iterator[SiteReading]] = {
            "incidents": self._incident,
            "surveys": self._survey,
            "speeds": self._banded if shape.columns else self._speed,
        }[shape.kind]

    def again(self) -> _Scan:
        """Another pass, with what this one found."""
        return _Scan(self.table, self.mapping, self.shape)

    def judge(self) -> tuple[Reject, ...]:
        """Go through the file once. Raises Refused where it cannot be used as a whole."""
        self._judging = True
        for reading in self.readings():
            self.first, self.last = min(self.first, reading.on), max(self.last, reading.on)
            self.sources[reading.source.casefold()] += "source" in self.cells.at
        place = Place(self.table.name)
        Refused.when(self.cells.order.problems(self.table.name))
        if not self.counts["rows"]:
            raise Refused(FileCode.NO_ROWS.at(place))
        if self.shape.kind == "incidents":
            found, times = np.unique(np.frombuffer(self._digests, dtype=np.uint64), return_counts=True)
            self.shape.repeated = frozenset(map(int, found[times > 1]))
            again = int(times.sum()) - len(found)
            self.counts["repeated"], self.counts["accepted"] = again, self.counts["accepted"] - again
        elif self.shape.kind == "speeds":
            self._refuse_means(place)
            self._settle_bands(place)
        return self.rejects.in_order()

    def readings(self) -> Iterator[SiteReading]:
        """The readings of every good row."""
        for number, line, reason in self.table.lines():
            if reason is not None:
                self.dropped[reason.value] += 1
                continue
            self.counts["rows"] += 1
            found = tuple(self._row()) if self.cells.take(number, line) else ()
            if self.cells.faults:
                self.rejects.add(self.cells.faults)
            elif found:
                self.counts["accepted"] += 1
                yield from found

    def notes(self) -> Iterator[str]:
        """What a person should be told of the file."""
        shape, counts = self.shape, self.counts
        if shape.kind == "incidents":
            yield "a report is counted on the day it was made: how many are made hangs on how easy reporting is"
            if len(+self.sources) > 1:
                yield "reported by " + ", ".join(
                    f"{name or 'not said'}: {n:,}" for name, n in self.sources.most_common()
                )
            if counts["unnumbered"]:
                yield f"{counts['unnumbered']:,} rows have no incident id, so the same one twice cannot be seen"
        if shape.kind == "surveys":
            yield f"counts are over {shape.exposure}" if shape.exposure else "every survey counts alike: no exposure"
            if counts["first"]:
                yield f"{counts['first']:,} rows are a site's first clearing: from then on its days are known"
        if shape.kind == "speeds":
            if shape.unit == "km/h":
                yield "speeds are in km/h, and read as mph"
            if any(bands.whole for bands in shape.bands.values()):
                yield "bands such as 21-25, 26-30 are of whole speeds: each runs to where the next begins"
            if self.vehicles[True]:
                share = self.vehicles[True] / self.vehicles.total()
                yield f"{self.vehicles[True]:,} vehicles ({share:.1%}) are in a band without an upper edge"

    # ---- one row ----

    def _row(self) -> Iterator[SiteReading]:
        cells, named = self.cells, "site" in self.cells.at
        on = cells.value("on", Kind.DATE)
        site = cells.reference("site", compulsory=named and self.shape.kind != "incidents") or self.shape.site
        if on is None and not cells.faults:
            cells.fault(RowCode.DATE_BLANK, "on")
        if isinstance(on, date) and not cells.faults:
            yield from self._read(on, site)

    def _incident(self, on: date, site: str) -> Iterator[SiteReading]:
        cells = self.cells
        latitude, longitude = (_number(cells.value(name, Kind.NUMBER)) for name in ("latitude", "longitude"))
        street = cells.text("street")
        if (latitude is None) != (longitude is None) or (
            latitude is not None and longitude is not None and not (49 <= latitude <= 61 and -9 <= longitude <= 3)
        ):
            cells.fault(RowCode.POSITION_WRONG, "latitude")
        elif not site and not street and latitude is None:
            cells.fault(RowCode.PLACE_BLANK, "site")
        incident = reference_key(cells.text("incident"))
        if cells.faults or self._known(incident):
            return
        yield SiteReading(
            row=cells.row,
            kind=self.shape.kind,
            on=on,
            site=site,
            street=street,
            latitude=latitude,
            longitude=longitude,
            what=cells.text("what"),
            incident=incident,
            land=cells.text("land"),
            size=cells.text("size"),
            source=cells.text("source"),
            hour=self._hour(),
        )

    def _known(self, incident: str) -> bool:
        """Whether this incident was handed on before; the first pass only gathers which ones come again."""
        if not incident:
            self.counts["unnumbered"] += 1
            return False
        digest = int.from_bytes(blake2b(incident.encode(), digest_size=8).digest())
        if self._judging:
            self._digests.append(digest)
        elif digest in self.shape.repeated:
            if incident in self._seen:
                return True
            self._seen.add(incident)
        return False

    def _survey(self, on: date, site: str) -> Iterator[SiteReading]:
        cells = self.cells
        count = self._count("number")
        length = 1.0 if self.shape.length is None else self._positive("route_length") * self.shape.length
        days = self._days(on, site)
        if count is None or days is None or cells.faults:
            return
        dated = bool({"exposure", "cleared"} & set(cells.at)) and days < on.toordinal()
        yield SiteReading(
            row=cells.row,
            kind=self.shape.kind,
            on=on,
            site=site,
            what=cells.text("what"),
            number=count,
            exposure=length * days,
            since=on - timedelta(days=round(days)) if dated else None,
        )

    def _days(self, on: date, site: str) -> float | None:
        """Days that a count is over, 1 where the file does not say.

        None, counted, where it cannot be used: at a first clearing, or where nothing was cleared.
        """
        cells, days = self.cells, 1.0
        if "exposure" in cells.at:
            days = self._positive("exposure")
        if "cleared" not in cells.at or cells.faults:
            return days
        cleared, key = cells.value("cleared", Kind.FLAG), reference_key(site) + "\n" + cells.text("what").casefold()
        if cleared is None and not cells.faults:
            cells.fault(RowCode.CLEARED_BLANK, "cleared")
        since = self._cleared.get(key)
        if since is not None and on <= since:
            cells.fault(RowCode.SURVEY_OUT_OF_ORDER, "on")
        if cells.faults:
            return None
        if cleared is False:
            self.counts["not_cleared"] += 1
            return None
        self._cleared[key] = on
        if "exposure" in cells.at:
            return days
        if since is None:
            self.counts["first"] += 1
            self.counts["not_cleared"] += 1
            return None
        return float((on - since).days)

    def _positive(self, name: str) -> float:
        value = _number(self.cells.value(name, Kind.NUMBER))
        if (value is None or value <= 0) and not self.cells.faults:
            self.cells.fault(RowCode.EXPOSURE_MISSING, name)
        return value or 1.0

    def _speed(self, on: date, site: str) -> Iterator[SiteReading]:
        cells = self.cells
        number = self._count("number") if "number" in cells.at else 1
        if number is None:
            return
        edges = [_number(cells.value(name, Kind.NUMBER)) for name in SPEEDS if name in cells.at]
        unit = self._unit()
        if cells.faults or unit is None:
            return
        if "speed" in cells.at:
            if edges[0] is None:
                self.counts["blank"] += 1
                return
            speed = in_mph(edges[0], unit)
            if not 0 <= speed <= FASTEST:
                cells.fault(RowCode.SPEED_OUTSIDE, "speed", most=int(FASTEST))
                return
            if self._judging:
                self._watch_means(on, site, edges[0], number)
            yield self._speeds(on, site, number, speed, speed)
            return
        lower, upper = edges
        if lower is None or lower < 0 or (upper is not None and upper <= lower):
            cells.fault(RowCode.BAND_TURNED, "lower")
            return
        yield from self._band(on, site, reference_key(site), (lower, upper), number, unit)

    def _banded(self, on: date, site: str) -> Iterator[SiteReading]:
        """A row of a table with a column for each band."""
        cells, unit = self.cells, self._unit()
        if unit is None:
            return
        counts: list[tuple[Band, int]] = []
        for at, band in self.shape.columns:
            cell = cells.cells[at].strip().replace(",", "")
            if cell and not cell.removesuffix(".0").isdigit():
                cells.faults.append(reject(RowCode.COUNT_NOT_WHOLE, cells.row, self.table.headings[at], cell))
            elif cell:
                counts.append((band, int(float(cell))))
        if cells.faults:
            return
        if not counts:
            self.counts["blank"] += 1
            return
        self.written.setdefault("", set()).update(band for _, band in self.shape.columns)
        for band, number in counts:
            yield from self._band(on, site, "", band, number, unit)

    def _band(self, on: date, site: str, key: str, band: Band, number: int, unit: str) -> Iterator[SiteReading]:
        if self._judging:
            self.written.setdefault(key, set()).add(band)
            self.vehicles[band[1] is None] += number
            lower, upper = band[0], band[1] if band[1] is not None else band[0]
        else:
            lower, upper = self.shape.bands[key].closed[band]
        yield self._speeds(on, site, number, in_mph(lower, unit), in_mph(upper, unit), without_top=band[1] is None)

    def _speeds(
        self, on: date, site: str, number: int, lower: float, upper: float, *, without_top: bool = False
    ) -> SiteReading:
        return SiteReading(
            row=self.cells.row,
            kind=self.shape.kind,
            on=on,
            site=site,
            number=number,
            lower=lower,
            upper=upper,
            open=without_top,
            hour=self._hour(),
            direction=self.cells.text("direction"),
        )

    def _unit(self) -> str | None:
        if "unit" not in self.cells.at:
            return self.shape.unit
        unit = unit_in((self.cells.text("unit"),)) or self.shape.unit
        if not unit:
            self.cells.fault(RowCode.SPEED_UNIT_BLANK, "unit")
            return None
        return unit

    def _hour(self) -> int | None:
        """The hour of the day where a column, or the time beside the date, says it."""
        said = self.cells.text("time") if "time" in self.cells.at else self.cells.text("on")
        if "time" in self.cells.at and re.fullmatch(r"0?\.\d+", said):  # a spreadsheet's share of a day
            return int(float(said) * 24 + 1e-6)
        match = _HOUR.fullmatch(said) if "time" in self.cells.at or ":" in said else None
        hour = int(match[1] or match[3]) if match else -1
        return hour if 0 <= hour <= 23 else None

    def _count(self, name: str) -> int | None:
        """A whole number from 0; None, counted, where it is blank."""
        value = _number(self.cells.value(name, Kind.NUMBER))
        if value is None:
            self.counts["blank"] += not self.cells.faults
            return None
        if value < 0 or not value.is_integer():
            self.cells.fault(RowCode.COUNT_NOT_WHOLE, name)
            return None
        return int(value)

    # ---- speeds, judged as a whole ----

    def _watch_means(self, on: date, site: str, speed: float, number: int) -> None:
        """One row a day or an hour with a speed and a number of vehicles is a mean, however it is headed."""
        if number > 1 and not speed.is_integer():
            self.counts["fractional"] += 1
        key = (reference_key(site), on, self._hour())
        if key in self._told or len(self._told) < _LOOKED_AT:
            self._told[key] = self._told.get(key, 0) + 1
        self.counts["several"] += number > 1

    def _refuse_means(self, place: Place) -> None:
        lone = bool(self._told) and max(self._told.values()) == 1
        if self.counts["fractional"] or (self.counts["several"] and lone):
            heading = self.cells.headings["speed"]
            raise Refused(FileCode.SPEEDS_SUMMARISED.at(place, found=f"{heading} with {self.cells.headings['number']}"))
        days = Counter((site, on) for site, on, _ in self._told)
        if lone and "number" not in self.cells.at:  # vehicles do not pass one an hour, or one a day, for so long
            timed = all(hour is not None for *_, hour in self._told)
            if (timed and len(self._told) >= _LONE_HOURS) or (max(days.values()) == 1 and len(days) >= _LONE_DAYS):
                each = "hour" if max(days.values()) > 1 else "day"
                found = f"one {self.cells.headings['speed']} for each {each}"
                raise Refused(FileCode.SPEEDS_SUMMARISED.at(place, found=found))

    def _settle_bands(self, place: Place) -> None:
        settled = settle(self.written, place, gaps="" not in self.written)
        if isinstance(settled, Problem):
            raise Refused(settled)
        self.shape.bands = settled


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
