"""Shares with an event: Miettinen-Nurminen score limits, Sato's for Mantel-Haenszel, and the tests that go with them.

Counts are of analysed units, not letters; a unit with a missing outcome is in neither n nor events.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtri

from nudge.uplift.estimate import Interval
from nudge.uplift.units import FloatArray, IntArray, sum_by

_STEPS: Final = 80  # halvings of an interval of length 2: far below double precision


@dataclass(frozen=True, slots=True)
class Share:
    """Events among n units; either may be fractional where n is an effective size."""

    events: float
    n: float

    @property
    def value(self) -> float:
        """The share, in [0, 1]."""
        return self.events / self.n


def restricted_shares(arm: Share, reference: Share, difference: float) -> tuple[float, float]:
    """The most likely pair of shares that differ by `difference` (Miettinen & Nurminen 1985, appendix 1)."""
    n_1, n_0, x_0 = arm.n, reference.n, reference.events
    n, x = n_1 + n_0, arm.events + reference.events
    l_3, l_2 = n, (n_1 + 2 * n_0) * difference - n - x
    l_1, l_0 = (n_0 * difference - n - 2 * x_0) * difference + x, x_0 * difference * (1 - difference)
    q = l_2**3 / (3 * l_3) ** 3 - l_1 * l_2 / (6 * l_3**2) + l_0 / (2 * l_3)
    root = math.sqrt(max(l_2**2 / (3 * l_3) ** 2 - l_1 / (3 * l_3), 0.0))
    p = math.copysign(root, q)
    if p == 0:
        share_0 = -l_2 / (3 * l_3)
    else:
        angle = (math.pi + math.acos(min(max(q / p**3, -1.0), 1.0))) / 3
        share_0 = 2 * p * math.cos(angle) - l_2 / (3 * l_3)
    share_0 = min(max(share_0, 0.0, -difference), 1.0, 1.0 - difference)
    return min(max(share_0 + difference, 0.0), 1.0), share_0


def score(arm: Share, reference: Share, difference: float) -> float:
    """The Miettinen-Nurminen statistic of a difference, with the factor n/(n - 1); infinite where its variance is 0."""
    share_1, share_0 = restricted_shares(arm, reference, difference)
    n = arm.n + reference.n
    variance = (share_1 * (1 - share_1) / arm.n + share_0 * (1 - share_0) / reference.n) * n / (n - 1)
    distance = arm.value - reference.value - difference
    if variance <= 1e-30:
        return 0.0 if abs(distance) < 1e-12 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)


def miettinen_nurminen(arm: Share, reference: Share, critical: float) -> Interval:
    """Differences, arm less reference, whose score statistic is within ±critical. Fractions in [-1, 1].

    Source: Miettinen & Nurminen (1985), Statistics in Medicine 4, 213-226. Sound with cells of 0 and n.
    """
    middle = arm.value - reference.value
    return _edge(arm, reference, critical, middle, -1.0), _edge(arm, reference, critical, middle, 1.0)


def _edge(arm: Share, reference: Share, critical: float, inside: float, outside: float) -> float:
    if abs(score(arm, reference, outside)) <= critical:
        return outside
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        if abs(score(arm, reference, middle)) <= critical:
            inside = middle
        else:
            outside = middle
    return (inside + outside) / 2


@dataclass(frozen=True, slots=True)
class Tables:
    """Two-by-two tables, one per stratum: events and units of the arm (1) and of the reference (0)."""

    x_1: FloatArray
    n_1: FloatArray
    x_0: FloatArray
    n_0: FloatArray

    @classmethod
    def of(cls, y: FloatArray, z: IntArray, stratum: IntArray) -> Tables:
        """Tabulate 0/1 outcomes of units in the arm (z = 1) and the reference by stratum code."""
        size = int(stratum.max(initial=0)) + 1
        n, x = sum_by(stratum, size), sum_by(stratum, size, y)
        n_1, x_1 = sum_by(stratum, size, z), sum_by(stratum, size, y * z)
        return cls(x_1, n_1, x - x_1, n - n_1)


def mantel_haenszel(tables: Tables) -> tuple[float, float]:
    """The Mantel-Haenszel difference of shares and Sato's standard error.

    Source: Sato (1989), Biometrics 45, 1323-1324: consistent with many small strata and with few large ones.
    """
    t = tables
    n = t.n_1 + t.n_0
    use = (t.n_1 > 0) & (t.n_0 > 0)
    x_1, n_1, x_0, n_0, n = t.x_1[use], t.n_1[use], t.x_0[use], t.n_0[use], n[use]
    weight = float((n_1 * n_0 / n).sum())
    difference = float(((x_1 * n_0 - x_0 * n_1) / n).sum()) / weight
    p = float(((n_1**2 * x_0 - n_0**2 * x_1 + n_1 * n_0 * (n_0 - n_1) / 2) / n**2).sum())
    q = float(((x_1 * (n_0 - x_0) + x_0 * (n_1 - x_1)) / (2 * n)).sum())
    return difference, math.sqrt(max(difference * p + q, 0.0)) / weight


def mantel_haenszel_odds_ratio(tables: Tables) -> tuple[float | None, float | None]:
    """The Mantel-Haenszel odds ratio and the standard error of its logarithm (Robins, Breslow & Greenland 1986)."""
    t = tables
    n = np.maximum(t.n_1 + t.n_0, 1)
    a, b, c, d = t.x_1, t.n_1 - t.x_1, t.x_0, t.n_0 - t.x_0
    r, s, p, q = a * d / n, b * c / n, (a + d) / n, (b + c) / n
    total_r, total_s = float(r.sum()), float(s.sum())
    if total_r == 0 or total_s == 0:
        return None, None
    variance = (
        float((p * r).sum()) / (2 * total_r**2)
        + float((p * s + q * r).sum()) / (2 * total_r * total_s)
        + float((q * s).sum()) / (2 * total_s**2)
    )
    return total_r / total_s, math.sqrt(variance)


def mantel_haenszel_risk_ratio(tables: Tables) -> tuple[float | None, float | None]:
    """The Mantel-Haenszel ratio of shares and the standard error of its logarithm (Greenland & Robins 1985)."""
    t = tables
    n = np.maximum(t.n_1 + t.n_0, 1)
    above, below = float((t.x_1 * t.n_0 / n).sum()), float((t.x_0 * t.n_1 / n).sum())
    if above == 0 or below == 0:
        return None, None
    spread = float(((t.n_1 * t.n_0 * (t.x_1 + t.x_0) - t.x_1 * t.x_0 * n) / n**2).sum())
    return above / below, math.sqrt(max(spread, 0.0) / (above * below))


def cochran_mantel_haenszel(tables: Tables) -> float | None:
    """The signed root of the Cochran-Mantel-Haenszel chi-squared, no correction; None where it has no variance.

    With one stratum this is the Miettinen-Nurminen score statistic at no difference.
    """
    t = tables
    n, x = t.n_1 + t.n_0, t.x_1 + t.x_0
    use = n > 1
    away = float((t.x_1[use] - t.n_1[use] * x[use] / n[use]).sum())
    variance = float((t.n_1[use] * t.n_0[use] * x[use] * (n[use] - x[use]) / (n[use] ** 2 * (n[use] - 1))).sum())
    return away / math.sqrt(variance) if variance > 0 else None


def wilson(share: Share, confidence: float) -> Interval:
    """Wilson's score limits of one share. Source: Wilson (1927)."""
    z2 = float(ndtri((1 + confidence) / 2)) ** 2
    centre = (share.events + z2 / 2) / (share.n + z2)
    half = math.sqrt(z2 * (share.events * (1 - share.value) + z2 / 4)) / (share.n + z2)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def newcombe(arm: Share, reference: Share, confidence: float) -> Interval:
    """Newcombe's hybrid score limits of a difference: a cross-check. Source: Newcombe (1998), method 10."""
    p, q = arm.value, reference.value
    (p_low, p_high), (q_low, q_high) = wilson(arm, confidence), wilson(reference, confidence)
    return p - q - math.hypot(p - p_low, q_high - q), p - q + math.hypot(p_high - p, q - q_low)


def design_effect(
    arm: Share, reference: Share, variances: tuple[float, float] | None, sizes_1: FloatArray, sizes_0: FloatArray
) -> float:
    """D = (v1 + v0)/(p1 q1/n1 + p0 q0/n0), at least 1, v the CR2 variances of the two shares.

    Where nobody or everybody responded in both arms, the larger of Σ n_g²/n over the arms (TRIAL-RULES §5).
    """
    p, q = arm.value, reference.value
    below = p * (1 - p) / arm.n + q * (1 - q) / reference.n
    if below <= 0 or variances is None:
        return max(float((sizes_1**2).sum() / arm.n), float((sizes_0**2).sum() / reference.n), 1.0)
    return max(sum(variances) / below, 1.0)


def effective(share: Share, effect: float) -> Share:
    """The share on n/D units."""
    return Share(share.events / effect, share.n / effect)
