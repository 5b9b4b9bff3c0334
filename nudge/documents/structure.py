"""Is a PDF built so that a screen reader can read it? Our own check of what PDF/UA-1 asks and a machine can see.

It is no certificate: reading order and the sense of the words need a person, and veraPDF checks more where it is
installed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import pikepdf

from nudge.base.errors import Place, Problem
from nudge.documents.codes import LetterCode
from nudge.documents.readback import bare
from nudge.documents.spoken import Element, Marked, elements_of, marked_content

_HEADINGS: Final = {f"/H{level}": level for level in range(1, 7)}
_HOMES: Final = {
    "/LI": ("/L",),
    "/LBody": ("/LI",),
    "/Lbl": ("/LI",),
    "/TR": ("/Table", "/THead", "/TBody", "/TFoot"),
    "/TH": ("/TR",),
    "/TD": ("/TR",),
}
_HOLDS: Final = {"/L": ("/LI",), "/LI": ("/LBody",), "/Table": ("/TR", "/THead", "/TBody"), "/TR": ("/TH", "/TD")}
_NEVER_EMPTY: Final = frozenset({*_HEADINGS, "/P", "/LBody", "/TH", "/Link"})
_SYMBOLIC: Final = ("/FontFile", "/FontFile2", "/FontFile3")


def check_structure(pdf: bytes, place: Place, order: Sequence[str] = ()) -> tuple[Problem, ...]:
    """What is wrong for a screen reader, all at once: language, title, tags, words outside them, alternative words,
    header cells, lists, links, headings, what is empty, fonts.

    `order` are words that have to be read out one after another: the address, then the greeting.
    """
    with pikepdf.open(io.BytesIO(pdf)) as document:
        reasons = [*_faults(document)]
        if "/StructTreeRoot" in document.Root:
            marked = marked_content(pdf)
            reasons += _tree_faults(elements_of(document, marked.words), marked, order)
        return tuple(LetterCode.NOT_ACCESSIBLE.at(place, reason=reason) for reason in dict.fromkeys(reasons))


def _faults(document: pikepdf.Pdf) -> Iterator[str]:
    root = document.Root
    if not str(root.get("/Lang", "")):
        yield "the document states no language"
    if not str(document.docinfo.get("/Title", "")) or not _get(root, "/ViewerPreferences", "/DisplayDocTitle"):
        yield "the document shows no title"
    if not _get(root, "/MarkInfo", "/Marked"):
        yield "the document is not marked as tagged"
    with document.open_metadata() as metadata:
        if metadata.get("pdfuaid:part") != "1":
            yield "the metadata do not say PDF/UA-1"
    if any("/Tabs" not in page.obj and "/Annots" in page.obj for page in document.pages):
        yield "a page with links has no tab order"
    if "/StructTreeRoot" not in root:
        yield "the document has no tags"
    if not all(_embedded(font) for font in _fonts(document)):
        yield "a font is not embedded"


def _tree_faults(root: Element, marked: Marked, order: Sequence[str]) -> Iterator[str]:
    elements = list(root.walk())
    named = {number for element in elements for number in element.content}
    if marked.loose or any(text.strip() and number not in named for number, text in marked.words.items()):
        yield "some words are in no tag"
    if any(one.kind == "/Figure" and not str(one.source.get("/Alt", "")) for one in elements):
        yield "an image has no words of its own"
    if any(one.kind == "/Figure" and not any(below.content for below in one.walk()) for one in elements):
        yield "an image is announced and not there"
    if any(one.kind == "/TH" and not _scope(one.source) for one in elements):
        yield "a header cell does not say what it heads"
    if any(one.kind in _NEVER_EMPTY and one.is_empty for one in elements):
        yield "a heading, paragraph, list item or link is empty"
    if any(_misplaced(one) for one in elements):
        yield "a list or table has a part out of its place"
    if any(one.kind == "/Link" and not any(below.annotated for below in one.walk()) for one in elements):
        yield "a link leads nowhere"
    levels = [_HEADINGS[one.kind] for one in elements if one.kind in _HEADINGS]
    if not levels or levels[0] != 1 or any(after > before + 1 for before, after in pairwise(levels)):
        yield "the headings do not start at the first level, or skip one"
    if not _in_order(bare(root.text), [bare(words) for words in order]):
        yield "the address is not read out before the greeting"


def _misplaced(element: Element) -> bool:
    """Whether a part of a list or table stands elsewhere, or one of them lacks its parts."""
    strays = any(element.kind not in _HOMES.get(child.kind, (element.kind,)) for child in element.children)
    parts = _HOLDS.get(element.kind)
    return strays or (parts is not None and not any(child.kind in parts for child in element.children))


def _in_order(text: str, words: Sequence[str]) -> bool:
    start = 0
    for one in words:
        found = text.find(one, start)
        if found < 0:
            return False
        start = found + len(one)
    return True


def _get(node: Any, *keys: str) -> Any:
    for key in keys:
        node = node[key] if node is not None and key in node else None
    return node


def _scope(element: Any) -> str:
    attributes = element.get("/A", {})
    each = attributes if isinstance(attributes, pikepdf.Array) else [attributes]
    return next((str(one["/Scope"]) for one in each if "/Scope" in one), "")


def _fonts(document: pikepdf.Pdf) -> Iterator[Any]:
    for page in document.pages:
        yield from dict(page.resources.get("/Font", {})).values()


def _embedded(font: Any) -> bool:
    described = [font, *font.get("/DescendantFonts", [])]
    return any(key in one.get("/FontDescriptor", {}) for one in described for key in _SYMBOLIC)
