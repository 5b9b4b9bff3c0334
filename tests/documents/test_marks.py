"""What a pack adds to a sheet: in its place, touching nothing, the same for every arm, the same to the byte again."""

from __future__ import annotations

import csv
from dataclasses import replace

import pikepdf
import pypdfium2
import pytest
from invented import CURRENT, NORM, SECOND, folder_with, invented, shipped

from nudge.base.errors import Refused
from nudge.documents.batch import make_letters, prove_letters
from nudge.documents.letter import ALPHABET
from nudge.documents.marks import BARS, FIRST_PAGE, PITCH, WORDS, Slot, bars_of, job_code
from nudge.documents.printpack import make_print_pack, slots_of
from nudge.documents.profiles import profile_named
from nudge.documents.readback import read_back, texts_in
from nudge.workspace import PrintSettings

OMR = PrintSettings(marks="omr")
LONG = ("TN9 1AB", "TN7 4AB", "BN1 1AA")
SPECS = [
    invented(number, template=template, name=f"Mr Reader {chr(65 + number)}", post_to=("1 High Street", code))
    for number, (code, template) in enumerate(zip(LONG, (SECOND, NORM, CURRENT), strict=True))
]


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """Three letters, the second letter three pages long: five sheets on both sides, or six on one."""
    path = tmp_path_factory.mktemp("long")
    base = (shipped().path / "letters/base.html").read_text("utf-8").replace('data-pages="1"', 'data-pages="3"')
    folder = folder_with(path, "letters/base.html", base)
    second = folder.path / SECOND
    more = '{% block next %}<p class="more">x</p><p class="more">y</p>'
    second.write_text(second.read_text("utf-8").replace("{% block next %}", more))
    css = folder.path / "letters/letter.css"
    css.write_text(css.read_text() + ".more { break-before: page }")
    made = make_letters(SPECS, folder, "dl", path / "out")
    assert made.refused == {}
    assert [letter.pages for letter in made.letters] == [3, 1, 1]
    return folder, made.letters


def pack_of(long, out, printing, chosen=(0, 1, 2), **more):
    letters = [replace(one, sheets=printing.sheets(one.pages)) for one in long[1]]
    return make_print_pack([letters[i] for i in chosen], [SPECS[i] for i in chosen], out, printing=printing, **more)


def rows(path):
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def _content(page):
    parts = page.Contents if isinstance(page.Contents, pikepdf.Array) else [page.Contents]
    return b"".join(part.read_bytes() for part in parts)


def bars_on(pdf, number):
    """Which of the six bars a page bears, found in a picture of it."""
    page = pdf[number - 1]
    image = page.render(scale=600 / 72, grayscale=True).to_pil()
    dots = 600 / 25.4
    found = []
    for place in range(6):
        y = BARS.y + place * PITCH + 0.25
        found.append(all(image.getpixel((int(x * dots), int(y * dots))) < 128 for x in (5.5, 11, 16.5)))
    page.close()
    return tuple(found)


def test_omr_bars_start_every_sheet_end_every_letter_and_count_sheets_round(long, tmp_path):
    pack = pack_of(long, tmp_path, OMR, job="K7RM")
    pdf = pypdfium2.PdfDocument(pack.print_files[0])
    # By postcode: one sheet, one sheet, then two (three pages, and a blank back).
    assert [(row["first_page"], row["sheets"]) for row in rows(pack.manifest)] == [("1", "1"), ("3", "1"), ("5", "2")]
    fronts = {1: (0, True), 3: (1, True), 5: (2, False), 7: (3, True)}
    assert {page: bars_on(pdf, page) for page in fronts} == {
        page: (True, last, *(bool(counted & bit) for bit in (1, 2, 4, 8))) for page, (counted, last) in fronts.items()
    }
    assert all(bars_on(pdf, page) == (False,) * 6 for page in (2, 4, 6, 8))
    assert [bars_of(count, last=True) for count in (0, 15, 16, 31)] == [
        bars_of(count, last=True) for count in (16, 31, 0, 15)
    ]


def test_the_operators_line_names_job_letter_and_sheet_on_every_front_and_no_back(long, tmp_path):
    pack = pack_of(long, tmp_path, OMR, job="K7RM")
    said = [inside for _, inside in texts_in(pack.print_files[0].read_bytes(), WORDS)]
    assert said == [
        "K7RM-0001 sheet 1/1", "", "K7RM-0002 sheet 1/1", "", "K7RM-0003 sheet 1/2", "", "K7RM-0003 sheet 2/2", "",
    ]  # fmt: skip


