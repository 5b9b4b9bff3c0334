"""A batch of letters survives what happens to computers, and never leaves half a letter (I11, I13)."""

from __future__ import annotations

import json
import pickle
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
from invented import ALL, CURRENT, NORM, folder_with, invented, shipped
from workers import double_or_die, refuse_seven

from nudge.base.errors import EnvironmentFault, NudgeError, Refused
from nudge.base.files import sha256_file
from nudge.documents.batch import FOLDER, JOURNAL, letter_key, letter_path, local_executor, make_letters, prove_letters
from nudge.documents.codes import LetterCode, TemplateCode
from nudge.documents.crew import LocalExecutor, Lost, carry_out
from nudge.documents.form import Form, Format

HERE = Path(__file__).parent
SPECS = [invented(number, template=ALL[number % 3]) for number in range(6)]


def make(specs=SPECS, out=None, folder=None, **other):
    return make_letters(specs, folder or shipped(), "dl", out, **other)


def contents(out):
    return {path.name: path.read_bytes() for path in sorted((out / FOLDER).glob("*.pdf"))}


def test_letters_are_whole_private_files_in_the_order_of_the_batch(tmp_path):
    seen = []
    made = make(out=tmp_path, progress=lambda done, of: seen.append((done, of)))
    assert [letter.reference for letter in made.letters] == [spec.reference for spec in SPECS]
    assert made.refused == {}
    assert made.kept == 0
    assert seen[-1] == (6, 6)
    for letter in made.letters:
        assert letter.path == tmp_path / "letters" / f"{letter.reference}.pdf"
        assert stat.S_IMODE(letter.path.stat().st_mode) == 0o600
        assert sha256_file(letter.path) == letter.sha256
        assert (letter.pages, letter.sheets) == (1, 1)
        assert len(pypdfium2.PdfDocument(letter.path)) == 1
    assert stat.S_IMODE((tmp_path / FOLDER).stat().st_mode) == 0o700


def test_i11_a_second_run_keeps_every_letter_and_touches_none(tmp_path):
    first = make(out=tmp_path)
    times = {letter.path: letter.path.stat().st_mtime_ns for letter in first.letters}
    second = make(out=tmp_path)
    assert second.kept == 6
    assert second.letters == first.letters
    assert times == {letter.path: letter.path.stat().st_mtime_ns for letter in second.letters}


def test_i11_a_letter_lost_cut_short_or_altered_is_made_again_with_the_same_bytes(tmp_path):
    first = make(out=tmp_path)
    before = contents(tmp_path)
    gone, short, altered = (letter.path for letter in first.letters[:3])
    gone.unlink()
    short.write_bytes(short.read_bytes()[:900])
    altered.write_bytes(altered.read_bytes().replace(b"PDF", b"PDG", 1))
    again = make(out=tmp_path)
    assert again.kept == 3
    assert contents(tmp_path) == before


def test_i11_a_torn_journal_costs_work_and_no_letter(tmp_path):
    make(out=tmp_path)
    before = contents(tmp_path)
    journal = tmp_path / FOLDER / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-40] + b'["half')
    again = make(out=tmp_path)
    assert again.kept == 5
    assert contents(tmp_path) == before


def test_a_changed_value_or_template_makes_that_letter_anew_and_only_that(tmp_path):
    make(out=tmp_path)
    other = [replace(SPECS[0], fields={"arrears": 1}), *SPECS[1:]]
    assert make(other, out=tmp_path).kept == 5
    folder = folder_with(
        tmp_path / "own", "letters/letter.css", (shipped().path / "letters/letter.css").read_text() + " "
    )
    assert make(other, out=tmp_path, folder=folder).kept == 0


def test_a_letter_with_a_problem_is_not_written_and_one_that_stood_there_goes(tmp_path):
    make(SPECS[:2], out=tmp_path)
    bad = [replace(SPECS[0], fields={"arrears": None}), SPECS[1]]
    made = make(bad, out=tmp_path)
    assert [letter.reference for letter in made.letters] == [SPECS[1].reference]
    assert [problem.code for problem in made.refused[SPECS[0].reference]] == [TemplateCode.VALUE_BLANK.slug]
    assert not letter_path(tmp_path / FOLDER, SPECS[0].reference).exists()


