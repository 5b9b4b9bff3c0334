"""Exact after tidying, never by likeness; a doubt goes to a person. People and numbers invented."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nudge.records.matching import By, Index, Match, letter_reference, reference, surname, telephone, uprn
from tests.records.rows import recipient

LETTERS = {"NX7-4QF2": "u1", "BC9-8TRK": "u2"}


def person(unit: str, number: int = 1, *, telephones: tuple[str, ...] = (), **columns: str):
    return recipient(unit, number, telephones_json=json.dumps(telephones), **columns)


PEOPLE = [
    person("u1", payment_reference="P-1", surname="O’Connor", telephones=("07700 900101",), uprn="100060000001"),
    person("u1", 2, payment_reference="P-1", surname="Ångström", telephones=("07700 900102",), uprn="100060000001"),
    person("u2", payment_reference="P-2", surname="Baptiste", telephones=("07700 900103",), uprn="100060000002"),
    # one tenant of two tenancies, with one telephone
    person("u3", payment_reference="P-3", surname="Castellan", telephones=("07700 900104",), uprn="100060000003"),
    person("u4", payment_reference="P-4", surname="Castellan", telephones=("07700 900104",), uprn="100060000004"),
    # father and son at one address
    person("u5", payment_reference="P-5", surname="Dunmore", uprn="100060000005"),
    person("u6", payment_reference="P-6", surname="Dunmore", uprn="100060000005"),
]
INDEX = Index.of(PEOPLE, LETTERS)


@pytest.mark.parametrize(
    ("row", "unit", "by"),
    [
        ({"tenancy_reference": " t-u1 "}, "u1", By.TENANCY),
        ({"payment_reference": "p-2"}, "u2", By.PAYMENT),
        ({"letter_reference": "nx7 4qf2"}, "u1", By.LETTER),
        ({"telephone": "+44 7700 900102", "surname": "ANGSTROM"}, "u1", By.TELEPHONE),
        ({"uprn": "100060000001", "surname": "OConnor"}, "u1", By.UPRN),
        ({"tenancy_reference": "T-u3", "telephone": "07700900104", "surname": "Castellan"}, "u3", By.TENANCY),
        ({"tenancy_reference": "T-u1", "payment_reference": "new account"}, "u1", By.TENANCY),
        ({"tenancy_reference": "T-u1", "telephone": "07700 900199", "surname": "O'Connor"}, "u1", By.TENANCY),
        ({"letter_reference": "XXX-XXXX", "telephone": "07700900103", "surname": "Baptiste"}, "u2", By.TELEPHONE),
    ],
)
def test_the_strongest_identifier_on_file_decides(row: dict[str, str], unit: str, by: By) -> None:
    assert INDEX.match(**row) == Match(unit=unit, by=by)


@pytest.mark.parametrize(
    ("row", "candidates"),
    [
        ({"telephone": "07700 900104", "surname": "Castellan"}, ("u3", "u4")),
        ({"uprn": "100060000005", "surname": "Dunmore"}, ("u5", "u6")),
        ({"tenancy_reference": "T-u1", "payment_reference": "P-2"}, ("u1", "u2")),
        ({"tenancy_reference": "T-u1", "letter_reference": "BC9-8TRK"}, ("u1", "u2")),
        ({"payment_reference": "P-1", "telephone": "07700 900103", "surname": "Baptiste"}, ("u1", "u2")),
        # a tenancy that is not ours, and somebody of this name and number who is: perhaps another tenancy of theirs
        ({"tenancy_reference": "T-elsewhere", "telephone": "07700900103", "surname": "Baptiste"}, ("u2",)),
        ({"payment_reference": "P-9", "letter_reference": "NX74QF2"}, ("u1",)),
    ],
)
def test_identifiers_that_disagree_or_fit_several_are_for_a_person(row: dict[str, str], candidates) -> None:
    assert INDEX.match(**row) == Match(candidates=candidates)


def test_a_reference_that_would_be_ours_with_its_leading_noughts_is_for_a_person() -> None:
    rows = [recipient("u1", tenancy_reference="00001012", payment_reference="00777"), recipient("u2")]
    letters: dict[str, str] = {}
    index = Index.of(rows, letters)
    assert index.match(tenancy_reference="1012") == Match(candidates=("u1",))
    assert index.match(payment_reference="777") == Match(candidates=("u1",))
    assert index.match(tenancy_reference="00001012") == Match(unit="u1", by=By.TENANCY)
    assert index.match(tenancy_reference="777", payment_reference="1012") == Match()
    assert index.match(tenancy_reference="12") == Match()


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"tenancy_reference": "T-elsewhere", "payment_reference": "P-9"},
        {"telephone": "07700 900103"},
        {"surname": "Baptiste"},
        {"telephone": "07700 900103", "surname": "Baptist"},  # one letter short is another person
        {"telephone": "07700 900113", "surname": "Baptiste"},
        {"uprn": "100060000002", "surname": "Connor"},
        {"tenancy_reference": "", "payment_reference": "  ", "letter_reference": "-", "telephone": "n/a"},
    ],
)
def test_what_fits_nobody_exactly_is_not_in_this_trial(row: dict[str, str]) -> None:
    assert INDEX.match(**row) == Match()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("07700 900123", "07700900123"),
        ("(07700) 900-123", "07700900123"),
        ("+44 7700 900123", "07700900123"),
        ("+44 (0)7700 900123", "07700900123"),
        ("0044 7700 900123", "07700900123"),
        ("447700900123", "07700900123"),
        ("7700900123", "07700900123"),
        ("01632 960 001", "01632960001"),
        ("+353 1 496 0000", "+35314960000"),
        ("00353 1 496 0000", "+35314960000"),
        ("", ""),
        ("unknown", ""),
        ("00000000000", ""),
        ("07777777777", ""),
        ("960001", ""),
    ],
)
def test_a_telephone_number_is_one_however_it_is_written(written: str, read: str) -> None:
    assert telephone(written) == read


@pytest.mark.parametrize("written", ["O'Connor", "O’Connor", "OCONNOR", "Oʼconnor", " Óconnor "])
def test_a_surname_is_one_whatever_its_capitals_accents_and_apostrophes(written: str) -> None:
    assert surname(written) == "oconnor"


def test_a_hyphen_or_a_space_makes_another_surname() -> None:
    assert len({surname(name) for name in ("Smith-Jones", "Smith Jones", "SmithJones")}) == 3


def test_a_uprn_is_a_number_of_at_most_twelve_digits() -> None:
    assert [uprn(text) for text in ("010012345678", "10012345678", "1E+11", "1234567890123", "", "٣")] == [
        "10012345678",
        "10012345678",
        "",
        "",
        "",
        "",
    ]


def test_a_reference_that_lost_its_leading_noughts_is_another_reference() -> None:
    assert reference("00123") != reference("123")


TIDIERS = [reference, letter_reference, telephone, surname, uprn]


@given(st.sampled_from(TIDIERS), st.text())
@example(surname, "\N{PARENTHESIZED LATIN CAPITAL LETTER A}")
def test_tidying_twice_changes_nothing_more(tidy, text: str) -> None:
    once = tidy(text)
    assert tidy(once) == once


numbers = st.from_regex(r"07[0-9]{9}", fullmatch=True).filter(lambda digits: len(set(digits[1:])) > 1)
identifiers = st.fixed_dictionaries(
    {},
    optional={
        "tenancy_reference": st.sampled_from(["T-u1", "T-u2", "T-u3", "T-u9"]),
        "payment_reference": st.sampled_from(["P-1", "P-2", "P-3", "P-9"]),
        "letter_reference": st.sampled_from([*LETTERS, "ZZZ-ZZZZ"]),
        "telephone": st.sampled_from(["07700900101", "07700900103", "07700900104", "07700900999"]),
        "surname": st.sampled_from(["O'Connor", "Baptiste", "Castellan", "Nobody"]),
        "uprn": st.sampled_from(["100060000001", "100060000002", "100060000005"]),
    },
)


@given(numbers, st.sampled_from(["+44", "0044", "44", "+44 (0)", "0"]), st.sampled_from([" ", "-", ""]))
def test_every_way_of_writing_a_number_reads_as_that_number(digits: str, start: str, gap: str) -> None:
    assert telephone(f"{start}{digits[1:5]}{gap}{digits[5:]}") == digits


@given(identifiers)
def test_a_row_is_matched_or_in_doubt_or_not_ours_and_never_two_of_them(row: dict[str, str]) -> None:
    found = INDEX.match(**row)
    assert (found.unit is None) == (found.by is None)
    assert found.unit is None or not found.candidates
    assert list(found.candidates) == sorted(set(found.candidates))


@given(identifiers)
def test_a_match_is_what_every_identifier_on_file_agrees_to(row: dict[str, str]) -> None:
    found = INDEX.match(**row)
    alone = [
        INDEX.match(**{name: row[name] for name in names if name in row})
        for names in (
            ("tenancy_reference",),
            ("payment_reference",),
            ("letter_reference",),
            ("telephone", "surname"),
            ("uprn", "surname"),
        )
    ]
    pointed = [{each.unit} if each.unit else set(each.candidates) for each in alone if each != Match()]
    if found.unit:
        assert all(found.unit in units for units in pointed)
    elif found.candidates:
        assert set(found.candidates) == set().union(*pointed)
    else:
        assert pointed == []


@given(st.permutations(PEOPLE), identifiers)
def test_the_order_of_the_recipients_does_not_matter(people, row: dict[str, str]) -> None:
    assert Index.of(people, LETTERS).match(**row) == INDEX.match(**row)
