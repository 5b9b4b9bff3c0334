"""The summary document: whole, exact, and the same as its documentation."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nudge.reports import summary as document
from nudge.reports.codes import SummaryCode
from nudge.reports.lines import FLAG_WORDS
from nudge.reports.summary import ArmCount, Flow, Header, assemble, summary_json, validate
from nudge.trial import recorded_measured
from nudge.uplift.estimate import CiMethod, Flag, Measure, PMethod, Role, Scale
from nudge.uplift.verdict import VerdictCode

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
SUMMARIES = sorted(DATA.glob("summary-*.json"))
DOCS = (ROOT / "docs" / "summary.md").read_text(encoding="utf-8")


def example(name: str = "arrears") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / f"summary-{name}.json").read_text(encoding="utf-8"))
    return found


def documented(heading: str) -> set[str]:
    """The words in the first column of the table under a heading."""
    section = DOCS.split(f"\n### {heading}\n", 1)[1].split("\n#", 1)[0]
    return set(re.findall(r"^\| `([^`]+)` \|", section, flags=re.MULTILINE))


@dataclass
class Result:
    """One outcome of a document, as the engine would hand it over."""

    outcome: dict[str, Any]

    def document(self) -> dict[str, Any]:
        return self.outcome


def header(**changes: Any) -> Header:
    values: dict[str, Any] = {
        "experiment": "wealden-arrears",
        "definition_hash": "0" * 64,
        "randomised": "yes",
        "drawn": "blocks",
        "arms": (ArmCount(arm="current", assigned=418), ArmCount(arm="personal-norm", assigned=421)),
        "flow": Flow(allocated=839),
    }
    return Header(**{**values, **changes})


@pytest.mark.parametrize("path", SUMMARIES, ids=lambda path: path.stem)
def test_the_examples_are_valid_summaries(path):
    assert validate(json.loads(path.read_text(encoding="utf-8"))) == ()


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("`measure`", Measure),
        ("`ci_method`", CiMethod),
        ("`flags`", Flag),
        ("`code` of a verdict", VerdictCode),
    ],
)
def test_a_closed_list_is_documented_word_for_word(heading: str, words: type[StrEnum]):
    assert documented(heading) == {word.value for word in words}


def test_every_way_to_a_p_value_is_documented_once_and_once_more_as_if_randomised():
    plain = documented("`p_method`")
    assert plain | {f"as_if_randomised_{word}" for word in plain} == {word.value for word in PMethod}


def test_roles_and_scales_are_documented():
    for word in (*Role, *Scale):
        assert f"`{word.value}`" in DOCS


def test_every_reason_to_be_missing_from_a_recorded_trial_is_documented():
    reasons = {value for name, value in vars(recorded_measured).items() if name.isupper() and isinstance(value, str)}
    assert documented("Reasons in `missing_by` of a recorded trial") == reasons


def test_every_key_of_the_document_is_documented():
    one = example()
    keys = set(one) | set(one["flow"]) | set(one["checks"])
    outcome = one["outcomes"][0]
    keys |= set(outcome) | set(outcome["arms"][0]) | set(outcome["estimates"][0])
    for item in one["outcomes"]:
        keys |= set(item["arms"][0]["values"])
    assert {key for key in keys if f"`{key}`" not in DOCS} == set()


def test_every_flag_has_a_sentence_for_readers():
    assert set(FLAG_WORDS) == set(Flag)


def test_an_assembled_document_is_valid_and_survives_json_to_the_last_digit():
    made = assemble(header(), [Result(outcome) for outcome in example()["outcomes"]])
    again = json.loads(summary_json(made))
    assert again == made
    assert validate(again) == ()


def test_headline_rows_stand_first_in_the_order_of_the_arms_and_the_others_keep_theirs():
    outcome = example("three-arms")["outcomes"][0]
    shuffled = {**outcome, "estimates": outcome["estimates"][::-1]}
    arms = tuple(ArmCount(arm=arm, assigned=140) for arm in ("current", "personal-norm", "short"))
    made = assemble(header(arms=arms), [Result(shuffled)])["outcomes"][0]["estimates"]
    assert [line["arm"] for line in made[:2]] == ["personal-norm", "short"]
    assert [line["role"] for line in made[:2]] == ["headline"] * 2
    assert [line for line in made if line["role"] != "headline"] == [
        line for line in shuffled["estimates"] if line["role"] != "headline"
    ]


def test_array_scalars_become_plain_numbers():
    outcome = copy.deepcopy(example()["outcomes"][1])
    outcome["estimates"][0]["estimate"] = np.float64(0.1)
    outcome["arms"][0]["n"] = np.int64(418)
    made = assemble(header(), [Result(outcome)])["outcomes"][0]
    assert type(made["estimates"][0]["estimate"]) is float
    assert type(made["arms"][0]["n"]) is int


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_none_never_gets_into_a_summary(value):
    outcome = copy.deepcopy(example()["outcomes"][1])
    outcome["estimates"][0]["se"] = value
    with pytest.raises(ValueError, match="NaN or infinity"):
        assemble(header(), [Result(outcome)])
    whole = example()
    whole["outcomes"][1]["estimates"][0]["se"] = value
    assert [problem.code for problem in validate(whole)] == [SummaryCode.NOT_FINITE.slug]


def _without(path: list[Any]) -> dict[str, Any]:
    whole = example()
    place: Any = whole
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return whole


@pytest.mark.parametrize(
    "path",
    [
        ["seal"],
        ["flow", "withheld"],
        ["checks", "balance"],
        ["outcomes", 0, "horizon"],
        ["outcomes", 0, "arms", 1, "missing_by"],
        ["outcomes", 0, "estimates", 0, "p_adjusted"],
        ["outcomes", 0, "arms", 0, "values", "rmst"],
    ],
    ids=lambda path: str(path[-1]),
)
def test_a_key_that_is_not_there_is_named_where_it_should_stand(path):
    [problem] = validate(_without(path))
    assert problem.code == SummaryCode.KEY_ABSENT.slug
    assert str(problem.place).endswith(path[-1])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda whole: whole.update(schema="nudge-summary/2"), SummaryCode.NOT_A_SUMMARY),
        (lambda whole: whole.update(randomised="perhaps"), SummaryCode.UNKNOWN_WORD),
        (lambda whole: whole["outcomes"][0]["estimates"][0]["flags"].append("odd"), SummaryCode.UNKNOWN_WORD),
        (lambda whole: whole["outcomes"][0]["estimates"][0].update(n=-1), SummaryCode.WRONG_KIND),
        (lambda whole: whole["outcomes"][0]["estimates"][0].update(ci=[1.0]), SummaryCode.WRONG_KIND),
        (lambda whole: whole["outcomes"][0]["estimates"][0].update(estimate=None), SummaryCode.NULL_WITHOUT_FLAG),
        (lambda whole: whole["outcomes"][0]["estimates"][0].update(arm="another"), SummaryCode.ARM_UNKNOWN),
        (lambda whole: whole["outcomes"][0]["estimates"].reverse(), SummaryCode.HEADLINE_NOT_FIRST),
    ],
)
def test_what_is_no_summary_is_told_apart(change, code):
    whole = example()
    change(whole)
    assert [problem.code for problem in validate(whole)] == [code.slug]


def test_keys_that_a_reader_does_not_know_are_passed_over():
    whole = example()
    whole["later"] = 1
    whole["outcomes"][0]["estimates"][0]["later"] = 1
    assert validate(whole) == ()


def test_every_refusal_of_a_summary_can_be_read_aloud():
    facts = {"schema": "nudge-summary/1", "key": "seal", "wanted": "a number", "valid": "yes, no", "arms": "a, b"}
    for code in SummaryCode:
        assert "{" not in code.expected.format(**facts) + code.fix.format(**facts)


def test_the_schema_is_the_one_documented():
    assert f"`{document.SCHEMA}`" in DOCS
