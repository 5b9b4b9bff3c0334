"""How often the panels' intervals hold a truth that is known, in trials of households.

    python benchmarks/panel_coverage.py [trials]

The figures in docs/statistics.md are those of 4,000 trials each; the streams are fixed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np
from scipy.special import ndtri, stdtrit

from nudge.uplift.bounds import Sample, lee, manski
from nudge.uplift.clusters import arm_effect
from nudge.uplift.compliance import complier_effect
from nudge.uplift.fieller import ratio_set
from nudge.uplift.refit import Refit
from nudge.uplift.units import BoolArray, FloatArray, IntArray

CONFIDENCE: Final = 0.95
Held: TypeAlias = bool | None
"""Whether the interval held the truth; None where none was given."""


class Households:
    """A trial of households of 1 to 3 units, half of them in each arm, with something in common within each."""

    def __init__(self, rng: np.random.Generator, per_arm: int) -> None:
        self.cluster: IntArray = np.repeat(np.arange(2 * per_arm), rng.integers(1, 4, 2 * per_arm))
        self.z: IntArray = rng.permutation(np.arange(2 * per_arm) % 2)[self.cluster]
        self.common: FloatArray = rng.normal(0, 1, 2 * per_arm)[self.cluster]
        self.n = self.z.size
        self.stratum: IntArray = np.zeros(self.n, dtype=np.int64)

    def sample(self, seen: BoolArray, y: FloatArray) -> Sample:
        """The units with the outcome where it is seen."""
        known = np.where(seen, y, 0.0)
        return Sample(z=self.z, seen=seen, y=known, stratum=self.stratum, cluster=self.cluster)

    def refit(self) -> Refit:
        """The regression of a trial without strata."""
        return Refit(lambda values: values, lambda values: arm_effect(values, self.z, self.stratum, self.cluster))


def complier(reached: float) -> Callable[[np.random.Generator, Households], Held]:
    """The effect is 1 among those whom the letter reaches, who are unlike the others."""

    def held(rng: np.random.Generator, trial: Households) -> Held:
        reachable = rng.random(trial.n) < reached
        got = (trial.z * reachable).astype(np.float64)
        y = 2.0 * reachable + got + trial.common + rng.normal(0, 1.5, trial.n)
        ci = complier_effect(trial.refit(), y, got, CONFIDENCE).ci
        return None if ci is None else ci[0] <= 1 <= ci[1]

    return held


def price(gain: float) -> Callable[[np.random.Generator, Households], Held]:
    """A letter 48p dearer, and each answer costs £3."""

    def held(rng: np.random.Generator, trial: Households) -> Held:
        share = np.clip(0.35 + gain * trial.z + 0.1 * np.sign(trial.common), 0, 1)
        y = (rng.random(trial.n) < share).astype(np.float64)
        fitted = trial.refit().fitted
        cost, more = fitted(92 + 48.0 * trial.z + 300 * y), fitted(y)
        if cost.estimate is None or more.estimate is None or more.se is None or more.df is None:
            return None
        both = float(cost.influence @ more.influence)
        critical = float(stdtrit(more.df, (1 + CONFIDENCE) / 2))
        spread = float(cost.influence @ cost.influence)
        found = ratio_set(cost.estimate, more.estimate, spread, more.se**2, both, critical)
        return found.holds((48 + 300 * gain) / gain)

    return held


def trimmed(rng: np.random.Generator, trial: Households) -> Held:
    """No effect; the tenth that only the arm measures are the lowest, so the truth lies at a bound."""
    y = trial.common + rng.normal(0, 1, trial.n)
    only_arm = y < np.sqrt(2) * ndtri(0.1)
    seen = (rng.random(trial.n) >= 0.1) & (~only_arm | (trial.z == 1))
    found, _, _ = lee(trial.sample(seen, y))
    ci = None if found is None else found.interval(CONFIDENCE)
    return None if ci is None else ci[0] <= 0 <= ci[1]


def worst(rng: np.random.Generator, trial: Households) -> Held:
    """No effect; only a no goes missing in the arm, only a yes in the reference, so the truth lies at a bound."""
    yes = rng.random(trial.n) < 0.5
    lost = (yes == (trial.z == 0)) & (rng.random(trial.n) < 0.2)
    found = manski(trial.sample(~lost, yes.astype(np.float64)), (0.0, 1.0))
    ci = None if found is None else found.interval(CONFIDENCE)
    return None if ci is None else ci[0] <= 0 <= ci[1]


KINDS: Final = (
    ("complier effect, letters reach 50 of 100", complier(0.5), 20),
    ("complier effect, letters reach 90 of 100", complier(0.9), 60),
    ("complier effect, letters reach 35 of 100", complier(0.35), 60),
    ("price of an answer, gain 15 in 100", price(0.15), 60),
    ("price of an answer, gain 2 in 100", price(0.02), 60),
    ("price of an answer, gain 10 in 100", price(0.10), 200),
    ("Lee's bounds, the truth at one of them", trimmed, 60),
    ("Lee's bounds, the truth at one of them", trimmed, 200),
    ("Manski's bounds, the truth at one of them", worst, 60),
    ("Manski's bounds, the truth at one of them", worst, 200),
)


def main(trials: int) -> None:
    """Print a table of the shares held."""
    print("| interval | households an arm | holds the truth % | not given % |\n|---|---|---|---|")
    for number, (name, kind, per_arm) in enumerate(KINDS):
        rng = np.random.default_rng([20261125, number])
        held = [kind(rng, Households(rng, per_arm)) for _ in range(trials)]
        given = [one for one in held if one is not None]
        print(f"| {name} | {per_arm} | {100 * np.mean(given):.1f} | {100 * (1 - len(given) / trials):.1f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4_000)
