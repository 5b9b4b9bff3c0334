"""Stepped wedges and crossovers: comparisons within periods or within sites, whole sequences redrawn.

Stepped wedge: arms are compared within each period, so no trend over time enters (Thompson, Davey, Fielding, Hargreaves
& Hayes 2018, Statistics in Medicine 37, 2487-2500; Kennedy-Shaffer, de Gruttola & Lipsitch 2020). Crossover of two
periods: half the difference between sequences of the sites' own differences (Hills & Armitage 1979, British Journal
of Clinical Pharmacology 8, 7-20).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from nudge.uplift.comparison import Comparison, Row, two_sided, wald_limits
from nudge.uplift.estimate import RATIOS, CiMethod, Flag, Measure, PMethod
from nudge.uplift.rates import fitted, profiled, rate_row
from nudge.uplift.rerandomisation import Labels, Statistic
from nudge.uplift.rows import values_row
from nudge.uplift.sequence import Sequences
from nudge.uplift.units import FloatArray, IntArray, UnitTable, sum_by

Cube = npt.NDArray[np.float64]
_ZERO = 1e-12


def sequence_row(comparison: Comparison, *, measure: Measure, what: str) -> Row:
    """The headline of a stepped wedge or a crossover; its p redraws whole sequences among clusters within strata."""
    table, sequences = comparison.table, comparison.table.sequences
    if sequences is None:
        msg = "the table has no sequences"
        raise ValueError(msg)
    rate = measure in RATIOS
    if sequences.kind == "crossover":
        row = _crossover_row(table, sequences, measure=measure, what=what)
    elif rate:
        row = rate_row(comparison, _filled(table.count), table.exposure)
    else:
        row = values_row(comparison, _filled(table.y), measure=measure, what=f"{what} within periods,")
    return replace(row, needs_redraw=True, redrawn=lambda: _statistic(table, sequences, rate=rate))


def sequences_panel(table: UnitTable, measure: Measure) -> Sequence[Mapping[str, Any]]:
    """How many clusters had each sequence, and of a crossover whether the first period seems to carry over.

    That test has little power, and choosing the analysis by it biases what follows (Freeman 1989): it is described.
    """
    sequences = table.sequences
    if sequences is None:
        return []
    number = np.bincount(sequences.assignment.arm, minlength=len(sequences.assignment.arms)).tolist()
    lines: list[dict[str, Any]] = [
        {"kind": "sequence", "sequence": name, "clusters": count}
        for name, count in zip(sequences.assignment.arms, number, strict=True)
    ]
    if sequences.kind == "crossover":
        sites = _Sites.of(table, sequences, rate=measure in RATIOS)
        found = _two_samples(sites.first + sites.second, sites.sequence, sites.stratum)
        lines.append({"kind": "carry_over", "estimate": found[0], "se": found[1], "df": found[2], "p_value": None})
        if found[0] is not None and found[1]:
            lines[-1]["p_value"] = two_sided(found[0] / found[1], found[2])
    return lines


def _crossover_row(table: UnitTable, sequences: Sequences, *, measure: Measure, what: str) -> Row:
    sites = _Sites.of(table, sequences, rate=measure in RATIOS)
    estimate, se, df = _two_samples(sites.first - sites.second, sites.sequence, sites.stratum)
    row = Row(
        measure=measure,
        method=f"{what} within sites, half the difference between the two sequences, t on clusters less sequences",
        events=None if table.count is None else int(table.count.sum()),
    )
    if estimate is None:
        return row.flagged(Flag.EMPTY_ARM)
    effect = math.exp(estimate / 2) if measure in RATIOS else estimate / 2
    if se is None or not se > _ZERO * float(np.abs(sites.first).max(initial=0.0)):
        return replace(row, estimate=effect).flagged(Flag.NO_VARIANCE)
    return replace(
        row,
        estimate=effect,
        se=se / 2,
        df=df,
        ci_method=CiMethod.CROSSOVER_T,
        limits=wald_limits(effect, se / 2, measure),
        statistic=estimate / se,
        p_value=two_sided(estimate / se, df),
        p_method=PMethod.WALD_T,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sites:
    """By site: its figure in period 1 and in period 2, and its sequence, 1 where it began with the arm."""

    first: FloatArray
    second: FloatArray
    sequence: IntArray
    stratum: IntArray

    @classmethod
    def of(cls, table: UnitTable, sequences: Sequences, *, rate: bool) -> _Sites:
        """Means of the units, of a rate log((count + ½)/exposure). Sites without units in a period are left out."""
        n, total = _sums(table, sequences, rate=rate)
        both = (n > 0).all(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            figure = np.log((total + 0.5) / n) if rate else total / n
        began = sequences.arms[sequences.assignment.arm, 0]
        return cls(
            first=figure[both, 0],
            second=figure[both, 1],
            sequence=began[both],
            stratum=sequences.assignment.stratum[both].astype(np.int64),
        )


def _two_samples(y: FloatArray, one: IntArray, stratum: IntArray) -> tuple[float | None, float | None, float | None]:
    """The difference between two groups within strata, by least squares with one variance: the t test of Student."""
    z = one.astype(np.float64)
    _, layer = np.unique(stratum, return_inverse=True)
    n = np.bincount(layer).astype(np.float64)
    away = z - (np.bincount(layer, weights=z) / np.maximum(n, 1))[layer]
    centred = y - (np.bincount(layer, weights=y) / np.maximum(n, 1))[layer]
    spread, df = float(away @ away), float(y.size - n.size - 1)
    if not spread > 0:
        return None, None, None
    estimate = float(away @ centred) / spread
    if df <= 0:
        return estimate, None, None
    residual = centred - estimate * away
    return estimate, math.sqrt(float(residual @ residual) / df / spread), df


def _sums(table: UnitTable, sequences: Sequences, *, rate: bool) -> tuple[FloatArray, FloatArray]:
    """Units (or exposure) and their outcomes by drawn cluster and period, (clusters, periods)."""
    shape = len(sequences.assignment), sequences.arms.shape[1]
    place = table.drawn_codes * shape[1] + _filled_codes(table.period)
    weight = (np.ones(len(table)) if table.exposure is None else table.exposure) if rate else np.ones(len(table))
    y = _filled(table.count if rate else table.y)
    shift = 0.0 if rate else float(np.round(y.mean()) if y.size else 0.0)
    n, total = (sum_by(place, shape[0] * shape[1], part).reshape(shape) for part in (weight, y - shift))
    return n, total


def _statistic(table: UnitTable, sequences: Sequences, *, rate: bool) -> Statistic:
    """The estimate over its error summed by cluster, from redraws of the sequences."""
    if sequences.kind == "crossover":
        return _crossed(_Sites.of(table, sequences, rate=rate), table, sequences, rate=rate)
    n, total = _sums(table, sequences, rate=rate)
    stratum = sequences.assignment.stratum
    layers = [np.flatnonzero(stratum == code) for code in np.unique(stratum)]
    within: Callable[[Cube, FloatArray, FloatArray, list[IntArray]], FloatArray] = _rates if rate else _means
    return lambda labels: within(sequences.arms[labels.astype(np.int64)].astype(np.float64), n, total, layers)


def _crossed(sites: _Sites, table: UnitTable, sequences: Sequences, *, rate: bool) -> Statistic:
    n, _ = _sums(table, sequences, rate=rate)
    both = np.flatnonzero((n > 0).all(axis=1))
    y = sites.first - sites.second

    def statistic(labels: Labels) -> FloatArray:
        began = sequences.arms[labels[:, both].astype(np.int64), 0]
        found = np.zeros(len(labels))
        for index, one in enumerate(began):
            estimate, se, _ = _two_samples(y, one, sites.stratum)
            if estimate is not None and abs(estimate) > _ZERO * float(np.abs(y).max(initial=0.0)):
                found[index] = math.copysign(math.inf, estimate) if not se else estimate / se
        return found

    return statistic


def _means(z: Cube, n: FloatArray, total: FloatArray, layers: Sequence[IntArray]) -> FloatArray:
    """From the arms of each redraw, (redraws, clusters, periods); a cell is a period of a stratum."""
    away_y, spread, parts = np.zeros(len(z)), np.zeros(len(z)), []
    for rows in layers:
        every = np.maximum(n[rows].sum(axis=0), _ZERO)
        p = (z[:, rows] * n[rows]).sum(axis=1) / every
        away = z[:, rows] - p[:, None, :]
        mean = total[rows].sum(axis=0) / every
        away_y += (away * (total[rows] - n[rows] * mean)).sum(axis=(1, 2))
        spread += (every * p * (1 - p)).sum(axis=1)
        parts.append((away, total[rows] - n[rows] * mean, n[rows]))
    effect = np.where(spread > 0, away_y / np.where(spread > 0, spread, 1.0), 0.0)
    variance = np.zeros(len(z))
    for away, centred, size in parts:
        variance += ((away * (centred - effect[:, None, None] * size * away)).sum(axis=2) ** 2).sum(axis=1)
    return _over(away_y, variance, float((total**2).sum()))


def _rates(z: Cube, exposure_: FloatArray, count: FloatArray, layers: Sequence[IntArray]) -> FloatArray:
    totals: list[list[FloatArray]] = [[], [], [], []]
    for rows in layers:
        c_1, e_1 = ((z[:, rows] * part[rows]).sum(axis=1) for part in (count, exposure_))
        c, e = (np.broadcast_to(part[rows].sum(axis=0), e_1.shape) for part in (count, exposure_))
        both = (e_1 > 0) & (e_1 < e)
        for held, part in zip(totals, (c_1, c, e_1, e), strict=True):
            held.append(np.where(both, part, 0.0))
    c_1, c, e_1, e = (np.concatenate(part, axis=1) for part in totals)
    log_ratio = profiled(c_1, c, e_1, e)
    share, base = fitted(log_ratio, c_1, c, e_1, e)
    variance, periods = np.zeros(len(z)), exposure_.shape[1]
    for number, rows in enumerate(layers):
        here = slice(number * periods, (number + 1) * periods)
        mean = exposure_[rows] * base[:, None, here] * np.exp(log_ratio[:, None, None] * z[:, rows])
        used = (e[:, here] > 0)[:, None, :]
        score = np.where(used, (z[:, rows] - share[:, None, here]) * (count[rows] - mean), 0.0).sum(axis=2)
        variance += (score**2).sum(axis=1)
    information = (c * share * (1 - share)).sum(axis=1)
    return _over(log_ratio * information, variance, float((count**2).sum()))


def _over(away: FloatArray, variance: FloatArray, size: float) -> FloatArray:
    """Over the root of the variance; no variance counts as infinite, 0/0 as 0."""
    flat = variance <= _ZERO * size
    nothing = np.abs(away) <= _ZERO * math.sqrt(max(size, _ZERO))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.where(flat, np.copysign(np.inf, away), away / np.sqrt(np.where(flat, 1.0, variance)))
    return np.asarray(np.where(nothing, 0.0, found))


def _filled(values: FloatArray | None) -> FloatArray:
    if values is None:
        msg = "the table lacks the column of this type of outcome"
        raise ValueError(msg)
    return values


def _filled_codes(values: IntArray | None) -> IntArray:
    if values is None:
        msg = "the table lacks the periods of its sequences"
        raise ValueError(msg)
    return values
