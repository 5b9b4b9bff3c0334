"""A name is read with certainty or set aside."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.intake.codes import RowCode
from nudge.intake.people import NameUnread, Person, named_in_full, people_of


def read(cell: str) -> list[tuple[str, str, str]]:
    return [(one.title, one.forename, one.surname) for one in named_in_full(cell)]


@pytest.mark.parametrize(
    ("cell", "people"),
    [
        ("Mrs Ann Field", [("Mrs", "Ann", "Field")]),
        ("Mrs A Field", [("Mrs", "A", "Field")]),
        ("Mrs. A. B. Field", [("Mrs.", "A. B.", "Field")]),
        ("Mr Field", [("Mr", "", "Field")]),
        ("Ann Field", [("", "Ann", "Field")]),
        ("A Field", [("", "A", "Field")]),
        ("Ann Mary Field", [("", "Ann Mary", "Field")]),
        ("Rev Dr Ann Field", [("Rev Dr", "Ann", "Field")]),
        ("MRS ANN FIELD", [("MRS", "ANN", "FIELD")]),
        ("Ms Siân O’Field-Marsh", [("Ms", "Siân", "O’Field-Marsh")]),
        ("Mr Jan van der Berg", [("Mr", "Jan", "van der Berg")]),
        ("Mr J P de Souza", [("Mr", "J P", "de Souza")]),
        ("M Field", [("", "M", "Field")]),
        ("Mr A & Mrs B Field", [("Mr", "A", "Field"), ("Mrs", "B", "Field")]),
        ("Mr A and Mrs B Field", [("Mr", "A", "Field"), ("Mrs", "B", "Field")]),
        ("Mr A & Mrs Beth Field", [("Mr", "A", "Field"), ("Mrs", "Beth", "Field")]),
        ("Mr A Field & Mrs B Marsh", [("Mr", "A", "Field"), ("Mrs", "B", "Marsh")]),
        ("Mr Alan Field and Mrs Beth Marsh", [("Mr", "Alan", "Field"), ("Mrs", "Beth", "Marsh")]),
        ("Mr & Mrs Field", [("Mr", "", "Field"), ("Mrs", "", "Field")]),
        ("Mr and Mrs Field", [("Mr", "", "Field"), ("Mrs", "", "Field")]),
        ("Mr Field and Ms Marsh", [("Mr", "", "Field"), ("Ms", "", "Marsh")]),
        ("A & B Field", [("", "A", "Field"), ("", "B", "Field")]),
        ("Ann Field & Bob Marsh", [("", "Ann", "Field"), ("", "Bob", "Marsh")]),
        ("Mr A&Mrs B Field", [("Mr", "A", "Field"), ("Mrs", "B", "Field")]),
        ("Mrs Sandy Anderson", [("Mrs", "Sandy", "Anderson")]),
        ("Mr Orlando Orr", [("Mr", "Orlando", "Orr")]),
        ("Mr  Bob\u00a0 Late", [("Mr", "Bob", "Late")]),
    ],
)
def test_one_cell_names_one_person_or_two(cell: str, people: list[tuple[str, str, str]]) -> None:
    assert read(cell) == people


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("", RowCode.NAME_BLANK),
        ("Field", RowCode.NAME_INCOMPLETE),
        ("Mrs", RowCode.NAME_INCOMPLETE),
        ("Mr A", RowCode.NAME_INCOMPLETE),
        ("Mr A and Ms B", RowCode.NAME_INCOMPLETE),
        ("Mr & Mrs", RowCode.NAME_UNCLEAR),
        ("Mr & Mrs A Field", RowCode.NAME_UNCLEAR),
        ("Mr & Mrs A & B Field", RowCode.NAME_UNCLEAR),
        ("Mr Alan & Mrs Beth Field", RowCode.NAME_UNCLEAR),
        ("Alan & Beth Field", RowCode.NAME_UNCLEAR),
        ("Mr Field & Beth Marsh", RowCode.NAME_UNCLEAR),
        ("Mr A & Mrs Marsh", RowCode.NAME_UNCLEAR),
        ("Mrs Mary Lloyd George", RowCode.NAME_UNCLEAR),
        ("Mr A, Mrs B & Ms C Field", RowCode.NAME_UNCLEAR),
        ("Field, Ann", RowCode.NAME_UNCLEAR),
        ("Ann Field 2", RowCode.NAME_UNCLEAR),
        ("Ann Field (sub-tenant)", RowCode.NAME_UNCLEAR),
        ("Ann Field OR Bob Field", RowCode.NAME_UNCLEAR),
        ("Mr and/or Mrs Field", RowCode.NAME_UNCLEAR),
        ("Mr/Mrs Field", RowCode.NAME_UNCLEAR),
        ("The Occupier", RowCode.NAME_NOBODY),
        ("Occupier", RowCode.NAME_NOBODY),
        ("The Tenants", RowCode.NAME_NOBODY),
        ("N/A", RowCode.NAME_NOBODY),
        ("-", RowCode.NAME_NOBODY),
        ("Exors of the late Mrs B Field", RowCode.NAME_DECEASED),
        ("Executors of Mrs B Field", RowCode.NAME_DECEASED),
        ("The Estate of B Field", RowCode.NAME_DECEASED),
        ("Mrs B Field Dec'd", RowCode.NAME_DECEASED),
        ("Mrs B Field (deceased)", RowCode.NAME_DECEASED),
        ("Personal Representatives of B Field", RowCode.NAME_DECEASED),
        ("Field Homes Limited", RowCode.NAME_ORGANISATION),
        ("Mill Housing Association", RowCode.NAME_ORGANISATION),
    ],
)
def test_what_cannot_be_read_with_certainty_is_set_aside(cell: str, code: RowCode) -> None:
    with pytest.raises(NameUnread) as unread:
        named_in_full(cell)
    assert unread.value.code is code
    assert not cell or cell not in str(unread.value)


@pytest.mark.parametrize(
    ("cells", "people"),
    [
        (("Mrs", "Ann", "Field"), [("Mrs", "Ann", "Field")]),
        (("", "Ann", "Field"), [("", "Ann", "Field")]),
        (("", "A", "Field"), [("", "A", "Field")]),
        (("Mr", "", "Field"), [("Mr", "", "Field")]),
        (("Mrs", "Mary Ann", "Lloyd George"), [("Mrs", "Mary Ann", "Lloyd George")]),
        (("Mr & Mrs", "", "Field"), [("Mr", "", "Field"), ("Mrs", "", "Field")]),
        (("Mr & Mrs", "Alan & Beth", "Field"), [("Mr", "Alan", "Field"), ("Mrs", "Beth", "Field")]),
        (("Mr & Ms", "A & B", "Field & Marsh"), [("Mr", "A", "Field"), ("Ms", "B", "Marsh")]),
        (("", "Alan and Beth", "Field"), [("", "Alan", "Field"), ("", "Beth", "Field")]),
        (("", "", "Mr A & Mrs B Field"), [("Mr", "A", "Field"), ("Mrs", "B", "Field")]),
        (("Mr", "Xavier", "Null"), [("Mr", "Xavier", "Null")]),
        (("Mr", "X", "Test"), [("Mr", "X", "Test")]),
        (("Ms", "Or", "Cohen"), [("Ms", "Or", "Cohen")]),
        (("Mr", "{{ name }}", "{% x %}"), [("Mr", "{{ name }}", "{% x %}")]),
        (("Mr", "<b>Bob</b>", "Marsh"), [("Mr", "<b>Bob</b>", "Marsh")]),
        (("Lt Col", "Bob", "Marsh"), [("Lt Col", "Bob", "Marsh")]),
    ],
)
def test_titles_forenames_and_surnames_in_cells_of_their_own(
    cells: tuple[str, str, str], people: list[tuple[str, str, str]]
) -> None:
    assert [(one.title, one.forename, one.surname) for one in people_of(*cells)] == people


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (("", "", ""), RowCode.NAME_BLANK),
        (("Mrs", "", ""), RowCode.NAME_BLANK),
        (("Mrs", "Ann", ""), RowCode.NAME_INCOMPLETE),
        (("", "", "Field"), RowCode.NAME_INCOMPLETE),
        (("Mr & Mrs", "Alan", "Field"), RowCode.NAME_UNCLEAR),
        (("Mr", "Alan & Beth", "Field"), RowCode.NAME_UNCLEAR),
        (("Mr, Mrs & Ms", "A & B & C", "Field"), RowCode.NAME_UNCLEAR),
        (("Mrd", "Alan", "Field"), RowCode.TITLE_UNKNOWN),
        (("Mr/Mrs", "Alan", "Field"), RowCode.TITLE_UNKNOWN),
        (("Exors of", "Alan", "Field"), RowCode.NAME_DECEASED),
        (("The", "", "Occupier"), RowCode.NAME_NOBODY),
        (("", "The", "Occupier"), RowCode.NAME_NOBODY),
        (("Mr", "Unknown", "Field"), RowCode.NAME_NOBODY),
    ],
)
def test_cells_that_do_not_make_a_name_are_set_aside(cells: tuple[str, str, str], code: RowCode) -> None:
    with pytest.raises(NameUnread) as unread:
        people_of(*cells)
    assert unread.value.code is code


@pytest.mark.parametrize(
    ("person", "name", "salutation"),
    [
        (Person("Mrs", "Ann", "Field"), "Mrs Ann Field", "Mrs Field"),
        (Person("", "Ann", "Field"), "Ann Field", "Ann Field"),
        (Person("", "A", "FIELD"), "A FIELD", "A FIELD"),
        (Person("Mr", "", "Field"), "Mr Field", "Mr Field"),
    ],
)
def test_a_blank_title_greets_with_the_full_name(person: Person, name: str, salutation: str) -> None:
    assert (person.name, person.salutation) == (name, salutation)


letters = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Mn"]), min_size=2, max_size=12)


@given(letters, letters)
def test_whatever_is_read_prints_as_it_was_written(forename: str, surname: str) -> None:
    try:
        (person,) = people_of("Ms", forename, surname)
    except NameUnread:
        return
    assert person.name == f"Ms {forename} {surname}"


@given(st.text(max_size=60))
def test_no_cell_at_all_breaks_the_reading_of_names(cell: str) -> None:
    with suppress(NameUnread):
        people = named_in_full(cell)
        assert all(one.surname and (one.title or one.forename) for one in people)
        assert len(people) in {1, 2}
