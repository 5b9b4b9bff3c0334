"""Each arm's own figures: contact by day, restricted mean, share, mean, rate, with the limits that go with them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from scipy.special import ndtri, stdtrit

from nudge.uplift.estimate import Interval
from nudge.uplift.means import Mean, arm_mean
from nudge.uplift.proportions import Share, wilson
from nudge.uplift.results import ArmResult, point
from nudge.uplift.sums import ratio_values
from nudge.uplift.survival import contact_values, kaplan_meier, log_log_limits, rmst_values
from nudge.uplift.units import BoolArray, FloatArray, IntArray, UnitTable, distinct

_STEPS: Final[Mapping[str, tuple[int, ...]]] = {
    "day": (7, 14, 28, 56, 84, 112, 168, 224, 280, 364),
    "week": (4, 13, 26, 52, 104, 156),
    "month": (1, 3, 6, 12, 24, 36),
    "year": (1, 2, 3, 5, 10, 15),
}


def arm_results(
    table: UnitTable, kind: str, *, horizon: float | None, time_unit: str, confidence: float
) -> tuple[ArmResult, ...]:
    """One result per arm, in the table's order."""
    clustered = table.clustered
    found = []
    for code, name in enumerate(table.arms):
        rows = table.take(table.arm == code)
        values: Mapping[str, Any]
        events: int | None = None
        if kind == "time_to_event":
            values, events = _times(rows, horizon or 0.0, time_unit, confidence, clustered=clustered)
        elif kind == "rate":
            values, events = _rate(rows, confidence)
        elif kind == "proportion":
            values, events = _share(rows, confidence, clustered=clustered)
        elif kind == "ratio":
            values = _ratio(rows, confidence)
        elif kind == "percentile":
            values = _mean(rows, confidence, "percentile")
        else:
            values = _mean(rows, confidence)
        missing = dict(table.missing_by.get(name, {}))
        found.append(
            ArmResult(
                arm=name,
                n_assigned=table.assigned.get(name, len(rows) + sum(missing.values())),
                n=len(rows),
                clusters=distinct(rows.cluster_codes),
                missing_by=missing,
                events=events,
                values=values,
            )
        )
    return tuple(found)


def _times(
    rows: UnitTable, horizon: float, time_unit: str, confidence: float, *, clustered: bool
) -> tuple[dict[str, Any], int]:
    time, event = rows.time, rows.event
    if time is None or event is None:
        msg = "a time to event needs time and event"
        raise ValueError(msg)
    none = point(None, None, None)
    by_day = [day for day in _STEPS[time_unit] if day < horizon]
    if not time.size:
        empty: dict[str, Any] = {"contact_by_horizon": none, "by_day": {str(day): none for day in by_day}}
        return {**empty, "rmst": none, "median": None, "curve": [], "responders_mean": None, "responders_n": 0}, 0
    curve = kaplan_meier(time, event, horizon)
    cluster = rows.cluster_codes if clustered else None
    z = float(ndtri((1 + confidence) / 2))

    def contact(day: float) -> dict[str, Any]:
        share, se = curve.contact_by(day), curve.contact_se(day)
        critical = z
        if cluster is not None:
            mean = arm_mean(contact_values(time, event, day), cluster)
            se, critical = (mean.se or 0.0), _t(mean, confidence)
        return point(share, se, log_log_limits(share, se, critical) if se > 0 else None)

    rmst = curve.rmst
    rmst_se: float | None = curve.rmst_se
    critical = z
    if cluster is not None:
        mean = arm_mean(rmst_values(time, event, horizon), cluster)
        rmst_se, critical = mean.se, _t(mean, confidence)
    responders = event & (time <= horizon)
    median = curve.median(confidence)
    values = {
        "contact_by_horizon": contact(horizon),
        "by_day": {str(day): contact(float(day)) for day in by_day},
        "rmst": point(rmst, rmst_se, _around(rmst, rmst_se, critical)),
        "median": None
        if median is None
        else point(median[0], None, (median[1], median[2]) if median[2] is not None else None),
        "curve": curve.rows(),
        "responders_mean": float(time[responders].mean()) if responders.any() else None,
        "responders_n": int(responders.sum()),
    }
    return values, curve.total_events


