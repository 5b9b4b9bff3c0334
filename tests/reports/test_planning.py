"""What the plan says in words: every change it can propose, what cannot be, and where each figure is from."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nudge.experiment.loader import load
from nudge.planning.alternatives import Alternative, Change
from nudge.planning.feasibility import Feasibility, feasibility
from nudge.planning.response import Amounts, Counted, Shares
from nudge.reports.planning import tell_plan
from nudge.reports.render import story_html, story_text
from nudge.trial.planning import plan_trial

FLAGSHIP = Path(__file__).parents[2] / "experiments" / "wealden-arrears.yaml"


@pytest.fixture(scope="module")
def planned() -> Feasibility:
    return plan_trial(FLAGSHIP).main


def told(found: Feasibility, **more: Any) -> str:
    story = tell_plan(load(FLAGSHIP).experiment, found, (), definition_hash="ab" * 32, **more)
    return story_text(story, width=1_000)


PROPOSED = (
    (Alternative(change=Change.EVEN_RATIO, power=0.3, needed_weeks=80, ratio=(1, 1)), "1 to 1"),
    (Alternative(change=Change.OTHER_HORIZON, power=0.3, needed_weeks=80, value=28), "after 28 days"),
    (Alternative(change=Change.FEWER_STRATA, power=0.3, needed_weeks=80, value=18), "18 are too many"),
    (Alternative(change=Change.FEWER_ARMS, power=0.85, needed_weeks=20, value=2), "one new letter"),
    (Alternative(change=Change.LONGER, power=0.8, needed_weeks=60, value=60), "for 60 weeks"),
    (Alternative(change=Change.WIDER, power=0.4, needed_weeks=None, value=1.5), "1.5 times as many"),
    (Alternative(change=Change.TOGETHER, power=0.9, needed_weeks=20), "together"),
)


@pytest.mark.parametrize(("one", "words"), PROPOSED, ids=[one.change for one, _ in PROPOSED])
def test_each_change_is_proposed_in_its_own_words_with_what_it_brings(
    planned: Feasibility, one: Alternative, words: str
) -> None:
    line = next(text for text in told(replace(planned, alternatives=(one,))).splitlines() if words in text)
    assert f"{100 * one.power:.0f} in 100 would find it" in line
    assert ("would be enough" in line) == (not one.reaches and one.needed_weeks is not None)


def test_where_nothing_alone_would_do_that_is_said(planned: Feasibility) -> None:
    one = next(each for each, _ in PROPOSED if each.change is Change.WIDER)
    assert "No single change would make it able to." in told(replace(planned, alternatives=(one,)))


def test_a_difference_beyond_what_could_be_is_answered_by_what_could(planned: Feasibility) -> None:
    asked = replace(planned.question, worthwhile=50.0)
    shown = told(feasibility(asked, planned.background))
    assert "NO TRIAL CAN ANSWER THAT QUESTION." in shown
    assert "50 days earlier" in shown
    assert "smallest_worthwhile" in shown


def test_without_a_size_the_least_visible_difference_is_told(planned: Feasibility) -> None:
    shown = told(feasibility(replace(planned.question, worthwhile=None), planned.background))
    assert "NO SIZE IS ASKED FOR." in shown
    assert "The least that is found 80 times in 100" in shown


def test_notes_quiet_weeks_and_returned_letters_are_told(planned: Feasibility) -> None:
    weekly = (0, 30, 30, 2) * 13
    figures = tuple(
        replace(one, value=0.05) if one.fact.value == "returned" else one for one in planned.background.figures
    )
    background = replace(planned.background, weekly=weekly, figures=figures)
    shown = told(replace(planned, background=background), notes=("Something to know.",))
    assert "Something to know." in shown
    assert "26 of 52 weeks had less than half of it, the quietest had 0 tenancies" in shown
    assert "The fewest in any 26 weeks on end" in shown
    assert "Letters that come back" in shown
    assert "How many share a household was not known" in shown


@pytest.mark.parametrize(
    ("response", "effect", "words"),
    [
        (Shares(reference=0.3, higher=True), 0.05, "Of 100 tenancies with today's letter"),
        (Amounts(sd=4_000, higher=False), 500.0, "£40.00"),
        (Counted(reference=2.0, higher=False, variation=0.4), math.log(1.25), "Mean count of a tenancy"),
    ],
    ids=["share", "money", "count"],
)
def test_the_figures_of_each_kind_of_outcome_are_named(
    planned: Feasibility, response: Any, effect: float, words: str
) -> None:
    fact = "spread" if isinstance(response, Amounts) else "response"
    value = response.sd if isinstance(response, Amounts) else response.reference
    first = planned.background.figures[1]
    figures = (replace(first, fact=type(first.fact)(fact), value=value),)
    background = replace(planned.background, response=response, figures=figures)
    asked = replace(planned.question, worthwhile=effect, size=effect, money=isinstance(response, Amounts))
    assert words in told(feasibility(asked, background))


def test_several_arms_are_compared_by_name_and_by_dunnetts_bound(planned: Feasibility) -> None:
    shown = told(feasibility(replace(planned.question, ratio=(1, 1, 1)), planned.background))
    assert "Dunnett over arms" in shown
    assert "Test one new letter against today's" in shown


def test_the_page_says_what_the_terminal_says_and_names_its_picture(planned: Feasibility) -> None:
    story = tell_plan(load(FLAGSHIP).experiment, planned, (), definition_hash="ab" * 32)
    page = story_html(story)
    assert story.answers[0].head in page
    assert "Of 100 trials, how many would find 3 days earlier" in page
