"""The page of an X-ray reads as sentences, and claims no more than the figures can show."""

from __future__ import annotations

import pytest

from nudge.reports.render import story_html, story_text
from nudge.reports.xray import tell_xray
from nudge.uplift.xray import Published, xray

WEALDEN = Published(before=46, after=21)


def told(claim: Published) -> str:
    return " ".join(story_text(tell_xray(claim, xray(claim))).split())


def test_the_answer_names_the_windows_that_would_do() -> None:
    text = told(WEALDEN)
    assert "the whole fall of 25 days needs no better letter" in text
    assert "not a randomised comparison" in text
    assert "how many responded before and after" in text


def test_a_claim_with_everything_known_leaves_nothing_unsaid() -> None:
    text = told(Published(before=46, after=21, followed=(60, 60), responders=(90, 80), usual=44, months=3))
    assert "cannot be said" in text  # what was changing anyway: only the months between could say
    assert "Nothing can be said" not in told(
        Published(before=30, after=21, followed=(90, 90), responders=(90, 80), usual=28, months=3)
    )


def test_part_of_a_fall_is_told_as_a_part() -> None:
    text = told(Published(before=30, after=12, followed=(90, 60)))
    assert "come of following one letter for longer than the other" in text


@pytest.mark.parametrize(
    "claim", [WEALDEN, Published(before=90, after=89, followed=(100, 100)), Published(before=300, after=2)]
)
def test_every_page_is_whole(claim: Published) -> None:
    page = story_html(tell_xray(claim, xray(claim)))
    assert "<h1" in page
    assert "None" not in page
    assert "nan" not in page.lower().replace("finance", "")
