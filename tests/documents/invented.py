"""Invented tenants and an invented council for the letters' tests."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from nudge.base.resources import resources
from nudge.documents.letter import LetterSpec, letter_reference
from nudge.documents.sample import CLAIM
from nudge.documents.sample import COUNCIL as SAMPLE
from nudge.documents.templates import TemplateFolder

SECRET: Final = bytes(range(32))
CURRENT, NORM, SECOND = (f"letters/arrears-{name}.html" for name in ("current", "personal-norm", "second"))
FIRST: Final = (CURRENT, NORM)
ALL: Final = (*FIRST, SECOND)
COUNCIL: Final = {key: line for key, line in SAMPLE.items() if not key.endswith("_cy")}
BASE: Final = LetterSpec(
    reference=letter_reference(SECRET, "demo", "u0", 1, "first"),
    template=NORM,
    name="Mrs Alys Jones",
    salutation="Mrs Jones",
    post_to=("Flat 4", "12 Mill Lane", "Upper Wealden", "Hartfield", "TN7 4AB"),
    fields={"arrears": 41250, "weeks_in_arrears": 7.0, "agreement": False, "court_date": None},
    claims={"contact_norm": CLAIM},
    council=COUNCIL,
    letter_date=date(2026, 11, 23),
    as_of=date(2026, 11, 20),
    tenancy_reference="T-000-100",
    payment_reference="98260000100",
)


def invented(number: int = 0, **other: Any) -> LetterSpec:
    """Letter `number` of the invented council: a reference, tenancy and payment number of its own."""
    own = {
        "reference": letter_reference(SECRET, "demo", f"u{number}", 1, "first"),
        "tenancy_reference": f"T-000-{100 + number}",
        "payment_reference": str(98260000100 + number),
    }
    return replace(BASE, **(own | other))


def shipped() -> TemplateFolder:
    """The templates that come with nudge."""
    return TemplateFolder(resources() / "templates")


def folder_with(path: Path, name: str, text: str) -> TemplateFolder:
    """A copy of the shipped templates with one file more, or another in its place."""
    target = path / "templates"
    shutil.copytree(shipped().path / "letters", target / "letters", dirs_exist_ok=True)
    (target / name).parent.mkdir(parents=True, exist_ok=True)
    (target / name).write_text(text, encoding="utf-8")
    return TemplateFolder(target)
