"""The only place that makes pages of letters and signs: HTML in, a tagged PDF out (WeasyPrint).

One pen per process and folder: the fonts, the style sheets and the images are read once. A pen reads the templates
folder, nudge's own fonts and `data:` images, and nothing else; it never opens a connection (I14).
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

import pydyf
import weasyprint
from fontTools.ttLib import TTFont
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse, fetch

from nudge.base.errors import EnvironmentFault, Place, Refused
from nudge.documents.artifacts import set_aside_margins
from nudge.documents.codes import LetterCode, TemplateCode
from nudge.documents.enlarged import enlarged
from nudge.documents.generated import generated_words
from nudge.documents.halves import HALF, sheet_of
from nudge.documents.profiles import Profile

FAMILY: Final = "Nudge Letter"  # a family name of our own, so that no font of the machine can stand in for it
FONTS: Final[Mapping[str, int]] = {"NotoSans-Regular.ttf": 400, "NotoSans-Bold.ttf": 700}
_SCHEME: Final = "nudge-fonts"
_TYPES: Final = {
    ".css": "text/css",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}
_MOST_DATA: Final = 400_000  # characters of a data: image; a QR code has some 800
_BLOCKS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "p", "li", "td", "th", "dt", "dd", "blockquote"})
VARIANT: Final = "pdf/ua-1"
_LOG: Final = logging.getLogger("weasyprint")


@dataclass(frozen=True, slots=True)
class Mark:
    """An element of the finished letter that carries a mark: its kind (claim, required, lever), id and text.

    `half` is the language of its half, in a letter of several languages; `once`: it stands in the first half only.
    """

    kind: str
    id: str
    text: str
    half: str = ""
    once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A letter on paper: the bytes of its PDF, and what its HTML says of itself."""

    pdf: bytes
    pages: int
    marks: tuple[Mark, ...]
    title: str
    most_pages: int | None  # as the template asks with data-pages; None where it does not
    points: float | None = None  # of large type, where the letter asks for it
    halves: Mapping[str, str] = field(default_factory=dict)  # the text of each language, where there are several
    complaints: tuple[str, ...]  # what the page maker warned of: codes only, as its words may hold a name
    blocks: tuple[str, ...] = ()  # the text of each heading, paragraph and item of a list

    @property
    def sheets(self) -> int:
        """Sheets of paper, printed on both sides."""
        return (self.pages + 1) // 2


class FolderFetcher(URLFetcher):  # type: ignore[misc]
    """Opens files inside one folder, nudge's fonts and small `data:` images. Anything else stops the letter."""

    def __init__(self, folder: Path) -> None:
        super().__init__(allowed_protocols=("file", "data", _SCHEME), allow_redirects=False, fail_on_errors=True)
        self._folder = folder.resolve()

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
        parts = urlsplit(url)
        if parts.scheme == "data" and len(url) <= _MOST_DATA and parts.path.startswith("image/"):
            return super().fetch(url, headers)
        if parts.scheme == _SCHEME and parts.path in FONTS:
            return URLFetcherResponse(url, _font_bytes(parts.path), {"Content-Type": "font/ttf"})
        if parts.scheme == "file" and parts.netloc == "":
            path = Path(unquote(parts.path)).resolve()
            if path.is_relative_to(self._folder) and path.suffix in _TYPES:
                return URLFetcherResponse(url, path.read_bytes(), {"Content-Type": _TYPES[path.suffix]})
        msg = "outside the templates folder"
        raise ValueError(msg)


@cache
def _font_bytes(name: str) -> bytes:
    return files("nudge.documents").joinpath("fonts", name).read_bytes()


@cache
def characters() -> frozenset[int]:
    """The code points that every one of the letter's fonts can draw."""
    maps = [set(TTFont(io.BytesIO(_font_bytes(name)), lazy=True).getBestCmap()) for name in FONTS]
    return frozenset(set.intersection(*maps))


