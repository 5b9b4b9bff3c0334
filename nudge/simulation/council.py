"""An invented council: what its systems export week by week, and the truth behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from nudge.simulation.behaviour import Behaviour
from nudge.simulation.extract import weekly_extract
from nudge.simulation.history import history_sheet
from nudge.simulation.names import COUNCIL
from nudge.simulation.sheet import Fault, PlantedFault, Sheet, uk
from nudge.simulation.stream import Stream
from nudge.simulation.tenancies import SimulatedTenancy, tenancies_of

POSTED_AFTER: Final = 2
"""Days from an extract to the posting of its letters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """One week's files. The suppression list is dated on the day of the extract, the second on the day of posting."""

    number: int
    extract_on: date
    post_on: date
    extract: Sheet
    suppression: Sheet
    suppression_at_posting: Sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCouncil:
    """A council for some weeks. `faults` says what was put where; `behaviour` is the truth about responses."""

    name: str
    seed: int
    start: date
    weeks: tuple[Week, ...]
    history: Sheet
    history_covers: tuple[date, date]
    tenancies: tuple[SimulatedTenancy, ...] = field(repr=False)
    faults: tuple[PlantedFault, ...] = field(repr=False)
    behaviour: Behaviour

    @property
    def fault_counts(self) -> Mapping[Fault, int]:
        """How often each fault was put in, over all files."""
        found = Counter(fault.kind for fault in self.faults)
        return MappingProxyType({kind: found[kind] for kind in Fault})


def simulate(
    seed: int,
    *,
    start: date,
    weeks: int = 8,
    tenancies: int = 1500,
    history: int = 1500,
    agreed_share: float = 0.62,
    behaviour: Behaviour | None = None,
) -> SimulatedCouncil:
    """A council whose first extract is run on `start`, then one every seven days.

    `tenancies` are on at least one extract each; some four in five of those that come after `start` are eligible in
    the flagship trial. `history` is the number of first letters in the 620 days before `start`, of which the share
    `agreed_share` agreed a way forward within 56 days. The same arguments give the same council.
    """
    truth = behaviour or Behaviour()
    found = tenancies_of(seed, start=start, weeks=weeks, count=tenancies)
    homes = Counter(one.household for one in found)
    shared = frozenset(household for household, count in homes.items() if count > 1)
    entries = _suppressed(seed, found, start=start, weeks=weeks)
    faults: list[PlantedFault] = []
    files = []
    for number in range(weeks):
        day = start + timedelta(days=7 * number)
        extract, planted = weekly_extract(found, seed=seed, week=number, day=day, shared=shared)
        faults += planted
        post_on = day + timedelta(days=POSTED_AFTER)
        files.append(
            Week(
                number=number + 1,
                extract_on=day,
                post_on=post_on,
                extract=extract,
                suppression=_suppression_sheet(entries, day),
                suppression_at_posting=_suppression_sheet(entries, post_on),
            )
        )
    covers = (start - timedelta(days=620), start - timedelta(days=10))
    return SimulatedCouncil(
        name=COUNCIL,
        seed=seed,
        start=start,
        weeks=tuple(files),
        history=history_sheet(seed, covers=covers, letters=history, agreed_share=agreed_share, behaviour=truth),
        history_covers=covers,
        tenancies=found,
        faults=tuple(faults),
        behaviour=truth,
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    reference: str
    reason: str
    since: date
    until: date | None


def _suppressed(seed: int, tenancies: Sequence[SimulatedTenancy], *, start: date, weeks: int) -> tuple[_Entry, ...]:
    """Everybody who is on a suppression list at some time. In each week one new tenant enters Breathing Space between
    extract and posting, whose letter must then be withheld."""
    stream = Stream(seed, "suppression")
    found = []
    for one in tenancies:
        reason = stream.weighted((("", 96.0), ("Breathing Space", 2.2), ("do not contact", 1.2), ("deceased", 0.6)))
        since = start + timedelta(days=stream.between(-70, 7 * weeks))
        if reason:
            until = since + timedelta(days=59) if reason == "Breathing Space" else None
            found.append(_Entry(one.reference, reason, since, until))
    taken = {entry.reference for entry in found}
    for week in range(weeks):
        new = [one for one in tenancies if one.entered == week and one.reference not in taken and not one.vacated]
        if new:
            since = start + timedelta(days=7 * week + 1)
            found.append(_Entry(stream.pick(new).reference, "Breathing Space", since, since + timedelta(days=59)))
    return tuple(sorted(found, key=lambda entry: (entry.since, entry.reference)))


def _suppression_sheet(entries: Sequence[_Entry], day: date) -> Sheet:
    """The list as it stands on a day: what has begun by then, ended moratoria of the last month still on it."""
    month = timedelta(days=30)
    return Sheet(
        name=f"suppression-{day.isoformat()}.csv",
        headings=("Tenancy Ref", "Reason", "From", "Until"),
        rows=tuple(
            (entry.reference, entry.reason, uk(entry.since), uk(entry.until) if entry.until else "")
            for entry in entries
            if entry.since <= day and (entry.until is None or day <= entry.until + month)
        ),
    )
