"""Conditions: what they mean, beside a second evaluator that knows only Kleene's tables; and what they refuse."""

from __future__ import annotations

import operator
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nudge.base.columns import Kind, Value
from nudge.experiment.conditions import EVENT_COLUMNS, ConditionError, compile_condition

KINDS = {
    "arrears": Kind.MONEY,
    "paid": Kind.MONEY,
    "weeks": Kind.NUMBER,
    "stage": Kind.TEXT,
    "patch": Kind.TEXT,
    "agreed": Kind.FLAG,
    "court_date": Kind.DATE,
}


def holds(text: str, **values: Value) -> bool | None:
    return compile_condition(text, KINDS).holds(values)


def test_money_is_pounds_in_the_condition_and_pence_in_the_cell() -> None:
    assert holds("arrears >= 10", arrears=1000) is True
    assert holds("arrears >= 10", arrears=999) is False
    assert holds("arrears == 0.07", arrears=7) is True
    assert holds("arrears > -5", arrears=-499) is True
    assert holds("arrears > paid", arrears=2, paid=1) is True


def test_text_is_compared_without_regard_to_capitals_or_outer_spaces() -> None:
    assert holds('stage == "First Letter"', stage=" first letter ") is True
    assert holds('stage in ["a", "B"]', stage="b") is True
    assert holds("stage != 'Straße'", stage="STRASSE") is False
    assert holds('stage == "café"', stage="cafe\u0301") is True
    assert holds("stage == patch", stage="North ", patch="north") is True


def test_dates_are_iso_text() -> None:
    assert holds('court_date < "2026-03-31"', court_date=date(2026, 3, 30)) is True
    assert holds('court_date in ["2026-03-31"]', court_date=date(2026, 3, 30)) is False


def test_a_comparison_may_be_chained() -> None:
    assert holds("10 <= arrears < 500", arrears=49_999) is True
    assert holds("10 <= arrears < 500", arrears=50_000) is False


def test_words_of_the_grammar_may_be_written_in_capitals() -> None:
    assert holds("agreed AND NOT (weeks > 4 OR weeks == 2)", agreed=True, weeks=3.0) is True


def test_i9_a_blank_cell_is_neither_true_nor_false() -> None:
    assert holds("arrears >= 10", arrears=None) is None
    assert holds("arrears >= 10") is None
    assert holds("not agreed", agreed=None) is None
    assert holds('stage == "first"', stage="  ") is None
    assert holds('arrears >= 10 and stage == "first"', arrears=None, stage="second") is False
    assert holds('arrears >= 10 or stage == "first"', arrears=None, stage="first") is True
    assert holds('stage not in ["first"]', stage=None) is None


def test_a_condition_can_be_handed_to_another_process() -> None:
    condition = compile_condition('not (arrears >= 10 or stage in ["a"]) and agreed', KINDS)
    assert pickle.loads(pickle.dumps(condition)) == condition


def test_all_is_every_row() -> None:
    assert holds("all") is True
    assert holds(" ALL ", arrears=None) is True


def test_the_names_a_condition_needs_are_known() -> None:
    assert compile_condition('arrears >= 10 and stage == "x"', KINDS).names == {"arrears", "stage"}


def test_an_event_may_ask_only_what_its_file_holds() -> None:
    reads = compile_condition('code in ["card"] and amount > 0', EVENT_COLUMNS["payments"])
    assert reads.holds({"code": "CARD", "amount": 1}) is True
    with pytest.raises(ConditionError) as refusal:
        compile_condition("amount > 0", EVENT_COLUMNS["contacts"])
    assert refusal.value.offset == 0


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')", "arrears.real > 1", "arrears[0] > 1", "len(stage) > 1", "arrears + 1 > 2",
        "arrears if agreed", "lambda: 1", "stage == f'x'", "{1: 2}", "agreed; agreed", "arrears > 1e3", "weeks > 1_000",
        "weeks > ٣", "stage == 'a' 'b'", "[true]", "arrears > 1.2.3", "stage is 'x'", "arrears >= 10 # note",
        "stage == '\\n' \\", "",
    ],
)  # fmt: skip
def test_nothing_but_the_grammar_is_read(text: str) -> None:
    with pytest.raises(ConditionError) as refusal:
        compile_condition(text, KINDS)
    assert 0 <= refusal.value.offset <= len(text)


# The second evaluator: a tree with its text beside it, evaluated by minimum, maximum and 1 − x over 0, ½, 1.

HALF = Fraction(1, 2)
WORDS = ["first letter", "Second", " NORTH", "south ", "éa"]
COMPARE = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass
class Part:
    text: str
    value: Fraction


