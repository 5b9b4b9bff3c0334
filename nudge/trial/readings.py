"""Files of incidents, surveys and speeds become measurements of sites, by site and day. Arms play no part here."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Final

from nudge.base.errors import Place, Problem, Refused
from nudge.experiment.sites import SiteExperiment
from nudge.intake.cells import reference_key
from nudge.intake.mapping import ColumnMapping, load_mappings, save_mappings
from nudge.intake.readings import KINDS, Readings, SiteReading, read_readings
from nudge.records.codes import ResponseCode
from nudge.records.store import rows_of
from nudge.records.tables import ImportRow, MeasurementRow, UnitRow
from nudge.trial.handle import Trial
from nudge.trial.imports import Imported, added_before, check_open, cover_problems, keep_import
from nudge.trial.signs import standing_batch
from nudge.trial.site_codes import SignTrialCode
from nudge.trial.site_counts import counted, is_since, names_of, plain
from nudge.trial.site_speeds import SPEEDS, Speeds, name_of
from nudge.trial.sites import SiteFacts, signs_of

_EARTH: Final = 6_371_000.0  # metres


@dataclass(frozen=True, slots=True)
class _Index:
    """The sites of a trial, drawn and watched, by each way in which a file may name them."""

    by_id: dict[str, str]
    by_street: dict[str, list[str]]
    places: tuple[tuple[str, float, float], ...]
    radius: float | None
    sites: Mapping[str, str]

    @classmethod
    def of(cls, units: Iterable[UnitRow], radius: int | None) -> _Index:
        facts = [(unit.unit, SiteFacts.read(unit)) for unit in units]
        streets: dict[str, list[str]] = defaultdict(list)
        for unit, one in facts:
            if one.street:
                streets[plain(one.street)].append(unit)
        return cls(
            by_id={reference_key(one.site): unit for unit, one in facts},
            by_street=streets,
            places=tuple(
                (unit, one.latitude, one.longitude)
                for unit, one in facts
                if one.latitude is not None and one.longitude is not None
            ),
            radius=None if radius is None else float(radius),
            sites={unit: one.site for unit, one in facts},
        )

    def match(self, reading: SiteReading) -> tuple[str | None, str]:
        """The site of a row, and by what: its id, else a street with one site, else the nearest within the radius."""
        if reading.site:
            return self.by_id.get(reference_key(reading.site)), "site"
        streets = self.by_street.get(plain(reading.street), []) if reading.street else []
        if len(streets) == 1:
            return streets[0], "street"
        if reading.latitude is not None and reading.longitude is not None and self.radius is not None:
            here = (reading.latitude, reading.longitude)
            near = sorted((_metres(here, (lat, lon)), unit) for unit, lat, lon in self.places)
            if near and near[0][0] <= self.radius:
                return near[0][1], "position"
        return None, "several" if len(streets) > 1 else "none"


def _metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The distance of two places in metres; flat enough within a council."""
    north = math.radians(other[0] - one[0])
    east = math.radians(other[1] - one[1]) * math.cos(math.radians((one[0] + other[0]) / 2))
    return _EARTH * math.hypot(north, east)


def add_readings(
    trial: Trial,
    files: Sequence[Path],
    *,
    kind: str | None,
    covers: tuple[date, date] | None,
    today: date,
    now: datetime,
    mapping: ColumnMapping | None = None,
    encoding: str | None = None,
    accept_good_rows: bool = False,
    as_well: bool = False,
    dry_run: bool = False,
) -> tuple[Imported, ...]:
    """Record files of one kind, all covering the same days; each whole or not at all, and once.

    Every file is read and checked before any is kept. Rows of places that are no sites of the trial are counted. The
    same file again, with other days covered, corrects those days. An incident that stands in several files under its
    id counts once. Whatever else is of a site and day that another file counted is refused, unless it is to be counted
    `as_well`. Raises Refused with every problem of every file.
    """
    experiment = signs_of(trial)
    check_open(trial)
    standing_batch(trial)  # a reading of a site that is not drawn yet would be lost, and its day counted as nought
    if kind is None or kind not in KINDS:
        raise Refused(SignTrialCode.KIND_OF_SIGNS.at(Place(files[0].name), valid=", ".join(KINDS)))
    learnt = load_mappings(trial.workspace.mappings)
    if mapping is not None:
        learnt = learnt | {mapping.file_kind: mapping}
    readings = [read_readings(path, kind, mapping=learnt.get(kind), encoding=encoding) for path in files]
    with trial.store.snapshot() as connection:
        before = {row.sha256: row for row in rows_of(connection, ImportRow, trial=trial.id)}
        index = _Index.of(rows_of(connection, UnitRow, trial=trial.id), experiment.sites.radius)
    Refused.when(
        problem
        for reading in readings
        for problem in _problems(reading, before.get(reading.sha256), covers, today, accept_good_rows=accept_good_rows)
    )
    added = [_Sums.of(index, reading) for reading in readings if reading.sha256 not in before]
    sums = {one.sha256: one for one in added}  # the same file named twice is one
    with trial.store.snapshot() as connection:
        held = rows_of(connection, MeasurementRow, trial=trial.id)
    names = {row.sha256: row.name for row in before.values()} | {one.sha256: one.name for one in readings}
    Refused.when(_hidden(experiment, sums.values(), names, index))
    if not as_well:
        Refused.when(_counted_twice(sums.values(), held, names, index))
    told = _incidents_told(sums.values(), held)
    imported = [
        _keep(trial, reading, sums.get(reading.sha256), covers, now, told=told.get(reading.sha256, 0), dry_run=dry_run)
        for reading in readings
    ]
    if any(one.made for one in imported):
        save_mappings(trial.workspace.mappings, learnt | {kind: readings[-1].mapping})
    return tuple(imported)


