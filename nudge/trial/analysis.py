"""A trial's uplift: who was drawn to which arm, what each unit did from its batch's day 0, and the summary (I5, I9).

The estimators know nothing of a database; this is where records become their tables.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from nudge.allocation.certificate import level_of
from nudge.allocation.design import Design
from nudge.allocation.streams import redraw_key
from nudge.base.columns import Kind
from nudge.base.errors import Refused
from nudge.base.files import write_whole
from nudge.experiment.definition import LiveExperiment, Outcome, OutcomeType
from nudge.records.store import audit
from nudge.records.tables import SealRow
from nudge.reports.summary import ArmCount, Checks, Flow, Header, Summary, assemble, summary_json
from nudge.reports.wording import count_of
from nudge.trial.balance import balance_notes
from nudge.trial.batches import FIRST
from nudge.trial.codes import TrialCode
from nudge.trial.coverage import BALANCES, days_wanted, short_of, source_of, unbroken
from nudge.trial.delivery import after_draw, delivered, dispatched, dispatched_apart, form_notes
from nudge.trial.event_days import counted, first_after
from nudge.trial.handle import Trial, require_seal
from nudge.trial.looks import Taken, last_look, look_now, looks_taken, record_look, told
from nudge.trial.population import Population, Recorded, of_batches, population_of, read_recorded
from nudge.trial.site_analysis import estimate_sites, write_tables
from nudge.trial.sites import of_signs
from nudge.uplift.analysis import analyse_outcome
from nudge.uplift.checks import balance, missing_by_arm, sample_ratio
from nudge.uplift.estimate import Flag
from nudge.uplift.facts import Facts
from nudge.uplift.results import OutcomeResult
from nudge.uplift.units import UnitTable

REDRAWS: Final = 9_999


@dataclass(frozen=True, kw_only=True)
class Written:
    """A report on disk."""

    summary: Summary
    files: tuple[Path, ...]
    notes: tuple[str, ...]


def estimate(trial: Trial, *, today: date, redraws: int = REDRAWS, look: bool = False) -> Summary:
    """The whole summary of a trial, by intention to treat, from each batch's day 0.

    Refused before the results open (last day 0 + horizon + lag), or where a source does not cover that long. `look`:
    a look before that, of the primary outcome and harms alone, where the sealed plan declares one that is due.
    """
    recorded = read_recorded(trial)
    if of_signs(trial.experiment):
        return estimate_sites(trial, recorded, today=today, redraws=redraws, look=look).summary
    return _estimated(trial, recorded, today=today, redraws=redraws, look=look)[0]


def _estimated(
    trial: Trial, recorded: Recorded, *, today: date, redraws: int, look: bool
) -> tuple[Summary, Taken | None]:
    """The summary, and which look it is where the plan declares looks."""
    seal = require_seal(trial)
    opens = trial.opens_on()
    if opens is None:
        raise Refused(TrialCode.NOTHING_POSTED.at(trial.place))
    if today < opens and not look:
        raise Refused(TrialCode.RESULTS_CLOSED.at(trial.place, day=opens.isoformat()))
    before = looks_taken(recorded.ledger)
    take = look_now if look else last_look
    taken = take(trial, recorded.batches, recorded.units, recorded.ledger, today)
    if look and taken is not None:
        before = before[: taken.number - 1]
        recorded = of_batches(recorded, taken.batches)
    population = population_of(trial, recorded)
    last = int(population.day0.max())
    Refused.when(
        problem
        for source, days in days_wanted(trial.experiment).items()
        for problem in short_of(trial, recorded.imports, source, int(population.day0.min()) + 1, last + days)
    )
    experiment = trial.experiment
    days = [
        date.fromordinal(day).isoformat() for day in sorted({int(population.day0.min()), int(population.day0.max())})
    ]
    apart = dispatched_apart(population, [row for row in recorded.postings if row.wave == FIRST])
    second = _first_later_posting(recorded, population)
    sent = delivered(experiment, population, recorded)
    results = []
    skipped: list[str] = []
    for outcome in (*experiment.outcomes, *_harms(experiment, recorded, population)):
        if look and not outcome.primary and outcome.id not in experiment.harms:
            continue
        by_look = taken is not None and (look or outcome.primary)
        try:
            result = analyse_outcome(
                outcome,
                _table(experiment, outcome, population, recorded, sent),
                assignment=population.assignment,
                randomised="yes",
                confidence=taken.confidence if taken is not None and by_look else experiment.analysis.confidence,
                smallest_worthwhile=experiment.worthwhile(outcome.id),
                multiplicity=None,
                redraw_key=redraw_key(seal.seal_hash),
                redraws=redraws,
                live=True,
                unit=experiment.unit,
                adjust="headline" if population.balanced else experiment.analysis.adjust,
                money=experiment.columns.get(outcome.column or "") is Kind.MONEY,
                facts=Facts.of(experiment),
            )
        except Refused as refusal:
            if outcome.primary:
                raise
            skipped += [f"{outcome.id} is not estimated: it needs {problem.expected}." for problem in refusal.problems]
            continue
        if taken is not None and by_look:
            declared = experiment.analysis.looks
            most = len(declared.at) + 1 if declared is not None and declared.at else None
            result = told(result, taken, before, most=most, last=not look)
        flags = [Flag.DISPATCH_DIFFERS_BY_ARM] if apart else []
        if outcome.within and second is not None and outcome.within > second:
            flags.append(Flag.WITHIN_BEYOND_SECOND_POSTING)
        results.append(
            replace(
                result,
                day0=days,
                data_cut=_cut(experiment, outcome, population, recorded),
                estimates=tuple(replace(row, flags=(*row.flags, *flags)) for row in result.estimates),
            )
        )
    header = _header(trial, seal, recorded, population, results, today)
    return assemble(replace(header, notes=(*header.notes, *skipped)), results), taken


def _harms(experiment: LiveExperiment, recorded: Recorded, population: Population) -> list[Outcome]:
    """Each declared harm as a share within the primary's horizon, where its files cover that long; never a verdict."""
    primary = experiment.primary
    within = int((primary.horizon or primary.within or 0) if primary else 0)
    start, last = int(population.day0.min()) + 1, int(population.day0.max())
    declared = {outcome.id for outcome in experiment.outcomes}
    return [
        Outcome(id=kind, type=OutcomeType.PROPORTION, event=(kind,), within=within, better="lower")
        for kind in experiment.harms
        if kind not in declared
        and within
        and unbroken(recorded.imports, source_of(experiment, kind), start) >= last + within
    ]


