"""One trial of a cell: units drawn to arms by the cell's method, by blocks over eight batches; outcomes, the truth."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtri

from benchmarks.calibration.cells import HORIZON, Cell
from nudge.allocation.assignment import Assignment
from nudge.allocation.design import Allocated, Design, Entry
from nudge.allocation.schemes import draw
from nudge.allocation.streams import redraw_key
from nudge.experiment.definition import OutcomeType
from nudge.uplift.units import UnitTable

ARMS: Final = ("current", "same", "other")
WEEKS: Final = 8
PER_LAYOUT: Final = 50  # trials that share batches, strata and household sizes, each with arms of its own
LATE: Final = 35.0  # days for which the last two batches are followed, where follow-up is staggered
_SHAPE: Final = 0.8  # contacts come early: the hazard falls
_SPREAD: Final = 1.0
_MOST: Final = 2.0  # on a logarithm: the largest arrears would make an event certain, a count endless
_WORTH: Final = 0.5  # what one of a figure, or a level, is worth
_TRUTH: Final = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Batches, strata and households of some trials, and the draw whose arms each of them draws again."""

    assignment: Assignment
    cluster: NDArray[np.int64]
    week: NDArray[np.int64]
    stratum: NDArray[np.int64]
    names: tuple[str, ...]
    known: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)  # what the draw balanced, by unit


def simulated(cell: Cell, layout: int) -> Iterator[tuple[UnitTable, Assignment]]:
    """The trials of one layout: the same numbers whenever and wherever they are made."""
    digest = hashlib.sha256(f"{cell.name} {layout}".encode()).digest()
    rng = np.random.default_rng(list(digest))
    made = _layout(cell, digest, rng)
    key = redraw_key(f"{cell.name} {layout}")
    arms = (row for rows in made.assignment.redraw(PER_LAYOUT, key) for row in rows)
    for arm in arms:
        assignment = replace(made.assignment, arm=arm)
        yield _answered(cell, made, arm.astype(np.int64)[made.cluster], rng), assignment


