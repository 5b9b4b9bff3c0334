"""One tenancy out of one row or several: read row by row, merged only where the rows agree."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeAlias

from nudge.base.columns import Kind, Value
from nudge.intake.address import Address, AddressUnread, address_of, one_cell
from nudge.intake.cells import Cells
from nudge.intake.codes import RowCode
from nudge.intake.headings import LINES, PEOPLE
from nudge.intake.people import NameUnread, Person, named_in_full, people_of

Wish: TypeAlias = tuple[str | None, str | None]
"""The language and the format that one person asks for, as the file writes them."""
_UPRN: Final = re.compile(r"\d{1,12}")
# As a line of an address: of executors. `The Late Mill` and `The Estate Office` are houses.
_EXECUTORS: Final = re.compile(
    r"(?:c/o |care of |℅ )?(?:the )?(?:exors?|exrs?|executors?|executrix|personal representatives?|pers\.? reps?|"
    r"administrators? of the estate|estate of)\b(?: of\b)?",
    re.IGNORECASE,
)
_PHONES: Final = ("telephone", "mobile", "telephone_2", "mobile_2")
_YES: Final = frozenset({"y", "yes", "true", "t", "1", "joint"})
_NO: Final = frozenset({"n", "no", "false", "f", "0", "sole", "single", "none", "n/a", "-"})
_AGREED: Final = ("address", "post_to", "uprn", "payment_reference")
_LINES: Final = tuple(f"address_{number}" for number in range(1, LINES + 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenancy:
    """A tenancy and its tenants. Money in `values` is pence; blank cells are None (I9).

    `address` is the home and `post_to` where letters go; both end in the postcode. `rows` are the rows it came from.
    `deceased`: a tenant has died and the row names executors or the like. Whoever else is on the tenancy, a letter of
    a trial is not what to send: an officer writes. `wishes` are the language and format that each person asks for, in
    the order of `people`; `language` and `format` are the first of them that are filled.
    """

    reference: str
    rows: tuple[int, ...]
    people: tuple[Person, ...]
    address: tuple[str, ...]
    post_to: tuple[str, ...]
    uprn: str | None
    payment_reference: str | None
    telephones: tuple[str, ...]
    language: str | None
    format: str | None
    values: Mapping[str, Value]
    deceased: bool = False
    wishes: tuple[Wish, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """Which of the columns of a tenancy a file has, worked out once for all its rows."""

    people: tuple[tuple[str, bool, bool], ...]  # ending of the names; has name parts; has a whole name
    home: tuple[str, ...]
    post: tuple[str, ...]
    phones: tuple[str, ...]

    @classmethod
    def of(cls, cells: Cells) -> Layout:
        """The layout of the table in hand."""
        people = []
        for number in range(1, PEOPLE + 1):
            end = "" if number == 1 else f"_{number}"
            parts = f"forename{end}" in cells.at or f"surname{end}" in cells.at
            if number == 1 or parts or f"name{end}" in cells.at:
                people.append((end, parts, f"name{end}" in cells.at))
        return cls(
            tuple(people),
            tuple(line for line in _LINES if line in cells.at),
            tuple(f"post_{line}" for line in _LINES if f"post_{line}" in cells.at),
            tuple(name for name in _PHONES if name in cells.at),
        )


def tenancy_row(cells: Cells, kinds: Mapping[str, Kind], layout: Layout) -> tuple[str, dict[str, Any]]:
    """The reference of the row in hand and what else it says, as JSON keeps it. Faults are noted in `cells`."""
    reference = cells.reference("reference", compulsory=True)
    people, joint, deceased = _people(cells, layout)
    home, post_to = _addresses(cells, layout)
    deceased = deceased or any(_EXECUTORS.match(line) for line in post_to or ())
    return reference, {
        "people": [(one.title, one.forename, one.surname) for one in people],
        "joint": joint and not deceased,
        "deceased": deceased,
        "address": home.lines if home else None,
        "post_to": post_to,
        "uprn": _uprn(cells),
        "payment_reference": cells.reference("payment_reference", compulsory=False) or None,
        "telephones": [phone for name in layout.phones if (phone := cells.text(name))],
        "language": cells.text("language") or None,
        "format": cells.text("format") or None,
        "values": [_kept(cells.value(name, kind)) for name, kind in kinds.items()],
    }


def _kept(value: Value) -> Value:
    return value.isoformat() if isinstance(value, date) else value


def _people(cells: Cells, layout: Layout) -> tuple[list[Person], bool, bool]:
    """The people named in the row, whether it only says that there is a joint tenant, and whether one has died."""
    people: list[Person] = []
    joint = deceased = False
    for end, parts, whole in layout.people:
        before = len(cells.faults)
        title, name = cells.text(f"title{end}"), cells.text(f"name{end}") if whole else ""
        forename, surname = (cells.text(f"forename{end}"), cells.text(f"surname{end}")) if parts else ("", "")
        if end and name.casefold() in _YES | _NO:
            joint, name = joint or name.casefold() in _YES, ""
        blamed = f"surname{end}" if f"surname{end}" in cells.at else f"name{end}"
        if len(cells.faults) > before:
            continue
        try:
            if forename or surname:
                people += people_of(title, forename, surname)
            elif name:
                blamed = f"name{end}"
                people += _titled(title, name)
            elif not end:
                raise NameUnread(RowCode.NAME_BLANK)
        except NameUnread as unread:
            if unread.code is RowCode.NAME_DECEASED:  # the row can be read: it is for an officer, not a mistake
                deceased = True
                continue
            part = f"{unread.part}{end}"
            written = " ".join(filter(None, (title, forename, surname, name)))
            cells.fault(unread.code, part if part in cells.at and not name else blamed, cell=written)
    return people, joint, deceased


def _titled(title: str, name: str) -> tuple[Person, ...]:
    """A whole name in one cell, whose title may stand in its own."""
    return named_in_full(f"{title} {name}" if title and not name.startswith(title) else name)


def _addresses(cells: Cells, layout: Layout) -> tuple[Address | None, tuple[str, ...] | None]:
    """The home, and the lines that letters go to: the correspondence address where any cell of it is filled."""
    home = _address(cells, layout.home, "", cells.text("care_of"))
    post = [*layout.post, "post_address", "post_postcode"]
    if not any(name in cells.at and cells.text(name) for name in post):
        return home, home.for_post if home else None
    other = _address(cells, layout.post, "post_", "")
    return home, other.for_post if other else None


def _address(cells: Cells, columns: tuple[str, ...], prefix: str, care_of: str) -> Address | None:
    before = len(cells.faults)
    lines, code = [cells.text(name) for name in columns], cells.text(f"{prefix}postcode")
    whole = cells.text(f"{prefix}address")
    if len(cells.faults) > before:
        return None
    try:
        return address_of(lines if any(lines) else one_cell(whole), code, care_of)
    except AddressUnread as unread:
        blamed = next((name for name in (*columns, f"{prefix}address") if name in cells.at), f"{prefix}postcode")
        if "POSTCODE" in unread.code.name and f"{prefix}postcode" in cells.at:
            blamed = f"{prefix}postcode"
        elif unread.at is not None and any(lines):
            blamed = columns[unread.at]
        written = ", ".join(filter(None, (care_of, *lines, whole, code)))
        cells.fault(unread.code, blamed, cell=written, found=unread.found)
    return None


def _uprn(cells: Cells) -> str | None:
    uprn = cells.text("uprn")
    if uprn and not _UPRN.fullmatch(uprn):
        cells.fault(RowCode.UPRN_DAMAGED, "uprn")
        return None
    return uprn or None


Found = Tenancy | tuple[RowCode, str]


def merged(reference: str, rows: Sequence[tuple[int, Mapping[str, Any]]], kinds: Mapping[str, Kind]) -> Found:
    """The tenancy that these rows agree on, or why they do not, with the wanted name it turns on.

    A blank cell contradicts nothing; two that are filled must be the same. People and telephones add up; the language
    and format of a row are those of the people it names.
    """
    agreed, filled = dict(rows[0][1]), list(rows[0][1]["values"])
    for _, body in rows[1:]:
        for name in _AGREED:
            if agreed[name] is None:
                agreed[name] = body[name]
            elif body[name] is not None and body[name] != agreed[name]:
                return RowCode.TENANCY_CONFLICT, "address_1" if name == "address" else name
        for index, (name, value) in enumerate(zip(kinds, body["values"], strict=True)):
            if filled[index] is None:
                filled[index] = value
            elif value is not None and value != filled[index]:
                return RowCode.TENANCY_CONFLICT, name
    values: dict[str, Value] = {
        name: date.fromisoformat(value) if kind is Kind.DATE and value is not None else value
        for (name, kind), value in zip(kinds.items(), filled, strict=True)
    }
    deceased = any(body["deceased"] for _, body in rows)
    wishes: dict[Person, Wish] = {}
    for _, body in rows:
        own = body["language"], body["format"]
        for person in (Person(*one) for one in body["people"]):
            before = wishes.setdefault(person, own)
            if any(new is not None and old not in {None, new} for old, new in zip(before, own, strict=True)):
                return RowCode.TENANCY_CONFLICT, "format" if before[0] in {None, own[0]} else "language"
            wishes[person] = (before[0] or own[0], before[1] or own[1])
    people = tuple(wishes)
    if len(people) > 1 and _alike(people):
        return RowCode.JOINT_NAMES_ALIKE, "surname"
    if not deceased and len(people) == 1 and any(body["joint"] for _, body in rows):
        return RowCode.JOINT_NAME_MISSING, "name_2"
    return Tenancy(
        reference=reference,
        rows=tuple(row for row, _ in rows),
        people=people,
        address=tuple(agreed["address"]),
        post_to=tuple(agreed["post_to"]),
        uprn=agreed["uprn"],
        payment_reference=agreed["payment_reference"],
        telephones=tuple(dict.fromkeys(phone for _, body in rows for phone in body["telephones"])),
        language=next((language for language, _ in wishes.values() if language), None),
        format=next((form for _, form in wishes.values() if form), None),
        values=values,
        deceased=deceased,
        wishes=tuple(wishes.values()),
    )


def _alike(people: Sequence[Person]) -> bool:
    """Whether two of the people may be one, written in two ways: Mrs B Jones and Mrs Beth Jones."""
    for index, one in enumerate(people):
        for other in people[index + 1 :]:
            if one.surname.casefold() != other.surname.casefold():
                continue
            if one.title and other.title and one.title.casefold().rstrip(".") != other.title.casefold().rstrip("."):
                continue
            first, second = one.forename.casefold().rstrip("."), other.forename.casefold().rstrip(".")
            if first.startswith(second) or second.startswith(first):
                return True
    return False