def _table(
    experiment: LiveExperiment,
    outcome: Outcome,
    population: Population,
    recorded: Recorded,
    sent: Mapping[str, np.ndarray[Any, Any]],
) -> UnitTable:
    """One outcome's table: the units whose value is known, and by arm and reason the others. `sent`: see `delivery`."""
    size = len(population.units)
    columns: dict[str, Any] = {}
    keep = np.ones(size, dtype=np.bool_)
    reasons: dict[str, np.ndarray[Any, Any]] = {}
    if outcome.column is not None:
        read = "y" if outcome.type is OutcomeType.MEAN else "count"
        columns[read], reasons = _measured(experiment, outcome, population, recorded)
        keep = ~np.isnan(columns[read])
    else:
        cut = date.fromisoformat(_cut(experiment, outcome, population, recorded) or "").toordinal()
        length = float(outcome.horizon or outcome.within or 0)
        followed = np.minimum(length, (cut - population.day0).astype(np.float64))
        first = first_after(recorded.events, outcome.event, population)
        if outcome.type is OutcomeType.PROPORTION:
            keep = followed >= length
            columns["y"] = (first <= length).astype(np.float64)
        elif outcome.type is OutcomeType.RATE:
            keep = followed >= length
            columns["count"] = counted(recorded.events, outcome.event, population, int(length))
        else:
            keep = followed > 0
            columns["event"] = first <= followed
            columns["time"] = np.where(columns["event"], first, followed)
            columns["follow_up"] = followed
            if outcome.competing:
                columns["competing"] = first_after(recorded.events, outcome.competing, population)
        reasons["not_yet_followed"] = ~keep
    for name in ("baseline", "exposure", "baseline_exposure"):
        if (column := getattr(outcome, name)) is not None:
            columns[name] = _value_at_draw(population, column)
            reasons[f"missing_{name}"] = keep & np.isnan(columns[name])
            keep = keep & ~np.isnan(columns[name])
    lost = ~keep & population.primary
    # The reference is arm 0, so the order of `arms` is the order of the codes.
    return UnitTable(
        arms=population.arms,
        arm=population.arm[keep],
        stratum=population.stratum[keep] if len(population.strata) > 1 else None,
        strata=population.strata if len(population.strata) > 1 else (),
        cluster=population.cluster[keep] if experiment.cluster else None,
        drawn=population.drawn[keep],
        joined=population.joined[keep],
        primary=population.primary[keep],
        covariates={name: values[keep] for name, values in _covariates(experiment, outcome, population).items()},
        pair=None if population.pair is None else population.pair[keep],
        subgroups={
            name: replace(found, codes=found.codes[keep])
            for name in experiment.analysis.subgroups
            for found in [population.subgroup(experiment, name)]
        },
        assigned=population.by_arm(population.primary),
        missing_by=_missing_by(population, reasons),
        missing=UnitTable(
            arms=population.arms,
            arm=population.arm[lost],
            stratum=population.stratum[lost] if len(population.strata) > 1 else None,
            cluster=population.cluster[lost] if experiment.cluster else None,
        ),
        **{name: values[keep] for name, values in {**columns, **sent}.items()},
    )