def truth(known: bool | None) -> Fraction:
    return HALF if known is None else Fraction(int(known))


ROWS = st.fixed_dictionaries(
    {
        "arrears": st.none() | st.integers(-300, 300),
        "paid": st.none() | st.integers(-300, 300),
        "weeks": st.none() | st.sampled_from([0.0, 1.0, 2.5, 7.0]),
        "stage": st.none() | st.sampled_from(WORDS),
        "patch": st.none() | st.sampled_from(WORDS),
        "agreed": st.none() | st.booleans(),
        "court_date": st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 9)),
    }
)


def compared(row: Mapping[str, Any]) -> st.SearchStrategy[Part]:
    def number(name: str, sign: str, pence: int, turned: bool) -> Part:
        whole, rest = divmod(abs(pence), 100)
        written = f"{'-' if pence < 0 else ''}{whole}.{rest:02d}"
        value = None if row[name] is None else COMPARE[sign](row[name], pence)
        mirrored = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(sign, sign)
        return Part(f"{written} {mirrored} {name}" if turned else f"{name}{sign}{written}", truth(value))

    def text(name: str, sign: str, word: str) -> Part:
        value = None if row[name] is None else COMPARE[sign](row[name].strip().casefold(), word.strip().casefold())
        return Part(f'{name} {sign} "{word.upper()}"', truth(value))

    def among(name: str, words: list[str], outside: bool) -> Part:
        folded = [word.strip().casefold() for word in words]
        value = None if row[name] is None else (row[name].strip().casefold() in folded) != outside
        listed = ", ".join(f"'{word}'" for word in words)
        return Part(f"{name} {'not in' if outside else 'in'} [{listed}]", truth(value))

    def day(sign: str, when: date) -> Part:
        value = None if row["court_date"] is None else COMPARE[sign](row["court_date"], when)
        return Part(f'court_date {sign} "{when}"', truth(value))

    signs = st.sampled_from(sorted(COMPARE))
    equality = st.sampled_from(["==", "!="])
    return st.one_of(
        st.builds(number, st.sampled_from(["arrears", "paid"]), signs, st.integers(-300, 300), st.booleans()),
        st.builds(text, st.sampled_from(["stage", "patch"]), equality, st.sampled_from(WORDS)),
        st.builds(
            among, st.sampled_from(["stage", "patch"]), st.lists(st.sampled_from(WORDS), min_size=1), st.booleans()
        ),
        st.builds(day, signs, st.dates(date(2026, 1, 1), date(2026, 1, 9))),
        st.just(Part("agreed", truth(row["agreed"]))),
        st.builds(lambda known: Part(str(known).lower(), truth(known)), st.booleans()),
    )


def joined(parts: st.SearchStrategy[Part]) -> st.SearchStrategy[Part]:
    several = st.lists(parts, min_size=2, max_size=3)
    return st.one_of(
        several.map(
            lambda of: Part("(" + " and ".join(part.text for part in of) + ")", min(part.value for part in of))
        ),
        several.map(lambda of: Part("(" + " or ".join(part.text for part in of) + ")", max(part.value for part in of))),
        parts.map(lambda part: Part(f"(not {part.text})", 1 - part.value)),
    )


@settings(max_examples=200, deadline=None)
@given(st.data(), ROWS)
def test_i9_a_condition_means_what_kleenes_tables_say(data: st.DataObject, row: dict[str, Any]) -> None:
    part = data.draw(st.recursive(compared(row), joined, max_leaves=8))
    known = compile_condition(part.text, KINDS).holds(row)
    assert truth(known) == part.value


def test_and_binds_before_or_and_not_before_both() -> None:
    for a in (True, False):
        for weeks in (1.0, 5.0):
            for paid in (0, 200):
                found = holds("not agreed and weeks > 4 or paid > 1", agreed=a, weeks=weeks, paid=paid)
                assert found is (((not a) and weeks > 4) or paid > 100)


SCRAPS = ["and", "or", "not", "in", "(", ")", "[", "]", ",", "==", "<", '"x"', "'", "1", "0.5", "true", "é"]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([*KINDS, *SCRAPS]), max_size=12).map(" ".join)
    | st.text(max_size=40)
)  # fmt: skip
def test_any_text_is_read_or_refused_inside_itself(text: str) -> None:
    try:
        condition = compile_condition(text, KINDS)
    except ConditionError as fault:
        refusal = fault
    else:
        assert condition.holds({}) in {True, False, None}
        return
    assert 0 <= refusal.offset <= len(text)
    assert refusal.code.expected.format(**refusal.facts)
    assert refusal.code.fix.format(**refusal.facts)
