"""The reference a letter is known by."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import BASE, SECRET, invented

from nudge.documents.letter import ALPHABET, REFERENCE_PATTERN, letter_reference, read_reference

references = st.integers(0, 10**6).map(lambda n: letter_reference(SECRET, "demo", f"u{n}", 1, "first"))


def test_a_reference_is_the_same_each_time_and_differs_by_trial_unit_person_and_wave():
    made = [
        letter_reference(SECRET, *parts)
        for parts in [
            ("demo", "u1", 1, "first"),
            ("other", "u1", 1, "first"),
            ("demo", "u2", 1, "first"),
            ("demo", "u1", 2, "first"),
            ("demo", "u1", 1, "second"),
        ]
    ]
    assert len(set(made)) == len(made)
    assert made[0] == letter_reference(SECRET, "demo", "u1", 1, "first")
    assert all(REFERENCE_PATTERN.fullmatch(reference) for reference in made)


def test_twenty_thousand_letters_have_twenty_thousand_references():
    made = {letter_reference(SECRET, "demo", f"u{n}", 1, "first") for n in range(20_000)}
    assert len(made) == 20_000


@settings(deadline=None)
@given(references)
def test_a_reference_is_read_however_it_is_typed(reference):
    for typed in (reference.lower(), reference.replace("-", ""), f" {reference.replace('-', ' – ')} "):
        assert read_reference(typed) == reference


@settings(deadline=None)
@given(references, st.integers(0, 9), st.sampled_from(ALPHABET))
def test_one_wrong_sign_is_caught(reference, place, sign):
    plain = list(reference.replace("-", ""))
    changed = plain[place] != sign
    plain[place] = sign
    assert (read_reference("".join(plain)) is None) == changed


@settings(deadline=None)
@given(references, st.integers(0, 8))
def test_two_signs_swapped_are_caught(reference, place):
    plain = list(reference.replace("-", ""))
    changed = plain[place] != plain[place + 1]
    plain[place], plain[place + 1] = plain[place + 1], plain[place]
    assert (read_reference("".join(plain)) is None) == changed


@pytest.mark.parametrize("text", ["", "T-000-100", "98260000100", "AEI-OU1-2SZB", "333-333-33333"])
def test_other_numbers_are_not_taken_for_references(text):
    assert read_reference(text) is None


def test_i12_a_letter_places_its_problems_by_template_and_reference_alone():
    place = str(BASE.place)
    assert not any(part in place for part in (BASE.name, *BASE.post_to, BASE.tenancy_reference))


def test_a_letter_of_other_values_or_other_kinds_of_value_is_another_document():
    whole, real = invented(fields={"arrears": 1}), invented(fields={"arrears": 1.0})
    assert whole.document() != real.document()
    assert invented(1).document() != invented(2).document()