class _Ear(logging.Handler):
    """Keeps what the page maker complains of, as codes: its own words can quote the letter."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        words = str(record.msg)
        if "notdef" in words:
            self.heard.append(("glyph", ""))
        elif "alt description" in words:
            self.heard.append(("alt", ""))
        else:  # the pattern before its arguments are filled in: never a cell
            self.heard.append(("other", words.split("%", maxsplit=1)[0].strip(" :,'\"")))


@contextmanager
def _listening() -> Iterator[list[tuple[str, str]]]:
    ear = _Ear()
    passed_on, _LOG.propagate = _LOG.propagate, False
    _LOG.addHandler(ear)
    try:
        yield ear.heard
    finally:
        _LOG.removeHandler(ear)
        _LOG.propagate = passed_on


class Paper(Protocol):
    """What a page is drawn on: a letter's stationery (`Profile`) or a sign's sheet (`Sheet`). Compared by value."""

    @property
    def css(self) -> str: ...
    def __hash__(self) -> int: ...


@dataclass(slots=True)
class Pen:
    """What one process keeps between letters of one folder and profile."""

    folder: Path
    profile: Paper
    points: float | None  # of large type; None as the style sheets have it
    fetcher: FolderFetcher
    fonts: Any
    base: Any  # fonts and page geometry
    sheets: dict[str, Any] = field(default_factory=dict)  # the folder's style sheets, by address
    images: dict[str, Any] = field(default_factory=dict)

    def sheet(self, url: str) -> Any:
        """A style sheet of the folder, read once; Refused where it is not understood."""
        if url not in self.sheets:
            with _listening() as heard, fetch(self.fetcher, url) as answer:
                text = answer.read().decode("utf-8-sig", errors="replace")
                sheet = self._read(url, text)
            name = Path(unquote(urlsplit(url).path)).name
            Refused.when(
                TemplateCode.STYLE_NOT_UNDERSTOOD.at(Place(name), sheet=name, reason=words) for _, words in heard
            )
            refuse_words(text, name)
            self.sheets[url] = sheet
        return self.sheets[url]

    def form(self, languages: tuple[str, ...], profile: Profile) -> Any:
        """What the form adds: large print has its letterhead in the text, halves their own page numbers."""
        key = f"form:{' '.join(languages)}"
        if key not in self.sheets:
            self.sheets[key] = weasyprint.CSS(
                string=sheet_of(languages, self.points, profile), url_fetcher=self.fetcher, font_config=self.fonts
            )
        return self.sheets[key]

    def _read(self, url: str, text: str) -> Any:
        text = text if self.points is None else enlarged(text, self.points)
        return weasyprint.CSS(string=text, base_url=url, url_fetcher=self.fetcher, font_config=self.fonts)


def refuse_words(css: str, sheet: str) -> None:
    """Refuse a sheet that would print words of its own: "you will be evicted" must not pass every check in a style."""
    found = generated_words(css)
    Refused.when(TemplateCode.WORDS_IN_STYLE.at(Place(sheet), words=words, sheet=sheet) for words in found)


@lru_cache(maxsize=6)
def _pen(folder: Path, profile: Paper, stamp: tuple[tuple[str, int, int], ...], points: float | None) -> Pen:
    if tuple(int(part) for part in weasyprint.__version__.split(".")[:1]) < (70,):
        raise EnvironmentFault(message="WeasyPrint 70 or later is needed: install nudge with its own requirements.")
    fetcher, fonts = FolderFetcher(folder), FontConfiguration()
    faces = "".join(
        f"@font-face {{ font-family: '{FAMILY}'; font-weight: {weight}; src: url({_SCHEME}:{name}) }}\n"
        for name, weight in FONTS.items()
    )
    text = f"{faces}html {{ font-family: '{FAMILY}' }}\n{profile.css}"
    base = weasyprint.CSS(string=text, url_fetcher=fetcher, font_config=fonts)
    return Pen(folder=folder, profile=profile, points=points, fetcher=fetcher, fonts=fonts, base=base)


def _stamp(folder: Path) -> tuple[tuple[str, int, int], ...]:
    found = sorted(path for path in folder.rglob("*") if path.suffix in _TYPES and path.is_file())
    return tuple((str(path), seen.st_mtime_ns, seen.st_size) for path in found for seen in (path.stat(),))


def draw(html: str, folder: Path, *, profile: Paper, template: str) -> Drawn:
    """Draw one letter or sign. Refused where it asks for a file outside the folder, or cannot be laid out.

    The bytes hang on the HTML, the style sheets, the fonts and the installed versions only: no date is written (I13).
    """
    folder = folder.resolve()
    base_url = (folder / template).parent.as_uri() + "/"
    page = weasyprint.HTML(string=html, base_url=base_url, url_fetcher=FolderFetcher(folder))
    tree = page.etree_element
    pen = _pen(folder, profile, _stamp(folder), _points(tree))
    languages = tuple(half.get("lang", "") for half in _halves(tree))
    try:
        with _listening() as heard:
            page.url_fetcher = pen.fetcher
            sheets = [pen.base, *(pen.sheet(f"{base_url}{href}") for href in _take_links(tree))]
            if isinstance(profile, Profile) and (languages or pen.points is not None):
                sheets.append(pen.form(languages, profile))
            document = page.render(
                font_config=pen.fonts,
                stylesheets=sheets,
                cache=pen.images,
                pdf_variant=VARIANT,
                presentational_hints=False,
            )
            pdf = document.write_pdf(pdf_variant=VARIANT, finisher=_finish)
    except FatalURLFetchingError as fault:
        absent = isinstance(fault.__cause__, FileNotFoundError)
        code = TemplateCode.FILE_ABSENT if absent else TemplateCode.OUTSIDE_FOLDER
        raise Refused(code.at(Place(template))) from None
    except (AssertionError, ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as fault:
        reason = f"the template ({type(fault).__name__} while laying out)"
        raise Refused(LetterCode.PAGE_NOT_DRAWN.at(Place(template), reason=reason)) from None
    finally:  # a letter's own QR code serves no other letter: keep only the folder's images
        for key in [key for key in pen.images if "data:" in str(key)]:
            del pen.images[key]
    for style in tree.iter("style"):
        refuse_words(style.text or "", template)
    asked = tree.get("data-pages", "")
    return Drawn(
        pdf=pdf,
        pages=len(document.pages),
        marks=tuple(marks_of(tree)),
        title=document.metadata.title or "",
        most_pages=int(asked) if asked.isdigit() else None,
        points=pen.points,
        halves=halves_of(tree),
        complaints=tuple(dict.fromkeys(f"{kind}:{words}" for kind, words in heard)),
        blocks=tuple(_text(element) for element in tree.iter() if element.tag in _BLOCKS),
    )


def _take_links(tree: Any) -> list[str]:
    """The style sheets the letter links to, taken out of it so that each is read once and not once a letter."""
    found = []
    for parent in list(tree.iter("head")):
        for link in list(parent.findall("link")):
            if link.get("rel") == "stylesheet":
                found.append(link.get("href", ""))
                parent.remove(link)
    return found


def parsed(html: str) -> Any:
    """The letter's HTML as a tree, without laying anything out."""
    return weasyprint.HTML(string=html).etree_element


