"""Bands, as strata and subgroups name them."""

from __future__ import annotations

import pytest

from nudge.base.columns import Kind
from nudge.experiment.bands import label_of, labels
from nudge.experiment.definition import Band

MONEY = Band(of="arrears", edges=(150, 499.5))
WEEKS = Band(of="weeks", edges=(4,))


def test_bands_are_named_as_people_say_them() -> None:
    assert labels(MONEY, Kind.MONEY) == ("under £150", "£150 to under £499.50", "£499.50 and over")
    assert labels(WEEKS, Kind.NUMBER) == ("under 4", "4 and over")


@pytest.mark.parametrize(("pence", "band"), [(14999, 0), (15000, 1), (49949, 1), (49950, 2), (-100, 0), (10**9, 2)])
def test_an_edge_belongs_to_the_upper_band(pence: int, band: int) -> None:
    assert label_of(pence, MONEY, Kind.MONEY) == labels(MONEY, Kind.MONEY)[band]


def test_i9_a_blank_cell_has_no_band() -> None:
    assert label_of(None, WEEKS, Kind.NUMBER) is None
    assert label_of(4.0, WEEKS, Kind.NUMBER) == "4 and over"
