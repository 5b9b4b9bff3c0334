"""A sealed trial in a workspace of its own, with invented tenants, for the tests of the steps."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from nudge.base.resources import resources
from nudge.trial.enrolment import Enrolment, enrol
from nudge.trial.gate import Listed
from nudge.trial.handle import Trial, open_trial
from nudge.trial.letters import LettersMade, make_batch_letters
from nudge.trial.posting import Posted, confirm_posting
from nudge.trial.sealing import record_beacon, seal_trial
from nudge.workspace import make_workspace, open_workspace

SECRET = bytes(range(32))
SEALED_ON = date(2026, 11, 30)
MONDAY = date(2026, 12, 7)
SURNAMES = "Ashdown Birch Cuckmere Dell Eastry Firle Glynde Hailsham Isfield Jevington Kipling Laughton".split()
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


def make_sealed(folder: Path, *, edit: Callable[[str], str] = lambda text: text) -> Path:
    make_workspace(folder, council="Anytown Borough Council", resources=resources())
    (folder / "data" / "history.csv").write_bytes(history_csv())
    path = folder / "experiments" / "wealden-arrears.yaml"
    text = path.read_text("utf-8")
    for blank, filled in SIGNED.items():
        text = text.replace(blank, filled)
    path.write_text(edit(text), "utf-8")
    trial = open_trial(open_workspace(folder), "wealden-arrears")
    seal_trial(trial, secret=SECRET, now=moment(SEALED_ON))
    trial = open_trial(open_workspace(folder), "wealden-arrears")
    record_beacon(trial, "04 11 23 31 40 52", now=moment(date(2026, 12, 5), 21))
    trial.store.close()
    return folder


@dataclass
class Office:
    """The officer's hands: a sealed trial and the steps, on invented files."""

    folder: Path

    @property
    def trial(self) -> Trial:
        return open_trial(open_workspace(self.folder), "wealden-arrears")

    def file(self, name: str, content: bytes | str) -> Path:
        path = self.folder / "data" / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def list(self, rows: str = "", name: str = "stop.csv") -> Path:
        return self.file(name, "reference,reason,from,until\n" + rows)

    def enrol(
        self, rows: Sequence[Mapping[str, str]], *, on: date = MONDAY, stop: str = "", name: str = "week.csv", **more: object
    ) -> Enrolment:
        extract = self.file(f"{on.isoformat()}-{name}", as_csv(rows))
        listed = self.list(stop, f"{on.isoformat()}-stop.csv")
        settings = {"dated": on, "today": on, "now": moment(on)} | more
        return enrol(self.trial, extract, listed, **settings)  # type: ignore[arg-type]

    def letters(self, number: int = 1, *, on: date = MONDAY, **more: object) -> LettersMade:
        return make_batch_letters(self.trial, number, today=on, now=moment(on, 11), **more)  # type: ignore[arg-type]

    def dispatch(self, number: int = 1, *, on: date = MONDAY, stop: str = "", **more: object) -> Posted:
        listed = Listed(self.list(stop, f"{on.isoformat()}-posting-stop.csv"), on)
        settings = {"today": on, "now": moment(on, 16)} | more
        return confirm_posting(self.trial, number, on=on, listed=listed, **settings)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed trial nobody is enrolled in; copied, never used in place."""
    return make_sealed(tmp_path_factory.mktemp("sealed") / "rents")


@pytest.fixture
def office(sealed: Path, tmp_path: Path) -> Office:
    shutil.copytree(sealed, tmp_path / "rents")
    return Office(tmp_path / "rents")