def _covariates(
    experiment: LiveExperiment, outcome: Outcome, population: Population
) -> dict[str, np.ndarray[Any, Any]]:
    """What to adjust for. Where the draw balanced figures the headline is adjusted for these, and for no others
    unless `adjust: headline` was sealed; the baseline of a mean then stands among them.
    """
    declared = {name: _value_at_draw(population, name) for name in experiment.analysis.covariates}
    if not population.balanced:
        return declared
    found = dict(population.balanced)
    if outcome.type is OutcomeType.MEAN and outcome.baseline is not None:
        found[outcome.baseline] = _value_at_draw(population, outcome.baseline)
    return declared | found if experiment.analysis.adjust == "headline" else found


def _cut(experiment: LiveExperiment, outcome: Outcome, population: Population, recorded: Recorded) -> str | None:
    """The end of unbroken coverage by every source of an outcome's events (rules §1); None where it has no events."""
    start = int(population.day0.min()) + 1
    sources = {source_of(experiment, kind) for kind in outcome.event}
    ends = [unbroken(recorded.imports, source, start) for source in sources]
    return date.fromordinal(min(ends)).isoformat() if ends else None


def _missing_by(population: Population, reasons: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, dict[str, int]]:
    counted = {reason: population.by_arm(gone & population.primary) for reason, gone in reasons.items()}
    return {arm: {reason: counts[arm] for reason, counts in counted.items() if counts[arm]} for arm in population.arms}


def _value_at_draw(population: Population, name: str) -> np.ndarray[Any, Any]:
    values = [told.get(name) for told in population.values]
    return np.array([np.nan if value is None else float(value) for value in values])


