"""A workspace: one folder with the council's settings, its experiments and templates, and all private data.

`nudge init` makes it; nothing writes `nudge.toml` afterwards. Folders are 0700, files 0600 (I12).
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from nudge.base.codes import Code
from nudge.base.errors import Place, Problem, Refused
from nudge.base.files import private_folder, write_whole

SETTINGS: Final = "nudge.toml"
DATABASE_VARIABLE: Final = "NUDGE_DATABASE_URL"
# What every letter of a council needs to know of its sender; a letter cannot be drawn without them.
COUNCIL_KEYS: Final = (
    "name",
    "service",
    "return_address",
    "telephone",
    "hours",
    "email",
    "website",
    "pay_online",
    "pay_telephone",
    "pay_account",
    "benefit_help",
    "debt_advice",
    "language_line",
    "signed_by",
)


LARGE_PRINT: Final = (16, 18)  # points; a recipient's own cell may ask for the larger
_IN_LANGUAGE: Final = re.compile(rf"(?:{'|'.join(COUNCIL_KEYS)})_[a-z]{{2}}")  # a line in another language: hours_cy


class WorkspaceCode(Code):
    """What can be wrong with a workspace or its settings."""

    NOT_A_WORKSPACE = (
        "a nudge workspace (a folder with nudge.toml)",
        "Run `nudge init {folder}`, or go to your workspace.",
    )
    ALREADY_THERE = ("a folder without a nudge.toml", "This is a workspace already: use it, or name another folder.")
    SETTINGS_UNREADABLE = ("settings in TOML", "Correct line {line}: {reason}.")
    SETTING_MISSING = ("the setting {key} in [{table}]", 'Add {key} = "…" to [{table}].')
    SETTING_UNKNOWN = ("a setting nudge knows", "Remove {key} from [{table}], or correct its spelling.")
    SETTING_WRONG = ("{key} to be {expected}", "Correct {key} in [{table}].")
    PASSWORD_IN_SETTINGS = (
        "a database URL without a password",
        "Take the password out of nudge.toml and set the whole URL in NUDGE_DATABASE_URL.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintSettings:
    """How a pack is made up for whoever prints and posts it: the table `[print]`, as it is without one.

    `mail-room` prints the file as it is; `docmail` takes it with an address file beside it; `fixed-zone` is a house
    that finds the first page of each letter by words in one place. `most_sheets` is what one envelope takes.
    """

    house: Literal["mail-room", "docmail", "fixed-zone"] = "mail-room"
    sides: Literal["two", "one"] = "two"
    marks: Literal["none", "omr"] = "none"
    most_sheets: int | None = None
    order: Literal["postcode", "reference"] = "postcode"
    action_code: str | None = None

    def sheets(self, pages: int) -> int:
        """Sheets of paper that so many pages take."""
        return pages if self.sides == "one" else (pages + 1) // 2

    def fronts(self, pages: int) -> range:
        """Which of so many pages, from 0, are the fronts of sheets."""
        return range(0, pages, 1 if self.sides == "one" else 2)

    @property
    def blank_versos(self) -> bool:
        """Whether a letter that ends on a front is given a blank back; a house starts each letter on a sheet itself."""
        return self.house == "mail-room" and self.sides == "two"


PLAIN_PRINTING: Final = PrintSettings()


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where a council's trials live, and its settings."""

    folder: Path
    council: Mapping[str, str]
    profile: str
    retention_days: int
    database: str
    large_print: int = 16
    printing: PrintSettings = PLAIN_PRINTING

    @property
    def database_url(self) -> str:
        """The records' database: NUDGE_DATABASE_URL where set, else that of the settings, else SQLite here."""
        return os.environ.get(DATABASE_VARIABLE) or self.database

    @property
    def templates(self) -> Path:
        return self.folder / "templates"

    @property
    def experiments(self) -> Path:
        return self.folder / "experiments"

    @property
    def mappings(self) -> Path:
        """The column names learnt from this council's files."""
        return self.folder / "columns.json"

    def secret(self, trial: str) -> Path:
        """The file of the sealed secret: on disk only, mode 0600, never in the database."""
        return self.folder / "secrets" / f"{trial}.secret"

    def out(self, trial: str) -> Path:
        return self.folder / "out" / trial

    def batch_folder(self, trial: str, number: int, wave: str | None = None) -> Path:
        return self.out(trial) / (f"batch-{number:03d}" + (f"-{wave}" if wave else ""))


