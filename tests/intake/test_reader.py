"""Tables are read as they were meant, and nothing in them is decided in silence."""

from __future__ import annotations

import gzip
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from intake_files import FIELD, HEADINGS, MARSH, as_csv

from nudge.base.errors import EnvironmentFault, Refused
from nudge.intake.codes import FileCode
from nudge.intake.headings import SUPPRESSION, TENANCY, words_of
from nudge.intake.reader import Dropped, Table, column_letters, open_table, plain_heading
from nudge.intake.workbook import LARGEST, cell_text

Write = Callable[..., Path]
WORDS = words_of(TENANCY)
ACCENTED = ("000103", "Ms", "Zoë", "O’Marsh", "3 Mill Lane", "Hailsham", "BN27 1AC", "£1,234.50")


def cells_of(table: Table) -> list[tuple[str, ...]]:
    return [cells for _, cells in table.rows()]


def code_of(path: Path, **options: object) -> str:
    with pytest.raises(Refused) as refusal:
        list(open_table(path, **options).rows())
    return refusal.value.problems[0].code


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("cp1252", "cp1252")],
)
def test_accents_and_pounds_come_back_as_typed(write: Write, encoding: str, named: str) -> None:
    table = open_table(write([HEADINGS, FIELD, ACCENTED], encoding=encoding))
    assert (table.encoding, table.headings) == (named, HEADINGS)
    assert cells_of(table) == [FIELD, ACCENTED]


def test_big_endian_utf16_is_known_by_its_mark(write: Write) -> None:
    path = write(b"\xfe\xff" + as_csv([HEADINGS, ACCENTED]).encode("utf-16-be"))
    assert cells_of(open_table(path)) == [ACCENTED]


def test_reading_as_cp1252_is_told_with_the_characters_it_gives_but_no_cell(write: Write) -> None:
    (note,) = open_table(write([HEADINGS, ACCENTED], encoding="cp1252")).notes
    assert "cp1252" in note
    assert "£ ×1" in note
    assert "--encoding" in note
    assert not any(cell in note for cell in ACCENTED if len(cell) > 2)


def test_plain_utf8_needs_no_note(write: Write) -> None:
    assert open_table(write([HEADINGS, ACCENTED])).notes == ()


def test_an_encoding_that_is_said_decides(write: Write) -> None:
    dos = ("000103", "Ms", "Zoë", "Marsh", "3 Mill Lane", "Hailsham", "BN27 1AC", "£1,234.50")
    path = write([HEADINGS, dos], encoding="cp850")
    table = open_table(path, encoding="cp850")
    assert (table.encoding, cells_of(table), table.notes) == ("cp850", [dos], ())


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_read_only_when_said(write: Write, encoding: str) -> None:
    path = write([HEADINGS, ACCENTED], encoding=encoding)
    with pytest.raises(Refused, match=f"--encoding {encoding}"):
        open_table(path)
    assert cells_of(open_table(path, encoding=encoding)) == [ACCENTED]


@pytest.mark.parametrize("said", ["UTF8", "utf_8", "Windows-1252", "ansi"])
def test_an_encoding_goes_by_its_usual_names(write: Write, said: str) -> None:
    assert cells_of(open_table(write([HEADINGS, FIELD]), encoding=said)) == [FIELD]


@pytest.mark.parametrize("garbled", ["Ã©", "â€™", "Â£", "\ufffd", "â‚¬", "Å‚"])
def test_text_garbled_before_is_refused_whatever_form_it_has(write: Write, garbled: str) -> None:
    assert code_of(write([HEADINGS, (*FIELD[:3], f"Fi{garbled}ld", *FIELD[4:])])) == FileCode.TEXT_GARBLED.slug


@pytest.mark.parametrize("name", ["SÃO", "Ângela", "TÂN", "Åsa", "Ærø", "ÃGUEDA", "Łukasz", "Ċetta", "Siân", "“Â”"])
def test_true_capitals_with_accents_are_not_taken_for_garble(write: Write, name: str) -> None:
    row = (*FIELD[:3], name, *FIELD[4:])
    if name == "“Â”":  # the one pair that is both: refused, never guessed
        assert code_of(write([HEADINGS, row])) == FileCode.TEXT_GARBLED.slug
    else:
        assert cells_of(open_table(write([HEADINGS, row]))) == [row]


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolon"), ("\t", "tab"), ("|", "bar")])
def test_the_mark_between_columns_is_found_from_the_headings_and_told(write: Write, mark: str, name: str) -> None:
    text = "\n".join(mark.join(row) for row in (HEADINGS, FIELD, MARSH))
    table = open_table(write(text, name="week.tsv"), words=WORDS)
    assert cells_of(table) == [FIELD, MARSH]
    assert table.notes == (f"columns are parted by a {name}",)


