"""Addresses are tidied only where nothing is lost by it, and otherwise set aside."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.intake.address import AddressUnread, address_of, one_cell
from nudge.intake.codes import RowCode

HOME = ("1 Mill Lane", "Hailsham", "BN27 1AA")


@pytest.mark.parametrize(
    ("cells", "code", "lines"),
    [
        (["1 Mill Lane", "Hailsham"], "BN27 1AA", HOME),
        (["1 Mill Lane", "Hailsham"], "bn271aa", HOME),
        (["1 Mill Lane", "Hailsham", "BN27 1AA"], "", HOME),
        (["1 Mill Lane", "Hailsham BN27 1AA"], "", HOME),
        (["1 Mill Lane", "Hailsham, BN27 1AA"], "", HOME),
        ([" 1  Mill Lane, ", "", "Hailsham,"], "BN27 1AA", HOME),
        (["1 Mill Lane", "Hailsham", "BN27 1AA"], "BN27 1AA", HOME),
        (["1 Mill Lane", "BN27 1AA", "Hailsham"], "BN27 1AA", HOME),
        (["1 Mill Lane", "Hailsham BN271AA"], "BN27 1AA", HOME),
        (["1 Mill Lane"], "BN27 1AA", ("1 Mill Lane", "BN27 1AA")),
        (["1 Mill Lane BN27 1AA"], "", ("1 Mill Lane", "BN27 1AA")),
        (["1 Mill Lane", "Hailsham", "England"], "BN27 1AA", HOME),
        (["1 Mill Lane", "Hailsham", "BN27 1AA", "U.K."], "", HOME),
        (["1 Mill Lane", "Hailsham BN27 1AA", "United Kingdom"], "", HOME),
        (["1 Mill Lane", "Hailsham", "England", "UK"], "BN27 1AA", HOME),
        (["England Cottage", "1 Mill Lane", "Hailsham"], "BN27 1AA", ("England Cottage", *HOME)),
        (["1 Heol Felin", "Abertawe", "Cymru"], "SA1 1AA", ("1 Heol Felin", "Abertawe", "SA1 1AA")),
        (["Pte B Marsh", "1 Signals", "BFPO 57"], "BF1 2AU", ("Pte B Marsh", "1 Signals", "BFPO 57", "BF1 2AU")),
        (["Pte B Marsh", "bfpo 57", "1 Signals"], "", ("Pte B Marsh", "1 Signals", "BFPO 57")),
        (["Pte B Marsh", "1 Signals BFPO 57"], "BF1 2AU", ("Pte B Marsh", "1 Signals", "BFPO 57", "BF1 2AU")),
        (["B.F.P.O. No. 57, 1 Signals", "Pte B Marsh"], "", ("1 Signals", "Pte B Marsh", "BFPO 57")),
        (["1 Mill Lane ,, Upper Dicker", "Hailsham ,"], "BN27 1AA", ("1 Mill Lane, Upper Dicker", *HOME[1:])),
        (["12, 14 Mill Lane", "Hailsham"], "BN27 1AA", ("12, 14 Mill Lane", *HOME[1:])),
        ([f"Line {number}" for number in range(1, 7)], "BN27 1AA", (*map("Line {}".format, range(1, 7)), "BN27 1AA")),
    ],
)
def test_an_address_is_tidied_where_nothing_is_lost(cells: list[str], code: str, lines: tuple[str, ...]) -> None:
    assert address_of(cells, code).for_post == lines


@pytest.mark.parametrize(
    ("cells", "code", "reason"),
    [
        ([], "", RowCode.ADDRESS_BLANK),
        (["", " "], "BN27 1AA", RowCode.ADDRESS_BLANK),
        (["BN27 1AA"], "", RowCode.ADDRESS_TOO_SHORT),
        ([f"Line {number}" for number in range(1, 8)], "BN27 1AA", RowCode.ADDRESS_TOO_LONG),
        (["1 Mill Lane", "Hailsham"], "", RowCode.ADDRESS_NO_POSTCODE),
        (["1 Mill Lane", "BN27 1AA", "Hailsham"], "", RowCode.ADDRESS_NO_POSTCODE),
        (["1 Mill Lane", "Hailsham", "BN27 1AI"], "", RowCode.ADDRESS_POSTCODE_WRONG),
        (["1 Mill Lane", "Hailsham"], "BN27", RowCode.ADDRESS_POSTCODE_WRONG),
        (["1 Mill Lane", "Hailsham"], "GX11 1AA", RowCode.ADDRESS_POSTCODE_WRONG),
        (["1 Mill Lane", "Hailsham", "BN27 2ZZ"], "BN27 1AA", RowCode.ADDRESS_TWO_POSTCODES),
        (["1 Mill Lane", "Hailsham BN27 2ZZ"], "BN27 1AA", RowCode.ADDRESS_TWO_POSTCODES),
        (["NFA", "Hailsham"], "BN27 1AA", RowCode.ADDRESS_NO_FIXED_ABODE),
        (["n.f.a.", "Hailsham"], "BN27 1AA", RowCode.ADDRESS_NO_FIXED_ABODE),
        (["c/o Council", "No fixed abode", "Hailsham"], "BN27 1AA", RowCode.ADDRESS_NO_FIXED_ABODE),
        (["Of no fixed address", "Hailsham"], "BN27 1AA", RowCode.ADDRESS_NO_FIXED_ABODE),
        *(([f"{mark}1 Mill Lane", "Hailsham"], "BN27 1AA", RowCode.ADDRESS_LINE_START) for mark in '@()=[]"\\/,<>~'),
        (["1 Mill Lane", "."], "BN27 1AA", RowCode.ADDRESS_LINE_EMPTY),
        (["1 Rue Haute", "Calais", "France"], "BN27 1AA", RowCode.ADDRESS_ABROAD),
        (["1 Signals", "BFPO 57", "England"], "", RowCode.ADDRESS_ABROAD),
        (["1 Signals", "BFPO 57, Germany"], "BF1 2AU", RowCode.ADDRESS_ABROAD),
        (["1 Signals", "Cyprus", "BFPO 57"], "BF1 2AU", RowCode.ADDRESS_ABROAD),
        (["1 Signals BFPO 57", "BFPO 58"], "", RowCode.ADDRESS_TWO_POSTCODES),
        (["1 Mill Lane", "Hailsham"], "XX1 1AA", RowCode.ADDRESS_POSTCODE_WRONG),
        (["1 Mill Lane", "Gibraltar", "GX11 1AA"], "", RowCode.ADDRESS_POSTCODE_WRONG),
        (["1 Mill Lane", "Hailsham", "GIR 0AA"], "", RowCode.ADDRESS_NO_POSTCODE),
        (["no fixed residence", "Hailsham"], "BN27 1AA", RowCode.ADDRESS_NO_FIXED_ABODE),
        (["c/o Mrs Reed", "care of Mr Sand", "1 Mill Lane", "Hailsham"], "BN27 1AA", RowCode.ADDRESS_TWO_CARERS),
    ],
)
def test_an_address_that_is_none_is_set_aside(cells: list[str], code: str, reason: RowCode) -> None:
    with pytest.raises(AddressUnread) as unread:
        address_of(cells, code)
    assert unread.value.code is reason


@pytest.mark.parametrize("line", ["c/o Mrs Reed", "C/O Mrs Reed", "Care of Mrs Reed", "℅ Mrs Reed"])
def test_a_care_of_line_comes_first_on_the_letter_and_is_no_part_of_the_home(line: str) -> None:
    for cells in ([line, *HOME], ["1 Mill Lane", line, *HOME[1:]]):
        address = address_of(cells)
        assert (address.lines, address.for_post) == (HOME, (line, *HOME))


def test_a_care_of_cell_gets_its_words() -> None:
    assert address_of(HOME, care_of="Mrs Reed").for_post[0] == "c/o Mrs Reed"
    assert address_of(HOME, care_of="c/o Mrs Reed").for_post[0] == "c/o Mrs Reed"


def test_an_address_in_one_cell_parts_at_line_ends_else_at_commas() -> None:
    assert one_cell("Flat 1, 2 Mill Lane\r\nHailsham\r\nBN27 1AA") == ["Flat 1, 2 Mill Lane", "Hailsham", "BN27 1AA"]
    assert address_of(one_cell("1 Mill Lane, Hailsham, BN27 1AA")).lines == HOME


@given(st.lists(st.text(max_size=30), max_size=9), st.text(max_size=10))
def test_no_cells_at_all_break_the_reading_of_addresses(cells: list[str], code: str) -> None:
    with suppress(AddressUnread):
        assert 2 <= len(address_of(cells, code).for_post) <= 7


@given(st.lists(st.from_regex(r"[A-Za-z0-9][A-Za-zéŵ0-9' \-]{3,20}[a-z]", fullmatch=True), min_size=2, max_size=5))
def test_reading_an_address_again_changes_nothing(cells: list[str]) -> None:
    try:
        once = address_of(cells, "BN27 1AA")
    except AddressUnread:
        return
    assert address_of(once.for_post) == once


def test_real_addresses_in_one_cell_end_in_the_postcode_that_libpostal_finds(shared_data: Path) -> None:
    """Source: libpostal's own parser tests (uk_addresses/README.md beside the data)."""
    with (shared_data / "uk_addresses" / "libpostal_gb_addresses.csv").open(encoding="utf-8", newline="") as stream:
        cases = [(row["address"], dict(json.loads(row["components_json"]))) for row in csv.DictReader(stream)]
    read = 0
    for cell, found in cases:
        if "postcode" not in found or cell.count(",") < 2:  # nothing to end in, or lines that no comma parts
            with suppress(AddressUnread):
                assert address_of(one_cell(cell)).lines[-1] == found.get("postcode", "").upper()
            continue
        read += 1
        lines = address_of(one_cell(cell)).lines
        assert lines[-1] == found["postcode"].upper()
        assert "United Kingdom" not in lines
    assert read >= 15


