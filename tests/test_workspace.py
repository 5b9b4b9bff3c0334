"""A workspace: made once, private, and read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from nudge.base.errors import Refused
from nudge.base.resources import resources
from nudge.workspace import PrintSettings, keep_secret, make_workspace, open_workspace


@pytest.fixture
def rents(tmp_path: Path) -> Path:
    make_workspace(tmp_path / "rents", council="St Ives “Town” Council", resources=resources())
    return tmp_path / "rents"


def codes(refusal: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {problem.code for problem in refusal.value.problems}


def test_i12_a_workspace_is_private_to_its_owner(rents: Path) -> None:
    for path in [rents, *rents.rglob("*")]:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_a_workspace_is_found_from_any_folder_in_it(rents: Path) -> None:
    found = open_workspace(rents / "templates" / "letters")
    assert found.folder == rents
    assert found.council["name"] == "St Ives “Town” Council"
    assert found.database_url == f"sqlite:///{rents}/nudge.db"


def test_a_workspace_is_never_made_over_another(rents: Path) -> None:
    with pytest.raises(Refused) as refusal:
        make_workspace(rents, council="Another", resources=resources())
    assert codes(refusal) == {"already-there"}


def test_i11_a_workspace_cut_short_is_finished_and_keeps_what_was_edited(rents: Path) -> None:
    (rents / "nudge.toml").unlink()
    letter = rents / "templates/letters/arrears-current.html"
    letter.write_text("edited")
    (rents / "templates/letters/arrears-second.html").unlink()
    assert len(make_workspace(rents, council="Anytown", resources=resources(), dry_run=True)) == 2
    assert not (rents / "nudge.toml").exists()
    assert len(make_workspace(rents, council="Anytown", resources=resources())) == 2
    assert letter.read_text() == "edited"


def test_large_print_and_lines_in_another_language_may_be_given(rents: Path) -> None:
    assert open_workspace(rents).large_print == 16
    text = (rents / "nudge.toml").read_text("utf-8").replace("large_print = 16", "large_print = 18")
    (rents / "nudge.toml").write_text(text.replace("[records]", 'hours_cy = "Llun i Wener"\n\n[records]'), "utf-8")
    found = open_workspace(rents)
    assert (found.large_print, found.council["hours_cy"]) == (18, "Llun i Wener")


def test_outside_a_workspace_the_fix_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        open_workspace(tmp_path)
    assert codes(refusal) == {"not-a-workspace"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('telephone = "01632 960 100"', "", "setting-missing"),
        ('telephone = "01632 960 100"', 'telephone = ""', "setting-wrong"),
        ('telephone = "01632 960 100"', 'telephone = "01632 960 100"\nfax = "x"', "setting-unknown"),
        ("days = 365", 'days = "a year"', "setting-wrong"),
        ("[retention]", "[retention", "settings-unreadable"),
        ('sides = "two"', 'sides = "both"', "setting-wrong"),
        ('house = "mail-room"', 'houses = "docmail"', "setting-unknown"),
        ("large_print = 16", "large_print = 17", "setting-wrong"),
        ('name = "', 'name_cy = ""\nname = "', "setting-wrong"),
        ("most_sheets = 5", "most_sheets = 0", "setting-wrong"),
        ("most_sheets = 5", "most_sheets = true", "setting-wrong"),
        ('order = "postcode"', 'order = "postcode"\naction_code = "=1+1"', "setting-wrong"),
        ('marks = "none"', 'marks = "datamatrix"', "setting-wrong"),
        ("[print]", "[[print]]", "setting-wrong"),
        ("sqlite:///nudge.db", "postgresql+psycopg://rents:hunter2@db/nudge", "password-in-settings"),
    ],
)
def test_settings_that_will_not_do_are_refused_by_name(rents: Path, old: str, new: str, code: str) -> None:
    path = rents / "nudge.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(Refused) as refusal:
        open_workspace(rents)
    assert code in codes(refusal)
    assert "hunter2" not in str(refusal.value)


def test_the_database_variable_wins_over_the_settings(rents: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUDGE_DATABASE_URL", "postgresql+psycopg://db/nudge")
    assert open_workspace(rents).database_url == "postgresql+psycopg://db/nudge"


def test_a_secret_is_whole_private_and_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "one.secret"
    keep_secret(path, bytes(range(32)))
    assert path.read_text() == bytes(range(32)).hex() + "\n"
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        keep_secret(path, bytes(32))
    assert path.read_text() == bytes(range(32)).hex() + "\n"
    assert [one.name for one in path.parent.iterdir()] == ["one.secret"]


@pytest.mark.parametrize(
    ("house", "marks", "profile", "wrong"),
    [
        ("docmail", "omr", "dl", True),
        ("mail-room", "omr", "notify", True),
        ("fixed-zone", "none", "notify", True),
        ("mail-room", "omr", "c5", False),
        ("fixed-zone", "none", "dl", False),
    ],
)
def test_print_settings_that_contradict_each_other_are_refused(
    rents: Path, house: str, marks: str, profile: str, wrong: bool
) -> None:
    path = rents / "nudge.toml"
    text = path.read_text("utf-8").replace('house = "mail-room"', f'house = "{house}"')
    path.write_text(text.replace('"none"', f'"{marks}"').replace('"dl"', f'"{profile}"'), "utf-8")
    if not wrong:
        printing = open_workspace(rents).printing
        assert (printing.house, printing.marks) == (house, marks)
        return
    with pytest.raises(Refused) as refusal:
        open_workspace(rents)
    assert codes(refusal) == {"setting-wrong"}


def test_without_a_print_table_packs_are_as_they_were_before_there_was_one(rents: Path) -> None:
    path = rents / "nudge.toml"
    before, _, rest = path.read_text("utf-8").partition("[print]")
    path.write_text(before + rest[rest.index("[retention]") :], "utf-8")
    assert open_workspace(rents).printing == PrintSettings()
