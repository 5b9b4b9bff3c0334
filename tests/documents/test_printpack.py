"""The bundle for the printer tells nobody the arm and loses no page (I8)."""

from __future__ import annotations

import csv
import stat
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invented import FIRST, NORM, SECOND, folder_with, invented, shipped

from nudge.base.errors import Refused
from nudge.documents.batch import LetterFile, make_letters
from nudge.documents.printpack import PER_FILE, make_print_pack, print_order
from nudge.workspace import PrintSettings

POSTCODES = ["TN9 1AB", "TN7 4AB", "BN1 1AA", "TN7 4AB", "TN22 1AA", "BN1 1AA"]
SPECS = [
    invented(number, template=FIRST[number % 2], name=f"Mr Reader {chr(65 + number)}", post_to=("1 High Street", code))
    for number, code in enumerate(POSTCODES)
]


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    out = tmp_path_factory.mktemp("batch")
    made = make_letters(SPECS, shipped(), "dl", out)
    return out, made, make_print_pack(made.letters, SPECS, out)


def rows(pack):
    with pack.manifest.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_i8_letters_are_printed_by_postcode_then_reference_whatever_their_arm(packed):
    _, _, pack = packed
    found = [(row["postcode"], row["letter_reference"]) for row in rows(pack)]
    assert found == sorted(found)
    assert [row["seq"] for row in rows(pack)] == ["1", "2", "3", "4", "5", "6"]


def test_i8_no_file_says_which_arm_a_letter_is_of(packed):
    out, _, pack = packed
    manifest = pack.manifest.read_text("utf-8")
    with pikepdf.open(pack.print_files[0]) as pdf:
        said = f"{manifest} {dict(pdf.docinfo)} {[path.name for path in out.iterdir()]} {dict(pdf.Root)}"
    for word in ("arm", "current", "norm", "control", "template", "arrears"):
        assert word not in said.lower().replace("wealdenvale", "")


def test_i8_the_print_files_are_for_paper_and_have_one_neutral_title(packed):
    _, _, pack = packed
    with pikepdf.open(pack.print_files[0]) as pdf:
        assert dict(pdf.docinfo) == {"/Title": "Letters for printing, file 1 of 1"}
        assert "/Outlines" not in pdf.Root
        assert "/StructTreeRoot" not in pdf.Root
        assert "/Metadata" not in pdf.Root
        assert all("/StructParents" not in page.obj for page in pdf.pages)


def test_the_manifest_and_the_pages_agree(packed):
    _, made, pack = packed
    pdf = pypdfium2.PdfDocument(pack.print_files[0])
    assert len(pdf) == 12
    by_reference = {spec.reference: spec for spec in SPECS}
    hashes = {letter.reference: letter.sha256 for letter in made.letters}
    for row in rows(pack):
        spec = by_reference[row["letter_reference"]]
        first = int(row["first_page"])
        assert first % 2 == 1
        text = pdf[first - 1].get_textpage().get_text_range()
        assert spec.reference in text.replace("\ufffe", "-").replace("\x02", "-")
        assert spec.name in text
        assert pdf[first].get_textpage().get_text_range() == ""
        assert (row["name"], row["address_1"], row["postcode"]) == (spec.name, "1 High Street", spec.post_to[-1])
        assert (row["pages"], row["sheets"], row["StreamPages1"]) == ("1", "1", "2")
        assert row["sha256"] == hashes[spec.reference]
        assert row["file"] == "print-001.pdf"


def test_the_pack_is_private_and_the_same_each_time(packed):
    out, made, pack = packed
    before = {path.name: path.read_bytes() for path in (*pack.print_files, pack.manifest)}
    again = make_print_pack(made.letters, list(reversed(SPECS)), out)
    assert {path.name: path.read_bytes() for path in (*again.print_files, again.manifest)} == before
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in (*pack.print_files, pack.manifest))


def test_more_than_a_hundred_letters_make_a_second_file_and_a_smaller_pack_leaves_none_behind(packed, tmp_path):
    _, made, _ = packed
    specs = [invented(1000 + number, post_to=("1 High Street", "TN7 4AB")) for number in range(PER_FILE + 3)]
    letter = made.letters[0]
    letters = [
        type(letter)(reference=spec.reference, path=letter.path, sha256=letter.sha256, pages=1, sheets=1)
        for spec in specs
    ]
    pack = make_print_pack(letters, specs, tmp_path)
    assert [path.name for path in pack.print_files] == ["print-001.pdf", "print-002.pdf"]
    assert (pack.letters, pack.sheets) == (103, 103)
    assert [len(pypdfium2.PdfDocument(path)) for path in pack.print_files] == [200, 6]
    smaller = make_print_pack(letters[:2], specs, tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*.pdf")) == ["print-001.pdf"]
    assert smaller.letters == 2


def test_a_letter_of_two_pages_takes_one_sheet_and_the_next_starts_on_a_right_hand_page(tmp_path):
    second = (
        (shipped().path / SECOND)
        .read_text("utf-8")
        .replace("{% block next %}", '{% block next %}<p class="more">x</p>')
    )
    base = (shipped().path / "letters/base.html").read_text("utf-8").replace('data-pages="1"', 'data-pages="2"')
    folder = folder_with(tmp_path, "letters/base.html", base)
    (folder.path / SECOND).write_text(second)
    css = folder.path / "letters/letter.css"
    css.write_text(css.read_text() + ".more { break-before: page }")
    specs = [invented(1, template=SECOND), invented(2, template=NORM), invented(3, template=SECOND)]
    made = make_letters(specs, folder, "dl", tmp_path / "out")
    assert made.refused == {}
    pack = make_print_pack(made.letters, specs, tmp_path / "out")
    assert sorted((row["pages"], row["sheets"]) for row in rows(pack)) == [("1", "1"), ("2", "1"), ("2", "1")]
    assert sorted(int(row["first_page"]) for row in rows(pack)) == [1, 3, 5]


def test_an_address_that_would_run_as_a_formula_never_reaches_the_manifest(packed, tmp_path):
    _, made, _ = packed
    specs = [invented(0, template=FIRST[0], name="=HYPERLINK(1)", post_to=("1 High Street", "TN7 4AB"))]
    with pytest.raises(Refused):
        make_print_pack(made.letters[:1], specs, tmp_path)
    assert list(tmp_path.iterdir()) == []


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["TN9 1AB", "TN22 1AA", "BFPO 57", "bn11aa"]),
            st.sampled_from([*FIRST, "letters/other.html"]),
            st.integers(1, 9),
        ),
        max_size=12,
    ),
    st.randoms(use_true_random=False),
    st.sampled_from(["postcode", "reference"]),
)
def test_i8_print_order_is_a_function_of_postcode_and_reference(people, random, order):
    """Whatever arm, length or name a letter has, and in whatever order the letters were made."""
    printing = PrintSettings(order=order)

    def ordered(turn, shuffle):
        specs, letters = [], []
        for number, (code, _, _) in enumerate(people):
            _, template, pages = people[(number + turn) % len(people)]
            spec = invented(number, template=template, name=f"Mr {turn} {pages}", post_to=("1 High Street", code))
            specs.append(spec)
            letters.append(LetterFile(reference=spec.reference, path=Path(), sha256="", pages=pages, sheets=pages))
        if shuffle:
            random.shuffle(letters)
        return [letter.reference for letter in print_order(letters, specs, printing)]

    assert ordered(0, shuffle=False) == ordered(1, shuffle=True) == ordered(2, shuffle=True)
