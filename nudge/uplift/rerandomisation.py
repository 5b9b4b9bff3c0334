"""The randomisation test: the stored design drawn again, and the studentised difference compared each time.

Every statistic works on sums by cluster and on many redraws at once, never on units one redraw at a time. Two-sided,
on |T|; ties within 1e-9 count as extreme; exact where the design has no more allocations than `MOST_EXACT`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from nudge.allocation.arm_sums import ArmSums, Cells, picks
from nudge.allocation.assignment import Assignment
from nudge.uplift.units import FloatArray, IntArray, sum_by

Labels: TypeAlias = npt.NDArray[np.int8]
Statistic: TypeAlias = Callable[[Labels], FloatArray]
"""From redraws, int8 of shape (redraws, clusters), 1 for the arm, to one signed studentised statistic each."""

MOST_EXACT: Final = 9_999
MOST_CLUSTERS: Final = 20_000
_SUMS: Final = 400_000  # sums by cell gathered before they are finished together
_WIDE: Final = 256  # from here a matrix product takes several threads, and on a busy machine they wait for each other
_TIE: Final = 1e-9
_ZERO: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrawn:
    """What a randomisation test found. `statistic` is the observed one, None where it is infinite.

    `degenerate`: every redraw gave the same statistic, so the p-value of 1 says nothing and is not to be shown.
    """

    p_value: float
    statistic: float | None
    exact: bool
    redraws: int
    degenerate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSums:
    """Units and their outcomes summed by cluster, in the order of the redraws' columns.

    `n` units, `total` the sum of y; a cluster without analysed units has 0 of both. `stratum` codes from 0.
    Whole-number outcomes are shifted by a whole number, so that their sums stay exact and ties stay ties.
    """

    n: FloatArray
    total: FloatArray
    stratum: IntArray

    @classmethod
    def of(
        cls, y: FloatArray, stratum: IntArray, column: IntArray, clusters: int, *, shifted: bool = True
    ) -> ClusterSums:
        """Sum units into `clusters` columns. A cluster's units lie in one stratum. Events are summed unshifted."""
        shift = float(y.mean()) if y.size and shifted else 0.0
        shift = float(np.round(shift)) if bool((y == np.round(y)).all()) else shift
        of = np.zeros(clusters, dtype=np.int64)
        of[column] = stratum
        return cls(
            n=sum_by(column, clusters),
            total=sum_by(column, clusters, y - shift),
            stratum=of,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FromSums:
    """A statistic that needs only the sums over the arm's clusters, by cell.

    `added` makes them from redraws, `finish` the statistic from them, float64 (redraws, cells, values). Where the
    groups of the draw are small the sums come from `ArmSums` instead, and no redraw is written out.
    """

    cells: Cells
    added: Callable[[Labels], FloatArray]
    finish: Callable[[FloatArray], FloatArray]

    def __call__(self, labels: Labels) -> FloatArray:
        """The statistic of redraws written out."""
        return self.finish(self.added(labels))


def studentised(sums: ClusterSums) -> FromSums:
    """The arm's coefficient beside stratum dummies over its CR2 standard error (HC2 where a cluster is a unit).

    A cluster's share of the variance depends on the redraw only through its arm's mean in its stratum and its
    size, so clusters of one stratum and size are summed to their count, Σ y and Σ y² by one matrix product.
    """
    used = np.flatnonzero(sums.n)
    cells, place = np.unique(np.stack([sums.stratum[used], sums.n[used]]), axis=1, return_inverse=True)
    place = place.reshape(-1)
    if cells.shape[1] * 4 > used.size:  # nearly every cluster a cell of its own: no gain in summing
        order, starts = used[np.argsort(sums.stratum[used], kind="stable")], None
        stratum, n = sums.stratum[order], sums.n[order]
    else:
        turn = np.argsort(place, kind="stable")
        order, starts = used[turn], np.flatnonzero(np.diff(place[turn], prepend=-1))
        stratum, n = cells[0].astype(np.int64), cells[1]
    total = sums.total[order]
    moments = np.stack([np.ones(total.size), total, total**2], axis=1)
    every = moments if starts is None else np.add.reduceat(moments, starts, axis=0)
    strata = int(stratum.max(initial=0)) + 1
    into = np.zeros((stratum.size, strata))
    into[np.arange(stratum.size), stratum] = 1.0
    n_s = np.maximum((n * every[:, 0]) @ into, 1.0)
    mean = (every[:, 1] @ into) / n_s
    size_of_y, size_of_y2 = float(np.abs(total).sum()), float(every[:, 2].sum())

    def finish(one: FloatArray) -> FloatArray:
        zero = every - one
        p = (n * one[..., 0]) @ into / n_s
        spread = (n_s * p * (1 - p)).sum(axis=1)
        away_y = (one[..., 1] @ into - p * (mean * n_s)).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            effect = np.where(spread > 0, away_y / spread, 0.0)
            variance = np.zeros(len(one))
            for part, arm in ((one, 1.0), (zero, 0.0)):
                away = arm - p
                fitted = (mean + effect[:, None] * away)[:, stratum]
                away = away[:, stratum]
                squares = part[..., 2] - 2 * n * fitted * part[..., 1] + (n * fitted) ** 2 * part[..., 0]
                left = 1 - n / n_s[stratum] - n * away**2 / spread[:, None]
                share = away**2 * squares / left
                variance += np.where((left > _TIE) & (away != 0), share, 0.0).sum(axis=1)
        nothing = (np.abs(away_y) <= _ZERO * size_of_y) | (spread <= 0)
        return _ratio(away_y, variance, nothing, variance <= _ZERO * size_of_y2)

    cell = np.full(sums.n.size, -1, dtype=np.int64)
    cell[order] = np.arange(order.size) if starts is None else np.sort(place)
    values = np.zeros((sums.n.size, 3))
    values[order] = moments
    return FromSums(
        cells=Cells(cell=cell, stratum=stratum, values=values),
        added=lambda labels: _moments(labels.take(order, axis=1), moments, starts),
        finish=finish,
    )


def mantel_haenszel(sums: ClusterSums) -> FromSums:
    """The signed root of Cochran-Mantel-Haenszel; with one stratum, the score statistic at no difference."""
    strata = int(sums.stratum.max(initial=0)) + 1
    into = np.zeros((sums.n.size, strata))
    into[np.arange(sums.n.size), sums.stratum] = 1.0
    moments = np.concatenate([into * sums.n[:, None], into * sums.total[:, None]], axis=1)
    n, x = moments.sum(axis=0)[:strata], moments.sum(axis=0)[strata:]
    use = n > 1

    def finish(one: FloatArray) -> FloatArray:
        n_1, x_1 = one[:, use, 0], one[:, use, 1]
        away = (x_1 - n_1 * (x[use] / n[use])).sum(axis=1)
        variance = (n_1 * (n[use] - n_1) * (x * (n - x))[use] / (n**2 * (n - 1))[use]).sum(axis=1)
        return _ratio(away, variance, np.abs(away) <= _ZERO * max(float(np.abs(x).sum()), 1.0), variance <= 0)

    return FromSums(
        cells=Cells(
            cell=sums.stratum,
            stratum=np.arange(strata),
            values=np.stack([sums.n, sums.total], axis=1),
        ),
        added=lambda labels: (labels.astype(np.float64) @ moments).reshape(len(labels), 2, strata).transpose(0, 2, 1),
        finish=finish,
    )


def redraw_test(
    assignment: Assignment, statistics: Sequence[Statistic], key: bytes, redraws: int
) -> tuple[Redrawn, ...]:
    """One test per statistic, all on the same redraws of two arms (`Assignment.between`).

    Exact p: the share of allocations as extreme as the one drawn. Otherwise (1 + c)/(B + 1) with B = `redraws`.
    """
    exact = assignment.allocations() <= MOST_EXACT
    done = int(assignment.allocations()) if exact else redraws
    values = _listed(assignment, statistics) if exact else _drawn(assignment, statistics, key, redraws)
    seen = np.array([statistic(assignment.arm[None, :])[0] for statistic in statistics])
    extreme = np.zeros(len(seen), dtype=np.int64)
    low, high = np.full(len(seen), np.inf), np.full(len(seen), -np.inf)
    for index, found in values:
        size, bound = np.abs(found), abs(seen[index])
        extreme[index] += (
            int((size >= bound - _TIE * max(1.0, bound)).sum()) if np.isfinite(bound) else int(np.isinf(size).sum())
        )
        low[index], high[index] = min(low[index], found.min()), max(high[index], found.max())
    return tuple(
        Redrawn(
            p_value=float(count / done if exact else (1 + count) / (done + 1)),
            statistic=float(value) if np.isfinite(value) else None,
            exact=exact,
            redraws=done,
            degenerate=bool(lowest == highest or highest - lowest <= _TIE),
        )
        for count, value, lowest, highest in zip(extreme, seen, low, high, strict=True)
    )


def _listed(assignment: Assignment, statistics: Sequence[Statistic]) -> Iterator[tuple[int, FloatArray]]:
    labels = assignment.enumerate()
    for index, statistic in enumerate(statistics):
        yield index, statistic(labels)


def _drawn(
    assignment: Assignment, statistics: Sequence[Statistic], key: bytes, redraws: int
) -> Iterator[tuple[int, FloatArray]]:
    """Which statistic, and its values in some of the redraws; redraws are written out only for those that need it."""
    tables = {
        index: (statistic, made)
        for index, statistic in enumerate(statistics)
        if isinstance(statistic, FromSums) and (made := ArmSums.of(assignment, statistic.cells)) is not None
    }
    waiting: dict[int, list[FloatArray]] = {index: [] for index in tables}
    for chunk in picks(assignment, redraws, key) if tables else ():
        for index, (statistic, made) in tables.items():
            waiting[index].append(made(chunk))
            if sum(part.size for part in waiting[index]) >= _SUMS:
                yield index, statistic.finish(np.concatenate(waiting[index]))
                waiting[index] = []
    for index, (statistic, _) in tables.items():
        if waiting[index]:
            yield index, statistic.finish(np.concatenate(waiting[index]))
    if len(tables) < len(statistics):
        for labels in assignment.redraw(redraws, key):
            for index in range(len(statistics)):
                if index not in tables:
                    yield index, statistics[index](labels)


def columns_of(assignment: Assignment, drawn: IntArray) -> IntArray:
    """The column of each unit's cluster in redraws of a two-arm assignment. ValueError where it has none."""
    size = int(max(assignment.positions.max(initial=-1), drawn.max(initial=-1))) + 1
    column = np.full(size, -1, dtype=np.int64)
    column[assignment.positions] = np.arange(len(assignment))
    found = column[drawn]
    if (found < 0).any():
        msg = "a unit's cluster is not among those drawn to the two arms"
        raise ValueError(msg)
    return found


def _moments(labels: Labels, moments: FloatArray, starts: IntArray | None) -> npt.NDArray[np.float64]:
    z = labels.astype(np.float64)
    if starts is None:
        return z[:, :, None] * moments
    ends = np.append(starts[1:], z.shape[1])
    found = np.empty((len(z), starts.size, moments.shape[1]))
    columns = np.ascontiguousarray(moments.T)
    for cell, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if end - start < _WIDE:
            found[:, cell] = z[:, start:end] @ moments[start:end]
            continue
        for index, column in enumerate(columns):
            found[:, cell, index] = np.einsum("rg,g->r", z[:, start:end], column[start:end])
    return found


def _ratio(
    away: FloatArray, variance: FloatArray, nothing: npt.NDArray[np.bool_], flat: npt.NDArray[np.bool_]
) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(flat, np.copysign(np.inf, away), away / np.sqrt(np.where(flat, 1.0, variance)))
    return np.asarray(np.where(nothing, 0.0, found))
