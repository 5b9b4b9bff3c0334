"""What the report says of panels: plain sentences, true of the lines they are made from."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nudge.reports.chances import chance
from nudge.reports.parts import Text
from nudge.reports.render import report_html, report_text
from nudge.reports.spending import letters
from nudge.reports.wording import Wording
from nudge.trial.recorded import analyse

WORDING = Wording(title="Reminder letters", labels={"none": "No letter", "dated": "Letter with a date"})
N = 200
COSTED = {"control": {"cost": 0.5}, "arm": {"cost": 0.92}}


def plan(
    outcome: dict[str, Any], *, data: dict[str, Any] | None = None, arm: dict[str, Any] | None = None, **keys: Any
):
    return {
        "id": "reminder-letters",
        "design": {"method": "recorded", "randomised": keys.pop("randomised", "yes")},
        "data": {"arm": "letter", **(data or {})},
        "arms": [{"id": "none", "control": True, **keys.pop("control", {})}, {"id": "dated", **(arm or {})}],
        "outcomes": [{"primary": True, **outcome}],
        **keys,
    }


def frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"letter": ["none"] * N + ["dated"] * N, **columns})


RENEWED = {"id": "renewed", "type": "proportion", "column": "renewed", "better": "higher"}
YES = [int(n % 10 < 3) for n in range(N)] + [int(n % 10 < 4) for n in range(N)]


def words(plan: dict[str, Any], data: pd.DataFrame) -> str:
    """The report as one line of words, and held to be the same words on the page."""
    summary = analyse(plan, data)
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", report_html(summary, wording=WORDING)))
    text = re.sub(r"\s+", " ", report_text(summary, wording=WORDING, width=10_000))
    for number in re.findall(r"\d+ in 100", text):
        assert number in page
    return text


def test_chances_are_told_with_what_was_believed_and_that_they_decide_nothing():
    text = words(plan(RENEWED, arm={"prior": "redesign"}, smallest_worthwhile={"renewed": 0.03}), frame(renewed=YES))
    assert "it is never a reason to stop a trial early" in text
    assert "The chance that ‘Letter with a date’ is better than ‘No letter’, with what was known before" in text
    assert "With nothing believed beforehand it is" in text
    assert "A redrawn letter, as in 126 earlier trials" in text
    assert "at least 3.0 of every 100 units" in text
    assert "mean 0.10, spread 0.20" in text


def test_chances_that_cannot_be_told_say_why():
    rng = np.random.default_rng(1)
    outcome = {"id": "hours", "type": "mean", "column": "hours", "better": "lower"}
    text = words(plan(outcome, arm={"prior": [0.1, 0.2]}), frame(hours=rng.normal(10, 2, 2 * N)))
    assert "as the plan stated beforehand: What was believed beforehand is of a ratio" in text


@pytest.mark.parametrize("randomised", ["no", "unknown"])
def test_without_a_draw_by_chance_no_chance_and_no_price_is_printed(randomised):
    text = words(plan(RENEWED, randomised=randomised, **COSTED), frame(renewed=YES)).lower()
    assert "how likely is it to be better?" not in text
    assert "what it costs" not in text


@pytest.mark.parametrize(
    ("probability", "told"),
    [(1.0, "more than 99 in 100"), (0.0, "less than 1 in 100"), (0.892, "89 in 100"), (0.5, "50 in 100")],
)
def test_a_chance_is_never_printed_as_certain(probability, told):
    assert chance(probability) == told


def test_those_whom_the_letter_reached_come_after_everybody_with_what_is_assumed():
    came = ["no"] * N + ["yes" if n % 4 else "no" for n in range(N)]
    text = words(plan(RENEWED, data={"received": "came"}), frame(renewed=YES, came=came))
    assert "it says what sending the letter does" in text
    assert "reached 75.0 of every 100 units drawn to it. Among those whom it reached" in text
    assert "13.3 more of every 100 units" in text
    assert "two things that the trial cannot show" in text
    assert "did not receive their arm’s letter" in text
    assert "more than by chance" in text


def test_a_letter_that_reached_hardly_anybody_says_so():
    came = ["no"] * N + ["yes" if n == 0 else "no" for n in range(N)]
    text = words(plan(RENEWED, data={"received": "came"}), frame(renewed=YES, came=came))
    assert "too small a difference to tell what the letter did" in text
    assert "two things that the trial cannot show" not in text


def test_bounds_say_how_many_are_not_known_and_how_far_the_answer_could_move():
    renewed = ["" if n % 20 == 0 else one for n, one in enumerate(YES[:N])] + YES[N:]
    text = words(plan(RENEWED), frame(renewed=renewed))
    assert "The outcome is not known of 10 units: 0 of 200 in ‘Letter with a date’ and 10 of 200 in ‘No letter’" in text
    assert "Assuming nothing" in text
    assert "The second leaves out 5.0 of every 100 known in ‘Letter with a date’" in text


def test_bounds_of_a_mean_without_a_range_say_what_is_wanting():
    hours = [float(n % 24) for n in range(2 * N)]
    outcome = {"id": "hours", "type": "mean", "column": "hours", "better": "lower"}
    text = words(plan(outcome), frame(hours=["", *hours[1:]]))
    assert "Without the least and the most that it can be (`range` in the plan)" in text
    wider = words(plan({**outcome, "range": [0, 24]}), frame(hours=["", *hours[1:]]))
    assert "Without the least and the most" not in wider


def test_a_price_has_its_interval_and_the_worth_of_a_gain_its_chance():
    text = words(plan({**RENEWED, "value": 10}, **COSTED), frame(renewed=YES))
    assert "£0.92 was spent on each unit of ‘Letter with a date’, and £0.50 on each of ‘No letter’: £0.42 more." in text
    assert "Each further unit with ‘Renewed’ cost £4.20 (95% interval: £2." in text
    assert "is worth £10.00, the gain is worth £0.58 more than it cost for each unit" in text
    assert "The chance that it is worth what it cost is" in text


@pytest.mark.parametrize(
    ("share", "costs", "told"),
    [
        (3.2, (0.5, 0.92), "and no upper limit can be given, because it may have gained nothing at all"),
        (1.0, (0.5, 0.92), "there is no price, because it did worse"),
        (5.0, (0.92, 0.5), "cost nothing: less was spent, and more was gained"),
        (3.2, (0.92, 0.5), "it may have gained nothing at all; less was spent in any case"),
    ],
)
def test_a_price_owns_up_where_there_may_be_no_gain(share, costs, told):
    renewed = [int(n % 10 < 3) for n in range(N)] + [int((n * 0.37) % 10 < share) for n in range(N)]
    both = {"control": {"cost": costs[0]}, "arm": {"cost": costs[1]}}
    assert told in words(plan(RENEWED, **both), frame(renewed=renewed))


def test_neither_cost_nor_gain_told_from_nothing_has_no_price_at_all():
    rng = np.random.default_rng(3)
    pounds = rng.uniform(0, 2, 2 * N).round(2)
    renewed = [int(n % 10 < 3) for n in range(2 * N)]
    text = words(plan(RENEWED, data={"spent": "pounds"}), frame(renewed=renewed, pounds=pounds))
    assert "no price can be given" in text
    assert "the extra cost is not told from none" in text


def test_a_time_has_a_price_for_each_event_and_each_day():
    rng = np.random.default_rng(4)
    days = np.ceil(rng.exponential(np.repeat([60.0, 35.0], N)))
    outcome = {"id": "reply", "type": "time_to_event", "duration": "days", "happened": "reply", "horizon": 60}
    data = frame(days=np.minimum(days, 60), reply=(days <= 60).astype(int))
    text = words(plan({**outcome, "better": "lower", "value": 1}, **COSTED), data)
    assert "Each further unit that had the event by day 60 cost" in text
    assert "Each day earlier of one unit cost" in text
    assert "If each day earlier of one unit is worth £1.00" in text


def test_later_letters_are_told_of_every_100():
    line = {"arm": "dated", "reference": "none", "letters_arm": 0.5, "letters_reference": 0.6, "confidence": 0.95}
    estimate = {"role": "headline", "strata": []}
    outcome: dict[str, Any] = {"id": "reply", "unit": "tenancy", "estimates": [estimate]}

    def told(**changes: Any) -> str:
        [part] = letters(outcome, [{**line, **changes}], WORDING).parts
        assert isinstance(part, Text)
        return part.words

    assert told(saved=0.1, ci=[0.02, 0.18]) == (
        "For every 100 tenancies, 50.0 later letters were posted with ‘Letter with a date’ and 60.0 with ‘No letter’:"
        " 10.0 fewer (95% interval: 2.0 to 18.0 fewer)."
    )
    assert "5.0 more to 18.0 fewer" in told(saved=0.1, ci=[-0.05, 0.18])
    assert "10.0 more (95% interval: 2.0 to 18.0 more)" in told(saved=-0.1, ci=[-0.18, -0.02])
    assert told(saved=None, ci=None).endswith("‘No letter’.")
    estimate["strata"] = ["north", "south"]
    assert "10.0 fewer, strata of the draw compared like with like (95%" in told(saved=0.1, ci=[0.02, 0.18])


def test_a_price_of_less_than_a_penny_says_so():
    cheap = {"control": {"cost": 0.5}, "arm": {"cost": 0.5001}}
    text = words(plan(RENEWED, **cheap), frame(renewed=YES))
    assert "no difference to speak of" in text
    assert "less than a penny" in text


def test_a_number_has_a_worth_and_no_price():
    rng = np.random.default_rng(5)
    outcome = {"id": "hours", "type": "mean", "column": "hours", "better": "lower", "value": 2}
    text = words(plan(outcome, **COSTED), frame(hours=rng.normal(np.repeat([10.0, 9.0], N), 2)))
    assert "If each 1 lower in ‘Hours’ is worth £2.00, the gain is worth" in text
    assert "no price" not in text
    unvalued = {key: held for key, held in outcome.items() if key != "value"}
    assert "what it costs" not in words(plan(unvalued, **COSTED), frame(hours=[1.0, 2.0] * N)).lower()


def test_headings_name_their_outcome_where_several_are_primary():
    both = plan(RENEWED, multiplicity="all")
    both["outcomes"].append({**RENEWED, "id": "again", "primary": True})
    text = words(both, frame(renewed=YES)).lower()
    assert "renewed: how likely is it to be better?" in text
    assert "again: how likely is it to be better?" in text
