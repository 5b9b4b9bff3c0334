"""The sites of a trial of signs: where each stands, who agreed to a sign there, and what it is watched for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Final

from nudge.base.columns import Kind, Value
from nudge.base.errors import Place, Problem, Refused
from nudge.intake.cells import Cells, reference_key
from nudge.intake.codes import FileCode
from nudge.intake.headings import declared, words_of
from nudge.intake.mapping import ColumnMapping, Wanted, suggest
from nudge.intake.reader import Table, open_table
from nudge.intake.rejects import problems
from nudge.intake.site_codes import SiteCode

FILE_KIND: Final = "sites"
SIZES: Final = ("A4", "A3", "A2", "A1", "600x450", "900x600")
ORIENTATIONS: Final = ("portrait", "landscape")
COLUMNS: Final[tuple[Wanted, ...]] = (
    Wanted("site", words=("Site ID", "Site Ref", "Site Reference", "Site No", "Location ID"), compulsory=True),
    Wanted("name", words=("Site Name", "Location", "Place", "Where", "Description")),
    Wanted("street", words=("Street", "Street Name", "Road", "Road Name")),
    Wanted("latitude", Kind.NUMBER, ("Lat",)),
    Wanted("longitude", Kind.NUMBER, ("Lon", "Long", "Lng")),
    Wanted("owner", words=("Owner Name", "Landowner", "Owned By")),
    Wanted("owner_consent", Kind.FLAG, ("Consent", "Owner Agrees", "Consent Given"), compulsory=True),
    Wanted("consent_on", Kind.DATE, ("Consent Date", "Date Of Consent", "Consented On")),
    Wanted("consent_by", words=("Consent From", "Consented By", "Agreed By")),
    Wanted("highway", Kind.FLAG, ("On Highway", "Highway Land", "Highways"), compulsory=True),
    Wanted(
        "authorisation",
        words=("Authorisation Ref", "Authorisation Reference", "Approval", "Approval Ref", "Licence", "Licence Ref"),
    ),
    Wanted("size", words=("Sign Size",)),
    Wanted("orientation", words=("Sign Orientation",)),
    Wanted("displacement_of", words=("Displacement Site Of", "Watched For", "Nearby To")),
    Wanted("installer", words=("Put Up By", "Crew", "Team")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One row: a place where a sign may go up, or, with `displacement_of`, a place only watched. Blank text is "".

    `size` and `orientation` are blank where those of the experiment serve. `values` has the declared columns.
    """

    row: int
    site: str
    name: str
    street: str
    latitude: float | None
    longitude: float | None
    owner: str
    consent_on: date | None
    highway: bool | None
    authorisation: str
    size: str
    orientation: str
    displacement_of: str
    installer: str
    values: Mapping[str, Value]

    @property
    def key(self) -> str:
        """The id as two files are compared by it."""
        return reference_key(self.site)


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteList:
    """A sites file: the rows that can be drawn or watched, and every fault of the others, each at its row."""

    name: str
    sha256: str
    encoding: str
    rows: int
    sites: tuple[Site, ...]
    faults: tuple[Problem, ...]
    mapping: ColumnMapping
    notes: tuple[str, ...] = ()

    @property
    def faulty(self) -> int:
        """How many rows have a fault."""
        return len({problem.place.row for problem in self.faults})


def read_sites(
    path: Path,
    kinds: Mapping[str, Kind],
    *,
    today: date,
    needed: Iterable[str] = (),
    mapping: ColumnMapping | None = None,
    encoding: str | None = None,
) -> SiteList:
    """Read a sites file with the columns that an experiment declares (`kinds`), those `needed` not blank.

    Raises Refused where headings are missing, dates are month first or there is no row; faults of single rows are
    listed, and their rows are not among the sites.
    """
    wanted = (*(one for one in COLUMNS if one.name not in kinds), *declared(kinds))
    said = tuple(filter(None, mapping.columns.values())) if mapping else ()
    table = open_table(path, encoding=encoding, words=(*said, *words_of(wanted)))
    found = suggest(table.headings, wanted, file_kind=FILE_KIND, learnt=mapping, source=table.name)
    reader = _Reader(table.name, Cells(table, found), kinds, today, tuple(needed))
    rows = list(reader.rows(table))
    Refused.when(reader.cells.order.problems(table.name))
    if not rows and not reader.faults:
        raise Refused(FileCode.NO_ROWS.at(Place(table.name)))
    reader.twice(rows)
    reader.watched(rows)
    faulty = {problem.place.row for problem in reader.faults}
    return SiteList(
        name=table.name,
        sha256=table.sha256,
        encoding=table.encoding,
        rows=reader.seen,
        sites=tuple(site for site in rows if site.row not in faulty),
        faults=tuple(sorted(reader.faults, key=lambda problem: problem.place.row or 0)),
        mapping=found,
        notes=table.notes,
    )


