"""The gallery: every letter and sign that comes with nudge, drawn for somebody invented, with what it says of itself.

`make gallery` writes docs/gallery/: a page and a picture of each template, and an index. Tests hold the pages equal to
the templates; the pictures are for people.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from PIL import Image

from nudge.base.columns import Kind
from nudge.documents.blocks import Contents, read_contents
from nudge.documents.checks import check_letter
from nudge.documents.form import Form, Format
from nudge.documents.needs import Needs, needs_of
from nudge.documents.page import Drawn, draw
from nudge.documents.plain import plainness
from nudge.documents.previews import page_count, page_pictures
from nudge.documents.profiles import profile_named
from nudge.documents.sample import COUNCIL, sample_spec
from nudge.documents.sign import SignSpec, check_sign, draw_sign, sign_reference
from nudge.documents.templates import TemplateFolder

ROOT: Final = Path(__file__).resolve().parents[1]
GALLERY: Final = ROOT / "docs" / "gallery"
FOLDER: Final = TemplateFolder(ROOT / "templates")
PROFILE: Final = "dl"
DOTS: Final = 80  # an inch: readable on a screen, some 40 kB a page
SIGN_DOTS: Final = 50  # a sign is drawn as A3
SIGN_CLAIM: Final = "8 in 10 of the people we watched here in May 2026 did"  # stands for one that a council counted
COLOURS: Final = 32
LARGE_PRINT: Final = "letters/arrears-personal-norm.html"  # one letter in the form that every letter has
LARGE: Final = Form(format=Format.LARGE_PRINT, points=16)
_COMMENT: Final = re.compile(r"\{#\s*(.*?)\s*#\}", re.DOTALL)
_MARKS: Final = {"lever": "Levers", "required": "Blocks that every arm must have", "claim": "Claims"}
_KINDS: Final = {
    Kind.MONEY: "money",
    Kind.NUMBER: "a number",
    Kind.TEXT: "text",
    Kind.FLAG: "yes or no",
    Kind.DATE: "a date",
}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One letter as the gallery shows it."""

    template: str
    drawn: Drawn
    html: str
    needs: Needs

    form: str = ""
    also: tuple[bytes, ...] = ()  # the same in other shapes

    @property
    def name(self) -> str:
        return re.sub(r"[/. ]", "-", self.template.removesuffix(".html") + (f" {self.form}" if self.form else ""))

    @cached_property
    def contents(self) -> Contents:
        return read_contents(self.html)

    @property
    def heading(self) -> str:
        return next((block.words for block in self.contents.blocks if block.tag == "h1"), self.name)

    @property
    def family(self) -> str:
        return "sign" if self.template.startswith("signs/") else self.contents.family.replace("_", " ")

    @property
    def about(self) -> str:
        """The comment that the template opens with, where it has one."""
        found = _COMMENT.match((FOLDER.path / self.template).read_text("utf-8").lstrip())
        return " ".join(found[1].split()) if found else ""


def letters() -> tuple[str, ...]:
    """Every template that is a letter of its own: no base, no part of one."""
    return tuple(name for name in FOLDER.names() if re.fullmatch(r"letters/(?!base)[^/]+\.html", name))


def shown(template: str, form: Form | None = None) -> Shown:
    """The letter to the first invented recipient; it must have nothing wrong with it."""
    spec, profile = sample_spec(FOLDER, template), profile_named(PROFILE)
    spec = spec if form is None else replace(spec, form=form)
    html = FOLDER.html(spec)
    drawn = draw(html, FOLDER.path, profile=profile, template=spec.template)
    problems = check_letter(drawn, spec, profile, FOLDER)
    if problems:
        raise SystemExit("\n".join(map(str, problems)))
    named = "" if form is None else form.words
    return Shown(template=template, drawn=drawn, html=html, needs=needs_of(FOLDER, template), form=named)


def signs() -> tuple[str, ...]:
    """Every template that is a sign."""
    return tuple(name for name in FOLDER.names() if re.fullmatch(r"signs/(?!base)[^/]+\.html", name))


def shown_sign(template: str) -> Shown:
    """The sign as A3, upright and on its side; it must have nothing wrong with it."""
    drawn = []
    for orientation in ("portrait", "landscape"):
        spec = SignSpec(
            reference=sign_reference(bytes(32), "sample", template),
            template=template,
            site="sample",
            orientation=orientation,
            preset="no-marks",
            council=COUNCIL,
            claims=dict.fromkeys(needs_of(FOLDER, template).claims, SIGN_CLAIM),
        )
        drawn.append(draw_sign(spec, FOLDER))
        if problems := check_sign(drawn[-1], spec, FOLDER):
            raise SystemExit("\n".join(map(str, problems)))
    upright, lying = drawn
    html, needs = FOLDER.sign_html(spec), needs_of(FOLDER, template)
    return Shown(template=template, drawn=upright, html=html, needs=needs, also=(lying.pdf,))


