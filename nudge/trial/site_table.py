"""The readings of a trial of signs as a tidy table, a row for each site and period, and the plan that analyses it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from nudge.base.errors import Place
from nudge.experiment.definition import Outcome, OutcomeType
from nudge.experiment.sites import SiteExperiment
from nudge.records.tables import MeasurementRow, UnitRow
from nudge.trial.recorded_cells import Cells, plain_text
from nudge.trial.schedule import Span, span_before, spans
from nudge.trial.site_counts import EXPOSURE, Reading, counted, is_since, rate
from nudge.trial.site_speeds import Speeds
from nudge.trial.sites import SiteFacts

SITE: Final = "site"
ARM: Final = "arm"
PERIOD: Final = "period"
PAIR: Final = "pair"
BEFORE: Final = "before"
AFTER: Final = "after"
_OWN: Final = frozenset({SITE, ARM, PERIOD})
HUNDRED: Final = 100.0  # shares stand in per cent


def readings_of(measurements: Iterable[MeasurementRow], day0: int) -> dict[str, list[Reading]]:
    """What was read at each site, by its code. An incident that stands in several files is that of the first one."""
    rows = list(measurements)
    since: dict[tuple[str, str, int, str], int] = {}
    for row in rows:
        if is_since(row.name):
            place = (row.unit, counted(row.name), row.on_day, row.import_sha256)
            since[place] = min(row.number, since.get(place, row.number))
    found: dict[str, list[Reading]] = defaultdict(list)
    known: set[str] = set()
    for row in rows:
        if is_since(row.name) or (row.incident is not None and row.incident in known):
            continue
        known |= {row.incident} if row.incident is not None else set()
        began = since.get((row.unit, counted(row.name), row.on_day, row.import_sha256))
        found[row.unit].append(
            Reading(row.on_day - day0, row.name, row.number, since=None if began is None else began - day0)
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A site as it was drawn: its arm in each period, and what the draw looked at."""

    unit: UnitRow
    arms: tuple[str, ...]
    pair: str | None

    @property
    def site(self) -> str:
        return SiteFacts.read(self.unit).site


@dataclass(frozen=True, kw_only=True)
class SiteTable:
    """Rows of text under headings, and the recorded plan for them, as plain values."""

    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    plan: Mapping[str, Any]

    def sites_with(self, heading: str, *, throughout: bool) -> int:
        """How many sites have a figure under a heading after the signs: in every period, or in any."""
        at, period = self.headings.index(heading), self.headings.index(PERIOD) if PERIOD in self.headings else None
        read: dict[str, list[bool]] = defaultdict(list)
        for row in self.rows:
            if period is None or row[period] != BEFORE:
                read[row[0]].append(bool(row[at]))
        return sum((all if throughout else any)(found) for found in read.values())

    def cells(self, name: str) -> Cells:
        """The table as the analysis of recorded trials reads it from its file."""
        columns = {
            heading: tuple(plain_text(row[number]) for row in self.rows) for number, heading in enumerate(self.headings)
        }
        return Cells(name=name, columns=columns, rows=tuple(range(2, len(self.rows) + 2)), dropped={})


def site_table(
    experiment: SiteExperiment, sites: Sequence[Drawn], readings: Mapping[str, Sequence[Reading]]
) -> SiteTable:
    """The table of the sites drawn. A site where nothing was read in a period has blanks there, never noughts (I9)."""
    read = {one.unit.unit: readings.get(one.unit.unit, ()) for one in sites}
    return _table(experiment, sites, read, "")


def nearby_table(
    experiment: SiteExperiment,
    sites: Sequence[Drawn],
    watched: Iterable[UnitRow],
    readings: Mapping[str, Sequence[Reading]],
) -> SiteTable | None:
    """The same of the displacement sites, those of one site together, in the arm of the site that they are watched for.

    None where there are none to compare. Of matched pairs both sites need one.
    """
    near: dict[str, list[Reading]] = {}
    for unit in watched:
        near.setdefault(unit.cluster, []).extend(readings.get(unit.unit, ()))
    kept = [one for one in sites if one.unit.cluster in near]
    if experiment.design.method == "pairs":
        pairs = [one.pair for one in kept]
        kept = [one for one in kept if pairs.count(one.pair) == 2]
    here = {arm for one in kept for arm in one.arms}
    if here != set(experiment.arm_ids) or len({one.arms for one in kept}) < 2:
        return None
    return _table(experiment, kept, {one.unit.unit: near[one.unit.cluster] for one in kept}, "_nearby")


def _table(
    experiment: SiteExperiment, sites: Sequence[Drawn], read: Mapping[str, Sequence[Reading]], suffix: str
) -> SiteTable:
    turns: list[tuple[str, Span, int]] = [
        (str(number), span, number - 1) for number, span in enumerate(spans(experiment), start=1)
    ]
    before = span_before(experiment)
    if not experiment.changing:
        turns = [(AFTER, turns[0][1], 0)]
        if before is not None:
            turns.insert(0, (BEFORE, before, 0))
    layers = _layers(experiment)
    headings = [SITE, ARM, *([PERIOD] if len(turns) > 1 else []), *([PAIR] if _paired(experiment) else [])]
    headings += [_heading(name) for name in layers]
    for outcome in experiment.outcomes:
        headings += _headings(outcome, suffix)
    rows = []
    for one in sites:
        values = json.loads(one.unit.values_json)
        for word, span, number in turns:
            row = [one.site, one.arms[number], *([word] if len(turns) > 1 else [])]
            row += [one.pair or ""] if _paired(experiment) else []
            row += [_text(values.get(name)) for name in layers]
            for outcome in experiment.outcomes:
                row += _cells(outcome, read[one.unit.unit], span, one.site)
            rows.append(tuple(row))
    return SiteTable(headings=tuple(headings), rows=tuple(rows), plan=_plan(experiment, suffix, headings))


