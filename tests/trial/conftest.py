"""A sealed trial in a workspace of its own, with invented tenants, for the tests of the steps."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from sqlmodel import SQLModel

from nudge.base.resources import resources
from nudge.records.store import rows_of
from nudge.records.tables import (
    AllocationRow,
    AmendmentRow,
    AuditRow,
    BatchRow,
    EventRow,
    HouseholdRow,
    ImportRow,
    MeasurementRow,
    PostingRow,
    RecipientRow,
    ReviewRow,
    SealRow,
    UnitRow,
)
from nudge.trial.enrolment import Enrolment, enrol
from nudge.trial.gate import Listed
from nudge.trial.handle import Trial, open_trial
from nudge.trial.letters import LettersMade, make_batch_letters
from nudge.trial.posting import Posted, confirm_posting
from nudge.trial.sealing import record_beacon, seal_trial
from nudge.workspace import make_workspace, open_workspace

Row = TypeVar("Row", bound=SQLModel)
SECRET = bytes(range(32))
SEALED_ON = date(2026, 11, 30)
MONDAY = date(2026, 12, 7)
SURNAMES = ("Ashdown", "Birch", "Cuckmere", "Dell", "Eastry", "Firle", "Glynde", "Hailsham", "Isfield", "Jevington")
HEADINGS = (
    "Tenancy Ref", "Pay Ref", "UPRN", "Title", "Forename", "Surname", "Addr1", "Addr2", "Postcode", "Telephone",
    "Arrears", "Weeks In Arrears", "Stage", "Patch", "Agreement", "NOSP Served", "Court Date", "Vacated",
)  # fmt: skip


def moment(day: date, hour: int = 9) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def tenancy(number: int, **changes: str) -> dict[str, str]:
    """One row of an extract: an invented tenant who is to get a first letter."""
    row = {
        "Tenancy Ref": f"T{number:06d}",
        "Pay Ref": f"P{number:06d}",
        "UPRN": str(100_000_000_000 + number),
        "Title": ("Ms", "Mr", "Mrs", "")[number % 4],
        "Forename": ("Ada", "Ben", "Cai", "Dee", "Eve")[number % 5],
        "Surname": SURNAMES[number % len(SURNAMES)],
        "Addr1": f"{number} Invented Row",
        "Addr2": "Anytown",
        "Postcode": "TN22 1AA",
        "Telephone": f"07700 9{number:05d}",
        "Arrears": f"{50 + 37 * (number % 17)}.50",
        "Weeks In Arrears": str(1 + number % 5),
        "Stage": "first letter",
        "Patch": ("North", "South")[number % 2],
        "Agreement": "N",
        "NOSP Served": "N",
        "Court Date": "",
        "Vacated": "N",
    }
    return row | changes


def as_csv(rows: Iterable[Mapping[str, str]], headings: Sequence[str] = HEADINGS) -> bytes:
    """Rows under these headings, and under any more that a row has."""
    rows = list(rows)
    headings = tuple(dict.fromkeys((*headings, *(heading for row in rows for heading in row))))
    text = io.StringIO()
    table = csv.DictWriter(text, headings, lineterminator="\r\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue().encode()


def history_csv() -> bytes:
    """A year of first letters, of which 7 in 10 agreed a way forward within eight weeks."""
    rows = []
    for number in range(300):
        letter = date(2025, 9, 3) + timedelta(days=number * 350 // 300)
        agreed = letter + timedelta(days=20)
        rows.append(
            {
                "reference": f"H{number:05d}",
                "household": f"HH{number:05d}",
                "letter_on": letter.isoformat(),
                "arrears": "200.00",
                "weeks_in_arrears": "3",
                "stage": "first letter",
                "patch": "North",
                "agreed_on": agreed.isoformat() if number % 10 < 7 else "",
                "contact_on": "",
                "payment_on": "",
            }
        )
    rows[-1]["payment_on"] = "2026-11-20"
    return as_csv(rows, tuple(rows[0]))


SIGNED = {
    'service: ""': 'service: "AB 2026-11-20"',
    'legal: ""': 'legal: "CD 2026-11-20"',
    'communications: ""': 'communications: "EF 2026-11-20"',
    'data_protection: ""': 'data_protection: "GH 2026-11-20"',
    'keeper: ""': 'keeper: "the service manager"',
}


def make_sealed(
    folder: Path, *, edit: Callable[[str], str] = lambda text: text, settings: Callable[[str], str] = lambda text: text
) -> Path:
    make_workspace(folder, council="Anytown Borough Council", resources=resources())
    (folder / "nudge.toml").write_text(settings((folder / "nudge.toml").read_text("utf-8")), "utf-8")
    (folder / "data" / "history.csv").write_bytes(history_csv())
    path = folder / "experiments" / "wealden-arrears.yaml"
    text = path.read_text("utf-8")
    for blank, filled in SIGNED.items():
        text = text.replace(blank, filled)
    path.write_text(edit(text), "utf-8")
    trial = open_trial(open_workspace(folder), "wealden-arrears")
    seal_trial(trial, secret=SECRET, now=moment(SEALED_ON))
    trial.store.close()
    trial = open_trial(open_workspace(folder), "wealden-arrears")
    record_beacon(trial, "04 11 23 31 40 52", now=moment(date(2026, 12, 5), 21))
    trial.store.close()
    return folder


@dataclass
class Office:
    """The officer's hands: a sealed trial and the steps, on invented files."""

    folder: Path
    opened: list[Trial] = field(default_factory=list)

    @property
    def trial(self) -> Trial:
        """The trial as the next command would open it."""
        self.opened.append(open_trial(open_workspace(self.folder), "wealden-arrears"))
        return self.opened[-1]

    def close(self) -> None:
        """Let go of every connection, as the end of a command does."""
        for trial in self.opened:
            trial.store.close()

    def file(self, name: str, content: bytes | str) -> Path:
        path = self.folder / "data" / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def list(self, rows: str = "", name: str = "stop.csv") -> Path:
        return self.file(name, "reference,reason,from,until\n" + rows)

    def enrol(
        self,
        rows: Sequence[Mapping[str, str]],
        *,
        on: date = MONDAY,
        stop: str = "",
        name: str = "week.csv",
        **more: object,
    ) -> Enrolment:
        extract = self.file(f"{on.isoformat()}-{name}", as_csv(rows))
        listed = self.list(stop, f"{on.isoformat()}-stop.csv")
        settings = {"dated": on, "today": on, "now": moment(on)} | more
        return enrol(self.trial, extract, listed, **settings)

    def letters(self, number: int = 1, *, on: date = MONDAY, **more: object) -> LettersMade:
        return make_batch_letters(self.trial, number, today=on, now=moment(on, 11), **more)

    def rows(self, table: type[Row], **equal: object) -> list[Row]:
        """What is on record."""
        with self.trial.store.snapshot() as connection:
            return rows_of(connection, table, trial="wealden-arrears", **equal)

    def arms(self) -> dict[str, str]:
        """The arm of each tenancy, by reference: only tests look."""
        arms = {row.cluster: row.arm for row in self.rows(AllocationRow)}
        units = {row.unit: arms[row.cluster] for row in self.rows(UnitRow)}
        return {row.tenancy_reference: units[row.unit] for row in self.rows(RecipientRow)}

    def snapshot(self) -> dict[str, str]:
        """Everything in the database, as text: equal before and after means that nothing was recorded."""
        tables = (
            SealRow, AmendmentRow, BatchRow, HouseholdRow, UnitRow, AllocationRow, RecipientRow, PostingRow, EventRow,
            MeasurementRow, ReviewRow, ImportRow, AuditRow,
        )  # fmt: skip
        return {table.__name__: repr([row.model_dump() for row in self.rows(table)]) for table in tables}

    def files(self, below: str = "out") -> dict[str, bytes]:
        """Every file below a folder of the workspace, and its bytes."""
        root = self.folder / below
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    def dispatch(self, number: int = 1, *, on: date = MONDAY, stop: str = "", **more: object) -> Posted:
        listed = Listed(self.list(stop, f"{on.isoformat()}-posting-stop.csv"), on)
        settings = {"today": on, "now": moment(on, 16)} | more
        return confirm_posting(self.trial, number, on=on, listed=listed, **settings)


