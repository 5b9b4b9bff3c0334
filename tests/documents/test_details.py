"""Constants of the experiment in letters: printed as they were meant, and told of before anybody is drawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from invented import folder_with, invented

from nudge.base.errors import Refused
from nudge.documents.checks import check_values
from nudge.documents.details import check_details

NAME = "letters/evening.html"
TEXT = (
    "Come to {{ details.venue }} on {{ details.meets_on | day }}: {{ details.places | number }} places, "
    "{{ details.grant }} to spend."
)
DETAILS = {"venue": "the Town Hall", "meets_on": date(2027, 1, 20), "places": 1040, "grant": "£200"}


def test_text_a_date_a_whole_number_and_money_print_as_they_were_meant(tmp_path):
    spec = invented(template=NAME, details=DETAILS)
    printed = folder_with(tmp_path, NAME, TEXT).html(spec)
    assert printed == "Come to the Town Hall on 20\u00a0January\u00a02027: 1,040 places, £200 to spend."


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{{ details.meets_on }}", "a date written with a filter"),
        ("{{ details.places }}", "a number written with a filter"),
        ("{{ details.places | pounds }}", "missing or blank"),  # a whole number is no money: 40 would print as 40p
        ("{{ details.vanue }}", "only names the letter has"),
    ],
)
def test_i14_a_detail_printed_otherwise_is_refused(tmp_path, text, says):
    with pytest.raises(Refused, match=says):
        folder_with(tmp_path, NAME, text).html(invented(template=NAME, details=DETAILS))


def test_what_a_template_prints_and_the_experiment_lacks_is_told_once_a_name(tmp_path):
    folder = folder_with(tmp_path, NAME, TEXT)
    folder_with(tmp_path, "letters/other.html", "{{ details.meets_on | day }}")
    problems = check_details(folder, [NAME, "letters/other.html"], {"venue": "the Town Hall", "grant": "£200"})
    assert [problem.code for problem in problems] == ["detail-missing"] * 2
    assert "`details.meets_on`, which templates/letters/evening.html prints" in str(problems[0])
    assert "Add `places:` under `details:`" in str(problems[1])


def test_a_detail_of_another_kind_than_its_filter_wants_is_told(tmp_path):
    folder = folder_with(tmp_path, NAME, "{{ details.places | pounds }}{{ details.meets_on | day }}")
    meets_on, places = check_details(folder, [NAME], {"places": 40, "meets_on": "the first Monday"})
    assert 'Write `places: "£40"`' in str(places)
    assert "Write `meets_on: 2027-03-31`" in str(meets_on)


def test_a_day_gone_by_when_the_letter_goes_out_is_told_and_the_day_itself_is_not(tmp_path):
    folder = folder_with(tmp_path, NAME, TEXT)
    assert check_details(folder, [NAME], DETAILS, on=date(2027, 1, 20)) == ()
    [problem] = check_details(folder, [NAME], DETAILS, on=date(2027, 1, 21))
    assert problem.code == "detail-past"
    assert "20 January 2027" in str(problem)


def test_a_detail_in_letters_that_the_font_lacks_is_refused_before_it_is_drawn():
    assert check_values(invented(details={"venue": "the Town Hall"})) == ()
    assert [problem.code for problem in check_values(invented(details={"venue": "会場"}))] == ["character-missing"]


def test_i13_a_letter_with_other_details_is_another_letter():
    spec = invented(details={"places": 40})
    assert replace(spec, details={"places": 40}).document() == spec.document()
    assert replace(spec, details={"places": "40"}).document() != spec.document()
