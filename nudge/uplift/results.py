"""What the analysis of one outcome hands on: TRIAL-RULES §9, `outcomes[…]`, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nudge.uplift.estimate import Estimate, Interval, Role, plain
from nudge.uplift.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmResult:
    """One arm of one outcome. `n` units analysed of `n_assigned`; `missing_by` says why the others are not."""

    arm: str
    n_assigned: int
    n: int
    clusters: int
    missing_by: Mapping[str, int]
    events: int | None
    values: Mapping[str, Any]

    @property
    def missing(self) -> int:
        """Units assigned that have no outcome here, whatever the reason."""
        return sum(self.missing_by.values())

    def document(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "arm": self.arm,
            "n_assigned": self.n_assigned,
            "n": self.n,
            "clusters": self.clusters,
            "missing": self.missing,
            "missing_by": plain(dict(self.missing_by)),
            "events": self.events,
            "values": plain(dict(self.values)),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeResult:
    """One outcome analysed: every arm's own figures, every estimate, and for a primary outcome the verdict.

    `day0` and `data_cut` are the trial's to say: the analysis leaves them None (`dataclasses.replace` sets them).
    `notes` are sentences for the summary's `notes`; they are not a key of the outcome.
    """

    id: str
    type: str
    primary: bool
    better: str | None
    population: str
    estimand: str
    unit: str
    time_unit: str | None
    horizon: float | None
    followed_to_horizon: int | None
    competing: tuple[str, ...]
    smallest_worthwhile: float | None
    verdict: tuple[Verdict, ...]
    arms: tuple[ArmResult, ...]
    estimates: tuple[Estimate, ...]
    day0: Any = None
    data_cut: str | None = None
    panels: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=())

    @property
    def headlines(self) -> tuple[Estimate, ...]:
        """The rows that answer the question, in the order of the arms."""
        return tuple(row for row in self.estimates if row.role is Role.HEADLINE)

    def document(self) -> dict[str, Any]:
        """The outcome's part of the summary, every key of §9, plain values only."""
        return {
            "id": self.id,
            "type": self.type,
            "primary": self.primary,
            "better": self.better,
            "population": self.population,
            "estimand": self.estimand,
            "unit": self.unit,
            "time_unit": self.time_unit,
            "horizon": plain(self.horizon),
            "day0": plain(self.day0),
            "data_cut": self.data_cut,
            "followed_to_horizon": plain(self.followed_to_horizon),
            "competing": list(self.competing),
            "smallest_worthwhile": plain(self.smallest_worthwhile),
            "verdict": [{"arm": item.arm, "code": item.code.value, "text": item.text} for item in self.verdict],
            "arms": [arm.document() for arm in self.arms],
            "estimates": [row.document() for row in self.estimates],
            "panels": {name: list(lines) for name, lines in self.panels.items()},
        }


def point(estimate: float | None, se: float | None, ci: Interval | None) -> dict[str, Any]:
    """One figure of an arm: `{estimate, se, ci}`."""
    return {"estimate": estimate, "se": se, "ci": ci}