TUESDAY = MONDAY + timedelta(days=1)
WEDNESDAY = MONDAY + timedelta(days=2)
HOUSEHOLDS = 6


def week_one() -> list[dict[str, str]]:
    """Six households, the last of which are joint tenants in two rows: seven letters."""
    rows = [tenancy(number) for number in range(1, HOUSEHOLDS + 1)]
    return [*rows, tenancy(HOUSEHOLDS, Title="Mr", Forename="Joe", Surname="Jointly")]


_BUILT: dict[str, Path] = {}  # by stage: the tests of the command line import these fixtures, and share what they made


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed trial nobody is enrolled in; copied, never used in place."""
    if "sealed" not in _BUILT:
        _BUILT["sealed"] = make_sealed(tmp_path_factory.mktemp("sealed") / "rents")
    return _BUILT["sealed"]


def _next(before: Path, folder: Path, step: Callable[[Office], object]) -> Path:
    stage = folder.parent.name.rstrip("0123456789")
    if stage not in _BUILT:
        shutil.copytree(before, folder)
        office = Office(folder)
        step(office)
        office.close()
        _BUILT[stage] = folder
    return _BUILT[stage]


@pytest.fixture(scope="session")
def drawn(sealed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Batch 1 drawn on Monday."""
    return _next(sealed, tmp_path_factory.mktemp("drawn") / "rents", lambda office: office.enrol(week_one()))


@pytest.fixture(scope="session")
def lettered(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """And its letters made on Monday."""
    return _next(drawn, tmp_path_factory.mktemp("lettered") / "rents", lambda office: office.letters())


@pytest.fixture(scope="session")
def posted(lettered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """And posted on Wednesday, which is day 0."""
    return _next(lettered, tmp_path_factory.mktemp("posted") / "rents", lambda office: office.dispatch(on=WEDNESDAY))


def _copied(folder: Path, tmp_path: Path) -> Office:
    shutil.copytree(folder, tmp_path / "rents")
    return Office(tmp_path / "rents")


@pytest.fixture
def office(sealed: Path, tmp_path: Path) -> Office:
    return _copied(sealed, tmp_path)


@pytest.fixture
def drawn_office(drawn: Path, tmp_path: Path) -> Office:
    return _copied(drawn, tmp_path)


@pytest.fixture
def lettered_office(lettered: Path, tmp_path: Path) -> Office:
    return _copied(lettered, tmp_path)


@pytest.fixture
def posted_office(posted: Path, tmp_path: Path) -> Office:
    return _copied(posted, tmp_path)
