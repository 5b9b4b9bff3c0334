"""Looking before the end without fooling oneself: how large a difference must be at each look, and why.

Two ways. Declared looks spend the error a little at a time (Lan & DeMets 1983), so that all looks together are
wrong no more often than one look at the end. A confidence sequence is wide enough to be looked at every day
(Waudby-Smith et al. 2021), at the price of being half as wide again at the end.

Everything is two-sided: `alpha` is the error of both sides together, and an estimate crosses where it lies more than
`critical` standard errors from no effect.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from nudge.uplift.units import FloatArray

MOST_LOOKS: Final = 10
PLANNED: Final = 5_000
"""The number of units at which a confidence sequence is narrowest, unless the plan declares another."""
_NODES: Final = 200
_FAR: Final = 9.0  # standard errors beyond which a normal has nothing worth counting
_CLOSE: Final = 1e-10


class Spending(StrEnum):
    """How fast the error is spent: O'Brien and Fleming's hardly anything early, Pocock's much the same throughout."""

    OBRIEN_FLEMING = "obrien_fleming"
    POCOCK = "pocock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look. `fraction` of the planned information; `spent` of the error by then; `nominal` the p it must beat."""

    number: int
    fraction: float
    critical: float
    spent: float

    @property
    def nominal(self) -> float:
        """The two-sided p-value that crosses at this look."""
        return float(2 * ndtr(-self.critical))


def spent(fraction: float, *, alpha: float, spending: Spending) -> float:
    """The two-sided error spent by a fraction of the planned information, all of it from 1 on (Lan & DeMets 1983)."""
    side, fraction = alpha / 2, min(fraction, 1.0)
    if fraction <= 0:
        return 0.0
    if spending is Spending.POCOCK:
        return 2 * side * math.log(1 + (math.e - 1) * fraction)
    return float(4 * ndtr(float(ndtri(side / 2)) / math.sqrt(fraction)))


def looks(
    fractions: Sequence[float], *, alpha: float = 0.05, spending: Spending = Spending.OBRIEN_FLEMING, last: bool = True
) -> tuple[Look, ...]:
    """The looks made, at the information fractions they were really made at, in order.

    `last`: the final one is the end of the trial and spends all that is left, whatever its fraction (a trial that
    ended short or ran over). Raises ValueError where fractions do not rise from above 0, or are too many.
    """
    _rising(fractions)
    spend = [spent(fraction, alpha=alpha, spending=spending) for fraction in fractions]
    if last:
        spend[-1] = alpha
    found: list[Look] = []
    bounds: list[float] = []
    density: _Density | None = None
    for number, (fraction, upto) in enumerate(zip(fractions, spend, strict=True), 1):
        side = (upto - (found[-1].spent if found else 0.0)) / 2
        exceeds = _exceeds(density, fraction)
        bounds.append(_bound(exceeds, side))
        found.append(Look(number=number, fraction=fraction, critical=bounds[-1], spent=upto))
        density = _beyond(density, fraction, bounds[-1])
    return tuple(found)


def error_spent(fractions: Sequence[float], criticals: Sequence[float], *, drift: float = 0.0) -> tuple[float, ...]:
    """The chance of having crossed upwards by each look: half the two-sided error at drift 0, power at others.

    `drift` is the expected standardised estimate at full information (Armitage, McPherson & Rowe 1969).
    """
    _rising(fractions)
    crossed, total, density = [], 0.0, None
    for fraction, critical in zip(fractions, criticals, strict=True):
        total += _exceeds(density, fraction, drift)(critical)
        crossed.append(total)
        density = _beyond(density, fraction, critical, drift)
    return tuple(crossed)


def constant_bounds(number: int, *, alpha: float = 0.05, spending: Spending) -> tuple[float, ...]:
    """The classical boundaries of equally spaced looks: O'Brien & Fleming (1979) or Pocock (1977)."""
    fractions = [(look + 1) / number for look in range(number)]

    def shape(constant: float) -> list[float]:
        if spending is Spending.POCOCK:
            return [constant] * number
        return [constant / math.sqrt(fraction) for fraction in fractions]

    def left(constant: float) -> float:
        return 2 * error_spent(fractions, shape(constant))[-1] - alpha

    return tuple(shape(float(brentq(left, 0.5, _FAR, xtol=_CLOSE))))


def sequence_critical(n: float, *, alpha: float = 0.05, planned: float = PLANNED) -> float:
    """How many standard errors wide each side of a confidence sequence is once n units are in.

    √(2(nρ² + 1)/(nρ²) · log(√(nρ² + 1)/α)), ρ² = (−2 log α + log(1 − 2 log α))/planned: valid at every n together, and
    narrowest near `planned`. Source: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (2021), Time-uniform central limit
    theory, asymptotic confidence sequences. Raises ValueError where n or planned is not above 0.
    """
    if not (n > 0 and planned > 0):
        msg = "a confidence sequence needs units"
        raise ValueError(msg)
    log = -2 * math.log(alpha)
    spread = n * (log + math.log1p(log)) / planned
    return math.sqrt(2 * (spread + 1) / spread * math.log(math.sqrt(spread + 1) / alpha))


@dataclass(frozen=True, slots=True)
class _Density:
    """Where a trial that has not crossed stands: nodes z, their mass, and the information so far."""

    z: FloatArray
    mass: FloatArray
    fraction: float


def _exceeds(before: _Density | None, fraction: float, drift: float = 0.0) -> Callable[[float], float]:
    """The chance of not having crossed before, and lying above a bound at this look."""
    if before is None:
        return lambda bound: float(ndtr(drift * math.sqrt(fraction) - bound))
    step = fraction - before.fraction
    middle = before.z * math.sqrt(before.fraction) + drift * step
    return lambda bound: float(before.mass @ ndtr((middle - bound * math.sqrt(fraction)) / math.sqrt(step)))


def _bound(exceeds: Callable[[float], float], side: float) -> float:
    """The bound that is exceeded with this chance; as far out as it goes where so little is left to spend."""
    return _FAR if side <= exceeds(_FAR) else float(brentq(lambda bound: exceeds(bound) - side, -_FAR, _FAR))


def _beyond(before: _Density | None, fraction: float, critical: float, drift: float = 0.0) -> _Density:
    """The part below the bound, on the nodes of Gauss and Legendre."""
    centre = drift * math.sqrt(fraction)
    low, high = min(-_FAR, critical - 1) + min(centre, 0.0), min(critical, _FAR + max(centre, 0.0))
    nodes, weights = _nodes()
    z = low + (nodes + 1) * (high - low) / 2
    if before is None:
        density = np.exp(-((z - centre) ** 2) / 2) / math.sqrt(2 * math.pi)
    else:
        step = fraction - before.fraction
        middle = before.z * math.sqrt(before.fraction) + drift * step
        away = (z[:, None] * math.sqrt(fraction) - middle) / math.sqrt(step)
        density = (np.exp(-(away**2) / 2) @ before.mass) * math.sqrt(fraction / step / (2 * math.pi))
    return _Density(z, np.asarray(density * weights * (high - low) / 2), fraction)


@cache
def _nodes() -> tuple[FloatArray, FloatArray]:
    """Nodes and weights on [-1, 1]; not to be written to."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights


def _rising(fractions: Sequence[float]) -> None:
    if not 1 <= len(fractions) <= MOST_LOOKS or not all(low < high for low, high in pairwise((0.0, *fractions))):
        msg = f"1 to {MOST_LOOKS} fractions of the planned information, rising from above 0"
        raise ValueError(msg)
