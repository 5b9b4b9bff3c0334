"""Figures of letters that nobody drew by chance: a step in a series, a difference in differences, before and after.

They stand beside the plain comparison under a banner, with a grade of evidence on the Maryland scale of 1 to 5
(Sherman et al. 1998), as-if p-values and never a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from scipy.special import stdtr, stdtrit

from nudge.uplift.clusters import Fit, arm_effect
from nudge.uplift.context import Context
from nudge.uplift.estimate import Scale
from nudge.uplift.series import FEWEST_SIDE, Change, segmented
from nudge.uplift.units import BoolArray, FloatArray, IntArray, UnitTable

GRADES: Final[Mapping[str, int]] = {"before_after": 1, "interrupted_series": 2, "difference_in_differences": 3}
"""Of a perfect 5, a trial drawn by chance and well kept: what each way of comparing can reach at best."""
AS_IF: Final = "as_if_randomised_wald_t"


def difference_in_differences(change: FloatArray, arm: IntArray, stratum: IntArray, cluster: IntArray) -> Fit:
    """The change since before in arm 1 less that in arm 0, with CR2 by cluster and Satterthwaite's degrees of freedom.

    `change` is each unit's value less its own value before. Of two periods, all units in both, this is the interaction
    in a regression on arm, period and their product, clusters whole: the same estimate, error and degrees of freedom.
    """
    return arm_effect(change, arm, stratum, cluster)


def unrandomised_panel(context: Context) -> Sequence[Mapping[str, Any]]:
    """The lines of the comparison that the plan names, for an outcome that is a mean; none where it names none."""
    compare = context.facts.compare
    counted = compare == "interrupted_series" and context.table.count is not None
    if compare is None or context.randomised or (context.table.y is None and not counted):
        return []
    return _LINES[compare](context)


def _differences(context: Context) -> list[dict[str, Any]]:
    lines = []
    for item in context.comparisons:
        table = item.table
        if table.y is None or table.baseline is None:
            continue
        fit = difference_in_differences(table.y - table.baseline, item.z, table.stratum_codes, table.cluster_codes)
        lines.append(
            {
                **_head(context, item.arm, item.reference, "difference_in_differences"),
                "what": "difference_in_differences",
                **_of_fit(fit, context.settings.confidence),
                "n": sum(item.sizes),
                "clusters": sum(item.clusters),
            }
        )
    return lines


def _series(context: Context) -> list[dict[str, Any]]:
    facts = context.facts
    scale = Scale.DIFFERENCE if context.table.count is None else Scale.RATIO
    head = _head(context, context.table.arms[1], context.table.arms[0], "interrupted_series")
    head["scale"] = scale
    found = series_of(context.table)
    if isinstance(found, str):
        nothing = {"lag": facts.lag, "season": facts.season, "n": None, "reason": found}
        return [{**head, "what": "step", **_EMPTY, **nothing}]
    values, after = found
    fits = after.sum() >= FEWEST_SIDE and (~after).sum() >= FEWEST_SIDE
    common = {"n": int(values.size), "periods_after": int(after.sum()), "lag": facts.lag, "season": facts.season}
    reason = "too_few_periods" if not fits or facts.lag >= values.size // 2 else None
    if reason is not None:
        return [{**head, "what": "step", **_EMPTY, **common, "reason": reason}]
    lines = []
    for slope in (False, True):
        fit = segmented(
            values,
            after,
            season=facts.season,
            lag=facts.lag,
            slope=slope,
            confidence=context.settings.confidence,
        )
        lines.append({**head, "what": "step_and_slope" if slope else "step", **_of_change(fit.level, scale), **common})
        if fit.slope is not None:
            lines.append({**head, "what": "slope", **_of_change(fit.slope, scale), **common})
    return lines


def _before_after(context: Context) -> list[dict[str, Any]]:
    keys = ("estimate", "se", "df", "p_value", "p_method", "ci")
    return [
        {
            **_head(context, row.arm, row.reference, "before_after"),
            "what": "change",
            **_EMPTY,
            **{key: getattr(row, key) for key in keys},
            "n": row.n,
            "clusters": row.clusters,
        }
        for row in context.headline
    ]


_LINES: Final[Mapping[str, Callable[[Context], list[dict[str, Any]]]]] = {
    "before_after": _before_after,
    "interrupted_series": _series,
    "difference_in_differences": _differences,
}
_EMPTY: Final[Mapping[str, Any]] = {
    "estimate": None,
    "se": None,
    "se_independent": None,
    "df": None,
    "p_value": None,
    "ci": None,
    "clusters": None,
    "periods_after": None,
    "lag": None,
    "season": None,
    "reason": None,
}


def series_of(table: UnitTable) -> tuple[FloatArray, BoolArray] | str:
    """The figure of each period in order of time, and which periods are after; or the reason why there are none.

    The mean of a period; of counts the logarithm of its rate, which a period of no counts does not have.
    """
    if table.period is None or not table.period.size or len(table.arms) != 2:
        return "arms_overlap_in_time"
    used, period = np.unique(table.period, return_inverse=True)
    units = np.bincount(period)
    after = np.bincount(period, weights=table.arm == 1) / units
    if ((after > 0) & (after < 1)).any() or (np.diff(after) < 0).any() or used.size < 2:
        return "arms_overlap_in_time"
    if (np.diff(used) != 1).any():
        return "period_without_figure"
    if table.count is None:
        return np.bincount(period, weights=table.y) / units, after == 1
    counts = np.bincount(period, weights=table.count)
    exposure = units if table.exposure is None else np.bincount(period, weights=table.exposure)
    if (counts <= 0).any() or (exposure <= 0).any():
        return "period_of_no_counts"
    return np.log(counts / exposure), after == 1


def _head(context: Context, arm: str, reference: str, compare: str) -> dict[str, Any]:
    return {
        "arm": arm,
        "reference": reference,
        "compare": compare,
        "grade": GRADES[compare],
        "scale": Scale.DIFFERENCE,
        "confidence": context.settings.confidence,
        "p_method": AS_IF,
    }


def _of_fit(fit: Fit, confidence: float) -> dict[str, Any]:
    line = {**_EMPTY, "estimate": fit.estimate, "se": fit.se, "df": fit.df}
    if fit.estimate is None or fit.se is None or fit.df is None:
        return {**line, "reason": "no_standard_error"}
    reach = float(stdtrit(fit.df, (1 + confidence) / 2)) * fit.se
    p = float(2 * stdtr(fit.df, -abs(fit.estimate / fit.se)))
    return {**line, "p_value": p, "ci": (fit.estimate - reach, fit.estimate + reach)}


def _of_change(change: Change, scale: Scale) -> dict[str, Any]:
    value: Callable[[float], float] = math.exp if scale is Scale.RATIO else float
    return {
        **_EMPTY,
        "estimate": None if change.estimate is None else value(change.estimate),
        "se": change.se,
        "se_independent": change.se_independent,
        "df": change.df,
        "p_value": change.p_value,
        "ci": None if change.ci is None else (value(change.ci[0]), value(change.ci[1])),
        "reason": None if change.se is not None else "no_standard_error",
    }
