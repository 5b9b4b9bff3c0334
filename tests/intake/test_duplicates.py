"""One person under two references is pointed out by row, and nothing is merged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.base.columns import Kind
from nudge.intake.duplicates import Alike, Lookout, may_be_one
from nudge.intake.extract import read_extract
from nudge.intake.people import Person
from nudge.intake.tenancy import Tenancy


def tenancy(row: int, person: Person | tuple[Person, ...], home: str = "1 Mill Lane", *phones: str) -> Tenancy:
    people = person if isinstance(person, tuple) else (person,)
    address = (home, "Hailsham", "BN27 1AA")
    return Tenancy(
        reference=f"T{row}", rows=(row,), people=people, address=address, post_to=address, uprn=None,
        payment_reference=None, telephones=phones, language=None, format=None, values={},
    )  # fmt: skip


def alike(*tenancies: Tenancy) -> tuple[Alike, ...]:
    lookout = Lookout()
    for one in tenancies:
        lookout.add(one)
    return lookout.alike


MARSH = Person("Mrs", "Beth", "Marsh")


def test_the_same_name_at_one_address_or_with_one_telephone_is_pointed_out() -> None:
    assert alike(tenancy(2, MARSH), tenancy(5, Person("", "B.", "MARSH"), "1  mill lane,")) == (Alike(2, 5, "address"),)
    assert alike(
        tenancy(7, MARSH, "1 Mill Lane", "07700 900123"), tenancy(3, MARSH, "2 High Street", "+44 (0)7700 900123")
    ) == (Alike(3, 7, "telephone"),)
    found = alike(tenancy(2, MARSH, "1 Mill Lane", "07700 900123"), tenancy(3, MARSH, "1 Mill Lane", "07700900123"))
    assert [str(one) for one in found] == ["rows 2 and 3: the same name and address and telephone"]


@pytest.mark.parametrize(
    ("other", "home", "phone"),
    [
        (MARSH, "2 Mill Lane", ""),  # one name, two homes
        (Person("Mr", "Beth", "Marsh"), "1 Mill Lane", ""),  # titles contradict
        (Person("Mrs", "Carys", "Marsh"), "1 Mill Lane", ""),
        (Person("Mrs", "Beth", "Field"), "1 Mill Lane", "07700 900123"),  # a couple, a shared telephone
        (MARSH, "2 Mill Lane", "x123"),  # an extension
    ],
)
def test_different_people_and_different_homes_are_not(other: Person, home: str, phone: str) -> None:
    assert alike(tenancy(2, MARSH, "1 Mill Lane", "07700 900123", "x123"), tenancy(3, other, home, phone)) == ()


def test_joint_tenants_of_one_tenancy_are_no_duplicates_but_of_two_they_are() -> None:
    joint = (MARSH, Person("Mr", "Ben", "Marsh"))
    assert alike(tenancy(2, joint)) == ()
    assert alike(tenancy(2, joint), tenancy(3, joint[1])) == (Alike(2, 3, "address"),)


PEOPLE = st.builds(
    Person,
    st.sampled_from(["", "Mr", "Mrs", "Dr"]),
    st.sampled_from(["", "A", "Al", "Alys", "Ålys", "Ben", "B."]),
    st.sampled_from(["Marsh", "MARSH", "Field", "O'Neill", "ONeill"]),
)


@given(PEOPLE, PEOPLE)
def test_whether_two_names_may_be_one_does_not_hang_on_their_order(one: Person, other: Person) -> None:
    assert may_be_one(one, other) is may_be_one(other, one)
    assert may_be_one(one, one)


@given(st.lists(st.tuples(PEOPLE, st.sampled_from(["1 Mill Lane", "2 Mill Lane"])), max_size=8), st.randoms())
def test_the_pairs_found_do_not_hang_on_the_order_of_the_file(rows: list[tuple[Person, str]], random: object) -> None:
    tenancies = [tenancy(number, person, home) for number, (person, home) in enumerate(rows, start=2)]
    shuffled = list(tenancies)
    random.shuffle(shuffled)
    assert alike(*tenancies) == alike(*shuffled)
    for pair in alike(*tenancies):
        one, other = rows[pair.first - 2], rows[pair.second - 2]
        assert one[1] == other[1]
        assert may_be_one(one[0], other[0])


HEADINGS = "Tenancy Ref,Title,Forename,Surname,Addr1,Addr2,Postcode,Care Of,Arrears\n"


@pytest.mark.parametrize(
    "row",
    [
        "T1,,Exors of,A Marsh,1 Mill Lane,Hailsham,BN27 1AA,,12.00",
        "T1,Executors of,B,Marsh,1 Mill Lane,Hailsham,BN27 1AA,,12.00",
        "T1,,Estate of,Marsh,1 Mill Lane,Hailsham,BN27 1AA,,12.00",
        "T1,Dec'd,Bob,Marsh,1 Mill Lane,Hailsham,BN27 1AA,,12.00",
        "T1,,,The Estate of A Marsh,1 Mill Lane,Hailsham,BN27 1AA,,12.00",
        "T1,Mrs,Beth,Marsh (deceased),1 Mill Lane,Hailsham,BN27 1AA,,12.00",
        "T1,Mrs,Beth,Marsh,1 Mill Lane,Hailsham,BN27 1AA,Executors of A Marsh,12.00",
        "T1,Mrs,Beth,Marsh,Exors of A Marsh,1 Mill Lane,BN27 1AA,,12.00",
    ],
)
def test_executors_are_read_and_left_to_an_officer(write: Callable[..., Path], row: str) -> None:
    with read_extract(write(HEADINGS + row + "\n"), {"arrears": Kind.MONEY}, None) as extract:
        assert extract.rejects == ()
        assert [one.deceased for one in extract.tenancies()] == [True]


def test_houses_named_after_estates_and_late_hours_are_houses(write: Callable[..., Path]) -> None:
    rows = (
        "T1,Mrs,Beth,Marsh,The Estate Office,Mill Lane,BN27 1AA,,1\nT2,Mr,Al,Late,The Late Mill,Hailsham,BN27 1AA,,1\n"
    )
    with read_extract(write(HEADINGS + rows), {"arrears": Kind.MONEY}, None) as extract:
        assert [one.deceased for one in extract.tenancies()] == [False, False]


def test_a_joint_tenancy_of_which_one_has_died_is_an_officers_too(write: Callable[..., Path]) -> None:
    rows = "T1,Mrs,Beth,Marsh,1 Mill Lane,Hailsham,BN27 1AA,,1\nT1,,Exors of,A Marsh,1 Mill Lane,Hailsham,BN27 1AA,,1\n"
    with read_extract(write(HEADINGS + rows), {"arrears": Kind.MONEY}, None) as extract:
        [found] = extract.tenancies()
        assert (found.deceased, found.people) == (True, (MARSH,))