def open_workspace(start: Path) -> Workspace:
    """The workspace that `start` lies in. Refused where neither it nor a folder above holds nudge.toml."""
    start = start.absolute()
    for folder in (start, *start.parents):
        if (folder / SETTINGS).is_file():
            return _read(folder)
    raise Refused(WorkspaceCode.NOT_A_WORKSPACE.at(Place(str(start)), folder="DIR"))


def make_workspace(folder: Path, *, council: str, resources: Path, dry_run: bool = False) -> tuple[Path, ...]:
    """Make a workspace with templates and experiments to start from; the files made. Never writes over a file.

    Refused where there is one already; one that was cut short, which has no settings yet, is finished.
    """
    if (folder / SETTINGS).exists():
        raise Refused(WorkspaceCode.ALREADY_THERE.at(Place(str(folder))))
    wanted = {
        folder / name / source.relative_to(resources / name): source
        for name in ("templates", "experiments")
        for source in sorted((resources / name).rglob("*"))
        if source.is_file()
    }
    missing = {target: source for target, source in wanted.items() if not target.exists()}
    if not dry_run:
        for name in ("", "data", "out", "secrets"):
            private_folder(folder / name)
        for target, source in missing.items():
            write_whole(target, source.read_bytes())
        write_whole(folder / SETTINGS, _settings_text(council))  # last: until it is there, `init` may be run again
    return (*missing, folder / SETTINGS)


def _settings_text(council: str) -> str:
    def quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    return f"""\
# The settings of this workspace. nudge reads this file and never writes it.

[council]                       # printed on every letter: check each line before the first batch
name = {quoted(council)}
service = "Housing Income Team"
return_address = "Council Offices, High Street, Anytown, ZZ99 1AA"
telephone = "01632 960 100"
hours = "Monday to Friday, 9am to 5pm"
email = "rents@example.org"
website = "www.example.org/rent"
pay_online = "www.example.org/pay"
pay_telephone = "01632 960 101"
pay_account = "sort code 00-00-00, account 00000000"
benefit_help = "If your income has changed, we can check whether you can get help with your rent."
debt_advice = "Free, confidential debt advice: StepChange 0800 138 1111, Citizens Advice 0800 144 8848."
language_line = "For this letter in large print, Easy Read, braille or another language, call us."
signed_by = "Housing Income Team"

[records]
database = "sqlite:///nudge.db" # for PostgreSQL set {DATABASE_VARIABLE} instead: a password never stands here

[letters]
profile = "dl"                  # the envelope: dl, c5 or notify
large_print = 16                # points of large print: 16 or 18

[print]                         # who prints and posts the letters, and how
house = "mail-room"             # mail-room; docmail; or fixed-zone, a house that splits one file by its first pages
sides = "two"                   # two, or one
marks = "none"                  # none, or omr: marks for the mail room's inserting machine
most_sheets = 5                 # what one envelope takes; more is refused before the draw
order = "postcode"              # postcode, or reference
# action_code = "LTR {{wave}}"  # with it, `nudge dispatch` writes a list to paste into the housing system

[retention]
days = 365                      # names and letters go by `nudge erase` this long after a trial closes
"""


_TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "council": COUNCIL_KEYS,
    "records": ("database",),
    "letters": ("profile",),
    "retention": ("days",),
}
_PRINT: Final[Mapping[str, tuple[str, ...]]] = {  # all may be left out; the words that each may be
    "house": ("mail-room", "docmail", "fixed-zone"),
    "sides": ("two", "one"),
    "marks": ("none", "omr"),
    "most_sheets": (),
    "order": ("postcode", "reference"),
    "action_code": (),
}


def _read(folder: Path) -> Workspace:
    path = folder / SETTINGS
    place = Place(str(path))
    try:
        settings = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        line = getattr(fault, "lineno", 1)
        reason = getattr(fault, "msg", "the file is not UTF-8")
        raise Refused(WorkspaceCode.SETTINGS_UNREADABLE.at(place, line=line, reason=reason)) from None
    Refused.when(_faults(settings, place))
    database = settings["records"]["database"]
    if database.startswith("sqlite:///") and not database.startswith("sqlite:////"):
        database = f"sqlite:///{folder / database.removeprefix('sqlite:///')}"
    return Workspace(
        folder=folder,
        council=settings["council"],
        profile=settings["letters"]["profile"],
        retention_days=settings["retention"]["days"],
        large_print=settings["letters"].get("large_print", LARGE_PRINT[0]),
        database=database,
        printing=PrintSettings(**settings.get("print", {})),
    )