def _measured(
    experiment: LiveExperiment, outcome: Outcome, population: Population, recorded: Recorded
) -> tuple[np.ndarray[Any, Any], dict[str, np.ndarray[Any, Any]]]:
    """The reading nearest to day `at` inside the window, NaN where there is none; and why, by reason.

    With `absent:` the file nearest to day `at` decides: a unit that is not in it has the value declared. Where no file
    was taken inside a unit's window nothing is known of it: missing, never the value of the absent (I9).
    """
    low, high = outcome.window or (0, 0)
    readings: dict[str, dict[int, int]] = defaultdict(dict)
    for reading in recorded.measurements:
        if reading.name == outcome.column:
            readings[reading.unit][reading.on_day] = reading.number
    taken = {row.covers_to for row in recorded.imports if row.kind == BALANCES and row.covers_from == row.covers_to}
    taken |= {day for days in readings.values() for day in days}
    value = np.full(len(population.units), np.nan)
    unread = np.zeros(len(population.units), dtype=np.bool_)
    for number, unit in enumerate(population.units):
        wanted = int(population.day0[number]) + int(outcome.at or 0)
        own = readings.get(unit.unit, {})
        days = own if outcome.absent is None else taken
        inside = [day for day in days if low <= day - wanted <= high]
        if not inside:
            unread[number] = not any(low <= day - wanted <= high for day in taken)
            continue
        nearest = min(inside, key=lambda day: (abs(day - wanted), day))
        if nearest in own:
            value[number] = own[nearest]
        elif outcome.absent is not None:
            value[number] = experiment.inside(outcome.absent, outcome.column)
    missing = np.isnan(value)
    return value, {"no_extract_in_window": unread, "missing": missing & ~unread}


def _header(
    trial: Trial,
    seal: SealRow,
    recorded: Recorded,
    population: Population,
    results: Sequence[OutcomeResult],
    today: date,
) -> Header:
    flows = [json.loads(batch.flow_json) for batch in recorded.batches.values()]
    posted = {number for number, batch in recorded.batches.items() if batch.status == "posted"}
    first = [row for row in recorded.postings if row.wave == FIRST and row.batch in posted]
    here = {unit.unit for unit in population.units}
    withheld_units = {row.unit: row.reason or "" for row in first if row.status == "withheld"}
    posted_units = {row.unit for row in first if row.status == "posted"}
    # A tenancy left out one week and enrolled the next was not left out; one seen often counts once, its last reason.
    last_reason = {unit: reason for flow in flows for unit, reason in flow["why"].items()}
    enrolled = {unit.unit for unit in recorded.units}
    excluded = Counter(reason for unit, reason in last_reason.items() if unit not in enrolled)
    # rows = rejected + repeated + excluded + allocated: every row is in one of them.
    repeated = sum(flow["rows_accepted"] for flow in flows) - excluded.total() - len(enrolled)
    late = int((~population.primary).sum())
    for reason, count in (
        ("joined_a_household_already_drawn", late),
        ("in_an_abandoned_batch", sum(unit.batch not in posted for unit in recorded.units)),
    ):
        if count:
            excluded[reason] = count
    clusters: dict[str, set[int]] = defaultdict(set)
    for code, drawn, primary in zip(population.arm, population.drawn, population.primary, strict=True):
        if primary:
            clusters[population.arms[code]].add(int(drawn))
    assigned = population.by_arm(population.primary)
    return Header(
        experiment=trial.id,
        definition_hash=seal.definition_hash,
        seal=seal.seal_hash,
        as_of=today,
        randomised="yes",
        drawn=Design.of(trial.experiment).algorithm,
        amendments=recorded.amended,
        overrides={str(name): said for name, said in trial.experiment.governance.overrides.items()},
        epochs=recorded.epochs,
        certificate_level=level_of(seal.beacon_name, seal.witness).value,
        flow=Flow(
            rows=sum(flow["rows"] - sum(flow["dropped"].values()) for flow in flows),
            rejected=_added(flow["rejected"] for flow in flows),
            repeated=repeated,
            excluded=excluded,
            eligible=len(enrolled) - late,
            allocated=int(population.primary.sum()),
            withheld=Counter(reason for unit, reason in withheld_units.items() if unit not in posted_units),
            posted=len(posted_units),
            returned=len({event.unit for event in recorded.events if event.kind == "returned"} & here),
            analysed=next((sum(arm.n for arm in result.arms) for result in results if result.primary), None),
        ),
        arms=tuple(ArmCount(arm=arm, assigned=assigned[arm], clusters=len(clusters[arm])) for arm in population.arms),
        checks=Checks(
            dispatch_by_arm=dispatched(population, first),
            after_draw=after_draw(trial.experiment, population, recorded),
            sample_ratio=sample_ratio(population.assignment),
            missing_by_arm=_missing(results, population),
            balance=[
                balance(
                    name if scale == 1 else f"{name} (pounds)",
                    _value_at_draw(population, name)[population.primary] / scale,
                    population.arm[population.primary],
                    population.arms,
                )
                for name in trial.experiment.analysis.covariates
                for scale in (100 if trial.experiment.columns.get(name) is Kind.MONEY else 1,)
            ],
        ),
        notes=tuple(_notes(trial.experiment, recorded, population, results)),
    )


