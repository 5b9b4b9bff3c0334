"""Is this sign fit to print and to put up? Asked of every sign, of its finished PDF and of what it is drawn from."""

from __future__ import annotations

from collections.abc import Iterator

from nudge.base.errors import Place, Problem
from nudge.documents.codes import LetterCode, TemplateCode
from nudge.documents.letter import REFERENCE_PATTERN, read_reference
from nudge.documents.page import Drawn
from nudge.documents.profiles import Zone
from nudge.documents.readback import ReadBack, bare, read_back
from nudge.documents.sign_codes import SignCode
from nudge.documents.sign_spec import SignSpec
from nudge.documents.structure import check_structure
from nudge.documents.templates import TemplateFolder

_NO_WINDOW = Zone(0, 0, 0, 0)


def check_sign(drawn: Drawn, spec: SignSpec, folder: TemplateFolder) -> tuple[Problem, ...]:
    """Everything wrong with a finished sign, at once. Empty: it may be printed."""
    page = read_back(drawn.pdf, _NO_WINDOW)
    return (
        *_check_complaints(drawn, spec.place),
        *_check_reference(page, drawn, spec),
        *_check_claims(page, drawn, spec, folder),
        *check_structure(drawn.pdf, spec.place),
    )


def _check_complaints(drawn: Drawn, place: Place) -> Iterator[Problem]:
    for complaint in drawn.complaints:
        kind, _, words = complaint.partition(":")
        if kind == "glyph":
            yield LetterCode.CHARACTER_MISSING.at(place, count=1, block="seen while drawing")
        elif kind == "alt":
            yield TemplateCode.IMAGE_WITHOUT_WORDS.at(place)
        else:
            yield TemplateCode.STYLE_NOT_UNDERSTOOD.at(place, sheet="the style", reason=words or "a warning")


def _check_reference(page: ReadBack, drawn: Drawn, spec: SignSpec) -> Iterator[Problem]:
    count = bare(page.text).count(bare(spec.reference))
    if count != 1:
        yield SignCode.REFERENCE_NOT_ONCE.at(spec.place, count=count)
    found = {found for found in REFERENCE_PATTERN.findall(page.text) if read_reference(found) == found}
    if found - {spec.reference}:
        yield SignCode.REFERENCE_OF_ANOTHER.at(spec.place)
    codes = sum(mark.kind == "zone" and mark.id == "code" for mark in drawn.marks)
    if codes != 1:
        yield SignCode.CODE_NOT_ONCE.at(spec.place, count=codes)


def _check_claims(page: ReadBack, drawn: Drawn, spec: SignSpec, folder: TemplateFolder) -> Iterator[Problem]:
    text = bare(page.text)
    printed: dict[str, list[str]] = {}
    for mark in drawn.marks:
        if mark.kind == "claim":
            printed.setdefault(mark.id, []).append(mark.text)
    for claim in folder.marks(spec.template, "claim"):
        wording = spec.claims.get(claim)
        if wording is None:
            yield TemplateCode.CLAIM_UNKNOWN.at(Place(spec.template), claim=claim)
        elif [bare(found).rstrip(".") for found in printed.get(claim, [])] != [bare(wording).rstrip(".")] or (
            text.count(bare(wording)) != 1
        ):
            yield LetterCode.CLAIM_DIFFERS.at(spec.place, claim=claim)