def _faults(settings: Mapping[str, Any], place: Place) -> list[Problem]:
    found = []
    for table, keys in _TABLES.items():
        given = settings.get(table, {})
        found += [WorkspaceCode.SETTING_MISSING.at(place, key=key, table=table) for key in keys if key not in given]
        own = [key for key in given if key not in keys and not _may_be_given(table, key)]
        found += [WorkspaceCode.SETTING_UNKNOWN.at(place, key=key, table=table) for key in own]
        for key in (*keys, *(key for key in given if _may_be_given(table, key) and key != "large_print")):
            kind: type = int if key == "days" else str
            if key in given and (not isinstance(given[key], kind) or isinstance(given[key], bool) or not given[key]):
                expected = "a whole number above 0" if kind is int else "text that is not blank"
                found.append(WorkspaceCode.SETTING_WRONG.at(place, key=key, table=table, expected=expected))
    found += [
        WorkspaceCode.SETTING_UNKNOWN.at(place, key=table, table="the whole file")
        for table in settings
        if table not in {*_TABLES, "print"}
    ]
    if settings.get("letters", {}).get("large_print", LARGE_PRINT[0]) not in LARGE_PRINT:
        expected = " or ".join(map(str, LARGE_PRINT))
        found.append(WorkspaceCode.SETTING_WRONG.at(place, key="large_print", table="letters", expected=expected))
    found += _print_faults(settings.get("print", {}), settings.get("letters", {}), place)
    database = settings.get("records", {}).get("database", "")
    if isinstance(database, str) and "@" in database and ":" in database.partition("//")[2].partition("@")[0]:
        found.append(WorkspaceCode.PASSWORD_IN_SETTINGS.at(place))
    return found


def _may_be_given(table: str, key: str) -> bool:
    """Settings that a workspace need not have: the size of large print, the council's lines in another language."""
    return (table == "letters" and key == "large_print") or (
        table == "council" and _IN_LANGUAGE.fullmatch(key) is not None
    )


def _print_faults(given: object, letters: Mapping[str, Any], place: Place) -> list[Problem]:
    if not isinstance(given, dict):
        return [WorkspaceCode.SETTING_WRONG.at(place, key="print", table="the whole file", expected="a table, [print]")]
    found = [WorkspaceCode.SETTING_UNKNOWN.at(place, key=key, table="print") for key in given if key not in _PRINT]

    def wrong(key: str, expected: str) -> None:
        found.append(WorkspaceCode.SETTING_WRONG.at(place, key=key, table="print", expected=expected))

    for key, words in _PRINT.items():
        value = given.get(key)
        if key not in given:
            continue
        if key == "most_sheets":
            if type(value) is not int or value < 1:
                wrong(key, "a whole number above 0")
        elif key == "action_code":
            if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9 ._/-]|\{wave\}){0,39}", value):
                wrong(key, "a code of at most 40 letters and digits, as your housing system has it")
        elif value not in words:
            wrong(key, f"one of {', '.join(words)}")
    if given.get("marks") == "omr" and given.get("house", "mail-room") != "mail-room":
        wrong("marks", "none, as a print house adds marks of its own")
    if letters.get("profile") == "notify" and given.get("marks") == "omr":
        wrong("marks", "none, as GOV.UK Notify adds marks of its own")
    if letters.get("profile") == "notify" and given.get("house", "mail-room") != "mail-room":
        wrong("house", "mail-room where the profile is notify: that takes the single letters")
    return found


def keep_secret(path: Path, secret: bytes) -> None:
    """Write the secret as hexadecimal into a file of its own, whole (mode 0600); FileExistsError if there is one."""
    private_folder(path.parent)
    part = path.with_name(f".{path.name}.part")
    write_whole(part, secret.hex() + "\n")
    try:
        os.link(part, path)  # unlike a rename, never over another
    finally:
        part.unlink()
