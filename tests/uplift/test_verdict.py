"""The verdict's fixed list, in its order, and its sentences."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.uplift.estimate import Measure
from nudge.uplift.verdict import VerdictCode, Wording, judge, more_units, oriented, plural_of, worded, worthwhile_size


@pytest.mark.parametrize(
    ("strict", "plain", "worthwhile", "code"),
    [
        ((-5, -1), (-4.5, -1.5), 3, VerdictCode.DOES_HARM),
        ((-2.9, -0.1), (-2.5, -0.4), 3, VerdictCode.DOES_HARM_BY_LESS),
        ((3, 9), (3.5, 8.5), 3, VerdictCode.WORTHWHILE),
        ((0.1, 2.9), (0.4, 2.6), 3, VerdictCode.WORKS_BY_LESS),
        ((0.1, 6), (0.4, 5), 3, VerdictCode.WORKS),
        ((-1, 1), (-0.8, 0.8), 3, VerdictCode.NO_DIFFERENCE),
        ((-5, 1), (-4, 0.8), 3, VerdictCode.NO_BENEFIT),
        ((-5, 5), (-4, 4), 3, VerdictCode.TOO_SMALL_TO_TELL),
        ((-5, -1), (-4.5, -1.5), None, VerdictCode.DOES_HARM),
        ((1, 5), (1.5, 4.5), None, VerdictCode.WORKS),
        ((-1, 1), (-0.8, 0.8), None, VerdictCode.TOO_SMALL_TO_TELL),
    ],
)
def test_the_first_rule_that_holds_gives_the_verdict(strict, plain, worthwhile, code):
    assert judge(strict=strict, plain=plain, tested=True, worthwhile=worthwhile) is code


@given(st.floats(-10, 10), st.floats(0, 10), st.floats(0.1, 5))
def test_without_a_p_value_nothing_can_be_told(middle, width, worthwhile):
    interval = (middle - width, middle + width)
    assert judge(strict=interval, plain=interval, tested=False, worthwhile=worthwhile) is VerdictCode.TOO_SMALL_TO_TELL


def test_an_interval_is_turned_so_that_positive_is_better():
    assert oriented((-5.0, -1.0), better="lower", measure=Measure.RMST_DIFFERENCE) == (1.0, 5.0)
    assert oriented((-5.0, -1.0), better="higher", measure=Measure.RMST_DIFFERENCE) == (-5.0, -1.0)
    found = oriented((0.5, 0.8), better="lower", measure=Measure.RATE_RATIO)
    assert found == pytest.approx((-math.log(0.8), -math.log(0.5)))


def test_a_worthwhile_share_of_a_rate_is_taken_on_the_logarithm():
    assert worthwhile_size(0.2, better="lower", measure=Measure.RATE_RATIO) == pytest.approx(-math.log(0.8))
    assert worthwhile_size(0.2, better="higher", measure=Measure.RATE_RATIO) == pytest.approx(math.log(1.2))
    assert worthwhile_size(3.0, better="lower", measure=Measure.RMST_DIFFERENCE) == 3.0


def test_more_units_follow_from_the_standard_error_and_the_worthwhile_size_alone():
    assert more_units(400, 1.5, 3.0, 0.95) == math.ceil(400 * ((1.959963984540054 + 0.8416) * 0.5) ** 2 - 400)
    assert more_units(400, 0.5, 3.0, 0.95) is None
    assert more_units(400, None, 3.0, 0.95) is None


def test_the_sentence_says_what_a_mean_time_counts():
    wording = Wording(measure=Measure.RMST_DIFFERENCE, horizon=56, unit="tenancy")
    text = worded(
        VerdictCode.TOO_SMALL_TO_TELL,
        wording=wording,
        estimate=-1.64,
        interval=(-3.8, 0.6),
        confidence=0.95,
        worthwhile=3.0,
        more=210,
    )
    assert text == (
        "Too small to tell. Best estimate: 1.6 days earlier, on average over the first 56 days, counting those with no "
        "response by then as 56 (95% interval: from 3.8 days earlier to 0.6 days later). "
        "About 210 more tenancies would be needed to tell a worthwhile difference from none."
    )


def test_a_difference_of_shares_is_told_in_every_hundred():
    text = worded(
        VerdictCode.WORKS,
        wording=Wording(measure=Measure.RISK_DIFFERENCE, unit="tenancy"),
        estimate=0.052,
        interval=(0.011, 0.093),
        confidence=0.95,
        worthwhile=None,
        more=None,
    )
    assert text == (
        "It works. Best estimate: 5.2 more in every 100 tenancies (95% interval: from 1.1 more to 9.3 more)."
    )


@pytest.mark.parametrize(
    ("measure", "value", "money", "words"),
    [
        (Measure.RISK_DIFFERENCE, 0.052, False, "5.2 more"),
        (Measure.RISK_DIFFERENCE, -0.052, False, "5.2 fewer"),
        (Measure.RATE_RATIO, 0.8, False, "20% lower"),
        (Measure.MEAN_DIFFERENCE, -1234.0, True, "£12.34 lower"),
        (Measure.MEAN_DIFFERENCE, 2.0, False, "2 higher"),
        (Measure.RMST_DIFFERENCE, -1.0, False, "1 day earlier"),
    ],
)
def test_sizes_read_aloud(measure, value, money, words):
    assert Wording(measure=measure, unit="tenancy", money=money).size(value) == words


def test_units_have_plain_plurals():
    assert [plural_of(unit) for unit in ("tenancy", "street", "day", "premises")] == [
        "tenancies",
        "streets",
        "days",
        "premises",
    ]


def test_a_verdict_of_too_little_to_matter_names_the_interval_it_rests_on():
    """The 95 % interval may reach beyond the smallest worthwhile difference; the rule looks at the 90 % one."""
    told = worded(
        VerdictCode.NO_DIFFERENCE,
        wording=Wording(measure=Measure.RMST_DIFFERENCE, horizon=56.0),
        estimate=0.0,
        interval=(-3.2, 3.2),
        confidence=0.95,
        worthwhile=3.0,
        more=None,
        inner=(-2.7, 2.7),
    )
    assert told.endswith("This rests on the 90% interval: from 2.7 days earlier to 2.7 days later.")
    assert "Best estimate: no difference, on average" in told