def test_printed_on_one_side_every_page_is_a_sheet_and_none_is_blank(long, tmp_path):
    printing = PrintSettings(marks="omr", sides="one")
    pack = pack_of(long, tmp_path, printing, job="K7RM")
    said = [inside for _, inside in texts_in(pack.print_files[0].read_bytes(), WORDS)]
    assert [line.split()[-1] for line in said] == ["1/1", "1/1", "1/3", "2/3", "3/3"]
    assert [(row["sheets"], row["StreamPages1"]) for row in rows(pack.manifest)] == [("1", "1"), ("1", "1"), ("3", "3")]
    assert pack.sheets == 5


def test_the_marks_touch_nothing_and_leave_the_letter_as_it_was(long, tmp_path):
    pack = pack_of(long, tmp_path, OMR, job="K7RM")
    profile = profile_named("dl")
    marked = read_back(pack.print_files[0].read_bytes(), profile.window)
    plain = read_back(pack_of(long, tmp_path / "plain", PrintSettings()).print_files[0].read_bytes(), profile.window)
    added = [ink for ink in marked.ink if ink not in plain.ink]
    assert len(marked.ink) == len(plain.ink) + len(added)
    assert [ink for ink in marked.ink if ink in plain.ink] == list(plain.ink)
    assert added
    assert all(BARS.holds(ink.zone) or WORDS.holds(ink.zone) for ink in added)
    assert not any(ink.zone.meets(zone) for ink in plain.ink for zone in (BARS, WORDS))
    for name in ("dl", "c5"):  # nor the window, however the sheet slips
        known = profile_named(name)
        assert BARS.right < known.body.x
        assert not any(
            zone.meets(other) for zone in (BARS, WORDS) for other in (known.window, known.contact, known.head)
        )
        assert known.border.holds(WORDS)


def test_i13_a_letter_printed_again_bears_the_same_bytes_marks_included(long, tmp_path):
    pack = pack_of(long, tmp_path, OMR, job="K7RM")
    again = pack_of(long, tmp_path / "again", OMR, (0,), job="K7RM", slots=slots_of(pack.manifest))
    twice = pack_of(long, tmp_path / "twice", OMR, (0,), job="K7RM", slots=slots_of(pack.manifest))
    assert again.print_files[0].read_bytes() == twice.print_files[0].read_bytes()
    with pikepdf.open(pack.print_files[0]) as whole, pikepdf.open(again.print_files[0]) as single:
        drawn = [[_content(page) for page in pdf.pages] for pdf in (whole, single)]
    assert drawn[1] == drawn[0][4:]
    assert b"K7RM-0003  sheet 1/2" in drawn[1][0]
    before, after = rows(pack.manifest)[2], rows(again.manifest)[0]
    assert {key for key in before if before[key] != after[key]} == {"first_page"}


def test_i8_the_order_and_the_files_hang_on_postcode_and_reference_alone(long, tmp_path):
    """The same people with the arms changed round, and with letters of other lengths, are printed in the same order."""
    letters = [replace(long[1][number % 3], reference=invented(number).reference) for number in range(130)]
    codes = [LONG[(number * 7) % 3] for number in range(130)]
    specs = [invented(number, post_to=("1 High Street", code)) for number, code in enumerate(codes)]
    turned = [replace(long[1][(number + 1) % 3], reference=invented(number).reference) for number in range(130)]
    for order in ("postcode", "reference"):
        printing = PrintSettings(order=order)
        packs = [
            make_print_pack(list(reversed(pile)) if backwards else pile, specs, tmp_path / order, printing=printing)
            for pile, backwards in ((letters, False), (turned, True))
        ]
        listed = [[(row["letter_reference"], row["file"], row["seq"]) for row in rows(pack.manifest)] for pack in packs]
        if order == "postcode":
            first = [row["postcode"] for row in rows(packs[0].manifest)]
            assert first == sorted(first)
        else:
            assert [row[0] for row in listed[0]] == sorted(row[0] for row in listed[0])
        break_at = [row[1] for row in listed[0]].count("print-001.pdf")
        assert break_at == 100
        assert len(packs) == 2