WORDS = st.from_regex(r"[A-Z][a-zéŵ']{2,12}( [A-Z][a-z]{2,8})?", fullmatch=True)
HOMES = st.tuples(st.integers(1, 300), WORDS, WORDS).map(lambda one: [f"{one[0]} {one[1]}", one[2]])


def lines_of(cells: list[str], code: str = "BN27 1AA", **more: str) -> tuple[str, ...] | None:
    try:
        return address_of(cells, code, **more).for_post
    except AddressUnread:
        return None


@given(HOMES, st.sampled_from(["", " ", "\u00a0", "\t"]), st.sampled_from(["", ",", " ,", ", ,"]), st.booleans())
def test_spaces_commas_and_case_of_the_postcode_change_no_address(
    cells: list[str], gap: str, comma: str, upper: bool
) -> None:
    plain = lines_of(cells)
    code = "BN27 1AA" if upper else "bn271aa"
    spoilt = [f"{gap}{cell.replace(' ', f' {gap}')}{comma}{gap}" for cell in cells]
    assert lines_of(spoilt, code) == plain
    assert lines_of([spoilt[0], "", gap, *spoilt[1:]], code) == plain


@given(
    HOMES, st.sampled_from(["England", "UK", "u.k.", "United Kingdom", "CYMRU", "Northern Ireland", "Great Britain"])
)
def test_a_home_country_below_an_address_changes_nothing(cells: list[str], country: str) -> None:
    plain = lines_of(cells)
    assert lines_of([*cells, country]) == plain
    assert lines_of([*cells, "BN27 1AA", country], "") == plain
    assert lines_of([*cells, "BN27 1AA", country]) == plain


