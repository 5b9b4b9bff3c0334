"""The report as a page, a PDF and terminal text: what it says, in which order, and that all may read it."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from nudge.reports import charts, render
from nudge.reports.render import report_html, report_pdf, report_text
from nudge.reports.story import tell
from nudge.reports.wording import Wording

DATA = Path(__file__).resolve().parents[1] / "data"
WORDING = Wording(
    title="Does a personal, truthful-norm first letter bring earlier contact?",
    question="Does it bring contact or payment sooner than the letter we send now?",
    labels={"current": "Current letter", "personal-norm": "Personal letter", "short": "Short letter"},
    names={"days_to_contact": "Days to contact"},
    events={"days_to_contact": "contact or payment"},
    money={"arrears_at_8_weeks"},
    harms=("complaint", "breathing_space"),
)
NAMES = ("arrears", "three-arms", "not-randomised")


def summary(name: str = "arrears") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / f"summary-{name}.json").read_text(encoding="utf-8"))
    return found


def page(name: str = "arrears") -> str:
    return report_html(summary(name), wording=WORDING)


class Page(HTMLParser):
    """The page's elements in order, with the words inside each."""

    VOID = frozenset({"meta", "img", "source", "br", "link", "input"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[list[str]] = []
        self.open: list[int] = []
        self.feed(html)
        assert not self.open, "an element is left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.words.append([])
        if tag not in self.VOID:
            self.open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self.open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for index in self.open:
            self.words[index].append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [
            (attrs, " ".join("".join(words).split()))
            for (name, attrs), words in zip(self.elements, self.words, strict=True)
            if name == tag
        ]


# ---- what it says, in which order


def test_the_answer_comes_first_in_one_sentence_with_its_interval():
    found = Page(page())
    [(_, sentence)] = [item for item in found.all("p") if item[0].get("class") == "sentence"]
    assert re.fullmatch(
        r"With ‘Personal letter’, contact or payment came \d+\.\d days earlier than with ‘Current letter’"
        r" \(95% interval: \d+\.\d to \d+\.\d days earlier\)\.",
        sentence,
    )
    assert "on average over the first 56 days, counting those not in touch as 56" in page()


def test_sections_stand_in_the_order_in_which_a_reader_needs_them():
    headings = [words for _, words in Page(page()).all("h2")]
    assert headings == [
        "The answer",
        "In touch or paid by day 56, of every 100 tenancies",
        "Days earlier or later",
        "Day by day",
        "Who was in the trial",
        "Other outcomes",
        "Every estimate",
        "How each number was made",
        "What is missing, why, and in which arm",
        "Harms",
        "The same question asked in other ways",
        "Did the trial run as it should",
        "What else a reader should know",
        "Changes since the seal",
        "What stands behind the draw",
        "For older comparisons only: the average of those who responded",
        "How to read this report",
    ]


def test_a_comparison_that_was_not_randomised_says_so_before_anything_else_and_gives_no_verdict():
    html = page("not-randomised")
    assert html.index("This was not a randomised comparison") < html.index(">What was found</h2>")
    assert "It works" not in html
    text = report_text(summary("not-randomised"), wording=WORDING)
    assert "! This was not a randomised comparison" in text


def test_a_trial_too_small_says_so_and_how_many_more_would_settle_it():
    text = report_text(summary("three-arms"), wording=WORDING)
    assert "TOO SMALL TO TELL." in text
    assert "About 410 more tenancies would be needed" in text


def test_the_mean_of_responders_has_no_interval_no_p_and_a_warning():
    section = report_text(summary(), wording=WORDING).split("FOR OLDER COMPARISONS ONLY")[1].split("HOW TO READ")[0]
    assert "Not a result." in section
    assert "p =" not in section
    assert not re.search(r"\d to \d", section)
    answers = [words for attrs, words in Page(page()).all("div") if (attrs.get("class") or "").startswith("answer")]
    assert not any("responded" in words for words in answers)


def test_every_denominator_is_tenancies_and_every_estimate_has_one():
    story = tell(summary(), WORDING)
    tables = [
        part
        for section in story.sections
        if section.slug in {"estimates", "sensitivity"}
        for part in section.parts
        if hasattr(part, "columns")
    ]
    assert tables
    for table in tables:
        column = table.columns.index("Tenancies")
        assert all(int(row[column].replace(",", "")) > 0 for row in table.rows)


def test_money_is_printed_in_pounds_and_shares_of_every_100():
    text = report_text(summary(), wording=WORDING)
    assert "£289.40" in text
    assert "−£25.25" in text
    assert re.search(r"Day 7 +Day 14|7 +14", text)


def test_harms_are_printed_by_arm_and_one_that_is_not_on_file_is_named():
    text = report_text(summary(), wording=WORDING)
    assert "Declared, but not on file: breathing space." in text


def test_a_harm_is_no_outcome_of_its_own():
    story = tell(summary(), WORDING)
    assert "Complaint" not in [section.heading for section in story.sections]


def test_amendments_are_printed():
    assert "The telephone number of the rents team changed; all arms alike." in page()


def test_what_a_summary_holds_is_escaped():
    one = summary()
    one["notes"] = ["<script>alert(1)</script> & more"]
    html = report_html(one, wording=WORDING)
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_without_wording_the_ids_stand():
    html = report_html(summary(), title="A trial")
    assert "<h1>A trial</h1>" in html
    assert "‘personal-norm’" in html


# ---- for everybody


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_whole_and_in_order_for_a_screen_reader(name):
    html = page(name)
    found = Page(html)
    [(attributes, _)] = found.all("html")
    assert attributes["lang"] == "en-GB"
    assert len(found.all("h1")) == 1
    assert len(found.all("title")) == 1
    levels = [int(tag[1]) for tag, _ in found.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for attrs, _ in found.all("img"):
        assert len(attrs["alt"] or "") > 40
    assert len(found.all("table")) == len(found.all("caption"))
    assert all(words for _, words in found.all("caption"))
    assert all(attrs.get("scope") in {"col", "row"} for attrs, _ in found.all("th"))
    ids = [attrs["id"] for _, attrs in found.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = {(attrs["href"] or "")[1:] for attrs, _ in found.all("a")}
    assert links <= set(ids)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_asks_for_nothing_from_anywhere(name):
    html = page(name)
    without_data = re.sub(r"data:image/svg\+xml;base64,[A-Za-z0-9+/=]+", "", html)
    assert not re.search(r"(?:src|srcset|href)=\"(?!#|\")", without_data)
    assert "@import" not in html
    assert "<script" not in html
    assert "url(" not in without_data
    for data in re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", html):
        picture = base64.b64decode(data).decode()
        outside = set(re.findall(r"https?://[^\"' )>]+", picture))
        assert all(
            address.startswith(("http://www.w3.org/", "http://purl.org/", "http://creativecommons.org/"))
            for address in outside
        )


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_colour_of_words_is_at_least_4_5_to_1_on_both_grounds():
    css = (render.PAGES / "report.css").read_text(encoding="utf-8")
    named = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", css))
    for name in ("ink", "soft", "accent", "good", "bad", "small", "unsure"):
        for ground in ("#ffffff", named["tint"]):
            assert _contrast(named[name], ground) >= 4.5, (name, ground)


def test_every_line_of_a_chart_is_at_least_4_5_to_1_and_has_a_pattern_and_a_marker_of_its_own():
    assert all(_contrast(colour, "#ffffff") >= 4.5 for colour, _, _ in charts.LINES)
    assert len({str(pattern) for _, pattern, _ in charts.LINES}) == len(charts.LINES)
    assert len({marker for _, _, marker in charts.LINES}) == len(charts.LINES)


# ---- the same bytes


@pytest.mark.parametrize("name", NAMES)
def test_i13_the_same_summary_gives_the_same_page(name):
    assert page(name) == page(name)


def test_i13_the_pdf_is_tagged_for_everybody_and_the_same_every_time(caplog):
    html = page()
    pdf = report_pdf(html)
    assert pdf == report_pdf(html)
    assert [record.message for record in caplog.records if record.name == "weasyprint"] == []
    with pikepdf.open(io.BytesIO(pdf)) as document:
        root = document.Root
        assert bool(root.MarkInfo.Marked)
        assert str(root.Lang) == "en-GB"
        assert bool(root.ViewerPreferences.DisplayDocTitle)
        assert str(document.docinfo["/Title"]) == WORDING.title
        metadata = bytes(root.Metadata.read_bytes())
        assert b"pdfuaid" in metadata
        assert len(document.pages) >= 5
        fonts = {
            str(font.BaseFont) for sheet in document.pages for font in sheet.get("/Resources").get("/Font", {}).values()
        }
    # Ours lacks the true minus, which comes from whichever of fontconfig's own fonts the machine has.
    assert all(any(family in font for family in ("Noto", "DejaVu", "Liberation")) for font in fonts), fonts


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [80, 96, 100])
def test_terminal_text_keeps_to_its_width(name, width):
    text = report_text(summary(name), wording=WORDING, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert not any(line != line.rstrip() for line in text.splitlines())


def test_i13_a_chart_has_no_date_and_no_chance_in_it():
    pictures = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", page())
    assert len(pictures) >= 8
    assert not any(b"dc:date" in base64.b64decode(data) for data in pictures)
