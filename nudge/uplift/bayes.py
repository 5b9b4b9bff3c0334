"""How likely an arm is to be better, for whoever asks it so: beside the verdict, never the verdict or a stopping rule.

Every line has a flat prior, one that believes nothing; an arm with a `prior` has a second line of what was believed
before the trial. Gains are turned so that positive is better, in the outcome's own unit: a fraction, a time, the
number; for a rate the fraction by which it is better. The likelihood is normal, from the headline's estimate and its
clustered standard error, widened by t over z where the headline's degrees of freedom are few.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeAlias

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, betaincinv, betaln, expit, logit, ndtri, stdtrit, xlog1py, xlogy

from nudge.experiment.definition import OutcomeType
from nudge.experiment.priors import PriorBelief
from nudge.uplift.comparison import Comparison
from nudge.uplift.context import Context
from nudge.uplift.estimate import CiMethod, Estimate, Interval
from nudge.uplift.proportions import Share
from nudge.uplift.rows import times
from nudge.uplift.survival import Curve, kaplan_meier
from nudge.uplift.units import FloatArray

LEVEL: Final = 0.9
_REACH: Final = 9.0  # standard deviations of the logarithm that are looked at
_POINTS: Final = 20_001
_CURVE_POINTS: Final = 2_001  # each costs a whole curve
_STEPS: Final = 500  # of the reference's curve
_NODES: Final = 400
_REST: Final = 1e-15  # of a share's probability, left out at each end
_FAR: Final = 45.0  # of log density below its peak: nothing is left there

_SCORED: Final = (CiMethod.MIETTINEN_NURMINEN, CiMethod.MIETTINEN_NURMINEN_EFFECTIVE_T)

Gain: TypeAlias = Callable[[FloatArray], FloatArray]


def bayes_panel(context: Context) -> list[Mapping[str, Any]]:
    """A line per comparison and prior, the flat one last; none without a draw by chance or a better direction."""
    if not context.randomised or context.better is None:
        return []
    return [line for item in zip(context.comparisons, context.headline, strict=True) for line in _lines(context, *item)]


def _lines(context: Context, comparison: Comparison, headline: Estimate) -> Iterator[Mapping[str, Any]]:
    belief = context.facts.priors.get(comparison.arm) if context.outcome.primary else None
    for prior in (belief, None) if belief is not None else (None,):
        found, method, reason = posterior(context, comparison, headline, prior)
        least = context.smallest_worthwhile
        yield {
            "arm": comparison.arm,
            "reference": comparison.reference,
            "prior": "flat" if prior is None else prior.name,
            "prior_mean": None if prior is None else prior.mean,
            "prior_sd": None if prior is None else prior.sd,
            "method": method,
            "reason": reason,
            "probability_better": None if found is None else found.at_least(0.0),
            "worthwhile": least,
            "probability_worthwhile": None if found is None or least is None else found.at_least(least),
            "loss_if_chosen": None if found is None else found.loss_if_chosen,
            "loss_if_kept": None if found is None else found.loss_if_kept,
            "gain": None if found is None else found.quantile(0.5),
            "interval": None if found is None else found.interval(LEVEL),
            "level": LEVEL,
        }


def posterior(
    context: Context, comparison: Comparison, headline: Estimate, prior: PriorBelief | None
) -> tuple[Posterior | TwoShares | None, str | None, str | None]:
    """What is believed of the gain after the trial, by which method; or None and the reason.

    Methods: `beta` (a uniform prior on each share, exact), `normal` (the gain itself), `log_odds`, `log_rate`, and
    `curve` (the logarithm of a hazard ratio that bends the reference's curve).
    """
    kind, by_score = context.outcome.type, headline.ci_method is CiMethod.MIETTINEN_NURMINEN
    exact = prior is None and by_score
    carried = kind is OutcomeType.PROPORTION and headline.ci_method in _SCORED and (prior is not None or by_score)
    if headline.estimate is None or headline.se is None or not (headline.se > 0 or carried):
        return None, None, "no_standard_error"
    sign = 1.0 if context.better == "higher" else -1.0
    se = headline.se * _widening(headline)
    if kind is OutcomeType.RATE:
        belief = Normal(sign * math.log(headline.estimate), se).updated(prior)
        return belief.on_grid(_times_better(sign)), "log_rate", None
    if exact:
        return TwoShares(*_shares(comparison), lower=context.better == "lower"), "beta", None
    if prior is None:
        return Normal(sign * headline.estimate, se).on_grid(lambda theta: theta), "normal", None
    if kind in {OutcomeType.MEAN, OutcomeType.RATIO, OutcomeType.PERCENTILE}:
        return None, None, "prior_is_of_a_ratio"
    if kind is OutcomeType.PROPORTION:
        found = log_odds(comparison, headline.estimate, se, sign, headline.design_effect)
        base = found.reference

        def odds_gain(theta: FloatArray) -> FloatArray:
            return np.asarray(sign * (expit(logit(base) + sign * theta) - base))

        return found.belief.updated(prior).on_grid(odds_gain), "log_odds", None
    time, event = times(comparison.table)
    rows = comparison.z == 0
    curve = kaplan_meier(time[rows], event[rows], context.plan.horizon)
    if not curve.total_events:
        return None, None, "no_reference_event"
    return by_curve(curve, prior, sign * headline.estimate, se, later=sign > 0), "curve", None


def _widening(headline: Estimate) -> float:
    """t over z at the trial's confidence, so that a flat prior's interval is as wide as the headline's."""
    if headline.df is None:
        return 1.0
    upper = (1 + headline.confidence) / 2
    return float(stdtrit(headline.df, upper) / ndtri(upper))


def _shares(comparison: Comparison) -> tuple[Share, Share]:
    y = comparison.table.y
    if y is None:
        msg = "a proportion needs y"
        raise ValueError(msg)
    arm, reference = (y[comparison.z == code] for code in (1, 0))
    return Share(float(arm.sum()), float(arm.size)), Share(float(reference.sum()), float(reference.size))


def _times_better(sign: float) -> Gain:
    return lambda theta: np.asarray(sign * np.expm1(sign * theta))


@dataclass(frozen=True, slots=True)
class Normal:
    """A normal belief about a logarithm or a gain."""

    mean: float
    sd: float

    def updated(self, prior: PriorBelief | None) -> Normal:
        """The product of this likelihood and a normal prior; itself with a flat one."""
        if prior is None:
            return self
        one, other = self.sd**-2, prior.sd**-2
        return Normal((one * self.mean + other * prior.mean) / (one + other), (one + other) ** -0.5)

    def on_grid(self, gain: Gain) -> Posterior:
        """The belief carried to gains: `gain` rises and is 0 at 0."""
        theta = _with_zero(np.linspace(self.mean - _REACH * self.sd, self.mean + _REACH * self.sd, _POINTS))
        return Posterior.of(theta, -0.5 * ((theta - self.mean) / self.sd) ** 2, gain(theta))


@dataclass(frozen=True, slots=True)
class LogOdds:
    """The logarithm of the odds ratio, turned so that positive is better, and the reference's share."""

    belief: Normal
    reference: float


def log_odds(
    comparison: Comparison, difference: float, se: float, sign: float, design_effect: float | None = None
) -> LogOdds:
    """The headline's difference of shares as a logarithm of the odds ratio, by the delta method.

    Its variance is that of simple sampling, 1/(n p q) of each arm added, times how much wider than simple sampling
    the headline's own error is: strata and clusters are carried over whole. With a share of 0 or 1, half an event is
    added to each of the four cells (Haldane 1956; Anscombe 1956); `design_effect` serves where both are.
    """
    arm, reference = _shares(comparison)
    simple = sum(share.value * (1 - share.value) / share.n for share in (arm, reference))
    effect = se**2 / simple if simple > 0 else design_effect or 1.0
    if not (0 < arm.value < 1 and 0 < reference.value < 1):
        arm, reference = (Share(share.events + 0.5, share.n + 1) for share in (arm, reference))
        p = arm.value
    else:
        p = reference.value + difference  # the headline's own difference, which strata may have moved
        p = p if 0 < p < 1 else arm.value
    variance = effect * sum(1 / (share.n * share.value * (1 - share.value)) for share in (arm, reference))
    return LogOdds(
        Normal(sign * float(logit(p) - logit(reference.value)), math.sqrt(variance)),
        reference.value,
    )


def by_curve(curve: Curve, prior: PriorBelief, gain: float, se: float, *, later: bool) -> Posterior:
    """The prior on the log hazard ratio, the likelihood on the gain in restricted mean time that it would make.

    The arm's curve is the reference's raised to the hazard ratio, so that its restricted mean is the area under that.
    `later`: an event that comes later is better.
    """
    time, survival = curve.time, curve.survival
    if time.size > _STEPS:
        at = np.unique(np.linspace(0, time.size - 1, _STEPS).astype(np.int64))
        time, survival = time[at], survival[at]
    widths = np.diff(time, append=curve.horizon)
    rmst = float(widths @ survival)
    sign = 1.0 if later else -1.0

    def made(theta: FloatArray) -> FloatArray:
        ratio = np.exp(-sign * theta)
        return np.asarray(sign * (np.power(survival[None, :], ratio[:, None]) @ widths - rmst))

    low, high = prior.mean - _REACH * prior.sd, prior.mean + _REACH * prior.sd
    for _ in range(3):  # closer each time to where the belief has any weight
        theta = _with_zero(np.linspace(low, high, _CURVE_POINTS))
        gains = made(theta)
        log_density = -0.5 * ((theta - prior.mean) / prior.sd) ** 2 - 0.5 * ((gains - gain) / se) ** 2
        near = np.flatnonzero(log_density > log_density.max() - _FAR)
        low, high = theta[max(near[0] - 1, 0)], theta[min(near[-1] + 1, theta.size - 1)]
    return Posterior.of(theta, log_density, gains)


def _with_zero(theta: FloatArray) -> FloatArray:
    return np.union1d(theta, [0.0]) if theta[0] < 0 < theta[-1] else theta


@dataclass(frozen=True, slots=True)
class Posterior:
    """A belief about a gain on a fine grid: rising gains, and the probability of less than each."""

    gain: FloatArray
    below: FloatArray
    weight: FloatArray

    @classmethod
    def of(cls, theta: FloatArray, log_density: FloatArray, gain: FloatArray) -> Posterior:
        """From log densities at grid points, by the trapezium rule."""
        density = np.exp(log_density - log_density.max())
        widths = np.diff(theta)
        pieces = widths * (density[1:] + density[:-1]) / 2
        total = pieces.sum()
        weight = np.zeros(theta.size)
        weight[1:] += widths * density[1:] / 2
        weight[:-1] += widths * density[:-1] / 2
        return cls(gain, np.concatenate([[0.0], np.cumsum(pieces) / total]), weight / total)

    def at_least(self, gain: float) -> float:
        """The probability of a gain at least so large."""
        return float(1 - np.interp(gain, self.gain, self.below, left=0.0, right=1.0))

    @property
    def loss_if_chosen(self) -> float:
        """What choosing the arm is expected to cost: the mean of the loss where it is worse, 0 where it is not."""
        return float(self.weight @ np.maximum(-self.gain, 0.0))

    @property
    def loss_if_kept(self) -> float:
        """What keeping the reference is expected to cost."""
        return float(self.weight @ np.maximum(self.gain, 0.0))

    def quantile(self, probability: float) -> float:
        """The gain below which so much of the probability lies."""
        return float(np.interp(probability, self.below, self.gain))

    def interval(self, level: float) -> Interval:
        """The middle `level` of the probability."""
        return self.quantile((1 - level) / 2), self.quantile((1 + level) / 2)


@dataclass(frozen=True, slots=True)
class TwoShares:
    """Two shares with uniform priors, so each is Beta(1 + events, 1 + others): exact up to the quadrature.

    `lower`: fewer is better.
    """

    arm: Share
    reference: Share
    lower: bool = False

    def at_least(self, gain: float) -> float:
        """P(arm - reference >= gain), the other way about where fewer is better."""
        better, worse = (self.reference, self.arm) if self.lower else (self.arm, self.reference)
        return _integral(better, lambda x: _below(worse, x - gain))

    @property
    def loss_if_chosen(self) -> float:
        """E max(0, how much the reference is better)."""
        return self._loss(self.reference, self.arm)

    @property
    def loss_if_kept(self) -> float:
        """E max(0, how much the arm is better)."""
        return self._loss(self.arm, self.reference)

    def _loss(self, chosen_against: Share, chosen: Share) -> float:
        """E max(0, other - chosen) where more is better; E max(0, chosen - other) where fewer is."""
        more, less = (chosen, chosen_against) if self.lower else (chosen_against, chosen)
        a, b = _beta(more)

        def beyond(x: FloatArray) -> FloatArray:
            return np.asarray(a / (a + b) * (1 - betainc(a + 1, b, x)) - x * (1 - betainc(a, b, x)))

        return _integral(less, beyond)

    def quantile(self, probability: float) -> float:
        """The gain below which so much of the probability lies."""
        return float(brentq(lambda gain: 1 - self.at_least(gain) - probability, -1.0, 1.0, xtol=1e-10))

    def interval(self, level: float) -> Interval:
        """The middle `level` of the probability."""
        return self.quantile((1 - level) / 2), self.quantile((1 + level) / 2)


def _beta(share: Share) -> tuple[float, float]:
    return 1 + share.events, 1 + share.n - share.events


def _below(share: Share, x: FloatArray) -> FloatArray:
    return np.asarray(betainc(*_beta(share), np.clip(x, 0.0, 1.0)))


@cache
def _legendre() -> tuple[FloatArray, FloatArray]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights


def _integral(share: Share, of: Callable[[FloatArray], FloatArray]) -> float:
    """The mean of a function of a share, over where its Beta has any weight."""
    a, b = _beta(share)
    low, high = float(betaincinv(a, b, _REST)), float(1 - betaincinv(b, a, _REST))
    nodes, weights = _legendre()
    x = (high - low) / 2 * nodes + (high + low) / 2
    density = np.exp(xlogy(a - 1, x) + xlog1py(b - 1, -x) - betaln(a, b)) * weights
    return float(density @ of(x) / density.sum())