@given(
    HOMES, st.integers(0, 2), st.integers(1, 9999), st.sampled_from(["BFPO {}", "bfpo{}", "B.F.P.O. {}", "BFPO No {}"])
)
def test_a_forces_number_goes_last_wherever_it_stood(cells: list[str], at: int, number: int, words: str) -> None:
    written = words.format(number)
    with_line = [*cells[:at], written, *cells[at:]]
    assert lines_of(with_line, "") == (*cells, f"BFPO {number}")
    assert lines_of([cells[0], f"{cells[1]} {written}"], "BF1 2AU") == (*cells, f"BFPO {number}", "BF1 2AU")
    assert lines_of([*with_line, "England"], "") is None


@given(HOMES, st.sampled_from('@()=[]"\\/,<>~'), st.integers(0, 1))
def test_a_line_that_starts_with_a_mark_is_always_set_aside(cells: list[str], mark: str, at: int) -> None:
    cells[at] = f"{mark}{cells[at]}"
    assert lines_of(cells) is None


@given(
    HOMES, st.text(st.characters(whitelist_categories=("Po", "Pd", "Sm")), min_size=1, max_size=6), st.integers(0, 1)
)
def test_a_line_without_letter_or_figure_is_never_printed(cells: list[str], marks: str, at: int) -> None:
    found = lines_of([*cells[:at], marks, *cells[at:]])
    assert found is None or all(any(sign.isalnum() for sign in line) for line in found)


@given(st.lists(WORDS, min_size=1, max_size=9))
def test_an_address_with_its_name_has_3_to_8_lines_or_is_set_aside(cells: list[str]) -> None:
    found = lines_of(cells)
    if found is not None:
        assert 2 <= len(found) <= 7
        assert found[-1] == "BN27 1AA"
    elif all(word.casefold() not in {"england", "wales"} for word in cells):
        assert not 1 <= len(cells) <= 6 or any(address_is_none(cell) for cell in cells)


def address_is_none(cell: str) -> bool:
    """Whether the words would be refused in any address: a country, or words that mean there is none."""
    return lines_of([cell, "Hailsham"]) is None or lines_of(["1 Mill Lane", cell]) is None
