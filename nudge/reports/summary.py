"""The summary document, `nudge-summary/1`: every figure of a trial, once, for people, programs and later readers.

`docs/summary.md` says what each key means. Proportions are fractions, times are in the outcome's own unit, money is
in pence where nudge read it as money. A quantity that does not exist is null with a flag, never a number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, Final, Protocol, TypeAlias

from nudge._version import __version__
from nudge.base.errors import Place, Problem
from nudge.experiment.definition import OutcomeType
from nudge.reports.codes import SummaryCode
from nudge.reports.shape import (
    anything,
    count,
    list_of,
    map_of,
    null_or,
    number,
    record,
    row,
    text,
    truth,
    with_optional,
    word,
)
from nudge.uplift.estimate import CiMethod, Flag, Measure, PMethod, Role, Scale

SCHEMA: Final = "nudge-summary/1"
Summary: TypeAlias = dict[str, Any]
RANDOMISED: Final = ("yes", "no", "unknown")


class Analysed(Protocol):
    """One outcome as the engine hands it over."""

    def document(self) -> Mapping[str, Any]:
        """The outcome's part of the summary, with every key."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmCount:
    """How many units and clusters an arm was given by the draw."""

    arm: str
    assigned: int
    clusters: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """From the rows of the files to the units analysed. Mappings are reason to count of units (rejected: rows)."""

    rows: int | None = None
    rejected: Mapping[str, int] = field(default_factory=dict)
    repeated: int | None = None  # further rows of a tenancy counted once: joint tenants, later weeks
    excluded: Mapping[str, int] = field(default_factory=dict)
    eligible: int | None = None
    allocated: int
    withheld: Mapping[str, int] = field(default_factory=dict)
    posted: int | None = None
    returned: int | None = None
    analysed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """Signs that something went wrong in the draw, the posting or the follow-up; None where not checked."""

    sample_ratio: Mapping[str, Any] | None = None
    missing_by_arm: Mapping[str, Any] | None = None
    dispatch_by_arm: Mapping[str, Any] | None = None
    balance: Sequence[Mapping[str, Any]] = ()
    after_draw: Mapping[str, Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a summary says of the trial as a whole; the outcomes come from the engine."""

    experiment: str
    definition_hash: str
    randomised: str
    drawn: str
    arms: tuple[ArmCount, ...]
    flow: Flow
    seal: str | None = None
    as_of: date | None = None
    amendments: Sequence[Mapping[str, Any]] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)  # wording let through: what was held, by whom and why
    epochs: int = 1
    certificate_level: str | None = None
    multiplicity: str | None = None
    checks: Checks = Checks()
    notes: tuple[str, ...] = ()


def assemble(header: Header, results: Sequence[Analysed]) -> Summary:
    """The whole document, JSON-ready: plain values only, headline rows first in the order of the arms.

    Raises ValueError where a result holds NaN or an infinity, or lacks a key: that is our own mistake.
    """
    arms = [arm.arm for arm in header.arms]
    document = {
        "schema": SCHEMA,
        "nudge_version": __version__,
        "experiment": header.experiment,
        "definition_hash": header.definition_hash,
        "seal": header.seal,
        "as_of": header.as_of,
        "randomised": header.randomised,
        "drawn": header.drawn,
        "amendments": header.amendments,
        "overrides": dict(header.overrides),
        "epochs": header.epochs,
        "certificate_level": header.certificate_level,
        "multiplicity": header.multiplicity,
        "flow": _fields(header.flow),
        "arms": [_fields(arm) for arm in header.arms],
        "outcomes": [_ordered(result.document(), arms) for result in results],
        "checks": _fields(header.checks),
        "notes": header.notes,
    }
    whole: Summary = _plain(document)
    if problems := validate(whole):
        raise ValueError("; ".join(map(str, problems)))
    return whole


def summary_json(document: Summary) -> str:
    """The document as text for a file: doubles in full, keys in the order of the document, a newline at the end."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def headline(outcome: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The headline rows of one outcome of a document, in the order of its arms."""
    return [line for line in outcome["estimates"] if line["role"] == Role.HEADLINE]


def _fields(value: object) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}  # type: ignore[attr-defined]


def _ordered(outcome: Mapping[str, Any], arms: Sequence[str]) -> dict[str, Any]:
    place = {arm: number for number, arm in enumerate(arms)}

    def rank(line: Mapping[str, Any]) -> tuple[int, int]:
        return (0, place.get(line["arm"], len(arms))) if line["role"] == Role.HEADLINE else (1, 0)

    return {**outcome, "estimates": sorted(outcome["estimates"], key=rank)}