def _added(counts: Any) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return total


def _missing(results: Sequence[OutcomeResult], population: Population) -> dict[str, Any] | None:
    """Units without the primary outcome, by arm."""
    for result in results:
        document = result.document()
        if document["primary"]:
            missing = {arm["arm"]: arm["missing"] for arm in document["arms"]}
            return missing_by_arm(population.by_arm(population.primary), missing)
    return None


def _first_later_posting(recorded: Recorded, population: Population) -> int | None:
    """The day, from day 0, of the first letter of a later wave that was really posted; None where none was."""
    here = {unit.unit for unit in population.units}
    days = [
        row.posted_on - (recorded.batches[row.batch].day0 or 0)
        for row in recorded.postings
        if row.wave != FIRST and row.posted_on is not None and row.unit in here
    ]
    return min(days, default=None)


def _notes(
    experiment: LiveExperiment, recorded: Recorded, population: Population, results: Sequence[OutcomeResult]
) -> list[str]:
    notes = []
    household = experiment.cluster or "cluster"
    late = int((~population.primary).sum())
    if late:
        notes.append(
            f"{count_of(late, experiment.unit)} joined a {household} already in the trial: "
            "written to in its arm, and counted in a sensitivity row only."
        )
    merged = sum(row.merged_into is not None for row in recorded.households.values())
    if merged:
        notes.append(
            f"{count_of(merged, household)} turned out to be part of another: both kept their "
            "arms, the variance joins them."
        )
    for entry in recorded.ledger:
        if entry.what == "posting_corrected":
            facts = json.loads(entry.facts_json)
            notes.append(
                f"Batch {facts['batch']} ({facts['wave']}): posting date corrected from {', '.join(facts['from'])} "
                f"to {facts['to']}, because: {facts['because']}."
            )
    notes += form_notes(experiment, population, recorded)
    notes += balance_notes(experiment, population)
    notes += [note for result in results for note in result.notes]
    return notes


def write_report(trial: Trial, *, today: date, now: datetime, redraws: int = REDRAWS, look: bool = False) -> Written:
    """Estimate, and write summary.json, report.html and (where Pango is there) report.pdf.

    A look before the end is written into the ledger first, and its files are named for it (`look-1-report.html`).
    """
    from nudge.reports.render import report_html, report_pdf
    from nudge.reports.wording import Wording

    recorded, tables, taken = read_recorded(trial), None, None
    if of_signs(trial.experiment):
        tables = estimate_sites(trial, recorded, today=today, redraws=redraws, look=look)
        summary = tables.summary
    else:
        summary, taken = _estimated(trial, recorded, today=today, redraws=redraws, look=look)
    folder, name = trial.workspace.out(trial.id), ""
    if look and taken is not None:
        record_look(trial, taken, recorded.ledger, now=now)
        name = f"look-{taken.number}-"
    files = [write_whole(folder / f"{name}summary.json", summary_json(summary))]
    page = report_html(summary, title=trial.experiment.title, wording=Wording.of(trial.experiment))
    files.append(write_whole(folder / f"{name}report.html", page))
    files += [] if tables is None else write_tables(folder, tables)
    notes = []
    try:
        files.append(write_whole(folder / f"{name}report.pdf", report_pdf(page)))
    except OSError:  # Pango is missing: all but the PDF works without it
        notes.append(f"{name}report.pdf was not made: this machine lacks Pango. `nudge doctor` says how to add it.")
    with trial.store.transaction() as connection:
        audit(connection, trial=trial.id, what="estimated", facts={"as_of": today.isoformat()}, at=now)
    return Written(summary=summary, files=tuple(files), notes=tuple(notes))
