"""A factorial trial with declared subgroups and harms, from enrolment to report, held to figures worked out here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from nudge.reports.render import report_text
from nudge.reports.summary import validate
from nudge.trial.analysis import estimate
from nudge.trial.responses import add_responses
from tests.trial.conftest import MONDAY, Office, make_sealed, moment, tenancy

ARMS = """arms:
  - {id: plain, control: true, letter: letters/arrears-current.html, factors: {opening: plain, norm: none}}
  - {id: opening, letter: letters/arrears-current.html, factors: {opening: personal, norm: none}}
  - {id: norm, letter: letters/arrears-personal-norm.html, factors: {opening: plain, norm: stated}}
  - {id: both, letter: letters/arrears-personal-norm.html, factors: {opening: personal, norm: stated}}

"""
OPENS = MONDAY + timedelta(days=66 + 8)
MANY, HORIZON = range(1, 49), 56
Summary = Mapping[str, Any]


def factorial(text: str) -> str:
    before, rest = text.split("arms:\n", 1)
    text = before + ARMS + "claims:\n" + rest.split("claims:\n", 1)[1]
    blocked = "strata: [patch, arrears_band], ratio: [1, 1], enrol: weekly"
    return text.replace(blocked, "strata: [patch], ratio: [1, 1, 1, 1], enrol: weekly, factorial: main_effects")


def day_of(number: int, arm: str) -> int:
    """The day of contact, 56 where there is none; sooner where the opening is personal."""
    return 3 + number % 20 + (0 if arm in ("opening", "both") else 9) if number % 4 else HORIZON


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Summary, Mapping[str, str]]]:
    office = Office(make_sealed(tmp_path_factory.mktemp("factorial") / "rents", edit=factorial))
    office.enrol([tenancy(number) for number in MANY])
    office.letters()
    office.dispatch(on=MONDAY)
    arms = office.arms()
    contacts, complaints = "Date,Direction,Reason,Tenancy Ref\n", "Date,Tenancy Ref\n"
    for number in MANY:
        reference = f"T{number:06d}"
        if (day := day_of(number, arms[reference])) < HORIZON:
            contacts += f"{MONDAY + timedelta(days=day)},in,rent,{reference}\n"
        if number % 5 == 0:
            complaints += f"{MONDAY + timedelta(days=4)},{reference}\n"
    files = {"contacts": contacts, "payments": "Date,Type,Amount,Tenancy Ref\n", "complaints": complaints}
    for kind, text in files.items():
        path, covers = office.file(f"{kind}.csv", text), (MONDAY, OPENS)
        add_responses(office.trial, [path], kind=kind, covers=covers, today=OPENS, now=moment(OPENS))
    yield estimate(office.trial, today=OPENS, redraws=199), arms
    office.close()


def outcome(summary: Summary, name: str) -> Mapping[str, Any]:
    return next(one for one in summary["outcomes"] if one["id"] == name)


def by_hand(arms: Mapping[str, str], factor: str) -> float:
    """Least squares of the days on one factor, beside a term for each patch at each level of the other factor."""
    names = [arms[f"T{number:06d}"] for number in MANY]
    y = np.array([day_of(number, arm) for number, arm in zip(MANY, names, strict=True)], dtype=float)
    levels = {
        "opening": np.array([arm in ("opening", "both") for arm in names]),
        "norm": np.array([arm in ("norm", "both") for arm in names]),
    }
    other = levels["norm" if factor == "opening" else "opening"]
    cell = 2 * other + np.array([number % 2 for number in MANY])
    design = np.column_stack([levels[factor], *(cell == code for code in range(4))]).astype(float)
    return float(np.linalg.lstsq(design, y, rcond=None)[0][0])


def test_i10_main_effects_of_a_live_trial_are_least_squares_within_levels_of_the_other_factor(run) -> None:
    summary, arms = run
    panel = outcome(summary, "days_to_contact")["panels"]["factorial"]
    found = {line["factors"][0]: line["estimate"] for line in panel if line["kind"] == "main_effect"}
    assert found == pytest.approx({factor: by_hand(arms, factor) for factor in ("opening", "norm")})
    [interaction] = [line for line in panel if line["kind"] == "interaction"]
    assert interaction["factors"] == ["opening", "norm"]
    assert interaction["ci"][0] < interaction["estimate"] < interaction["ci"][1]


def test_the_sealed_plan_lets_each_factor_decide_and_the_report_says_over_what_it_averages(run) -> None:
    summary, _ = run
    verdicts = outcome(summary, "days_to_contact")["verdict"]
    assert [verdict["arm"] for verdict in verdicts] == ["opening", "norm"]
    text = " ".join(report_text(summary).split())
    assert "This is averaged over norm." in text
    assert "FACTOR BY FACTOR" in text
    assert validate(summary) == ()


BANDS = {"under £150": (0, 150), "£150 to under £500": (150, 500), "£500 and over": (500, np.inf)}


def cells(arms: Mapping[str, str], factor: str, band: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """The numbers of one band with the factor and without it, patch by patch at each level of the other factor."""
    low, high = BANDS[band]
    other = "norm" if factor == "opening" else "opening"
    found: dict[tuple[bool, int], tuple[list[int], list[int]]] = {}
    for number in MANY:
        if low <= float(tenancy(number)["Arrears"]) < high:
            arm = arms[f"T{number:06d}"]
            sides = found.setdefault((arm in (other, "both"), number % 2), ([], []))
            sides[0 if arm in (factor, "both") else 1].append(number)
    return [(np.array(having), np.array(lacking)) for having, lacking in found.values() if having and lacking]


def weighed(arms: Mapping[str, str], factor: str, band: str, value: Callable[[int, str], float]) -> float:
    """The mean difference of the cells by n1 n0 / n: least squares beside cells, and Mantel and Haenszel's weights."""
    sides = cells(arms, factor, band)
    weights = [len(having) * len(lacking) / (len(having) + len(lacking)) for having, lacking in sides]
    means = [[np.mean([value(number, arms[f"T{number:06d}"]) for number in side]) for side in both] for both in sides]
    return float(np.average([having - lacking for having, lacking in means], weights=weights))


