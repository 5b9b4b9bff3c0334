"""The letters that invite or inform: one page, plain, one ask, a way to say no; arms differ in their lever alone."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, get_args

import pytest
from invented import shipped

from nudge.base.resources import resources
from nudge.documents.checks import check_letter, check_values
from nudge.documents.page import draw
from nudge.documents.plain import AIM, plainness
from nudge.documents.profiles import profile_named, profiles
from nudge.documents.readback import read_back
from nudge.documents.sample import RECIPIENTS, sample_spec
from nudge.documents.structure import check_structure
from nudge.documents.templates import check_templates
from nudge.experiment.definition import Lever
from nudge.experiment.loader import load

# The neutral control first, then the arms with the lever that each is to test.
FAMILIES: Final[dict[str, dict[str, str]]] = {
    "street-champions": {"plain": "", "individual": "incentives", "community": "social incentives", "identity": "ego"},
    "foster": {"neutral": "", "values": "affect", "allowance": "incentives"},
    "paws-on-watch": {"plain": "", "norm": "norms"},
    "volunteers": {"plain": "", "identity": "ego"},
    "appointment-reminder": {"plain": "", "cost": "salience"},
    "call-and-check": {"plain": "", "ease": "easy"},
    "community-budget": {"plain": "", "ready-idea": "easy"},
    "staff-training": {"plain": "", "social": "social"},
    "hack-day": {"plain": "", "challenge": "attractive"},
}
NOTICE: Final = "letters/public-notice.html"
PITCH: Final = re.compile(r'<div class="pitch"(?: data-lever="(\w+)")?>\n(.*?)</div>', re.DOTALL)
LINE: Final = 15 / 72 * 25.4  # millimetres of one line of text
ABOUT_OTHERS: Final = re.compile(
    r"\d+ (?:in|out of) \d|%|per cent|\b(?:most|majority|nearly all|everybody else|other people|like you|already)\b",
    re.I,
)
PRESSES: Final = re.compile(
    r"\b(?:amazing|special|hero(?:es)?|selfless|wonderful|sadly|disappoint\w*|shame\w*|guilt\w*|hurry|last chance|"
    r"miss out|must|only you|good (?:citizen|neighbour|person)|don.t let)\b|!",
    re.I,
)


def templates_of(family: str) -> list[str]:
    return [f"letters/{family}-{arm}.html" for arm in FAMILIES[family]]


CONTROLS: Final = {NOTICE, *(templates_of(family)[0] for family in FAMILIES)}
ALL: Final = [*(template for family in FAMILIES for template in templates_of(family)), NOTICE]


def written(template: str, *, reference_of: str | None = None) -> str:
    """The letter as HTML to an invented person; with the values of another template where that is named."""
    spec = sample_spec(shipped(), reference_of or template)
    own = sample_spec(shipped(), template)
    return shipped().html(replace(spec, template=template, claims=own.claims, details=own.details))


def words(html: str) -> list[str]:
    return re.sub(r"<[^>]+>", " ", html).split()


@dataclass(frozen=True)
class Page:
    faults: tuple[str, ...]
    pages: int
    foot: float


@pytest.fixture(scope="module")
def drawn() -> dict[tuple[str, str], Page]:
    """Every letter on every kind of paper, to the person with the longest name and address."""
    found = {}
    long = next(one for one in RECIPIENTS if one.id == "long")
    for template in ALL:
        spec = sample_spec(shipped(), template, recipient=long)
        html = shipped().html(spec)
        for name in profiles():
            paper = profile_named(name)
            letter = draw(html, shipped().path, profile=paper, template=template)
            if name != "dl" and template not in CONTROLS:  # the arms stand as their control does on the tightest paper
                found[template, name] = Page((), letter.pages, 0)
                continue
            told = (*check_values(spec), *check_letter(letter, spec, paper, shipped()))
            told += check_structure(letter.pdf, spec.place)
            ink = read_back(letter.pdf, paper.window).ink
            foot = max(one.zone.foot for one in ink if one.page == 1)
            found[template, name] = Page(tuple(map(str, told)), letter.pages, foot)
    return found


@pytest.mark.parametrize("template", ALL)
def test_i1_each_letter_is_one_page_without_fault_on_every_paper(drawn, template):
    for name in profiles():
        page = drawn[template, name]
        assert (page.faults, page.pages) == ((), 1), name


@pytest.mark.parametrize("template", ALL)
def test_each_letter_reads_at_eleven_or_below_with_no_sentence_over_25_words_and_no_capitals(template):
    read = plainness(written(template))
    assert 5 < read.reading_age <= AIM
    assert read.longest_sentence <= 25
    assert read.capitals == 0


@pytest.mark.parametrize("template", ALL)
def test_each_letter_asks_one_thing_by_a_day_says_how_and_says_how_to_decline(template):
    html = written(template)
    [ask] = re.findall(r'<p class="ask"[^>]*>(.*?)</p>', html)
    assert re.search(r"by \d{1,2}\u00a0\w+\u00a020\d\d", ask)
    [reply] = re.findall(r'data-required="ways_to_reply">(.*?)</table>', html, re.DOTALL)
    council = sample_spec(shipped(), template).council
    assert council["telephone"].replace(" ", "\u00a0") in reply
    assert council["email"] in reply
    assert "code at the top of this letter" in reply
    assert html.count('class="qr"') == 1
    assert html.count('data-required="say_no"') == 1
    assert council["language_line"] in html
    assert sample_spec(shipped(), template).details["notice_page"] in html


@pytest.mark.parametrize("template", ALL)
def test_i6_no_letter_says_what_others_do_but_in_a_claim_and_none_flatters_or_presses(template):
    html = re.sub(r"<p data-claim=.*?</p>", "", written(template), flags=re.DOTALL)
    text = " ".join(words(html[html.index("<h1>") :]))
    assert ABOUT_OTHERS.findall(text) == []
    assert PRESSES.findall(text) == []


@pytest.mark.parametrize("family", FAMILIES)
def test_what_must_be_told_is_told_in_every_arm(family):
    assert check_templates(shipped(), tuple(templates_of(family))) == ()
    first, *others = (shipped().marks(template, "required") for template in templates_of(family))
    assert {"ask", "facts", "notice", "say_no", "signature", "ways_to_reply", "formats_and_languages"} <= set(first)
    assert all(other == first for other in others)


@pytest.mark.parametrize("family", FAMILIES)
def test_arms_differ_in_the_block_of_their_lever_and_nowhere_else(family):
    control, *_ = templates_of(family)
    rest = set()
    for template, lever in zip(templates_of(family), FAMILIES[family].values(), strict=True):
        html = written(template, reference_of=control)
        [(marked, _)] = PITCH.findall(html)
        levers = lever.split()
        assert marked == (levers[0] if levers else "")
        assert re.findall(r'data-lever="(\w+)"', html) == levers
        assert set(levers) <= set(get_args(Lever))
        rest.add(PITCH.sub("", html))
    assert len(rest) == 1


def test_every_experiment_declares_the_levers_that_its_letters_bear():
    borne = {
        f"letters/{family}-{arm}.html": set(levers.split())
        for family, arms in FAMILIES.items()
        for arm, levers in arms.items()
    }
    seen = set()
    for path in (resources() / "experiments").glob("*.yaml"):
        for arm in load(path).experiment.arms:
            if getattr(arm, "letter", None) in borne:
                assert set(arm.levers) == borne[arm.letter], (path.name, arm.id)
                seen.add(arm.letter)
    assert seen == set(borne)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_control_is_as_long_as_the_arms_and_stands_the_same_on_paper(family, drawn):
    blocks = [PITCH.findall(written(template))[0][1] for template in templates_of(family)]
    lengths = [len(words(block)) for block in blocks]
    assert max(lengths) <= 1.2 * min(lengths), lengths
    assert len({block.count("<p") for block in blocks}) == 1
    feet = [drawn[template, "dl"].foot for template in templates_of(family)]
    assert max(feet) - min(feet) < LINE / 2, feet


@pytest.mark.parametrize(("days", "codes"), [(3, []), (2, ["ask-gone-by"]), (-1, ["ask-gone-by"])])
def test_i12_a_letter_that_asks_by_a_day_gone_by_is_refused_and_the_refusal_does_not_repeat_the_day(days, codes):
    template = "letters/appointment-reminder-plain.html"  # it asks by two days before the appointment
    spec = sample_spec(shipped(), template)
    spec = replace(spec, fields=spec.fields | {"appointment_on": spec.letter_date + timedelta(days=days)})
    paper = profile_named("dl")
    letter = draw(shipped().html(spec), shipped().path, profile=paper, template=template)
    found = check_letter(letter, spec, paper, shipped())
    assert [problem.code for problem in found] == codes
    assert "November" not in " ".join(map(str, found))
