"""What is said of a rendered letter: each remark where it belongs, and none where it does not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from invented import BASE, shipped

from nudge.base.errors import Place
from nudge.documents.page import draw
from nudge.documents.profiles import profile_named
from nudge.documents.remark_codes import RemarkCode, Weight
from nudge.documents.remarks import Remark, remarks_of, remarks_on_claims
from nudge.documents.required import families

DL = profile_named("dl")
ASK = '<p class="ask" data-required="ask">Please call us on 01632 960 100.</p>'
HELP = "<p>Free debt advice: StepChange 0800 138 1111.</p>"


def letter(body: str, *, stage: str = "first", family: str = "invitation", ask: str = ASK, lang: str = "en") -> str:
    return (
        f'<html lang="{lang}" data-stage="{stage}" data-family="{family}"><head><title>A letter</title></head>'
        f"<body><h1>A letter</h1>{body}{ask}</body></html>"
    )


def remarks(html: str, **other: object) -> tuple[Remark, ...]:
    spec = replace(BASE, **other)
    return remarks_of(html, draw(html, shipped().path, profile=DL, template=spec.template), spec)


def codes(html: str, **other: object) -> set[str]:
    return {remark.code for remark in remarks(html, **other)}


def test_a_plain_letter_with_one_ask_has_no_remark():
    assert remarks(letter("<p>We would like to hear from you. You can reply by post.</p>")) == ()


LONG = "We write to you as the council that runs the parks and the roads and the bins and the libraries and the pools "
HARD = (
    "<p>Notwithstanding representations received heretofore, contractual obligations appertaining to the aforementioned"
    " tenancy necessitate immediate regularisation.</p>"
)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (HARD, RemarkCode.READING_AGE_TOO_HIGH),
        (f"<p>{LONG}and that does much else besides.</p>", RemarkCode.SENTENCE_LONG),
        ("<p>WE ARE WRITING TO YOU about your bin.</p>", RemarkCode.CAPITALS),
        ("<p>Join us now!</p>", RemarkCode.EXCLAMATION),
        ('<p style="color: #c00">Please read this.</p>', RemarkCode.RED_TYPE),
        ("<p>You could save up to 40%.</p>", RemarkCode.UP_TO),
        ("<p>We may ask the court for an order.</p>" + HELP, RemarkCode.STAGE_FORBIDS),
        ("<p>We will not take you to court.</p>", RemarkCode.LEGAL_WORD_DENIED),
        ("<p>We may ask the cоurt for an order.</p>", RemarkCode.WORD_DISGUISED),
        ("<p>You could be e v i c t e d.</p>", RemarkCode.WORD_DISGUISED),
        ("<p>9 in 10 tenants pay on time.</p>", RemarkCode.FIGURE_OUTSIDE_CLAIM),
        ("<p>Extra costs will be added.</p>" + HELP, RemarkCode.CONSEQUENCE_CERTAIN),
        ("<p>Extra costs may be added. There may be a final notice.</p>", RemarkCode.THREAT_WITHOUT_SUPPORT),
        ("<p>This is your final warning.</p>", RemarkCode.FEAR_WORDING),
        (ASK, RemarkCode.ASK_TWICE),
        ('<p style="color: #999">You can reply by post.</p>', RemarkCode.CONTRAST_LOW),
        ('<p style="color: #fff">You can reply by post.</p>', RemarkCode.CONTRAST_LOW),
        ('<p style="background: #f7e08a; color: #8a8a8a; font-size: 20pt">Reply by post.</p>', RemarkCode.CONTRAST_LOW),
        ('<p style="opacity: .4">You can reply by post.</p>', RemarkCode.CONTRAST_LOW),
        ('<p style="display: none">You can reply by post.</p>', RemarkCode.TEXT_LOST),
        ('<p style="visibility: hidden">You can reply by post.</p>', RemarkCode.TEXT_LOST),
        ('<div style="overflow: hidden; width: 20mm; white-space: nowrap">You can reply by post.</div>',
         RemarkCode.TEXT_COVERED),
        ('<div style="overflow: hidden; height: 3mm">You can reply by post.</div>', RemarkCode.TEXT_COVERED),
        ('<div style="position: relative">You can reply by post.<div style="position: absolute; left: 10mm; top: 0;'
         ' width: 20mm; height: 8mm; background: #fff"></div></div>', RemarkCode.TEXT_COVERED),
    ],
)  # fmt: skip
def test_a_letter_with_this_fault_and_no_other_gets_this_remark(body, code):
    assert codes(letter(body)) == {code.slug}


@pytest.mark.parametrize(
    "body",
    [
        '<p style="color: #12324a">You can reply by post.</p>',
        '<p style="background: #12324a; color: #fff">You can reply by post.</p>',
        '<p style="color: #767676">You can reply by post.</p>',
        '<p style="color: #949494; font-size: 18pt">Reply by post.</p>',
        '<div style="overflow: hidden; width: 120mm">You can reply by post.</div>',
        '<div style="border: 2pt solid #12324a; background: #eef; padding: 4pt">You can reply by post.</div>',
        '<p>Please write here: ____________________</p>',
        "<p>Reply by post — or not.</p>",
        "<p>We are the BBC and the NHS.</p>",
        f"<p>{LONG.strip()}.</p><p>And that does much else besides.</p>",
        "<p>Come to the Court House in Court Street.</p>",
    ],
)  # fmt: skip
def test_what_is_well_made_has_no_remark(body):
    assert codes(letter(body)) == set()


def test_the_contrast_that_is_measured_is_that_of_the_colours():
    [found] = remarks(letter('<p style="color: #999">You can reply by post.</p>'))
    assert "2.8:1" in found.expected  # (1 + 0.05) / (0.319 + 0.05)


@pytest.mark.parametrize("stage", ["second", "notice", "court"])
def test_from_the_second_letter_on_a_court_may_be_named_beside_help(stage):
    assert codes(letter(f"<p>We may ask the court for an order.</p>{HELP}", stage=stage, family="arrears")) == set()


def test_a_stage_not_stated_is_the_first():
    html = letter("<p>We may ask the court for an order.</p>" + HELP).replace(' data-stage="first"', "")
    assert codes(html) == {RemarkCode.STAGE_FORBIDS.slug}


def test_help_farther_than_eight_lines_from_what_may_happen_does_not_count():
    threat, line = "<p>We may ask the court for an order.</p>", "<p>You can reply by post.</p>"
    near, far = (letter(threat + line * lines + HELP, stage="second") for lines in (2, 9))
    assert codes(near) == set()
    assert codes(far) == {RemarkCode.THREAT_WITHOUT_SUPPORT.slug}


def test_what_stands_side_by_side_is_near_however_far_apart_it_is_in_the_html():
    column = '<div style="float: left; width: 60mm">{}</div>'
    lines = "".join(f"<p>Line {number} of it.</p>" for number in range(12))
    html = letter(
        column.format(lines) + column.format("<p>We may ask the court for an order.</p>" + HELP), stage="second"
    )
    assert codes(html) == set()


@pytest.mark.parametrize("family", families())
def test_every_letter_about_a_debt_names_free_debt_advice(family):
    asks_for_money = family in {"arrears", "council_tax", "overpayment", "invoice"}
    assert (RemarkCode.SUPPORT_MISSING.slug in codes(letter("", family=family))) is asks_for_money
    assert codes(letter(HELP, family=family)) == set()


def test_capitals_are_held_in_a_letter_about_a_debt():
    body = "<p>PLEASE PAY US NOW or call us.</p>" + HELP
    assert codes(letter(body, family="arrears")) == {RemarkCode.CAPITALS_IN_DEBT_LETTER.slug}
    assert codes(letter("<p>PLEASE PAY NOW or call us.</p>" + HELP, family="arrears")) == set()


def test_an_unknown_stage_or_family_is_refused_by_name():
    assert codes(letter("", stage="third")) == {RemarkCode.STAGE_UNKNOWN.slug}
    assert codes(letter("", family="rent")) == {RemarkCode.FAMILY_UNKNOWN.slug}


def test_i6_a_figure_inside_a_claim_is_the_claims_business():
    claimed = '<p data-lever="norms" data-claim="paid">9 in 10 tenants pay on time.</p>'
    assert codes(letter(claimed)) == set()
    assert codes(letter(claimed + "<p>So most people pay.</p>")) == {RemarkCode.FIGURE_OUTSIDE_CLAIM.slug}
    within = '<p>Of your neighbours <span data-claim="paid">9 in 10 tenants pay on time</span>.</p>'
    assert codes(letter(within)) == set()


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Mr Bailiff", "salutation": "Mr Bailiff"},
        {"post_to": ("Bailiff House", "Eviction Lane", "TN7 4AB")},
        {"fields": {"street": "Bailiff Lane"}},
        {"details": {"venue": "Bailiff Hall"}},
    ],
)
def test_names_and_addresses_trip_no_list(other):
    spec = replace(BASE, **other)
    named = (spec.salutation, *spec.post_to, *spec.fields.values(), *spec.details.values())
    words = ", ".join(part for part in named if isinstance(part, str))
    assert codes(letter(f"<p>Dear {spec.salutation}</p><p>This is for {words}.</p>"), **other) == set()


def test_a_cell_that_holds_a_sentence_is_read_like_the_letter():
    html = letter("<p>You may face evic&shy;tion proceedings.</p>" + HELP)
    assert codes(html, fields={"next": "eviction proceedings"}) == {RemarkCode.STAGE_FORBIDS.slug}


def test_an_ask_or_a_telephone_number_that_is_not_on_the_first_page_is_warned_of():
    late = '<div style="break-before: page"></div>'
    found = codes(letter(f"<p>You can reply by post.</p>{late}"))
    assert found == {
        RemarkCode.ASK_NOT_ON_PAGE_1.slug,
        RemarkCode.TELEPHONE_NOT_ON_PAGE_1.slug,
        RemarkCode.PAGES_MANY.slug,
    }
    assert codes(letter("<p>Call 01632 960 100.</p>", ask="")) == {RemarkCode.ASK_MISSING.slug}


def test_a_passage_that_runs_over_the_foot_of_a_page_is_not_lost():
    lines = "".join(f"<p>You can reply by post {number}.</p>" for number in range(24))
    tail = "<p>" + "A plain line to read. " * 60 + "</p>"
    found = codes(letter(f"<p>Call 01632 960 100.</p>{ASK}{lines}{tail}", ask=""))
    assert found == {RemarkCode.PAGES_MANY.slug}


def test_welsh_is_not_measured_as_english_but_its_words_of_law_are_known():
    body = (
        "<p>Gallwch gael eich troi allan os na fyddwch yn cysylltu â'r gwasanaeth cyn gynted ag y bo modd.</p>"
        "<p>Cyngor ar Bopeth: 0800 702 2020.</p>"
    )
    assert codes(letter(body, lang="cy")) == {RemarkCode.STAGE_FORBIDS.slug}
    assert codes(letter(body, lang="cy", stage="notice")) == set()


@dataclass(frozen=True)
class Counted:
    claim: str
    numerator: int
    denominator: int
    wording: str


@pytest.mark.parametrize(
    ("wording", "numerator", "codes_"),
    [
        ("Nearly all of the tenants we wrote to, 9 in 10,", 90, set()),
        ("Nearly all of the tenants we wrote to", 89, {"not-nearly-all"}),
        ("Almost every household", 89, {"not-nearly-all"}),
        ("More than 6 in 10 of the tenants", 61, set()),
        ("More than 5 in 10 of the tenants", 59, {"norm-weak"}),
    ],
)
def test_i6_nearly_all_is_said_from_nine_in_ten_and_a_weak_norm_is_warned_of(wording, numerator, codes_):
    figure = Counted("paid", numerator, 100, wording)
    found = remarks_on_claims([figure], {"paid": Place("x.yaml", line=4)})
    assert {remark.code for remark in found} == codes_
    assert all(str(numerator) in remark.expected and remark.place.line == 4 for remark in found)


def test_what_refuses_comes_first_and_each_is_said_once():
    found = remarks(letter("<p>Join us now! A bailiff may call. A bailiff may come again.</p>"))
    assert [remark.weight for remark in found] == [Weight.REFUSE, Weight.HOLD, Weight.WARN]


def test_every_remark_has_a_sentence_and_a_fix_and_a_name_for_its_override():
    for code in RemarkCode:
        facts = dict.fromkeys(
            ("valid", "most", "age", "aim", "words", "first", "stage", "claim", "numerator", "denominator", "least",
             "page", "found", "down", "count", "within", "pages", "key"), 1)  # fmt: skip
        remark = code.at(Place("letters/x.html"), **facts)
        assert remark.expected[0].islower() or remark.expected[0] in "`"
        assert remark.fix.endswith(".")
        assert remark.key.isidentifier()
        assert "{" not in remark.expected.replace("{share}", "")
