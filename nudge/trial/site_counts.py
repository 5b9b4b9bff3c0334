"""What was counted at a site: how incidents and surveys are kept among its measurements, and the rate of a period."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from nudge.experiment.definition import Outcome
from nudge.intake.readings import SiteReading
from nudge.trial.schedule import Span

THOUSANDTHS: Final = 1_000
"""Exposures and speeds are kept as whole thousandths."""
EXPOSURE: Final = "exposure"
SINCE: Final = "since"
INCIDENTS: Final = "incidents"
SURVEYS: Final = "surveys"


@dataclass(frozen=True, slots=True)
class Reading:
    """One number of a site on a day; both days are counted from day 0, and `since` too, where a count's days are known.

    A row `surveys/WHAT/since` of the records is no number of its own: it stands in `since` of the count.
    """

    day: int
    name: str
    number: int
    since: int | None = None


def plain(text: str) -> str:
    """Words in small letters with one space between: what a heading, a column and a street are compared by."""
    return re.sub(r"\W+", " ", text.casefold()).strip()


def names_of(one: SiteReading) -> Iterator[tuple[str, int]]:
    """The names under which incidents and counts are kept, and the whole number of each.

    What a count is over stands beside it, in thousandths; so does the day from which it runs, as an ordinal.
    """
    name = f"{one.kind}/{_word(one.what)}"
    yield name, one.number
    if one.kind == SURVEYS:
        yield f"{name}/{EXPOSURE}", round(THOUSANDTHS * one.exposure)
        if one.since is not None:
            yield f"{name}/{SINCE}", one.since.toordinal()


def _word(text: str) -> str:
    return plain(text).replace(" ", "_")


def is_since(name: str) -> bool:
    """Whether a name is of a day from which a count runs: of several rows the first day, never their sum."""
    return name.endswith(f"/{SINCE}")


def counted(name: str) -> str:
    """What a name of a count, of its exposure or of its first day belongs to."""
    return "/".join(name.split("/")[:2])


def rate(outcome: Outcome, read: Sequence[Reading], span: Span) -> tuple[int | None, float | None]:
    """Counts added up, and what they are over: the days of the log, or the exposures of the surveys.

    Surveys that `span` does not hold whole tell nothing of it. None where there is no survey.
    """
    own = list(_of(outcome, read))
    if outcome.source == INCIDENTS:
        return sum(one.number for one in own if one.day in span), float(span.days)
    kept = [one for one in own if span.holds(one.since, one.day)]
    counts = [one.number for one in kept if not one.name.endswith(f"/{EXPOSURE}")]
    if not counts:
        return None, None
    over = sum(one.number for one in kept if one.name.endswith(f"/{EXPOSURE}"))
    return sum(counts), over / THOUSANDTHS


def straddling(outcomes: Iterable[Outcome], read: Sequence[Reading], spans: Sequence[Span]) -> set[tuple[str, int]]:
    """Surveys, by name and day, that are in no period because they run over days of one and over other days."""
    return {
        (counted(one.name), one.day)
        for outcome in outcomes
        for one in _of(outcome, read)
        if one.since is not None
        and not any(span.holds(one.since, one.day) for span in spans)
        and any(one.since < span.last and span.first <= one.day for span in spans)
    }


def _of(outcome: Outcome, read: Iterable[Reading]) -> Iterator[Reading]:
    wanted = None if outcome.column is None else f"{outcome.source}/{_word(outcome.column)}"
    for one in read:
        if one.name.startswith(f"{outcome.source}/") and wanted in {None, counted(one.name)}:
            yield one
