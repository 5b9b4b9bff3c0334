"""What is said of an arm's letter beside the control's: each warning where it is due, and only there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from invented import CURRENT, invented, shipped

from nudge.base.errors import Place
from nudge.documents.blocks import read_contents
from nudge.documents.comparison import Shown, Size, alone, compare, differences
from nudge.documents.figures import Figure, figures_in
from nudge.documents.plain import plainness
from nudge.documents.required import families, held
from nudge.documents.sample import sample_spec

PAGE = '<html data-family="waste" data-stage="first"><body>{}</body></html>'
CLOSE = (
    '<p data-required="contact">Call 01632 960 100</p>'
    '<p data-required="formats_and_languages">For this letter in another language, call us.</p>'
)


def shown(id_: str, body: str, *levers: str, sheets: int = 1, pages: int | None = None, **other: Any) -> Shown:
    html = other.pop("html", PAGE.format(body + CLOSE))
    size = Size(recipient="An ordinary name", pages=pages or 2 * sheets - 1, sheets=sheets)
    return Shown(
        id=id_,
        name=id_,
        template=f"letters/{id_}.html",
        levers=levers,
        contents=read_contents(html),
        plainness=plainness(html),
        sizes=(size,),
        pdf=b"",
        place=Place("trial.yaml", line=9),
        **other,
    )


def codes(*sides: Shown) -> list[str]:
    return [problem.code for problem in compare(*sides).problems]


CONTROL = shown("plain", "<p>Please take it home.</p>")


def test_a_change_that_bears_a_declared_lever_is_nothing_to_warn_of():
    arm = shown("norm", '<p>Please take it home.</p><p data-lever="norms">Most people do.</p>', "norms")
    assert codes(CONTROL, arm) == []
    assert [line.how.value for line in compare(CONTROL, arm).changes] == ["added"]


@pytest.mark.parametrize(
    ("body", "levers", "code"),
    [
        ("<p>Please take all of it home.</p>", (), "change-without-lever"),
        ('<p>Please take it home.</p><p data-lever="ego">You can.</p>', (), "lever-undeclared"),
        ('<p>Please take it home.</p><p data-lever="ego">You can.</p>', ("ego", "norms"), "lever-unborne"),
        ("<p>Please take it home.</p>", (), "nothing-differs"),
    ],
)
def test_more_or_less_than_the_declared_levers_is_warned_of(body: str, levers: tuple[str, ...], code: str) -> None:
    assert codes(CONTROL, shown("arm", body, *levers)) == [code]


def test_what_gave_way_to_a_block_with_a_lever_needs_none_of_its_own_and_what_went_alone_does():
    control = shown("plain", "<p>Our records show a debt.</p><p>Please take it home.</p><p>That is all.</p>")
    easy = '<p data-lever="easy">One call helps.</p>'
    assert codes(control, shown("arm", f"{easy}<p>Please take it home.</p><p>That is all.</p>", "easy")) == []
    assert codes(control, shown("arm", f"{easy}<p>Please take it home.</p>", "easy")) == ["change-without-lever"]


def test_what_was_taken_elsewhere_with_a_lever_needs_no_other_for_the_place_it_left():
    help_ = "<li>We can agree a plan with you.</li><li>Ask us for a statement of your account.</li>"
    rest = "<p>How to pay us online.</p><p>How to pay us by phone.</p><p>How to pay us by post.</p>"
    ask, call = ('<p data-required="ask"{}>' + words for words in ("Please pay, or ask, by 7 May.", "Call by 7 May."))
    control = shown("plain", f"{ask.format('')}</p>{rest}<h2>If you cannot pay</h2><ul>{help_}</ul>")
    moved = f"<h2>What we can do</h2><ul>{help_}</ul>{call}</p>"
    easy = ' data-lever="easy"'
    arm = shown("help", f"<div{easy}>{moved.format(easy)}</div>{rest}", "easy")
    assert codes(control, arm) == []
    assert codes(control, shown("help", f"{moved.format('')}{rest}")) == ["change-without-lever"]


def test_a_lever_that_both_letters_bear_alike_is_not_what_the_trial_tests():
    dear = '<p data-lever="ego">Dear Mrs Jones</p>'
    control = shown("plain", dear)
    arm = shown("norm", f'{dear}<p data-lever="norms">Most people do.</p>', "norms", "ego")
    assert codes(control, arm) == ["lever-in-both"]


def test_more_than_three_levers_are_a_bundle():
    four = ("norms", "ego", "easy", "social")
    body = "<p>Please take it home.</p>" + "".join(f'<p data-lever="{one}">The {one} line.</p>' for one in four)
    assert codes(CONTROL, shown("all", body, *four)) == ["levers-many"]
    assert codes(CONTROL, shown("three", body.replace("social", "easy"), *four[:3])) == []


def test_a_sheet_more_gives_the_arm_away_and_a_page_more_is_told():
    body = '<p>Please take it home.</p><p data-lever="norms">Most people do.</p>'
    assert codes(CONTROL, shown("thick", body, "norms", sheets=2)) == ["sheets-differ"]
    assert codes(CONTROL, shown("long", body, "norms", pages=2)) == ["pages-differ"]


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("It costs £80.", "sum"),
        ("By 7 May 2027.", "date"),
        ("Or call 01632 960 999.", "telephone number"),
        ("Over 40% do.", "share"),
        ("7 in 10 do.", "share"),
        ("Open till 5pm.", "time"),
        ("It takes 12 minutes.", "number"),
        ("See www.wealdenvale.example/waste.", "web or e-mail address"),
    ],
)
def test_a_figure_that_one_arm_has_and_another_lacks_is_warned_of(words: str, kind: str) -> None:
    arm = shown("arm", f'<p>Please take it home.</p><p data-lever="norms">{words}</p>', "norms")
    for sides in ((CONTROL, arm), (replace(arm, levers=()), replace(CONTROL, levers=("norms",)))):
        [problem] = [one for one in compare(*sides).problems if one.code == "figure-alone"]
        assert problem.expected.startswith(f"the same {kind} in every arm: `arm` has ")


def test_a_figure_inside_a_claim_is_the_ledgers_to_check():
    body = '<p>Please take it home.</p><p data-lever="norms" data-claim="norm">More than 6 in 10 did in 2026.</p>'
    assert codes(CONTROL, shown("norm", body, "norms")) == []


def test_another_family_stage_or_style_sheet_is_warned_of():
    body = '<p>Please take it home.</p><p data-lever="norms">Most people do.</p>' + CLOSE
    late = shown("late", "", "norms", html=PAGE.format(body).replace("first", "second"))
    assert codes(CONTROL, late) == ["family-differs"]
    styled = shown("styled", "", "norms", html=PAGE.format(f"<style>p {{ color: red }}</style>{body}"))
    assert codes(CONTROL, styled) == ["styles-differ"]


def test_a_letter_in_a_format_or_language_that_another_arm_lacks_is_warned_of():
    body = '<p>Please take it home.</p><p data-lever="norms">Most people do.</p>'
    arm = shown("norm", body, "norms", forms=("cy.html",))
    [problem] = compare(replace(CONTROL, forms=("cy.html", "easy-read.html")), arm).problems
    assert (problem.code, "`letters/norm.easy-read.html`" in problem.expected) == ("form-alone", True)
    assert codes(replace(CONTROL, forms=("cy.html",)), arm) == []


def test_what_a_family_must_hold_is_missed_in_the_letter_that_lacks_it():
    assert alone(CONTROL) == ()
    bare = shown("bare", "", html=PAGE.format("<p>Please take it home.</p>"))
    assert [problem.code for problem in alone(bare)] == ["required-missing", "required-missing"]
    hollow = shown("hollow", "", html=PAGE.format(CLOSE.replace("01632 960 100", "us")))
    assert [problem.expected for problem in alone(hollow)] == [
        'a number to call in the letter of `hollow` (a block with data-required="contact" that gives a telephone)'
    ]
    stranger = shown("stranger", "", html=PAGE.format("").replace("waste", "wastes"))
    assert [problem.code for problem in alone(stranger)] == ["family-unknown"]


def test_what_would_stop_the_letter_is_told_with_its_recipient():
    size = replace(CONTROL.sizes[0], problems=(alone(shown("bare", "", html=PAGE.format("")))[0],))
    [problem] = alone(replace(CONTROL, sizes=(size,)))
    assert problem.code == "letter-unfit"
    assert problem.expected.startswith("a letter that can be posted; for an ordinary name expected ")


def test_every_arm_is_set_against_the_control_in_the_order_of_the_file():
    arms = [shown(name, f"<p>{name}</p>") for name in ("first", "second")]
    found = differences([arms[0], CONTROL, arms[1]], "plain")
    assert [(one.control.id, one.arm.id) for one in found] == [("plain", "first"), ("plain", "second")]
    none = differences(arms, "plain")  # whose control gets nothing
    assert [(one.control.id, one.arm.id) for one in none] == [("first", "second")]
    assert differences(arms[:1], "plain") == differences([], "plain") == ()


def test_figures_are_told_apart_by_their_form():
    words = "Call 0800 138 1111 by 7 December 2026 at 9am, pay £1,234.50 of 98260000100; 3 in 10, half, or 12.5%."
    assert list(figures_in(words)) == [
        Figure("telephone", "08001381111"),
        Figure("date", "7 December 2026"),
        Figure("time", "9am"),
        Figure("sum", "£1,234.50"),
        Figure("number", "98260000100"),
        Figure("share", "3 in 10"),
        Figure("share", "12.5%"),
    ]


LETTERS = [name for name in shipped().names() if name.startswith("letters/") and name.count("/") == 1]
WHOLE = [name for name in LETTERS if not name.startswith("letters/base") and name.count(".") == 1]


@pytest.mark.parametrize("template", WHOLE)
def test_every_letter_that_comes_with_nudge_holds_what_its_family_must(template: str) -> None:
    contents = read_contents(shipped().html(sample_spec(shipped(), template)))
    assert contents.family in families()
    assert all(held(contents).values()), held(contents)


def test_a_letter_read_back_as_blocks_holds_the_words_of_its_tenant():
    contents = read_contents(shipped().html(invented(template=CURRENT)))
    words = [block.words for block in contents.blocks]
    assert "£412.50" in words
    assert "Dear Mrs Jones" in words
    assert contents.levers == ("ego", "salience")
