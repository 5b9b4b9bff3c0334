"""A planned trial: how many units make what difference visible."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from scipy.optimize import brentq

from nudge.planning.power import TARGET, Chances, chances, critical_value, design_effect, power, wanted
from nudge.planning.response import Response

_NEARLY_NORMAL = 300  # degrees of freedom beyond which the bound is the normal's to two decimals
_SMALLEST = 1e-9
_ROUNDS = 40
MOST_UNITS = 10**9


@lru_cache(maxsize=256)
def _critical(confidence: float, df: int | None, shares: tuple[float, ...]) -> float:
    return critical_value(confidence, df=df, correlations=shares)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is drawn and how it is tested; sizes are given to its methods as units in all arms together.

    `ratio` has the control first. `sizes` are the units of each of some clusters, [1] where a cluster is a unit.
    `outside` is the part, beside `ratio`, of arms that are drawn but stand outside the comparison. `contrasts`: the
    main effects of a factorial trial, judged together; `ratio` is then that of a factor's two levels.
    `strata` counts the strata of the draw. `paired`: two arms drawn within matched pairs of units, whose values
    correlate by that much. Effects are sizes above 0 on the scale of `Response`.
    """

    response: Response
    ratio: tuple[int, ...]
    confidence: float
    icc: float
    sizes: tuple[int, ...]
    strata: int
    paired: float | None = None
    outside: int = 0
    contrasts: int = 0

    @cached_property
    def design_effect(self) -> float:
        """How many times larger clusters make the variance."""
        return design_effect(self.icc, self.sizes)

    @property
    def cluster_size(self) -> float:
        """The mean number of units in a cluster."""
        return sum(self.sizes) / len(self.sizes)

    @property
    def shares(self) -> tuple[float, float]:
        """The parts of all units in the control and in the smallest of the other arms."""
        every = sum(self.ratio) + self.outside
        return self.ratio[0] / every, min(self.ratio[1:]) / every

    def clusters(self, units: float) -> tuple[int, int]:
        """Clusters in the control and in the smallest other arm."""
        control, arm = (round(units * share / self.cluster_size) for share in self.shares)
        return control, arm

    def df(self, units: float) -> int | None:
        """Clusters of the two arms less the arms and the further strata, or pairs less 1; None where there are many."""
        clusters = sum(self.clusters(units))
        left = clusters - 1 - max(1, self.strata) if self.paired is None else clusters // 2 - 1
        return None if left > _NEARLY_NORMAL else max(left, 1)

    def critical(self, units: float) -> float:
        """The bound of the test, Dunnett's where several arms meet one control, or several factors are judged."""
        control = self.ratio[0]
        shares = tuple(other / (other + control) for other in self.ratio[1:]) if len(self.ratio) > 2 else ()
        shares = (0.0,) * self.contrasts if self.contrasts > 1 else shares  # main effects of even arms are uncorrelated
        return _critical(self.confidence, self.df(units), shares)

    def variance(self, effect: float) -> float:
        """Of the estimate, times the number of units in all arms."""
        reference, arm = self.response.variances(effect)
        if self.paired is not None:  # of a difference within a pair, of which there are half as many
            return 2 * self.design_effect * (reference + arm - 2 * self.paired * math.sqrt(reference * arm))
        control_share, arm_share = self.shares
        return self.design_effect * (reference / control_share + arm / arm_share)

    def se(self, effect: float, units: float) -> float:
        """The standard error of the comparison with the smallest arm."""
        return math.sqrt(self.variance(effect) / units)

    def power(self, effect: float, units: float) -> float:
        """How often that comparison is significant."""
        if min(self.clusters(units)) < 2:
            return 0.0
        return power(effect, self.se(effect, units), self.critical(units), df=self.df(units))

    def chances(self, effect: float, units: float) -> Chances:
        """Power, exaggeration and wrong sign; the latter two with a normal estimate."""
        found = chances(effect, self.se(effect, units), self.critical(units))
        return replace(found, power=self.power(effect, units))

    def detectable(self, units: float, target: float = TARGET) -> float | None:
        """The smallest effect with that power; None where even the largest possible has less."""
        largest = self.response.most
        if math.isinf(largest):
            largest = 1.0
            while self.power(largest, units) < target and largest < 1e12:
                largest *= 4
        if self.power(largest * (1 - _SMALLEST), units) < target:
            return None
        low = largest * 1e-7
        return float(brentq(lambda size: self.power(size, units) - target, low, largest * (1 - _SMALLEST), rtol=1e-6))

    def needed(self, effect: float, target: float = TARGET) -> int | None:
        """Units in all arms for that power; None beyond `MOST_UNITS` or for an effect that cannot be."""
        if not 0 < effect < self.response.most:
            return None
        variance = self.variance(effect)
        units = variance * (wanted(self.critical(MOST_UNITS), target) / effect) ** 2
        for _ in range(_ROUNDS):
            again = variance * (wanted(self.critical(units), target) / effect) ** 2
            if abs(again - units) < 0.5:
                break
            units = (units + again) / 2
        if units > MOST_UNITS:
            return None
        whole = math.ceil(units)
        while self.power(effect, whole) < target - 1e-4:  # few clusters: the bound alone is not enough
            whole = max(whole + 1, math.ceil(whole * 1.01))
        return whole
