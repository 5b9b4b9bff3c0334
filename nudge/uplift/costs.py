"""What a gain costs: pence per extra unit with the event, per time gained, and whether it is worth a stated value.

A ratio of two estimates has no standard error worth printing where the lower one may be nothing, so its limits are
Fieller's: an interval where the gain is told from nothing, else no upper limit at all. Net benefit, the value of the
gain less the extra cost, has an ordinary interval whatever the gain (Stinnett & Mullahy 1998). Gains are turned so
that positive is better; letters are a denominator of nothing but cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from scipy.special import ndtr, ndtri, stdtr, stdtrit

from nudge.experiment.definition import OutcomeType
from nudge.uplift.comparison import Comparison
from nudge.uplift.context import Context
from nudge.uplift.estimate import Estimate
from nudge.uplift.fieller import ratio_set
from nudge.uplift.outcome_rows import unit_values
from nudge.uplift.refit import Refit
from nudge.uplift.rows import by_arm
from nudge.uplift.survival import contact_values
from nudge.uplift.units import FloatArray

_PRICED: Final = frozenset({OutcomeType.TIME_TO_EVENT, OutcomeType.PROPORTION, OutcomeType.MEAN})


def costs_panel(context: Context) -> list[Mapping[str, Any]]:
    """A line per comparison and kind of gain, where it is known what was spent: for shares, times, means.

    Only of arms drawn by chance, for an outcome that says which way is better.
    """
    known = context.table.spent is not None and context.outcome.type in _PRICED
    if not known or not context.randomised or context.better is None:
        return []
    return [line for item in zip(context.comparisons, context.headline, strict=True) for line in _lines(context, *item)]


def _lines(context: Context, comparison: Comparison, headline: Estimate) -> Iterator[Mapping[str, Any]]:
    spent = comparison.table.spent
    if spent is None or 0 in comparison.sizes:
        return
    refit = Refit.of(context, comparison, headline)
    kind = context.outcome.type
    sign = 1.0 if context.better == "higher" else -1.0
    timed = kind is OutcomeType.TIME_TO_EVENT
    if timed:  # an event that is better sooner is better had
        values = -sign * by_arm(contact_values, comparison, context.plan.horizon)
        yield _line(context, comparison, refit, spent, "event", values, None)
    if kind is OutcomeType.MEAN and _value(context) is None:
        return  # a price of one of a number says little; what it is worth decides
    gained = "time" if timed else "event" if kind is OutcomeType.PROPORTION else "amount"
    yield _line(
        context, comparison, refit, spent, gained, sign * unit_values(comparison, context.plan), _value(context)
    )


def _value(context: Context) -> float | None:
    """Pence that one more of the gain is worth; a penny that is a gain in itself is worth a penny unless stated."""
    value = context.outcome.value
    if context.money:
        return 1.0 if value is None else float(value)
    return None if value is None else 100.0 * value


def _line(
    context: Context,
    comparison: Comparison,
    refit: Refit,
    spent: FloatArray,
    per: str,
    gains: FloatArray,
    value: float | None,
) -> Mapping[str, Any]:
    cost, gain = refit.fitted(refit.carried(spent)), refit.fitted(refit.carried(gains))
    confidence = context.settings.confidence
    line: dict[str, Any] = {
        "arm": comparison.arm,
        "reference": comparison.reference,
        "per": per,
        "cost_arm": float(spent[comparison.z == 1].mean()),
        "cost_reference": float(spent[comparison.z == 0].mean()),
        "cost_difference": cost.estimate,
        "cost_se": None,
        "gain": gain.estimate,
        "gain_se": gain.se,
        "df": gain.df,
        "ratio": None,
        "ratio_set": None,
        "ratio_ends": None,
        "value": value,
        "net_benefit": None,
        "net_benefit_se": None,
        "net_benefit_ci": None,
        "probability_worth_it": None,
        "confidence": confidence,
        "reason": None,
    }
    if cost.estimate is None or gain.estimate is None or gain.se is None:
        return line | {"reason": "no_standard_error"}
    variance = float((cost.influence**2).sum())
    line["cost_se"] = math.sqrt(variance)
    both = float((cost.influence * gain.influence).sum())
    if value is not None:
        line |= _net_benefit(
            value * gain.estimate - cost.estimate, value * gain.influence - cost.influence, gain.df, confidence
        )
    if per == "amount":
        return line  # pounds for pounds: the net benefit says it all
    critical = float(ndtri((1 + confidence) / 2) if gain.df is None else stdtrit(gain.df, (1 + confidence) / 2))
    found = ratio_set(cost.estimate, gain.estimate, variance, gain.se**2, both, critical)
    if gain.estimate > 0:
        line["ratio"] = cost.estimate / gain.estimate
    else:
        line["reason"] = "no_gain"
    return line | {"ratio_set": found.kind.value, "ratio_ends": found.ends}


def _net_benefit(net: float, influence: FloatArray, df: float | None, confidence: float) -> dict[str, Any]:
    se = math.sqrt(float((influence**2).sum()))
    upper = (1 + confidence) / 2
    critical = float(ndtri(upper) if df is None else stdtrit(df, upper))
    chance = None
    if se > 0:
        chance = float(ndtr(net / se) if df is None else stdtr(df, net / se))
    return {
        "net_benefit": net,
        "net_benefit_se": se,
        "net_benefit_ci": (net - critical * se, net + critical * se),
        "probability_worth_it": chance,
    }


def letters_panel(context: Context) -> list[Mapping[str, Any]]:
    """Letters of later waves by arm, and how many fewer of them: a line per comparison, for a primary outcome."""
    later = context.table.later_letters
    if later is None or not later.any() or not context.outcome.primary or not context.randomised:
        return []
    found: list[Mapping[str, Any]] = []
    for comparison, headline in zip(context.comparisons, context.headline, strict=True):
        own = comparison.table.later_letters
        if own is None or 0 in comparison.sizes:
            continue
        refit = Refit.of(context, comparison, headline)
        fit = refit.fitted(refit.carried(-own))
        confidence = context.settings.confidence
        ci = None
        if fit.estimate is not None and fit.se is not None and fit.df is not None:
            critical = float(stdtrit(fit.df, (1 + confidence) / 2))
            ci = (fit.estimate - critical * fit.se, fit.estimate + critical * fit.se)
        found.append(
            {
                "arm": comparison.arm,
                "reference": comparison.reference,
                "letters_arm": float(own[comparison.z == 1].mean()),
                "letters_reference": float(own[comparison.z == 0].mean()),
                "saved": fit.estimate,
                "se": fit.se,
                "df": fit.df,
                "ci": ci,
                "confidence": confidence,
            }
        )
    return found
