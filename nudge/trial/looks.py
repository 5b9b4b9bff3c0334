"""Looking before the end, as the sealed plan declares: which batches a look may use, and how sure it must be.

A look uses whole batches only, those that everybody has been followed in to the horizon of every outcome; its share of
the planned information is its units over those planned. Each look is written into the ledger, so that the last one
knows what the earlier ones spent. Rules of the trial §1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from scipy.special import ndtr

from nudge.base.errors import Refused
from nudge.experiment.definition import Looks
from nudge.records.store import audit
from nudge.records.tables import AuditRow, BatchRow, UnitRow
from nudge.trial.codes import TrialCode
from nudge.trial.handle import Trial
from nudge.uplift.estimate import Flag
from nudge.uplift.monitoring import Look, Spending, looks, sequence_critical
from nudge.uplift.results import OutcomeResult
from nudge.uplift.verdict import HEADLINES, VerdictCode

LOOKED: Final = "looked"
PANEL: Final = "looks"
_CROSSED: Final = frozenset(
    {VerdictCode.WORTHWHILE, VerdictCode.WORKS, VerdictCode.WORKS_BY_LESS}
    | {VerdictCode.DOES_HARM, VerdictCode.DOES_HARM_BY_LESS}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One look: its batches and units, its share of the planned information, and the critical value it had."""

    number: int
    on: str
    batches: tuple[int, ...]
    units: int
    fraction: float
    critical: float
    spent: float | None

    @property
    def confidence(self) -> float:
        """The confidence of an interval of ± `critical` standard errors: what the rows of this look are made at."""
        return float(2 * ndtr(self.critical) - 1)

    def line(self) -> dict[str, Any]:
        """The look as the summary lists it; which batches is the ledger's to say."""
        return {
            "number": self.number,
            "on": self.on,
            "units": self.units,
            "fraction": self.fraction,
            "critical": self.critical,
            "nominal_p": 1 - self.confidence,
            "spent": self.spent,
        }


def looks_taken(ledger: Sequence[AuditRow]) -> tuple[Taken, ...]:
    """Every look in the ledger, in order."""
    facts = [json.loads(row.facts_json) for row in ledger if row.what == LOOKED]
    return tuple(Taken(**{**one, "batches": tuple(one["batches"])}) for one in facts)


def record_look(trial: Trial, look: Taken, ledger: Sequence[AuditRow], *, now: datetime) -> None:
    """Write a look into the ledger, once: the same batches looked at again are the same look."""
    if look in looks_taken(ledger):
        return
    facts = {name: getattr(look, name) for name in look.__dataclass_fields__}
    with trial.store.transaction() as connection:
        audit(connection, trial=trial.id, what=LOOKED, facts=facts | {"batches": list(look.batches)}, at=now)


def ripe(trial: Trial, batches: Mapping[int, BatchRow], today: date) -> tuple[int, ...]:
    """The posted batches whose last outcome is known by today: day 0, horizon and lag are past."""
    days = trial.horizon + trial.experiment.analysis.lag_days
    return tuple(
        number
        for number, batch in sorted(batches.items())
        if batch.status == "posted" and batch.day0 is not None and batch.day0 + days <= today.toordinal()
    )


def look_now(
    trial: Trial, batches: Mapping[int, BatchRow], units: Sequence[UnitRow], ledger: Sequence[AuditRow], today: date
) -> Taken:
    """The look that may be taken today. Refused where none is declared, or none is due yet."""
    declared = trial.experiment.analysis.looks
    opens = trial.opens_on()
    if declared is None:
        day = opens.isoformat() if opens else "a date that posting will fix"
        raise Refused(TrialCode.LOOK_NOT_DECLARED.at(trial.place, day=day))
    if opens is not None and today >= opens:
        raise Refused(TrialCode.LOOK_AFTER_THE_END.at(trial.place, trial=trial.id))
    old = ripe(trial, batches, today)
    before = looks_taken(ledger)
    if before and before[-1].batches == old:
        return before[-1]
    count = sum(unit.batch in old and not unit.late for unit in units)
    number = len(before) + 1
    wanted = _wanted(declared, before)
    if wanted is None:
        raise Refused(TrialCode.LOOKS_USED_UP.at(trial.place, count=len(before)))
    if count < wanted or count >= declared.planned:
        code = TrialCode.LOOK_TOO_EARLY if count < wanted else TrialCode.LOOK_PAST_PLANNED
        raise Refused(code.at(trial.place, number=number, wanted=wanted, units=count, planned=declared.planned))
    return _at(declared, trial.experiment.analysis.confidence, before, old, count, today, last=False)


