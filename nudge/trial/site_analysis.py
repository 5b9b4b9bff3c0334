"""What the signs did: every site drawn, in the arm or sequence drawn, over the days that count (I5, I9).

The readings are laid out as a recorded trial's table and go through the same machinery, against the draw on record;
the table and its plan are written beside the report, so that anybody can do it again.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from nudge.allocation.assignment import Assignment
from nudge.allocation.certificate import level_of
from nudge.allocation.design import Design
from nudge.allocation.drawing import assignment_of
from nudge.allocation.streams import redraw_key
from nudge.base.errors import Problem, Refused
from nudge.base.files import write_whole
from nudge.experiment.definition import RecordedExperiment
from nudge.experiment.loader import define
from nudge.experiment.sites import SiteExperiment
from nudge.records.events import covered
from nudge.records.tables import PostingRow
from nudge.reports.summary import ArmCount, Checks, Flow, Header, Summary, assemble
from nudge.reports.wording import count_of
from nudge.trial.codes import TrialCode
from nudge.trial.drawing import as_allocated
from nudge.trial.gate import HELD, why_held
from nudge.trial.handle import Trial, require_seal
from nudge.trial.installation import down_days
from nudge.trial.population import Recorded, designs_of, lists_of
from nudge.trial.recorded import analyse_stored
from nudge.trial.schedule import Span, arms_in_turn, span_before, spans
from nudge.trial.signs import sign_plan
from nudge.trial.site_codes import SignTrialCode
from nudge.trial.site_counts import Reading, straddling
from nudge.trial.site_table import SITE, Drawn, SiteTable, nearby_table, readings_of, site_table
from nudge.trial.sites import drawn_sites, signs_of, watched_sites
from nudge.trial.stored import Stored
from nudge.uplift.checks import missing_by_arm, sample_ratio
from nudge.uplift.estimate import Flag, Role
from nudge.uplift.results import OutcomeResult
from nudge.uplift.sequence import Sequences

READINGS: Final = "readings"
NEARBY: Final = "nearby"


@dataclass(frozen=True, kw_only=True)
class Estimated:
    """The summary, and the tables that it was made of."""

    summary: Summary
    table: SiteTable
    nearby: SiteTable | None


@dataclass(frozen=True, kw_only=True)
class _Sites:
    """The sites of the batch that stands, with the draw of the whole trial."""

    batch: int
    day0: int
    drawn: tuple[Drawn, ...]
    watched: int
    stored: Stored
    arms: tuple[str, ...]


def estimate_sites(trial: Trial, recorded: Recorded, *, today: date, redraws: int, look: bool) -> Estimated:
    """The whole summary of a trial of signs, by intention to treat.

    Refused before the results open, and where a kind of file does not cover the days that count. What was read at
    displacement sites is a row of its own, in the arm of the site that each is watched for.
    """
    experiment = signs_of(trial)
    seal = require_seal(trial)
    opens = trial.opens_on()
    if opens is None:
        raise Refused(SignTrialCode.NOT_UP.at(trial.place, trial=trial.id))
    if look:
        raise Refused(TrialCode.LOOK_NOT_DECLARED.at(trial.place, day=opens.isoformat()))
    if today < opens:
        raise Refused(TrialCode.RESULTS_CLOSED.at(trial.place, day=opens.isoformat()))
    sites = _sites(trial, experiment, recorded, redraw_key(seal.seal_hash))
    Refused.when(_uncovered(trial, experiment, recorded, sites.day0))
    readings = readings_of(recorded.measurements, sites.day0)
    units = [unit for unit in recorded.units if unit.batch == sites.batch]
    table = site_table(experiment, sites.drawn, readings)
    nearby = nearby_table(experiment, sites.drawn, watched_sites(units), readings)
    apart = Flag.DISPATCH_DIFFERS_BY_ARM if _apart(_put_up(trial, sites, recorded, experiment)) else None
    results = list(_results(experiment, sites, table, redraws, apart))
    notes = list(_notes(trial, experiment, recorded, sites, readings))
    if nearby is not None:
        results += _secondary(_results(experiment, sites, nearby, redraws, apart))
    elif sites.watched:
        notes.append("The displacement sites are not compared: every arm needs some (of matched pairs, both sites).")
    day = date.fromordinal(sites.day0).isoformat()
    cut = date.fromordinal(sites.day0 + experiment.last_day).isoformat()
    results = [replace(result, day0=[day, day], data_cut=cut) for result in results]
    header = _header(trial, experiment, recorded, sites, table, results, today, notes)
    return Estimated(summary=assemble(header, results), table=table, nearby=nearby)


def _sites(trial: Trial, experiment: SiteExperiment, recorded: Recorded, key: bytes) -> _Sites:
    [batch] = [batch for batch in recorded.batches.values() if batch.status == "posted"]
    designs = designs_of(trial, recorded.seals, recorded.amendments)
    by_epoch = {design.epoch: design for design in designs}
    units = drawn_sites(unit for unit in recorded.units if unit.batch == batch.number)
    here = {unit.cluster for unit in units}
    blocked = experiment.design.method == "blocked"  # other draws cannot be cut to the sites that stand
    allocated = [row for row in recorded.allocated if row.cluster in here or not blocked]
    lists = lists_of(recorded.batches.values(), recorded.allocated)
    names = _arms(experiment, designs)
    assignment = assignment_of([as_allocated(row) for row in allocated], designs, lists, arms=names)
    position = {row.cluster: number for number, row in enumerate(allocated)}
    rows = {row.cluster: row for row in allocated}
    groups = sorted({(row.epoch, row.stratum, row.block) for row in allocated})
    numbers = {group: number for number, group in enumerate(groups, start=1)}
    found = []
    for unit in units:
        row = rows[unit.cluster]
        named = lists[row.batch][row.cluster]
        told = None if isinstance(named, str) else named.pair
        pair = told or f"pair {numbers[row.epoch, row.stratum, row.block]}"
        arms = arms_in_turn(experiment, by_epoch[row.epoch], row.arm)
        found.append(Drawn(unit=unit, arms=arms, pair=pair if experiment.design.method == "pairs" else None))
    sequences = None
    if experiment.changing:
        sequences = _sequences(experiment, designs[-1], assignment)
    place = {one.site: position[one.unit.cluster] for one in found}
    return _Sites(
        batch=batch.number,
        day0=int(batch.day0 or 0),
        drawn=tuple(found),
        watched=len(watched_sites(unit for unit in recorded.units if unit.batch == batch.number)),
        stored=Stored(
            assignment=assignment, named=SITE, place=place, key=key, unit=experiment.unit, sequences=sequences
        ),
        arms=(experiment.control.id, *(arm for arm in experiment.arm_ids if arm != experiment.control.id)),
    )


def _arms(experiment: SiteExperiment, designs: Sequence[Design]) -> tuple[str, ...]:
    """The names of the draw, the control first where it is one; of sequences those of the design."""
    if experiment.changing:
        return designs[-1].arms
    named = dict.fromkeys((experiment.control.id, *experiment.arm_ids))
    return tuple(named | dict.fromkeys(arm for design in designs for arm in design.arms))


def _sequences(experiment: SiteExperiment, design: Design, assignment: Assignment) -> Sequences:
    control = experiment.control.id
    patterns = [[int(arm != control) for arm in one] for one in design.conditions]
    return Sequences(
        kind="crossover" if experiment.design.method == "crossover" else "stepped_wedge",
        assignment=assignment,
        arms=np.array(patterns, dtype=np.int64),
    )


def _uncovered(trial: Trial, experiment: SiteExperiment, recorded: Recorded, day0: int) -> Iterator[Problem]:
    """The stretches of days that count and that no file of a kind is said to cover."""
    before = span_before(experiment)
    wanted: list[Span] = [*([before] if before is not None else []), *spans(experiment)]
    for kind in dict.fromkeys(str(outcome.source) for outcome in experiment.outcomes):
        held = covered((row.covers_from, row.covers_to) for row in recorded.imports if row.kind == kind)
        for span in wanted:
            first, last = day0 + span.first, day0 + span.last
            end = held.unbroken_from(first)
            if end is None or end < last:
                now = "nothing of them" if end is None else f"to {date.fromordinal(end).isoformat()}"
                days = {"first": date.fromordinal(first).isoformat(), "last": date.fromordinal(last).isoformat()}
                yield SignTrialCode.WINDOW_UNCOVERED.at(trial.place, kind=kind, now=now, trial=trial.id, **days)


def _results(
    experiment: SiteExperiment, sites: _Sites, table: SiteTable, redraws: int, apart: Flag | None
) -> Iterator[OutcomeResult]:
    plan = define(table.plan)
    if not isinstance(plan, RecordedExperiment):  # the table makes no other
        raise TypeError(experiment.id)
    _, results = analyse_stored(plan, table.cells("readings.csv"), sites.stored, redraws=redraws)
    for result in results:
        rows = tuple(replace(row, flags=(*row.flags, apart)) if apart else row for row in result.estimates)
        yield replace(result, estimates=rows)


def _secondary(results: Iterator[OutcomeResult]) -> Iterator[OutcomeResult]:
    """The headlines of the places nearby as rows beside the others: they say where things went, and decide nothing."""
    for result in results:
        rows = [
            replace(row, role=Role.SECONDARY, method=f"{row.method}; at the displacement sites")
            for row in result.estimates
            if row.role is Role.HEADLINE
        ]
        yield replace(result, estimates=tuple(rows), panels={}, population=_NEARBY)


_NEARBY: Final = "every site that has displacement sites, by what was read at these, in the arm drawn for the site"


def _put_up(
    trial: Trial, sites: _Sites, recorded: Recorded, experiment: SiteExperiment
) -> dict[str, dict[str, Any]] | None:
    """Signs put up, withheld, and the middle day after day 0, by arm; None where sites change over by schedule."""
    if experiment.changing:
        return None
    arm_of = {one.unit.unit: one.arms[0] for one in sites.drawn}
    found = {}
    for arm in sites.arms:
        own = [row for row in _signs(recorded, sites) if arm_of.get(row.unit) == arm]
        days = [row.posted_on - sites.day0 for row in own if row.posted_on is not None]
        found[arm] = {
            "posted": len(days),
            "withheld": sum(row.status == "withheld" for row in own),
            "median_day": float(np.median(days)) if days else None,
        }
    return found


def _signs(recorded: Recorded, sites: _Sites) -> list[PostingRow]:
    return [row for row in recorded.postings if row.batch == sites.batch]


def _apart(found: Mapping[str, Mapping[str, Any]] | None) -> bool:
    """Whether the middle days of two arms lie a day or more apart (rules §1)."""
    days = [told["median_day"] for told in (found or {}).values() if told["median_day"] is not None]
    return bool(days) and max(days) - min(days) >= 1


def _header(
    trial: Trial,
    experiment: SiteExperiment,
    recorded: Recorded,
    sites: _Sites,
    table: SiteTable,
    results: Sequence[OutcomeResult],
    today: date,
    notes: Sequence[str],
) -> Header:
    seal = recorded.seals[-1]
    flow = json.loads(recorded.batches[sites.batch].flow_json)
    assigned = Counter(arm for one in sites.drawn for arm in dict.fromkeys(one.arms))
    signs = _signs(recorded, sites)
    up = {row.unit for row in signs if row.status == "posted"}
    withheld = {row.unit: row.reason or "withheld" for row in signs if row.status == "withheld" and row.unit not in up}
    main = next((result for result in results if result.primary), results[0])
    return Header(
        experiment=trial.id,
        definition_hash=seal.definition_hash,
        seal=seal.seal_hash,
        as_of=today,
        randomised="yes",
        drawn=Design.of(experiment).algorithm,
        amendments=recorded.amended,
        overrides={str(name): said for name, said in experiment.governance.overrides.items()},
        epochs=recorded.epochs,
        certificate_level=level_of(seal.beacon_name, seal.witness).value,
        flow=Flow(
            rows=flow["rows"],
            rejected={"not_settled": flow["at_fault"]} if flow["at_fault"] else {},
            excluded=flow["excluded"] | ({"displacement_sites_only_watched": sites.watched} if sites.watched else {}),
            eligible=len(sites.drawn),
            allocated=len(sites.drawn),
            withheld=Counter(withheld.values()),
            posted=len(up),
            analysed=_analysed(experiment, table, main),
        ),
        arms=tuple(ArmCount(arm=arm, assigned=assigned[arm], clusters=assigned[arm]) for arm in sites.arms),
        checks=Checks(
            dispatch_by_arm=_put_up(trial, sites, recorded, experiment),
            sample_ratio=sample_ratio(sites.stored.assignment),
            missing_by_arm=missing_by_arm(
                {arm.arm: arm.n_assigned for arm in main.arms}, {arm.arm: arm.missing for arm in main.arms}
            ),
        ),
        notes=tuple(dict.fromkeys([*notes, *(note for result in results for note in result.notes)])),
    )


def _analysed(experiment: SiteExperiment, table: SiteTable, main: OutcomeResult) -> int:
    """Sites with the primary outcome: of a crossover in both periods, of a wedge in any."""
    if not experiment.changing:
        return sum(arm.n for arm in main.arms)
    return table.sites_with(main.id, throughout=experiment.design.method == "crossover")


def _notes(
    trial: Trial,
    experiment: SiteExperiment,
    recorded: Recorded,
    sites: _Sites,
    readings: Mapping[str, Sequence[Reading]],
) -> Iterator[str]:
    for entry in recorded.ledger:
        if entry.what == "posting_corrected":
            facts = json.loads(entry.facts_json)
            yield (
                f"Days of the installers' log corrected from {', '.join(facts['from'])} to {facts['to']}, "
                f"because: {facts['because']}."
            )
    if span_before(experiment) is not None:
        yield (
            "Arms are compared with each other over the same days. What changed from before to after in one arm alone "
            "may be season, weather or chance."
        )
    if experiment.design.method == "stepped_wedge":
        yield "By arm each site counts once for each period that it had the arm in; arms are compared within periods."
    if sites.watched:
        yield (
            f"{count_of(sites.watched, 'displacement site')} watched besides: drawn to nothing, and measured alike in "
            "the arm of the site that each is watched for."
        )
    held = Counter(why_held(event) for event in recorded.events if event.kind == HELD)
    if held:
        reasons = ", ".join(reason.replace("_", " ") for reason in sorted(held))
        yield (
            f"{count_of(held.total(), 'site')} put on hold after the draw ({reasons}): counted in the arm drawn all "
            "the same."
        )
    across = _straddling(experiment, recorded, sites, readings)
    if across:
        yield (
            f"{count_of(across, 'survey')} left out: counted over days of more than one period, or from before the "
            "signs, so that nobody knows which days it tells of."
        )
    yield from _kept_up(trial, recorded, sites)


def _straddling(
    experiment: SiteExperiment, recorded: Recorded, sites: _Sites, readings: Mapping[str, Sequence[Reading]]
) -> int:
    """How many surveys fit no period, at the sites drawn and watched; one that two outcomes use counts once."""
    before = span_before(experiment)
    every = (*spans(experiment), *([before] if before is not None else []))
    here = {unit.unit for unit in recorded.units if unit.batch == sites.batch} & readings.keys()
    return sum(len(straddling(experiment.outcomes, readings[unit], every)) for unit in here)


def _kept_up(trial: Trial, recorded: Recorded, sites: _Sites) -> Iterator[str]:
    """Signs that went up late, never, or came down early: their sites are counted in the arm drawn all the same."""
    batch = recorded.batches[sites.batch]
    turns = {sign.reference: sign.turn for sign in sign_plan(trial, batch)}
    down = down_days(recorded.events)
    signs = {row.letter_reference: row for row in _signs(recorded, sites)}
    late = sum(
        row.posted_on is not None and row.posted_on > sites.day0 + turns[reference].up
        for reference, row in signs.items()
    )
    too_soon = sum(
        row.posted_on is not None and row.posted_on < sites.day0 + turns[reference].up
        for reference, row in signs.items()
    )
    missing = sum(row.status != "posted" for row in signs.values())
    early = sum(day < sites.day0 + turns[reference].down - 1 for reference, day in down.items() if reference in turns)
    for count, words in (
        (late, "went up after the day scheduled"),
        (too_soon, "went up before the day scheduled"),
        (missing, "did not go up"),
        (early, "came down before the end"),
    ):
        if count:
            yield f"{count_of(count, 'sign')} {words}: the sites are counted in the arm drawn all the same."


def write_tables(folder: Path, found: Estimated) -> list[Path]:
    """readings.csv and plan.yaml, and those of the places nearby: `nudge analyse PLAN DATA` does the rest."""
    files = []
    for name, plan, table in ((READINGS, "plan", found.table), (NEARBY, "nearby-plan", found.nearby)):
        if table is None:
            continue
        text = io.StringIO()
        sheet = csv.writer(text, lineterminator="\n")
        sheet.writerow(table.headings)
        sheet.writerows(table.rows)
        files.append(write_whole(folder / f"{name}.csv", text.getvalue()))
        files.append(write_whole(folder / f"{plan}.yaml", _yaml(table.plan)))
    return files


def _yaml(values: Mapping[str, Any]) -> str:
    quoted = yaml.safe_dump(dict(values), sort_keys=False, allow_unicode=True, width=116)
    return f"# Made by nudge from the sealed experiment; analyses the table beside it.\n{quoted}"
