"""What is drawn, and what drawing may read."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
import weasyprint
from invented import ALL, BASE, NORM, folder_with, invented, shipped

from nudge.base.errors import Place, Refused
from nudge.base.languages import LANGUAGES
from nudge.documents.codes import TemplateCode
from nudge.documents.generated import generated_words
from nudge.documents.page import FONTS, _font_bytes, characters, draw
from nudge.documents.profiles import Zone, profile_named, profiles
from nudge.documents.readback import MM, read_back
from nudge.documents.structure import check_structure

DL = profile_named("dl")
BYTES = """
import hashlib, sys
sys.path[:0] = {path!r}
from invented import invented, shipped
from nudge.documents.page import draw
from nudge.documents.profiles import profile_named
folder, spec = shipped(), invented(7)
drawn = draw(folder.html(spec), folder.path, profile=profile_named("dl"), template=spec.template)
print(hashlib.sha256(drawn.pdf).hexdigest())
"""


def drawn(spec=BASE, folder=None, profile=DL):
    folder = folder or shipped()
    return draw(folder.html(spec), folder.path, profile=profile, template=spec.template)


@pytest.mark.parametrize("template", ALL)
def test_every_letter_is_tagged_titled_and_readable_by_a_screen_reader(template):
    letter = drawn(invented(template=template))
    assert check_structure(letter.pdf, Place(template)) == ()
    assert letter.pages == 1
    assert letter.complaints == ()


def test_an_untagged_page_is_found_out_in_every_respect():
    page = weasyprint.HTML(string="<h3>Rent</h3><p>You owe rent.</p>").write_pdf()
    reasons = " ".join(problem.expected for problem in check_structure(page, Place("x")))
    for word in ("language", "title", "tagged", "PDF/UA-1", "no tags"):
        assert word in reasons
    page = "<html lang=en><title>x</title><h2>x</h2><table><tr><th>x</th></tr></table></html>"
    pdf = weasyprint.HTML(string=page).write_pdf(pdf_variant="pdf/ua-1")
    reasons = [problem.expected for problem in check_structure(pdf, Place("x"))]
    assert len(reasons) == 2
    assert "header cell" in reasons[0]
    assert "headings" in reasons[1]


def test_each_letter_has_a_title_of_its_own_that_names_nobody():
    titles = [drawn(invented(number)).title for number in (1, 2)]
    assert len(set(titles)) == 2
    assert not any("Jones" in title for title in titles)


def test_only_the_bundled_fonts_are_used():
    with pikepdf.open(io.BytesIO(drawn().pdf)) as pdf:
        named = {str(font.BaseFont).split("+")[-1] for font in dict(pdf.pages[0].resources.Font).values()}
    assert named == {"Nudge-Letter", "Nudge-Letter-Bold"}


def test_the_bundled_fonts_write_the_names_of_a_british_council_and_are_small():
    text = "ŵŷŴŶẁẃẅỳłŁąęśżźćńğışİŞçöüŐőțșđĐơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỷỹæøåßñ’‘“”–—…£€½ʻʼƏə"
    assert {ord(sign) for sign in text} <= characters()
    assert sum(len(_font_bytes(name)) for name in FONTS) < 3_000_000


@pytest.mark.parametrize(
    "reach",
    [
        '<img alt="x" src="https://example.org/logo.png">',
        '<img alt="x" src="http://169.254.169.254/latest/meta-data/">',
        '<img alt="x" src="file:///etc/passwd">',
        '<img alt="x" src="../../nudge.toml">',
        '<img alt="x" src="ftp://example.org/a.png">',
        '<img alt="x" src="data:text/html,hello">',
        '<style>p { background: url("file:///etc/hostname") }</style>',
        '<style>@import "https://example.org/a.css";</style>',
        '<style>@font-face { font-family: x; src: url("https://example.org/a.ttf") } p { font-family: x }</style>',
        '<object data="file:///etc/passwd"></object>',
    ],
)
def test_i14_a_letter_reads_nothing_outside_the_folder_and_never_the_network(reach, tmp_path):
    page = f"<!doctype html><html lang=en><head><title>x</title></head><body><p>x</p>{reach}</body></html>"
    folder = folder_with(tmp_path, "letters/own.html", page)
    with pytest.raises(Refused) as refusal:
        drawn(invented(template="letters/own.html"), folder)
    assert refusal.value.problems[0].code == TemplateCode.OUTSIDE_FOLDER.slug


def test_i14_a_drawing_that_reaches_outside_the_folder_is_complained_of(tmp_path):
    image = '<image href="file:///etc/passwd" width="9" height="9"/>'
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><title>x</title>{image}</svg>'
    page = f"<!doctype html><html lang=en><head><title>x</title></head><body><p>x</p>{drawing}</body></html>"
    folder = folder_with(tmp_path, "letters/own.html", page)
    assert drawn(invented(template="letters/own.html"), folder).complaints == ("other:Failed to render SVG image",)


def test_i14_a_link_out_of_the_folder_is_not_followed(tmp_path):
    folder = folder_with(tmp_path, "letters/own.html", '<html lang=en><img alt="x" src="logo.svg"></html>')
    (tmp_path / "secret.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (folder.path / "letters/logo.svg").symlink_to(tmp_path / "secret.svg")
    with pytest.raises(Refused):
        drawn(invented(template="letters/own.html"), folder)


def test_a_logo_in_the_folder_is_drawn(tmp_path):
    image = '<img alt="Our logo" src="logo.svg" width=50 height=50>'
    folder = folder_with(tmp_path, "letters/own.html", f"<html lang=en><title>x</title><p>x</p>{image}</html>")
    square = '<rect width="9" height="9"/>'
    (folder.path / "letters/logo.svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><title>Our logo</title>{square}</svg>'
    )
    assert drawn(invented(template="letters/own.html"), folder).complaints == ()


def test_an_image_without_words_is_complained_of(tmp_path):
    page = '<html lang=en><head><title>x</title></head><p>x</p><img src="logo.svg" width=50 height=50></html>'
    folder = folder_with(tmp_path, "letters/own.html", page)
    (folder.path / "letters/logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>')
    assert drawn(invented(template="letters/own.html"), folder).complaints == ("alt:",)


def test_a_file_that_is_not_there_is_asked_for(tmp_path):
    folder = folder_with(tmp_path, "letters/own.html", '<html lang=en><img alt="x" src="logo.svg"></html>')
    with pytest.raises(Refused) as refusal:
        drawn(invented(template="letters/own.html"), folder)
    assert refusal.value.problems[0].code == TemplateCode.FILE_ABSENT.slug


def test_a_style_sheet_that_is_not_understood_is_refused(tmp_path):
    folder = folder_with(tmp_path, "letters/letter.css", "p { colr: red }")
    with pytest.raises(Refused) as refusal:
        drawn(BASE, folder)
    assert refusal.value.problems[0].code == TemplateCode.STYLE_NOT_UNDERSTOOD.slug


@pytest.mark.parametrize(
    "rule",
    [
        '.x::before { content: "You will be evicted. " }',
        '.x::before { content: counter(x) "\\45 victed" }',
        '@media print { p { .x & { list-style-type: "9 in 10 pay" } } }',
        "@page { @top-left { content: 'Bailiffs' } }",
        ".x::before { content: attr(title) }",
        '@import "other.css";',
    ],
)
def test_words_that_a_style_sheet_would_print_are_refused_because_no_check_reads_them(tmp_path, rule):
    sheet = (shipped().path / "letters" / "letter.css").read_text("utf-8")
    folder = folder_with(tmp_path, "letters/letter.css", f"{rule}\n{sheet}")
    (folder.path / "letters" / "other.css").write_text("p { color: black }", "utf-8")
    with pytest.raises(Refused) as refusal:
        drawn(BASE, folder)
    assert refusal.value.problems[0].code == TemplateCode.WORDS_IN_STYLE.slug
    assert refusal.value.problems[0].place.source == "letter.css"
    own = f"<html lang=en><style>{rule}</style><p>Hello</p></html>"
    folder = folder_with(tmp_path / "own", "letters/own.html", own)
    (folder.path / "letters" / "other.css").write_text("p { color: black }", "utf-8")
    with pytest.raises(Refused) as refusal:
        drawn(invented(template="letters/own.html"), folder)
    assert refusal.value.problems[0].code == TemplateCode.WORDS_IN_STYLE.slug


def test_a_style_sheet_may_number_pages_in_every_language_and_name_fonts():
    for language in LANGUAGES.values():
        words = language.page.format(page='" counter(page) "', pages='" counter(pages) "')
        assert generated_words(f'@page {{ @bottom-left {{ content: "{words}" }} }}') == []
    assert generated_words('p { font-family: "Noto Sans"; quotes: "«" "»" } p[title="Evicted"] { color: red }') == []


def test_i13_the_same_letter_has_the_same_bytes_in_any_process_and_under_any_hash_seed():
    script = BYTES.format(path=[str(Path(__file__).parent), *sys.path])
    found = {hashlib.sha256(drawn(invented(7)).pdf).hexdigest()}
    for seed in ("0", "4711"):
        done = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo", "LANG": "C"},
        )
        found.add(done.stdout.strip())
    assert len(found) == 1


def test_i13_the_bytes_do_not_hang_on_the_letters_drawn_before_or_on_where_the_folder_lies(tmp_path):
    first = drawn(invented(7)).pdf
    drawn(invented(8, name="Mr Zbigniew Żółć", salutation="Mr Żółć"))
    elsewhere = folder_with(tmp_path, "letters/more.html", "x")
    assert drawn(invented(7)).pdf == first == drawn(invented(7), elsewhere).pdf


@pytest.mark.parametrize("name", profiles())
def test_the_address_is_printed_where_the_profile_says_seen_by_its_pixels(name):
    profile = profiles()[name]
    letter = drawn(profile=profile)
    dots = 4  # to the millimetre
    page = pypdfium2.PdfDocument(letter.pdf)[0]
    grey = page.render(scale=dots * MM, grayscale=True).to_numpy()
    window = profile.window
    part = grey[int(window.y * dots) : int(window.foot * dots), int(window.x * dots) : int(window.right * dots)]
    rows, columns = (part < 128).nonzero()
    inked = Zone(
        window.x + columns.min() / dots,
        window.y + rows.min() / dots,
        (columns.max() - columns.min()) / dots,
        (rows.max() - rows.min()) / dots,
    )
    assert profile.address.holds(inked)
    boxes = [ink.zone for ink in read_back(letter.pdf, window).ink if ink.solid and ink.zone.meets(window)]
    assert abs(min(box.x for box in boxes) - inked.x) < 0.5  # what the check measures is what the eye sees
    assert abs(min(box.y for box in boxes) - inked.y) < 0.5
    assert abs(max(box.foot for box in boxes) - inked.foot) < 0.5


def test_profiles_leave_the_window_to_the_address():
    for profile in profiles().values():
        assert profile.window.holds(profile.address)
        assert profile.border.holds(profile.body)
        for zone in (profile.head, profile.contact, profile.body):
            assert not zone.meets(profile.window)
            assert profile.border.holds(zone)
            assert not any(zone.meets(other) for other in profile.keep_out)
        assert profile.address_points >= 10 or profile.name == "notify"
        assert profile.address.height >= 7 * profile.address_line


def test_no_network_library_is_asked_for_a_template_of_ours():
    assert "http" not in (shipped().path / NORM).read_text("utf-8")