def test_commas_inside_cells_do_not_outvote_the_semicolons_between_them(write: Write) -> None:
    row = (*FIELD[:4], "Flat 1, The Mill, Mill Lane, a, b, c", *FIELD[5:])
    text = "\n".join(";".join(cells) for cells in (HEADINGS, row, row, row))
    assert cells_of(open_table(write(text))) == [row] * 3


def test_the_line_by_which_excel_is_told_the_separator_is_a_title_line(write: Write) -> None:
    text = "sep=;\n" + "\n".join(";".join(row) for row in (HEADINGS, FIELD))
    assert cells_of(open_table(write(text))) == [FIELD]


def test_a_gzipped_file_is_unpacked_as_it_is_read(write: Write) -> None:
    path = write(gzip.compress(as_csv([HEADINGS, ACCENTED]).encode()), name="week.csv.gz")
    assert cells_of(open_table(path)) == [ACCENTED]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_any_machine(write: Write, end: str) -> None:
    text = as_csv([HEADINGS, FIELD, MARSH]).replace("\r\n", end)
    assert cells_of(open_table(write(text))) == [FIELD, MARSH]


def test_rows_bear_the_numbers_that_a_spreadsheet_shows(write: Write) -> None:
    tall = (*FIELD[:4], "Flat 1\nThe Mill", *FIELD[5:])
    path = write([("Arrears report",), (), HEADINGS, tall, (), MARSH])
    table = open_table(path)
    assert (table.heading_row, list(table.rows())) == (3, [(4, tall), (6, MARSH)])


REPORT = [
    ("Rent arrears by patch", "", "", "", "", "", "", ""),
    ("Run date: 23/11/2026 09:31",),
    (),
    HEADINGS,
    FIELD,
    ("Page 1 of 2",),
    ("Rent arrears by patch", "", "", "", "", "", "", ""),
    ("tenancy ref", "TITLE", "Forename", "Surname", "Addr1", "Addr2", "Post code", "Current_Bal"),
    MARSH,
    (),
    ("Total", "", "", "", "", "", "", "£170.00"),
    ("", "", "", "", "", "Grand total:", "", "170.00"),
    ("*** End of report ***",),
]


def test_headings_are_found_below_title_lines_and_what_is_no_row_is_counted(write: Write) -> None:
    for words in (WORDS, ()):
        table = open_table(write(REPORT), words=words)
        assert (table.headings, table.heading_row) == (HEADINGS, 4)
        assert cells_of(table) == [FIELD, MARSH]
        dropped = Counter(line.dropped for line in table.lines() if line.dropped)
        assert dropped == {Dropped.TOTAL: 4, Dropped.HEADING: 2, Dropped.BLANK: 1}


@pytest.mark.parametrize(
    "row",
    [
        ("Total", "Mr", "Bob", "Marsh", "2 Mill Lane", "Hailsham", "BN27 1AB", "20.00"),
        ("000102", "Mr", "Bob", "Total", "2 Mill Lane", "Hailsham", "BN27 1AB", "20.00"),
        ("Totalis", "", "", "", "", "", "", "20.00"),
        ("", "", "", "", "", "", "", "170.00"),
        ("000102", "", "", "", "", "", "", ""),
    ],
)
def test_only_a_line_that_can_be_no_tenancy_is_dropped(write: Write, row: tuple[str, ...]) -> None:
    assert cells_of(open_table(write([HEADINGS, FIELD, row]))) == [FIELD, row]


def test_empty_cells_beyond_the_last_heading_are_no_fault(write: Write) -> None:
    assert cells_of(open_table(write(f"{as_csv([HEADINGS])}{','.join(FIELD)},,,\n"))) == [FIELD]


def test_a_list_of_headings_alone_opens_with_no_rows(write: Write) -> None:
    table = open_table(write("reference,reason,from,until\n"), words=words_of(SUPPRESSION))
    assert cells_of(table) == []


