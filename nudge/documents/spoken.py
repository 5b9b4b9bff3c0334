"""A tagged PDF as a screen reader has it: its elements in the order in which they are read out, with their words.

The tags are read by one library and the words by another; what joins them is the number that each run of content bears.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium

_DEPTH: Final = 6
_UNMARKED: Final = -1
Number = tuple[int, int]  # of a page, and of a run of content on it


@dataclass(frozen=True, slots=True)
class Element:
    """A structure element: its kind (`/P`), the words of it and all below it, the numbers of its own content, its
    children in order, and whether it names an annotation such as a link's."""

    kind: str
    text: str
    content: tuple[Number, ...]
    children: tuple[Element, ...]
    annotated: bool
    source: Any

    def walk(self) -> Iterator[Element]:
        """The element and all below it, in reading order."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands in it: neither words, nor an image, nor a link."""
        return not self.text.strip() and not any(
            one.annotated or (one.kind == "/Figure" and one.content) for one in self.walk()
        )


@dataclass(frozen=True, slots=True)
class Marked:
    """What the pages hold: the words of each numbered run of content, and the pages with words of neither a number
    nor an artifact."""

    words: Mapping[Number, str]
    loose: tuple[int, ...]


def marked_content(pdf: bytes) -> Marked:
    """Every run of content of a PDF with its words; pages from 0."""
    words: dict[Number, str] = {}
    loose: set[int] = set()
    document = pypdfium2.PdfDocument(pdf)
    try:
        for number, page in enumerate(document):
            text = page.get_textpage()
            above: list[tuple[int, bool]] = []  # of the drawings that hold other drawings
            for item in page.get_objects(max_depth=_DEPTH):
                del above[item.level :]
                run, artifact = pdfium.FPDFPageObj_GetMarkedContentID(item.raw), _is_artifact(item)
                if run == _UNMARKED and above:
                    run, artifact = above[-1][0], artifact or above[-1][1]
                if item.type == pdfium.FPDF_PAGEOBJ_FORM:
                    above.append((run, artifact))
                said = _words(item, text) if item.type == pdfium.FPDF_PAGEOBJ_TEXT else ""
                if run != _UNMARKED and not artifact:
                    words[number, run] = words.get((number, run), "") + said
                elif said.strip() and not artifact:
                    loose.add(number)
            text.close()
            page.close()
    finally:
        document.close()
    return Marked(words, tuple(sorted(loose)))


def elements_of(document: pikepdf.Pdf, words: Mapping[Number, str]) -> Element:
    """The tree of the document's tags, its root without a kind."""
    pages = {page.obj.objgen: number for number, page in enumerate(document.pages)}
    return _element(document.Root.StructTreeRoot, 0, pages, words)


def _element(node: Any, page: int, pages: Mapping[Any, int], words: Mapping[Number, str]) -> Element:
    page = pages.get(node.Pg.objgen, page) if "/Pg" in node else page
    below = node.get("/K", None)
    content: list[Number] = []
    children: list[Element] = []
    parts: list[str] = []
    annotated = False
    for child in [] if below is None else below if isinstance(below, pikepdf.Array) else [below]:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            children.append(_element(child, page, pages, words))
            parts.append(children[-1].text)
        elif isinstance(child, pikepdf.Dictionary) and "/MCID" not in child:
            annotated = True
        else:
            is_run = isinstance(child, pikepdf.Dictionary)
            where = pages.get(child.Pg.objgen, page) if is_run and "/Pg" in child else page
            content.append((where, int(child["/MCID"] if is_run else child)))
            parts.append(words.get(content[-1], ""))
    text = " ".join(" ".join(parts).split())
    return Element(str(node.get("/S", "")), text, tuple(content), tuple(children), annotated, node)


def _is_artifact(item: Any) -> bool:
    for number in range(pdfium.FPDFPageObj_CountMarks(item.raw)):
        name, length = (ctypes.c_ushort * 32)(), ctypes.c_ulong()
        mark = pdfium.FPDFPageObj_GetMark(item.raw, number)
        pdfium.FPDFPageObjMark_GetName(mark, name, ctypes.sizeof(name), length)
        if bytes(name)[: max(0, length.value - 2)].decode("utf-16-le", "replace") == "Artifact":
            return True
    return False


def _words(item: Any, text: Any) -> str:
    length = pdfium.FPDFTextObj_GetText(item.raw, text.raw, None, 0)
    written = (ctypes.c_ushort * (length // 2 + 1))()
    pdfium.FPDFTextObj_GetText(item.raw, text.raw, written, length)
    return bytes(written)[:length].decode("utf-16-le", "replace").rstrip("\0")
