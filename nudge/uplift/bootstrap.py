"""The BCa interval of a difference of means: clusters drawn again within arm and stratum, and the skew allowed for.

Efron (1987), JASA 82, 171-185; several samples after Davison & Hinkley (1997), 5.3. A check on the interval by t, which
leans on sums being nearly normal; it has no test of its own.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from nudge.allocation.streams import Words
from nudge.uplift.clusters import compared, constant
from nudge.uplift.comparison import Comparison, Row
from nudge.uplift.estimate import CiMethod, Flag, Interval, Measure
from nudge.uplift.units import FloatArray, IntArray, sum_by

RESAMPLES: Final = 1_999
MOST_CLUSTERS: Final = 5_000
"""With more clusters sums are as good as normal, and the row is left out."""
_CHUNK: Final = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Bca:
    """What the resamples give: the estimate, its resampled values in order, bias z0 and acceleration a."""

    estimate: float
    resampled: FloatArray
    z0: float
    acceleration: float

    def limits(self, critical: float) -> Interval:
        """The BCa interval for a two-sided normal critical value."""
        ranks = []
        for z in (-critical, critical):
            away = self.z0 + z
            ranks.append(float(ndtr(self.z0 + away / (1 - self.acceleration * away))))
        places = np.clip(np.array(ranks) * (self.resampled.size + 1), 1, self.resampled.size) - 1
        low, high = np.interp(places, np.arange(self.resampled.size), self.resampled)
        return float(low), float(high)


def bca(n: FloatArray, total: FloatArray, z: IntArray, stratum: IntArray, key: bytes) -> Bca | None:
    """From cluster sizes, sums of y, arms and strata, every stratum holding both arms; strata weigh n1·n0/n.

    None where every resample or every cluster left out gives the same.
    """
    strata = int(stratum.max(initial=-1)) + 1
    middle = float(total.sum() / n.sum())
    total = total - middle * n
    cell = stratum * 2 + z
    sums = np.stack([sum_by(cell, 2 * strata, part) for part in (n, total)], axis=1)
    estimate = float(_difference(sums[None])[0])
    scale = float(np.abs(total).max(initial=0.0)) or 1.0
    order = np.lexsort((total, n, cell))  # by content, so that no order of rows or names matters
    n, total, cell = n[order], total[order], cell[order]
    told: dict[bytes, int] = {}
    resampled = np.empty((RESAMPLES, 2 * strata, 2))
    influence = np.zeros(n.size)
    for code in np.unique(cell):
        members = np.flatnonzero(cell == code)
        size = members.size
        words = _stream(key, n[members], total[members] / scale, told)
        rows = max(_CHUNK // size, 1)
        for start in range(0, RESAMPLES, rows):
            count = min(rows, RESAMPLES - start)
            drawn = (words.take(count * size).reshape(count, size) >> np.uint64(32)) * np.uint64(size) >> np.uint64(32)
            chosen = members[drawn.astype(np.int64)]
            resampled[start : start + count, code, 0] = n[chosen].sum(axis=1)
            resampled[start : start + count, code, 1] = total[chosen].sum(axis=1)
        if size > 1:  # each cluster left out in turn
            left = np.repeat(sums[None], size, axis=0)
            left[:, code, 0] -= n[members]
            left[:, code, 1] -= total[members]
            influence[members] = (size - 1) / size * (estimate - _difference(left))
    values = np.sort(_difference(resampled))
    spread = float((influence**2).sum())
    size_of_y = scale + abs(middle)
    if values[-1] - values[0] <= 1e-12 * size_of_y or not spread > 0:
        return None
    tie = 1e-12 * size_of_y
    below = (np.count_nonzero(values < estimate - tie) + np.count_nonzero(values <= estimate + tie)) / (2 * values.size)
    if not 0 < below < 1:
        return None
    acceleration = float((influence**3).sum() / (6 * spread**1.5))
    return Bca(estimate=estimate, resampled=values, z0=float(ndtri(below)), acceleration=acceleration)


def bootstrap_row(comparison: Comparison, y: FloatArray, key: bytes) -> Row | None:
    """The row of sensitivity; None where clusters are too many to need it, or span arms or strata."""
    table, measure = comparison.table, Measure.MEAN_DIFFERENCE
    used, dropped = compared(comparison.z, table.stratum_codes)
    row = Row(
        measure=measure,
        method=f"Difference of means, BCa interval of {RESAMPLES:,} resamples of whole clusters within arm"
        + (" and stratum" if comparison.stratified else ""),
        strata=comparison.strata if comparison.stratified else (),
        strata_dropped=dropped,
    )
    if not used.any():
        return row.flagged(Flag.EMPTY_ARM)
    z, y = comparison.z[used], y[used]
    _, layer = np.unique(table.stratum_codes[used], return_inverse=True)
    codes, first, place = np.unique(table.cluster_codes[used], return_index=True, return_inverse=True)
    if codes.size > MOST_CLUSTERS or not (constant(z, place) and constant(layer, place)):
        return None
    of_arm = z[first]
    found = bca(sum_by(place, codes.size), sum_by(place, codes.size, y), of_arm, layer[first], key)
    if min(int((of_arm == code).sum()) for code in (1, 0)) < 2:
        return row.flagged(Flag.ONE_CLUSTER_IN_ARM)
    if found is None:
        return row.flagged(Flag.NO_VARIANCE)
    return replace(
        row,
        estimate=found.estimate,
        se=float(found.resampled.std(ddof=1)),
        ci_method=CiMethod.BCA,
        limits=found.limits,
    )


def _stream(key: bytes, n: FloatArray, total: FloatArray, told: dict[bytes, int]) -> Words:
    """The words of one arm in one stratum: keyed by its own clusters, so that arms which change places mirror.

    Where two hold the very same clusters, the second has words of its own: they must not move together.
    """
    content = np.stack([n, np.round(total, 9) + 0.0], axis=1).astype("<f8").tobytes()
    told[content] = told.get(content, 0) + 1
    message = b"nudge-bootstrap/1\n" + key + told[content].to_bytes(4, "big") + content
    return Words(hashlib.sha256(message).digest()[:16])


def _difference(sums: npt.NDArray[np.float64]) -> FloatArray:
    """Arm less reference from (rows, 2·strata, size and total), strata weighing n1·n0/n as dummies make them."""
    n_0, n_1 = sums[:, 0::2, 0], sums[:, 1::2, 0]
    weight = n_1 * n_0 / (n_1 + n_0)
    return np.asarray((weight * (sums[:, 1::2, 1] / n_1 - sums[:, 0::2, 1] / n_0)).sum(axis=1) / weight.sum(axis=1))