def _paired(experiment: SiteExperiment) -> bool:
    return experiment.design.method == "pairs"


def _layers(experiment: SiteExperiment) -> tuple[str, ...]:
    """Columns of the sites file that the analysis uses: strata, what the draw balanced, covariates."""
    design = experiment.design
    balanced = design.covariates if design.method == "rerandomised" else ()
    return tuple(dict.fromkeys((*design.strata, *balanced, *experiment.analysis.covariates)))


def _heading(name: str) -> str:
    return f"{name}_of_site" if name in _OWN or name == PAIR else name


def _headings(outcome: Outcome, suffix: str) -> list[str]:
    name = f"{outcome.id}{suffix}"
    return [name, f"{name}_{EXPOSURE}"] if outcome.type is OutcomeType.RATE else [name]


def _text(value: object) -> str:
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else str(value)


# ---- figures of one site in one period


def _cells(outcome: Outcome, read: Sequence[Reading], span: Span, site: str) -> list[str]:
    if outcome.type is OutcomeType.RATE:
        count, exposure = rate(outcome, read, span)
        return [_text(count), _text(exposure)]
    speeds = Speeds.of((one.name, one.number) for one in read if one.day in span)
    return [_text(speeds.figure(outcome, Place(f"site {site}")))]


# ---- the plan


def _plan(experiment: SiteExperiment, suffix: str, headings: Sequence[str]) -> dict[str, Any]:
    """What analyses the table: the keys of a recorded plan."""
    design = experiment.design
    data: dict[str, Any] = {"cluster" if experiment.changing else "unit": SITE, "arm": ARM}
    strata = () if design.method in {"minimised", "pairs"} else design.strata
    if strata:
        data["strata"] = [_heading(name) for name in strata]
    if PERIOD in headings:
        data["period"] = PERIOD
        if not experiment.changing:
            data["before"] = [BEFORE]
    if _paired(experiment):
        data["pair"] = PAIR
    values: dict[str, Any] = {
        "id": f"{experiment.id}{suffix.replace('_', '-')}",
        "title": experiment.title,
        "question": experiment.question,
        "design": {"method": "recorded", "randomised": "yes", "drawn": _drawn(experiment, strata)},
        "data": data,
        "arms": [_arm(experiment, arm) for arm in experiment.arm_ids],
        "outcomes": [_outcome(outcome, suffix) for outcome in experiment.outcomes],
        "analysis": _analysis(experiment),
    }
    sizes = {} if suffix else {name: _size(experiment, name) for name in experiment.smallest_worthwhile}
    return values | ({"smallest_worthwhile": sizes} if sizes else {})


def _drawn(experiment: SiteExperiment, strata: Sequence[str]) -> str:
    method = experiment.design.method
    if experiment.changing or method == "pairs":
        return method
    return "blocked" if strata else "complete"


def _arm(experiment: SiteExperiment, name: str) -> dict[str, Any]:
    arm = experiment.arm(name)
    found: dict[str, Any] = {"id": arm.id, "label": arm.name}
    if arm.control:
        found["control"] = True
    if arm.levers:
        found["levers"] = list(arm.levers)
    if arm.prior is not None:
        found["prior"] = arm.prior.written
    return found


def _outcome(outcome: Outcome, suffix: str) -> dict[str, Any]:
    name, *exposure = _headings(outcome, suffix)
    kind = OutcomeType.MEAN if outcome.type is OutcomeType.PROPORTION else outcome.type
    words = f"{outcome.name}, per cent" if outcome.type is OutcomeType.PROPORTION else outcome.name
    found: dict[str, Any] = {"id": name, "label": f"{words}, nearby" if suffix else words, "type": f"{kind}"}
    found["column"] = name
    if exposure:
        found["exposure"] = exposure[0]
    if outcome.percentile is not None:
        found["percentile"] = outcome.percentile
    if outcome.better is not None:
        found["better"] = f"{outcome.better}"
    if outcome.primary and not suffix:
        found["primary"] = True
    return found


def _size(experiment: SiteExperiment, name: str) -> float:
    size = experiment.smallest_worthwhile[name]
    return size * HUNDRED if experiment.outcome(name).type is OutcomeType.PROPORTION else size


def _analysis(experiment: SiteExperiment) -> dict[str, Any]:
    """The sealed analysis; what the draw balanced leads, adjusted for."""
    analysis, design = experiment.analysis, experiment.design
    found: dict[str, Any] = {"confidence": analysis.confidence, "lag_days": analysis.lag_days}
    balanced = {"rerandomised": design.covariates, "minimised": design.strata}.get(design.method, ())
    covariates = dict.fromkeys((*balanced, *(analysis.covariates if analysis.adjust or not balanced else ())))
    if covariates and not experiment.changing:
        found["covariates"] = [_heading(name) for name in covariates]
    if balanced or analysis.adjust:
        found["adjust"] = "headline"
    return found
