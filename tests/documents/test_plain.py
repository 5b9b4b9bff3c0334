"""The shipped letters can be read by the people who get them."""

from __future__ import annotations

import pytest
from invented import ALL, invented, shipped

from nudge.documents.plain import AIM, plainness


@pytest.mark.parametrize("template", ALL)
def test_every_shipped_letter_reads_at_eleven_or_below_without_long_sentences_or_capitals(template):
    read = plainness(shipped().html(invented(template=template)))
    assert 5 < read.reading_age <= AIM
    assert read.longest_sentence <= 30  # the claim is the longest
    assert read.capitals == 0


def test_a_hard_letter_is_seen_to_be_hard():
    hard = plainness(
        "<p>FINAL NOTICE BEFORE LEGAL proceedings are instituted in accordance with the aforementioned contractual"
        " obligations appertaining to the tenancy agreement notwithstanding any representations received before.</p>"
    )
    assert hard.reading_age > 18
    assert hard.capitals == 4
    assert hard.longest_sentence == 24


def test_the_letterhead_and_tables_are_not_sentences():
    assert plainness('<div data-zone="page"><div>x</div><p>Telephone</p></div><td>Transfer</td>').longest_sentence == 0