def _share(rows: UnitTable, confidence: float, *, clustered: bool) -> tuple[dict[str, Any], int]:
    y = _known(rows.y)
    if not y.size:
        return {"proportion": point(None, None, None)}, 0
    share = Share(float(y.sum()), float(y.size))
    se, effect = math.sqrt(share.value * (1 - share.value) / share.n), 1.0
    if clustered:
        mean = arm_mean(y, rows.cluster_codes)
        # Nobody or everybody: no spread to measure, so members of a cluster count as one, as in the comparison's D.
        alike = float((np.unique(rows.cluster_codes, return_counts=True)[1] ** 2).sum() / y.size)
        effect = max((mean.se / se) ** 2, 1.0) if mean.se is not None and se > 0 else alike
        se = mean.se if mean.se is not None else se
    limits = wilson(Share(share.events / effect, share.n / effect), confidence)
    return {"proportion": point(share.value, se, limits)}, int(share.events)


def _mean(rows: UnitTable, confidence: float, name: str = "mean") -> dict[str, Any]:
    y = _known(rows.y)
    if not y.size:
        return {name: point(None, None, None), "sd": None}
    mean = arm_mean(y, rows.cluster_codes)
    return {
        name: point(mean.value, mean.se, _around(mean.value, mean.se, _t(mean, confidence))),
        "sd": float(y.std(ddof=1)) if y.size > 1 else None,
    }


def _ratio(rows: UnitTable, confidence: float) -> dict[str, Any]:
    y, over = _known(rows.y), _known(rows.over)
    sums = {"numerator": float(y.sum()), "denominator": float(over.sum())}
    if not sums["denominator"] > 0:
        return {**sums, "ratio": point(None, None, None)}
    mean = arm_mean(ratio_values(y, over), rows.cluster_codes)
    return {**sums, "ratio": point(mean.value, mean.se, _around(mean.value, mean.se, _t(mean, confidence)))}


def _rate(rows: UnitTable, confidence: float) -> tuple[dict[str, Any], int]:
    count = _known(rows.count)
    exposure = np.ones(count.size) if rows.exposure is None else rows.exposure
    total, over = float(count.sum()), float(exposure.sum())
    if not over > 0:
        return {"count": int(total), "exposure": over, "rate": point(None, None, None)}, int(total)
    rate = total / over
    se, limits = _rate_limits(count - rate * exposure, rows.cluster_codes, total, confidence)
    ci = None if limits is None else (rate * math.exp(-limits), rate * math.exp(limits))
    return {
        "count": int(total),
        "exposure": over,
        "rate": point(rate, None if se is None else rate * se, ci),
    }, int(total)


def _rate_limits(
    residual: FloatArray, cluster: IntArray, total: float, confidence: float
) -> tuple[float | None, float | None]:
    _, place = np.unique(cluster, return_inverse=True)
    by_cluster = np.bincount(place, weights=residual)
    groups = by_cluster.size
    if total <= 0 or groups < 2:
        return None, None
    se = math.sqrt(float((by_cluster**2).sum()) * groups / (groups - 1)) / total
    return se, se * float(stdtrit(groups - 1, (1 + confidence) / 2))


def _known(values: FloatArray | BoolArray | None) -> FloatArray:
    if values is None:
        msg = "the table lacks the outcome's own column"
        raise ValueError(msg)
    return values.astype(np.float64)


def _t(mean: Mean, confidence: float) -> float:
    return float(stdtrit(mean.df, (1 + confidence) / 2)) if mean.df > 0 else math.nan


def _around(value: float, se: float | None, critical: float) -> Interval | None:
    return None if se is None else (value - critical * se, value + critical * se)
