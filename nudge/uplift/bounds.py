"""How far missing outcomes could move an effect: Manski's bounds, which assume nothing, and Lee's trimming bounds.

Only where some outcome is missing. The effect may lie anywhere between the two bounds, so what is printed with them is
an interval that holds the effect itself (Imbens & Manski 2004), not both ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from nudge.experiment.definition import OutcomeType
from nudge.uplift.clusters import arm_effect
from nudge.uplift.comparison import Comparison
from nudge.uplift.context import Context
from nudge.uplift.estimate import Interval
from nudge.uplift.outcome_rows import unit_values
from nudge.uplift.units import BoolArray, FloatArray, IntArray, UnitTable, distinct

_NARROWEST: Final = 1e-12
_SUMS: Final = frozenset({OutcomeType.RATE, OutcomeType.RATIO})  # no value of one unit stands for itself


def bounds_panel(context: Context) -> list[Mapping[str, Any]]:
    """Two lines per comparison with a missing outcome, `manski` and (of a draw) `lee`; none for rates and pairs."""
    missing = context.table.missing
    if missing is None or context.outcome.type in _SUMS or context.table.pair is not None:
        return []
    return [line for comparison in context.comparisons for line in _lines(context, comparison, missing)]


def _lines(context: Context, comparison: Comparison, missing: UnitTable) -> Iterator[Mapping[str, Any]]:
    code = context.table.arms.index(comparison.arm)
    lost = [int((missing.arm == one).sum()) for one in (code, 0)]
    if not any(lost) or 0 in comparison.sizes:
        return
    sample = Sample.of(comparison, missing, code, unit_values(comparison, context.plan))
    ends = _range(context)
    whole = context.outcome.type is not OutcomeType.TIME_TO_EVENT or _complete(context, comparison, sample)
    outside = ends is not None and bool(((sample.known < ends[0]) | (sample.known > ends[1])).any())
    stratified = context.facts.trim_within_strata and comparison.stratified
    confidence = context.settings.confidence
    for kind in ("manski", "lee") if context.randomised else ("manski",):  # only a draw makes those measured alike
        reason, found, share, trimmed = None, None, None, None
        if not whole:
            reason = "follow_up_incomplete"
        elif kind == "lee":
            found, share, trimmed = lee(sample, within_strata=stratified)
        elif ends is None:
            reason = "no_range"
        elif outside:
            reason = "value_outside_range"
        else:
            found = manski(sample, ends)
        yield {
            "arm": comparison.arm,
            "reference": comparison.reference,
            "kind": kind,
            "missing_arm": lost[0],
            "missing_reference": lost[1],
            "assigned_arm": lost[0] + comparison.sizes[0],
            "assigned_reference": lost[1] + comparison.sizes[1],
            "range": ends if kind == "manski" else None,
            "trim_share": share,
            "trimmed": None if trimmed is None else (comparison.arm if trimmed else comparison.reference),
            "within_strata": stratified if kind == "lee" else None,
            "bounds": None if found is None else (found.low, found.high),
            "se": None if found is None else (found.low_se, found.high_se),
            "ci": None if found is None else found.interval(confidence),
            "confidence": confidence,
            "reason": reason or (None if found is not None else "nothing_to_compare"),
        }


def _range(context: Context) -> Interval | None:
    """The least and the most that y can be; a mean's must be declared."""
    if context.outcome.type is OutcomeType.PROPORTION:
        return 0.0, 1.0
    if context.outcome.type is OutcomeType.TIME_TO_EVENT:
        return 0.0, context.plan.horizon
    if context.outcome.range is None:
        return None
    low, high = context.outcome.range
    scale = 100.0 if context.money else 1.0
    return scale * low, scale * high


