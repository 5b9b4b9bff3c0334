"""What the plan says of an arm beside the outcome's own data, for the panels: and how its arms are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from nudge.experiment.definition import Experiment, RecordedDesign
from nudge.experiment.priors import PriorBelief

MONTHS_REMEMBERED: Final = 12  # a deviation in a series of months may last a year, unless the plan says otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`priors` by arm: what was believed of it before the trial (arms without such a belief are left out).

    `trim_within_strata`: Lee's bounds trim within strata. `factors` holds the level of each factor by arm, of a
    factorial trial whose headline is `factorial`: `main_effects` or `cells`. `hold_out` names the arms kept out of
    the comparisons and the verdict. `compare` is what stands in for a draw that there was not; `season` and `lag` are
    of its series, in periods.
    """

    priors: Mapping[str, PriorBelief] = field(default_factory=dict)
    trim_within_strata: bool = False
    factors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    factorial: str | None = None
    hold_out: tuple[str, ...] = ()
    compare: str | None = None
    season: int | None = None
    lag: int = MONTHS_REMEMBERED

    @classmethod
    def of(cls, experiment: Experiment) -> Facts:
        """What an experiment file says."""
        design = experiment.design
        recorded = design if isinstance(design, RecordedDesign) else None
        return cls(
            priors={arm.id: arm.prior for arm in experiment.arms if arm.prior is not None},
            trim_within_strata=experiment.analysis.trim == "strata",
            factors={arm.id: arm.factors for arm in experiment.arms if arm.factors},
            factorial=experiment.design.factorial,
            hold_out=tuple(arm.id for arm in experiment.arms if arm.hold_out),
            compare=None if recorded is None else recorded.compare,
            season=None if recorded is None else recorded.season,
            lag=MONTHS_REMEMBERED if recorded is None or recorded.lag is None else recorded.lag,
        )


NO_FACTS: Final = Facts()
