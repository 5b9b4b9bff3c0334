"""Every way of drawing, from the experiment file through letters and answers to the close and the check."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from nudge.allocation.certificate import from_json, verify
from nudge.allocation.codes import AllocationCode
from nudge.allocation.design import Entry
from nudge.base.errors import Refused
from nudge.records.store import change
from nudge.records.tables import BatchRow
from nudge.reports.summary import summary_json
from nudge.trial.analysis import estimate
from nudge.trial.balance import balance_notes
from nudge.trial.closing import close_trial, frozen_lists, verify_trial
from nudge.trial.population import population_of, read_recorded
from nudge.trial.responses import add_responses
from nudge.trial.sealing import amend_trial
from tests.trial.conftest import MONDAY, WEDNESDAY, Office, make_sealed, moment, tenancy

DECLARED = "method: blocked, strata: [patch, arrears_band], ratio: [1, 1]"
WAYS = {
    "pairs": "method: pairs, covariates: [arrears, weeks_in_arrears], strata: [patch]",
    "rerandomised": "method: rerandomised, covariates: [arrears, weeks_in_arrears], acceptance: 0.2",
    "minimised": "method: minimised, strata: [patch, arrears_band], chance: 0.8",
}
ALGORITHMS = {
    "pairs": "nudge-pairs/1",
    "rerandomised": "nudge-rerandomised/1",
    "minimised": "nudge-minimised/1",
}
_BOTH = "arrears and weeks_in_arrears"
ADJUSTED = {
    "pairs": [f"Pairs are compared within themselves; no estimate is adjusted for {_BOTH}."],
    "rerandomised": [f"The draw balanced {_BOTH}: the first estimate of each outcome is adjusted for that."],
    "minimised": [
        "The draw balanced patch and arrears_band: the first estimate of each outcome is adjusted for that.",
        f"No estimate is adjusted for {_BOTH}, named under analysis.covariates: the draw did not balance that, and the "
        "sealed plan does not say `adjust: headline`.",
    ],
}
LATER = WEDNESDAY + timedelta(days=75)


def redeclared(way: str, text: str) -> str:
    found = text.replace(DECLARED, WAYS[way])
    assert found != text
    return found


def people(first: int, last: int) -> list[dict[str, str]]:
    return [tenancy(number) for number in range(first, last + 1)]


def answers(office: Office) -> dict[str, Path]:
    """Two in three of one arm and one in three of the other get in touch, on days from the number alone."""
    rows = []
    for reference, arm in sorted(office.arms().items()):
        number = int(reference[1:])
        if number % 3 < (2 if arm == "personal-norm" else 1):
            rows.append(f"{(WEDNESDAY + timedelta(days=1 + number * 7 % 50)).isoformat()},in,rent,{reference}\n")
    return {
        "contacts": office.file("contacts.csv", "Date,Direction,Reason,Tenancy Ref\n" + "".join(rows)),
        "payments": office.file("payments.csv", "Date,Amount,Code,Pay Ref\n2026-12-10,5.00,card,P999999\n"),
    }


@pytest.fixture(scope="module", params=WAYS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Office]]:
    """Two batches of one trial, posted on one day; the second has an odd number."""
    way = request.param
    folder = make_sealed(tmp_path_factory.mktemp(way) / "rents", edit=lambda text: redeclared(way, text))
    office = Office(folder)
    for number, rows in enumerate((people(1, 14), people(15, 27)), start=1):
        assert office.enrol(rows, name=f"week{number}.csv", on=MONDAY + timedelta(days=number - 1)).made
        office.letters(number, on=MONDAY + timedelta(days=1))
    for number in (1, 2):
        office.dispatch(number, on=WEDNESDAY)
    covers = (WEDNESDAY, LATER)
    for kind, path in answers(office).items():
        add_responses(office.trial, [path], kind=kind, covers=covers, today=LATER, now=moment(LATER))
    yield way, office
    office.close()


def test_a_trial_of_each_design_is_analysed_by_it_closed_and_drawn_again(run: tuple[str, Office]) -> None:
    way, office = run
    document = json.loads(summary_json(estimate(office.trial, today=LATER, redraws=199)))
    assert document["drawn"] == ALGORITHMS[way]
    headline = document["outcomes"][0]["estimates"][0]
    if way == "pairs":
        assert headline["ci_method"] == "paired_t"
        assert headline["p_method"].startswith("sign_flip")
    else:
        assert headline["p_method"] == "randomisation_drawn"
        assert headline["redraws"] == 199
        assert headline["covariates"]
    assert headline["estimate"] is not None
    assert headline["n"] == 27
    assert [note for note in document["notes"] if "adjust" in note] == ADJUSTED[way]
    declared = office.trial.experiment
    sealed = declared.model_copy(update={"analysis": declared.analysis.model_copy(update={"adjust": "headline"})})
    population = population_of(office.trial, read_recorded(office.trial))
    assert [*balance_notes(sealed, population)] == ADJUSTED[way][:1]
    whole = [one for one in document["outcomes"][0]["estimates"] if "not paired" in one["method"]]
    assert [(one["role"], one["n"], one["p_value"] is not None) for one in whole] == (
        [("sensitivity", 27, True)] if way == "pairs" else []
    )
    closed = close_trial(office.trial, today=LATER, now=moment(LATER))
    assert closed.certificate.algorithm == ALGORITHMS[way]
    found = verify_trial(office.trial)
    assert found.redrawn
    assert found.problems == ()
    again = from_json(closed.files[0].read_text("utf-8"))
    lists = frozen_lists(office.trial)
    assert verify(again, lists) == ()
    told = json.loads(closed.lists.read_text("utf-8"))
    assert {batch: {*codes} for batch, codes in told.items()} == {
        str(batch): {*codes} for batch, codes in lists.items()
    }
    assert ALGORITHMS[way] in closed.files[1].read_text("utf-8")


def test_a_changed_list_covariate_or_arm_is_found(run: tuple[str, Office]) -> None:
    way, office = run
    certificate = close_trial(office.trial, today=LATER, now=moment(LATER)).certificate
    lists = frozen_lists(office.trial)
    code = min(lists[1])
    entry = Entry.of(lists[1][code])
    if way != "minimised":
        moved = replace(entry, covariates=(1.0, 1.0))
        changed = {1: lists[1] | {code: moved}, 2: lists[2]}
        assert AllocationCode.LIST_CHANGED.slug in {problem.code for problem in verify(certificate, changed)}
    without = {1: {name: line for name, line in lists[1].items() if name != code}, 2: lists[2]}
    assert AllocationCode.LIST_CHANGED.slug in {problem.code for problem in verify(certificate, without)}
    assert certificate.opened is not None
    first, *others = certificate.opened.drawn
    other = "current" if first.arm == "personal-norm" else "personal-norm"
    steered = replace(certificate, opened=replace(certificate.opened, drawn=(replace(first, arm=other), *others)))
    assert AllocationCode.DRAW_DIFFERS.slug in {problem.code for problem in verify(steered, lists)}


def test_a_figure_changed_in_the_records_is_found(tmp_path: Path) -> None:
    office = Office(make_sealed(tmp_path / "rents", edit=lambda text: redeclared("rerandomised", text)))
    office.enrol(people(1, 10))
    assert verify_trial(office.trial).problems == ()
    [batch] = office.rows(BatchRow)
    flow = json.loads(batch.flow_json)
    flow["list"][min(flow["list"])][1][0] += 1
    with office.trial.store.transaction() as connection:
        where = {"trial": batch.trial, "number": 1}
        change(connection, BatchRow, where=where, to={"flow_json": json.dumps(flow)})
    codes = {problem.code for problem in verify_trial(office.trial).problems}
    office.close()
    assert AllocationCode.LIST_CHANGED.slug in codes


def test_a_sealed_trial_keeps_its_way_of_drawing(tmp_path: Path) -> None:
    office = Office(make_sealed(tmp_path / "rents"))
    path = office.folder / "experiments" / "wealden-arrears.yaml"
    path.write_text(redeclared("minimised", path.read_text("utf-8")), "utf-8")
    with pytest.raises(Refused) as refusal:
        amend_trial(office.trial, because="better balance", by="AB", now=moment(MONDAY))
    office.close()
    assert refusal.value.problems[0].code == AllocationCode.METHOD_CHANGED.slug


def test_pairs_that_a_column_names_have_one_in_each_arm_and_a_third_is_refused(tmp_path: Path) -> None:
    named = "method: pairs, pair: patch"
    office = Office(make_sealed(tmp_path / "rents", edit=lambda text: text.replace(DECLARED, named)))
    with pytest.raises(Refused) as refusal:
        office.enrol(people(1, 6))
    assert refusal.value.problems[0].code == AllocationCode.PAIR_TOO_LARGE.slug
    office.enrol(people(1, 4))
    arms = office.arms()
    assert all(arms[f"T00000{number}"] != arms[f"T00000{number + 2}"] for number in (1, 2))
    office.close()
