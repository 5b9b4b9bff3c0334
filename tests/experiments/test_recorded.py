"""The recorded plans on money, run on invented data of which the truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nudge.base.resources import resources
from nudge.trial.checking import check_file
from nudge.trial.recorded import analyse
from tests.experiments.recorded import PENCE_MORE, STEP, TURN, arrears, rents

PLANS = {"rent-collected": rents, "arrears-series": arrears}


@pytest.fixture(scope="module")
def summaries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("recorded")
    found = {}
    for name, invented in PLANS.items():
        data = Path(folder / f"{name}.csv")
        data.write_bytes(invented())
        found[name] = analyse(resources() / "experiments" / f"{name}.yaml", data)
    return found


@pytest.mark.parametrize("name", PLANS)
def test_each_plan_passes_the_check_with_nothing_to_add(name: str) -> None:
    checked = check_file(resources() / "experiments" / f"{name}.yaml")
    assert checked.id == name
    assert checked.kind == "recorded"
    assert not checked.before_seal


def test_i10_the_rent_collected_of_the_rent_due_is_told_as_what_was_put_into_the_data(
    summaries: dict[str, dict[str, Any]],
) -> None:
    [collected, in_full, arrears_after] = summaries["rent-collected"]["outcomes"]
    [row] = [row for row in collected["estimates"] if row["role"] == "headline"]
    low, high = row["ci"]
    assert low < PENCE_MORE < high  # pounds of every pound due
    assert row["clusters"] == 900
    assert [verdict["code"] for verdict in collected["verdict"]] == ["works_and_worthwhile"]
    assert not in_full["verdict"]
    assert arrears_after["estimates"][0]["estimate"] < 0


def test_a_series_is_told_without_verdict_and_its_step_apart_from_the_bare_difference(
    summaries: dict[str, dict[str, Any]],
) -> None:
    summary = summaries["arrears-series"]
    [gross] = summary["outcomes"]
    assert summary["randomised"] == "no"
    assert gross["verdict"] == []
    bare = gross["estimates"][0]
    assert "time_ignored" in bare["flags"]
    assert bare["estimate"] > STEP / 2  # a rise before and a fall after hide most of the step in a difference of means
    [_, step, turn] = gross["panels"]["not_randomised"]
    assert step["ci"][0] < STEP < step["ci"][1]
    assert turn["ci"][0] < TURN < turn["ci"][1]