def marks_of(tree: Any) -> Iterator[Mark]:
    """Every marked element in the order of the text, with its words."""
    for half, part in [(one.get("lang", ""), one) for one in _halves(tree)] or [("", tree)]:
        yield from _marks(part, half, once=False)


def _marks(element: Any, half: str, *, once: bool) -> Iterator[Mark]:
    once = once or element.get("data-once") is not None
    for kind in ("claim", "required", "lever", "zone"):
        if name := element.get(f"data-{kind}"):
            yield Mark(kind, name, _text(element), half, once)
    for child in element:
        yield from _marks(child, half, once=once)


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def halves_of(tree: Any) -> Mapping[str, str]:
    """What each language says: its text, less the window and all else that stands in the first half only."""
    return {half.get("lang", ""): " ".join("".join(_shared(half)).split()) for half in _halves(tree)}


def _halves(tree: Any) -> list[Any]:
    return [part for part in tree.iter("section") if HALF in part.get("class", "").split()]


def _shared(element: Any) -> Iterator[str]:
    if element.get("data-zone") == "address" or element.get("data-once") is not None:
        return
    yield f" {element.text or ''}"
    for child in element:
        yield from _shared(child)
        yield f" {child.tail or ''}"


def _points(tree: Any) -> float | None:
    """The size of the text where the letter asks for larger type than its style sheets have."""
    asked = tree.get("data-points", "")
    return float(asked) if asked.isdigit() else None


def _finish(document: Any, pdf: Any) -> None:
    """Say what WeasyPrint 70 leaves out: the language of each half, of every header cell what it heads, and that
    what stands in a margin is no part of the text."""
    _name_languages(document, pdf)
    name_header_cells(pdf)
    set_aside_margins(pdf)


def _name_languages(document: Any, pdf: Any) -> None:
    names = [page._page_box.page_type.name for page in document.pages]  # set from the style of each half
    spoken = [name.removeprefix(f"{HALF}-") if name.startswith(f"{HALF}-") else "" for name in map(str, names)]
    if not any(spoken):
        return
    pages = dict(zip(pdf.page_references, spoken, strict=True))
    for element in pdf.objects:
        if isinstance(element, pydyf.Dictionary) and element.get("S") == "/Sect" and pages.get(element.get("Pg")):
            element["Lang"] = pydyf.String(pages[element["Pg"]])


def name_header_cells(pdf: Any) -> None:
    """Write /Scope, on which readers of tables rely, into every header cell of an unfinished PDF."""
    objects = {f"{item.number} {item.generation} R": item for item in pdf.objects}

    def parent(element: Any) -> Any:
        reference = element["P"]
        return objects[reference.decode() if isinstance(reference, bytes) else str(reference)]

    for element in pdf.objects:
        if isinstance(element, pydyf.Dictionary) and element.get("S") == "/TH":
            group = parent(parent(element))
            element["A"]["Scope"] = "/Column" if group.get("S") == "/THead" else "/Row"