def _problems(
    reading: Readings,
    known: ImportRow | None,
    covers: tuple[date, date] | None,
    today: date,
    *,
    accept_good_rows: bool,
) -> Iterator[Problem]:
    place = Place(reading.name)
    yield from cover_problems(reading.name, reading.kind, reading.proposed_covers, known, covers, today)
    if covers is not None and covers[0] > covers[1]:
        yield SignTrialCode.COVERS_TURNED.at(place)
    if known is not None:
        return
    late = _dated(reading, date.min, today)
    if late:
        yield ResponseCode.ROWS_FUTURE.at(place, today=today.isoformat(), count=len(late), row=late[0])
    outside = _dated(reading, *covers) if covers and not late else []
    if outside:
        yield SignTrialCode.COVERS_OTHER_DAYS.at(place, count=len(outside), row=outside[0])
    if reading.faults and not accept_good_rows:
        yield ResponseCode.ROWS_UNREADABLE.at(place, count=reading.faulty, rows=reading.rows)
        yield from reading.faults


def _dated(reading: Readings, first: date, last: date) -> list[int]:
    """The rows dated outside these days; the file is gone through only where there are any."""
    found = reading.proposed_covers
    if found is None or (first <= found[0] and found[1] <= last):
        return []
    return list(dict.fromkeys(one.row for one in reading.records() if not first <= one.on <= last))


def _hidden(
    experiment: SiteExperiment, added: Iterable[_Sums], names: Mapping[str, str], index: _Index
) -> Iterator[Problem]:
    """Sites where the band without an upper edge may hide what an outcome asks for."""
    asked = [outcome for outcome in experiment.outcomes if outcome.source == SPEEDS]
    for one in added if asked else ():
        for unit, speeds in one.speeds().items():
            place = Place(names[one.sha256], heading=f"site {index.sites[unit]}")
            yield from filter(None, (speeds.fault(outcome, place) for outcome in asked))


def _counted_twice(
    added: Iterable[_Sums], held: Iterable[MeasurementRow], names: Mapping[str, str], index: _Index
) -> Iterator[Problem]:
    """Sites and days that two files count: but for incidents under an id, nobody can tell whether they count the same.

    One problem for each file, with how many there are and the first.
    """
    held_by = {_Sums.place_of(row): row.import_sha256 for row in held if row.incident is None}
    for one in added:
        again = sorted(place for place in one.places() if place in held_by)
        if again:
            _, unit, day = again[0]
            yield SignTrialCode.COUNTED_TWICE.at(
                Place(names[one.sha256]), count=len(again), other=names[held_by[again[0]]],
                site=index.sites[unit], day=date.fromordinal(day).isoformat(),
            )  # fmt: skip
        held_by |= dict.fromkeys(one.places(), one.sha256)


def _incidents_told(added: Iterable[_Sums], held: Iterable[MeasurementRow]) -> dict[str, int]:
    """How many incidents of each file are known, under their ids, from one before it."""
    known = {row.incident for row in held if row.incident}
    found = {}
    for one in added:
        found[one.sha256] = len(one.incidents & known)
        known |= one.incidents
    return found


