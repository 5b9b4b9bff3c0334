"""The tenancies of an invented council that are, or come to be, in arrears."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from nudge.simulation.names import (
    CARERS,
    COUNTY,
    HOUSES,
    LETTERS,
    MEN,
    PATCHES,
    STREETS,
    SURNAMES,
    TELEPHONES,
    TOWNS,
    WOMEN,
)
from nudge.simulation.stream import Stream

JOINT: Final = 0.35
SHARED: Final = 0.02
IN_STOCK: Final = 0.35
"""The share of tenancies that are in arrears before the first extract; the rest come week by week."""
PAST_STAGES: Final = ("first letter", "first letter", "second letter", "second letter", "final letter", "final letter")
"""The stage by whole weeks since the tenancy came into arrears; NOSP from then on."""
SPEAKING: Final = (("", 94.0), ("Polish", 2.0), ("Welsh", 1.0), ("Arabic", 1.5), ("Portuguese", 1.5))
READING: Final = (("", 95.0), ("Large print", 3.0), ("Braille", 0.5), ("Easy read", 1.5))


@dataclass(frozen=True, slots=True)
class Tenant:
    """A person, as the housing system holds the name."""

    title: str
    forename: str
    surname: str

    @property
    def name(self) -> str:
        """Title, forename and surname, without those that are blank."""
        return " ".join(part for part in (self.title, self.forename, self.surname) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedTenancy:
    """One tenancy. Money in pence; `entered` and `left` are whole weeks from the first extract, `left` not included.

    `household` is a number that tenancies at one UPRN share, `habit` one from 0 to 99 that settles how the housing
    system happens to write this tenancy.
    """

    reference: str
    payment_reference: str
    uprn: str
    household: int
    people: tuple[Tenant, ...]
    address: tuple[str, str, str, str]
    postcode: str
    post_to: tuple[str, str, str, str] | None
    care_of: str
    telephone: str
    mobile: str
    language: str
    format: str
    patch: str
    weekly_rent: int
    arrears_on_entry: int
    weeks_on_entry: int
    entered: int
    left: int
    agreement: bool
    court_date: date | None
    vacated: bool
    habit: int

    def listed(self, week: int) -> bool:
        """Whether the extract of a week has it."""
        return self.entered <= week < self.left

    def stage(self, week: int) -> str:
        """The next step of the arrears procedure in a week."""
        since = week - self.entered
        return PAST_STAGES[since] if since < len(PAST_STAGES) else "NOSP"

    def notice(self, week: int) -> bool:
        """Whether notice of seeking possession had been served by a week."""
        return week - self.entered >= len(PAST_STAGES) + 2

    def arrears(self, week: int) -> int:
        """Pence owed in a week: part of each week's rent goes unpaid."""
        return self.arrears_on_entry + (week - self.entered) * self.weekly_rent // 5

    def weeks(self, week: int) -> int:
        """Whole weeks in arrears in a week."""
        return self.weeks_on_entry + week - self.entered


def tenancies_of(seed: int, *, start: date, weeks: int, count: int) -> tuple[SimulatedTenancy, ...]:
    """`count` tenancies that are on some extract of the `weeks` weeks from `start`, in order of reference."""
    stream = Stream(seed, "tenancies")
    telephones = stream.shuffled(TELEPHONES)
    found: list[SimulatedTenancy] = []
    shared: set[int] = set()
    reference = 1_000 + stream.below(500)
    for number in range(count):
        reference += 1 + stream.below(13)
        other = stream.pick(found) if found and stream.chance(SHARED) else None
        if other is not None and other.household in shared:
            other = None
        if other is not None:
            shared.add(other.household)
        found.append(
            _tenancy(
                stream,
                number=number,
                reference=f"{reference:08d}",
                telephones=(telephones[2 * number % len(telephones)], telephones[(2 * number + 1) % len(telephones)]),
                at=other,
                start=start,
                weeks=weeks,
            )
        )
    return tuple(found)


