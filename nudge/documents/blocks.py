"""A rendered letter or sign as blocks of words, each with its marks and its setting: what remarks and redlines read."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from typing import Final

RUNNING: Final = frozenset({"p", "li", "h1", "h2", "h3"})
"""Elements that are read as sentences; a cell of a table is not."""
PICTURE: Final = "picture"
_KINDS: Final = {
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "heading"),
    "li": "list item", "td": "cell", "th": "cell of a heading", "dt": "term", "dd": "definition", "caption": "caption",
    "figcaption": "caption",
}  # fmt: skip
_OPENERS: Final = frozenset(_KINDS) | {
    "p", "div", "section", "ul", "ol", "dl", "table", "thead", "tbody", "tr", "body", "blockquote", "figure", "main",
}  # fmt: skip
_VOID: Final = frozenset({"br", "img", "hr", "meta", "link", "input", "col", "wbr"})
_SILENT: Final = frozenset({"title", "script", "style", "desc", "metadata"})
_SENTENCE: Final = re.compile(r"(?<=[.:?!])\s+")
_MARKS: Final = ("lever", "required", "claim")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One heading, paragraph, list item, cell or picture (whose words are its alternative text).

    `levers`, `required` and `claims` are the marks on it, around it and inside it, outermost first. `setting` tells
    how it is set: the elements around it with their classes and attributes, and the file or drawing of a picture.
    `tag` is its element; `broken` its words with their line breaks, each of which ends a sentence; `own` those outside
    every claim; `language` that of the half it stands in; `letterhead` whether it stands above the text of page 1.
    """

    kind: str
    words: str
    levers: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    setting: tuple[str, ...] = ()
    tag: str = "p"
    broken: str = ""
    own: str = ""
    language: str = ""
    letterhead: bool = False

    @property
    def alike(self) -> tuple[str, tuple[str, ...]]:
        """What must be equal for two blocks to look the same to whoever reads them."""
        return self.words, self.setting

    @property
    def classes(self) -> frozenset[str]:
        """The classes of its element and of those around it and inside it."""
        return frozenset(name for one in self.setting for name in one.partition("[")[0].split(".")[1:])

    @property
    def sentences(self) -> tuple[str, ...]:
        """The words cut at full stops, colons, question and exclamation marks and line breaks."""
        parts = (" ".join(part.split()) for line in self.broken.split("\n") for part in _SENTENCE.split(line))
        return tuple(part for part in parts if part)


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

    @property
    def written(self) -> tuple[Block, ...]:
        """The blocks that stand on the page as words, pictures left out."""
        return tuple(block for block in self.blocks if block.kind != PICTURE)

    @property
    def body(self) -> tuple[Block, ...]:
        """Those of them below the letterhead."""
        return tuple(block for block in self.written if not block.letterhead)


