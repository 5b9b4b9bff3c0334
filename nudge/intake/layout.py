"""How a file of readings is laid out: which shape its kind has, in which units, of which site."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from nudge.base.errors import Place, Problem, Refused
from nudge.intake.codes import FileCode
from nudge.intake.mapping import ColumnMapping
from nudge.intake.reader import Table
from nudge.intake.speeds import Band, Bands, band_of, like_a_band, summaries, unit_in

SPEEDS: Final = ("speed", "lower", "upper")
_SITE_LINE: Final = re.compile(r"site(?:\s*(?:id|ref|reference|no|number|code))?\s*[:=]?\s*(.*)", re.IGNORECASE)
_METRES: Final = re.compile(r"\(m\)|\bm$|\bmet(?:re|er)s?\b", re.IGNORECASE)
_KILOMETRES: Final = re.compile(r"\bkms?\b|\bkilomet(?:re|er)s?\b", re.IGNORECASE)


@dataclass(slots=True)
class Layout:
    """How the file of one kind is laid out, and what the first pass found that the second needs."""

    kind: str
    site: str
    unit: str = ""
    columns: tuple[tuple[int, Band], ...] = ()  # of a table with a column for each band
    length: float | None = None  # kilometres in one unit of route length
    exposure: str = ""
    bands: dict[str, Bands] = field(default_factory=dict)  # by site; by "" where columns are bands
    repeated: frozenset[int] = frozenset()  # digests of incidents that are in the file more than once


def layout_of(table: Table, mapping: ColumnMapping, kind: str, site: str, unit: str) -> Layout:
    """How this file is laid out; Refused where what its kind needs is not there, or unclear."""
    have = {name for name, heading in mapping.columns.items() if heading}
    place = Place(table.name)
    shape = Layout(kind=kind, site=site or ("" if "site" in have else _site_above(table)), unit=unit)
    if kind == "incidents":
        if not {"site", "street", "latitude"} & have:
            raise Refused(FileCode.HEADING_ABSENT.at(place, wanted="site", nearest=""))
        return shape
    if "site" not in have and not shape.site:
        raise Refused(FileCode.HEADING_ABSENT.at(place, wanted="site", nearest=""))
    if kind == "surveys":
        shape.length = _kilometres(mapping.columns.get("route_length", ""), place)
        days = "days since the site was cleared" if {"exposure", "cleared"} & have else ""
        shape.exposure = " times ".join(filter(None, (days, "kilometres of route" if shape.length else "")))
        return shape
    taken = {heading for heading in mapping.columns.values() if heading}
    free = [(at, heading) for at, heading in enumerate(table.headings) if heading not in taken]
    bands = [(at, band) for at, heading in free if (band := band_of(heading)) is not None]
    if "speed" not in have and not {"lower", "upper", "number"} <= have:
        if len(bands) < 2:
            raise Refused(_no_speeds(table, have, place))
        unread = [heading for _, heading in free if band_of(heading) is None and like_a_band(heading)]
        if unread:
            raise Refused(FileCode.BAND_UNREAD.at(place, heading=unread[0]))
        shape.columns = tuple(bands)
    elif "speed" in have and summaries((mapping.columns["speed"],)):
        raise Refused(_no_speeds(table, have, place))
    said = (*(table.headings[at] for at, _ in bands), *(mapping.columns.get(name, "") for name in SPEEDS))
    above = (cell for line in table.preamble for cell in line)
    if unit and unit_in(said) not in {"", unit}:
        raise Refused(FileCode.SPEED_UNIT_UNSTATED.at(place))
    shape.unit = unit or unit_in(said) or ("" if "unit" in have else unit_in(above))
    if not shape.unit and "unit" not in have:
        raise Refused(FileCode.SPEED_UNIT_UNSTATED.at(place))
    return shape


def _no_speeds(table: Table, have: set[str], place: Place) -> Problem:
    if means := summaries(table.headings):
        return FileCode.SPEEDS_SUMMARISED.at(place, found=", ".join(means))
    absent = next((name for name in ("lower", "upper", "number") if name not in have and have & set(SPEEDS)), "speed")
    return FileCode.HEADING_ABSENT.at(place, wanted=absent, nearest="")


def _site_above(table: Table) -> str:
    """The site that a title line names: `Site: CH01`, in one cell or in two."""
    for line in table.preamble:
        said = [cell.strip() for cell in line if cell.strip()]
        if said and (match := _SITE_LINE.fullmatch(said[0])):
            return match[1].strip() or (said[1] if len(said) > 1 else "")
    return ""


def _kilometres(heading: str, place: Place) -> float | None:
    if not heading:
        return None
    text = heading.replace("_", " ")
    if _KILOMETRES.search(text):
        return 1.0
    if _METRES.search(text):
        return 0.001
    raise Refused(FileCode.ROUTE_UNIT_UNSTATED.at(Place(place.source, heading=heading)))
