"""The units of one arm and of its reference, and the row that an estimator makes of them.

A `Row` is an estimate before the randomisation test, the other arms and the verdict have had their say.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from nudge.allocation.assignment import Assignment
from nudge.uplift.clusters import Fit, compared
from nudge.uplift.estimate import RATIOS, CiMethod, Flag, Interval, Measure, PMethod
from nudge.uplift.rerandomisation import ClusterSums, Statistic, columns_of
from nudge.uplift.units import FloatArray, IntArray, UnitTable, distinct, sum_by

Limits: TypeAlias = Callable[[float], Interval]
"""The interval for a critical value."""

FEW_EVENTS: Final = 10
FEW_CLUSTERS: Final = 10
SMALL_ARM: Final = 50
FEW_EXPECTED: Final = 5


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two arms of a table whose cluster and drawn codes are explicit, and the draw between them if there was one."""

    arm: str
    reference: str
    table: UnitTable
    assignment: Assignment | None = None

    @classmethod
    def of(cls, table: UnitTable, arm: str, assignment: Assignment | None) -> Comparison:
        """The arm against the table's first; the assignment of all arms is cut down to these two."""
        code = table.arms.index(arm)
        rows = table.take((table.arm == 0) | (table.arm == code))
        if rows.sequences is not None:
            return cls(arm=arm, reference=table.arms[0], table=rows, assignment=rows.sequences.assignment)
        between = assignment.between(arm, table.arms[0]) if assignment is not None else None
        return cls(arm=arm, reference=table.arms[0], table=rows, assignment=between)

    @cached_property
    def z(self) -> IntArray:
        """1 for the arm, 0 for the reference, by unit."""
        return np.asarray(self.table.arm != 0, dtype=np.int64)

    @cached_property
    def sizes(self) -> tuple[int, int]:
        """Units in the arm and in the reference."""
        one = int(self.z.sum())
        return one, len(self.table) - one

    @cached_property
    def clusters(self) -> tuple[int, int]:
        """Clusters with a unit in the arm, and in the reference."""
        if not self.clustered:
            return self.sizes
        codes = self.table.cluster_codes
        return distinct(codes[self.z == 1]), distinct(codes[self.z == 0])

    @cached_property
    def clusters_compared(self) -> int:
        """Clusters compared, one that is in both arms counted once."""
        return distinct(self.table.cluster_codes)

    @cached_property
    def clusters_less_arms(self) -> float:
        """Degrees of freedom: the clusters compared, less 2."""
        return float(self.clusters_compared - 2)

    @cached_property
    def clustered(self) -> bool:
        """Whether any cluster holds more than one unit."""
        return self.table.clustered

    @cached_property
    def _strata(self) -> tuple[tuple[str, ...], int]:
        stratum = self.table.stratum_codes
        rows, dropped = compared(self.z, stratum)
        names = self.table.strata
        used = tuple(names[code] if names else str(code) for code in np.flatnonzero(np.bincount(stratum[rows])))
        return used, dropped

    @property
    def strata(self) -> tuple[str, ...]:
        """Names of the strata that hold both arms."""
        return self._strata[0]

    @property
    def strata_dropped(self) -> int:
        """How many strata hold one arm only, and have no weight."""
        return self._strata[1]

    @property
    def stratified(self) -> bool:
        """Whether the comparison has more than one stratum."""
        return len(self.strata) + self.strata_dropped > 1

    def by_cluster(self) -> tuple[Comparison, Callable[[FloatArray], FloatArray]]:
        """The same comparison with one row a cluster, and how unit values become each cluster's mean.

        A cluster that spans arms or strata has a row in each. The rows hold codes alone, no outcome.
        """
        table = self.table
        strata = int(table.stratum_codes.max(initial=0)) + 1
        side = (table.cluster_codes * 2 + self.z) * strata + table.stratum_codes
        _, first, place = np.unique(side, return_index=True, return_inverse=True)
        n = sum_by(place, first.size)
        rows = UnitTable(
            arms=table.arms,
            arm=table.arm[first],
            stratum=None if table.stratum is None else table.stratum[first],
            strata=table.strata,
            cluster=table.cluster_codes[first],
            drawn=table.drawn_codes[first],
        )
        return replace_table(self, rows), lambda y: sum_by(place, first.size, y) / n

    def sums(self, y: FloatArray, *, strata: bool = True, shifted: bool = True) -> ClusterSums:
        """y summed by drawn cluster, for redraws. Needs the assignment."""
        if self.assignment is None:
            msg = "no assignment to redraw"
            raise ValueError(msg)
        column = columns_of(self.assignment, self.table.drawn_codes)
        if not bool((self.assignment.arm[column] == self.z).all()):
            msg = "a unit's arm is not the arm that its cluster was drawn to"
            raise ValueError(msg)
        stratum = self.table.stratum_codes if strata else np.zeros(len(self.table), dtype=np.int64)
        return ClusterSums.of(y, stratum, column, len(self.assignment), shifted=shifted)


