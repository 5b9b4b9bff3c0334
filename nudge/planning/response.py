"""What one unit is expected to do: the mean and the spread of its value in the reference and in an arm with an effect.

An effect is a size above 0 in the direction that is better, on the scale on which the outcome is estimated:
fractions, times in the outcome's unit, the mean's own unit, the logarithm of a ratio of rates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
from scipy.optimize import brentq

from nudge.uplift.units import FloatArray

_LARGEST_LOG: Final = math.log(10_000.0)  # a hazard so much larger answers on the first day
_INSIDE: Final = 1e-9


@dataclass(frozen=True, kw_only=True)
class Shares:
    """A 0/1 outcome: the share of the reference that has it."""

    reference: float
    higher: bool

    @property
    def most(self) -> float:
        """The largest effect there could be."""
        return 1 - self.reference if self.higher else self.reference

    def arm(self, effect: float) -> float:
        """The arm's share."""
        return self.reference + (effect if self.higher else -effect)

    def variances(self, effect: float) -> tuple[float, float]:
        """p(1 - p), reference first."""
        arm = self.arm(effect)
        return self.reference * (1 - self.reference), arm * (1 - arm)


@dataclass(frozen=True, kw_only=True)
class Times:
    """A time to an event, followed to the horizon: the share still waiting at the start of each step of `step`.

    `waiting[0]` is 1, `last` the share that waits beyond the horizon; the event falls at the end of a step, so that
    the restricted mean is step·Σ waiting. An effect multiplies the hazard of those whom the letter reaches, a share
    1 - `unreached` of the arm: proportional hazards.
    """

    waiting: FloatArray
    last: float
    higher: bool
    unreached: float = 0.0
    step: float = 1.0

    @property
    def horizon(self) -> float:
        """The last time that counts."""
        return self.waiting.size * self.step

    @cached_property
    def reference(self) -> float:
        """The restricted mean of the reference."""
        return self.mean(self.waiting)

    def mean(self, waiting: FloatArray) -> float:
        """step·Σ S(t), t from 0 to the horizon less a step."""
        return float(waiting.sum()) * self.step

    def variance(self, waiting: FloatArray) -> float:
        """Var min(T, horizon) = step²·Σ (2t + 1) S(t) - mean²."""
        square = float(((2 * np.arange(waiting.size) + 1) * waiting).sum()) * self.step**2
        return square - self.mean(waiting) ** 2

    def under(self, log_ratio: float) -> FloatArray:
        """The arm's curve where the hazard of those reached is exp(log_ratio) times the reference's."""
        return self._changed(self.waiting, log_ratio)

    def ended(self, log_ratio: float) -> float:
        """The arm's share that waits beyond the horizon."""
        return float(self._changed(np.array([self.last]), log_ratio)[0])

    def _changed(self, waiting: FloatArray, log_ratio: float) -> FloatArray:
        with np.errstate(divide="ignore"):
            reached = np.exp(np.log(waiting) * math.exp(log_ratio))
        return np.asarray(self.unreached * waiting + (1 - self.unreached) * reached)

    def gain(self, log_ratio: float) -> float:
        """The effect of a hazard ratio: how much better the restricted mean is."""
        away = self.mean(self.under(log_ratio)) - self.reference
        return away if self.higher else -away

    @cached_property
    def most(self) -> float:
        """The largest effect there could be, everybody reached answering at once (or never)."""
        return self.gain(-_LARGEST_LOG if self.higher else _LARGEST_LOG) * (1 - _INSIDE)

    def log_ratio(self, effect: float) -> float:
        """The logarithm of the hazard ratio that brings an effect. ValueError beyond `most`."""
        if not 0 <= effect <= self.most:
            msg = f"an effect from 0 to {self.most:.3g}, not {effect:.3g}"
            raise ValueError(msg)
        sign = -1.0 if self.higher else 1.0
        return sign * float(brentq(lambda size: self.gain(sign * size) - effect, 0.0, _LARGEST_LOG, xtol=1e-12))

    def arm(self, effect: float) -> FloatArray:
        """The arm's curve."""
        return self.under(self.log_ratio(effect))

    def variances(self, effect: float) -> tuple[float, float]:
        """Those of min(T, horizon), reference first."""
        return self.variance(self.waiting), self.variance(self.arm(effect))


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """A number: its standard deviation between units, and its correlation with the same number before."""

    sd: float
    higher: bool
    correlation: float = 0.0

    @property
    def most(self) -> float:
        """No effect is too large."""
        return math.inf

    def variances(self, effect: float) -> tuple[float, float]:
        """s²(1 - r²) in both."""
        each = self.sd**2 * (1 - self.correlation**2)
        return each, each


_LEAST: Final = 1e-300  # an arm's mean count may be smaller than a number can say


@dataclass(frozen=True, kw_only=True)
class Counted:
    """Events over exposure, on the logarithm: the reference's mean count of a unit, and what varies between units.

    `variation` is the coefficient of variation of the units' own rates; `correlation` that with the counts before.
    """

    reference: float
    higher: bool
    variation: float
    correlation: float = 0.0

    @property
    def most(self) -> float:
        """No effect is too large on the logarithm."""
        return math.inf

    def arm(self, effect: float) -> float:
        """The arm's mean count."""
        return self.reference * math.exp(effect if self.higher else -effect)

    def variances(self, effect: float) -> tuple[float, float]:
        """Of one unit's log rate, by the delta method: (1/mean + CV²)(1 - r²)."""
        left = 1 - self.correlation**2
        means = (max(mean, _LEAST) for mean in (self.reference, self.arm(effect)))
        reference, arm = ((1 / mean + self.variation**2) * left for mean in means)
        return reference, arm


Response: TypeAlias = Shares | Times | Amounts | Counted


def exponential(horizon: int, share: float, *, steps: int = 1) -> FloatArray:
    """A curve of constant hazard with that share in touch by the horizon, in `steps` steps a unit of time."""
    return np.asarray((1 - share) ** (np.arange(horizon * steps) / (horizon * steps)))
