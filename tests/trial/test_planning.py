"""`nudge power` on files: a history, a baseline, neither; what is refused, and what is copied back."""

from __future__ import annotations

from pathlib import Path

import pytest

from nudge.base.errors import Refused
from nudge.planning.background import Fact, Origin
from nudge.trial.checking import check_file
from nudge.trial.codes import TrialCode
from nudge.trial.planning import experiment_file, plan_trial, rehearsals

TRIAL = """
id: reminder
title: Does a dated reminder bring earlier contact?
question: Do tenants who get a dated reminder get in touch sooner than those who get today's letter?
unit: tenancy
{cluster}
columns: {{arrears: money, patch: text, agreement: flag}}
eligible: arrears >= 10
exclude_if: {{agreement: agreement}}
suppress: [breathing_space]
events: {{contact: {{from: contacts, when: 'direction == "in"'}}}}
{baseline}
arms: [{{id: current, control: true, letter: letters/a.html}}, {{id: dated, letter: letters/b.html}}]
design: {{method: blocked, strata: [patch], enrol: {enrol}}}
outcomes:
  - {{id: days, type: time_to_event, event: contact, horizon: 28, primary: true}}
  - {{id: owed, type: mean, column: arrears, at: 56, window: [-3, 10], source: rent_accounts, better: lower}}
  - {{id: calls, type: rate, event: contact, within: 28}}
smallest_worthwhile: {{days: 2}}
harms: [complaint]
governance: {{}}
"""
BASELINE = "baseline: {outcome: days, rmst: 22, horizon: 28, units: %d, period: 2025-04..2026-03, source: data/h.csv}"


def trial(folder: Path, *, baseline: str = "", enrol: str = "weekly", cluster: str = "cluster: household") -> Path:
    path = folder / "experiments" / "reminder.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(TRIAL.format(baseline=baseline, enrol=enrol, cluster=cluster), "utf-8")
    return path


def history(folder: Path, rows: int = 300, *, household: bool = True, arrears: bool = True) -> Path:
    """Letters of a year; every third is answered on day 5, one in ten comes back, the last tenth has an agreement."""
    lines = ["Tenancy Ref,Letter Date,Current Bal,Patch,Agreement,Household,Contact On,Returned On"]
    for number in range(rows):
        day, later = (f"2025-{1 + n // 28:02d}-{1 + n % 28:02d}" for n in (number, number + 5))
        lines.append(
            f"{1000 + number},{day},{100 + number if arrears else ''},{'North' if number % 2 else 'South'},"
            f"{'Y' if number >= 0.9 * rows else 'N'},{f'H{number // 2}' if household else ''},"
            f"{later if number % 3 == 0 else ''},{later if number % 10 == 0 else ''}"
        )
    path = folder / "data" / "h.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_past_letters_are_read_as_the_trial_would_take_them(tmp_path: Path) -> None:
    planned = plan_trial(trial(tmp_path), history(tmp_path), weeks=30)
    main = planned.main
    assert planned.history == "h.csv"
    figures = {figure.fact: figure for figure in main.background.figures}
    assert figures[Fact.RETURNED].value == pytest.approx(0.1, abs=0.01)
    assert figures[Fact.STRATA].value == 2
    assert figures[Fact.SIZES].value == pytest.approx(2, abs=0.2)  # some of a home are written to a week later
    assert all(figure.origin is Origin.HISTORY for figure in figures.values())
    assert main.background.wider == pytest.approx(1 / 0.9)
    assert [one.question.outcome.id for one in planned.others] == ["owed"]


def test_the_block_to_copy_gives_the_plan_that_the_letters_gave(tmp_path: Path) -> None:
    planned = plan_trial(trial(tmp_path, cluster=""), history(tmp_path))
    block = planned.baseline
    assert block["source"] == "data/h.csv"
    assert block["period"] == "2025-01..2025-11"
    assert block["events"] == pytest.approx(block["units"] / 3, abs=1)
    text = "baseline: {" + ", ".join(f"{key}: {value}" for key, value in block.items()) + "}"
    (tmp_path / "data" / "h.csv").unlink()
    again = plan_trial(trial(tmp_path, baseline=text, cluster=""))
    assert again.history is None
    assert again.main.background.response.reference == pytest.approx(block["rmst"])
    assert not again.baseline


