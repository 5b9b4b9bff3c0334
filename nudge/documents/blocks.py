"""A rendered letter or sign as blocks of words, each with its marks and its setting: what two are compared by."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from typing import Final

_KINDS: Final = {
    "h1": "heading", "h2": "heading", "h3": "heading", "h4": "heading", "li": "list item", "td": "cell",
    "th": "cell of a heading", "dt": "term", "dd": "definition", "caption": "caption", "figcaption": "caption",
}  # fmt: skip
_OPENERS: Final = frozenset(_KINDS) | {
    "p", "div", "section", "ul", "ol", "dl", "table", "thead", "tbody", "tr", "body", "blockquote", "figure", "main",
}  # fmt: skip
_VOID: Final = frozenset({"br", "img", "hr", "meta", "link", "input", "col", "wbr"})
_SILENT: Final = frozenset({"title", "script"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One heading, paragraph, list item, cell or picture (whose words are its alternative text).

    `levers`, `required` and `claims` are the marks on it, around it and inside it, outermost first. `setting` tells
    how it is set: the elements around it with their classes and attributes, and the file or drawing of a picture.
    """

    kind: str
    words: str
    levers: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    setting: tuple[str, ...] = ()

    @property
    def alike(self) -> tuple[str, tuple[str, ...]]:
        """What must be equal for two blocks to look the same to whoever reads them."""
        return self.words, self.setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """All of a letter's blocks in reading order; its family and stage, and its style sheets and own styles."""

    blocks: tuple[Block, ...]
    family: str
    stage: str
    styles: tuple[str, ...]

    def required(self) -> dict[str, str]:
        """The words of every block marked as required, by its id."""
        found: dict[str, str] = {}
        for block in self.blocks:
            for name in block.required:
                found[name] = f"{found.get(name, '')} {block.words}".strip()
        return found

    @property
    def levers(self) -> tuple[str, ...]:
        """Every lever that a block bears, in order of appearance."""
        return tuple(dict.fromkeys(lever for block in self.blocks for lever in block.levers))


def read_contents(html: str) -> Contents:
    """Read the blocks of a letter or sign from its HTML as it was filled in. No-break spaces become spaces."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.flush()
    return Contents(
        blocks=tuple(reader.blocks), family=reader.root.get("data-family") or "",
        stage=reader.root.get("data-stage") or "", styles=tuple(reader.styles),
    )  # fmt: skip


def _setting(tag: str, said: dict[str, str | None]) -> str:
    """An element with all that a style sheet or a reader can tell it by; its marks are told apart from it."""
    classes = "".join(f".{name}" for name in sorted((said.get("class") or "").split()))
    others = sorted(f"[{key}={value}]" for key, value in said.items() if key != "class" and not key.startswith("data-"))
    return tag + classes + "".join(others)


@dataclass(slots=True)
class _Open:
    tag: str
    marks: dict[str, str]
    setting: str


@dataclass(slots=True)
class _Draft:
    kind: str
    setting: tuple[str, ...]
    words: list[str] = field(default_factory=list)
    marks: dict[str, list[str]] = field(default_factory=lambda: {"lever": [], "required": [], "claim": []})

    def mark(self, marks: dict[str, str]) -> None:
        for kind, name in marks.items():
            if name not in self.marks[kind]:
                self.marks[kind].append(name)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root: dict[str, str | None] = {}
        self.blocks: list[Block] = []
        self.styles: list[str] = []
        self._open: list[_Open] = []
        self._draft: _Draft | None = None
        self._drawing: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "html":
            self.root = said
        if tag == "link" and said.get("rel") == "stylesheet":
            self.styles.append(said.get("href") or "")
        if self._drawing is not None:
            self._drawing.append(f"<{tag} {sorted(attrs, key=str)}>")
        elif tag in _OPENERS or tag == "svg":
            self.flush()
        if tag == "br" and self._draft is not None:
            self._draft.words.append(" ")
        if tag == "img":
            self._picture(said)
        if tag in _VOID:
            return
        marks = {kind: name for kind in ("lever", "required", "claim") if (name := said.get(f"data-{kind}"))}
        setting = _setting(tag, said)
        self._open.append(_Open(tag, marks, setting))
        if tag == "svg" and self._drawing is None:
            self._drawing = [f"<svg {sorted(attrs, key=str)}>"]
            self._begin("picture").words.append(said.get("aria-label") or "")
        elif self._draft is not None:  # an element inside a block that is already being read
            self._draft.mark(marks)
            if setting != tag:
                self._draft.setting = (*self._draft.setting, setting)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "svg" and self._drawing is not None and self._draft is not None:
            drawn = sha256("".join(self._drawing).encode()).hexdigest()[:16]
            self._draft.setting = (*self._draft.setting, f"drawing {drawn}")
            self._drawing = None
            self.flush(keep=True)
        elif tag in _OPENERS and self._drawing is None:
            self.flush()
        if any(element.tag == tag for element in self._open):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        inside = self._open[-1].tag if self._open else ""
        if inside == "style":
            self.styles.append(" ".join(data.split()))
        if self._drawing is not None:
            self._drawing.append(data)
        if inside == "style" or any(element.tag in _SILENT for element in self._open):
            return
        if self._draft is None and not data.strip():
            return
        draft = self._draft if self._draft is not None else self._begin(None)
        draft.words.append(data)

    def flush(self, *, keep: bool = False) -> None:
        """End the block being read. `keep` it even without words: a drawing may have none."""
        draft, self._draft = self._draft, None
        if draft is None:
            return
        words = " ".join("".join(draft.words).split())
        if words or keep:
            self.blocks.append(
                Block(
                    kind=draft.kind,
                    words=re.sub(r" ([.,;:?!])", r"\1", words),
                    levers=tuple(draft.marks["lever"]),
                    required=tuple(draft.marks["required"]),
                    claims=tuple(draft.marks["claim"]),
                    setting=draft.setting,
                )
            )

    def _begin(self, kind: str | None) -> _Draft:
        block = next((element.tag for element in reversed(self._open) if element.tag in _OPENERS), "p")
        around = tuple(element.setting for element in self._open if element.tag not in {"html", "body", "svg"})
        self._draft = _Draft(kind=kind or _KINDS.get(block, "paragraph"), setting=around)
        for element in self._open:
            self._draft.mark(element.marks)
        return self._draft

    def _picture(self, said: dict[str, str | None]) -> None:
        reading = self._draft
        if reading is not None:
            self.flush()
        source = said.get("src") or ""
        shown = source if not source.startswith("data:") else f"drawing {sha256(source.encode()).hexdigest()[:16]}"
        picture = self._begin("picture")
        picture.words.append(said.get("alt") or "")
        picture.setting = (*picture.setting, shown)
        picture.mark({kind: name for kind in ("lever", "required", "claim") if (name := said.get(f"data-{kind}"))})
        self.flush(keep=True)
