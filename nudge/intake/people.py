"""Who a letter is to: names as written, two people out of one cell only where that is certain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from nudge.intake.codes import RowCode

TITLES: Final = frozenset(
    "mr mrs miss ms mx dr doctor rev revd reverend canon fr father sister sr br brother pastor imam rabbi rabbanit "
    "prof professor sir dame lord lady baron baroness viscount viscountess earl countess hon rthon cllr councillor "
    "capt captain maj major col colonel ltcol lt lieutenant sgt sergeant cpl corporal pte private wo cdr commander "
    "flt fltlt sqnldr wgcdr grpcapt gen general brig brigadier master mstr ind mme mlle m messrs mre pc ps insp "
    "judge justice mdm madam madame sheikh hajji haji".split()
)
_TWO: Final = re.compile(r"\s*(?:&|\+|\band\b)\s*", re.IGNORECASE)
_UNCLEAR: Final = re.compile(r"[\d()\[\]/\\;:?*#@=_\"]|,|\S \bor\b \S", re.IGNORECASE)
_TEMPLATE: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<[^<>]*>|\$\{.*?\}")
_DECEASED: Final = re.compile(
    r"\b(?:exors?|exrs?|executors?|executrix|executrices|the estate|estate of|est of|the late|deceased|dec'?d|"
    r"pers(?:onal)?\.? rep(?:resentative)?s?|administrators? of)\b",
    re.IGNORECASE,
)
_NOBODY: Final = re.compile(
    r"(?:the |all )?(?:occupiers?|occupants?|residents?|tenants?|house ?holders?|owners?|leaseholders?)"
    r"|void|vacant|not known|unnamed|n/?a|n/?k|tbc|tba|nil|none|null|test(?: tenant)?|xx+|[-.?]+",
    re.IGNORECASE,
)
_NOBODY_AT_ALL: Final = re.compile(r"unknown|not known|unnamed|(?:the )?occupiers?|tbc|n/a|[-.?]+", re.IGNORECASE)
_ORGANISATION: Final = re.compile(
    r"\b(?:ltd|limited|plc|llp|cic|cio|inc|council|housing association|society|partnership|charity|trustees)\b\.?",
    re.IGNORECASE,
)
_INITIALS: Final = re.compile(r"(?:[^\W\d_]\.? ?){1,3}")
_PARTICLES: Final = frozenset(
    "van von der den de du da do dos das di del della la le les el al bin ibn bint ben ap ab st ter ten o".split()
)


# Any of the above; nearly every name has none, and one search instead of four shows it.
_SUSPECT: Final = re.compile(
    "|".join(
        (
            _UNCLEAR.pattern,
            _DECEASED.pattern,
            _ORGANISATION.pattern,
            rf"^(?:{_NOBODY.pattern})$",
            _NOBODY_AT_ALL.pattern,
        )
    ),
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Person:
    """A tenant, as the file writes them: trimmed, capitals left as they are."""

    title: str
    forename: str
    surname: str

    @property
    def name(self) -> str:
        """`Mrs A Jones`: the line above the address."""
        return " ".join(part for part in (self.title, self.forename, self.surname) if part)

    @property
    def salutation(self) -> str:
        """What follows `Dear`: title and surname, or the full name where the title is blank."""
        return f"{self.title} {self.surname}" if self.title else self.name


class NameUnread(ValueError):
    """A name that is set aside: carries why, never the name (I12)."""

    def __init__(self, code: RowCode, part: str = "surname") -> None:
        super().__init__(code.reason)
        self.code = code
        self.part = part


def tidy(cell: str) -> str:
    """The cell without spaces at its ends and with single ones inside."""
    return " ".join(cell.split())


def people_of(title: str, forename: str, surname: str) -> tuple[Person, ...]:
    """One person, or two, from cells for title, forename and surname. Raises NameUnread."""
    title, forename, surname = tidy(title), tidy(forename), tidy(surname)
    if not (forename or surname):
        raise NameUnread(RowCode.NAME_BLANK)
    _refuse(surname, forename, title=title)
    titles, forenames, surnames = _TWO.split(title), _TWO.split(forename), _TWO.split(surname)
    if max(len(titles), len(forenames), len(surnames)) == 1:
        return (_checked(Person(title, forename, surname)),)
    if not title and not forename:
        return named_in_full(surname)
    if {len(titles), len(forenames), len(surnames)} <= {1, 2}:
        # Two of one sort need two, or none, of the others; only the surname may be shared.
        if (len(titles) == 1 and title) or (len(forenames) == 1 and forename):
            raise NameUnread(RowCode.NAME_UNCLEAR, "forename")
        pairs = [(parts * 2)[:2] for parts in (titles, forenames, surnames)]
        return tuple(_checked(Person(*parts)) for parts in zip(*pairs, strict=True))
    raise NameUnread(RowCode.NAME_UNCLEAR)


@lru_cache(maxsize=4096)
def _known_title(title: str) -> bool:
    plain = title.casefold().replace(".", "").replace("'", "")
    return plain in TITLES or plain.replace(" ", "") in TITLES or all(part in TITLES for part in plain.split())


def _checked(person: Person) -> Person:
    if person.title and not _known_title(person.title):
        raise NameUnread(RowCode.TITLE_UNKNOWN, "title")
    if not person.surname or not (person.title or person.forename):
        raise NameUnread(RowCode.NAME_INCOMPLETE)
    return person


def named_in_full(cell: str) -> tuple[Person, ...]:
    """One person, or two, from a cell such as `Mrs A Jones` or `Mr A & Mrs B Jones`. Raises NameUnread.

    Who bears which name must be certain. After a title, forename and surname are told apart only where there is
    one of each, or initials, or a particle such as `van` begins the surname.
    """
    cell = tidy(cell)
    if not cell:
        raise NameUnread(RowCode.NAME_BLANK)
    _refuse(cell)
    parts = _TWO.split(cell)
    if len(parts) == 1:
        return (_one(cell),)
    if len(parts) != 2:
        raise NameUnread(RowCode.NAME_UNCLEAR)
    return _two(*parts)


def _two(first: str, second: str) -> tuple[Person, ...]:
    title, rest = _titled(first)
    other, others = _titled(second)
    if title and not rest:  # Mr & Mrs Jones
        if not other or len(others) != 1:
            raise NameUnread(RowCode.NAME_UNCLEAR)  # in Mr & Mrs A Jones, nobody can say whose the A is
        return Person(title, "", others[0]), _checked(Person(other, "", others[0]))
    if title and len(rest) == 1 and other and len(others) == 1 and not _initials(rest[0]):  # Mr Smith & Ms Jones
        if _initials(others[0]):
            raise NameUnread(RowCode.NAME_INCOMPLETE)
        return Person(title, "", rest[0]), Person(other, "", others[0])
    if bool(title) != bool(other):
        raise NameUnread(RowCode.NAME_UNCLEAR)
    last = _one(second)
    if all(map(_initials, rest)):  # Mr A & Mrs B Jones: initials alone share the surname that follows
        if not last.forename:
            raise NameUnread(RowCode.NAME_UNCLEAR)
        return Person(title, " ".join(rest), last.surname), last
    if len(rest) == 1:  # Mr Alan & Mrs Beth Jones: Alan may be either name
        raise NameUnread(RowCode.NAME_UNCLEAR)
    return _one(first), last


def _one(cell: str) -> Person:
    title, rest = _titled(cell)
    if not rest or (len(rest) == 1 and (not title or _initials(rest[0]))):
        raise NameUnread(RowCode.NAME_INCOMPLETE)
    at = len(rest) - 1 if len(rest) <= 2 else _surname_at(rest)
    if at is None and title:
        raise NameUnread(RowCode.NAME_UNCLEAR)
    if at is None:  # without a title the full name is printed, wherever the surname begins
        at = len(rest) - 1
    return Person(title, " ".join(rest[:at]), " ".join(rest[at:]))


def _surname_at(words: list[str]) -> int | None:
    """Where the surname begins among three words or more, if that is certain."""
    for index, word in enumerate(words[:-1]):
        if index and word.casefold() in _PARTICLES:
            return index
    leading = next((index for index, word in enumerate(words) if not _initials(word)), len(words))
    return leading if leading == len(words) - 1 else None


def _titled(cell: str) -> tuple[str, list[str]]:
    words = cell.split()
    count = 0
    while (
        count < len(words) and words[count].casefold().rstrip(".") in TITLES and not (count and _initials(words[count]))
    ):
        count += 1
    if count == 1 and _initials(words[0]) and words[0].casefold() == "m":  # M Jones: an initial, not Monsieur
        count = 0
    return " ".join(words[:count]), words[count:]


def _initials(word: str) -> bool:
    return bool(_INITIALS.fullmatch(word)) and (len(word.replace(".", "")) == 1 or "." in word)


def _refuse(*cells: str, title: str = "") -> None:
    """Set aside what is no single living person's name, and what no rule reads with certainty.

    `cells` are a whole name, or surname and forename.
    """
    together = " ".join(filter(None, (title, *reversed(cells))))
    if not _SUSPECT.search(together):
        return
    if _DECEASED.search(together):
        raise NameUnread(RowCode.NAME_DECEASED)
    if _NOBODY.fullmatch(together):
        raise NameUnread(RowCode.NAME_NOBODY)
    if _ORGANISATION.search(together):
        raise NameUnread(RowCode.NAME_ORGANISATION)
    for part, cell in zip(("surname", "forename"), cells, strict=False):
        if _NOBODY_AT_ALL.fullmatch(cell):
            raise NameUnread(RowCode.NAME_NOBODY, part)
        if _UNCLEAR.search(_TEMPLATE.sub("", cell)):
            raise NameUnread(RowCode.NAME_UNCLEAR, part)