def drawings(one: Shown) -> list[bytes]:
    """Every picture of the page, in order."""
    dots = SIGN_DOTS if one.family == "sign" else DOTS
    return [picture for pdf in (one.drawn.pdf, *one.also) for picture in pictures(pdf, dots)]


def pictures(pdf: bytes, dots: int = DOTS) -> list[bytes]:
    """Each page as a small PNG; the same page gives the same bytes."""
    return [_small(picture) for picture in page_pictures(pdf, range(page_count(pdf)), dots=dots)]


def _small(picture: bytes) -> bytes:
    stream = io.BytesIO()
    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    few = whole.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def page(one: Shown) -> str:
    """The page of one template, in Markdown."""
    sign = one.family == "sign"
    lines = [f"# {one.heading}", ""]
    lines += [one.about, ""] if one.about else []
    count = one.drawn.pages + len(one.also)
    lines += [f"![{_alt(one)}]({one.name}-{number}.png)" for number in range(1, count + 1)]
    lines += ["", f"- Template: `templates/{one.template}`"]
    lines += [] if sign else _of_a_letter(one)
    for kind, title in _MARKS.items():
        found = dict.fromkeys(mark.id.replace("_", " ") for mark in one.drawn.marks if mark.kind == kind)
        lines += [f"- {title}: {', '.join(found)}"] if found else []
    lines += _asked("Asks of the sites file" if sign else "Asks of the extract", one.needs.fields)
    lines += _asked("Asks of `details:` in the experiment", one.needs.details)
    return "\n".join((*lines, "", "[All letters and signs](README.md)", ""))


def _of_a_letter(one: Shown) -> list[str]:
    plain = plainness(one.html)
    pages_, sheets = one.drawn.pages, one.drawn.sheets
    paper = f"{pages_} page{'s' if pages_ > 1 else ''} on {sheets} sheet{'s' if sheets > 1 else ''}"
    return [
        f"- Family: {one.family}; stage: {one.contents.stage}",
        f"- Reads at about age {plain.reading_age:.0f}; longest sentence {plain.longest_sentence} words; {paper}",
    ]


def _asked(title: str, names: Mapping[str, Kind]) -> list[str]:
    told = ", ".join(f"`{name}` ({_KINDS[kind]})" for name, kind in names.items())
    return [f"- {title}: {told}"] if told else []


def _alt(one: Shown) -> str:
    what = "sign" if one.family == "sign" else "letter to an invented person"
    return f"The {what} headed “{one.heading}”"


def index(shown_: Iterable[Shown]) -> str:
    """The list of all, by family."""
    families: dict[str, list[Shown]] = {}
    for one in shown_:
        families.setdefault(one.family, []).append(one)
    lines = [
        "# Letters and signs",
        "",
        "Each is drawn for somebody invented by an invented council. `make gallery` draws them again.",
        "",
    ]
    for family, members in sorted(families.items()):
        lines += [f"## {family[0].upper()}{family[1:]}", "", "| Template | Heading | Levers |", "|---|---|---|"]
        for one in members:
            levers = dict.fromkeys(mark.id for mark in one.drawn.marks if mark.kind == "lever")
            lines.append(
                f"| [{one.name.partition('-')[2]}]({one.name}.md) | {one.heading} | {', '.join(levers) or 'none'} |"
            )
        lines.append("")
    return "\n".join(lines)


def pages(all_: Iterable[Shown]) -> dict[str, str]:
    """Every page of the gallery by file name."""
    held = list(all_)
    return {f"{one.name}.md": page(one) for one in held} | {"README.md": index(held)}


def everything() -> Iterable[Shown]:
    """Each letter in each of its forms, one in large print too, and each sign."""
    yield from map(shown, letters())
    yield shown(LARGE_PRINT, LARGE)
    yield from map(shown_sign, signs())


def main() -> None:
    GALLERY.mkdir(exist_ok=True)
    all_ = list(everything())
    wanted: dict[str, bytes] = {name: text.encode() for name, text in pages(all_).items()}
    for one in all_:
        wanted |= {f"{one.name}-{number}.png": picture for number, picture in enumerate(drawings(one), start=1)}
    for path in GALLERY.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name, content in wanted.items():
        (GALLERY / name).write_bytes(content)
    total = sum(map(len, wanted.values()))
    sys.stdout.write(f"{len(all_)} templates in {GALLERY.relative_to(ROOT)}/, {total / 1e6:.1f} MB\n")


if __name__ == "__main__":
    main()
