"""A claim prints only if it is true of named, mature data (I6, TRIAL-RULES §7)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.documents.claims import (
    claim_still_holds,
    design_effect,
    share_in_words,
    work_out_claim,
    work_out_observed,
)
from nudge.documents.codes import ClaimCode
from nudge.experiment.claim import Claim
from nudge.experiment.fields import Period
from nudge.intake.history import HistoryRow
from nudge.intake.observed import Observed

ORACLES = json.loads((Path(__file__).parent.parent / "data" / "oracles" / "claims.json").read_text("utf-8"))
SAYS = (
    "{share} of the tenants we wrote to about arrears in the year to {period_end} agreed a way forward with us within"
    " eight weeks"
)
CLAIM = Claim(
    says=SAYS,
    numerator="agreed",
    within=56,
    source="data/history.csv",
    period=Period(date(2025, 9, 1), date(2026, 8, 31)),
    expires_days=180,
)
CUT = date(2026, 11, 1)


def row(number, letter_on, days=None, household=None, **values):
    events = {} if days is None else {"agreed": letter_on + timedelta(days=days)}
    return HistoryRow(
        reference=f"T{number}",
        household=household,
        letter_on=letter_on,
        values={"arrears": 5000} | values,
        events=events,
    )


def year(did, of, *, days=20, household=None):
    """`of` letters spread over the year, the first `did` of every run of them answered."""
    spread = [CLAIM.period.first + timedelta(days=round(number * 364 / (of - 1))) for number in range(of)]
    answered = [(number * did) // of != ((number + 1) * did) // of for number in range(of)]
    return [
        row(number, day, days if yes else None, household and household(number))
        for number, (day, yes) in enumerate(zip(spread, answered, strict=True))
    ]


def work_out(rows, claim=CLAIM, **other):
    given = {
        "eligible": lambda values: True,
        "cut": CUT,
        "event_kinds": ("agreed",),
        "has_household": False,
        "source": "history.csv",
        "source_sha256": "0" * 64,
    }
    return work_out_claim("contact_norm", claim, rows, **(given | other))


def codes(figure):
    return {problem.code for problem in figure.problems}


def test_i6_a_true_claim_is_worded_with_its_share_rounded_down_and_its_period():
    figure = work_out(year(690, 1000))
    assert figure.problems == ()
    assert figure.wording == (
        "More than 6 in 10 of the tenants we wrote to about arrears in the year to August 2026 agreed a way forward"
        " with us within eight weeks"
    )
    assert (figure.numerator, figure.denominator) == (690, 1000)
    assert figure.expires == date(2027, 2, 27)


@pytest.mark.parametrize("oracle", ORACLES["wilson"], ids=lambda oracle: oracle["case"])
def test_i10_the_limits_are_wilsons(oracle):
    figure = work_out(year(oracle["numerator"], oracle["denominator"]), has_household=True)
    assert figure.design_effect == 1
    assert figure.lower == pytest.approx(oracle["lower"], abs=oracle["tolerance"])
    assert figure.upper == pytest.approx(oracle["upper"], abs=oracle["tolerance"])


@pytest.mark.parametrize("oracle", ORACLES["levels"], ids=lambda oracle: oracle["case"])
def test_i10_the_limits_of_a_claim_chosen_among_many_are_rs_at_the_corrected_level(oracle):
    claim = CLAIM.model_copy(update={"chosen_from": oracle["chosen_from"]})
    figure = work_out(year(oracle["numerator"], oracle["denominator"]), claim, has_household=True)
    assert figure.confidence == pytest.approx(1 - 0.05 / oracle["chosen_from"])
    assert figure.lower == pytest.approx(oracle["lower"], abs=oracle["tolerance"])
    assert figure.upper == pytest.approx(oracle["upper"], abs=oracle["tolerance"])


@pytest.mark.parametrize(
    ("did", "of", "words"),
    [
        (69, 100, "More than 6 in 10"),
        (60, 100, "6 in 10"),
        (61, 100, "More than 6 in 10"),
        (59, 100, "More than half"),
        (50, 100, "Half"),
        (999, 1000, "More than 9 in 10"),
        (10, 10, "All"),
    ],
)
def test_a_share_is_rounded_against_the_claim(did, of, words):
    assert share_in_words(did, of) == words


@settings(deadline=None)
@given(st.integers(1, 5000), st.integers(0, 5000))
def test_no_share_is_ever_said_to_be_more_than_it_is(of, did):
    words = share_in_words(min(did, of), of)
    said = {"All": 10, "Half": 5, "More than half": 5}.get(words)
    tenths = said if said is not None else int(words.split(" in ")[0].split()[-1])
    assert tenths * of <= 10 * min(did, of)
    assert not (words.startswith("More") and tenths * of == 10 * min(did, of))


def test_a_sentence_with_its_own_at_least_takes_the_bare_share():
    claim = CLAIM.model_copy(update={"says": "We know that at least {share} of the tenants we wrote to replied"})
    assert "at least 6 in 10 of" in work_out(year(690, 1000), claim).wording
    claim = CLAIM.model_copy(update={"says": "We know that {share} of the tenants we wrote to replied"})
    assert "that more than 6 in 10 of" in work_out(year(690, 1000), claim).wording
    claim = CLAIM.model_copy(update={"says": "more than {share} of the tenants we wrote to replied"})
    assert work_out(year(600, 1000), claim).wording.startswith("more than 5 in 10 of")


@pytest.mark.parametrize("words", ["fewer than", "Less than", "under", "at most"])
def test_a_line_about_the_few_is_refused(words):
    claim = CLAIM.model_copy(update={"says": f"{words} {{share}} of the tenants we wrote to did nothing"})
    assert ClaimCode.CLAIM_COUNTS_DOWN.slug in codes(work_out(year(690, 1000), claim))


def test_a_placeholder_that_nobody_fills_is_refused():
    claim = CLAIM.model_copy(update={"says": "{share} of the {people} we wrote to"})
    figure = work_out(year(690, 1000), claim)
    assert ClaimCode.CLAIM_WORDS_UNKNOWN.slug in codes(figure)
    assert figure.wording == ""


@pytest.mark.parametrize(("did", "of"), [(480, 1000), (500, 1000), (52, 100)])
def test_i6_a_share_that_is_not_most_beyond_chance_is_refused(did, of):
    assert ClaimCode.CLAIM_NOT_MOST.slug in codes(work_out(year(did, of), has_household=True))


def test_i6_households_that_act_alike_widen_the_limits():
    rows = year(560, 1000)
    alike = [replace(one, household=f"H{number // 20}") for number, one in enumerate(rows)]
    by_answer = sorted(rows, key=lambda one: bool(one.events))
    together = [replace(one, household=f"H{number // 5}") for number, one in enumerate(by_answer)]
    apart, mixed, same = (work_out(found, has_household=True) for found in (rows, alike, together))
    assert codes(apart) == codes(mixed) == set()
    assert same.design_effect > 4.5
    assert ClaimCode.CLAIM_NOT_MOST.slug in codes(same)


def test_the_design_effect_is_the_closed_form_of_the_rules():
    assert design_effect([[1, 1], [0, 0], [1, 0]]) == pytest.approx(2)  # (1 + 1 + 0)/(1 - 2/6)/36 over 1/4/6
    assert design_effect([[1], [0], [1], [0], [1]]) == 1
    assert design_effect([[1, 1], [1, 1, 1]]) == pytest.approx((4 + 9) / 5)
    assert design_effect([]) == 1


def test_i6_without_households_a_design_effect_is_assumed_and_said():
    figure = work_out(year(530, 1000))
    assert (figure.design_effect, figure.design_effect_assumed, figure.households) == (1.5, True, None)
    assert any("1.5" in note for note in figure.notes)
    assert ClaimCode.CLAIM_NOT_MOST.slug in codes(figure)
    assert codes(work_out(year(535, 1000), has_household=True)) == set()


def test_i6_a_claim_that_was_true_and_is_not_lately_is_refused():
    quarter = date(2026, 6, 1)
    rows = [replace(one, events={}) if one.letter_on >= quarter else one for one in year(900, 1000)]
    figure = work_out(rows)
    assert codes(figure) == {ClaimCode.CLAIM_NOT_MOST_LATELY.slug}
    assert figure.recent == (0, sum(one.letter_on >= quarter for one in rows))


def test_a_letter_too_near_the_cut_is_not_counted_either_way():
    rows = year(690, 1000)
    figure = work_out(rows, cut=date(2026, 9, 15))
    late = sum(one.letter_on + timedelta(days=56) > date(2026, 9, 15) for one in rows)
    assert figure.not_mature == late > 0
    assert figure.denominator == 1000 - late
    assert any("too near the cut" in note for note in figure.notes)


@pytest.mark.parametrize(("days", "counts"), [(-3, False), (0, False), (1, True), (56, True), (57, False)])
def test_an_answer_counts_from_the_day_after_the_letter_to_the_last_day_within(days, counts):
    figure = work_out(year(1000, 1000, days=days))
    assert figure.numerator == (1000 if counts else 0)


def test_only_tenancies_that_meet_the_trials_own_conditions_are_counted():
    rows = [replace(one, values={"arrears": number % 3 or None}) for number, one in enumerate(year(690, 900))]
    figure = work_out(rows, eligible=lambda values: None if values["arrears"] is None else values["arrears"] == 1)
    assert figure.denominator == 300
    assert figure.unknown_eligibility == 300
    assert any("lack a value" in note for note in figure.notes)


def test_letters_of_other_months_are_not_counted():
    outside = [row(5000 + n, day, 5) for n, day in enumerate((date(2025, 8, 31), date(2026, 9, 1)))]
    assert work_out([*year(690, 1000), *outside]).denominator == 1000


def test_i6_a_history_that_does_not_reach_over_the_period_is_refused():
    late = [one for one in year(690, 1000) if one.letter_on > date(2025, 11, 1)]
    assert ClaimCode.CLAIM_PERIOD_UNCOVERED.slug in codes(work_out(late))
    early = work_out(year(690, 1000), cut=date(2026, 8, 1))
    assert ClaimCode.CLAIM_PERIOD_UNCOVERED.slug in codes(early)


def test_i6_nobody_to_count_is_refused_and_never_a_share_of_nothing():
    figure = work_out([])
    assert codes(figure) == {ClaimCode.CLAIM_NO_TENANCIES.slug}
    assert (figure.share, figure.lower, figure.wording) == (None, None, "")
    assert codes(work_out(year(690, 1000), event_kinds=("payment",))) == {ClaimCode.CLAIM_EVENT_ABSENT.slug}


def test_i6_a_claim_lapses_and_a_newer_history_can_end_it():
    figure = work_out(year(690, 1000))
    assert claim_still_holds(figure, today=figure.expires) == ()
    [lapsed] = claim_still_holds(figure, today=figure.expires + timedelta(days=1))
    assert lapsed.code == ClaimCode.CLAIM_LAPSED.slug
    for newest in (work_out(year(590, 1000)), work_out(year(400, 1000))):
        [ended] = claim_still_holds(figure, today=CUT, newest=newest)
        assert ended.code == ClaimCode.CLAIM_NO_LONGER_TRUE.slug
    assert claim_still_holds(figure, today=CUT, newest=work_out(year(640, 1000))) == ()


def test_the_ledger_holds_what_the_seal_freezes_and_nobodys_name():
    ledger = work_out(year(690, 1000)).ledger()
    assert ledger["wording"].startswith("More than 6 in 10")
    assert json.loads(json.dumps(ledger)) == ledger
    assert "T1" not in json.dumps(ledger)


def test_i6_a_claim_chosen_among_many_needs_as_much_more_evidence():
    rows = year(540, 1000)
    assert codes(work_out(rows, has_household=True)) == set()
    chosen = work_out(rows, CLAIM.model_copy(update={"chosen_from": 24}), has_household=True)
    assert codes(chosen) == {ClaimCode.CLAIM_NOT_MOST.slug}
    assert chosen.ledger()["confidence"] == pytest.approx(1 - 0.05 / 24)


IN_TOUCH = CLAIM.model_copy(update={"population": "contact"})


def in_touch(number, contact=None, agreed=None, household=None):
    day = date(2025, 9, 2) + timedelta(days=number % 360)
    found = {"contact": contact, "agreed": agreed}
    events = {kind: day + timedelta(days=days) for kind, days in found.items() if days is not None}
    return replace(row(number, day), events=events, household=household)


@pytest.mark.parametrize(
    ("contact", "agreed", "counted", "did"),
    [
        (5, 9, 1, 1),
        (5, 5, 1, 1),
        (56, 56, 1, 1),
        (5, None, 1, 0),
        (5, 57, 1, 0),
        (9, 5, 1, 0),  # agreed before they got in touch: the call is not what brought it
        (None, 9, 0, 0),
        (57, 60, 0, 0),
        (0, 9, 0, 0),
    ],
)
def test_of_those_in_touch_only_they_are_counted_and_what_came_after(contact, agreed, counted, did):
    figure = work_out([in_touch(1, contact, agreed)], IN_TOUCH, event_kinds=("agreed", "contact"))
    assert (figure.denominator, figure.numerator) == (counted, did)


def test_i6_of_those_in_touch_the_share_is_theirs_alone():
    rows = [
        in_touch(number, *((4, 9) if number % 10 < 3 else (4, None) if number % 10 < 4 else (None, None)))
        for number in range(1000)
    ]
    figure = work_out(rows, IN_TOUCH, event_kinds=("agreed", "contact"))
    assert (figure.numerator, figure.denominator) == (300, 400)
    assert codes(figure) == set()
    assert codes(work_out(rows, event_kinds=("agreed", "contact"))) == {
        ClaimCode.CLAIM_NOT_MOST.slug,
        ClaimCode.CLAIM_NOT_MOST_LATELY.slug,
    }
    assert codes(work_out(rows, IN_TOUCH)) == {ClaimCode.CLAIM_EVENT_ABSENT.slug}


WATCHED = Claim(
    says="{share} of the dog walkers we counted in the four months to {period_end} cleared up",
    numerator="cleared",
    population="observed",
    source="data/walkers.csv",
    period=Period(date(2026, 5, 1), date(2026, 8, 31)),
    expires_days=365,
)


def walkers(did, of, *, days=39, first=date(2026, 5, 4), place=""):
    yes = [(number * did) // of != ((number + 1) * did) // of for number in range(of)]
    return [Observed(first + timedelta(days=3 * (number % days)), place, one) for number, one in enumerate(yes)]


def watched(rows, claim=WATCHED):
    return work_out_observed("norm", claim, rows, source="walkers.csv", source_sha256="0" * 64)


def test_i6_a_sign_says_what_somebody_counted():
    figure = watched(walkers(312, 400))
    assert (figure.numerator, figure.denominator, codes(figure)) == (312, 400, set())
    assert figure.wording == (
        "More than 7 in 10 of the dog walkers we counted in the four months to August 2026 cleared up"
    )
    assert figure.design_effect >= 1
    assert not figure.design_effect_assumed
    assert figure.expires == date(2027, 8, 31)


def test_i6_those_watched_on_one_day_at_one_place_are_not_so_many_witnesses():
    rows = walkers(260, 400)
    by_day = sorted(rows, key=lambda one: one.did)
    same = [replace(one, on=date(2026, 5, 4) + timedelta(days=3 * (number // 10))) for number, one in enumerate(by_day)]
    assert codes(watched(rows)) == set()
    assert watched(same).design_effect == pytest.approx(10, rel=0.12)
    assert ClaimCode.CLAIM_NOT_MOST.slug in codes(watched(same)) | codes(watched(same[::-1]))
    one_day = [replace(one, on=date(2026, 8, 20)) for one in rows]
    assert ClaimCode.CLAIM_NOT_MOST.slug in codes(watched(one_day))
    apart = [replace(one, place=f"path {number % 20}") for number, one in enumerate(one_day)]
    assert watched(apart).households == 20
    few = [replace(one, place=f"path {number // 100}") for number, one in enumerate(by_day)]
    assert watched(few).design_effect == pytest.approx(
        design_effect([[one.did for one in few[at : at + 100]] for at in (0, 100, 200, 300)])
    )


def test_i6_months_in_which_nobody_counted_are_not_claimed():
    assert codes(watched(walkers(312, 400, days=10))) == {
        ClaimCode.CLAIM_NOBODY_WATCHED.slug,
        ClaimCode.CLAIM_PERIOD_UNWATCHED.slug,
    }
    assert codes(watched([])) == {ClaimCode.CLAIM_NOBODY_WATCHED.slug}
    late = walkers(312, 400, first=date(2026, 7, 1), days=20)
    assert codes(watched(late)) == {ClaimCode.CLAIM_PERIOD_UNWATCHED.slug}