def read_contents(html: str) -> Contents:
    """Read the blocks of a letter or sign from its HTML as it was filled in. No-break spaces become spaces."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.flush()
    return Contents(
        blocks=tuple(reader.blocks), family=(reader.root.get("data-family") or "").strip(),
        stage=(reader.root.get("data-stage") or "").strip(), styles=tuple(reader.styles),
    )  # fmt: skip


def _setting(tag: str, said: dict[str, str | None]) -> str:
    """An element with all that a style sheet or a reader can tell it by; its marks are told apart from it."""
    classes = "".join(f".{name}" for name in sorted((said.get("class") or "").split()))
    others = sorted(f"[{key}={value}]" for key, value in said.items() if key != "class" and not key.startswith("data-"))
    return tag + classes + "".join(others)


def _marks(said: dict[str, str | None]) -> dict[str, str]:
    return {kind: name for kind in _MARKS if (name := said.get(f"data-{kind}"))}


@dataclass(slots=True)
class _Open:
    tag: str
    said: dict[str, str | None]

    @property
    def setting(self) -> str:
        return _setting(self.tag, self.said)


@dataclass(slots=True)
class _Draft:
    kind: str
    tag: str
    setting: tuple[str, ...]
    language: str
    letterhead: bool
    words: str = ""
    own: str = ""
    marks: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in _MARKS})

    def mark(self, marks: dict[str, str]) -> None:
        for kind, name in marks.items():
            if name not in self.marks[kind]:
                self.marks[kind].append(name)

    def write(self, text: str, *, claimed: bool = False) -> None:
        text = text.replace("\u00ad", "")  # where a word may be cut is no letter of it
        self.words += text
        self.own += " " if claimed else text

    def block(self) -> Block:
        words = " ".join(self.words.split())
        return Block(
            kind=self.kind,
            words=re.sub(r" ([.,;:?!])", r"\1", words),
            levers=tuple(self.marks["lever"]),
            required=tuple(self.marks["required"]),
            claims=tuple(self.marks["claim"]),
            setting=self.setting,
            tag=self.tag,
            broken="\n".join(" ".join(part.split()) for part in self.words.strip().split("\n")),
            own=" ".join(self.own.split()),
            language=self.language,
            letterhead=self.letterhead,
        )


class _Reader(HTMLParser):
    """Text by block, with what stands around it and inside it. What is written in a drawing is a block beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.root: dict[str, str | None] = {}
        self.blocks: list[Block] = []
        self.styles: list[str] = []
        self._open: list[_Open] = []
        self._draft: _Draft | None = None
        self._drawing: list[str] | None = None
        self._lettering: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "html":
            self.root = said
        if tag == "link" and said.get("rel") == "stylesheet":
            self.styles.append(said.get("href") or "")
        if self._drawing is not None:
            self._drawing.append(f"<{tag} {sorted(attrs, key=str)}>")
            if tag == "text":
                self._lettering.append("")
        elif tag in _OPENERS or tag == "svg":
            self.flush()
        if tag == "br" and self._draft is not None:
            self._draft.write("\n")
        if tag == "img":
            self._picture(said)
        if tag in _VOID:
            return
        element = _Open(tag, said)
        self._open.append(element)
        if tag == "svg" and self._drawing is None:
            self._drawing = [f"<svg {sorted(attrs, key=str)}>"]
            self._begin(PICTURE).write(said.get("aria-label") or "")
        elif self._draft is not None:  # an element inside a block that is already being read
            self._draft.mark(_marks(said))
            if element.setting != tag:
                self._draft.setting = (*self._draft.setting, element.setting)

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
            for text in self._lettering:
                self._begin(None).write(text)
                self.flush()
            self._lettering = []
        elif tag in _OPENERS and self._drawing is None:
            self.flush()
        if any(element.tag == tag for element in self._open):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1].tag == "style":
            self.styles.append(" ".join(data.split()))
        if self._drawing is not None:
            self._drawing.append(data)
        if any(element.tag in _SILENT for element in self._open):
            return
        text = re.sub(r"[\t\n\r\f ]+", " ", data)  # a no-break space stays one, and only <br> breaks a line
        if self._drawing is not None:
            if any(element.tag == "text" for element in self._open):
                self._lettering[-1] += text
        elif self._draft is not None or data.strip():
            draft = self._draft if self._draft is not None else self._begin(None)
            draft.write(text, claimed=any(element.said.get("data-claim") for element in self._open))

    def flush(self, *, keep: bool = False) -> None:
        """End the block being read. `keep` it even without words: a drawing may have none."""
        draft, self._draft = self._draft, None
        if draft is not None and (keep or draft.words.strip()):
            self.blocks.append(draft.block())

    def _begin(self, kind: str | None) -> _Draft:
        tag = next((element.tag for element in reversed(self._open) if element.tag in _OPENERS), "p")
        language = next((said for element in reversed(self._open) if (said := element.said.get("lang"))), "")
        self._draft = _Draft(
            kind=kind or _KINDS.get(tag, "paragraph"),
            tag=tag,
            setting=tuple(element.setting for element in self._open if element.tag not in {"html", "body", "svg"}),
            language=language.split("-")[0],
            letterhead=any(element.said.get("data-zone") for element in self._open),
        )
        for element in self._open:
            self._draft.mark(_marks(element.said))
        return self._draft

    def _picture(self, said: dict[str, str | None]) -> None:
        self.flush()
        source = said.get("src") or ""
        shown = source if not source.startswith("data:") else f"drawing {sha256(source.encode()).hexdigest()[:16]}"
        picture = self._begin(PICTURE)
        picture.write(said.get("alt") or "")
        picture.setting = (*picture.setting, shown)
        picture.mark(_marks(said))
        self.flush(keep=True)