@dataclass(slots=True)
class _Reader:
    """Reads one file, gathering faults."""

    name: str
    cells: Cells
    kinds: Mapping[str, Kind]
    today: date
    needed: tuple[str, ...]
    seen: int = 0
    faults: list[Problem] = field(default_factory=list)

    def fault(self, code: SiteCode, row: int, column: str, **facts: object) -> None:
        heading = self.cells.headings.get(column, column.replace("_", " "))
        self.faults.append(code.at(Place(self.name, row=row, heading=heading), **facts))

    def rows(self, table: Table) -> Iterator[Site]:
        for number, line in table.rows():
            self.seen += 1
            site = self._site(number) if self.cells.take(number, line) else None
            self.faults += problems(self.name, self.cells.faults)
            if site is not None:
                yield site

    def _site(self, row: int) -> Site | None:
        cells = self.cells
        text = {
            name: cells.text(name) for name in ("name", "street", "owner", "consent_by", "authorisation", "installer")
        }
        latitude, longitude = (_number(cells.value(name, Kind.NUMBER)) for name in ("latitude", "longitude"))
        consent, highway = cells.value("owner_consent", Kind.FLAG), cells.value("highway", Kind.FLAG)
        consent_on = cells.value("consent_on", Kind.DATE)
        site = Site(
            row=row,
            site=cells.reference("site", compulsory=True),
            name=text["name"],
            street=text["street"],
            latitude=latitude,
            longitude=longitude,
            owner=text["owner"],
            consent_on=consent_on if isinstance(consent_on, date) else None,
            highway=highway if isinstance(highway, bool) else None,
            authorisation=text["authorisation"],
            size=cells.text("size").upper().replace("X", "x"),
            orientation=cells.text("orientation").casefold(),
            displacement_of=cells.reference("displacement_of", compulsory=False),
            installer=text["installer"],
            values=MappingProxyType({name: cells.value(name, kind) for name, kind in self.kinds.items()}),
        )
        self._placed(site)
        if not site.displacement_of:
            self._allowed(site, consent=consent is True, by=text["consent_by"])
            for name in self.needed:
                if site.values.get(name) is None and not cells.faults:
                    self.fault(SiteCode.NOT_MEASURED, row, name)
        return None if cells.faults else site

    def _placed(self, site: Site) -> None:
        position = (site.latitude, site.longitude)
        if (site.latitude is None) != (site.longitude is None):
            self.fault(SiteCode.POSITION_HALF, site.row, "latitude" if site.latitude is None else "longitude")
        elif position != (None, None) and not (49 <= (site.latitude or 0) <= 61 and -9 <= (site.longitude or 0) <= 3):
            self.fault(SiteCode.POSITION_OUTSIDE, site.row, "latitude")
        if site.size and site.size not in SIZES:
            self.fault(SiteCode.SIZE_UNKNOWN, site.row, "size")
        if site.orientation and site.orientation not in ORIENTATIONS:
            self.fault(SiteCode.ORIENTATION_UNKNOWN, site.row, "orientation")

    def _allowed(self, site: Site, *, consent: bool, by: str) -> None:
        """What must be settled before a sign may go up here."""
        if not consent:
            self.fault(SiteCode.CONSENT_MISSING, site.row, "owner_consent")
        elif site.consent_on is None or not by:
            self.fault(SiteCode.CONSENT_UNDATED, site.row, "consent_on" if site.consent_on is None else "consent_by")
        elif site.consent_on > self.today:
            self.fault(SiteCode.CONSENT_FUTURE, site.row, "consent_on")
        if site.highway is None:
            self.fault(SiteCode.HIGHWAY_UNKNOWN, site.row, "highway")
        elif site.highway and not site.authorisation:
            self.fault(SiteCode.AUTHORISATION_MISSING, site.row, "authorisation")

    def twice(self, sites: Iterable[Site]) -> None:
        """No id twice, and no two signs at one place."""
        ids: dict[str, int] = {}
        places: dict[tuple[float, float], int] = {}
        for site in sites:
            if site.key in ids:
                self.fault(SiteCode.SITE_TWICE, site.row, "site", first=ids[site.key])
                continue
            ids[site.key] = site.row
            if site.latitude is None or site.longitude is None or site.displacement_of:
                continue
            place = (round(site.latitude, 5), round(site.longitude, 5))  # a metre or so
            if place in places:
                self.fault(SiteCode.POSITION_TWICE, site.row, "latitude", first=places[place])
            places.setdefault(place, site.row)

    def watched(self, sites: Iterable[Site]) -> None:
        """A displacement site is watched for a site that may get a sign and has no fault of its own."""
        faulty = {problem.place.row for problem in self.faults}
        rows = list(sites)
        drawn = {site.key for site in rows if not site.displacement_of and site.row not in faulty}
        for site in rows:
            if site.displacement_of and reference_key(site.displacement_of) not in drawn:
                self.fault(SiteCode.WATCHES_NOBODY, site.row, "displacement_of")


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