def replace_table(comparison: Comparison, table: UnitTable) -> Comparison:
    """The comparison on other rows of the same clusters."""
    return Comparison(arm=comparison.arm, reference=comparison.reference, table=table, assignment=comparison.assignment)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One estimate with everything needed to finish it.

    `statistic` and `p_value` are those of `p_method`, the row's own test. `redrawn` makes the statistic that the
    randomisation test compares, and `needs_redraw` says that the table of rules §5 asks for it.
    """

    measure: Measure
    method: str
    estimate: float | None = None
    se: float | None = None
    df: float | None = None
    ci_method: CiMethod | None = None
    limits: Limits | None = None
    statistic: float | None = None
    p_value: float | None = None
    p_method: PMethod | None = None
    redrawn: Callable[[], Statistic] | None = None
    needs_redraw: bool = False
    redraws: int | None = None
    influence: FloatArray | None = None
    design_effect: float | None = None
    events: int | None = None
    strata: tuple[str, ...] = ()
    strata_dropped: int = 0
    covariates: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()

    def critical(self, confidence: float) -> float:
        """The two-sided critical value of the row's own distribution."""
        upper = (1 + confidence) / 2
        return float(ndtri(upper) if self.df is None else stdtrit(self.df, upper))

    def flagged(self, *flags: Flag) -> Row:
        """The row with more flags, each once, in the order first given."""
        return replace(self, flags=tuple(dict.fromkeys((*self.flags, *flags))))


def two_sided(statistic: float, df: float | None) -> float:
    """P(|T| >= |statistic|), T normal where df is None, else t."""
    tail = ndtr(-abs(statistic)) if df is None else stdtr(df, -abs(statistic))
    return float(2 * tail)


def wald_limits(estimate: float, se: float, measure: Measure) -> Limits:
    """estimate ± critical·se, on the logarithm for a ratio."""
    if measure in RATIOS:
        return lambda critical: (estimate * math.exp(-critical * se), estimate * math.exp(critical * se))
    return lambda critical: (estimate - critical * se, estimate + critical * se)


def fitted_row(fit: Fit, comparison: Comparison, *, measure: Measure, method: str) -> Row:
    """A Wald row from a least-squares fit: HC2 or CR2 with Satterthwaite's t. Null where the fit has no variance."""
    row = Row(
        measure=measure,
        method=method,
        estimate=fit.estimate,
        influence=fit.influence,
        strata=comparison.strata if comparison.stratified else (),
        strata_dropped=fit.strata_dropped,
    )
    if fit.strata_dropped:
        row = row.flagged(Flag.STRATA_DROPPED)
    if fit.one_cluster:
        row = row.flagged(Flag.ONE_CLUSTER_IN_ARM)
    if fit.estimate is None:
        return row.flagged(Flag.EMPTY_ARM)
    if fit.se is None or fit.df is None or not fit.se > 0:
        return row if fit.one_cluster else row.flagged(Flag.NO_VARIANCE)
    statistic = fit.estimate / fit.se
    return replace(
        row,
        se=fit.se,
        df=fit.df,
        ci_method=CiMethod.CR2_T if comparison.clustered else CiMethod.HC2_T,
        limits=wald_limits(fit.estimate, fit.se, measure),
        statistic=statistic,
        p_value=two_sided(statistic, fit.df),
        p_method=PMethod.WALD_T,
    )


def empty_row(measure: Measure, method: str) -> Row:
    """What stands where an arm holds no unit."""
    return Row(measure=measure, method=method, flags=(Flag.EMPTY_ARM,))
