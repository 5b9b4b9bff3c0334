"""Reading an experiment file: what it comes to mean, and that nothing read ever breaks the reader."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.base.columns import Kind
from nudge.base.errors import Problem, Refused
from nudge.experiment.definition import LiveExperiment, RecordedExperiment
from nudge.experiment.fields import Period
from nudge.experiment.loader import define, load, parse
from nudge.experiment.seal import definition_hash
from nudge.experiment.source import LARGEST

FLAGSHIP = (Path(__file__).resolve().parents[2] / "experiments" / "wealden-arrears.yaml").read_text(encoding="utf-8")
SOMEBODY_ELSES = """\
id: reminder-letters
design: {method: recorded, randomised: yes, drawn: clusters}
data: {unit: case_id, arm: letter, cluster: household, strata: [office], pair: null, missing: ["", NA]}
arms: [{id: none, control: true}, {id: plain}, {id: dated}]
outcomes:
  - {id: renewed, type: proportion, column: status, success: [Renewed]}
  - {id: days_to_reply, type: time_to_event, start: sent_on, event: replied_on, data_cut: 2025-12-31, horizon: 60}
  - {id: weeks_to_arrest, type: time_to_event, duration: week, happened: arrest, horizon: 52, time_unit: week}
  - {id: dollars, type: mean, column: amount}
  - {id: fouling, type: rate, column: count, exposure: days, baseline: count_before, baseline_exposure: days_before}
