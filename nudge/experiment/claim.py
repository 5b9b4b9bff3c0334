"""A factual statement for letters and signs, as the experiment file words it."""

from __future__ import annotations

from typing import Final

from nudge.experiment.fields import Months, Name, Text, Value, WholeAboveZero

ELIGIBLE: Final = "eligible"
OBSERVED: Final = "observed"
"""Whom a claim counts besides those with an event: everybody eligible, or people whom somebody watched."""


class Claim(Value):
    """A factual statement for letters and signs: of a population in `period`, the share with `numerator`.

    `population` is `eligible`; an event, for those in which it happened; or `observed`, for people watched, of whom the
    column `numerator` says who did. `says` and its translations hold {share}, and may hold {period_end}. It lapses
    `expires_days` after `period`. Chosen as the best of `chosen_from`, its evidence has to be as much stronger.
    """

    says: Text
    says_cy: Text | None = None
    says_pl: Text | None = None
    says_ro: Text | None = None
    says_pt: Text | None = None
    numerator: Name
    within: WholeAboveZero | None = None
    population: Name = "eligible"
    source: Text
    period: Months
    expires_days: WholeAboveZero
    chosen_from: WholeAboveZero = 1