def test_without_words_the_headings_are_the_first_row_of_text_as_wide_as_those_below(write: Write) -> None:
    path = write([("Trial of reminders",), ("case", "arm", "paid"), ("1", "plain", "0"), ("2", "dated", "1")])
    table = open_table(path)
    assert (table.headings, table.heading_row) == (("case", "arm", "paid"), 2)


def test_a_table_of_two_columns_has_headings_too(write: Write) -> None:
    assert open_table(write("arm,y\na,1\nb,2\n")).headings == ("arm", "y")


def test_a_table_of_figures_alone_has_no_headings(write: Write) -> None:
    assert code_of(write("1,2,3\n4,5,6\n")) == FileCode.HEADINGS_NONE.slug


def test_two_headings_are_the_same_whatever_their_case_and_marks() -> None:
    same = ("Tenancy Ref", "tenancy_ref", "TENANCY-REF.", " Tenancy  Ref: ", "TenancyRef")
    assert {plain_heading(heading) for heading in same} == {"tenancyref"}
    assert plain_heading("Arrears %") != plain_heading("Arrears £")


def test_columns_are_lettered_as_in_a_spreadsheet() -> None:
    assert [column_letters(index) for index in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_the_hash_is_that_of_the_file_as_it_lies_there(write: Write) -> None:
    from nudge.base.files import sha256_file

    for path in (write([HEADINGS, FIELD]), write(gzip.compress(b"arm,y\na,1\n"), name="a.csv.gz")):
        assert open_table(path).sha256 == sha256_file(path)


def test_a_file_that_is_not_there_is_refused_and_one_that_is_closed_is_not_our_fault(tmp_path: Path) -> None:
    assert code_of(tmp_path / "none.csv") == FileCode.FILE_ABSENT.slug
    assert code_of(tmp_path) == FileCode.FILE_ABSENT.slug
    assert EnvironmentFault.exit_code == 4


# Workbooks


def test_a_workbook_gives_numbers_in_full_dates_as_iso_and_yes_or_no(workbook: Write) -> None:
    row = [100000000123, 1234.5, date(2026, 11, 23), datetime(2026, 11, 23, 9, 30), True, "007", 0.1 + 0.2]  # noqa: DTZ001
    path = workbook({"List": [("a", "b", "c", "d", "e", "f", "g"), row]})
    table = open_table(path)
    wanted = ("100000000123", "1234.5", "2026-11-23", "2026-11-23T09:30:00", "TRUE", "007", "0.3")
    assert (table.encoding, cells_of(table)) == ("xlsx", [wanted])


def test_a_number_with_more_digits_than_excel_keeps_shows_as_damaged() -> None:
    assert cell_text(1.234567890123456e17) == "1.23456789012346E+17"
    assert cell_text(999999999999999.0) == "999999999999999"
    assert cell_text(0.000012) == "0.000012"


def test_a_workbook_may_begin_below_and_right_of_its_first_cell(workbook: Write) -> None:
    path = workbook({"List": [HEADINGS, FIELD]}, first=(4, 2))
    table = open_table(path, words=WORDS)
    assert table.heading_row == 5
    assert list(table.rows()) == [(6, ("", "", *FIELD))]


def test_a_workbook_may_have_title_lines_and_totals(workbook: Write) -> None:
    path = workbook({"List": [[cell or None for cell in row] for row in REPORT]})
    assert [cells[0] for cells in cells_of(open_table(path, words=WORDS))] == ["000101", "000102"]


def test_hidden_and_empty_sheets_are_passed_over(workbook: Write) -> None:
    path = workbook({"List": [HEADINGS, FIELD], "Hidden notes": [HEADINGS, MARSH], "Sheet2": []})
    table = open_table(path)
    assert cells_of(table) == [FIELD]
    assert table.notes == ('read from the sheet "List"',)


def test_of_several_sheets_the_one_named_is_read(workbook: Write) -> None:
    path = workbook({"North & East": [HEADINGS, FIELD], "South": [HEADINGS, MARSH]})
    assert cells_of(open_table(path, sheet="South")) == [MARSH]
    assert cells_of(open_table(path, sheet="North & East")) == [FIELD]


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as part:
            for _ in range(LARGEST + 1):
                part.write(bytes(1 << 20))
    assert path.stat().st_size < 4 << 20
    assert code_of(path) == FileCode.WORKBOOK_TOO_LARGE.slug