def test_the_source_that_the_baseline_names_is_read_where_it_is_there(tmp_path: Path) -> None:
    history(tmp_path)
    assert plan_trial(trial(tmp_path, baseline=BASELINE % 300)).history == "h.csv"


def test_letters_that_cannot_be_judged_are_all_taken_and_that_is_said(tmp_path: Path) -> None:
    planned = plan_trial(trial(tmp_path), history(tmp_path, arrears=False, household=False))
    assert any("do not say who was eligible" in note for note in planned.notes)
    assert planned.main.background.wider == pytest.approx(1 / 0.9)  # agreements are known


def test_a_history_of_other_events_leaves_the_stated_figures_and_says_so(tmp_path: Path) -> None:
    path = history(tmp_path)
    path.write_text(path.read_text("utf-8").replace("Contact On", "Agreed On"), "utf-8")
    planned = plan_trial(trial(tmp_path, baseline=BASELINE % 300), path)
    assert planned.history is None
    assert any("stated figures are taken" in note for note in planned.notes)


def refused(*arguments: object, **named: object) -> list[str]:
    with pytest.raises(Refused) as refusal:
        plan_trial(*arguments, **named)
    return [problem.code for problem in refusal.value.problems]


def test_nothing_known_is_refused_with_the_way_on(tmp_path: Path) -> None:
    assert refused(trial(tmp_path)) == [TrialCode.PLAN_NO_FIGURES.slug]
    assert refused(trial(tmp_path), tmp_path / "none.csv") == [TrialCode.PLAN_HISTORY_MISSING.slug]
    poor = history(tmp_path)
    poor.write_text(poor.read_text("utf-8").replace(",N,", ",Y,"), "utf-8")
    assert refused(trial(tmp_path), poor) == [TrialCode.PLAN_NONE_ELIGIBLE.slug]
    recorded = Path(__file__).parents[2] / "experiments" / "rossi.yaml"
    assert refused(recorded) == [TrialCode.IS_RECORDED.slug]


def test_three_streets_against_three_are_refused_by_power_and_by_check(tmp_path: Path) -> None:
    hopeless = trial(tmp_path, baseline=BASELINE % 6, enrol="once", cluster="")
    assert refused(hopeless) == [TrialCode.PLAN_CANNOT_REACH.slug]
    with pytest.raises(Refused) as refusal:
        check_file(hopeless)
    [problem] = refusal.value.problems
    assert problem.code == TrialCode.PLAN_CANNOT_REACH.slug
    assert problem.place.line is not None
    assert check_file(trial(tmp_path, baseline=BASELINE % 8, enrol="once", cluster="")).kind == "live"


def test_an_experiment_is_found_by_its_path_or_its_id(tmp_path: Path) -> None:
    path = trial(tmp_path)
    assert experiment_file(str(path), Path("/")) == path
    assert experiment_file("reminder", tmp_path) == path
    with pytest.raises(Refused, match="Known here: reminder"):
        experiment_file("remind", tmp_path)


def test_trials_are_tried_out_for_each_length_and_once_without_a_difference(tmp_path: Path) -> None:
    planned = plan_trial(trial(tmp_path, baseline=BASELINE % 300))
    told: list[tuple[int, int]] = []
    tried = rehearsals(planned, 2, progress=lambda done, total: told.append((done, total)))
    assert len(tried.worthwhile) == len(planned.main.steps)
    assert tried.nothing is not None
    assert tried.nothing.effect == 0
    assert told[-1][0] == told[-1][1] == 2 * (len(planned.main.steps) + 1)
    assert rehearsals(planned, 0).worthwhile == ()


