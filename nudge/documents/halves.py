"""A letter in two languages or more is one document: each half says its language, and only the first has the window.

Each half is the whole letter, so either can be read alone. Concatenated PDFs would lose their tags; one document
keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from typing import Final

from nudge.base.errors import Place, Refused
from nudge.base.languages import LANGUAGES
from nudge.documents.codes import TemplateCode
from nudge.documents.form import LARGE, Form, Format
from nudge.documents.profiles import PAGE_HEIGHT, Profile, Zone

HALF: Final = "half"
_VOID: Final = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_ROOT: Final = re.compile(r"<html\b[^>]*", re.IGNORECASE)
_BODY: Final = re.compile(r"(<body\b[^>]*>)(.*)</body\s*>", re.IGNORECASE | re.DOTALL)
_TITLE: Final = re.compile(r"<title>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_LINK: Final = re.compile(r"<link\b[^>]*\brel=[\"']?stylesheet[^>]*>", re.IGNORECASE)
_PAGES: Final = re.compile(r"\s+data-pages\s*=\s*[\"']?(\d+)[\"']?")
_FOOT_POINTS: Final = 10.0
_GAP: Final = 2.0  # millimetres between the text and the number of the page
_LINE: Final = 1.5 * 25.4 / 72  # millimetres that a line of type takes for each of its points


def bound(parts: Sequence[tuple[str, str]], form: Form, template: str) -> str:
    """The HTML of one letter made of (language, whole HTML) in the order of its languages.

    Later halves lose the postal address and what is marked `data-once`; the pages that the halves ask for add up.
    Refused where a template is not a whole document.
    """
    first = parts[0][1]
    asked = {"data-points": str(form.points or LARGE)} if form.format is Format.LARGE_PRINT else {}
    if len(parts) == 1 and not asked:
        return first
    if len(parts) > 1:
        bodies = [_BODY.search(html) for _, html in parts]
        if _ROOT.search(first) is None or any(body is None for body in bodies):
            raise Refused(TemplateCode.HALF_NOT_WHOLE.at(Place(template)))
        halves = "\n".join(
            f'<section class="{HALF}{" later" if number else ""}" lang="{language}">'
            f"{_without_window(body[2]) if number else body[2]}"
            f'<div id="end-{language}"></div></section>'
            for number, ((language, _), body) in enumerate(zip(parts, bodies, strict=True))
            if body is not None
        )
        first = _with_links(first, [html for _, html in parts[1:]])
        titles = [found[1].strip() for _, html in parts if (found := _TITLE.search(html)) is not None]
        first = _TITLE.sub(lambda _: f"<title>{' / '.join(titles)}</title>", first, count=1)
        first = _BODY.sub(lambda body: f"{body[1]}\n{halves}\n</body>", first, count=1)
        pages = [_PAGES.search(root[0]) for _, html in parts if (root := _ROOT.search(html)) is not None]
        if all(pages):
            total = sum(int(found[1]) for found in pages if found is not None)
            first = _ROOT.sub(lambda root: f'{_PAGES.sub("", root[0])} data-pages="{total}"', first, count=1)
    told = "".join(f' {name}="{value}"' for name, value in asked.items())
    return _ROOT.sub(lambda root: f"{root[0]}{told}", first, count=1)


def _with_links(first: str, others: Sequence[str]) -> str:
    """The first half's document with the style sheets that only later halves name."""
    there = set(_LINK.findall(first))
    more = [
        link for link in dict.fromkeys(link for html in others for link in _LINK.findall(html)) if link not in there
    ]
    return re.sub(r"</head\s*>", lambda end: "".join(more) + end[0], first, count=1, flags=re.IGNORECASE)


def _without_window(body: str) -> str:
    """The body without what only the first half has: the address in the window, and what is marked `data-once`."""
    finder = _Once(body)
    for start, end in reversed(finder.spans):
        body = body[:start] + body[end:]
    return body


class _Once(HTMLParser):
    """Finds the outermost elements of a half that may stand in the first half only."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.spans: list[tuple[int, int]] = []
        self._lines = [0]
        for line in html.split("\n"):  # as the parser counts them
            self._lines.append(self._lines[-1] + len(line) + 1)
        self._html = html
        self._open: tuple[str, int] | None = None
        self._depth = 0
        self.feed(html)
        self.close()

    def _at(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._open is not None:
            self._depth += tag == self._open[0]
        elif ("data-zone", "address") in attrs or any(name == "data-once" for name, _ in attrs):
            if tag in _VOID:
                self.spans.append((self._at(), self._at() + len(self.get_starttag_text() or "")))
            else:
                self._open, self._depth = (tag, self._at()), 1

    def handle_endtag(self, tag: str) -> None:
        if self._open is not None and tag == self._open[0]:
            self._depth -= 1
            if not self._depth:
                self.spans.append((self._open[1], self._html.index(">", self._at()) + 1))
                self._open = None


def large_head(profile: Profile) -> Zone:
    """Where the council's name stands in large print: across the page, or where the printer's marks forbid it, in the
    place of the contact panel, which large print has in its text."""
    if profile.keep_out:
        return profile.contact
    return replace(profile.head, width=profile.contact.right - profile.head.x)


def sheet_of(languages: Sequence[str], points: float | None, profile: Profile) -> str:
    """The style of a form: a letterhead in the flow of the text, and pages numbered anew in each half's own words."""
    top = profile.border.y + 4
    flow = "position: static; width: auto; max-width: none"
    rules = []
    if points is not None:
        foot_of_page = PAGE_HEIGHT - profile.border.foot + _LINE * points + _GAP
        head = large_head(profile)
        rules.append(
            f"@page {{ margin-bottom: {foot_of_page:.2f}mm; @bottom-left {{ padding-top: {_GAP}mm }} }}\n"
            "[data-required], [data-claim], h1, h2, h3 { break-inside: avoid }\n"
            f"[data-zone=page] {{ height: auto; padding-top: {profile.body.y - top:.2f}mm }}\n"
            f"[data-zone=head] {{ left: {head.x - profile.body.x:.2f}mm; top: {head.y - top:.2f}mm;"
            f" width: {head.width:.2f}mm; max-width: none }}\n"
            f"[data-zone=contact] {{ {flow}; margin-bottom: 6mm; font-size: inherit; line-height: inherit }}\n"
        )
    if languages:
        rules.append(
            f".later [data-zone=page] {{ height: auto; padding: 0 }}\n"
            f".later [data-zone=head], .later [data-zone=contact] {{ {flow}; margin: 0 0 4mm }}\n"
        )
    foot = f"font-size: {max(_FOOT_POINTS, points or 0)}pt; vertical-align: top"
    for language in languages:
        before, _, rest = LANGUAGES[language].page.partition("{page}")
        between, _, after = rest.partition("{pages}")
        words = f'"{before}" counter(page) "{between}" target-counter(url(#end-{language}), page)' + (
            f' "{after}"' if after else ""
        )
        rules.append(
            f".{HALF}[lang={language}] {{ page: half-{language}; break-before: page }}\n"
            f"@page half-{language} {{ @bottom-left {{ content: none }} }}\n"
            f"@page half-{language}:nth(1 of half-{language}) {{ counter-reset: page 1 }}\n"
            f"@page half-{language}:nth(n+2 of half-{language}) {{ @bottom-left {{ content: {words}; {foot} }} }}\n"
        )
    return "".join(rules)
