"""The sites of a trial of signs, read and drawn once (I2, I3); what could stop a sign is settled before (I4)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Final

from nudge.allocation.design import Allocated, Design, Entry
from nudge.allocation.drawing import assignment_of
from nudge.base.errors import Place, Problem, Refused
from nudge.documents.templates import TemplateFolder
from nudge.experiment.conditions import compile_condition
from nudge.experiment.sites import SiteExperiment
from nudge.intake.mapping import ColumnMapping, load_mappings, save_mappings
from nudge.intake.sites import FILE_KIND, Site, SiteList, read_sites
from nudge.records.store import append, audit, change, remove, rows_of
from nudge.records.tables import AllocationRow, BatchRow, RecipientRow, SealRow, UnitRow
from nudge.trial.codes import TrialCode
from nudge.trial.drawing import as_allocated, next_batch, record_draw
from nudge.trial.entries import entry_of
from nudge.trial.handle import Trial, require_seal
from nudge.trial.sealing import epoch_now, frozen_claims, lapsed_claims, read_secret
from nudge.trial.sign_proofs import faults_of_signs
from nudge.trial.site_codes import SignTrialCode
from nudge.trial.sites import SiteFacts, signs_of, site_code
from nudge.trial.units import exclusion, with_bands

TRIES: Final = 16  # invented draws by which it is told whether the real one could find something
NOBODY: Final = "none"  # the suppression list of a trial that writes to nobody


@dataclass(frozen=True, kw_only=True)
class SitesDrawn:
    """What a sites file came to: counts that add up, and the batch. Shows no arm (I8).

    rows = at fault + excluded + drawn + back + watched.
    """

    batch: int | None
    made: bool
    reading: SiteList
    drawn: int = 0
    back: int = 0
    watched: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Sorted:
    """The sites of a file: new ones, those of a batch that was undone, those only watched, and who is out."""

    new: tuple[Site, ...]
    back: tuple[Site, ...]
    watched: tuple[Site, ...]
    excluded: Mapping[str, str]  # by site, why


def draw_sites(
    trial: Trial,
    file: Path,
    *,
    today: date,
    now: datetime,
    starts: date | None = None,
    mapping: ColumnMapping | None = None,
    encoding: str | None = None,
    accept_good_rows: bool = False,
    dry_run: bool = False,
) -> SitesDrawn:
    """Draw the arms, or sequences of arms, of the sites of a file.

    `starts` is the day the first signs are to go up: compulsory where sites change over, for their periods follow from
    it. The same file twice is one draw. Refused where rows have faults (unless `accept_good_rows`), another file was
    drawn and stands, or no difference could be significant among so few sites.
    """
    experiment = signs_of(trial)
    seal = require_seal(trial)
    Refused.when(lapsed_claims(trial, seal, today))
    mapping = mapping or load_mappings(trial.workspace.mappings).get(FILE_KIND)
    reading = read_sites(
        file, experiment.columns, today=today, needed=_needed(experiment), mapping=mapping, encoding=encoding
    )
    secret = read_secret(trial)
    with trial.store.snapshot() as connection:
        if trial.is_closed(connection):
            raise Refused(TrialCode.CLOSED.at(trial.place))
        batches = rows_of(connection, BatchRow, trial=trial.id)
        allocated = [as_allocated(row) for row in rows_of(connection, AllocationRow, trial=trial.id)]
        epoch = epoch_now(connection, trial.id)
    for batch in batches:
        if batch.status != "abandoned":
            if batch.extract_sha256 == reading.sha256:
                return SitesDrawn(batch=batch.number, made=False, reading=reading)
            raise Refused(SignTrialCode.DRAWN_ONCE.at(Place(reading.name), number=batch.number, trial=trial.id))
    if reading.faults and not accept_good_rows:
        why = SignTrialCode.ROWS_AT_FAULT.at(Place(reading.name), count=reading.faulty, rows=reading.rows)
        raise Refused(why, *reading.faults)
    if experiment.changing and starts is None:
        raise Refused(SignTrialCode.STARTS_NEEDED.at(trial.place))
    if starts is not None and starts < today:
        raise Refused(SignTrialCode.STARTS_PAST.at(Place("--starts")))
    found = _sort(experiment, reading, secret, {row.cluster for row in allocated})
    if not found.new and not found.back:
        raise Refused(SignTrialCode.NO_SITES.at(Place(reading.name)))
    Refused.when(_lone(experiment, reading, (*found.new, *found.back)))
    _prove(trial, experiment, (*found.new, *found.back), frozen_claims(seal))
    design = Design.of(experiment, epoch=epoch)
    entries = {site_code(secret, site.site): _entry(experiment, site) for site in found.new}
    _check_reach(experiment, reading, design, entries, allocated)
    result = SitesDrawn(
        batch=None,
        made=False,
        reading=reading,
        drawn=len(found.new),
        back=len(found.back),
        watched=len(found.watched),
        excluded=Counter(found.excluded.values()),
    )
    if dry_run:
        return result
    batch = next_batch(
        trial,
        batches,
        epoch=epoch,
        extract=(reading.name, reading.sha256),
        as_of=today,
        suppression=(NOBODY, today),
        entries=entries,
        flow=_flow(result, found, secret, starts),
        now=now,
    )
    _keep(trial, seal, batch, entries, found, secret, now)
    learnt = load_mappings(trial.workspace.mappings)
    save_mappings(trial.workspace.mappings, {**learnt, FILE_KIND: reading.mapping})
    return replace(result, batch=batch.number, made=True)


def starts_on(batch: BatchRow) -> date | None:
    """The day on which the first signs of a batch were to go up; None where that was left open."""
    day = json.loads(batch.flow_json)["starts"]
    return None if day is None else date.fromisoformat(day)


def _needed(experiment: SiteExperiment) -> tuple[str, ...]:
    """The declared columns that the draw looks at, and that therefore cannot be blank."""
    design = experiment.design
    bands = {name: band.of for name, band in experiment.bands.items()}
    named = [*design.strata, *design.covariates, *([design.pair] if design.pair else [])]
    return tuple(dict.fromkeys(bands.get(name, name) for name in named))


def _sort(experiment: SiteExperiment, reading: SiteList, secret: bytes, allocated: Collection[str]) -> _Sorted:
    eligible = compile_condition(experiment.eligible, experiment.kinds)
    kept: dict[str, Site] = {}
    excluded: dict[str, str] = {}
    for site in reading.sites:
        if site.displacement_of:
            continue
        values = with_bands(experiment, site.values)
        reason = exclusion(experiment, values)
        if reason is None and not eligible.holds(values):
            reason = "not_eligible"
        if reason is None:
            kept[site.key] = site
        else:
            excluded[site.site] = reason
    watched = []
    for site in reading.sites:
        if site.displacement_of:
            if "".join(site.displacement_of.split()).casefold() in kept:
                watched.append(site)
            else:
                excluded[site.site] = "watched_for_a_site_left_out"
    back = tuple(site for site in kept.values() if site_code(secret, site.site) in allocated)
    return _Sorted(
        new=tuple(site for site in kept.values() if site not in back),
        back=back,
        watched=tuple(watched),
        excluded=excluded,
    )


def _entry(experiment: SiteExperiment, site: Site) -> Entry:
    return entry_of(experiment, with_bands(experiment, site.values))


def _lone(experiment: SiteExperiment, reading: SiteList, sites: Sequence[Site]) -> Iterator[Problem]:
    """Sites that have no partner: the list is drawn once, so none would ever come."""
    design = experiment.design
    if design.method != "pairs":
        return
    if design.pair is None:
        if len(sites) % 2:
            yield SignTrialCode.SITES_ODD.at(Place(reading.name), sites=len(sites))
        return
    pair = design.pair
    named = Counter(site.values[pair] for site in sites)
    for site in sites:
        if named[site.values[pair]] != 2:
            heading = reading.mapping.columns.get(pair, pair)
            yield SignTrialCode.PAIR_NOT_TWO.at(Place(reading.name, row=site.row, heading=heading))


def _check_reach(
    experiment: SiteExperiment,
    reading: SiteList,
    design: Design,
    entries: Mapping[str, Entry],
    before: Sequence[Allocated],
) -> None:
    """Refused where a draw of this design among these sites could give no p-value below what is asked (rules §5).

    Sizes of blocks are drawn too, so draws from invented seeds are looked at, and the worst of them counts: a trial
    whose draw turned out so could not be drawn again.
    """
    alpha = 1 - experiment.analysis.confidence
    worst = 0.0
    for number in range(TRIES if entries else 0):
        seed = number.to_bytes(32, "big")
        drawn = design.draw(seed=seed, batch=1, clusters=entries)
        worst = max(worst, _attainable(experiment, design, drawn, entries))
    if worst >= alpha and not before:
        facts = {"sites": len(entries), "p": worst, "alpha": alpha}
        strata = ", or drop a stratum" if design.strata and design.method != "minimised" else ""
        raise Refused(SignTrialCode.CANNOT_REACH.at(Place(reading.name), **facts, strata=strata))


def _attainable(
    experiment: SiteExperiment, design: Design, drawn: Sequence[Allocated], entries: Mapping[str, Entry]
) -> float:
    """The smallest p that the randomisation test could give: of sequences one over their orders, mirrored for two."""
    assignment = assignment_of(drawn, design, {1: entries}, arms=design.arms)
    if experiment.changing:
        count = assignment.allocations()
        return (2 if len(design.arms) == 2 else 1) / count
    control = experiment.control.id
    return max(assignment.between(arm, control).attainable_p() for arm in design.arms if arm != control)


def _prove(trial: Trial, experiment: SiteExperiment, sites: Sequence[Site], claims: Mapping[str, str]) -> None:
    """Draw every sign in every size that a site has; Refused where any of them cannot be made (I4)."""
    own = experiment.sites
    sheets = {(site.size or own.size, site.orientation or own.orientation) for site in sites}
    folder = TemplateFolder(trial.workspace.templates)
    Refused.when(faults_of_signs(experiment, folder, claims=claims, council=trial.workspace.council, sheets=sheets))


def _flow(result: SitesDrawn, found: _Sorted, secret: bytes, starts: date | None) -> dict[str, object]:
    """Everything counted (I9)."""
    reading = result.reading
    return {
        "rows": reading.rows,
        "at_fault": reading.faulty,
        "excluded": dict(result.excluded),
        "drawn": result.drawn,
        "back": result.back,
        "watched": result.watched,
        "starts": None if starts is None else starts.isoformat(),
        "why": {site_code(secret, site): reason for site, reason in found.excluded.items()},
    }


def _keep(
    trial: Trial,
    seal: SealRow,
    batch: BatchRow,
    entries: Mapping[str, Entry],
    found: _Sorted,
    secret: bytes,
    now: datetime,
) -> None:
    with trial.store.transaction() as connection:
        record_draw(connection, trial, seal, batch, entries, now)
        rows = [(site, site_code(secret, site.site), False) for site in (*found.new, *found.back)]
        rows += [(site, site_code(secret, site.site), True) for site in found.watched]
        held = {row.unit for row in rows_of(connection, UnitRow, trial=trial.id)}
        for site, code, watched in rows:
            cluster = site_code(secret, site.displacement_of) if watched else code
            values = SiteFacts.of(site).beside(with_bands(trial.experiment, site.values))
            where = {"trial": trial.id, "unit": code}
            to = {"batch": batch.number, "values_json": values, "cluster": cluster, "late": watched}
            if code in held:
                change(connection, UnitRow, where=where, to=to)
                remove(connection, RecipientRow, where=where)
            else:
                append(
                    connection,
                    [
                        UnitRow(
                            trial=trial.id,
                            unit=code,
                            cluster=cluster,
                            batch=batch.number,
                            first_batch=batch.number,
                            late=watched,
                            values_json=values,
                        )
                    ],
                )
            append(connection, [_recipient(trial, site, code)])
        facts = {"batch": batch.number, "clusters": len(entries), "late": len(found.watched)}
        audit(connection, trial=trial.id, what="drawn", facts=facts | {"rejoined": len(found.back)}, at=now)


def _recipient(trial: Trial, site: Site, code: str) -> RecipientRow:
    """The site's own id, by which officers name it; its owner and its installer, who may be persons (I12)."""
    names = {"surname": site.owner, "title": site.installer}
    return RecipientRow(trial=trial.id, unit=code, number=1, tenancy_reference=site.site, **names)