def test_i8_a_job_code_is_of_the_letters_alphabet_and_tells_jobs_apart():
    codes = {job_code("wealden-arrears", number, wave) for number in range(50) for wave in ("first", "second")}
    assert len(codes) == 100
    assert all(len(code) == 4 and set(code) <= set(ALPHABET) for code in codes)


def test_docmail_gets_one_file_without_blank_pages_and_its_addresses_in_the_same_order(long, tmp_path):
    pack = pack_of(long, tmp_path, PrintSettings(house="docmail"))
    pdf = pypdfium2.PdfDocument(pack.print_files[0])
    listed = rows(pack.address_files[0])
    assert [row["StreamPages1"] for row in listed] == ["1", "1", "3"]
    assert len(pdf) == sum(int(row["StreamPages1"]) for row in listed) == 5
    page = 0
    for row in listed:  # read as Docmail does: so many pages each, one after the other
        text = pdf[page].get_textpage().get_text_range()
        assert row["FullName"] in text
        assert row["Custom1"] in text.replace("\ufffe", "-").replace("\x02", "-")
        page += int(row["StreamPages1"])
    assert [row["Address2"] for row in listed] == sorted(LONG)
    pack_of(long, tmp_path, PrintSettings())
    assert not list(tmp_path.glob("*-addresses.csv"))  # of the house before


@pytest.mark.parametrize("sides", ["two", "one"])
def test_a_house_can_split_the_file_by_the_words_on_first_pages(long, tmp_path, sides):
    pack = pack_of(long, tmp_path, PrintSettings(house="fixed-zone", sides=sides))
    found = texts_in(pack.print_files[0].read_bytes(), WORDS)
    assert [inside for _, inside in found] == [FIRST_PAGE, FIRST_PAGE, FIRST_PAGE, "", ""]
    assert [text.count(FIRST_PAGE) for text, _ in found] == [1, 1, 1, 0, 0]
    assert [int(row["first_page"]) for row in rows(pack.manifest)] == [1, 2, 3]


def test_i4_a_letter_that_no_envelope_takes_is_found_before_the_draw(long):
    for sides, most, refused in (("two", 2, False), ("two", 1, True), ("one", 2, True), ("one", 3, False)):
        printing = PrintSettings(sides=sides, most_sheets=most)
        found = prove_letters([SPECS[0]], long[0], "dl", printing=printing)
        assert [one.code for problems in found.values() for one in problems] == ["too-many-sheets"] * refused


def test_i4_a_letter_that_the_marks_would_touch_is_found_before_the_draw(long, tmp_path):
    next_ = '{% block next %}<p style="position: fixed; bottom: -4mm; left: 120mm; margin: 0">' + FIRST_PAGE + "</p>"
    text = (shipped().path / SECOND).read_text("utf-8").replace("{% block next %}", next_)
    folder = folder_with(tmp_path, "letters/low.html", text)
    spec = invented(1, template="letters/low.html")
    assert prove_letters([spec], folder, "dl") == {}
    for printing, codes in (
        (OMR, {"marks-touched"}),
        (PrintSettings(house="fixed-zone"), {"marks-touched", "first-page-words"}),
    ):
        found = prove_letters([spec], folder, "dl", printing=printing)
        assert {one.code for problems in found.values() for one in problems} == codes


def test_a_file_that_could_not_be_split_is_never_written(long, tmp_path):
    """A letter changed after it was checked, whose second page says the words too."""
    letter = long[1][0]
    changed = tmp_path / letter.path.name
    with pikepdf.open(letter.path) as pdf:
        from nudge.documents.marks import mark_first_page, marks_font

        mark_first_page(pdf.pages[1], marks_font(pdf))
        pdf.save(changed)
    with pytest.raises(Refused) as refusal:
        make_print_pack(
            [replace(letter, path=changed)], SPECS[:1], tmp_path / "out", printing=PrintSettings(house="fixed-zone")
        )
    assert [problem.code for problem in refusal.value.problems] == ["pack-not-split"]
    assert not (tmp_path / "out").exists()


def test_a_manifest_that_is_gone_gives_no_places(tmp_path):
    assert slots_of(tmp_path / "manifest.csv") == {}
    assert Slot(1, 1) == Slot(number=1, sheet=1)
