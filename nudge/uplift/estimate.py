"""One estimate: an arm less its reference, unrounded, with its interval, its p-value and how each was made.

The closed lists of the summary document (measures, roles, interval and p-value methods, flags) are declared here,
so that `docs/summary.md` can list them and a reader can branch on them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final, TypeAlias

Interval: TypeAlias = tuple[float, float]


class Measure(StrEnum):
    """What is estimated (DESIGN §4.4)."""

    RISK_DIFFERENCE = "risk_difference"
    RISK_RATIO = "risk_ratio"
    ODDS_RATIO = "odds_ratio"
    RMST_DIFFERENCE = "rmst_difference"
    HAZARD_RATIO = "hazard_ratio"
    LOGRANK = "logrank"
    MEAN_DIFFERENCE = "mean_difference"
    RATE_RATIO = "rate_ratio"
    RATIO_DIFFERENCE = "ratio_difference"
    PERCENTILE_DIFFERENCE = "percentile_difference"


class Scale(StrEnum):
    """A difference has no effect at 0; a ratio at 1, and its `se` is that of its logarithm."""

    DIFFERENCE = "difference"
    RATIO = "ratio"


RATIOS: Final = frozenset({Measure.RISK_RATIO, Measure.ODDS_RATIO, Measure.HAZARD_RATIO, Measure.RATE_RATIO})


class Role(StrEnum):
    """Headline rows answer the outcome's question; the others stand beside them and lend them nothing."""

    HEADLINE = "headline"
    SECONDARY = "secondary"
    SENSITIVITY = "sensitivity"
    DESCRIPTIVE = "descriptive"


class CiMethod(StrEnum):
    """How an interval was made."""

    MIETTINEN_NURMINEN = "miettinen_nurminen"
    MIETTINEN_NURMINEN_EFFECTIVE_T = "miettinen_nurminen_effective_t"
    SATO = "sato"
    GREENWOOD_Z = "greenwood_z"
    HC2_T = "hc2_t"
    CR2_T = "cr2_t"
    SANDWICH_T = "sandwich_t"
    PAIRED_T = "paired_t"
    CROSSOVER_T = "crossover_t"
    LOG_Z = "log_z"
    LOG_T = "log_t"
    BCA = "bca"


class PMethod(StrEnum):
    """How a p-value was made; the `as_if_randomised_` ones stand where nobody says that arms were drawn by chance."""

    SCORE = "score"
    COCHRAN_MANTEL_HAENSZEL = "cochran_mantel_haenszel"
    WALD_Z = "wald_z"
    WALD_T = "wald_t"
    WALD_F = "wald_f"
    LOGRANK = "logrank"
    ROBUST_LOGRANK = "robust_logrank"
    RANDOMISATION_EXACT = "randomisation_exact"
    RANDOMISATION_DRAWN = "randomisation_drawn"
    SIGN_FLIP_EXACT = "sign_flip_exact"
    SIGN_FLIP_DRAWN = "sign_flip_drawn"
    AS_IF_SCORE = "as_if_randomised_score"
    AS_IF_COCHRAN_MANTEL_HAENSZEL = "as_if_randomised_cochran_mantel_haenszel"
    AS_IF_WALD_Z = "as_if_randomised_wald_z"
    AS_IF_WALD_T = "as_if_randomised_wald_t"
    AS_IF_WALD_F = "as_if_randomised_wald_f"
    AS_IF_LOGRANK = "as_if_randomised_logrank"
    AS_IF_ROBUST_LOGRANK = "as_if_randomised_robust_logrank"
    AS_IF_EXACT = "as_if_randomised_randomisation_exact"
    AS_IF_DRAWN = "as_if_randomised_randomisation_drawn"
    AS_IF_SIGN_FLIP_EXACT = "as_if_randomised_sign_flip_exact"
    AS_IF_SIGN_FLIP_DRAWN = "as_if_randomised_sign_flip_drawn"

    @property
    def redrawn(self) -> bool:
        """Whether the stored design (or the signs of the pairs) was drawn again."""
        return "randomisation_" in self.value or "sign_flip" in self.value


