"""Formats and languages: each letter in the form its reader asked for, the same in every arm, and nobody left out."""

from __future__ import annotations

from nudge.records.tables import PostingRow
from tests.trial.conftest import Office, tenancy


def wishing(number: int, language: str = "", form: str = "", **changes: str) -> dict[str, str]:
    return tenancy(number, **changes) | {"Preferred Language": language, "Preferred Format": form}


def test_i4_who_asks_for_large_print_is_drawn_and_who_asks_for_what_no_letter_is_in_is_counted(office: Office) -> None:
    rows = [wishing(1), wishing(2, form="LP"), wishing(3, form="Large print 18pt"), wishing(4, language="Klingon")]
    rows += [wishing(5, form="audio CD"), wishing(6, language="English")]
    found = office.enrol(rows)
    assert found.flow["excluded"] == {"needs_another_language": 1, "needs_another_format": 1}
    assert found.flow["allocated"] == 4
    made = office.letters()
    assert made.made == 4
    assert sorted(row.pages for row in office.rows(PostingRow)) == [1, 1, 2, 3]