FACTORIAL = """
  - {id: current, control: true, letter: letters/a.html, factors: {name: "no", norm: "no"}}
  - {id: named, letter: letters/b.html, factors: {name: "yes", norm: "no"}}
  - {id: norm, letter: letters/c.html, factors: {name: "no", norm: "yes"}}
  - {id: both, letter: letters/d.html, factors: {name: "yes", norm: "yes"}}"""


def with_arms(folder: Path, arms: str, design: str = "") -> Path:
    path = trial(folder, baseline=BASELINE % 900)
    text = path.read_text("utf-8").splitlines()
    place = next(number for number, line in enumerate(text) if line.startswith("arms:"))
    text[place] = f"arms:{arms}"
    path.write_text("\n".join(text).replace("enrol: weekly", f"enrol: weekly{design}"), "utf-8")
    return path


def test_a_factorial_trial_is_planned_for_its_main_effects_by_formula_alone(tmp_path: Path) -> None:
    planned = plan_trial(with_arms(tmp_path, FACTORIAL, ", factorial: main_effects"))
    assert planned.main.plan.ratio == (2, 2)
    assert planned.main.plan.contrasts == 2
    assert planned.main.arms[0] + planned.main.arms[1] == pytest.approx(planned.main.units, abs=1)
    assert any("averaged over the others" in note for note in planned.notes)
    assert rehearsals(planned, 5).worthwhile == ()


def test_an_arm_held_out_is_in_neither_side(tmp_path: Path) -> None:
    arms = """
  - {id: current, control: true, letter: letters/a.html}
  - {id: dated, letter: letters/b.html}
  - {id: nothing, hold_out: true}"""
    planned = plan_trial(with_arms(tmp_path, arms))
    assert planned.main.plan.ratio == (1, 1)
    assert planned.main.plan.outside == 1
    assert sum(planned.main.arms) == pytest.approx(planned.main.units * 2 / 3, abs=1)
    tried = rehearsals(planned, 30)
    assert tried.nothing is not None
    assert any("held out" in note for note in planned.notes)


def test_what_a_draw_of_pairs_and_declared_looks_do_to_the_figures_is_told(tmp_path: Path) -> None:
    path = trial(tmp_path, baseline=BASELINE % 812, cluster="")
    text = path.read_text("utf-8")
    pairs = text.replace("{method: blocked, strata: [patch], enrol: weekly}", "{method: pairs, covariates: [arrears]}")
    path.write_text(pairs + "analysis: {looks: {method: obrien_fleming, at: [0.5], planned: 400}}\n", "utf-8")
    planned = plan_trial(path)
    assert planned.main.plan.paired == 0.0
    told = " ".join(planned.notes)
    assert "Arms are drawn within pairs." in told
    assert "1.97 standard errors from none instead of 1.96" in told
    path.write_text(text.replace("{method: blocked,", "{method: minimised,"), "utf-8")
    assert "The draw balances more than blocks do." in " ".join(plan_trial(path).notes)


def test_the_price_of_looks_is_told_beside_the_bound_that_several_arms_already_have(tmp_path: Path) -> None:
    path = trial(tmp_path, baseline=BASELINE % 812, cluster="")
    third = "{id: dated, letter: letters/b.html}, {id: third, letter: letters/c.html}]"
    text = path.read_text("utf-8").replace("{id: dated, letter: letters/b.html}]", third)
    path.write_text(text + "analysis: {looks: {method: pocock, at: [0.5], planned: 400}}\n", "utf-8")
    planned = plan_trial(path)
    [told] = [note for note in planned.notes if note.startswith("Looks before the end")]
    usual = planned.main.plan.critical(10**9)
    assert f"instead of {usual:.2f}." in told
    assert usual == pytest.approx(2.2121, abs=1e-3)  # Dunnett's, two arms and a control of one size
    assert float(told.split("must lie ")[1].split()[0]) > usual
