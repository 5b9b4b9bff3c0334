"""The complier effect: what the arm's letter did to those whom it reached, beside what sending it did to everybody.

Intention to treat leads. A unit has received the arm's letter where that letter reached it; a unit of the reference
never has, unless the data say that the arm's letter reached it all the same. The effect is the difference in the
outcome over the difference in receipt (two-stage least squares with the draw as the instrument: Imbens & Angrist 1994;
Angrist, Imbens & Rubin 1996), stratum dummies in both stages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from scipy.special import stdtrit

from nudge.experiment.definition import OutcomeType
from nudge.uplift.comparison import Comparison
from nudge.uplift.context import Context
from nudge.uplift.estimate import Estimate, Flag, Interval
from nudge.uplift.fieller import ratio_set
from nudge.uplift.outcome_rows import unit_values
from nudge.uplift.refit import Refit
from nudge.uplift.units import FloatArray

WEAK: Final = 10.0
"""A first stage of a smaller F is refused (Staiger & Stock 1997)."""


def compliance_panel(context: Context) -> list[Mapping[str, Any]]:
    """A line per comparison where it is known whom the letters reached; none for a rate, or without a draw."""
    if context.table.received is None or context.outcome.type is OutcomeType.RATE or not context.randomised:
        return []
    return [_line(context, *item) for item in zip(context.comparisons, context.headline, strict=True)]


def _line(context: Context, comparison: Comparison, headline: Estimate) -> Mapping[str, Any]:
    received = np.asarray(comparison.table.received, dtype=np.int64)
    got = (received == context.table.arms.index(comparison.arm)).astype(np.float64)
    found = None
    if 0 not in comparison.sizes and Flag.NO_DENOMINATOR not in headline.flags:
        refit = Refit.of(context, comparison, headline)
        y = unit_values(comparison, context.plan)
        found = complier_effect(refit, refit.carried(y), refit.carried(got), context.settings.confidence)
    shares = [float(got[comparison.z == code].mean()) if (comparison.z == code).any() else None for code in (1, 0)]
    return {
        "arm": comparison.arm,
        "reference": comparison.reference,
        "received_arm": shares[0],
        "received_reference": shares[1],
        "intention_to_treat": None if found is None else found.itt,
        "first_stage": None if found is None else found.first_stage,
        "first_stage_f": None if found is None else found.f,
        "estimate": None if found is None else found.estimate,
        "se": None if found is None else found.se,
        "df": None if found is None else found.df,
        "ci": None if found is None else found.ci,
        "confidence": context.settings.confidence,
        "flags": ["empty_arm"] if found is None else list(found.flags),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplierEffect:
    """The effect among those whom the arm's letter reached because they were in the arm.

    `f`: the first stage's, None where receipt does not vary within arms at all. `ci`: every effect that the
    Anderson-Rubin test leaves standing.
    """

    itt: float | None
    first_stage: float | None
    f: float | None = None
    estimate: float | None = None
    se: float | None = None
    df: float | None = None
    ci: Interval | None = None
    flags: tuple[str, ...] = ()


def complier_effect(refit: Refit, y: FloatArray, got: FloatArray, confidence: float) -> ComplierEffect:
    """From values and receipt of the arm's letter, by row of the fit that both stages share.

    With one instrument the estimate is the ratio of the two coefficients, and the standard error that of the
    structural residual y - effect·receipt, HC2 or CR2 by cluster, over the first stage. The interval is
    Anderson-Rubin's (1949): effects b at which the arm's coefficient in y - b·receipt is not told from 0. The
    variance is a square in b, so this is Fieller's set of the ratio.
    """
    outcome, receipt = refit.fitted(y), refit.fitted(got)
    found = ComplierEffect(itt=outcome.estimate, first_stage=receipt.estimate)
    if outcome.estimate is None or receipt.estimate is None or outcome.se is None or outcome.df is None:
        return replace(found, flags=("no_variance",))
    spread = float((receipt.influence**2).sum())
    constant = spread <= 1e-24
    f = None if constant else receipt.estimate**2 / spread
    found = replace(found, f=f)
    if abs(receipt.estimate) < 1e-12 or receipt.estimate < 0 or (f is not None and f < WEAK):
        return replace(found, flags=("weak_first_stage",))
    estimate = outcome.estimate / receipt.estimate
    structural = refit.fitted(y - estimate * got)
    if structural.se is None or structural.df is None:
        return replace(found, estimate=estimate, flags=("no_variance",))
    critical = float(stdtrit(structural.df, (1 + confidence) / 2))
    both = float((outcome.influence * receipt.influence).sum())
    limits = ratio_set(outcome.estimate, receipt.estimate, outcome.se**2, spread, both, critical)
    flags = () if limits.interval is not None else ("interval_unbounded",)
    se = structural.se / receipt.estimate
    return replace(found, estimate=estimate, se=se, df=structural.df, ci=limits.interval, flags=flags)
