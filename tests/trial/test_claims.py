"""`nudge claims`: the claims of an experiment from their own sources, and those that past letters could bear out."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from nudge.base.errors import Refused
from nudge.base.resources import resources
from nudge.cli.main import run
from nudge.experiment.loader import load
from nudge.intake.observed import read_observed
from nudge.trial.claims import claim_figures, find_claims

SIGNS = """\
id: paths
title: A sign
question: Does it help?
unit: site
sites: {days: 28}
arms: [{id: plain, control: true, sign: signs/dog-plain.html}, {id: norm, sign: signs/dog-norm.html}]
design: {method: blocked, enrol: once}
outcomes: [{id: dog_fouling, type: rate, source: surveys, column: dog_fouling, primary: true, better: lower}]
smallest_worthwhile: {dog_fouling: 0.2}
governance: {}
claims:
  norm:
    says: "{share} of the dog walkers we counted in the four months to {period_end} cleared up"
    numerator: cleared
    population: observed
    source: data/walkers.csv
    period: 2026-05..2026-08
    expires_days: 365
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the flagship, a history of 600 letters and a survey of dog walkers; no workspace."""
    folder = tmp_path_factory.mktemp("claims")
    for name in ("experiments", "data"):
        (folder / name).mkdir()
    shutil.copy(resources() / "experiments" / "wealden-arrears.yaml", folder / "experiments")
    (folder / "experiments" / "paths.yaml").write_text(SIGNS, "utf-8")
    lines = ["reference,household,letter_on,arrears,stage,patch,agreed_on,contact_on"]
    for number in range(600):
        day = date(2025, 9, 1) + timedelta(days=number * 440 // 600)
        agreed = day + timedelta(days=30) if number % 10 < 7 else ""
        contact = day + timedelta(days=6) if number % 10 < 4 else ""
        patch = ("North", "South")[number % 2]
        lines.append(f"T{number},H{number},{day},{50 + number % 9},first letter,{patch},{agreed},{contact}")
    (folder / "data" / "history.csv").write_text("\n".join(lines) + "\n", "utf-8")
    walkers = ["Date,Path,Cleared"]
    for number in range(360):
        day = date(2026, 5, 4) + timedelta(days=number % 110)
        walkers.append(f"{day:%d/%m/%Y},Mill Path,{'yes' if number % 4 else 'no'}")
    (folder / "data" / "walkers.csv").write_text("\n".join(walkers) + "\n", "utf-8")
    return folder


def figures(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert run(["claims", *arguments, "--today", "2026-12-31", "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def test_i6_what_is_proposed_is_what_the_seal_would_print(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "experiments" / "wealden-arrears.yaml"
    told = figures(folder, capsys, str(path), "--history", str(folder / "data" / "history.csv"))
    assert [text.split(":")[0].strip() for text in told["yaml"]] == [
        "contact_then_agreed_within_56",
        "agreed_within_56",
    ]
    text = path.read_text("utf-8")
    start, end = text.index("claims:\n"), text.index("waves:")
    pasted = folder / "experiments" / "pasted.yaml"
    pasted.write_text(text[:start] + "claims:\n" + "\n".join(told["yaml"]) + "\n\n" + text[end:], "utf-8")
    again, problems = claim_figures(load(pasted), folder)
    assert problems == []
    proposed = {one["name"]: one for one in told["claims"] if one["printable"]}
    for name, figure in again.items():
        assert figure.wording == proposed[name]["wording"]
        assert figure.lower == pytest.approx(proposed[name]["lower"], abs=1e-12)
    assert again["contact_then_agreed_within_56"].wording.startswith("All of the tenants who got in touch with us")


def test_a_claim_of_a_patch_is_told_and_not_proposed(folder: Path) -> None:
    found = find_claims(folder / "experiments" / "wealden-arrears.yaml", folder / "data" / "history.csv")
    parts = {one.part for one in found.search.candidates if one.part is not None}
    assert parts == {("patch", "North"), ("patch", "South"), ("arrears_band", "under £150")}
    assert all(one.part is None for one in found.search.printable)


def test_i6_a_sign_prints_only_what_somebody_counted(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = figures(folder, capsys, str(folder / "experiments" / "paths.yaml"))
    [norm] = told["claims"]
    assert (norm["numerator_count"], norm["denominator"], norm["true"]) == (270, 360, True)
    assert norm["wording"] == (
        "More than 7 in 10 of the dog walkers we counted in the four months to August 2026 cleared up"
    )
    assert run(["claims", str(folder / "experiments" / "paths.yaml")]) == 0
    told_words = " ".join(capsys.readouterr().out.split())
    assert "270 of 360, 75.0%" in told_words


def test_a_survey_with_a_row_that_cannot_be_read_is_refused_whole(tmp_path: Path) -> None:
    survey = tmp_path / "walkers.csv"
    survey.write_text("Date,Cleared\n04/05/2026,yes\n,no\n31/02/2026,no\n05/05/2026,perhaps\n06/05/2026,\n", "utf-8")
    with pytest.raises(Refused) as refusal:
        read_observed(survey, "cleared")
    assert [problem.place.row for problem in refusal.value.problems] == [3, 4, 5, 6]
    assert "perhaps" not in str(refusal.value)
    survey.write_text("Date,Cleared\n", "utf-8")
    with pytest.raises(Refused):
        read_observed(survey, "cleared")


def test_declared_claims_are_told_with_what_is_wrong(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder, tmp_path / "alone")
    (tmp_path / "alone" / "data" / "history.csv").unlink()
    assert run(["claims", str(tmp_path / "alone" / "experiments" / "wealden-arrears.yaml")]) == 0
    assert "the file data/history.csv that the claim names" in capsys.readouterr().out
    with pytest.raises(Refused, match="an experiment to be run"):
        find_claims(resources() / "experiments" / "rossi.yaml", folder / "data" / "history.csv")


def test_a_period_of_ones_own_is_looked_at_and_a_page_is_written(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, history = folder / "experiments" / "wealden-arrears.yaml", folder / "data" / "history.csv"
    asked = ("--history", str(history), "--period", "2026-01..2026-06", "--report", str(tmp_path / "c.html"))
    told = figures(folder, capsys, str(path), *asked)
    assert told["period"] == "2026-01..2026-06"
    page = (tmp_path / "c.html").read_text("utf-8")
    assert "in the 6 months to June 2026" in page
    assert "<pre" in page
    assert run(["claims", str(path), "--history", str(history), "--period", "June"]) == 2


def test_signs_are_not_offered_the_claims_of_letters(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Refused) as refusal:
        find_claims(folder / "experiments" / "paths.yaml", folder / "data" / "history.csv")
    assert [problem.code for problem in refusal.value.problems] == ["claim-of-signs"]
    assert run(["claims", str(folder / "experiments" / "paths.yaml")]) == 0
    assert "--history" not in capsys.readouterr().out


def test_i6_a_claim_that_hangs_on_rows_that_cannot_be_read_is_not_true(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "spoilt")
    history = tmp_path / "spoilt" / "data" / "history.csv"
    heads, *lines = history.read_text("utf-8").splitlines()
    path = tmp_path / "spoilt" / "experiments" / "wealden-arrears.yaml"
    whole = find_claims(path, history, today=date(2026, 12, 31))
    first = next(one for one in whole.search.printable if one.name == "agreed_within_56")
    spoilt = [
        re.sub(r"^((?:[^,]*,){2})[^,]*", r"\1soon", line) if number % 10 == 9 else line
        for number, line in enumerate(lines)
    ]
    history.write_text("\n".join([heads, *spoilt]) + "\n", "utf-8")
    found = find_claims(path, history, today=date(2026, 12, 31))
    assert found.rejected == 60
    [again] = [one for one in found.search.candidates if one.name == first.name and one.part is None]
    assert again.figure.share > first.figure.share  # what cannot be read did not agree, so that the rest look better
    assert "claim-rows-unread" in [problem.code for problem in again.figure.problems]
    _, problems = claim_figures(load(path), tmp_path / "spoilt", date(2026, 12, 31))
    assert "claim-rows-unread" in {problem.code for problem in problems}
