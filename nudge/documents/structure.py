"""Is a PDF built so that a screen reader can read it? Our own check of what PDF/UA-1 asks and a machine can see.

It is no certificate: reading order and the sense of the words need a person, and veraPDF checks more where it is
installed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import pikepdf

from nudge.base.errors import Place, Problem
from nudge.documents.codes import LetterCode

_HEADINGS: Final = {f"/H{level}": level for level in range(1, 7)}
_SYMBOLIC: Final = ("/FontFile", "/FontFile2", "/FontFile3")


def check_structure(pdf: bytes, place: Place) -> tuple[Problem, ...]:
    """What of language, title, tags, alternative words, header cells, headings and fonts is wrong, all at once."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return tuple(LetterCode.NOT_ACCESSIBLE.at(place, reason=reason) for reason in _faults(document))


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
        return
    elements = list(_elements(root.StructTreeRoot))
    if any(kind == "/Figure" and not str(element.get("/Alt", "")) for kind, element in elements):
        yield "an image has no words of its own"
    if any(kind == "/TH" and not _scope(element) for kind, element in elements):
        yield "a header cell does not say what it heads"
    levels = [_HEADINGS[kind] for kind, _ in elements if kind in _HEADINGS]
    if not levels or levels[0] != 1 or any(after > before + 1 for before, after in pairwise(levels)):
        yield "the headings do not start at the first level, or skip one"
    if not all(_embedded(font) for font in _fonts(document)):
        yield "a font is not embedded"


def _get(node: Any, *keys: str) -> Any:
    for key in keys:
        node = node[key] if node is not None and key in node else None
    return node


def _elements(node: Any) -> Iterator[tuple[str, Any]]:
    """Every structure element in reading order, with its kind."""
    children = node.get("/K", [])
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            yield str(child.S), child
            yield from _elements(child)


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
