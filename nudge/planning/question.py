"""What the trial is asked: one outcome, the difference that would matter, the arms, and how they are drawn."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from scipy.special import expit, logit

from nudge.base.columns import Kind
from nudge.experiment.definition import HOUSEHOLD, LiveExperiment, Outcome, OutcomeType
from nudge.experiment.priors import PRIORS, PriorBelief
from nudge.planning.response import Counted, Response, Shares, Times
from nudge.uplift.estimate import Measure
from nudge.uplift.outcome_rows import HEADLINE
from nudge.uplift.verdict import Wording, worthwhile_size


@dataclass(frozen=True, kw_only=True)
class Question:
    """One outcome of a live experiment.

    `size` is the smallest difference that would matter as the experiment has it (money in pence), `worthwhile` the
    same as an effect. `ratio`, `outside` and `contrasts` are those of `Plan`; `paired` says
    that arms are drawn within pairs. `posted`: some arm gets a letter.
    """

    outcome: Outcome
    higher: bool
    size: float | None
    worthwhile: float | None
    ratio: tuple[int, ...]
    outside: int
    contrasts: int
    paired: bool
    confidence: float
    unit: str
    cluster: str | None
    posted: bool
    money: bool
    prior: PriorBelief

    @classmethod
    def of(cls, experiment: LiveExperiment, outcome: Outcome) -> Question:
        """The question that an experiment asks of one of its outcomes; control first in the ratio."""
        measure, _ = HEADLINE[outcome.type]
        better = outcome.better or ("lower" if outcome.type is OutcomeType.TIME_TO_EVENT else "higher")
        ratio = dict(zip(experiment.arm_ids, experiment.design.ratio, strict=True))
        others = [arm for arm in experiment.arms if not arm.control and not arm.hold_out]
        compared, contrasts = _compared(experiment, ratio)
        stated = next((arm.prior for arm in others if arm.prior is not None), None)
        usual = PRIORS["redesign"] if any(arm.letter for arm in others) else PRIORS["eyes"]
        return cls(
            outcome=outcome,
            higher=better == "higher",
            size=experiment.worthwhile(outcome.id),
            worthwhile=worthwhile_size(experiment.worthwhile(outcome.id), better=better, measure=measure),
            ratio=compared,
            outside=sum(ratio.values()) - sum(compared),
            contrasts=contrasts,
            paired=experiment.design.method == "pairs",
            confidence=experiment.analysis.confidence,
            unit=experiment.unit,
            cluster=experiment.cluster,
            posted=any(arm.letter for arm in experiment.arms),
            money=experiment.columns.get(outcome.column or "") is Kind.MONEY,
            prior=stated or usual,
        )

    @property
    def measure(self) -> Measure:
        """What the headline estimates."""
        return HEADLINE[self.outcome.type][0]

    @property
    def horizon(self) -> int | None:
        """The last day that counts."""
        last = self.outcome.horizon or self.outcome.within
        return None if last is None else int(last)

    @property
    def households(self) -> bool:
        """Whether what is drawn whole is a household."""
        return self.cluster == HOUSEHOLD

    @property
    def wording(self) -> Wording:
        """How a size of this outcome is said."""
        return Wording(
            measure=self.measure,
            horizon=self.horizon if self.measure is not Measure.MEAN_DIFFERENCE else None,
            time_unit=self.outcome.time_unit,
            unit=self.unit,
            money=self.money,
        )

    def signed(self, effect: float) -> float:
        """An effect as the report would print it: arm less reference, or their ratio."""
        turned = effect if self.higher else -effect
        return math.exp(turned) if self.measure is Measure.RATE_RATIO else turned

    def said(self, effect: float) -> str:
        """`3 days earlier`, `5 more in every 100 tenancies`."""
        wording = self.wording
        basis = wording.basis if self.measure is Measure.RISK_DIFFERENCE else ""
        return wording.size(self.signed(effect)) + basis


def _compared(experiment: LiveExperiment, ratio: Mapping[str, int]) -> tuple[tuple[int, ...], int]:
    """The parts of the control and of what it is compared with, and how many main effects there are.

    Of a factorial trial the factor's level that has the fewest units, against the control's level.
    """
    arms = [arm for arm in experiment.arms if not arm.hold_out]
    control = experiment.control
    if experiment.design.factorial != "main_effects" or not control.factors:
        return (ratio[control.id], *(ratio[arm.id] for arm in arms if not arm.control)), 0
    sides = []
    for factor, usual in control.factors.items():
        parts: Counter[str] = Counter()
        for arm in arms:
            parts[arm.factors[factor]] += ratio[arm.id]
        sides += [(parts[usual], part) for level, part in parts.items() if level != usual]
    return min(sides, key=lambda pair: (min(pair), pair)), len(sides)


def brought(response: Response, log_ratio: float) -> float | None:
    """The effect that an odds, hazard or rate ratio brings where it does good; None for a mean, which has none."""
    if isinstance(response, Shares):
        sign = 1 if response.higher else -1
        return sign * (float(expit(logit(response.reference) + sign * log_ratio)) - response.reference)
    if isinstance(response, Times):
        return response.gain(-log_ratio if response.higher else log_ratio)
    return log_ratio if isinstance(response, Counted) else None
