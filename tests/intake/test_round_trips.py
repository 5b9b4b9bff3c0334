"""What a correct exporter writes comes back unchanged, and every row of any file is accounted for."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from intake_defects import FILES, KINDS, faults_of, name_of
from intake_files import HEADINGS

from nudge.base.columns import Kind
from nudge.base.errors import Refused
from nudge.intake.codes import FileCode
from nudge.intake.encoding import GARBLED
from nudge.intake.extract import read_extract
from nudge.intake.headings import TENANCY, words_of
from nudge.intake.reader import open_table
from nudge.intake.rejects import write_rejects

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def exported(folder: Path, rows: list[tuple[str, ...]], encoding: str = "utf-8", mark: str = ",") -> Path:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=mark).writerows(rows)
    path = folder / "week.csv"
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def cells_in(encoding: str) -> st.SearchStrategy[str]:
    """Any text that the encoding has, such as names and addresses are made of; line ends too, in quotes."""
    single = encoding if encoding == "cp1252" else None
    plain = st.characters(codec=single, categories=["L", "Mn", "Nd", "Pd", "Po", "Zs"], include_characters="\n")
    return st.text(plain, max_size=24)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@FEW
@given(data=st.data())
def test_any_names_and_addresses_come_back_as_they_were_written(
    tmp_path: Path, encoding: str, mark: str, data: st.DataObject
) -> None:
    row = st.tuples(st.just("T1"), *(cells_in(encoding) for _ in HEADINGS[1:]))
    rows = data.draw(st.lists(row, min_size=1, max_size=6))
    assume(not GARBLED.search("\n".join(map("\t".join, rows))))
    path, words = exported(tmp_path, [HEADINGS, *rows], encoding, mark), words_of(TENANCY)
    try:
        table = open_table(path, words=words)
    except Refused as refusal:  # letters that other encodings put where £ and é should be: asked, never guessed
        if [problem.code for problem in refusal.problems] != [FileCode.ENCODING_UNSURE.slug]:
            raise
        table = open_table(path, words=words, encoding=encoding)
    assert [cells for _, cells in table.rows()] == rows


name = st.from_regex(r"[A-ZŁÉÖŴ][a-zéöŵ'’-]{1,12}", fullmatch=True)
good = st.tuples(
    *(st.from_regex(r"T[0-9]{1,2}", fullmatch=True), st.sampled_from(["Mr", "Mrs", ""]), name, name),
    *(st.sampled_from(["1 Mill Lane", "2 Mill Lane"]), st.sampled_from(["Hailsham", "Lewes"])),
    *(st.sampled_from(["BN27 1AA", "BN7 1AA"]), st.sampled_from(["150.00", "20.00", ""])),
)
spoilt = st.tuples(
    *(st.sampled_from(["T1", "", "1.00E+11", "0007", "7"]), st.sampled_from(["Mr", "Mx", "Zz"])),
    *(st.sampled_from(["Ann", "A & B", ""]), st.sampled_from(["Field", "", "The Occupier"])),
    *(st.sampled_from(["1 Mill Lane", "NFA", ""]), st.just("Hailsham")),
    *(st.sampled_from(["BN27 1AA", "BN27"]), st.sampled_from(["1.00", "x", "#REF!"])),
)
other = st.sampled_from(
    [(), ("",) * 8, HEADINGS, ("Total", *("",) * 6, "9.00"), ("Page 1 of 2",), ("T1", "Mr"), ("x",) * 12]
)


@FEW
@given(st.lists(st.one_of(good, spoilt, other), min_size=1, max_size=25))
def test_rejected_and_accepted_and_dropped_rows_are_the_rows_of_the_file(
    tmp_path: Path, rows: list[tuple[str, ...]]
) -> None:
    path = exported(tmp_path, [HEADINGS, *rows])
    assume(any(len(row) and row != HEADINGS and any(row) and row[0] not in {"Total", "Page 1 of 2"} for row in rows))
    with read_extract(path, {"arrears": Kind.MONEY}, None) as extract:
        found = list(extract.tenancies())
        assert extract.rows == len(rows)
        assert extract.accepted + extract.rejected + sum(extract.dropped.values()) == extract.rows
        used = Counter(row for tenancy in found for row in tenancy.rows)
        assert set(used.values()) <= {1}
        assert len(used) == extract.accepted + extract.dropped.get("duplicate", 0)
        assert not set(used) & {one.row for one in extract.rejects}
        assert len(found) == extract.count == len({tenancy.reference for tenancy in found})


@FEW
@given(st.lists(good, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_i2_the_order_of_the_rows_changes_nothing_but_their_numbers(
    tmp_path: Path, rows: list[tuple[str, ...]], order: object
) -> None:
    def read(lines: list[tuple[str, ...]]) -> list[object]:
        with read_extract(exported(tmp_path, [HEADINGS, *lines]), {"arrears": Kind.MONEY}, None) as extract:
            return [(one.reference, set(one.people), one.post_to, dict(one.values)) for one in extract.tenancies()]

    shuffled = list(rows)
    order.shuffle(shuffled)
    assert read(shuffled) == read(rows)


CANARY = "Zzyzxcanary"


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".csv"], ids=name_of)
def test_i12_no_message_repeats_a_tenants_cell(path: Path, tmp_path: Path) -> None:
    """Each defective file again, with a canary in its names and addresses, which no refusal or reject may repeat."""
    content = path.read_bytes()
    for word in (b"Bob", b"Marsh", b"Mill Lane", b"Hailsham"):
        content = content.replace(word, word + CANARY.encode())
    folder = tmp_path / path.parent.name
    folder.mkdir()
    spoilt = folder / path.name
    spoilt.write_bytes(content)
    for fault in faults_of(spoilt):
        assert CANARY not in f"{fault}{fault!r}"


@FEW
@given(cell=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12), at=st.integers(0, 7))
def test_i12_whatever_a_cell_holds_no_message_repeats_it(tmp_path: Path, cell: str, at: int) -> None:
    marked = f"{CANARY}{cell}{CANARY}"
    row = ["000101", "Mr", "Bob", "Marsh", "2 Mill Lane", "Hailsham", "BN27 1AB", "20.00"]
    row[at] = marked
    try:
        with read_extract(exported(tmp_path, [HEADINGS, tuple(row)]), dict(list(KINDS.items())[:1]), None) as extract:
            said = f"{extract!r}{extract.rejects!r}{[str(one) for one in extract.rejects]}"
            listing = write_rejects(tmp_path / "rejects.csv", extract.rejects).read_text("utf-8-sig")
            assert bool(extract.rejects) == (CANARY in listing)
    except Refused as refusal:
        said = f"{refusal}{refusal!r}"
    assert CANARY not in said
