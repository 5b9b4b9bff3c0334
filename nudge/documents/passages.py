"""The words of a finished letter as passages: each heading, paragraph, list item and cell, and its marks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

_OPENERS: Final = frozenset(
    {"p", "li", "h1", "h2", "h3", "h4", "h5", "h6", "td", "th", "dt", "dd", "div", "caption", "figcaption", "text"}
    | {"section", "ul", "ol", "table", "tr", "body", "blockquote"}
)
_VOID: Final = frozenset({"br", "img", "hr", "meta", "link", "input", "col", "wbr"})
_SILENT: Final = frozenset({"title", "style", "script", "desc", "metadata"})
_SENTENCE: Final = re.compile(r"(?<=[.:?!])\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One block of text, in the language of the half of the letter that it stands in.

    `own` is the text outside every element with data-claim: what the template says in its own name.
    `broken` is the text with its line breaks, each of which ends a sentence.
    """

    tag: str
    broken: str
    own: str
    language: str
    letterhead: bool
    required: tuple[str, ...]
    levers: tuple[str, ...]
    classes: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.broken.split())

    @property
    def sentences(self) -> tuple[str, ...]:
        """The passage cut at full stops, colons, question and exclamation marks and line breaks."""
        parts = (" ".join(part.split()) for line in self.broken.split("\n") for part in _SENTENCE.split(line))
        return tuple(part for part in parts if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A letter's passages in the order of its HTML, with what its first element says of it, or blank."""

    language: str
    stage: str
    family: str
    passages: tuple[Passage, ...]

    @property
    def body(self) -> tuple[Passage, ...]:
        """The passages below the letterhead."""
        return tuple(passage for passage in self.passages if not passage.letterhead)


def read_passages(html: str) -> Reading:
    """Read the words of a letter from its HTML as it was filled in."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    parser.flush()
    root = parser.root
    return Reading(
        language=root.get("lang") or "",
        stage=(root.get("data-stage") or "").strip(),
        family=(root.get("data-family") or "").strip(),
        passages=tuple(draft.passage() for draft in parser.drafts),
    )


@dataclass(slots=True)
class _Draft:
    tag: str
    language: str
    letterhead: bool
    required: tuple[str, ...]
    levers: tuple[str, ...]
    classes: tuple[str, ...]
    broken: str = ""
    own: str = ""

    def passage(self) -> Passage:
        return Passage(
            tag=self.tag,
            broken="\n".join(" ".join(part.split()) for part in self.broken.strip().split("\n")),
            own=" ".join(self.own.split()),
            language=self.language,
            letterhead=self.letterhead,
            required=self.required,
            levers=self.levers,
            classes=self.classes,
        )


@dataclass(slots=True)
class _Element:
    tag: str
    attributes: Mapping[str, str | None] = field(default_factory=dict)


class _Parser(HTMLParser):
    """Text by block, with what the elements around it are marked with."""

    def __init__(self) -> None:
        super().__init__()
        self.root: Mapping[str, str | None] = {}
        self.drafts: list[_Draft] = []
        self._stack: list[_Element] = []
        self._draft: _Draft | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "html":
            self.root = dict(attrs)
        if tag == "br":
            self._write("\n", "\n")
        if tag in _OPENERS:
            self.flush()
        if tag not in _VOID:
            self._stack.append(_Element(tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._write("\n", "\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _OPENERS:
            self.flush()
        if any(element.tag == tag for element in self._stack):
            while self._stack.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        if any(element.tag in _SILENT for element in self._stack):
            return
        if self._draft is None and not data.strip():
            return
        text = re.sub(r"[\t\n\r\f ]+", " ", data)  # a no-break space stays one
        claimed = any(element.attributes.get("data-claim") for element in self._stack)
        self._write(text, " " if claimed else text)

    def flush(self) -> None:
        if self._draft is not None and self._draft.broken.strip():
            self.drafts.append(self._draft)
        self._draft = None

    def _write(self, text: str, own: str) -> None:
        if self._draft is None:
            block = next((element for element in reversed(self._stack) if element.tag in _OPENERS), None)
            self._draft = _Draft(
                tag=block.tag if block is not None else "body",
                language=next(
                    (lang for element in reversed(self._stack) if (lang := element.attributes.get("lang"))), ""
                ).split("-")[0],
                letterhead=any(element.attributes.get("data-zone") for element in self._stack),
                required=_marked(self._stack, "data-required"),
                levers=_marked(self._stack, "data-lever"),
                classes=tuple(
                    name for element in self._stack for name in (element.attributes.get("class") or "").split()
                ),
            )
        self._draft.broken += text
        self._draft.own += own


def _marked(stack: Iterable[_Element], name: str) -> tuple[str, ...]:
    return tuple(found for element in stack if (found := element.attributes.get(name)))