def _keep(
    trial: Trial,
    reading: Readings,
    sums: _Sums | None,
    covers: tuple[date, date] | None,
    now: datetime,
    *,
    told: int,
    dry_run: bool,
) -> Imported:
    with trial.store.snapshot() if dry_run else trial.store.transaction() as connection:
        known = rows_of(connection, ImportRow, trial=trial.id, sha256=reading.sha256)
        if known or sums is None:
            return added_before(connection, trial, known[0], covers, now, dry_run=dry_run)
        span = covers or reading.proposed_covers
        if span is None:
            raise Refused(ResponseCode.COVERS_UNKNOWN.at(Place(reading.name)))
        imported = Imported(
            name=reading.name,
            sha256=reading.sha256,
            kind=reading.kind,
            covers=span,
            made=not dry_run,
            rows=reading.rows,
            matched=sum(sums.ways.values()),
            not_in_trial=sums.unmatched.total(),
            rejected=reading.faulty,
            not_counted=reading.blank + reading.repeated + reading.not_cleared,
            notes=(*reading.notes, *_told(reading, sums.ways, sums.unmatched["several"], told)),
        )
        if not dry_run:
            keep_import(connection, trial, imported, sums.rows(trial.id), now)
    return imported


def _told(reading: Readings, ways: Counter[str], unclear: int, before: int) -> Iterator[str]:
    if set(ways) - {"site"}:
        yield "matched by " + ", by ".join(f"{how}: {count:,}" for how, count in sorted(ways.items()))
    if unclear:
        yield f"{unclear:,} rows name a street with several sites, and no position: counted for none of them"
    if reading.repeated:
        yield f"{reading.repeated:,} rows repeat an incident under its id: each incident counts once"
    if before:
        yield f"{before:,} incidents are known from another file under their ids: each counts once"
    if reading.not_cleared:
        yield f"{reading.not_cleared:,} surveys start a site's days, or left what the next one counts: not added up"
    if reading.blank:
        yield f"{reading.blank:,} rows without a figure: nothing was read there, which is no nought"


class _Sums:
    """One number for each site, day and thing read: counts and exposures of several rows of a file add up.

    An incident with an id stays a number of its own, so that it can be known again in another file.
    """

    def __init__(self, index: _Index, sha256: str) -> None:
        self.index, self.sha256 = index, sha256
        self.ways, self.unmatched = Counter[str](), Counter[str]()
        self.incidents: set[str] = set()
        self._total: dict[tuple[str, str, int, str | None], int] = {}
        self._first: dict[tuple[str, str, int, str | None], int] = {}
        self._row = 0

    @classmethod
    def of(cls, index: _Index, reading: Readings) -> _Sums:
        """The sums of a file."""
        sums = cls(index, reading.sha256)
        for one in reading.records():
            sums.add(one)
        return sums

    def add(self, one: SiteReading) -> None:
        """Add a reading to its site; a row with a column for each band is one row, of several readings."""
        unit, how = self.index.match(one)
        if one.row != self._row:
            self._row = one.row
            (self.unmatched if unit is None else self.ways)[how] += 1
        if unit is None:
            return
        incident = _digest(one.incident) if one.incident else None
        if incident is not None:
            self.incidents.add(incident)
        for name, figure in [(name_of(one), one.number)] if one.kind == SPEEDS else names_of(one):
            key = (unit, name, one.on.toordinal(), incident)
            if key in self._total:
                figure = min(figure, self._total[key]) if is_since(name) else figure + self._total[key]
            self._total[key] = figure
            self._first.setdefault(key, one.row)

    def rows(self, trial: str) -> list[MeasurementRow]:
        """The sums as measurements, each with the first row that went into it."""
        return [
            MeasurementRow(
                trial=trial, unit=unit, name=name, on_day=day, number=number, import_sha256=self.sha256,
                row=self._first[unit, name, day, incident], incident=incident,
            )
            for (unit, name, day, incident), number in self._total.items()
        ]  # fmt: skip

    def speeds(self) -> dict[str, Speeds]:
        """The vehicles of each site, whatever the day."""
        found: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for (unit, name, *_), number in self._total.items():
            found[unit].append((name, number))
        return {unit: Speeds.of(named) for unit, named in found.items()}

    def places(self) -> set[tuple[str, str, int]]:
        """What was counted without an id, at which site, on which day."""
        return {_counted(name, unit, day) for unit, name, day, incident in self._total if incident is None}

    @staticmethod
    def place_of(row: MeasurementRow) -> tuple[str, str, int]:
        """The same of a measurement on record."""
        return _counted(row.name, row.unit, row.on_day)


def _counted(name: str, unit: str, day: int) -> tuple[str, str, int]:
    """Vehicles of one site and day are one count, whatever their bands."""
    return (SPEEDS if name.startswith(f"{SPEEDS}/") else counted(name), unit, day)


def _digest(incident: str) -> str:
    """What is kept of an incident's id: enough to know it again, in 128 bits."""
    return blake2b(incident.encode(), digest_size=16).hexdigest()
