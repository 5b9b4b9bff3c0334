"""Risk and odds ratios, beside the difference of shares: never the headline, never lending it their test."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from nudge.uplift.clusters import arm_effect
from nudge.uplift.comparison import Comparison, Row, two_sided, wald_limits
from nudge.uplift.estimate import CiMethod, Flag, Measure, PMethod
from nudge.uplift.proportions import Tables, mantel_haenszel_odds_ratio, mantel_haenszel_risk_ratio
from nudge.uplift.units import FloatArray


def ratio_rows(comparison: Comparison, y: FloatArray) -> list[Row]:
    """The ratio of shares and of odds with limits on the logarithm.

    Without clusters by Mantel-Haenszel over strata (one stratum: the plain ratios with Katz's and Woolf's limits);
    with clusters from the shares of the arms, the variance of each summed by cluster, t on clusters less arms.
    """
    rows = _clustered(comparison, y) if comparison.clustered else _tabled(comparison, y)
    events = int(y.sum())
    none = not all(y[comparison.z == code].any() for code in (1, 0))
    absent = Flag.NO_EVENTS if none else Flag.NO_VARIANCE  # odds of everybody are no number either
    return [
        replace(row, events=events) if row.estimate is not None else replace(row, events=events).flagged(absent)
        for row in rows
    ]


def _tabled(comparison: Comparison, y: FloatArray) -> list[Row]:
    tables = Tables.of(y, comparison.z, comparison.table.stratum_codes)
    by = " by Mantel-Haenszel over strata" if comparison.stratified else ""
    found = []
    for measure, what, (ratio, se) in (
        (Measure.RISK_RATIO, "Ratio of shares", mantel_haenszel_risk_ratio(tables)),
        (Measure.ODDS_RATIO, "Ratio of odds", mantel_haenszel_odds_ratio(tables)),
    ):
        row = Row(
            measure=measure,
            method=f"{what}{by}, limits on the logarithm",
            strata=comparison.strata if comparison.stratified else (),
            strata_dropped=comparison.strata_dropped,
        )
        found.append(_finished(row, ratio, se, None))
    return found


def _clustered(comparison: Comparison, y: FloatArray) -> list[Row]:
    z, cluster = comparison.z, comparison.table.cluster_codes
    p, q = (float(y[z == code].mean()) for code in (1, 0))

    def spread(of_arm: float, of_reference: float) -> float | None:
        """The error of the logarithm: that of y over what a small change of each share is worth."""
        scaled = y / np.where(z == 1, of_arm, of_reference)
        return arm_effect(scaled, z, np.zeros(y.size, dtype=np.int64), cluster).se

    risk: tuple[float | None, float | None] = (None, None)
    odds: tuple[float | None, float | None] = (None, None)
    if p > 0 and q > 0:
        risk = p / q, spread(p, q)
    if 0 < p < 1 and 0 < q < 1:
        odds = p * (1 - q) / (q * (1 - p)), spread(p * (1 - p), q * (1 - q))
    flags = (Flag.STRATA_NOT_USED,) if comparison.stratified else ()
    found = []
    for measure, what, (ratio, se) in (
        (Measure.RISK_RATIO, "Ratio of shares", risk),
        (Measure.ODDS_RATIO, "Ratio of odds", odds),
    ):
        row = Row(measure=measure, method=f"{what}, variance summed by cluster, limits on the logarithm", flags=flags)
        found.append(_finished(row, ratio, se, comparison.clusters_less_arms))
    return found


def _finished(row: Row, ratio: float | None, se: float | None, df: float | None) -> Row:
    if ratio is None:
        return row
    row = replace(row, estimate=ratio)
    if se is None or not se > 0:
        return row.flagged(Flag.NO_VARIANCE)
    statistic = math.log(ratio) / se
    return replace(
        row,
        se=se,
        df=df,
        ci_method=CiMethod.LOG_Z if df is None else CiMethod.LOG_T,
        limits=wald_limits(ratio, se, row.measure),
        statistic=statistic,
        p_value=two_sided(statistic, df),
        p_method=PMethod.WALD_Z if df is None else PMethod.WALD_T,
    )
