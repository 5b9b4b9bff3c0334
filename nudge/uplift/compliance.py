"""The complier effect: what the arm's letter did to those whom it reached, beside what sending it did to everybody.

Intention to treat leads. A unit has received the arm's letter where that letter reached it; a unit of the reference
never has, unless the data say that the arm's letter reached it all the same. The effect is the difference in the
outcome over the difference in receipt (two-stage least squares with the draw as the instrument: Imbens & Angrist 1994;
Angrist, Imbens & Rubin 1996), stratum dummies in both stages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import numpy as np
from scipy.special import stdtrit

from nudge.experiment.definition import OutcomeType
from nudge.uplift.clusters import Fit, arm_effect, compared, general_fit
from nudge.uplift.comparison import Comparison
from nudge.uplift.context import Context
from nudge.uplift.estimate import Estimate, Flag, Interval
from nudge.uplift.fieller import ratio_set
from nudge.uplift.means import covariate_columns
from nudge.uplift.outcome_rows import unit_values
from nudge.uplift.units import FloatArray

WEAK: Final = 10.0
"""A first stage of a smaller F is refused (Staiger & Stock 1997)."""

Fitted: TypeAlias = Callable[[FloatArray], Fit]
"""From unit values to the arm's coefficient, linear in them."""


def compliance_panel(context: Context) -> list[Mapping[str, Any]]:
    """A line per comparison, for outcomes whose table says whom the letters reached; none for a rate."""
    if context.table.received is None or context.outcome.type is OutcomeType.RATE:
        return []
    return [_line(context, *item) for item in zip(context.comparisons, context.headline, strict=True)]


def _line(context: Context, comparison: Comparison, headline: Estimate) -> Mapping[str, Any]:
    received = np.asarray(comparison.table.received, dtype=np.int64)
    got = (received == context.table.arms.index(comparison.arm)).astype(np.float64)
    nothing = 0 in comparison.sizes or Flag.NO_DENOMINATOR in headline.flags
    found = None if nothing else complier_effect(*_fitting(context, comparison, headline, got), context)
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


def complier_effect(fitted: Fitted, y: FloatArray, got: FloatArray, context: Context) -> ComplierEffect:
    """From unit values, 0/1 receipt of the arm's letter, and the fit that both stages share.

    With one instrument the estimate is the ratio of the two coefficients, and the standard error that of the
    structural residual y - effect·receipt, HC2 or CR2 by cluster, over the first stage. The interval is
    Anderson-Rubin's (1949): effects b at which the arm's coefficient in y - b·receipt is not told from 0. The
    variance is a square in b, so this is Fieller's set of the ratio.
    """
    outcome, receipt = fitted(y), fitted(got)
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
    structural = fitted(y - estimate * got)
    if structural.se is None or structural.df is None:
        return replace(found, estimate=estimate, flags=("no_variance",))
    critical = float(stdtrit(structural.df, (1 + context.settings.confidence) / 2))
    both = float((outcome.influence * receipt.influence).sum())
    limits = ratio_set(outcome.estimate, receipt.estimate, outcome.se**2, spread, both, critical)
    flags = () if limits.interval is not None else ("interval_unbounded",)
    se = structural.se / receipt.estimate
    return replace(found, estimate=estimate, se=se, df=structural.df, ci=limits.interval, flags=flags)


def _fitting(
    context: Context, comparison: Comparison, headline: Estimate, got: FloatArray
) -> tuple[Fitted, FloatArray, FloatArray]:
    """The headline's own regression for both stages: strata or pairs, clusters once where they are so weighed."""
    y = unit_values(comparison, context.plan)
    table = comparison.table
    if context.plan.weigh_clusters and comparison.clustered:
        comparison, mean = comparison.by_cluster()
        y, got = mean(y), mean(got)
        table = comparison.table
    stratum = table.stratum_codes
    if table.pair is not None:
        stratum = np.unique(table.pair, return_inverse=True)[1].astype(np.int64)
    elif Flag.STRATA_NOT_USED in headline.flags:
        stratum = np.zeros(len(table), dtype=np.int64)
    cluster, z = table.cluster_codes, comparison.z
    adjust: dict[str, FloatArray] = {}
    if table.pair is None and not context.plan.weigh_clusters:
        if context.outcome.type in {OutcomeType.MEAN, OutcomeType.PERCENTILE} and table.baseline is not None:
            adjust["baseline"] = table.baseline
        elif context.plan.adjusted:
            adjust.update(table.covariates)
    rows, _ = compared(z, stratum)
    if not adjust or not rows.any():
        return (lambda values: arm_effect(values, z, stratum, cluster)), y, got
    columns = covariate_columns(adjust, rows)
    arm = z.astype(np.float64)[:, None]
    design = np.concatenate([arm, columns, columns * arm], axis=1)[rows]
    size = int(cluster.max()) + 1
    return (lambda values: general_fit(values[rows], design, stratum[rows], cluster[rows], size=size)), y, got
