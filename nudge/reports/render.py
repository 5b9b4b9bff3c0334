"""A report as a page, a PDF and terminal text. One file each, with nothing fetched from anywhere."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from nudge.allocation.certificate import Certificate
from nudge.reports import consort, terminal
from nudge.reports.certificate import tell_certificate
from nudge.reports.parts import (
    Curves,
    Flowing,
    Intervals,
    Listing,
    Part,
    Pictures,
    PowerPicture,
    Redlined,
    Section,
    Signing,
    Story,
    Table,
    Text,
    Verbatim,
)
from nudge.reports.story import tell
from nudge.reports.wording import Wording

PAGES: Final = Path(__file__).resolve().parent / "pages"
FONTS: Final = PAGES.parent.parent / "documents" / "fonts"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """A part ready for the template: its kind, and its pictures as data."""

    kind: str
    value: Part
    wide: str = ""
    narrow: str = ""
    pages: tuple[str, ...] = ()


def report_html(summary: Mapping[str, Any], *, title: str | None = None, wording: Wording | None = None) -> str:
    """One self-contained page of a valid summary: styles and pictures inside, no script, nothing requested.

    `wording` names arms, outcomes and events (`Wording.of(experiment)`); without it their ids stand.
    """
    return story_html(tell(summary, _worded(summary, title, wording)))


def story_html(story: Story) -> str:
    """Any report of parts as the same kind of page."""
    sections = [
        {"slug": section.slug, "heading": section.heading, "level": section.level, "parts": _shown(section)}
        for section in story.sections
    ]
    return _environment().get_template("report.html").render(story=story, sections=sections, **_styles())


def report_text(
    summary: Mapping[str, Any], *, title: str | None = None, wording: Wording | None = None, width: int = 96
) -> str:
    """The same report for a terminal, in lines of at most `width` characters; pictures are left to the page."""
    return story_text(tell(summary, _worded(summary, title, wording)), width=width)


def story_text(story: Story, *, width: int = 96) -> str:
    """Any report of parts in lines of at most `width` characters."""
    return terminal.write(story, width=width)


def report_pdf(html: str) -> bytes:
    """A4, tagged as PDF/UA-1, from a page of this module. Nothing is fetched; the same page gives the same bytes."""
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

    inside_only = URLFetcher(allowed_protocols=("data",), allow_redirects=False)
    fonts = FontConfiguration()
    ours = CSS(string=_font_faces(), font_config=fonts, url_fetcher=inside_only)
    page = HTML(string=html, url_fetcher=inside_only)
    pdf: bytes = page.write_pdf(
        stylesheets=[ours],
        font_config=fonts,
        pdf_variant="pdf/ua-1",
        finisher=lambda _, unfinished: _finish(unfinished),
    )
    return pdf


def _finish(pdf: Any) -> None:
    """What WeasyPrint leaves out for readers of the screen: what each header cell heads, and which words are margin."""
    from nudge.documents.artifacts import set_aside_margins
    from nudge.documents.page import name_header_cells

    name_header_cells(pdf)
    set_aside_margins(pdf)


def certificate_html(certificate: Certificate, overrides: Mapping[str, str] | None = None) -> str:
    """The certificate of a draw, before the close or after it, for one page (`report_pdf` prints it)."""
    page = tell_certificate(certificate, overrides)
    return _environment().get_template("certificate.html").render(page=page, **_styles())


def page_html(template: str, **values: object) -> str:
    """A page of its own template in the reports' style: one file, with nothing fetched."""
    return _environment().get_template(template).render(**values, **_styles())


def _worded(summary: Mapping[str, Any], title: str | None, wording: Wording | None) -> Wording:
    return wording or Wording(title=title or str(summary["experiment"]))


def _shown(section: Section) -> list[_Shown]:
    return [_part(part) for part in section.parts]


def _part(part: Part) -> _Shown:
    if isinstance(part, Text):
        return _Shown(kind="text", value=part)
    if isinstance(part, Listing):
        return _Shown(kind="terms" if any(term for term, _ in part.items) else "points", value=part)
    if isinstance(part, Table):
        return _Shown(kind="table", value=part)
    if isinstance(part, Redlined):
        return _Shown(kind="redline", value=part)
    if isinstance(part, Verbatim):
        return _Shown(kind="verbatim", value=part)
    if isinstance(part, Signing):
        return _Shown(kind="signing", value=part)
    if isinstance(part, Pictures):
        pages = (base64.b64encode(item.png).decode("ascii") for item in part.items)
        return _Shown(kind="pages", value=part, pages=tuple(f"data:image/png;base64,{page}" for page in pages))
    wide, narrow = (_uri(_svg(part, width)) for width in (consort.WIDE, consort.NARROW))
    return _Shown(kind="picture", value=part, wide=wide, narrow=narrow)


def _svg(part: Curves | Intervals | Flowing | PowerPicture, width: int) -> str:
    if isinstance(part, Flowing):
        return consort.flow_chart(part.trunk, part.branches, title=part.alt, width=width)
    from nudge.reports import charts  # matplotlib: not for terminal text

    if isinstance(part, Curves):
        return charts.contact_curves(
            part.lines, horizon=part.horizon, ticks=part.ticks, axis=part.axis, unit=part.unit, width=width
        )
    if isinstance(part, PowerPicture):
        return charts.power_chart(part, width=width)
    return charts.interval_chart(
        part.marks,
        axis=part.axis,
        no_effect=part.no_effect,
        ratio=part.ratio,
        sides=part.sides,
        worthwhile=part.worthwhile,
        width=width,
    )


def _uri(svg: str) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode('ascii')}"


@cache
def _font_faces() -> str:
    """The fonts that nudge carries for letters, so that a PDF looks alike on every machine (I13).

    They lack the minus sign, which the fonts that come with matplotlib have.
    """
    import matplotlib as mpl

    signs = Path(mpl.get_data_path()) / "fonts" / "ttf"
    faces = []
    for family, weight, path in (
        ("Noto Sans", 400, FONTS / "NotoSans-Regular.ttf"),
        ("Noto Sans", 700, FONTS / "NotoSans-Bold.ttf"),
        ("DejaVu Sans", 400, signs / "DejaVuSans.ttf"),
        ("DejaVu Sans", 700, signs / "DejaVuSans-Bold.ttf"),
    ):
        source = f"url(data:font/ttf;base64,{base64.b64encode(path.read_bytes()).decode('ascii')})"
        faces.append(f'@font-face {{ font-family: "{family}"; font-weight: {weight}; src: {source}; }}')
    return "".join(faces)


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@cache
def _styles() -> dict[str, Markup]:
    """The style sheets: one for every medium, and what only a screen needs."""
    files = {"css": "report.css", "screen": "screen.css"}
    return {name: Markup((PAGES / file).read_text(encoding="utf-8")) for name, file in files.items()}  # noqa: S704
