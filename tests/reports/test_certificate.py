"""The certificate of a draw as one page: what it proves, what it does not, and nothing before its time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nudge.allocation.certificate import (
    BatchLine,
    Certificate,
    DrawnLine,
    EpochLine,
    Opened,
    SealLine,
    count_strata,
)
from nudge.reports.render import certificate_html

SECRET = "ab" * 32
DRAWN = tuple(
    DrawnLine(batch=1, epoch=1, stratum="north", block=1, slot=slot, block_size=4, arm=arm)
    for slot, arm in enumerate(("current", "new", "new", "current"), start=1)
)
SEALED = Certificate(
    trial="wealden-arrears",
    seals=(
        SealLine(
            number=1,
            sealed_at="2026-11-20T09:00:00Z",
            definition_hash="1" * 64,
            seal_hash="2" * 64,
            commitment="3" * 64,
        ),
    ),
    beacon="national lottery 2026-12-05",
    beacon_value="4 8 15 16 23 42",
    witness="internal audit",
    versions={"nudge": "0.1.0"},
    epochs=(EpochLine(epoch=1, arms=("current", "new"), ratio=(1, 1), strata=("patch",), multiples=(2, 3, 4)),),
    batches=(
        BatchLine(
            number=1,
            epoch=1,
            frozen_at="2026-12-07T10:00:00Z",
            drawn_at="2026-12-07T10:00:01Z",
            list_hash="4" * 64,
            clusters=4,
            units=5,
            late_members=0,
            previous_hash="3" * 64,
        ),
    ),
)
CLOSED = replace(SEALED, opened=Opened(secret=SECRET, drawn=DRAWN, strata=count_strata(DRAWN)))


def test_i8_the_secret_and_counts_by_arm_are_printed_only_after_the_close():
    before, after = certificate_html(SEALED), certificate_html(CLOSED)
    assert "The secret is not opened before the close" in before
    assert "Clusters given each arm" not in before
    assert SECRET in after
    assert "Clusters given each arm, by stratum" in after


@pytest.mark.parametrize(
    ("changes", "head"),
    [
        ({}, "Full: nobody could have steered this draw"),
        ({"witness": None}, "Ordinary: one safeguard is missing"),
        ({"witness": None, "beacon": "none", "beacon_value": "none"}, "Weak: this draw rests on trust"),
    ],
)
def test_the_page_says_first_how_much_need_not_be_taken_on_trust(changes, head):
    html = certificate_html(replace(SEALED, **changes))
    assert html.index(head) < html.index("<table")


def test_a_draw_without_a_beacon_says_what_that_allows():
    html = certificate_html(replace(SEALED, beacon="none", beacon_value="none"))
    assert "whoever sealed this could have tried several seeds" in html


def test_every_batch_shows_when_its_list_was_frozen_and_its_hash():
    html = certificate_html(SEALED)
    assert "7 December 2026, 10:00 UTC" in html
    assert "4" * 64 in html