def _plain(value: Any) -> Any:
    """The value as JSON knows it: no enumerations, dates, tuples or array scalars."""
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # numpy arrays and scalars, without importing numpy
        return _plain(value.tolist())
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            msg = "a summary holds no NaN or infinity"
            raise ValueError(msg)
        return float(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    msg = f"a summary cannot hold a {type(value).__name__}"
    raise ValueError(msg)


_LIMITS: Final = row(number, number)
_POINT: Final = record(estimate=null_or(number), se=null_or(number), ci=null_or(_LIMITS))
_COUNTS: Final = map_of(count)
_VALUES: Final = {
    OutcomeType.TIME_TO_EVENT: record(
        contact_by_horizon=_POINT,
        by_day=map_of(_POINT),
        rmst=_POINT,
        median=null_or(_POINT),
        curve=list_of(row(number, number, number, number, number, null_or(number))),
        responders_mean=anything,
        responders_n=anything,
    ),
    OutcomeType.PROPORTION: record(proportion=_POINT),
    OutcomeType.MEAN: record(mean=_POINT, sd=anything),
    OutcomeType.RATIO: record(numerator=anything, denominator=anything, ratio=_POINT),
    OutcomeType.PERCENTILE: record(percentile=_POINT, sd=anything),
    OutcomeType.RATE: record(count=anything, exposure=anything, rate=_POINT),
}
_ESTIMATE: Final = record(
    arm=text,
    reference=text,
    measure=word(list(Measure)),
    scale=word(list(Scale)),
    estimate=null_or(number),
    se=null_or(number),
    ci=null_or(_LIMITS),
    ci_method=null_or(word(list(CiMethod))),
    confidence=number,
    simultaneous=null_or(_LIMITS),
    df=null_or(number),
    statistic=null_or(number),
    p_value=null_or(number),
    p_method=null_or(word(list(PMethod))),
    redraws=null_or(count),
    p_adjusted=null_or(number),
    adjustment=null_or(text),
    strata=list_of(text),
    strata_dropped=count,
    covariates=list_of(text),
    clusters=null_or(count),
    design_effect=null_or(number),
    role=word(list(Role)),
    method=text,
    n=count,
    events=null_or(count),
    flags=list_of(word(list(Flag))),
)
_OUTCOME: Final = record(
    id=text,
    type=word(list(OutcomeType)),
    primary=truth,
    better=null_or(word(("lower", "higher"))),
    population=text,
    estimand=text,
    unit=text,
    time_unit=null_or(text),
    horizon=null_or(number),
    day0=anything,
    data_cut=null_or(text),
    followed_to_horizon=anything,
    competing=list_of(text),
    smallest_worthwhile=null_or(number),
    verdict=list_of(record(arm=text, code=text, text=text)),
    arms=list_of(
        record(
            arm=text,
            n_assigned=count,
            n=count,
            clusters=null_or(count),
            missing=count,
            missing_by=_COUNTS,
            events=null_or(count),
            values=map_of(anything),
        )
    ),
    estimates=list_of(with_optional(_ESTIMATE, contrast=null_or(row(text, text, text)))),
)
_DOCUMENT: Final = with_optional(
    record(
        schema=text,
        nudge_version=text,
        experiment=text,
        definition_hash=text,
        seal=null_or(text),
        as_of=null_or(text),
        randomised=word(RANDOMISED),
        drawn=text,
        amendments=list_of(map_of(anything)),
        epochs=count,
        certificate_level=null_or(text),
        multiplicity=null_or(text),
        flow=record(
            rows=null_or(count),
            rejected=_COUNTS,
            repeated=null_or(count),
            excluded=_COUNTS,
            eligible=null_or(count),
            allocated=count,
            withheld=_COUNTS,
            posted=null_or(count),
            returned=null_or(count),
            analysed=null_or(count),
        ),
        arms=list_of(record(arm=text, assigned=count, clusters=null_or(count))),
        outcomes=list_of(with_optional(_OUTCOME, panels=map_of(list_of(map_of(anything))))),
        checks=with_optional(
            record(sample_ratio=anything, missing_by_arm=anything, dispatch_by_arm=anything, balance=list_of(anything)),
            after_draw=null_or(map_of(record(counts=_COUNTS, of=_COUNTS, p_value=null_or(number)))),
        ),
        notes=list_of(text),
    ),
    overrides=map_of(text),
)


def validate(document: Any, *, source: str = "summary.json") -> tuple[Problem, ...]:
    """What keeps a document from being a `nudge-summary/1`; nothing where it is one. Unknown keys are ignored."""

    def problem(path: str, code: SummaryCode, **facts: object) -> Problem:
        return code.at(Place(source, heading=path or None), **facts)

    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        return (problem("schema", SummaryCode.NOT_A_SUMMARY, schema=SCHEMA),)
    if faults := tuple(problem(path, code, **facts) for path, code, facts in _DOCUMENT(document, "")):
        return faults
    found: list[Problem] = []
    arms = [arm["arm"] for arm in document["arms"]]
    for number_, outcome in enumerate(document["outcomes"]):
        at = f"outcomes[{number_}]"
        for index, arm in enumerate(outcome["arms"]):
            shape = _VALUES[OutcomeType(outcome["type"])]
            wrong = shape(arm["values"], f"{at}.arms[{index}].values")
            found += [problem(path, code, **facts) for path, code, facts in wrong]
        named = [arm["arm"] for arm in outcome["arms"]] + [
            line[side] for line in outcome["estimates"] for side in ("arm", "reference")
        ]
        if not set(named) <= set(arms):
            found.append(problem(at, SummaryCode.ARM_UNKNOWN, arms=", ".join(arms)))
        found += [
            problem(f"{at}.estimates[{index}]", SummaryCode.NULL_WITHOUT_FLAG)
            for index, line in enumerate(outcome["estimates"])
            if line["estimate"] is None and not line["flags"] and line["measure"] != Measure.LOGRANK
        ]
        if _ordered(outcome, arms)["estimates"] != outcome["estimates"]:
            found.append(problem(f"{at}.estimates", SummaryCode.HEADLINE_NOT_FIRST))
    return tuple(found)