def as_if_randomised(method: PMethod) -> PMethod:
    """The same p-value where nobody says that the arms were drawn by chance (rules §6)."""
    prefix = "as_if_randomised_"
    return method if method.value.startswith(prefix) else PMethod(prefix + method.value)


class Flag(StrEnum):
    """What a reader must know before using a row."""

    EMPTY_ARM = "empty_arm"
    ONE_CLUSTER_IN_ARM = "one_cluster_in_arm"
    NO_VARIANCE = "no_variance"
    STRATA_NOT_USED = "strata_not_used"
    STRATA_DROPPED = "strata_dropped"
    INTERVAL_AND_TEST_DISAGREE = "interval_and_test_disagree"
    CANNOT_REACH_SIGNIFICANCE = "cannot_reach_significance"
    REDRAWS_DEGENERATE = "redraws_degenerate"
    RANDOMISATION_TEST_NOT_RUN = "randomisation_test_not_run"
    RANDOMISATION_TEST_NEEDS_UNITS = "randomisation_test_needs_units"
    CLUSTERS_SPAN_ARMS = "clusters_span_arms"
    TEST_ONLY = "test_only"
    RESPONDERS_ONLY = "responders_only"
    NOT_A_COMPARISON = "not_a_comparison"
    FEW_EVENTS = "few_events"
    FEW_CLUSTERS = "few_clusters"
    NO_EVENTS = "no_events"
    NO_DENOMINATOR = "no_denominator"
    MODEL_NOT_FITTED = "model_not_fitted"
    RATIO_UNBOUNDED = "ratio_unbounded"
    HAZARDS_NOT_PROPORTIONAL = "hazards_not_proportional"
    COVARIATE_DROPPED = "covariate_dropped"
    WITHIN_BEYOND_SECOND_POSTING = "within_beyond_second_posting"
    FOLLOW_UP_SHORT = "follow_up_short"
    TIME_IGNORED = "time_ignored"
    BEFORE_THE_END = "before_the_end"
    DISPATCH_DIFFERS_BY_ARM = "dispatch_differs_by_arm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """An arm less its reference (or their ratio), with the keys of `estimates[…]` in TRIAL-RULES §9.

    Fractions, times in the outcome's unit, money in pence; nothing is rounded. None: the quantity does not exist,
    and a flag says why. `ci` is the plain interval at `confidence`, `simultaneous` the verdict's over several arms.
    `n`, `events` and `clusters` are arm plus reference. `se` beside a ratio is on the logarithm.
    `contrast` says in words what is compared where it is more than the two arms: one side, the other, and how.
    """

    arm: str
    reference: str
    measure: Measure
    scale: Scale
    role: Role
    method: str
    confidence: float
    n: int
    estimate: float | None = None
    se: float | None = None
    ci: Interval | None = None
    ci_method: CiMethod | None = None
    simultaneous: Interval | None = None
    df: float | None = None
    statistic: float | None = None
    p_value: float | None = None
    p_method: PMethod | None = None
    redraws: int | None = None
    p_adjusted: float | None = None
    adjustment: str | None = None
    strata: tuple[str, ...] = ()
    strata_dropped: int = 0
    covariates: tuple[str, ...] = ()
    clusters: int | None = None
    design_effect: float | None = None
    events: int | None = None
    flags: tuple[Flag, ...] = ()
    contrast: tuple[str, str, str] | None = None

    @property
    def null(self) -> float:
        """The value that means no effect."""
        return 1.0 if self.scale is Scale.RATIO else 0.0

    def document(self) -> dict[str, Any]:
        """Plain values for JSON, every key present."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}


def plain(value: Any) -> Any:
    """The value in JSON's own kinds: no NaN, no infinity (both become None), no NumPy scalar."""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
