"""What a trial's records hold, read at one moment, and the population that its analysis is of (I5)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np

from nudge.allocation.assignment import Assignment
from nudge.allocation.design import Design, Entry
from nudge.allocation.drawing import assignment_of
from nudge.base.columns import Kind
from nudge.base.errors import Refused
from nudge.experiment.bands import labels
from nudge.experiment.definition import LiveExperiment
from nudge.experiment.loader import parse
from nudge.records.store import rows_of
from nudge.records.tables import (
    AllocationRow,
    AmendmentRow,
    AuditRow,
    BatchRow,
    EventRow,
    HouseholdRow,
    ImportRow,
    MeasurementRow,
    PostingRow,
    SealRow,
    UnitRow,
)
from nudge.trial.codes import TrialCode
from nudge.trial.drawing import as_allocated
from nudge.trial.entries import as_listed
from nudge.trial.handle import Trial
from nudge.trial.units import typed_values, with_bands
from nudge.uplift.units import Subgroup

_YES_NO: Final = {True: "yes", False: "no"}


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """Everything the analysis reads, in one snapshot."""

    seals: Sequence[SealRow]
    amendments: Sequence[AmendmentRow]
    batches: Mapping[int, BatchRow]
    units: Sequence[UnitRow]
    households: Mapping[str, HouseholdRow]
    allocated: Sequence[AllocationRow]
    postings: Sequence[PostingRow]
    events: Sequence[EventRow]
    measurements: Sequence[MeasurementRow]
    imports: Sequence[ImportRow]
    ledger: Sequence[AuditRow]

    @property
    def amended(self) -> list[dict[str, Any]]:
        """Every amendment as the report prints it, with the names of what it changed (I7)."""
        names = ("number", "at", "kind", "because", "by")
        return [
            {name: getattr(row, name) for name in names} | {"changes": sorted(json.loads(row.changes_json))}
            for row in self.amendments
        ]

    @property
    def epochs(self) -> int:
        """One, and one more for each amendment that opened another."""
        return 1 + sum(row.new_epoch for row in self.amendments)


@dataclass(frozen=True, kw_only=True)
class Population:
    """The units of every posted batch, in the arm drawn (I5); arrays of one entry a unit, `day0` as ordinals.

    `pair` codes the drawn pairs; `balanced` has what the draw balanced, which the headline adjusts for.
    """

    units: Sequence[UnitRow]
    arms: tuple[str, ...]
    arm: np.ndarray[Any, np.dtype[np.int64]]
    cluster: np.ndarray[Any, np.dtype[np.int64]]
    drawn: np.ndarray[Any, np.dtype[np.int64]]
    joined: np.ndarray[Any, np.dtype[np.int64]]
    stratum: np.ndarray[Any, np.dtype[np.int64]]
    strata: tuple[str, ...]
    day0: np.ndarray[Any, np.dtype[np.int64]]
    primary: np.ndarray[Any, np.dtype[np.bool_]]
    assignment: Assignment
    pair: np.ndarray[Any, np.dtype[np.int64]] | None
    balanced: Mapping[str, np.ndarray[Any, np.dtype[np.float64]]]

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Where each unit stands in the arrays."""
        return {unit.unit: number for number, unit in enumerate(self.units)}

    @cached_property
    def values(self) -> list[dict[str, Any]]:
        """What each unit's extract said on the day of its draw; read once, for every outcome asks again."""
        return [json.loads(unit.values_json) for unit in self.units]

    def by_arm(self, chosen: np.ndarray[Any, np.dtype[np.bool_]]) -> dict[str, int]:
        return {arm: int((chosen & (self.arm == code)).sum()) for code, arm in enumerate(self.arms)}

    def subgroup(self, experiment: LiveExperiment, name: str) -> Subgroup:
        """A declared column or band as each unit had it when it was drawn; bands in ascending order."""
        kind, band = experiment.kinds[name], experiment.bands.get(name)
        values = [
            with_bands(experiment, typed_values(unit.values_json, experiment.kinds)).get(name) for unit in self.units
        ]
        words = [
            _YES_NO[value] if isinstance(value, bool) else None if value is None else str(value) for value in values
        ]
        found = {word for word in words if word}
        if band is not None:
            levels = tuple(label for label in labels(band, experiment.columns[band.of]) if label in found)
        else:
            numeric = kind in (Kind.MONEY, Kind.NUMBER)
            levels = tuple(sorted(found, key=lambda word: (float(word) if numeric else 0.0, word)))
        code = {word: number for number, word in enumerate(levels)}
        return Subgroup(codes=np.array([code.get(word or "", -1) for word in words], dtype=np.int64), levels=levels)


def read_recorded(trial: Trial) -> Recorded:
    """What is on file, as of one moment."""
    with trial.store.snapshot() as connection:
        return Recorded(
            seals=rows_of(connection, SealRow, trial=trial.id),
            amendments=rows_of(connection, AmendmentRow, trial=trial.id),
            batches={row.number: row for row in rows_of(connection, BatchRow, trial=trial.id)},
            units=rows_of(connection, UnitRow, trial=trial.id),
            households={row.cluster: row for row in rows_of(connection, HouseholdRow, trial=trial.id)},
            allocated=rows_of(connection, AllocationRow, trial=trial.id),
            postings=rows_of(connection, PostingRow, trial=trial.id),
            events=rows_of(connection, EventRow, trial=trial.id),
            measurements=rows_of(connection, MeasurementRow, trial=trial.id),
            imports=rows_of(connection, ImportRow, trial=trial.id),
            ledger=rows_of(connection, AuditRow, trial=trial.id),
        )