def _tenancy(
    stream: Stream,
    *,
    number: int,
    reference: str,
    telephones: tuple[str, str],
    at: SimulatedTenancy | None,
    start: date,
    weeks: int,
) -> SimulatedTenancy:
    patch = at.patch if at else stream.pick(PATCHES)
    entered = -1 - stream.below(20) if stream.chance(IN_STOCK) else stream.below(weeks)
    stock = entered < 0
    left = max(entered, 0) + 1
    while left < weeks and stream.chance(0.92):
        left += 1
    rent = 100 * stream.between(78, 142)
    vacated = stream.chance(0.02)
    arrears = round(100 * math.exp(5.5 + 0.75 * stream.normal()))
    address, postcode = (at.address, at.postcode) if at else _address(stream, patch, number)
    return SimulatedTenancy(
        reference=reference,
        payment_reference=f"63359{7_000_000 + 7 * int(reference):07d}",
        uprn=at.uprn if at else f"10099{1_000_000 + 11 * number:07d}",
        household=at.household if at else number,
        people=_people(stream),
        address=address,
        postcode=postcode,
        post_to=_elsewhere(stream) if stream.chance(0.02) else None,
        care_of=stream.pick(CARERS) if stream.chance(0.01) else "",
        telephone=telephones[0] if stream.chance(0.55) else "",
        mobile=telephones[1] if stream.chance(0.85) else "",
        language=stream.weighted(SPEAKING),
        format=stream.weighted(READING),
        patch=patch,
        weekly_rent=rent,
        arrears_on_entry=-arrears if vacated and stream.chance(0.5) else max(450, arrears),
        weeks_on_entry=max(1, min(30, round(arrears / rent * stream.between(10, 30) / 10))),
        entered=entered,
        left=left,
        agreement=stream.chance(0.25 if stock else 0.05),
        court_date=start + timedelta(days=stream.between(8, 90)) if stream.chance(0.12 if stock else 0.01) else None,
        vacated=vacated,
        habit=stream.below(100),
    )


def _people(stream: Stream) -> tuple[Tenant, ...]:
    surname = stream.pick(SURNAMES)
    if not stream.chance(JOINT):
        return (_person(stream, surname, man=stream.chance(0.45)),)
    first = _person(stream, surname, man=True)
    other = surname if stream.chance(0.7) else stream.pick(SURNAMES)
    return first, _person(stream, other, man=False)


def _person(stream: Stream, surname: str, *, man: bool) -> Tenant:
    title = stream.weighted((("Mr", 95.0), ("Dr", 2.0), ("Mx", 1.0), ("", 2.0))) if man else ""
    if not man:
        title = stream.weighted((("Mrs", 40.0), ("Ms", 30.0), ("Miss", 25.0), ("Rev", 1.0), ("", 4.0)))
    return Tenant(title, stream.pick(MEN if man else WOMEN), surname)


def _address(stream: Stream, patch: str, number: int) -> tuple[tuple[str, str, str, str], str]:
    town, area = TOWNS[patch]
    street = f"{stream.between(1, 160)} {stream.pick(STREETS)}"
    if stream.chance(0.3):
        lines = (f"Flat {number % 40 + 1}", stream.pick(HOUSES), street, town)
    else:
        lines = (street, town, COUNTY, "")
    inward = f"{stream.below(10)}{stream.pick(LETTERS)}{stream.pick(LETTERS)}"
    return lines, f"{area}{stream.below(10)} {inward}"


def _elsewhere(stream: Stream) -> tuple[str, str, str, str]:
    town, area = TOWNS[stream.pick(PATCHES)]
    code = f"{area}{stream.below(10)} {stream.below(10)}{stream.pick(LETTERS)}{stream.pick(LETTERS)}"
    return f"{stream.between(1, 99)} {stream.pick(STREETS)}", town, "", code
