"""Two languages in one letter: one tagged document, each half whole, and the same figures or no letter."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nudge.base.errors import Place, Refused
from nudge.base.languages import LANGUAGES
from nudge.base.values import pounds
from nudge.documents.agreement import check_agreement, figures_of
from nudge.documents.checks import check_letter
from nudge.documents.form import PLAIN, Form, Format
from nudge.documents.halves import bound
from nudge.documents.letter import LetterSpec
from nudge.documents.page import Drawn, draw
from nudge.documents.profiles import profile_named
from nudge.documents.readback import read_back
from nudge.documents.sample import sample_spec
from nudge.documents.siblings import check_siblings, siblings_of
from nudge.documents.structure import check_structure
from nudge.documents.templates import TemplateFolder
from tests.documents.invented import folder_with, shipped

LETTERS = sorted(name for name in shipped().names() if re.fullmatch(r"letters/arrears-[a-z-]+\.html", name))
NORM = "letters/arrears-personal-norm.cy.html"
DL = profile_named("dl")
HERE = Place("a letter")


def drawn(spec: LetterSpec, folder: TemplateFolder) -> tuple[Drawn, list[str]]:
    made = draw(folder.html(spec), folder.path, profile=DL, template=spec.template)
    faults = (*check_letter(made, spec, DL, folder), *check_structure(made.pdf, spec.place))
    return made, [fault.code for fault in faults]


@pytest.fixture(scope="module")
def welsh() -> Drawn:
    made, faults = drawn(sample_spec(shipped(), NORM), shipped())
    assert faults == []
    return made


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("ending", [".cy.html", ".easy-read.html"])
def test_every_shipped_form_of_a_letter_passes_every_check(letter: str, ending: str) -> None:
    folder = shipped()
    template = letter.replace(".html", ending)
    assert template in siblings_of(folder, letter)
    assert check_siblings(folder, letter) == ()
    assert drawn(sample_spec(folder, template), folder)[1] == []


def test_a_welsh_half_has_welsh_dates_and_the_english_its_own(welsh: Drawn) -> None:
    first, second = read_back(welsh.pdf, DL.window).texts
    assert "23 Tachwedd 2026" in first.replace("\u00a0", " ")
    assert "7 Rhagfyr 2026" in first.replace("\u00a0", " ")
    assert "November" not in first
    assert "23 November 2026" in second.replace("\u00a0", " ")
    assert "Tachwedd" not in second


def test_only_the_first_half_has_the_window_the_reference_and_its_code(welsh: Drawn) -> None:
    first, second = read_back(welsh.pdf, DL.window).texts
    reference = sample_spec(shipped(), NORM).reference
    assert reference in first
    assert reference not in second
    assert "12 Mill Lane" in first
    assert "12 Mill Lane" not in second
    images = [ink.page for ink in read_back(welsh.pdf, DL.window).ink if ink.solid and ink.points is None]
    assert images == [1]


def _sections(node: Any) -> Iterator[Any]:
    children = node.get("/K", [])
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            if str(child.S) == "/Sect":
                yield child
            yield from _sections(child)


def test_one_document_says_the_language_of_each_half_to_a_screen_reader(welsh: Drawn) -> None:
    with pikepdf.open(io.BytesIO(welsh.pdf)) as pdf:
        assert str(pdf.Root.Lang) == "cy"
        assert [str(section.Lang) for section in _sections(pdf.Root.StructTreeRoot)] == ["cy", "en"]
        assert str(pdf.docinfo["/Title"]).startswith("Eich cyfrif rhent")


def test_pages_are_numbered_anew_in_each_half_in_its_own_words() -> None:
    spec = sample_spec(shipped(), NORM)
    large = replace(spec, form=Form(format=Format.LARGE_PRINT, languages=("cy", "en"), points=18))
    made, faults = drawn(large, shipped())
    assert faults == []
    feet = [text.replace("\r", "").strip().split("\n")[-1] for text in read_back(made.pdf, DL.window).texts]
    welsh = [foot for foot in feet if foot.startswith("Tudalen")]
    english = [foot for foot in feet if foot.startswith("Page")]
    assert welsh == [f"Tudalen {page} o {len(welsh) + 1}" for page in range(2, len(welsh) + 2)]
    assert english == [f"Page {page} of {len(english) + 1}" for page in range(2, len(english) + 2)]
    assert len(feet) == len(welsh) + len(english) + 2


def test_i13_a_letter_in_two_languages_is_the_same_bytes_again(welsh: Drawn) -> None:
    assert drawn(sample_spec(shipped(), NORM), shipped())[0].pdf == welsh.pdf


@pytest.mark.parametrize(
    ("right", "wrong", "code"),
    [
        ("{{ arrears | pounds }}", "£1.00", "halves-differ-in-amounts"),
        ("later(14)", "later(13)", "halves-differ-in-dates"),
        ("ffonio ar {{ council.telephone }}", "ffonio ar 01632 960 199", "halves-differ-in-telephones"),
        ("cyfeirnod {{ payment_reference }}", "cyfeirnod 5", "halves-differ-in-numbers"),
        ('<li data-required="statement">', "<li>", "block-not-in-language"),
        ("{{ claims.contact_norm }}.", "Cytunodd llawer.", "claim-differs"),
    ],
)
def test_halves_that_differ_are_refused_with_a_code_for_each(tmp_path: Path, right: str, wrong: str, code: str) -> None:
    folder = shipped()
    named = (
        "arrears-personal-norm.cy",
        "base-rent.cy",
        "parts/sum-owed.cy",
        "parts/ways-to-pay.cy",
        "parts/help-lines.cy",
    )
    for name in named:
        text = (folder.path / "letters" / f"{name}.html").read_text("utf-8")
        if right in text:
            folder = folder_with(tmp_path, f"letters/{name}.html", text.replace(right, wrong))
    assert folder.path != shipped().path
    spec = sample_spec(folder, NORM)
    assert code in drawn(spec, folder)[1]


def test_a_line_that_the_council_lacks_in_welsh_is_refused_by_its_key_and_never_printed_in_english() -> None:
    spec = sample_spec(shipped(), NORM)
    council = {key: line for key, line in spec.council.items() if key != "hours_cy"}
    with pytest.raises(Refused) as refusal:
        shipped().html(replace(spec, council=council))
    assert [problem.code for problem in refusal.value.problems] == ["council-line-missing"]
    assert "hours_cy" in str(refusal.value)


def test_a_template_that_is_not_a_whole_letter_is_refused() -> None:
    with pytest.raises(Refused, match="from <html> to </body>"):
        bound([("cy", "<p>Helo</p>"), ("en", "<p>Hello</p>")], Form(languages=("cy", "en")), "letters/x.html")


def test_one_language_in_standard_print_is_left_as_it_is() -> None:
    assert bound([("en", "<p>Hello</p>")], PLAIN, "letters/x.html") == "<p>Hello</p>"


def test_nested_and_void_elements_of_the_first_half_alone_are_taken_out_whole() -> None:
    once = "<div data-once><div>a</div><img data-once></div><img data-once>"
    body = f'<html><body>{once}b<p data-zone="address">c</p>d</body>'
    html = bound([("cy", "<html><body>x</body>"), ("en", body)], Form(languages=("cy", "en")), "letters/x.html")
    later = html[html.index('lang="en"') :]
    assert later.startswith('lang="en">bd<div id="end-en">')


DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2035, 12, 31))
SUMS = st.integers(min_value=1, max_value=99_999_999)


@given(day=DAYS, amount=SUMS, code=st.sampled_from(sorted(LANGUAGES)))
def test_figures_are_read_alike_in_every_language(day: date, amount: int, code: str) -> None:
    def text(language: str) -> str:
        known = LANGUAGES[language]
        return (
            f"x {pounds(amount)} y {known.day(day)} z {known.month(day)}, 01632 960 100; 98260000100. www.a.example/9"
        )

    assert figures_of(text(code), code) == figures_of(text("en"), "en")
    assert list(check_agreement({code: text(code), "en": text("en")}, HERE)) == []


@given(day=DAYS, other=DAYS, amount=SUMS, paid=SUMS, code=st.sampled_from(["cy", "pl", "pt", "ro"]))
def test_halves_agree_exactly_where_their_figures_do(day: date, other: date, amount: int, paid: int, code: str) -> None:
    own = f"{LANGUAGES[code].day(other)} {pounds(paid)}"
    found = [
        fault.code for fault in check_agreement({code: own, "en": f"{LANGUAGES['en'].day(day)} {pounds(amount)}"}, HERE)
    ]
    expected = ["halves-differ-in-amounts"] * (amount != paid) + ["halves-differ-in-dates"] * (day != other)
    assert found == expected