def _complete(context: Context, comparison: Comparison, sample: Sample) -> bool:
    """Whether each unit's value is its own day, cut to the horizon: then nobody was lost on the way."""
    time = comparison.table.time
    if time is None:
        return False
    return bool(np.array_equal(sample.y[sample.seen], np.minimum(time, context.plan.horizon)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Units of two arms, measured or not: z is 1 in the arm, `seen` where y is known (else y is 0)."""

    z: IntArray
    seen: BoolArray
    y: FloatArray
    stratum: IntArray
    cluster: IntArray

    @classmethod
    def of(cls, comparison: Comparison, missing: UnitTable, code: int, y: FloatArray) -> Sample:
        """The comparison's units with those of both arms whose outcome is missing."""
        table = comparison.table
        rows = (missing.arm == code) | (missing.arm == 0)
        lost = int(rows.sum())
        last = int(table.cluster_codes.max(initial=-1)) + 1
        own = np.arange(last, last + lost) if missing.cluster is None else missing.cluster[rows]
        layer = np.zeros(lost, dtype=np.int64) if missing.stratum is None else missing.stratum[rows]
        return cls(
            z=np.concatenate([comparison.z, (missing.arm[rows] != 0).astype(np.int64)]),
            seen=np.concatenate([np.ones(y.size, dtype=np.bool_), np.zeros(lost, dtype=np.bool_)]),
            y=np.concatenate([y, np.zeros(lost)]),
            stratum=np.concatenate([table.stratum_codes, layer]),
            cluster=np.concatenate([table.cluster_codes, own]),
        )

    @property
    def known(self) -> FloatArray:
        """The values that were measured."""
        return self.y[self.seen]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The lowest and highest effect, arm less reference, each with its standard error (None: it has none)."""

    low: float
    high: float
    low_se: float | None
    high_se: float | None

    def interval(self, confidence: float) -> Interval | None:
        """The interval that holds the effect, wherever between the bounds it lies, with this confidence."""
        if self.low_se is None or self.high_se is None:
            return None
        critical = imbens_manski(self.high - self.low, max(self.low_se, self.high_se), confidence)
        return self.low - critical * self.low_se, self.high + critical * self.high_se


def imbens_manski(width: float, se: float, confidence: float) -> float:
    """The root c of Phi(c + width/se) - Phi(-c) = confidence: between the one-sided and the two-sided quantile.

    Source: Imbens & Manski (2004), Econometrica 72, 1845-1857, equation 7.
    """
    if se <= _NARROWEST * max(width, 1.0):
        return float(ndtri(confidence)) if width > 0 else float(ndtri((1 + confidence) / 2))
    relative = width / se
    low, high = float(ndtri(confidence)), float(ndtri((1 + confidence) / 2))

    def missed(critical: float) -> float:
        return float(ndtr(critical + relative) - ndtr(-critical)) - confidence

    return low if missed(low) >= 0 else float(brentq(missed, low, high + 1e-9, xtol=1e-13))


def manski(sample: Sample, ends: Interval) -> Bounds | None:
    """Every missing value at the end of its range that hurts the arm, then at the end that helps it.

    By the regression of the headline, arm and strata with HC2 or CR2 (Manski 1990; Horowitz & Manski 2000).
    """
    low, high = ends
    found = []
    for of_arm, of_reference in ((low, high), (high, low)):
        y = np.where(sample.seen, sample.y, np.where(sample.z == 1, of_arm, of_reference))
        fit = arm_effect(y, sample.z, sample.stratum, sample.cluster)
        found.append((fit.estimate, fit.se))
    (lower, lower_se), (upper, upper_se) = found
    return None if lower is None or upper is None else Bounds(lower, upper, lower_se, upper_se)


def lee(sample: Sample, *, within_strata: bool = False) -> tuple[Bounds | None, float | None, bool | None]:
    """Lee's bounds for those who would be measured in either arm; the share trimmed, and whether it is the arm's.

    Being in one arm must never make a unit go unmeasured that would be measured in the other, all in one direction
    (within strata: in one direction in each). The arm with more of its units measured loses the share by which it has
    more, from the top for one bound and from the bottom for the other; a unit at the edge counts in part, so that the
    share is met and turning the outcome's sign turns the bounds. The errors count the share as estimated. Strata are
    weighed by those measured in either arm. Source: Lee (2009), Review of Economic Studies 76, 1071-1102.
    """
    if not within_strata:
        return _trimmed(sample)
    parts = []
    for code in np.unique(sample.stratum):
        rows = sample.stratum == code
        one = Sample(**{name: getattr(sample, name)[rows] for name in ("z", "seen", "y", "stratum", "cluster")})
        found, share, of_arm = _trimmed(one)
        if found is not None and share is not None:
            measured = min(float(one.seen[one.z == side].mean()) for side in (1, 0))
            parts.append((rows.sum() * measured, found, share, of_arm))
    if not parts:
        return None, None, None
    weight = np.array([part[0] for part in parts])
    weight /= weight.sum()
    errors: list[float | None] = []
    for name in ("low_se", "high_se"):
        own = [getattr(part[1], name) for part in parts]
        errors.append(None if None in own else math.sqrt(float((weight**2 * np.square(own)).sum())))
    low, high = (float(weight @ [getattr(part[1], name) for part in parts]) for name in ("low", "high"))
    share = float(weight @ [part[2] for part in parts])
    sides = {part[3] for part in parts if part[2] > 0}
    return Bounds(low, high, errors[0], errors[1]), share, sides.pop() if len(sides) == 1 else None


def _trimmed(sample: Sample) -> tuple[Bounds | None, float | None, bool | None]:
    one = [float(sample.seen[sample.z == code].mean()) if (sample.z == code).any() else 0.0 for code in (1, 0)]
    if min(one) <= 0:
        return None, None, None
    of_arm = one[0] >= one[1]
    z = sample.z if of_arm else 1 - sample.z
    low = _trimmed_difference(sample, z, top=True)
    high = _trimmed_difference(sample, z, top=False)
    share = 1 - min(one) / max(one)
    if of_arm:
        return Bounds(low[0], high[0], low[1], high[1]), share, True
    return Bounds(-high[0], -low[0], high[1], low[1]), share, False


def _trimmed_difference(sample: Sample, z: IntArray, *, top: bool) -> tuple[float, float | None]:
    """The trimmed mean of side 1 less the mean of side 0, with the error of its influence values summed by cluster.

    With τ the share kept, q the value at the edge and μ the mean kept, a unit measured adds ((y - q)1[kept] -
    τ(μ - q))/τ, and τ itself moves μ by (q - μ)/τ.
    """
    sign = 1.0 if top else -1.0
    seen, y = sample.seen, sign * sample.y
    ones, zeros = z == 1, z == 0
    share_1, share_0 = float(seen[ones].mean()), float(seen[zeros].mean())
    kept = min(share_0 / share_1, 1.0)
    values = np.sort(y[ones & seen])
    whole = kept * values.size
    count = min(math.floor(whole + 1e-9), values.size)
    part = max(whole - count, 0.0) if count < values.size else 0.0
    edge = float(values[min(count, values.size - 1)] if part > 1e-9 else values[max(count - 1, 0)])
    mean = float((values[:count].sum() + part * edge) / whole)
    other = float(y[zeros & seen].mean())
    influence = np.zeros(y.size)
    inside = ones & seen
    influence[inside] = (np.minimum(y[inside] - edge, 0.0) - kept * (mean - edge)) / (kept * share_1)
    influence[ones] -= (edge - mean) * (seen[ones] - share_1) / share_1 * (kept < 1)
    influence[ones] /= ones.sum()
    away = np.where(seen[zeros], -(y[zeros] - other) / share_0, 0.0)
    away += (edge - mean) * (seen[zeros] - share_0) / share_0 * (kept < 1)
    influence[zeros] = away / zeros.sum()
    by_cluster = np.bincount(sample.cluster, weights=influence)
    groups = distinct(sample.cluster)
    se: float | None = None
    if min(distinct(sample.cluster[side & seen]) for side in (ones, zeros)) > 1:
        se = math.sqrt(float(by_cluster @ by_cluster) * groups / (groups - 1))
    return sign * (mean - other), se