"""
MODELINE = "# yaml-language-server: $schema=schema.json"


def live(text: str) -> LiveExperiment:
    experiment = parse(text, "trial.yaml").experiment
    assert isinstance(experiment, LiveExperiment)
    return experiment


def recorded(text: str) -> RecordedExperiment:
    experiment = parse(text, "plan.yaml").experiment
    assert isinstance(experiment, RecordedExperiment)
    return experiment


def refused(text: str) -> tuple[Problem, ...]:
    with pytest.raises(Refused) as refusal:
        parse(text, "trial.yaml")
    return refusal.value.problems


# What a file comes to mean


def test_the_flagship_says_what_the_design_says(flagship: str) -> None:
    experiment = live(flagship)
    assert experiment.arm_ids == ("current", "personal-norm")
    assert experiment.control.letter == "letters/arrears-current.html"
    assert experiment.arm("personal-norm").levers == ("affect", "norms")
    assert experiment.kinds["arrears"] is Kind.MONEY
    assert experiment.kinds["arrears_band"] is Kind.TEXT
    assert experiment.events["contact"].source_kind == "contacts"
    primary = experiment.primary
    assert primary is not None
    assert (primary.id, primary.horizon, primary.better) == ("days_to_contact", 56, "lower")
    assert primary.event == ("contact", "payment")
    assert experiment.outcome("contact_before_second_letter").event == ("contact",)
    assert experiment.outcome("arrears_at_8_weeks").window == (-3, 10)
    assert experiment.claims["contact_norm"].period == Period(date(2025, 9, 1), date(2026, 8, 31))
    assert experiment.waves[0].unless == ("contact", "payment")
    assert experiment.worthwhile("days_to_contact") == 3
    assert experiment.worthwhile("arrears_at_8_weeks") is None
    assert parse(flagship, "wealden-arrears.yaml").notes == ()


def test_somebody_elses_trial_is_read_as_the_design_shows_it() -> None:
    plan = recorded(SOMEBODY_ELSES)
    assert plan.control.id == "none"
    assert (plan.design.randomised, plan.design.drawn) == ("yes", "clusters")
    assert (plan.data.pair, plan.data.missing) == (None, ("", "NA"))
    assert plan.primary is None
    assert plan.outcome("days_to_reply").data_cut == date(2025, 12, 31)
    assert plan.outcome("days_to_reply").event == ("replied_on",)
    assert plan.outcome("weeks_to_arrest").time_unit == "week"


@pytest.mark.parametrize("name", ["wealden-arrears", "karlan-list-2007", "rossi", "pbc"])
def test_every_shipped_experiment_is_sound_and_completes_in_an_editor(experiments: Path, name: str) -> None:
    loaded = load(experiments / f"{name}.yaml")
    assert loaded.experiment.id == name
    assert loaded.notes == ()
    assert loaded.text.splitlines()[0] == MODELINE


@pytest.mark.parametrize(
    ("name", "file", "columns"),
    [
        ("rossi", "survival_reference_sets/rossi.csv", {"week", "arrest", "fin"}),
        ("pbc", "survival_reference_sets/pbc312.csv", {"id", "years", "dead", "arm"}),
    ],
)
def test_shipped_plans_name_headings_that_the_data_have(
    experiments: Path, shared_data: Path, name: str, file: str, columns: set[str]
) -> None:
    with (shared_data / file).open(encoding="utf-8") as stream:
        headings = set(stream.readline().strip().replace('"', "").split(","))
    assert columns <= headings
    plan = recorded((experiments / f"{name}.yaml").read_text(encoding="utf-8"))
    outcome = plan.primary
    assert outcome is not None
    assert {plan.data.arm, outcome.duration, outcome.happened} <= columns


def test_what_is_not_said_is_what_the_rules_say(tiny_live: str, tiny_recorded: str) -> None:
    experiment = live(tiny_live)
    assert experiment.design.ratio == (1, 1)
    assert experiment.design.enrol == "weekly"
    assert (experiment.analysis.confidence, experiment.analysis.lag_days) == (0.95, 7)
    reply = experiment.outcomes[0]
    assert (reply.better, reply.repeats, reply.time_unit) == ("lower", True, "day")  # rules §8, §1
    plan = recorded(tiny_recorded.replace(", randomised: yes", ""))
    assert (plan.design.randomised, plan.data.missing) == ("unknown", ("",))  # rules §6, §1
    dated = "type: time_to_event, duration: week, happened: arrest, horizon: 52}"
    plan = recorded(tiny_recorded.replace("type: proportion, column: status, success: [Renewed]}", dated))
    assert plan.outcomes[0].repeats is False


def test_a_live_time_to_event_is_to_contact_or_payment_unless_it_says_otherwise(tiny_live: str) -> None:
    payment = 'when: direction == "in"}, payment: {from: payments, when: amount > 0}}'
    two = tiny_live.replace('when: direction == "in"}}', payment)
    assert live(two.replace(" event: contact,", "")).outcomes[0].event == ("contact", "payment")


def test_ids_of_recorded_arms_are_text_as_the_data_write_it(tiny_recorded: str) -> None:
    arms = 'arms: [{id: 0, control: true}, {id: " a b "}, {id: 00123}, {id: 2.0}, {id: 2026-01-02}, {id: "yes"}]'
    plan = recorded(tiny_recorded.replace("arms: [{id: none, control: true}, {id: plain}]", arms))
    assert plan.arm_ids == ("0", "a b", "00123", "2", "2026-01-02", "yes")


def test_money_is_pounds_in_the_file_and_pence_inside(tiny_live: str) -> None:
    measured = "  - {id: debt, type: mean, column: arrears, at: 56, window: [-3, 10], absent: 0}\n"
    sizes = "smallest_worthwhile: {reply: 3"
    text = tiny_live.replace(sizes, f"{measured}{sizes}, debt: 12.5")
    experiment = live(text)
    assert experiment.worthwhile("debt") == 1250
    assert experiment.inside(150, "arrears") == 15000
    assert experiment.inside(4, "weeks") == 4


def test_a_recorded_size_is_as_written_and_secondary_names_are_readable(tiny_recorded: str) -> None:
    plan = recorded(tiny_recorded + "smallest_worthwhile: {renewed: 0.03}\n")
    assert plan.worthwhile("renewed") == 0.03
    assert plan.kinds == {}
    assert plan.arm("plain").name == "plain"
    labelled = recorded(tiny_recorded.replace("{id: plain}", "{id: plain, label: Plain words}"))
    assert labelled.arm("plain").name == "Plain words"
    assert live(FLAGSHIP).outcome("arrears_at_8_weeks").name == "arrears at 8 weeks"


def test_a_rate_counts_events_or_reads_a_column(tiny_live: str) -> None:
    counted = "  - {id: calls, type: rate, event: contact, within: 56}\n"
    read = "  - {id: bags, type: rate, column: weeks, at: 56, window: [0, 7], source: readings, exposure: arrears}\n"
    experiment = live(tiny_live.replace("smallest_worthwhile:", counted + read + "smallest_worthwhile:"))
    assert experiment.outcome("calls").repeats is True
    assert experiment.outcome("bags").repeats is None


def test_a_name_that_nothing_has_is_a_key_error(tiny_live: str) -> None:
    experiment = live(tiny_live)
    with pytest.raises(KeyError):
        experiment.outcome("replies")
    with pytest.raises(KeyError):
        experiment.arm("newer")


def test_a_period_is_whole_months_with_both_ends_inside() -> None:
    period = live(FLAGSHIP).claims["contact_norm"].period
    assert str(period) == "2025-09..2026-08"
    assert date(2025, 9, 1) in period
    assert date(2026, 8, 31) in period
    assert date(2026, 9, 1) not in period


def test_a_plan_written_in_python_is_held_to_the_same_rules() -> None:
    plan = yaml.load(SOMEBODY_ELSES.replace("yes", '"yes"'), Loader=yaml.SafeLoader)
    plan["outcomes"][1]["data_cut"] = date(2025, 12, 31)
    assert define(plan) == recorded(SOMEBODY_ELSES)
    plan["outcomes"][0]["horzion"] = 3
    with pytest.raises(Refused, match=r"^plan:outcomes\.0\.horzion: expected one of the keys id, type"):
        define(plan, "plan")


# Where things are


def test_a_path_of_keys_has_its_line_and_column(flagship: str) -> None:
    loaded = parse(flagship, "wealden-arrears.yaml")
    lines = flagship.splitlines()
    place = loaded.place("outcomes", 0, "horizon")
    assert (place.line, place.column) == (lines.index("    horizon: 56") + 1, 14)
    assert loaded.place("outcomes", 0, "nothing") == loaded.place("outcomes", 0)
    assert str(loaded.place("id")) == "wealden-arrears.yaml:4:5"


def test_windows_and_old_mac_line_ends_count_as_lines(tiny_live: str) -> None:
    for end in ("\r\n", "\r"):
        [problem] = refused(tiny_live.replace("harms", "harm").replace("\n", end))
        assert (problem.place.line, problem.place.column) == (14, 1)


def test_a_byte_order_mark_is_passed_over(tmp_path: Path, tiny_live: str) -> None:
    path = tmp_path / "trial.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + tiny_live.replace("id: tiny", "id: Tiny").encode())
    with pytest.raises(Refused) as refusal:
        load(path)
    assert str(refusal.value.problems[0].place) == "trial.yaml:1:5"


def test_a_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"^none\.yaml: expected an experiment file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(Refused, match="not a folder"):
        load(tmp_path)


def test_a_file_over_256_kib_is_refused_unread(tmp_path: Path, tiny_live: str) -> None:
    path = tmp_path / "large.yaml"
    path.write_text(tiny_live + "#" * LARGEST, encoding="utf-8")
    with pytest.raises(Refused, match="at most 256 KiB"):
        load(path)
    assert "256 KiB" in refused(path.read_text(encoding="utf-8"))[0].expected


def test_a_file_of_exactly_256_kib_is_read(tmp_path: Path, tiny_live: str) -> None:
    path = tmp_path / "full.yaml"
    path.write_text(tiny_live + "#" * (LARGEST - len(tiny_live)), encoding="utf-8")
    assert load(path).experiment.id == "tiny"


def test_a_plan_without_a_design_is_taken_for_the_kind_it_looks_like(tiny_live: str, tiny_recorded: str) -> None:
    design = "design: {method: recorded, randomised: yes}\n"
    [problem] = refused(tiny_recorded.replace(design, ""))
    assert problem.expected == "`design`"
    [problem] = refused(tiny_live.replace("design: {method: blocked}\n", ""))
    assert problem.expected == "`design`"


def test_a_slip_in_the_method_leaves_the_kind_of_plan_plain(tiny_recorded: str) -> None:
    [problem] = refused(tiny_recorded.replace("method: recorded", "method: recorde"))
    assert (problem.code, problem.fix) == ("name-unknown", "Did you mean `recorded`?")


def test_what_is_only_doubtful_is_a_note_and_refuses_nothing(flagship: str) -> None:
    doubtful = (
        flagship.replace("within: 14}", "within: 21}")
        .replace("strata: [patch, arrears_band]", "strata: [patch, arrears]")
        .replace("rmst: 41.3, horizon: 56", "rmst: 41.3, horizon: 60")
    )
    assert [str(note) for note in parse(doubtful, "trial.yaml").notes] == [
        "trial.yaml:38:59: expected the same horizon in `baseline` as in `days_to_contact` (56). "
        "Work the baseline out again to that day, or power will be off.",
        "trial.yaml:60:43: expected a stratum with few values (`arrears` is money). "
        "Cut it into bands under `bands`, and use the band.",
        "trial.yaml:71:82: expected `within` no later than letter `second` (day 14). "
        "The outcome then answers for both letters; it is flagged in the report.",
    ]


def test_one_slip_in_a_key_hides_nothing_behind_it(tiny_live: str) -> None:
    problems = refused(tiny_live.replace("outcomes:", "outcoms:").replace("horizon: 56", "horizon: no"))
    assert [problem.code for problem in problems] == ["key-unknown", "yes-no-unquoted"]
    problems = refused(tiny_live.replace("outcomes:", "outcoms:").replace("event: contact", "event: contract"))
    assert [problem.code for problem in problems] == ["key-unknown", "event-unknown"]
    assert problems[1].place.line == 12


# Whatever is in the file, it is read or refused


def assert_placed(text: str, problems: tuple[Problem, ...]) -> None:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for problem in problems:
        assert problem.code != "value-misfits", problem
        line, column = problem.place.line, problem.place.column
        if line is None:  # the whole file: empty, or too large
            assert problem.code in {"file-empty", "file-too-large"}
            continue
        assert column is not None
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1
        assert problem.expected
        assert problem.fix


def read_or_refuse(text: str) -> tuple[Problem, ...]:
    try:
        loaded = parse(text, "mutant.yaml")
    except Refused as refusal:
        problems = refusal.problems
    else:
        assert_placed(text, loaded.notes)
        return ()
    assert problems
    assert_placed(text, problems)
    return problems


SCRAPS = st.sampled_from(
    [*"{}[]:,#&*!|>'\"%@`-?\n\t \\\r\x00\u0085\u2028\ufeff\ud800é0", "yes", "no", "null", "~", "<<: ", "&a ", "*a",
     "!!x ", "---\n", "...\n", "- ", ": ", "{}", "[]", "1e999", ".inf", "0x1F", "12:30", "2026-02-30", "9" * 5000,
     "\\U99999999", "id: ", "seed: 1\n", "type: mean", "method: recorded", "data: {arm: x}\n", "%YAML 99.9\n", "= "]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_mangled_file_is_read_or_refused_inside_the_file(data: st.DataObject) -> None:
    text = FLAGSHIP
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.sampled_from([0, 0, 1, 2, 10, 60]))
        text = text[:at] + data.draw(SCRAPS) + text[at + cut :]
    read_or_refuse(text)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_at_all_is_read_or_refused_inside_the_file(text: str) -> None:
    read_or_refuse(text)


WORDS = [
    "",
    " ",
    "a b",
    "contact",
    "arrears",
    "2026-01-01",
    "03/04/2026",
    "{share}",
    "all",
    "2025-04..2026-03",
    "x" * 300,
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["id", "of", "from", "x"]), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip


def paths_of(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, item in inner for found in paths_of(item, (*path, key)))]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([FLAGSHIP, SOMEBODY_ELSES.replace("yes", '"yes"')]), st.randoms(use_true_random=False), VALUES)
def test_any_value_in_any_place_is_refused_where_it_stands(text: str, choose: random.Random, value: object) -> None:
    plan = yaml.load(text, Loader=yaml.SafeLoader)
    *above, key = choose.choice([path for path in paths_of(plan) if path])
    holder = plan
    for step in above:
        holder = holder[step]
    action = choose.choice(["replace", "remove", "rename"])
    if action == "replace":
        holder[key] = value
    elif action == "remove" or isinstance(holder, list):
        del holder[key]
    else:
        holder[f"{key}x"] = holder.pop(key)
    # In front stands a comment, so that nothing can truly be at line 1, column 1.
    written = "# comment\n" + yaml.safe_dump(plan, sort_keys=False, allow_unicode=True)
    for problem in read_or_refuse(written):
        assert (problem.place.line, problem.place.column) != (1, 1)


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_and_the_layout_do_not_change_what_is_meant(choose: random.Random) -> None:
    plan = yaml.load(FLAGSHIP, Loader=yaml.SafeLoader)

    def shuffled(value: object) -> object:
        if isinstance(value, dict):
            keys = list(value)
            choose.shuffle(keys)
            return {key: shuffled(value[key]) for key in keys}
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    again = yaml.safe_dump(shuffled(plan), sort_keys=False, default_flow_style=choose.choice([None, True, False]))
    assert definition_hash(live(again)) == definition_hash(live(FLAGSHIP))
