"""Numbers and names as a reader meets them. The only place of this room that scales or rounds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from nudge.base.columns import Kind
from nudge.base.values import day_in_words, pounds, uk_date
from nudge.experiment.definition import Experiment, LiveExperiment, OutcomeType
from nudge.experiment.sites import SiteExperiment

MINUS: Final = "−"
NONE: Final = "–"
_PLURALS: Final = {"tenancy": "tenancies", "household": "households", "property": "properties", "person": "people"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a report says beyond the figures: names for arms, outcomes and events, which a summary does not hold.

    `events` maps an outcome to what happens in it ("contact or payment"); `names` to what it is called ("Days to
    contact"); `money` holds the outcomes counted in pence; `harms` those watched for harm, in the order to print.
    `signs`: signs were put up, no letters posted.
    """

    title: str
    question: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    money: Collection[str] = ()
    harms: tuple[str, ...] = ()
    signs: bool = False

    @classmethod
    def of(cls, experiment: Experiment) -> Wording:
        """The words that an experiment file gives."""
        live = isinstance(experiment, LiveExperiment)
        columns = experiment.columns if isinstance(experiment, LiveExperiment) else {}
        timed = [outcome for outcome in experiment.outcomes if outcome.type is OutcomeType.TIME_TO_EVENT]
        return cls(
            title=experiment.title or experiment.id,
            question=experiment.question,
            labels={arm.id: arm.name for arm in experiment.arms},
            names=_names(experiment),
            events={
                outcome.id: listed([reason(event) for event in outcome.event], "or")
                if live
                else reason(outcome.happened or outcome.event[0])
                for outcome in timed
            },
            money={outcome.id for outcome in experiment.outcomes if columns.get(outcome.column or "") is Kind.MONEY},
            harms=experiment.harms if isinstance(experiment, LiveExperiment) else (),
            signs=isinstance(experiment, SiteExperiment),
        )

    def arm(self, arm: str) -> str:
        """The arm as printed: its label, else its id."""
        return self.labels.get(arm, arm)

    def outcome(self, outcome: Mapping[str, Any]) -> str:
        """The outcome as printed: its name, else its id with spaces for underscores."""
        name = self.names.get(outcome["id"]) or outcome["id"].replace("_", " ").replace("-", " ")
        return name[:1].upper() + name[1:]

    def counted(self, outcome: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> str:
        """What `n` counts in these lines: units, or, where a site has one figure a period, periods of sites."""
        in_turn = self.signs and any(line["clusters"] not in (None, line["n"]) for line in lines)
        return "periods of sites" if in_turn else plural(outcome["unit"])

    def event(self, outcome: Mapping[str, Any]) -> str:
        """What happens in a time-to-event outcome, as a noun."""
        return self.events.get(outcome["id"], "the event")

    def happened(self, outcome: Mapping[str, Any]) -> str:
        """What the units to whom it happened did: `were in touch`, `had a recorded arrest`."""
        event = self.event(outcome)
        return _HAPPENED.get(event, f"had {event}" if event.startswith("the ") else f"had a recorded {event}")

    def done(self, outcome: Mapping[str, Any]) -> str:
        """The same as the start of a heading: `In touch`, `Arrest`."""
        event = self.event(outcome)
        return _DONE.get(event, event[:1].upper() + event[1:])

    def without(self, outcome: Mapping[str, Any]) -> str:
        """The units to whom it did not happen: `those not in touch`."""
        event = self.event(outcome)
        return "those not in touch" if event in _HAPPENED else f"those without {event} by then"


def _names(experiment: Experiment) -> dict[str, str]:
    """What each outcome is called; of sites also what was read at the places nearby."""
    names = {outcome.id: outcome.name for outcome in experiment.outcomes}
    if isinstance(experiment, SiteExperiment):
        shares = {outcome.id for outcome in experiment.outcomes if outcome.limit is not None}
        names = {name: f"{words}, per cent" if name in shares else words for name, words in names.items()}
        names |= {f"{name}_nearby": f"{words}, at the places nearby" for name, words in names.items()}
    return names


_HAPPENED: Final = {"contact": "were in touch", "contact or payment": "were in touch or had paid"}
_DONE: Final = {"contact": "In touch", "contact or payment": "In touch or paid"}


def plural(unit: str) -> str:
    """`tenancies` from `tenancy`."""
    if unit in _PLURALS:
        return _PLURALS[unit]
    return unit if unit.endswith("s") else f"{unit}s"


def number(value: float | None, decimals: int = 1) -> str:
    """`1,234.5` with a true minus; a dash where there is none. What rounds to nothing has no sign."""
    if value is None:
        return NONE
    shown = f"{abs(value):,.{decimals}f}"
    return f"{MINUS}{shown}" if value < 0 and shown.strip("0.,") else shown


def signed(value: float | None, decimals: int = 1) -> str:
    """As `number`, with a plus before what is above zero."""
    shown = number(value, decimals)
    return shown if value is None or value <= 0 or not shown.strip("0.,") else f"+{shown}"


def whole(value: int | None) -> str:
    """`50,083`; a dash where there is none."""
    return NONE if value is None else f"{value:,}"


def per_100(fraction: float | None) -> str:
    """A fraction as so many of each 100, to one decimal."""
    return number(None if fraction is None else 100 * fraction)


def money(pence: float | None, *, sign: bool = False) -> str:
    """Pence as `£12.34`, with its sign where it is a difference."""
    if pence is None:
        return NONE
    nearest = round(pence)
    shown = pounds(abs(nearest))
    return f"{MINUS}{shown}" if nearest < 0 else f"+{shown}" if sign and nearest > 0 else shown


def p_words(p: float | None) -> str:
    """`p = 0.023`; `p < 0.001` below that, `p > 0.999` above it."""
    if p is None:
        return NONE
    if p < 0.001:
        return "p < 0.001"
    return "p > 0.999" if p > 0.999 else f"p = {p:.3f}"


def between(low: str, high: str) -> str:
    """An interval in a table cell."""
    return f"{low} to {high}"


def day(text: str | None) -> str:
    """`3 December 2026` from an ISO date; other text as it is."""
    if text is None:
        return "not stated"
    found = uk_date(text)
    return text if found is None else day_in_words(found)


def listed(words: Collection[str], last: str = "and") -> str:
    """`a, b and c`."""
    items = list(words)
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""


def count_of(n: int, unit: str) -> str:
    """`1 tenancy`, `84 tenancies`."""
    return f"{n:,} {unit if n == 1 else plural(unit)}"


def reason(code: str) -> str:
    """A reason as words: `not_yet_followed` becomes `not yet followed`."""
    return code.replace("_", " ").replace("-", " ")


def periods(n: float, time_unit: str | None) -> str:
    """`56 days`, `52 weeks`, `1 day`; without a unit the number alone."""
    shown = f"{n:g}"
    return shown if not time_unit else f"{shown} {time_unit if n == 1 else plural(time_unit)}"