def of_batches(recorded: Recorded, batches: Collection[int]) -> Recorded:
    """The records as if later batches had never been enrolled: these posted ones, and what was abandoned before them.

    An abandoned batch is part of the draw that came after it.
    """
    last = max(batches, default=0)
    kept = {
        number: batch
        for number, batch in recorded.batches.items()
        if number in batches or (batch.status != "posted" and number < last)
    }
    return replace(
        recorded,
        batches=kept,
        units=[unit for unit in recorded.units if unit.batch in kept],
        allocated=[row for row in recorded.allocated if row.batch in kept],
        postings=[posting for posting in recorded.postings if posting.batch in kept],
    )


def designs_of(trial: Trial, seals: Sequence[SealRow], amendments: Sequence[AmendmentRow]) -> tuple[Design, ...]:
    """The design of each epoch, from the definitions as they were sealed."""
    opening = {row.seal_number for row in amendments if row.new_epoch}
    found: dict[int, Design] = {}
    epoch = 1
    for seal in seals:
        epoch += seal.number in opening
        experiment = parse(seal.definition_text, f"seal {seal.number}").experiment
        if isinstance(experiment, LiveExperiment):
            found[epoch] = Design.of(experiment, epoch=epoch)
    return tuple(found.values())


def population_of(trial: Trial, recorded: Recorded) -> Population:
    """Every unit of every posted batch; Refused where nothing was posted."""
    posted = {number: batch for number, batch in recorded.batches.items() if batch.status == "posted"}
    units = [unit for unit in recorded.units if unit.batch in posted]
    if not units:
        raise Refused(TrialCode.NOTHING_POSTED.at(trial.place))
    here = {unit.cluster for unit in units}
    blocked = trial.experiment.design.method == "blocked"  # other draws cannot be cut to the batches posted
    allocated = [row for row in recorded.allocated if row.cluster in here or not blocked]
    experiment = trial.experiment
    arms = (experiment.control.id, *(arm for arm in experiment.arm_ids if arm != experiment.control.id))
    designs = designs_of(trial, recorded.seals, recorded.amendments)
    arms += tuple(dict.fromkeys(arm for design in designs for arm in design.arms if arm not in arms))
    lists = lists_of(recorded.batches.values(), recorded.allocated)
    assignment = assignment_of([as_allocated(row) for row in allocated], designs, lists, arms=arms)
    position = {row.cluster: number for number, row in enumerate(allocated)}
    drawn = np.array([position[unit.cluster] for unit in units], dtype=np.int64)
    whole = [_merged(recorded.households, unit.cluster) for unit in units]
    code = {cluster: number for number, cluster in enumerate(sorted(set(whole)))}
    days = [posted[unit.batch].day0 for unit in units]
    return Population(
        units=units,
        arms=arms,
        arm=assignment.arm[drawn].astype(np.int64),
        cluster=np.array([code[cluster] for cluster in whole], dtype=np.int64),
        drawn=drawn,
        joined=np.array([position.get(one, own) for one, own in zip(whole, drawn.tolist(), strict=True)], np.int64),
        stratum=assignment.stratum[drawn].astype(np.int64),
        strata=assignment.strata,
        day0=np.array(days, dtype=np.int64),
        primary=np.array([not unit.late for unit in units], dtype=np.bool_),
        assignment=assignment,
        pair=assignment.group[drawn].astype(np.int64) if experiment.design.method == "pairs" else None,
        balanced=_balanced(experiment, [allocated[place] for place in drawn], lists),
    )


def lists_of(batches: Iterable[BatchRow], allocated: Iterable[AllocationRow]) -> dict[int, dict[str, str | Entry]]:
    """Each batch's list as frozen: the stratum of each cluster, and what the draw looked at besides."""
    more = {batch.number: json.loads(batch.flow_json).get("list", {}) for batch in batches}
    return as_listed(more, allocated)


def _balanced(
    experiment: LiveExperiment, rows: Sequence[AllocationRow], lists: Mapping[int, Mapping[str, str | Entry]]
) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """What the draw balanced, for the analysis to adjust for: covariates as listed, levels of factors but the first.

    `rows` has each unit's allocation.
    """
    design = experiment.design
    found: dict[str, np.ndarray[Any, np.dtype[np.float64]]] = {}
    if design.method == "rerandomised":
        listed = [Entry.of(lists[row.batch][row.cluster]).covariates for row in rows]
        for index, name in enumerate(design.covariates):
            values = [np.nan if held[index] is None else held[index] for held in listed]
            found[name] = np.array(values, dtype=np.float64)
    if design.method == "minimised":
        levels = [row.stratum.split("\t") for row in rows]
        for index, name in enumerate(design.strata):
            held = np.array([level[index] for level in levels])
            for level in sorted(set(held.tolist()))[1:]:
                found[f"{name} {level}"] = (held == level).astype(np.float64)
    return found


def _merged(households: Mapping[str, HouseholdRow], cluster: str) -> str:
    """The household a cluster turned out to be: two found to be one keep their arms, the variance joins them (§2)."""
    while (into := households[cluster].merged_into) is not None:  # always to a smaller code, so it ends
        cluster = into
    return cluster