@pytest.mark.parametrize(
    ("name", "value"), [("days_to_contact", day_of), ("complaint", lambda number, _: float(number % 5 == 0))]
)
def test_i10_subgroups_of_an_outcome_and_of_a_harm_are_weighed_over_patch_and_the_other_factor(
    run, name: str, value: Callable[[int, str], float]
) -> None:
    summary, arms = run
    lines = outcome(summary, name)["panels"]["subgroups"]
    found = {(line["arm"], line["level"]): line["estimate"] for line in lines if line["kind"] == "level"}
    by_hand = {(factor, band): weighed(arms, factor, band, value) for factor in ("opening", "norm") for band in BANDS}
    assert found == pytest.approx(by_hand, abs=1e-12)
    tests = [line for line in lines if line["kind"] == "interaction"]
    assert [line["arm"] for line in tests] == ["opening", "norm"]
    assert all(line["n"] == len(MANY) and line["missing"] == 0 and line["levels"] == list(BANDS) for line in tests)
    assert not any("verdict" in line for line in lines)


HELD = """arms:
  - {id: plain, control: true, letter: letters/arrears-current.html}
  - {id: norm, letter: letters/arrears-personal-norm.html}
  - {id: apart, letter: letters/arrears-current.html, hold_out: true}

"""


def held_out(text: str) -> str:
    before, rest = text.split("arms:\n", 1)
    text = before + HELD + "claims:\n" + rest.split("claims:\n", 1)[1]
    blocked = "strata: [patch, arrears_band], ratio: [1, 1], enrol: weekly"
    return text.replace(blocked, "strata: [patch], ratio: [1, 1, 1], enrol: weekly").replace(
        ", subgroups: [arrears_band]", ""
    )


def test_i10_everything_else_is_set_against_a_live_hold_out_within_strata(tmp_path) -> None:
    office = Office(make_sealed(tmp_path / "rents", edit=held_out))
    many = range(1, 31)
    office.enrol([tenancy(number) for number in many])
    office.letters()
    office.dispatch(on=MONDAY)
    arms = office.arms()
    contacts = "Date,Direction,Reason,Tenancy Ref\n"
    for number in many:
        if (day := day_of(number, arms[f"T{number:06d}"])) < HORIZON:
            contacts += f"{MONDAY + timedelta(days=day)},in,rent,T{number:06d}\n"
    for kind, text in {"contacts": contacts, "payments": "Date,Type,Amount,Tenancy Ref\n"}.items():
        path, covers = office.file(f"{kind}.csv", text), (MONDAY, OPENS)
        add_responses(office.trial, [path], kind=kind, covers=covers, today=OPENS, now=moment(OPENS))
    found = outcome(estimate(office.trial, today=OPENS, redraws=99), "days_to_contact")
    office.close()
    assert [verdict["arm"] for verdict in found["verdict"]] == ["norm"]
    [line] = found["panels"]["hold_out"]
    names = [arms[f"T{number:06d}"] for number in many]
    y = np.array([day_of(number, arm) for number, arm in zip(many, names, strict=True)], dtype=float)
    patch = np.array([number % 2 for number in many])
    rest = np.array([arm != "apart" for arm in names])
    design = np.column_stack([rest, patch == 0, patch == 1]).astype(float)
    assert line["estimate"] == pytest.approx(float(np.linalg.lstsq(design, y, rcond=None)[0][0]))
    assert line["reference"] == "apart"
