"""Every letter and sign that comes with nudge, each drawn once: its wording, its look, its tags, its conformance.

`page` is an independent checker of PDF/UA-1: 134 rules, those of veraPDF that a machine can decide.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace

import page
import pikepdf
import pytest
from invented import shipped
from test_sign import SPEC as SIGN

from nudge.documents.address import address_lines
from nudge.documents.form import Form, Format
from nudge.documents.letter import LetterSpec
from nudge.documents.page import Drawn, draw
from nudge.documents.profiles import profile_named
from nudge.documents.remark_codes import Weight
from nudge.documents.remarks import remarks_of
from nudge.documents.sample import sample_spec
from nudge.documents.sign import draw_sign
from nudge.documents.structure import check_structure
from nudge.documents.templates import TemplateFolder

LETTERS = tuple(
    name
    for name in shipped().names()
    if name.startswith("letters/") and "/parts/" not in name and not name.startswith("letters/base")
)
SIGNS = tuple(
    name
    for name in shipped().names()
    if name.startswith("signs/") and not name.removeprefix("signs/").startswith("base")
)


@dataclass(frozen=True)
class Letter:
    spec: LetterSpec
    html: str
    drawn: Drawn


def of(folder: TemplateFolder, spec: LetterSpec) -> Letter:
    html = folder.html(spec)
    return Letter(spec, html, draw(html, folder.path, profile=profile_named("dl"), template=spec.template))


@pytest.fixture(scope="module", params=LETTERS)
def letter(request: pytest.FixtureRequest) -> Letter:
    return of(shipped(), sample_spec(shipped(), request.param))


def conforms(pdf: bytes) -> None:
    report = page.validate_pdf_bytes(pdf, profile="ua1")
    assert report.rules.total > 90
    assert [f"{failure.rule_id}: {failure.message}" for failure in report.failures] == []
    assert report.is_compliant


def test_there_are_letters_and_signs_to_look_at() -> None:
    assert len(LETTERS) >= 48
    assert len(SIGNS) >= 10


def test_no_shipped_letter_is_refused_or_held(letter: Letter) -> None:
    said = remarks_of(letter.html, letter.drawn, letter.spec)
    assert [str(remark) for remark in said if remark.weight is not Weight.WARN] == []


def test_a_screen_reader_is_given_all_of_it_in_order_and_nothing_empty(letter: Letter) -> None:
    spec = letter.spec
    order = (*address_lines(spec.name, spec.post_to), spec.salutation)
    assert [str(problem) for problem in check_structure(letter.drawn.pdf, spec.place, order)] == []


def test_it_conforms_to_pdf_ua_1_by_an_independent_checker(letter: Letter) -> None:
    conforms(letter.drawn.pdf)


@pytest.mark.parametrize(
    "form",
    [Form(languages=("cy", "en")), Form(format=Format.LARGE_PRINT, points=18)],
    ids=["Welsh with English", "large print"],
)
def test_the_other_forms_of_a_letter_conform_too(form: Form) -> None:
    spec = replace(sample_spec(shipped(), "letters/arrears-personal-norm.html"), form=form)
    if "cy" in form.languages:
        welsh = sample_spec(shipped(), "letters/arrears-personal-norm.cy.html")
        spec = replace(spec, council=dict(welsh.council) | dict(spec.council), claims_in={"cy": welsh.claims})
    made = of(shipped(), spec)
    order = (*address_lines(spec.name, spec.post_to), spec.salutation)
    assert check_structure(made.drawn.pdf, spec.place, order) == ()
    conforms(made.drawn.pdf)


@pytest.mark.parametrize("template", SIGNS)
def test_a_sign_conforms_to_pdf_ua_1_by_an_independent_checker(template: str) -> None:
    conforms(draw_sign(replace(SIGN, template=template), shipped()).pdf)


def test_the_independent_checker_sees_what_is_wrong() -> None:
    made = of(shipped(), sample_spec(shipped(), "letters/arrears-current.html"))
    with pikepdf.open(io.BytesIO(made.drawn.pdf)) as document:
        del document.Root.MarkInfo
        del document.Root.StructTreeRoot
        stream = io.BytesIO()
        document.save(stream)
    report = page.validate_pdf_bytes(stream.getvalue(), profile="ua1")
    assert not report.is_compliant
    assert report.rules.failed >= 2
