"""The experiment's constants on their way to the letters: nobody is drawn for a letter that could not say them (I4)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nudge.base.errors import Refused
from nudge.records.tables import AllocationRow, SealRow
from nudge.trial.checking import check_file
from nudge.trial.sealing import seal_trial
from tests.trial.conftest import MONDAY, SEALED_ON, SECRET, Office, moment, week_one
from tests.trial.test_sealing import edit, experiment_file, unsealed

__all__ = ["unsealed"]


@pytest.fixture
def asking(unsealed: Office) -> Office:
    """A workspace whose letters name an evening that the experiment does not give."""
    letter = unsealed.folder / "templates" / "letters" / "base-rent.html"
    text = letter.read_text("utf-8")
    assert "Please pay" in text
    letter.write_text(text.replace("Please pay", "Meet us on {{ details.meets_on | day }}. Please pay"), "utf-8")
    return unsealed


def give(office: Office, line: str) -> None:
    edit(office, "suppress:", f"details: {line}\nsuppress:")


def test_a_detail_that_a_letter_prints_and_the_file_lacks_is_told_by_check_and_refused_by_the_seal(
    asking: Office,
) -> None:
    checked = check_file(experiment_file(asking))
    assert [problem.code for problem in checked.before_seal] == ["detail-missing"]
    with pytest.raises(Refused, match=r"details\.meets_on") as refusal:
        seal_trial(asking.trial, secret=SECRET, now=moment(SEALED_ON))
    assert [problem.code for problem in refusal.value.problems] == ["detail-missing"]
    assert not asking.rows(SealRow)


def test_i4_nobody_is_drawn_for_a_letter_that_names_a_day_gone_by(asking: Office) -> None:
    give(asking, f"{{meets_on: {MONDAY - timedelta(days=1)}}}")
    seal_trial(asking.trial, secret=SECRET, now=moment(SEALED_ON))
    with pytest.raises(Refused, match=r"a day to come in `details\.meets_on`"):
        asking.enrol(week_one())
    assert not asking.rows(AllocationRow)


def test_i7_a_detail_is_part_of_what_is_sealed(asking: Office) -> None:
    give(asking, "{meets_on: 2027-01-20}")
    seal_trial(asking.trial, secret=SECRET, now=moment(SEALED_ON))
    asking.close()
    edit(asking, "meets_on: 2027-01-20", "meets_on: 2027-01-21")
    with pytest.raises(Refused, match="amend"):
        asking.enrol(week_one())


def test_i4_a_letter_is_not_made_after_the_day_it_names(asking: Office) -> None:
    give(asking, f"{{meets_on: {MONDAY + timedelta(days=1)}}}")
    edit(asking, "beacon: national lottery 2026-12-05", "beacon: none")
    seal_trial(asking.trial, secret=SECRET, now=moment(SEALED_ON))
    asking.enrol(week_one()[:2])
    with pytest.raises(Refused, match=r"a day to come in `details\.meets_on`"):
        asking.letters(on=MONDAY + timedelta(days=2))
    assert asking.letters(on=MONDAY).made == 2
