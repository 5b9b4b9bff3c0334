"""A trial of signs: its units are sites, drawn once, whose outcomes are counts and speeds read where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from nudge.base.columns import Kind
from nudge.experiment.definition import LiveExperiment
from nudge.experiment.fields import LONGEST_SPAN, ColumnName, Name, Text, Value, Whole, WholeAboveZero


class SitesSpec(Value):
    """The signs, and the days that count.

    `days` is the length of a period, counted from the day after its signs are put up; `baseline_days` as many before.
    `periods` and `washout_days`, the first days of a period that do not count, are for designs in which a site changes
    over. An incident with a position belongs to the nearest site within `radius` metres.
    """

    size: Literal["A4", "A3", "A2", "A1", "600x450", "900x600"] = "A4"
    orientation: Literal["portrait", "landscape"] = "portrait"
    preset: Literal["print-house", "no-marks"] = "print-house"
    days: WholeAboveZero
    baseline_days: WholeAboveZero | None = None
    periods: WholeAboveZero | None = None
    washout_days: Whole | None = Field(default=None, ge=0, le=LONGEST_SPAN)
    radius: WholeAboveZero | None = None


class SiteExperiment(LiveExperiment):
    """A live trial of signs. What only letters need is not asked, and refused by name (`site_checks`)."""

    unit: Literal["site"]
    sites: SitesSpec
    columns: Mapping[ColumnName, Kind] = {}
    eligible: Text = "all"
    suppress: tuple[Name, ...] = ()
    harms: tuple[Name, ...] = ()

    @property
    def changing(self) -> bool:
        """Whether sites have one arm after the other."""
        return self.design.method in {"stepped_wedge", "crossover"}

    @property
    def periods(self) -> int:
        """How many periods of `days` follow day 0: 1 where no site changes over."""
        if not self.changing:
            return 1
        return self.sites.periods or 2

    @property
    def last_day(self) -> int:
        """The last day, from day 0, that counts."""
        return self.periods * self.sites.days
