"""What the plan says of an arm beside the outcome's own data, for the panels: and how its arms are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from nudge.experiment.definition import Experiment
from nudge.experiment.priors import PriorBelief


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """`priors` by arm: what was believed of it before the trial (arms without such a belief are left out).

    `trim_within_strata`: Lee's bounds trim within strata. `factors` holds the level of each factor by arm, of a
    factorial trial whose headline is `factorial`: `main_effects` or `cells`. `hold_out` names the arms kept out of
    the comparisons and the verdict.
    """

    priors: Mapping[str, PriorBelief] = field(default_factory=dict)
    trim_within_strata: bool = False
    factors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    factorial: str | None = None
    hold_out: tuple[str, ...] = ()

    @classmethod
    def of(cls, experiment: Experiment) -> Facts:
        """What an experiment file says."""
        return cls(
            priors={arm.id: arm.prior for arm in experiment.arms if arm.prior is not None},
            trim_within_strata=experiment.analysis.trim == "strata",
            factors={arm.id: arm.factors for arm in experiment.arms if arm.factors},
            factorial=experiment.design.factorial,
            hold_out=tuple(arm.id for arm in experiment.arms if arm.hold_out),
        )


NO_FACTS: Final = Facts()
