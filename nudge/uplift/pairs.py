"""Matched pairs: the mean difference within pairs, Student's t on pairs, and the signs flipped.

Which unit of a pair got the arm was the toss of a coin; flipping a pair's sign is that coin falling the other way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from nudge.allocation.streams import Words
from nudge.uplift.comparison import Comparison, Row, wald_limits
from nudge.uplift.estimate import CiMethod, Flag, Measure, PMethod
from nudge.uplift.units import FloatArray, IntArray, UnitTable, sum_by

MOST_EXACT_PAIRS: Final = 20
_TIE: Final = 1e-9
_NOISE: Final = 1e-12  # of the largest |y|: a spread below this is what rounding left of none
_CHUNK: Final = 1 << 14


@dataclass(frozen=True, slots=True)
class Flipped:
    """A sign-flip test: its p, whether every pattern of signs was tried, and how many were."""

    p_value: float
    exact: bool
    redraws: int


def pair_differences(y: FloatArray, z: IntArray, pair: IntArray) -> tuple[FloatArray, IntArray, int]:
    """Within each pair, the arm's mean less the reference's; the pairs' codes; and how many pairs lack an arm."""
    size = int(pair.max(initial=-1)) + 1
    n_1, n = sum_by(pair, size, z), sum_by(pair, size)
    whole = (n_1 > 0) & (n_1 < n)
    total_1, total = sum_by(pair, size, y * z), sum_by(pair, size, y)
    codes = np.flatnonzero(whole)
    found = total_1[codes] / n_1[codes] - (total - total_1)[codes] / (n - n_1)[codes]
    return found, codes, int(((n > 0) & ~whole).sum())


def sign_flip(differences: FloatArray, key: bytes, redraws: int) -> Flipped:
    """Two-sided on |Σ ±d|, which orders patterns as |t| does: exact to 20 pairs, else (1 + c)/(B + 1)."""
    size = differences.size
    exact = size <= MOST_EXACT_PAIRS
    many = 1 << size if exact else redraws
    bound = abs(float(differences.sum()))
    tie = _TIE * max(1.0, bound)
    words = None if exact else Words(key)
    extreme = 0
    for start in range(0, many, _CHUNK):
        rows = min(_CHUNK, many - start)
        if words is None:
            bits = (np.arange(start, start + rows)[:, None] >> np.arange(size)) & 1
        else:
            per = -(-size // 64)
            bits = _bits(words.take(rows * per).reshape(rows, per), size)
        extreme += int((np.abs((1 - 2 * bits) @ differences) >= bound - tie).sum())
    return Flipped(extreme / many if exact else (1 + extreme) / (many + 1), exact, many)


def pair_row(comparison: Comparison, y: FloatArray, *, measure: Measure, what: str, key: bytes, redraws: int) -> Row:
    """The mean within-pair difference of any unit values; for a rate ratio the values are logarithms.

    Where the table has a baseline, `y` is the change from it.
    """
    table = comparison.table
    if table.pair is None:
        msg = "pairs are analysed only where they are named"
        raise ValueError(msg)
    differences, codes, dropped = pair_differences(y, comparison.z, table.pair)
    logged = " of logarithms" if measure is Measure.RATE_RATIO else ""
    before = ", less the same before" if table.baseline is not None else ""
    row = Row(
        measure=measure,
        method=f"{what}: mean within-pair difference{logged}{before}, t on pairs less one",
        strata_dropped=dropped,
        covariates=("baseline",) if before else (),
    )
    if dropped:
        row = row.flagged(Flag.STRATA_DROPPED)
    if not differences.size:
        return row.flagged(Flag.EMPTY_ARM)
    mean = float(differences.mean())
    row = replace(row, estimate=math.exp(mean) if measure is Measure.RATE_RATIO else mean)
    if differences.size < 2:
        return row.flagged(Flag.NO_VARIANCE)
    influence = np.zeros(int(table.pair.max()) + 1)
    n = differences.size
    influence[codes] = (differences - mean) / math.sqrt(n * (n - 1))
    se = float(differences.std(ddof=1) / math.sqrt(n))
    test = sign_flip(differences, key, redraws)
    row = replace(
        row,
        p_value=test.p_value,
        p_method=PMethod.SIGN_FLIP_EXACT if test.exact else PMethod.SIGN_FLIP_DRAWN,
        redraws=test.redraws,
        influence=influence,
    )
    if test.exact and 2 / test.redraws >= 0.05:
        row = row.flagged(Flag.CANNOT_REACH_SIGNIFICANCE)
    if not se > _NOISE * float(np.abs(y).max()):
        return row.flagged(Flag.NO_VARIANCE)
    return replace(
        row,
        se=se,
        df=float(n - 1),
        ci_method=CiMethod.PAIRED_T,
        limits=wald_limits(row.estimate if row.estimate is not None else mean, se, measure),
        statistic=mean / se,
    )


def log_rates(table: UnitTable, z: IntArray) -> FloatArray:
    """log((count + ½)/exposure) of each unit's side of its pair, less the same at baseline where there is one."""
    if table.pair is None or table.count is None:
        msg = "paired rates need pair and count"
        raise ValueError(msg)
    side = table.pair * 2 + z

    def logged(count: FloatArray, exposure: FloatArray | None) -> FloatArray:
        size = int(side.max(initial=-1)) + 1
        with np.errstate(divide="ignore"):  # codes of no unit
            return np.asarray(np.log((sum_by(side, size, count) + 0.5) / sum_by(side, size, exposure))[side])

    found = logged(table.count, table.exposure)
    return found if table.baseline is None else found - logged(table.baseline, table.baseline_exposure)


def _bits(words: NDArray[np.uint64], size: int) -> NDArray[np.int64]:
    spread = (words[:, :, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    return spread.reshape(len(words), -1)[:, :size].astype(np.int64)
