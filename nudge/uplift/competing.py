"""Events that end the chance of the outcome, beside the headline: how many each arm had, before any outcome.

The headline keeps their units at risk without event, so its 1 - S is already the share with the outcome. Here the same
is asked of the competing events themselves, so that a reader sees whether an arm loses people differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from scipy.special import ndtri, stdtrit

from nudge.experiment.definition import OutcomeType
from nudge.uplift.comparison import Comparison, Row, empty_row
from nudge.uplift.context import Context
from nudge.uplift.estimate import Flag, Measure
from nudge.uplift.means import arm_mean
from nudge.uplift.rows import times, values_row
from nudge.uplift.survival import log_log_limits
from nudge.uplift.units import BoolArray, FloatArray, UnitTable

WORTH_SAYING: Final = 0.02
"""Above this share in an arm the report says so first (statistics: report cumulative incidence above 2 %)."""


def incidence_values(time: FloatArray, event: BoolArray, competing: FloatArray, horizon: float) -> FloatArray:
    """Unit values of one arm: their mean is the Aalen-Johansen share with a competing event before any outcome.

    `time` to the outcome (where `event`) or to the end of follow-up, `competing` to the first competing event, infinite
    where there was none. An outcome of the same day came first. The value is the share plus n times the unit's
    influence on it (infinitesimal jackknife; Aalen & Johansen 1978), so that Σ(y - ȳ)²/n² is its variance.
    """
    lost = (competing < time) | ((competing <= time) & ~event)
    at = np.minimum(np.where(lost, competing, time), horizon)
    beyond = np.where(lost, competing, time) > horizon
    lost, gone = lost & ~beyond, (event | lost) & ~beyond
    _, place = np.unique(at, return_inverse=True)
    size = int(place.max(initial=-1)) + 1
    at_risk = np.cumsum(np.bincount(place, minlength=size)[::-1])[::-1].astype(np.float64)
    hazard = np.bincount(place, weights=gone, minlength=size) / at_risk
    own = np.bincount(place, weights=lost, minlength=size) / at_risk
    before = np.append(1.0, np.cumprod(1 - hazard)[:-1])
    share = np.cumsum(before * own)
    left = share[-1] - share
    with np.errstate(divide="ignore", invalid="ignore"):
        later = np.where(hazard < 1, left / (1 - hazard), 0.0)
    jump_own, jump = before / at_risk, later / at_risk
    drift = np.cumsum(jump_own * own - jump * hazard)
    influence = lost * jump_own[place] - gone * jump[place] - drift[place]
    return np.asarray(share[-1] + time.size * influence)


def competing_panel(context: Context) -> list[Mapping[str, Any]]:
    """A line for each arm, the reference first, where competing events were declared."""
    table = context.table
    if context.outcome.type is not OutcomeType.TIME_TO_EVENT or table.competing is None:
        return []
    horizon, confidence = context.plan.horizon, context.settings.confidence
    against = {item.arm: _difference(item, horizon) for item in context.comparisons}
    lines: list[Mapping[str, Any]] = []
    for code, arm in enumerate(table.arms):
        rows = table.take(table.arm == code)
        line: dict[str, Any] = {
            "arm": arm,
            "reference": None if code == 0 else table.arms[0],
            **_share(rows, horizon, confidence),
        }
        row = against.get(arm)
        ci = None if row is None or row.limits is None else row.limits(row.critical(confidence))
        line |= {
            "difference": None if row is None else row.estimate,
            "se_difference": None if row is None else row.se,
            "ci_difference": ci,
            "p_value": None if row is None else row.p_value,
            "confidence": confidence,
            "worth_saying": line["share"] is not None and line["share"] > WORTH_SAYING,
            "flags": [] if row is None else [flag.value for flag in row.flags],
        }
        lines.append(line)
    return lines


def _share(rows: UnitTable, horizon: float, confidence: float) -> dict[str, Any]:
    if not len(rows):
        return {"n": 0, "events": 0, "share": None, "se": None, "ci": None}
    time, event = times(rows)
    competing = _competing(rows)
    values = incidence_values(time, event, competing, horizon)
    first = (competing < time) | ((competing <= time) & ~event)
    mean = arm_mean(values, rows.cluster_codes)
    share, se = float(np.clip(mean.value, 0.0, 1.0)), mean.se
    upper = (1 + confidence) / 2
    critical = float(stdtrit(mean.df, upper) if rows.clustered and mean.df > 0 else ndtri(upper))
    return {
        "n": len(rows),
        "events": int((first & (competing <= horizon)).sum()),
        "share": share,
        "se": se,
        "ci": log_log_limits(share, se, critical) if se else None,
    }


def _difference(comparison: Comparison, horizon: float) -> Row:
    what = "Difference of Aalen-Johansen shares with a competing event"
    if 0 in comparison.sizes:
        return empty_row(Measure.RISK_DIFFERENCE, what)
    time, event = times(comparison.table)
    competing = _competing(comparison.table)
    y = np.empty(time.size)
    for code in (1, 0):
        rows = comparison.z == code
        y[rows] = incidence_values(time[rows], event[rows], competing[rows], horizon)
    row = values_row(comparison, y, measure=Measure.RISK_DIFFERENCE, what=what)
    return row if row.se is not None or Flag.NO_VARIANCE in row.flags else row.flagged(Flag.NO_VARIANCE)


def _competing(table: UnitTable) -> FloatArray:
    return np.full(len(table), np.inf) if table.competing is None else table.competing