def test_i4_proving_draws_every_letter_names_each_at_fault_and_writes_nothing(tmp_path):
    specs = [SPECS[0], invented(7, name="Mrs 😀"), invented(8, post_to=("x" * 60, "y" * 200, "Town", "TN7 4AB"))]
    before = sorted(tmp_path.rglob("*"))
    found = prove_letters(specs, shipped(), "dl")
    assert list(found) == [specs[1].reference, specs[2].reference]
    assert found[specs[1].reference][0].code == LetterCode.CHARACTER_MISSING.slug
    assert LetterCode.ADDRESS_OUTSIDE_WINDOW.slug in {problem.code for problem in found[specs[2].reference]}
    assert sorted(tmp_path.rglob("*")) == before


def test_i4_the_letters_of_every_arm_are_proved_at_once(tmp_path):
    broken = folder_with(tmp_path, CURRENT, "<html lang=en><p>{{ nothing }}</p></html>")
    both = [invented(1, template=CURRENT), invented(1, template=NORM), invented(2, template=NORM)]
    found = prove_letters(both, broken, "dl")
    assert {reference: [problem.code for problem in problems] for reference, problems in found.items()} == {
        both[0].reference: [TemplateCode.NAME_UNDEFINED.slug]
    }


def test_i4_a_template_that_a_screen_reader_cannot_follow_is_named_before_the_draw(tmp_path):
    base = (shipped().path / "letters/base.html").read_text("utf-8")
    folder = folder_with(tmp_path, "letters/base.html", base.replace("<h1", "<h4").replace("</h1>", "</h4>"))
    [problems] = prove_letters(SPECS[:1], folder, "dl").values()
    assert [problem.code for problem in problems] == [LetterCode.NOT_ACCESSIBLE.slug]


def test_a_run_for_some_letters_forgets_nothing_of_the_others(tmp_path):
    make(out=tmp_path)
    assert make(SPECS[:2], out=tmp_path).kept == 2
    assert make(out=tmp_path).kept == 6


def test_one_reference_twice_or_an_unknown_envelope_refuses_the_batch(tmp_path):
    with pytest.raises(Refused):
        make([SPECS[0], SPECS[0]], out=tmp_path)
    with pytest.raises(Refused) as refusal:
        prove_letters(SPECS, shipped(), "c4")
    assert refusal.value.problems[0].code == LetterCode.PROFILE_UNKNOWN.slug
    assert not (tmp_path / FOLDER).exists()


def test_a_path_is_made_of_a_reference_and_of_nothing_else(tmp_path):
    with pytest.raises(ValueError, match="reference"):
        letter_path(tmp_path, "../../etc/passwd")


def test_i13_two_processes_make_the_same_bytes_as_one(tmp_path):
    make(out=tmp_path / "one")
    with local_executor(2) as executor:
        make(out=tmp_path / "two", executor=executor)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_the_key_hangs_on_every_part_of_a_letter():
    hashes = shipped().hashes()
    key = letter_key(SPECS[0], hashes, "dl")
    assert key == letter_key(invented(0, template=CURRENT), hashes, "dl")
    others = [letter_key(SPECS[1], hashes, "dl"), letter_key(SPECS[0], hashes, "c5")]
    others += [letter_key(SPECS[0], hashes | {"letters/base.html": "0"}, "dl")]
    assert len({key, *others}) == 4