def last_look(
    trial: Trial, batches: Mapping[int, BatchRow], units: Sequence[UnitRow], ledger: Sequence[AuditRow], today: date
) -> Taken | None:
    """The end of a trial as its last look: what earlier looks have spent is gone. None where no look is declared."""
    declared = trial.experiment.analysis.looks
    if declared is None:
        return None
    posted = tuple(number for number, batch in sorted(batches.items()) if batch.status == "posted")
    count = sum(unit.batch in posted and not unit.late for unit in units)
    before = looks_taken(ledger)
    return _at(declared, trial.experiment.analysis.confidence, before, posted, count, today, last=True)


def due_look(
    trial: Trial, batches: Sequence[BatchRow], units: Sequence[UnitRow], ledger: Sequence[AuditRow], today: date
) -> int | None:
    """The number of a look that may be taken today and has not been; None where there is none."""
    try:
        look = look_now(trial, {batch.number: batch for batch in batches}, units, ledger, today)
    except Refused:
        return None
    return None if look in looks_taken(ledger) else look.number


def _wanted(declared: Looks, before: Sequence[Taken]) -> int | None:
    """How many units the next look needs; None where every declared look was taken."""
    more = before[-1].units + 1 if before else 1
    if declared.method == "confidence_sequence":
        return more
    if len(before) >= len(declared.at):
        return None
    return max(more, -int(-declared.at[len(before)] * declared.planned // 1))


def _at(
    declared: Looks,
    confidence: float,
    before: Sequence[Taken],
    batches: tuple[int, ...],
    units: int,
    today: date,
    *,
    last: bool,
) -> Taken:
    fraction = units / declared.planned
    spent: float | None = None
    if declared.method == "confidence_sequence":
        critical = sequence_critical(units, alpha=1 - confidence, planned=declared.planned)
    else:
        earlier = [one.fraction for one in before]
        here = max(fraction, 1.001 * earlier[-1]) if earlier else fraction
        made: tuple[Look, ...] = looks(
            [*earlier, here], alpha=1 - confidence, spending=Spending(declared.method), last=last
        )
        critical, spent = made[-1].critical, made[-1].spent
    return Taken(
        number=len(before) + 1,
        on=today.isoformat(),
        batches=batches,
        units=units,
        fraction=fraction,
        critical=critical,
        spent=spent,
    )


def told(result: OutcomeResult, look: Taken, before: Sequence[Taken], *, most: int | None, last: bool) -> OutcomeResult:
    """An outcome's result at a look: its looks listed and, before the end, a verdict only where a boundary is crossed.

    `most`: how many looks the plan declares, the end included; None for a confidence sequence.
    """
    lines = [one.line() | {"last": False} for one in before] + [look.line() | {"last": last}]
    panels = {**(result.panels if last else {}), PANEL: lines}
    if last or not result.verdict:
        return replace(result, panels=panels)
    which = f"Look {look.number}" + (f" of at most {most}" if most else "")
    share = f"at {100 * look.fraction:.0f}% of the planned {result.unit} numbers"
    verdicts = []
    for verdict in result.verdict:
        crossed = verdict.code in _CROSSED
        words = f"{which}, {share}: {'past' if crossed else 'not past'} the boundary set for it."
        if crossed:
            verdicts.append(replace(verdict, text=f"{verdict.text} {words}"))
        else:
            unsure = VerdictCode.TOO_SMALL_TO_TELL
            verdicts.append(replace(verdict, code=unsure, text=f"{HEADLINES[unsure]} {words} The trial goes on."))
    rows = tuple(
        replace(row, flags=tuple(dict.fromkeys((*row.flags, Flag.BEFORE_THE_END)))) for row in result.estimates
    )
    return replace(result, verdict=tuple(verdicts), estimates=rows, panels=panels)
