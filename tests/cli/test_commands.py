"""The command line: help, exit codes, figures, dry runs, and what is said at the end."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import click
import pytest
from pydantic_core import SchemaError

import nudge as package
from nudge.base.errors import EnvironmentFault, PartlyDone, Place, Problem, Refused
from nudge.cli import main as face
from nudge.cli.main import SECTIONS, run, tell
from nudge.cli.main import nudge as group
from nudge.records.tables import BatchRow
from tests.cli.conftest import Terminal, at
from tests.trial.conftest import MONDAY, TUESDAY, WEDNESDAY, Office, as_csv, tenancy, week_one

COMMANDS = [name for section in SECTIONS.values() for name in section]
HEAVY = ("weasyprint", "scipy.stats", "matplotlib", "sqlmodel", "numpy", "pydantic", "pikepdf")


def command(name: str) -> click.Command:
    found = group.get_command(click.Context(group), name)
    assert found is not None
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_one_line_of_help_and_an_example(name: str, nudge: Terminal) -> None:
    shown = nudge(name, "--help")
    assert shown.code == 0
    assert "Example" in shown.out
    assert f"nudge {name}" in shown.out
    first = (command(name).help or "").splitlines()[0]
    assert len(first) <= 110
    assert first.endswith(".")


WRITES = {"init", "seal", "amend", "close", "erase", "enrol", "letters", "dispatch", "responses", "undo", "hold"}
WRITES |= {"compare", "signs", "notice"}
FIGURES = set(COMMANDS) - {"init", "demo", "notice"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_that_writes_has_a_dry_run_and_every_one_with_figures_gives_json(name: str) -> None:
    options = {option for parameter in command(name).params for option in parameter.opts}
    assert ("--dry-run" in options) == (name in WRITES)
    assert ("--json" in options) == (name in FIGURES)


@pytest.mark.parametrize("code", ["import nudge", "from nudge.cli.main import run; run(['--help'])"])
def test_import_and_help_load_nothing_heavy(code: str) -> None:
    listing = f"{code}\nimport sys; print('MODULES', *sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True, timeout=60)
    modules = set(done.stdout.split("MODULES ")[1].split())
    assert not [name for name in HEAVY if name in modules]


def test_the_library_exports_what_it_names() -> None:
    assert {"analyse", "load", "open_workspace", "open_trial", "enrol", "estimate", "Design"} <= set(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None
        assert name in dir(package)
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        package.nothing_of_the_kind  # noqa: B018


def test_nothing_in_the_package_imports_from_its_front_door() -> None:
    root = Path(package.__file__).parent
    for path in root.rglob("*.py"):
        lines = path.read_text("utf-8").splitlines()
        assert not [line for line in lines if line.strip().startswith(("from nudge import", "import nudge"))], path


# Exit codes.


def test_exit_2_for_a_command_put_together_wrongly(nudge: Terminal, office: Office) -> None:
    at(office, nudge)
    assert nudge("enrole").code == 2
    assert "Did you mean `nudge enrol`?" in nudge("enrole").err
    assert nudge("enrol", "wealden-arrears").code == 2
    assert nudge("dispatch", "wealden-arrears").code == 2
    assert nudge("letters", "wealden-arrears", "--suppress", office.list()).code == 2
    shown = nudge("dispatch", "wealden-arrears/1", "--on", "12/13/2026")
    assert shown.code == 2
    assert "2026-11-23" in shown.err


def test_exit_3_says_where_what_was_expected_and_one_fix(nudge: Terminal, office: Office, tmp_path: Path) -> None:
    nudge.go(tmp_path)
    shown = nudge("status")
    assert shown.code == 3
    assert "nudge init" in shown.err
    at(office, nudge)
    shown = nudge("status", "no-such-trial")
    assert shown.code == 3
    assert "wealden-arrears" in shown.err
    shown = nudge("uplift", "wealden-arrears")
    assert shown.code == 3
    assert "nudge dispatch" in shown.err


def _raise(fault: BaseException) -> click.Command:
    @click.command()
    def broken() -> None:
        raise fault

    return broken


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (SchemaError('Error building "model" validator:\n  KeyboardInterrupt: '), 130),  # pressed while it is built
        (EnvironmentFault(message="the disk is full"), 4),
        (PartlyDone(message="run it again"), 5),
        (OSError(errno.ENOSPC, "No space left on device", "letters"), 4),
        (ValueError("Mrs Zephyrine Ashdown of 1 Invented Row"), 1),
        (OSError(errno.EIO, "Zephyrine"), 1),
    ],
)
def test_i12_each_kind_of_end_has_its_code_and_a_bug_prints_no_tenants_data(
    fault: BaseException, code: int, nudge: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "get_command", lambda *_: _raise(fault))
    shown = nudge("status")
    assert shown.code == code
    assert "Zephyrine" not in shown.out + shown.err
    assert "Traceback" not in shown.err
    if code == 1:
        assert "mistake in nudge" in shown.err
    if code == 130:
        assert "goes on from there" in shown.err


def test_ctrl_c_in_a_real_process_ends_with_130(office: Office) -> None:
    extract = office.file("week.csv", as_csv([tenancy(number) for number in range(1, 9)]))
    ready = "from nudge.cli.main import main; print('ready', flush=True); main()"
    typed = [sys.executable, "-c", ready, "enrol", "wealden-arrears", str(extract)]
    typed += ["--suppress", str(office.list()), "--dated", MONDAY.isoformat(), "--today", MONDAY.isoformat()]
    before = office.snapshot()
    with subprocess.Popen(typed, cwd=office.folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(1)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=60)
    if child.returncode == 0:
        pytest.skip("it was done before it could be interrupted")
    assert (child.returncode, "Interrupted" in said) == (130, True), said
    assert office.snapshot() == before


def _little_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))  # the records fit, the merged print file does not


def test_i11_a_full_disk_ends_with_4_and_the_same_command_finishes(drawn_office: Office) -> None:
    typed = [sys.executable, "-c", "from nudge.cli.main import main; main()", "letters", "wealden-arrears/1"]
    typed += ["--today", MONDAY.isoformat(), "--workers", "1"]
    drawn_office.close()
    full = subprocess.run(
        typed,
        cwd=drawn_office.folder,
        capture_output=True,
        text=True,
        preexec_fn=_little_room,
        check=False,
        timeout=120,
    )
    assert full.returncode == 4, full.stderr
    assert [row.status for row in drawn_office.rows(BatchRow)] == ["drawn"]
    assert not [name for name in drawn_office.files() if name.endswith(".part")]
    again = subprocess.run(typed, cwd=drawn_office.folder, capture_output=True, text=True, check=False, timeout=120)
    assert again.returncode == 0, again.stderr
    assert [row.status for row in drawn_office.rows(BatchRow)] == ["lettered"]


# A month at the terminal.


def test_an_officer_goes_from_an_empty_folder_to_a_batch_and_back(
    nudge: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nudge.go(tmp_path)
    assert nudge("init", "rents", "--dry-run").code == 0
    assert not (tmp_path / "rents").exists()
    made = nudge("init", "rents", "--council", "Anytown Borough Council")
    assert made.code == 0
    assert "Next: cd rents" in made.out
    nudge.go(tmp_path / "rents")
    assert nudge("init", ".").code == 3
    shown = nudge("check", "experiments/wealden-arrears.yaml")
    assert shown.code == 0  # what only the seal needs is listed, and is no failure
    assert "Before it can be sealed" in shown.out
    assert nudge("seal", "wealden-arrears").code == 3
    assert "nudge check" in nudge("status").out


def enrol(nudge: Terminal, office: Office, *more: object, rows: list[dict[str, str]] | None = None) -> object:
    extract = office.file("week.csv", as_csv(rows or week_one()))
    return nudge(
        "enrol", "wealden-arrears", extract, "--suppress", office.list(), "--dated", MONDAY, *more, on=MONDAY
    )  # fmt: skip


def test_json_has_standard_output_to_itself(nudge: Terminal, posted_office: Office) -> None:
    at(posted_office, nudge)
    listed = posted_office.list()
    later = WEDNESDAY + timedelta(days=1)
    for words in (
        ("status", "--json", "-"),
        ("why", "wealden-arrears", "T000001", "--json", "-"),
        ("verify", "wealden-arrears", "--json", "-"),
        ("review", "wealden-arrears", "--json", "-"),
        ("hold", "wealden-arrears", "T000001", "--because", "crisis", "--json", "-"),
        ("check", "experiments/wealden-arrears.yaml", "--json", "-"),
        ("seal", "wealden-arrears", "--json", "-"),
        ("letters", "wealden-arrears/1", "--again", "T000002", "--json", "-"),
        ("erase", "wealden-arrears", "T000003", "--dry-run", "--json", "-"),
        ("dispatch", "wealden-arrears/1", "--on", WEDNESDAY, "--suppress", listed, "--dated", WEDNESDAY, "--json", "-"),
        ("dispatch", "wealden-arrears/1", "--correct", TUESDAY, "--because", "late entry", "--json", "-"),
        ("close", "wealden-arrears", "--abandon", "--because", "test", "--dry-run", "--json", "-"),
    ):
        shown = nudge(*words) if words[0] in {"verify", "check"} else nudge(*words, on=later)
        assert shown.code == 0, (words, shown.err)
        assert shown.figures() is not None
        assert shown.err  # the sentences stand aside
    target = posted_office.folder / "figures.json"
    assert nudge("status", "--json", target, on=later).code == 0
    assert json.loads(target.read_text("utf-8"))
    assert target.stat().st_mode & 0o777 == 0o600


def test_the_weekly_commands_say_what_changed_what_is_next_and_how_to_go_back(nudge: Terminal, office: Office) -> None:
    at(office, nudge)
    dry = enrol(nudge, office, "--dry-run", "--json", "-")
    assert dry.code == 0
    assert dry.figures()["batch"] is None
    done = enrol(nudge, office)
    assert done.code == 0
    for words in ("read as", "tenancies allocated", "nudge undo wealden-arrears/1", "Next: nudge letters"):
        assert words in done.out
    assert "Nothing changed" in enrol(nudge, office).out
    made = nudge("letters", "wealden-arrears", on=MONDAY)
    assert made.code == 0
    for words in ("print-001.pdf", "manifest.csv", "nudge undo wealden-arrears/1", "Next: nudge dispatch"):
        assert words in made.out
    fresh = office.list("T000001,deceased,,\n", "fresh.csv")
    posting = ("dispatch", "wealden-arrears/1", "--on", TUESDAY, "--suppress", fresh, "--dated", TUESDAY)
    posted = nudge(*posting, on=TUESDAY)
    assert posted.code == 0
    for words in ("withheld: deceased", "pull-list.csv", "--correct", "Next: nudge responses"):
        assert words in posted.out
    assert "Nothing changed" in nudge(*posting, on=TUESDAY).out
    assert nudge("undo", "wealden-arrears/1", on=TUESDAY).code == 3
    arms = set(office.arms().values())
    assert not [arm for arm in arms if arm in done.out + made.out + posted.out + nudge("status", on=TUESDAY).out]
    office.close()


def test_the_wrong_file_of_responses_is_taken_back(nudge: Terminal, posted_office: Office) -> None:
    at(posted_office, nudge)
    before = posted_office.snapshot()
    file = posted_office.file("contacts.csv", "Date,Direction,Reason,Tenancy Ref\n2026-12-10,in,rent,T000001\n")
    week = (WEDNESDAY, WEDNESDAY + timedelta(days=6))
    added = nudge("responses", "wealden-arrears", file, "--kind", "contacts", "--covers", *week, on=week[1])
    assert (added.code, "--withdraw" in added.out) == (0, True)
    typed = ("responses", "wealden-arrears", file, "--withdraw", "--because", "the wrong month")
    assert nudge(*typed, "--dry-run", on=week[1]).code == 0
    assert nudge(*typed, on=week[1]).code == 0
    after = posted_office.snapshot()
    assert {name for name in after if after[name] != before[name]} == {"AuditRow"}
    assert nudge(*typed, on=week[1]).code == 3


def test_an_experiment_may_be_named_by_its_file(nudge: Terminal, lettered_office: Office) -> None:
    at(lettered_office, nudge)
    shown = nudge("letters", "experiments/wealden-arrears.yaml", "--dry-run", on=MONDAY)
    assert (shown.code, shown.err) == (0, "")


def test_an_erasure_asks_first(nudge: Terminal, drawn_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    at(drawn_office, nudge)
    before = drawn_office.snapshot()
    monkeypatch.setattr(click, "confirm", lambda *_, **__: False)
    shown = nudge("erase", "wealden-arrears", "T000001", on=TUESDAY)
    assert (shown.code, "Nothing was deleted" in shown.out) == (0, True)
    assert drawn_office.snapshot() == before
    assert nudge("erase", "wealden-arrears", "T000001", "--yes", on=TUESDAY).code == 0
    assert drawn_office.snapshot() != before


def test_a_broken_experiment_file_does_not_hide_the_other_trials(nudge: Terminal, posted_office: Office) -> None:
    at(posted_office, nudge)
    (posted_office.folder / "experiments/another.yaml").write_text("id: [", "utf-8")
    shown = nudge("status", on=WEDNESDAY)
    assert shown.code == 0
    assert "another: its file has mistakes" in shown.out
    assert "letters posted" in shown.out
    assert nudge("status", "another", on=WEDNESDAY).code == 3


def test_doctor_says_what_this_machine_has(nudge: Terminal, office: Office) -> None:
    at(office, nudge)
    shown = nudge("doctor", "--json", "-")
    found = {one["what"]: one for one in shown.figures()}
    assert {"Python", "Pango", "records", "disk", "this folder"} <= set(found)
    assert shown.code == (0 if all(one["good"] for one in found.values()) else 4)


def test_a_long_refusal_is_cut_at_twenty_rows(nudge: Terminal, office: Office) -> None:
    at(office, nudge)
    rows = [tenancy(number, Arrears="rather a lot") for number in range(1, 31)]
    shown = enrol(nudge, office, rows=[*rows, tenancy(40)])
    assert shown.code == 3
    lines = shown.err.splitlines()
    assert lines[1:3] == ["To do, where the file comes from:", "  - correct the values of 30 rows"]
    assert sum(line.startswith("row") for line in lines) == 20
    assert lines[-1] == "… and 10 rows more"
    assert "rather a lot" not in shown.err


def test_a_refusal_of_many_problems_is_cut_at_twenty(capsys: pytest.CaptureFixture[str]) -> None:
    many = [Problem("code", Place("week.csv", row=row), "a value", "Correct it.") for row in range(31)]
    tell(Refused(*many))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 21
    assert lines[-1] == "… and 11 more."


def test_everything_written_is_private(nudge: Terminal, posted_office: Office) -> None:
    assert run(["--version"]) == 0
    old = os.umask(0o022)
    os.umask(old)
    for path in (posted_office.folder / "out").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert face.SHOWN == 20