RUN = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
from invented import ALL, invented, shipped
from nudge.documents.batch import make_letters
specs = [invented(number, template=ALL[number % 3]) for number in range(32)]
make_letters(specs, shipped(), "dl", Path({out!r}))
"""


def test_i11_a_run_killed_half_way_leaves_whole_letters_and_the_next_run_finishes_it(tmp_path):
    script = RUN.format(path=[str(HERE), *sys.path], out=str(tmp_path))
    running = subprocess.Popen([sys.executable, "-c", script])
    end = time.monotonic() + 60
    while len(list(tmp_path.glob("letters/*.pdf"))) < 27 and time.monotonic() < end and running.poll() is None:
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.wait()
    left = contents(tmp_path)
    assert 27 <= len(left) < 32
    assert all(len(pypdfium2.PdfDocument(content)) == 1 for content in left.values())
    specs = [invented(number, template=ALL[number % 3]) for number in range(32)]
    made = make(specs, out=tmp_path)
    assert made.kept == 25  # the chunk that was finished; the other letters are made again, byte for byte
    assert len(made.letters) == 32
    assert {name: contents(tmp_path)[name] for name in left} == left
    assert [path.name for path in (tmp_path / FOLDER).iterdir() if path.name.endswith(".part")] == []


FULL = """
import resource, sys
sys.path[:0] = {path!r}
from pathlib import Path
from invented import invented, shipped
from nudge.documents.batch import make_letters
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
make_letters([invented(1)], shipped(), "dl", Path({out!r}))
"""


def test_i11_a_letter_that_does_not_fit_on_the_disk_leaves_no_empty_file(tmp_path):
    script = FULL.format(path=[str(HERE), *sys.path], out=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == [JOURNAL]


def test_i11_an_item_that_kills_its_worker_is_set_aside_and_all_others_are_done():
    with LocalExecutor(2) as executor:
        found = list(carry_out(double_or_die, list(range(20)), executor, chunk=5))
    lost = [one.item for one in found if isinstance(one, Lost)]
    done = sorted(number for one in found if not isinstance(one, Lost) for number in one)
    assert lost == [13]
    assert done == [2 * number for number in range(20) if number != 13]


def test_what_stops_the_work_arrives_as_it_was_raised():
    with LocalExecutor(1) as executor, pytest.raises(EnvironmentFault, match="the disk is full") as fault:
        list(carry_out(refuse_seven, list(range(20)), executor, chunk=5))
    assert fault.value.problems == ()


def test_any_executor_will_do():
    with ThreadPoolExecutor(2) as executor:
        found = list(carry_out(refuse_seven, [1, 2, 3], executor, chunk=2))
    assert sorted(found) == [[1, 2], [3]]


def test_an_error_carries_its_problems_out_of_another_process():
    problem = TemplateCode.OUTSIDE_FOLDER.at(SPECS[0].place)
    again = pickle.loads(pickle.dumps(Refused(problem)))
    assert (type(again), again.problems, str(again)) == (Refused, (problem,), str(problem))
    assert isinstance(again, NudgeError)


def test_i12_the_journal_names_nobody(tmp_path):
    make(SPECS[:1], out=tmp_path)
    [line] = (tmp_path / FOLDER / JOURNAL).read_text().splitlines()
    reference, key, digest, pages, form = json.loads(line)
    assert (reference, len(key), len(digest), pages, form) == (SPECS[0].reference, 64, 64, 1, "standard")


def test_a_letter_that_is_not_printed_is_text_beside_the_letters_and_is_kept_or_made_again(tmp_path):
    spec = replace(SPECS[0], form=Form(format=Format.EMAIL))
    [letter] = make([spec], out=tmp_path).letters
    assert letter.path == tmp_path / "email" / f"{spec.reference}.txt"
    assert (letter.pages, letter.sheets, letter.on_paper) == (0, 0, False)
    assert make([spec], out=tmp_path).kept == 1
    letter.path.write_text("something else")
    assert make([spec], out=tmp_path).kept == 0
    assert letter.path.read_text("utf-8").startswith("Subject: ")
    refused = replace(spec, name="Bob\u200b", salutation="Bob\u200b")
    assert [one.code for one in make([refused], out=tmp_path).refused[spec.reference]] == ["character-hidden"]
    assert not letter.path.exists()


def test_the_personal_norm_letter_is_one_of_them():
    assert NORM in {spec.template for spec in SPECS}