def _layout(cell: Cell, seed: bytes, rng: np.random.Generator) -> Layout:
    if cell.pairs:
        pair = np.repeat(np.arange(cell.n // 2), 2)
        assignment = Assignment.of_recorded(np.arange(cell.n) % 2, pair, "pairs", ARMS[:2])
        zero = np.zeros(cell.n, dtype=np.int64)
        return Layout(assignment=assignment, cluster=np.arange(cell.n), week=zero, stratum=pair, names=())
    if cell.method != "blocked":
        return _balanced(cell, seed, rng)
    size = rng.integers(1, 4, cell.n) if cell.icc else np.ones(cell.n, dtype=np.int64)
    size = size[: int(np.searchsorted(np.cumsum(size), cell.n)) + 1]  # a household more or fewer members than n
    layer, week = rng.integers(0, cell.strata, size.size), np.sort(rng.integers(0, WEEKS, size.size))
    design = Design(trial="null", arms=ARMS[: len(cell.ratio)], ratio=cell.ratio, strata=("patch",))
    rows: list[Allocated] = []
    for number, code in enumerate(np.unique(week)):
        batch = {f"{place:016x}": f"patch {layer[place]}" for place in np.flatnonzero(week == code)}
        rows.extend(draw(design, seed=seed, batch=number + 1, clusters=batch, drawn=rows))
    assignment = Assignment.of_blocks(sorted(rows, key=lambda row: row.cluster), design)
    cluster = np.repeat(np.arange(size.size), size)
    return Layout(
        assignment=assignment,
        cluster=cluster,
        week=week[cluster],
        stratum=assignment.stratum.astype(np.int64)[cluster],
        names=assignment.strata,
    )


def _balanced(cell: Cell, seed: bytes, rng: np.random.Generator) -> Layout:
    """Two batches, of 6 and 4 in ten units. Figures are balanced as they are, factors as their levels but the first."""
    week = np.where(np.arange(cell.n) < round(0.6 * cell.n), 1, 6)
    levels = {"patch": rng.integers(0, 2, cell.n), "band": rng.integers(0, 3, cell.n)}
    figures = {"arrears": np.exp(rng.normal(size=cell.n)), "weeks": rng.normal(size=cell.n)}
    if cell.method == "minimised":
        design = Design(trial="null", arms=ARMS[:2], ratio=(1, 1), strata=tuple(levels), method="minimised")
        entries = [Entry(stratum=f"patch {patch}\tband {band}") for patch, band in zip(*levels.values(), strict=True)]
        known = {
            f"{name} {level}": (codes == level).astype(np.float64)
            for name, codes in levels.items()
            for level in np.unique(codes)[1:]
        }
    else:
        design = Design(trial="null", arms=ARMS[:2], ratio=(1, 1), covariates=tuple(figures), method="rerandomised")
        rows = zip(*(values.tolist() for values in figures.values()), strict=True)
        entries, known = [Entry(stratum="all", covariates=row) for row in rows], figures
    lists = {
        number: {f"{place:016x}": entries[place] for place in np.flatnonzero(week == code)}
        for number, code in enumerate((1, 6), start=1)
    }
    drawn: tuple[Allocated, ...] = ()
    for number, listed in lists.items():
        drawn += design.draw(seed=seed, batch=number, clusters=listed, drawn=drawn)
    assignment = design.assignment(sorted(drawn, key=lambda row: row.cluster), lists)
    return Layout(
        assignment=assignment,
        cluster=np.arange(cell.n),
        week=week,
        stratum=assignment.stratum.astype(np.int64),
        names=assignment.strata,
        known=known,
    )


def _answered(cell: Cell, layout: Layout, arm: NDArray[np.int64], rng: np.random.Generator) -> UnitTable:
    n = arm.size
    chance = _together(rng, layout.cluster, cell.icc, n)
    lift = cell.effect * (arm == len(cell.ratio) - 1)
    before = _before(cell, layout, rng)
    plain = len(layout.names) < 2
    table = UnitTable(
        arms=ARMS[: len(cell.ratio)],
        arm=arm,
        stratum=None if plain or cell.pairs else layout.stratum,
        strata=() if plain or cell.pairs else layout.names,
        cluster=layout.cluster,
        covariates=layout.known,
        pair=layout.stratum if cell.pairs else None,
    )
    if cell.kind is OutcomeType.PROPORTION:
        return replace(table, y=(chance > 1 - _share(cell.level, before) - lift).astype(np.float64))
    if cell.kind is OutcomeType.TIME_TO_EVENT:
        day = _days(cell.level, np.minimum(before, _MOST), lift, chance)
        followed = np.where((layout.week >= WEEKS - 2) & cell.staggered, LATE, 90.0)
        return replace(table, time=np.minimum(day, followed), event=day <= followed, follow_up=followed)
    if cell.kind is OutcomeType.MEAN:
        known = rng.normal(size=n)
        noise = ndtri(chance)
        mixed = 0.7 * known + np.sqrt(1 - 0.49) * noise if cell.baseline else noise
        y = np.exp(_SPREAD * mixed) + before + lift
        return replace(table, y=y, baseline=np.exp(_SPREAD * known) if cell.baseline else None)
    if cell.kind is OutcomeType.RATIO:
        due = np.exp(_SPREAD * rng.normal(size=n))  # a few debts are much larger than the others
        return replace(table, y=due * (_share(0.4, before) + 0.6 * (chance - 0.5) + lift), over=due)
    exposure = rng.uniform(0.5, 2.0, n)
    frailty = gammaincinv(2.0, chance) / 2.0  # mean 1: counts are more spread than Poisson's
    rate = cell.level * frailty * np.exp(np.minimum(before, _MOST))
    changes = {"baseline": rng.poisson(rate * exposure).astype(np.float64), "baseline_exposure": exposure}
    count = rng.poisson(rate * np.exp(lift) * exposure).astype(np.float64)
    return replace(table, count=count, exposure=exposure, **(changes if cell.baseline else {}))


def _together(rng: np.random.Generator, cluster: NDArray[np.int64], icc: float, n: int) -> NDArray[np.float64]:
    """Uniform numbers; two of one household are the same one with chance `icc`, so any outcome has that ICC."""
    own = rng.uniform(size=n)
    if not icc:
        return own
    shared = rng.uniform(size=int(cluster.max()) + 1)[cluster]
    return np.where(rng.uniform(size=n) < np.sqrt(icc), shared, own)


def _before(cell: Cell, layout: Layout, rng: np.random.Generator) -> NDArray[np.float64]:
    """What a unit's stratum (or pair) and week are worth, on the scale of a logarithm or of the mean."""
    if cell.pairs:
        return rng.normal(scale=0.5, size=cell.n // 2)[layout.stratum]
    if layout.known:
        moved = sum(_WORTH * values for values in layout.known.values()) - 0.06 * (layout.week - 3.5)
        return np.asarray(moved - np.mean(moved))
    return 0.8 * (layout.stratum / max(cell.strata - 1, 1) - 0.5 * (cell.strata > 1)) - 0.06 * (layout.week - 3.5)


def _share(level: float, before: NDArray[np.float64]) -> NDArray[np.float64]:
    odds = level / (1 - level) * np.exp(before)
    return np.asarray(odds / (1 + odds))


def _days(
    level: float, before: NDArray[np.float64], lift: NDArray[np.float64], chance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The day of contact: the share `level` by the horizon (odds moved by `before`), a Weibull that falls."""
    total = -np.log1p(-_share(level, before)) * np.exp(lift)
    return np.asarray(np.ceil(HORIZON * (-np.log1p(-chance) / total) ** (1 / _SHAPE)))


@cache
def truth(cell: Cell) -> tuple[float, ...]:
    """Each arm's true difference from the first (ratio, for a rate), in the order of the arms after it.

    A time to event's is the mean over two million units of the population that layouts are made of.
    """
    null = 1.0 if cell.kind is OutcomeType.RATE else 0.0
    if not cell.effect:
        return (null,) * (len(cell.ratio) - 1)
    found = cell.effect
    if cell.kind is OutcomeType.RATE:
        found = float(np.exp(cell.effect))
    if cell.kind is OutcomeType.TIME_TO_EVENT:
        rng = np.random.default_rng(7)
        strata, week = rng.integers(0, cell.strata, _TRUTH), rng.integers(0, WEEKS, _TRUTH)
        before = 0.8 * (strata / max(cell.strata - 1, 1) - 0.5 * (cell.strata > 1)) - 0.06 * (week - 3.5)
        chance = rng.uniform(size=_TRUTH)
        with_it, without = (
            np.minimum(_days(cell.level, before, np.full(_TRUTH, lift), chance), HORIZON).mean()
            for lift in (cell.effect, 0.0)
        )
        found = float(with_it - without)
    return (*((null,) * (len(cell.ratio) - 2)), found)
