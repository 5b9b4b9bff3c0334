"""Forms of a letter: what a cell asks for, large print, and that no form says anything else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from nudge.base.languages import LANGUAGES
from nudge.documents.checks import check_letter
from nudge.documents.enlarged import enlarged
from nudge.documents.form import PLAIN, SIZES, Form, Format, language_of, read_format, read_language, template_in
from nudge.documents.page import Drawn, draw
from nudge.documents.profiles import profile_named, profiles
from nudge.documents.readback import read_back
from nudge.documents.sample import RECIPIENTS, sample_spec
from nudge.documents.structure import check_structure
from tests.documents.invented import folder_with, shipped

LETTERS = ("letters/arrears-current.html", "letters/arrears-personal-norm.html", "letters/arrears-second.html")


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        (None, PLAIN),
        (" Standard ", PLAIN),
        ("N/A", PLAIN),
        ("LP", Form(format=Format.LARGE_PRINT)),
        ("large print 18pt", Form(format=Format.LARGE_PRINT, points=18)),
        ("Large-Print (16 point)", Form(format=Format.LARGE_PRINT, points=16)),
        ("LP18", Form(format=Format.LARGE_PRINT, points=18)),
        ("14pt", Form(format=Format.LARGE_PRINT, points=16)),
        ("print bras", Form(format=Format.LARGE_PRINT)),
        ("Easy read", Form(format=Format.EASY_READ)),
        ("EasyRead, large print", Form(format=Format.EASY_READ)),
        ("e-mail", Form(format=Format.EMAIL)),
        ("By Email please", Form(format=Format.EMAIL)),
        ("Braille (grade 2)", Form(format=Format.BRAILLE)),
        ("BSL", Form(format=Format.BSL)),
        ("British Sign Language video", Form(format=Format.BSL)),
    ],
)
def test_a_cell_that_asks_for_a_format_is_read_by_generous_words(cell: str | None, form: Form) -> None:
    assert read_format(cell) == form


@pytest.mark.parametrize(
    "cell",
    [
        "audio CD",
        "large print and braille",
        "BSL or email",
        "easy read, braille",
        "not large print",
        "no braille",
        "large print 36pt",
        "text",
        "?x",
    ],
)
def test_a_format_that_cannot_be_sent_or_read_is_left_to_an_officer(cell: str) -> None:
    assert read_format(cell) is None


@pytest.mark.parametrize(
    ("cell", "language"),
    [
        (None, "en"),
        ("English", "en"),
        ("unknown", "en"),
        ("Welsh", "cy"),
        ("CYMRAEG", "cy"),
        ("cy-GB", "cy"),
        ("Welsh and English", "cy"),
        ("Polski", "pl"),
        ("Arabic", None),
        ("Polish or Romanian", None),
        ("not English", None),
    ],
)
def test_a_cell_that_names_a_language_is_read_by_its_own_words_too(cell: str | None, language: str | None) -> None:
    assert read_language(cell) == language


def test_every_language_has_twelve_months_and_writes_a_date_and_a_page() -> None:
    for language in LANGUAGES.values():
        assert len(set(language.months)) == len(set(language.in_dates)) == 12
        assert "2026" in language.day(date(2026, 11, 3))
        assert language.page.format(page=2, pages=5).count("2") == 1
    assert LANGUAGES["cy"].day(date(2026, 11, 23)) == "23 Tachwedd 2026"


def test_a_sibling_template_says_its_form_in_its_name() -> None:
    assert template_in("letters/x.html", Format.LARGE_PRINT, "en") == "letters/x.html"
    assert template_in("letters/x.html", Format.EASY_READ, "cy") == "letters/x.easy-read.cy.html"
    assert language_of("letters/x.cy.html") == "cy"
    assert language_of("letters/x.easy-read.html") == "en"


def test_a_form_is_told_in_words() -> None:
    assert PLAIN.words == "standard print"
    form = Form(format=Format.LARGE_PRINT, languages=("cy", "en"), points=18)
    assert form.words == "large print 18 pt, Welsh with English"


def test_enlarging_keeps_proportions_and_leaves_nothing_small() -> None:
    sheet = "body { font-size: 10pt; line-height: 14pt } /* 3pt */ h1 { font-size: 20pt; margin: 5pt }"
    sheet += " p.x { font-size: 8pt; line-height: 10pt }"
    large = enlarged(sheet, 16)
    assert "body { font-size: 16pt; line-height: 22.4pt }" in large
    assert "h1 { font-size: 32pt; margin: 8pt }" in large
    assert "p.x { font-size: 16pt; line-height: 20pt }" in large
    assert "3pt" not in large


def _large(template: str, points: int, who: int, profile: str) -> tuple[Drawn, list[str]]:
    folder, paper = shipped(), profile_named(profile)
    form = Form(format=Format.LARGE_PRINT, points=points)
    spec = replace(sample_spec(folder, template, recipient=RECIPIENTS[who]), form=form)
    drawn = draw(folder.html(spec), folder.path, profile=paper, template=template)
    return drawn, [
        str(fault) for fault in (*check_letter(drawn, spec, paper, folder), *check_structure(drawn.pdf, spec.place))
    ]


@pytest.mark.parametrize("points", SIZES)
@pytest.mark.parametrize("template", LETTERS)
def test_large_print_has_no_smaller_type_outside_the_window_and_passes_every_check(template: str, points: int) -> None:
    for number, profile in enumerate(profiles()):
        drawn, faults = _large(template, points, number % len(RECIPIENTS), profile)
        assert faults == []
        page = read_back(drawn.pdf, profile_named(profile).window)
        for ink in page.ink:
            if ink.points is not None and not (ink.page == 1 and ink.zone.meets(profile_named(profile).window)):
                assert ink.points >= points - 0.01


def test_large_print_says_the_same_words_with_page_numbers_on_later_pages() -> None:
    folder, template = shipped(), LETTERS[1]
    spec = sample_spec(folder, template)
    plain = draw(folder.html(spec), folder.path, profile=profile_named("dl"), template=template)
    large, _ = _large(template, 18, 0, "dl")
    assert plain.marks == large.marks
    texts = read_back(large.pdf, profile_named("dl").window).texts
    assert large.pages == len(texts) > 1
    assert "Page 1 of" not in texts[0]
    assert f"Page 2 of {len(texts)}" in texts[1]


def test_large_print_takes_no_more_than_the_stated_pages(tmp_path: Path) -> None:
    text = (shipped().path / LETTERS[0]).read_text("utf-8")
    long = text.replace("{% block opening %}", "{% block opening %}" + "<p>We write again about your rent.</p>" * 110)
    folder = folder_with(tmp_path, LETTERS[0], long)
    spec = replace(sample_spec(folder, LETTERS[0]), form=Form(format=Format.LARGE_PRINT, points=16))
    paper = profile_named("dl")
    drawn = draw(folder.html(spec), folder.path, profile=paper, template=LETTERS[0])
    assert [fault.code for fault in check_letter(drawn, spec, paper, folder)] == ["too-many-pages"]


def test_small_type_of_a_template_itself_is_refused_in_large_print(tmp_path: Path) -> None:
    text = (shipped().path / LETTERS[0]).read_text("utf-8")
    folder = folder_with(tmp_path, LETTERS[0], text.replace("<p>Our", '<p style="font-size: 12pt">Our'))
    spec = replace(sample_spec(folder, LETTERS[0]), form=Form(format=Format.LARGE_PRINT, points=16))
    paper = profile_named("dl")
    drawn = draw(folder.html(spec), folder.path, profile=paper, template=LETTERS[0])
    assert [fault.code for fault in check_letter(drawn, spec, paper, folder)] == ["type-too-small"]
