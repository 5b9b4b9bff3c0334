"""A published before and after looked through: each cause by arithmetic that another way of counting confirms."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nudge.base.errors import Refused
from nudge.simulation.artefact import responders_mean
from nudge.uplift.xray import Cause, Published, expected_worst, steady_hazard, window_for, xray


def finding(claim: Published, cause: Cause):
    return next(item for item in xray(claim) if item.cause is cause)


def curve(hazard: float, followed: int) -> tuple[np.ndarray, np.ndarray]:
    """Days from 1 and the chance of a response on each, counted out day by day."""
    day = np.arange(1, followed + 1)
    return day, np.exp(-hazard * (day - 1)) * (1 - math.exp(-hazard))


def test_i10_46_to_21_days_comes_of_two_letters_that_do_the_same() -> None:
    # reference: 400,000 simulated units an arm at 0.01 a day, followed for 113 and 45 days: 46.7 and 21.3
    found = finding(Published(before=46, after=21, followed=(113, 45)), Cause.WINDOW)
    assert found.days == pytest.approx(24.8, abs=0.1)
    assert found.days / 25 > 0.95
    day, chance = curve(found.figures["hazard"], 45)
    assert (day * chance).sum() / chance.sum() == pytest.approx(46 - found.days)
    assumed = finding(Published(before=46.6, after=21.3), Cause.WINDOW)
    assert assumed.figures["followed"] == (113, 45) or list(assumed.figures["followed"]) == [113, 45]


def test_followed_alike_the_window_makes_nothing() -> None:
    assert finding(Published(before=20, after=15, followed=(60, 60)), Cause.WINDOW).days == pytest.approx(0, abs=1e-6)


@given(st.floats(0.001, 0.5), st.integers(3, 400))
def test_a_steady_hazard_is_found_again_from_its_mean(hazard: float, followed: int) -> None:
    mean = responders_mean(hazard, followed)
    assume(mean > 1.01)
    found = steady_hazard(mean, followed)
    assert found is not None
    assert responders_mean(found, followed) == pytest.approx(mean, rel=1e-6)


@given(st.floats(0.002, 0.2), st.integers(2, 300))
def test_a_window_is_found_again_from_its_mean(hazard: float, followed: int) -> None:
    mean = responders_mean(hazard, followed)
    assume(responders_mean(hazard, followed + 1) - mean > 1e-6)
    assert window_for(mean, hazard) == followed


def test_lost_callers_lower_the_mean_and_lengthen_the_wait() -> None:
    found = finding(Published(before=46, after=21, followed=(113, 113)), Cause.SELECTION)
    cut, hazard = found.figures["cut"], found.figures["hazard"]
    day, chance = curve(hazard, 113)
    early = day <= cut
    assert (day * chance)[early].sum() / chance[early].sum() == pytest.approx(21, abs=0.5)
    assert found.figures["lost"] == pytest.approx(chance[~early].sum() / chance.sum())
    waiting = 1 - np.concatenate(([0.0], np.cumsum(np.where(early, chance, 0.0))))[:-1]
    before, after = found.figures["rmst"]
    assert after == pytest.approx(waiting.sum())
    assert before == pytest.approx((1 - np.concatenate(([0.0], np.cumsum(chance)))[:-1]).sum())
    assert after > before


def test_a_trend_says_how_many_times_as_frequent_contact_would_be() -> None:
    found = finding(Published(before=40, after=20, followed=(120, 120), months=6), Cause.TREND)
    slow, fast = steady_hazard(40, 120), steady_hazard(20, 120)
    assert slow is not None
    assert fast is not None
    assert found.figures["times"] == pytest.approx(fast / slow)
    assert (1 + found.figures["a_month"]) ** 6 == pytest.approx(fast / slow)
    assert found.days is None


def test_a_bad_month_is_followed_by_a_better_one() -> None:
    usual = finding(Published(before=46, after=40, usual=42), Cause.REGRESSION)
    assert usual.figures["by_correlation"] == pytest.approx({"0.3": 2.8, "0.5": 2.0, "0.7": 1.2})
    assert finding(Published(before=46, after=40, usual=50), Cause.REGRESSION).days == 0
    spread = finding(Published(before=46, after=40, sd=5), Cause.REGRESSION)
    assert spread.figures["worst_of"]["12"] == pytest.approx(0.5 * 1.6292 * 5, abs=1e-3)


def test_i10_the_worst_of_several_months_is_the_largest_of_as_many_normals() -> None:
    # Teichroew (1956), Annals of Mathematical Statistics 27, 410-426, table I
    assert [expected_worst(k) for k in (2, 4, 12)] == pytest.approx([0.56419, 1.02938, 1.62923], abs=1e-5)


def test_chance_alone_is_an_interval_of_two_means_of_responders() -> None:
    claim = Published(before=46, after=21, followed=(113, 45), responders=(300, 310))
    found = finding(claim, Cause.CHANCE)
    spreads = []
    for mean, followed in ((46, 113), (21, 45)):
        hazard = steady_hazard(mean, followed)
        assert hazard is not None
        day, chance = curve(hazard, followed)
        chance = chance / chance.sum()
        spreads.append(math.sqrt((chance * day**2).sum() - ((chance * day).sum()) ** 2))
    se = math.hypot(spreads[0] / math.sqrt(300), spreads[1] / math.sqrt(310))
    assert found.figures["se"] == pytest.approx(se)
    assert found.figures["interval"] == pytest.approx((25 - 1.959964 * se, 25 + 1.959964 * se), abs=1e-5)


@given(
    st.floats(2, 200), st.floats(1, 199), st.none() | st.tuples(st.integers(1, 400), st.integers(1, 400)),
    st.none() | st.tuples(st.integers(2, 9_999), st.integers(2, 9_999)), st.none() | st.floats(0.1, 50),
)  # fmt: skip
def test_any_claim_is_refused_or_looked_through(before, after, followed, responders, sd) -> None:
    try:
        claim = Published(before=before, after=after, followed=followed, responders=responders, sd=sd)
    except Refused:
        return
    found = xray(claim)
    assert [item.cause for item in found] == list(Cause)
    assert all(item.figures or item.wanted for item in found)
    json.dumps([item.document(claim.fall) for item in found], allow_nan=False)


def test_everything_wrong_with_a_claim_is_said_at_once() -> None:
    with pytest.raises(Refused) as refusal:
        Published(before=20, after=21, followed=(10, 30), responders=(1, 5), sd=0.0)
    codes = {problem.code for problem in refusal.value.problems}
    assert (
        codes == {"claim-did-not-fall", "claim-beyond-window", "claim-of-nobody", "claim-not-above-zero"}
        or len(codes) == 4
    )
    with pytest.raises(Refused, match="a day or more"):
        Published(before=2, after=0.5)
