"""The letters about money: one page, plain, help before what may come; arms differ in their lever alone."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

import pytest

from nudge.base.resources import resources
from nudge.documents.blocks import Contents, read_contents
from nudge.documents.checks import check_letter, check_values
from nudge.documents.form import Form, Format
from nudge.documents.page import Drawn, draw
from nudge.documents.plain import AIM, plainness
from nudge.documents.profiles import profile_named, profiles
from nudge.documents.readback import read_back
from nudge.documents.redline import changes, redline
from nudge.documents.remarks import LONGEST_SENTENCE, remarks_of
from nudge.documents.sample import RECIPIENTS, sample_spec
from nudge.documents.structure import check_structure
from nudge.documents.templates import check_templates
from nudge.experiment.definition import LiveExperiment
from nudge.experiment.loader import load
from tests.documents.invented import shipped

# The neutral control first. Each arm of one family may stand in a trial beside the others.
FAMILIES: Final = {
    "first": ("arrears-current", "arrears-norm-only", "arrears-redraft", "arrears-redraft-norm", "arrears-supportive",
              "arrears-personal-norm"),
    "second": ("arrears-second", "arrears-second-steps"),
    "council_tax": ("council-tax-cover", "council-tax-cover-norm"),
    "overpayment": ("overpayment", "overpayment-steps"),
    "invoice": ("care-invoice", "care-invoice-direct-debit"),
    "parking": ("parking-reminder-plain", "parking-reminder"),
    "channel_shift": ("channel-shift", "channel-shift-online-first"),
    "waste": ("waste-notice-plain", "waste-notice-norm"),
}  # fmt: skip
DEBTS: Final = ("first", "second", "council_tax", "overpayment", "invoice", "parking")
STAGES: Final = {
    "first": "first", "second": "second", "council_tax": "reminder", "overpayment": "first", "invoice": "information",
    "parking": "reminder", "channel_shift": "reminder", "waste": "information",
}  # fmt: skip
CARRIED: Final = {
    "affordable_plan", "ask", "benefit_help", "contact", "formats_and_languages", "free_debt_advice",
    "letter_reference", "next_step", "signature", "statement", "sum_owed", "time_limit", "ways_to_pay",
}  # fmt: skip
# (control, arm, lever): what the arm says besides, in one element with that lever, and nothing else.
ADDED: Final = (
    ("arrears-current", "arrears-norm-only", "norms"),
    ("arrears-redraft", "arrears-redraft-norm", "norms"),
    ("council-tax-cover", "council-tax-cover-norm", "norms"),
    ("overpayment", "overpayment-steps", "easy"),
    ("care-invoice", "care-invoice-direct-debit", "easy"),
    ("parking-reminder-plain", "parking-reminder", "commitments"),
    ("waste-notice-plain", "waste-notice-norm", "norms"),
)
ALL: Final = tuple(name for family in FAMILIES.values() for name in family)
ROOM: Final = 4.0  # millimetres that stay free above the margin at the foot: a letter that just fits is cramped


def template(name: str) -> str:
    return f"letters/{name}.html"


def written(name: str) -> str:
    """The letter as HTML to the first invented person, under one reference whatever its template."""
    spec = sample_spec(shipped(), template(name))
    return shipped().html(replace(spec, reference="YRP-HWJ-7PHC"))


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def without(html: str, lever: str, word: str) -> str:
    """The letter less the one element of the body that carries the lever and, in its tag, that word."""
    found = re.findall(rf'<(p|ol)([^>]*data-lever="{lever}"[^>]*)>.*?</\1>\n', html, re.DOTALL)
    marked = [tag for tag in found if word in tag[1]]
    assert len(marked) == 1
    return re.sub(rf"<{marked[0][0]}{re.escape(marked[0][1])}>.*?</{marked[0][0]}>\n", "", html, flags=re.DOTALL)


@pytest.mark.parametrize("profile", profiles())
@pytest.mark.parametrize("name", ALL)
def test_i1_each_fits_one_page_with_room_to_spare_in_every_envelope_for_long_names(name: str, profile: str) -> None:
    spec = sample_spec(shipped(), template(name), recipient=RECIPIENTS[1])
    paper = profile_named(profile)
    drawn = draw(shipped().html(spec), shipped().path, profile=paper, template=spec.template)
    assert drawn.pages == 1
    assert (*check_values(spec), *check_letter(drawn, spec, paper, shipped())) == ()
    assert check_structure(drawn.pdf, spec.place) == ()
    foot = max(ink.zone.foot for ink in read_back(drawn.pdf, paper.window).ink)
    assert foot <= paper.border.foot - ROOM


@pytest.fixture(scope="module", params=ALL)
def drawn_plainly(request: pytest.FixtureRequest) -> tuple[str, str, Drawn]:
    spec = sample_spec(shipped(), template(request.param))
    html = shipped().html(spec)
    return request.param, html, draw(html, shipped().path, profile=profile_named("dl"), template=spec.template)


def test_each_reads_at_eleven_or_below_and_nothing_is_to_be_remarked(drawn_plainly: tuple[str, str, Drawn]) -> None:
    name, html, drawn = drawn_plainly
    read = plainness(html)
    assert 5 < read.reading_age <= AIM
    assert read.longest_sentence <= LONGEST_SENTENCE
    assert remarks_of(html, drawn, sample_spec(shipped(), template(name))) == ()


def test_each_says_its_family_and_stage_and_asks_once(drawn_plainly: tuple[str, str, Drawn]) -> None:
    name, html, drawn = drawn_plainly
    [family] = [family for family, members in FAMILIES.items() if name in members]
    said = "arrears" if family in {"first", "second"} else family
    assert f'data-stage="{STAGES[family]}" data-family="{said}"' in html
    assert [mark.kind for mark in drawn.marks if mark.id == "ask"] == ["required"]
    assert html.count('class="ask"') == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_every_arm_of_a_family_has_the_blocks_of_the_others(family: str) -> None:
    templates = tuple(template(name) for name in FAMILIES[family])
    assert check_templates(shipped(), templates) == ()
    if family in DEBTS:
        assert set(shipped().marks(templates[0], "required")) >= CARRIED


@pytest.mark.parametrize("name", [name for family in DEBTS for name in FAMILIES[family]])
def test_help_stands_before_what_may_come_next(name: str) -> None:
    html = written(name)
    places = [html.index(f'data-required="{block}"') for block in ("free_debt_advice", "next_step")]
    assert places == sorted(places)


@pytest.mark.parametrize(("control", "arm", "lever"), ADDED)
def test_the_arm_says_its_lever_and_is_the_control_without_it(control: str, arm: str, lever: str) -> None:
    word = "data-claim" if lever == "norms" else ""
    assert without(written(arm), lever, word) == written(control)


def test_the_cells_of_the_factorial_differ_only_in_their_factor() -> None:
    current, norm, redraft, both = (
        words(written(f"arrears-{name}")) for name in ("current", "norm-only", "redraft", "redraft-norm")
    )
    claim = words(sample_spec(shipped(), template("arrears-norm-only")).claims["contact_norm"]) + ". "
    assert norm.count(claim) == both.count(claim) == 1
    assert norm.replace(claim, "") == current  # without the line it is the letter beside it, in either draft
    assert both.replace(claim, "") == redraft
    assert current != redraft
    tells = ("£412.50", "20 November 2026", "7 December 2026", "98260000100", "01632 960 101", "StepChange")
    assert all(
        fact in text for text in (current.replace("\u00a0", " "), redraft.replace("\u00a0", " ")) for fact in tells
    )


def of_letters() -> list[LiveExperiment]:
    files = sorted((resources() / "experiments").glob("*.yaml"))
    found = [load(path).experiment for path in files]
    return [one for one in found if isinstance(one, LiveExperiment) and one.control.letter is not None]


@pytest.mark.parametrize("experiment", of_letters(), ids=lambda one: one.id)
def test_the_levers_an_experiment_declares_are_those_that_set_its_arms_apart(experiment: LiveExperiment) -> None:
    def contents(letter: str | None) -> Contents:
        assert letter is not None
        spec = sample_spec(shipped(), letter, kinds=experiment.kinds, details=experiment.details)
        return read_contents(shipped().html(spec))

    control = contents(experiment.control.letter)
    for arm in experiment.arms:
        if not arm.control:
            lines = changes(redline(control.blocks, contents(arm.letter).blocks))
            assert {lever for line in lines for lever in line.levers} == set(arm.levers)


def test_the_supportive_letter_tells_of_help_before_the_ask_and_of_the_sum_after_it() -> None:
    html = written("arrears-supportive")
    order = [html.index(mark) for mark in ("affordable_plan", "free_debt_advice", 'class="ask"', "sum_owed")]
    assert order == sorted(order)


def test_where_a_tenant_stands_is_drawn_as_a_list_that_reads_in_order() -> None:
    [drawing] = re.findall(r'<ol class="steps".*?</ol>', written("arrears-second-steps"), re.DOTALL)
    steps = [words(step) for step in re.findall(r"<li.*?</li>", drawing, re.DOTALL)]
    assert [step[:2] for step in steps] == ["1.", "2.", "3.", "4."]
    assert [number for number, step in enumerate(steps, 1) if "You are here" in step] == [2]


@pytest.mark.parametrize("name", ["arrears-second-steps", "overpayment-steps", "care-invoice-direct-debit"])
def test_what_is_drawn_stands_in_large_print_too(name: str) -> None:
    spec = replace(
        sample_spec(shipped(), template(name), recipient=RECIPIENTS[1]), form=Form(format=Format.LARGE_PRINT, points=18)
    )
    paper = profile_named("dl")
    drawn = draw(shipped().html(spec), shipped().path, profile=paper, template=spec.template)
    assert check_letter(drawn, spec, paper, shipped()) == ()
    assert drawn.pages <= 3
