"""Postcodes: only in areas that there are, in the shapes that those areas have."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.base.postcodes import AREAS, INVENTED, WITHOUT_A_PLACE, postcode

INWARD = st.from_regex(r"[0-9][ABD-HJLNP-UW-Z]{2}", fullmatch=True)


def test_there_are_124_areas() -> None:
    assert len(AREAS) == 124
    assert {len(area) for area in AREAS} == {1, 2}
    assert sorted(area for area in AREAS if len(area) == 1) == ["B", "E", "G", "L", "M", "N", "S", "W"]


@given(st.sampled_from(sorted(AREAS)), st.integers(0, 99), INWARD, st.sampled_from(["", " ", "  ", "\u00a0"]))
def test_a_postcode_of_a_real_area_is_one_in_any_spacing_and_case(
    area: str, district: int, inward: str, gap: str
) -> None:
    wanted = f"{area}{district} {inward}"
    for written in (f"{area}{district}{gap}{inward}", f"{area}{district}{gap}{inward}".lower()):
        assert postcode(written) == wanted
    assert postcode(wanted) == wanted


@given(st.from_regex(r"[A-Z]{1,2}", fullmatch=True), st.integers(0, 99), INWARD)
def test_a_postcode_of_no_area_is_none(area: str, district: int, inward: str) -> None:
    real = area in AREAS or area in WITHOUT_A_PLACE or area == INVENTED
    assert (postcode(f"{area}{district} {inward}") is not None) is real


@given(st.text(max_size=12))
def test_whatever_is_read_as_a_postcode_has_its_form_and_stays_it(text: str) -> None:
    found = postcode(text)
    if found is not None:
        assert postcode(found) == found
        assert found.isascii()
        assert found[-4] == " "


@pytest.mark.parametrize(
    "text",
    [
        "GIR 0AA",
        "GX11 1AA",
        "XX1 1AA",
        "QQ1 1AA",
        "JJ12 3AB",
        "BN27A 1AA",
        "B1A 1AA",
        "M1A 1AA",
        "BN 1AA",
        "BN27 1A",
        "BN27 1CC",
        "BN27 1AI",
        "BN271 1AA",
        "1BN 1AA",
        "",
        "SW1I 1AA",
        "EC1Z 1AA",
        "FIQQ 1ZZ",
        "ASCN 1ZZ",
    ],
)
def test_what_no_house_has_is_no_postcode(text: str) -> None:
    assert postcode(text) is None


@pytest.mark.parametrize(
    "text", ["SW1A 1AA", "EC1A 1BB", "W1A 0AX", "E1W 1AA", "N1C 4AG", "SE1P 5LX", "BF1 2AU", "BX1 1LT"]
)
def test_london_and_places_without_a_place_have_theirs(text: str) -> None:
    assert postcode(text.replace(" ", "").lower()) == text


def test_public_cases_of_normalisation_agree(shared_data: Path) -> None:
    """Source: a postcode library's own tests (uk_addresses/README.md beside the data)."""
    with (shared_data / "uk_addresses" / "postcode_cases.csv").open(encoding="utf-8", newline="") as stream:
        cases = [row for row in csv.DictReader(stream) if row["check"] == "normalisation"]
    assert len(cases) >= 10
    for case in cases:
        assert postcode(case["input"]) == (None if case["expected"] == "null" else case["expected"])
