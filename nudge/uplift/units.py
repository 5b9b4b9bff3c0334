"""One outcome's data: a row per unit (`UnitTable`), or counts by arm, stratum, day and event (`Counts`).

Both add up across batches and councils, and give the same numbers where both apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from nudge.uplift.sequence import Sequences

IntArray: TypeAlias = npt.NDArray[np.int64]
FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

_ROWS: Final = 32_768  # counted at once
_PER_UNIT: Final = (
    *("arm", "stratum", "cluster", "drawn", "time", "event", "follow_up", "competing", "y", "count", "exposure"),
    *(
        "over",
        "baseline",
        "baseline_exposure",
        "pair",
        "primary",
        "period",
        "joined",
        "received",
        "spent",
        "later_letters",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup:
    """A declared column or band, known before the draw: codes into `levels` by unit, -1 where it is missing."""

    codes: IntArray
    levels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitTable:
    """Arrays of one outcome, n rows, one per unit analysed; the reference is arm 0.

    `arm`, `stratum`, `cluster` hold codes from 0. `cluster` None: each unit is its own. `drawn` is the position of
    the unit's cluster in the `Assignment`; None: the same as `cluster`, or the row where that too is None.
    Times are in the outcome's unit: `time` to the event (where `event`) or to the end of follow-up; `follow_up`
    the time each unit was followed for whether or not it responded; `competing` the time of the first competing
    event, infinite where there was none (used by a sensitivity row only).
    `y` is 0/1 for a proportion, the number for a mean, the numerator of a ratio whose
    denominator is `over`; `count` and `exposure` make a rate. A covariate may hold NaN where it is
    missing; nothing else may. `primary` False marks a late member: outside the primary population.
    `joined` is `drawn`, but of clusters found to be one the place of the one that the others are part of.
    `sequences`: clusters had one arm after the other, `period` says when; strata are then periods within strata.
    `received` is the code of the arm whose letter reached the unit, -1 where none did; `spent` what was spent on it, in
    pence; `later_letters` how many letters of later waves it was sent: for the panels, never an estimate.
    `assigned` counts the units allocated to each arm, `missing_by` those of them that are not in the rows, by reason.
    `missing` holds arm, stratum and cluster of the units whose outcome is missing, for its bounds; None: unknown.
    """

    arms: tuple[str, ...]
    arm: IntArray
    stratum: IntArray | None = None
    strata: tuple[str, ...] = ()
    cluster: IntArray | None = None
    drawn: IntArray | None = None
    time: FloatArray | None = None
    event: BoolArray | None = None
    follow_up: FloatArray | None = None
    competing: FloatArray | None = None
    y: FloatArray | None = None
    count: FloatArray | None = None
    exposure: FloatArray | None = None
    over: FloatArray | None = None
    baseline: FloatArray | None = None
    baseline_exposure: FloatArray | None = None
    covariates: Mapping[str, FloatArray] = field(default_factory=dict)
    subgroups: Mapping[str, Subgroup] = field(default_factory=dict)
    pair: IntArray | None = None
    primary: BoolArray | None = None
    period: IntArray | None = None
    joined: IntArray | None = None
    sequences: Sequences | None = None
    received: IntArray | None = None
    spent: FloatArray | None = None
    later_letters: FloatArray | None = None
    assigned: Mapping[str, int] = field(default_factory=dict)
    missing_by: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    missing: UnitTable | None = None

    def __post_init__(self) -> None:
        for name in _PER_UNIT:
            column = getattr(self, name)
            if column is not None and column.shape != self.arm.shape:
                msg = f"{name} has shape {column.shape}, arm {self.arm.shape}"
                raise ValueError(msg)
        for name in ("time", "follow_up", "y", "count", "exposure", "over", "baseline", "baseline_exposure"):
            column = getattr(self, name)
            if column is not None and not np.isfinite(column).all():
                msg = f"{name} holds a value that is missing or infinite: such a unit belongs in missing_by"
                raise ValueError(msg)

    def __len__(self) -> int:
        return int(self.arm.size)

    def take(self, rows: BoolArray) -> UnitTable:
        """The rows chosen; codes, arm names and counts of assigned and missing units stay as they are."""
        places = np.flatnonzero(rows)  # once, instead of for every column
        changes: dict[str, object] = {
            name: getattr(self, name).take(places) for name in _PER_UNIT if getattr(self, name) is not None
        }
        if self.drawn is None and self.cluster is None:
            changes["drawn"] = places  # a row was its own position
        changes["covariates"] = {name: values.take(places) for name, values in self.covariates.items()}
        changes["subgroups"] = {
            name: replace(found, codes=found.codes.take(places)) for name, found in self.subgroups.items()
        }
        return replace(self, **changes)  # type: ignore[arg-type]

    def coded(self) -> UnitTable:
        """The same rows with cluster and drawn codes written out, so that a part of them keeps its codes."""
        return replace(self, cluster=self.cluster_codes, drawn=self.drawn_codes)

    def primary_only(self) -> UnitTable:
        """Without the late members."""
        return self if self.primary is None or bool(self.primary.all()) else self.take(self.primary)

    @property
    def stratum_codes(self) -> IntArray:
        """Analysis strata, all 0 where there are none."""
        return np.zeros(len(self), dtype=np.int64) if self.stratum is None else self.stratum

    @property
    def cluster_codes(self) -> IntArray:
        """Clusters, each unit its own where none are declared."""
        return np.arange(len(self)) if self.cluster is None else self.cluster

    @property
    def drawn_codes(self) -> IntArray:
        """The position of each unit's cluster in the assignment."""
        return self.cluster_codes if self.drawn is None else self.drawn

    @property
    def clustered(self) -> bool:
        """Whether any cluster holds more than one of these units."""
        return self.cluster is not None and not apart(self.cluster)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Units by arm, stratum, whole day 0..H and event: the sufficient statistic of an unclustered time to event.

    `table` has shape (arms, strata, H + 1, 2); `[..., 0]` counts units censored on the day, `[..., 1]` events.
    Counts of batches and of councils that share arms, strata and H add up with `+`.
    """

    arms: tuple[str, ...]
    table: IntArray
    strata: tuple[str, ...] = ("all",)
    assigned: Mapping[str, int] = field(default_factory=dict)
    missing_by: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.table.ndim != 4 or self.table.shape[:2] != (len(self.arms), len(self.strata)):
            msg = f"table has shape {self.table.shape}, for {len(self.arms)} arms and {len(self.strata)} strata"
            raise ValueError(msg)
        if not np.issubdtype(self.table.dtype, np.integer) or (self.table < 0).any():
            msg = "counts are whole numbers from 0"
            raise ValueError(msg)

    def __add__(self, other: Counts) -> Counts:
        if (self.arms, self.strata, self.table.shape) != (other.arms, other.strata, other.table.shape):
            msg = "counts add up only over the same arms, strata and days"
            raise ValueError(msg)
        return Counts(
            arms=self.arms,
            strata=self.strata,
            table=self.table + other.table,
            assigned=_sum(self.assigned, other.assigned),
            missing_by={
                arm: _sum(self.missing_by.get(arm, {}), other.missing_by.get(arm, {}))
                for arm in {**self.missing_by, **other.missing_by}
            },
        )

    @classmethod
    def of(cls, table: UnitTable, horizon: int) -> Counts:
        """Count the rows of a table whose times are whole days; later days are cut to the horizon without event."""
        if table.time is None or table.event is None:
            msg = "only a time to event can be counted by day"
            raise ValueError(msg)
        if table.clustered:
            msg = "counts lose the clusters: analyse the units"
            raise ValueError(msg)
        strata = table.strata or ("all",)
        shape = (len(table.arms), len(strata), horizon + 1, 2)
        counted = np.zeros(int(np.prod(shape)), dtype=np.int64)
        layer, size = table.stratum, max(_ROWS, counted.size)
        for start in range(0, len(table), size):  # a chunk's cells stay close to the processor: twice as quick
            rows = slice(start, start + size)
            time = table.time[rows]
            cut = np.minimum(time, horizon)
            day = cut.astype(np.int64)
            if (day != cut).any() or (day < 0).any():
                msg = "counts need whole days from 0"
                raise ValueError(msg)
            cell = table.arm[rows] * shape[1]
            if layer is not None:
                cell += layer[rows]
            cell *= shape[2]
            cell += day
            cell *= 2
            cell += table.event[rows] & (time <= horizon)
            counted += np.bincount(cell, minlength=counted.size)
        counted = counted.reshape(shape)
        return cls(arms=table.arms, strata=strata, table=counted, assigned=table.assigned, missing_by=table.missing_by)

    def units(self) -> UnitTable:
        """A row per unit, in the order arm, stratum, day, censored before event."""
        times = self.table.reshape(-1)
        arm, stratum, day, event = (
            np.repeat(index.reshape(-1), times) for index in np.indices(self.table.shape, dtype=np.int64)
        )
        return UnitTable(
            arms=self.arms,
            arm=arm,
            stratum=stratum if len(self.strata) > 1 else None,
            strata=self.strata if len(self.strata) > 1 else (),
            time=day.astype(np.float64),
            event=event.astype(np.bool_),
            assigned=self.assigned,
            missing_by=self.missing_by,
        )


def distinct(codes: IntArray) -> int:
    """How many different codes there are."""
    return int(np.count_nonzero(np.bincount(codes))) if codes.size else 0


def apart(codes: IntArray) -> bool:
    """Whether no code comes twice: seen at once where they rise, as the codes of rows that are their own clusters."""
    return bool((codes[1:] > codes[:-1]).all()) or not bool((np.bincount(codes) > 1).any())


def sum_by(codes: IntArray, size: int, weights: FloatArray | IntArray | None = None) -> FloatArray:
    """Weights (or 1 each) added up by code, shape (size,)."""
    return np.bincount(codes, weights=weights, minlength=size).astype(np.float64)


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}
