"""What a trial is: the experiment file as frozen values, live (drawn here) or recorded (drawn by somebody else).

Attribute names are the keys of the file, except that an event's `from` is `source_kind`. What one key alone can get
wrong is refused here; what needs two keys in `live_checks` and
`recorded_checks`. Numbers stand as they are written in the file:
money in pounds, times in the outcome's own unit; `inside` turns an amount into what a typed cell holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final, Literal, TypeAlias

from pydantic import Field, ValidationInfo, field_validator

from nudge.base.columns import Kind
from nudge.experiment.claim import Claim
from nudge.experiment.fields import (
    LONGEST_SPAN,
    AboveZero,
    ColumnName,
    Day,
    Detail,
    FreeText,
    LanguageCode,
    Letter,
    Months,
    Name,
    Names,
    NotNegative,
    Number,
    Override,
    Range,
    Span,
    Text,
    Texts,
    TrialId,
    Truth,
    Value,
    Whole,
    WholeAboveZero,
    Window,
    refusal,
)
from nudge.experiment.priors import Prior

BUILT_IN_EVENTS: Final = ("agreed", "complaint", "returned", "vacated", "deceased", "breathing_space")
"""Event kinds that need no definition; breathing_space is one that began after the draw."""
ANSWERS: Final = ("contact", "payment")
"""The events whose time is better lower without saying so, and the default events of a live time to event."""
HOUSEHOLD: Final = "household"
MOST_DETAILS: Final = 30
MOST_LOOKS: Final = 3
"""Looks before the end; with it, four."""
Lever: TypeAlias = Literal[
    "messenger", "incentives", "norms", "defaults", "salience", "priming", "affect", "commitments", "ego",
    "easy", "attractive", "social", "timely",
]  # fmt: skip
"""The nine of MINDSPACE, then the four of EAST."""
Hold: TypeAlias = Literal["threat_without_support", "consequence_certain", "fear_wording", "capitals_in_debt_letter"]
"""What of a letter's wording is held until a person lets it through by name."""
Better: TypeAlias = Literal["lower", "higher"]


class OutcomeType(StrEnum):
    """What an outcome measures, which decides how it is estimated."""

    TIME_TO_EVENT = "time_to_event"
    PROPORTION = "proportion"
    MEAN = "mean"
    RATE = "rate"
    RATIO = "ratio"
    PERCENTILE = "percentile"


class Arm(Value):
    """One arm. In a live trial `letter` is its first letter, or `sign` its sign; None where the arm gets none.

    `cost` is in pounds: of each of its letters, in a recorded plan of each of its units.
    `prior` is what was believed of the arm before the trial; the control has none. `factors` is the arm's level of
    each factor of a factorial trial. A `hold_out` arm is drawn with the rest and stands outside their comparisons.
    """

    id: str
    control: Truth = False
    letter: Letter | None = None
    sign: Letter | None = None
    label: Text | None = None
    levers: tuple[Lever, ...] = ()
    prior: Prior | None = None
    cost: NotNegative | None = None
    factors: Mapping[Name, FreeText] = {}
    hold_out: Truth = False

    @property
    def name(self) -> str:
        """What people read: the label, else the id."""
        return self.label or self.id


class _LiveArm(Arm):
    id: TrialId


class _RecordedArm(Arm):
    id: FreeText


class Outcome(Value):
    """One outcome. Which keys fit depends on its type and on the kind of plan; `draft` says which.

    In a live trial `event` lists event kinds, the first to happen counting; in a recorded plan it holds the name of
    one column of dates. `horizon`, `within` and `follow_up` are in `time_unit`; `at` and `window` in days from day 0.
    `range` is what the number can be at least and at most. `value` is in pounds: of one more unit with the event, one
    `time_unit` gained, or one of the number.
    An empty `success` means that the cells say yes, y, true, t or 1. `missing` None means the plan's own.
    """

    id: Name
    type: OutcomeType
    primary: Truth = False
    better: Better | None = None
    event: Texts = ()
    horizon: Span | None = None
    within: Span | None = None
    time_unit: Literal["day", "week", "month", "year"] = "day"
    competing: Names = ()
    column: Text | None = None
    at: WholeAboveZero | None = None
    window: Window | None = None
    baseline: Text | None = None
    source: Literal["rent_accounts", "readings", "incidents", "surveys", "speeds"] | None = None
    absent: Number | None = None
    success: Texts = ()
    start: Text | None = None
    data_cut: Day | None = None
    follow_up: Span | None = None
    duration: Text | None = None
    happened: Text | None = None
    exposure: Text | None = None
    over: Text | None = None
    percentile: AboveZero | None = None
    limit: AboveZero | None = None
    upper: Text | None = None
    counts: Text | None = None
    baseline_exposure: Text | None = None
    missing: Texts | None = None
    blank: Literal["failure"] | None = None
    repeats: Truth | None = None
    label: Text | None = None
    range: Range | None = None
    value: AboveZero | None = None

    @property
    def name(self) -> str:
        """What people read: the label, else the id with spaces."""
        return self.label or self.id.replace("_", " ")


class Wave(Value):
    """A later letter, the same in every arm: due `after` days from day 0 unless one of `unless` has happened."""

    id: Name
    after: WholeAboveZero
    unless: Names = ()
    letter: Letter


class EventRule(Value):
    """Which rows of a file of responses are an event: `when` is a condition over that file's columns."""

    source_kind: Literal["contacts", "payments"] = Field(alias="from")
    when: Text


class Band(Value):
    """A column cut at ascending edges, in pounds where it holds money; an edge belongs to the upper band."""

    of: ColumnName
    edges: tuple[Number, ...] = Field(min_length=1)


class Baseline(Value):
    """What happened before the trial, for its size: one figure for the outcome it names, in that outcome's unit."""

    outcome: Name
    rmst: NotNegative | None = None
    share: NotNegative | None = None
    mean: Number | None = None
    sd: AboveZero | None = None
    rate: NotNegative | None = None
    horizon: Span | None = None
    units: WholeAboveZero
    events: Whole | None = Field(default=None, ge=0, le=LONGEST_SPAN)
    period: Months
    source: Text


class DesignSpec(Value):
    """How a live trial is drawn. `ratio` follows the order of the arms.

    `pair` names the column of pairs; `covariates` are columns by which pairs are made or batches balanced;
    `acceptance`, `chance` and `imbalance` are explained where they are used (`allocation.design`). The last two
    methods are for sites only.
    """

    method: Literal["blocked", "pairs", "rerandomised", "minimised", "stepped_wedge", "crossover"]
    strata: tuple[ColumnName, ...] = ()
    pair: ColumnName | None = None
    covariates: tuple[ColumnName, ...] = ()
    acceptance: AboveZero | None = None
    chance: AboveZero | None = None
    imbalance: Literal["range", "variance"] | None = None
    ratio: tuple[WholeAboveZero, ...] = ()
    enrol: Literal["once", "weekly", "fortnightly", "monthly"] = "weekly"
    factorial: Literal["main_effects", "cells"] | None = None


class RecordedDesign(Value):
    """How somebody else's trial was drawn, as far as it is known.

    `compare` says what stands in for the draw that there was not; of a series `season` is how many periods make a year,
    and `lag` how many a deviation may be remembered for.
    """

    method: Literal["recorded"]
    randomised: Literal["yes", "no", "unknown"] = "unknown"
    drawn: Literal["simple", "complete", "blocked", "clusters", "pairs", "stepped_wedge", "crossover"] | None = None
    factorial: Literal["main_effects", "cells"] | None = None
    compare: Literal["before_after", "interrupted_series", "difference_in_differences"] | None = None
    season: WholeAboveZero | None = None
    lag: Whole | None = Field(default=None, ge=0, le=LONGEST_SPAN)


class RecordedData(Value):
    """Which columns of somebody else's data say what. Without `unit` each data row is a unit."""

    unit: Text | None = None
    arm: Text
    cluster: Text | None = None
    strata: tuple[Text, ...] = ()
    pair: Text | None = None
    missing: Texts = ("",)
    batch: Text | None = None
    period: Text | None = None
    before: Texts = ()
    spanning: Literal["as_drawn", "drop"] | None = None
    weigh: Literal["cluster"] | None = None
    received: Text | None = None
    spent: Text | None = None


class Looks(Value):
    """Looks before the end: at which shares of the `planned` units, and how the error is spent over them.

    `confidence_sequence` may be looked at whenever more batches are ripe, and has no `at`.
    """

    method: Literal["obrien_fleming", "pocock", "confidence_sequence"]
    at: tuple[Number, ...] = ()
    planned: WholeAboveZero

    @field_validator("at")
    @classmethod
    def _rising(cls, at: tuple[int | float, ...], info: ValidationInfo) -> tuple[int | float, ...]:
        if len(at) > MOST_LOOKS or any(low >= high for low, high in pairwise((0, *at, 1))):
            raise refusal("LOOKS_NOT_RISING", most=MOST_LOOKS)
        return at


class Analysis(Value):
    """How the result is worked out, fixed before it is seen. `lag_days`: how long late records may take to arrive."""

    confidence: float = Field(default=0.95, strict=True)
    covariates: tuple[Text, ...] = ()
    subgroups: tuple[Text, ...] = ()
    adjust: Literal["headline"] | None = None
    trim: Literal["strata"] | None = None
    looks: Looks | None = None
    lag_days: Whole = Field(default=7, ge=0, le=LONGEST_SPAN)

    @field_validator("confidence")
    @classmethod
    def _inside(cls, confidence: float) -> float:
        if not 0.5 < confidence < 1:
            raise refusal("CONFIDENCE_OUT_OF_RANGE")
        return confidence


class SignOff(Value):
    """Initials and date of each who agreed, such as `JP 2026-11-20`; blank until then."""

    service: str = ""
    legal: str = ""
    communications: str = ""
    data_protection: str = ""


class Governance(Value):
    """Who answers for the trial. `beacon` names a public value that does not exist yet, or is `none`.

    `overrides` lets wording through that the seal holds, each by the name of the hold (`documents.remarks`).
    """

    sign_off: SignOff = SignOff()
    keeper: str = ""
    witness: str = ""
    beacon: str = ""
    dpia: str = ""
    overrides: Mapping[Hold, Override] = {}


class _Plan(Value):
    id: TrialId

    @property
    def control(self) -> Arm:
        """The arm that the others are compared with."""
        return next(arm for arm in self._arms if arm.control)

    @property
    def primary(self) -> Outcome | None:
        """The first outcome declared primary, if there is one."""
        return next((outcome for outcome in self._outcomes if outcome.primary), None)

    @property
    def arm_ids(self) -> tuple[str, ...]:
        """In the order declared."""
        return tuple(arm.id for arm in self._arms)

    def outcome(self, name: str) -> Outcome:
        """The outcome of that id; a KeyError where there is none."""
        for outcome in self._outcomes:
            if outcome.id == name:
                return outcome
        raise KeyError(name)

    def arm(self, name: str) -> Arm:
        """The arm of that id; a KeyError where there is none."""
        for arm in self._arms:
            if arm.id == name:
                return arm
        raise KeyError(name)

    @property
    def _arms(self) -> tuple[Arm, ...]:
        raise NotImplementedError

    @property
    def _outcomes(self) -> tuple[Outcome, ...]:
        raise NotImplementedError


class LiveExperiment(_Plan):
    """A trial that is drawn, posted and recorded here."""

    title: Text
    question: Text
    unit: ColumnName
    cluster: ColumnName | None = None
    columns: Mapping[ColumnName, Kind] = Field(min_length=1)
    bands: Mapping[ColumnName, Band] = {}
    eligible: Text
    exclude_if: Mapping[Name, ColumnName] = {}
    suppress: tuple[Name, ...] = Field(min_length=1)
    languages: tuple[LanguageCode, ...] = ("en",)
    details: Mapping[ColumnName, Detail] = {}
    events: Mapping[Name, EventRule] = {}
    baseline: Baseline | None = None
    arms: tuple[_LiveArm, ...] = Field(min_length=2)
    claims: Mapping[Name, Claim] = {}
    waves: tuple[Wave, ...] = ()
    design: DesignSpec
    outcomes: tuple[Outcome, ...] = Field(min_length=1)
    smallest_worthwhile: Mapping[Name, AboveZero] = Field(min_length=1)
    analysis: Analysis = Analysis()
    harms: tuple[Name, ...] = Field(min_length=1)
    costs: Mapping[Name, NotNegative] = {}
    minutes: Mapping[Name, NotNegative] = {}
    governance: Governance

    @field_validator("design")
    @classmethod
    def _ratio_in_full(cls, design: DesignSpec, info: ValidationInfo) -> DesignSpec:
        if design.ratio or "arms" not in info.data:
            return design
        return design.model_copy(update={"ratio": (1,) * len(info.data["arms"])})

    @field_validator("outcomes")
    @classmethod
    def _outcomes_in_full(cls, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        return tuple(live_outcome(outcome) for outcome in outcomes)

    @property
    def kinds(self) -> dict[str, Kind]:
        """The kind of every declared column, and of every band (text)."""
        return {**self.columns, **dict.fromkeys(self.bands, Kind.TEXT)}

    def inside(self, amount: int | float, column: str | None) -> int | float:
        """An amount as written in the file, as that column's cells hold it: pounds become pence."""
        if column is not None and self.columns.get(column) is Kind.MONEY:
            return round(amount * 100)
        return amount

    def worthwhile(self, outcome: str) -> int | float | None:
        """The smallest effect worth having on that outcome, money in pence; None where none is declared."""
        size = self.smallest_worthwhile.get(outcome)
        return None if size is None else self.inside(size, self.outcome(outcome).column)

    @property
    def _arms(self) -> tuple[Arm, ...]:
        return self.arms

    @property
    def _outcomes(self) -> tuple[Outcome, ...]:
        return self.outcomes


class RecordedExperiment(_Plan):
    """A trial that somebody else ran, to be analysed from their data."""

    title: Text | None = None
    question: Text | None = None
    design: RecordedDesign
    data: RecordedData
    arms: tuple[_RecordedArm, ...] = Field(min_length=2)
    outcomes: tuple[Outcome, ...] = Field(min_length=1)
    smallest_worthwhile: Mapping[Name, AboveZero] = {}
    multiplicity: Literal["holm", "all"] | None = None
    costs: Mapping[Name, NotNegative] = {}
    analysis: Analysis = Analysis()

    @field_validator("outcomes")
    @classmethod
    def _outcomes_in_full(cls, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        return tuple(recorded_outcome(outcome) for outcome in outcomes)

    @property
    def kinds(self) -> dict[str, Kind]:
        """Nothing: a recorded plan declares no kinds."""
        return {}

    def worthwhile(self, outcome: str) -> int | float | None:
        """The smallest effect worth having on that outcome, as written; None where none is declared."""
        return self.smallest_worthwhile.get(outcome)

    @property
    def _arms(self) -> tuple[Arm, ...]:
        return self.arms

    @property
    def _outcomes(self) -> tuple[Outcome, ...]:
        return self.outcomes


Experiment: TypeAlias = LiveExperiment | RecordedExperiment


def live_outcome(outcome: Outcome) -> Outcome:
    """An outcome with what a live trial takes for granted: every event is on file, and an answer is better sooner."""
    filled: dict[str, Any] = {}
    if outcome.repeats is None and outcome.column is None:
        filled["repeats"] = True
    if outcome.type is OutcomeType.TIME_TO_EVENT:
        events = outcome.event or ANSWERS
        filled["event"] = events
        if outcome.better is None and set(events) <= set(ANSWERS):
            filled["better"] = "lower"
    return outcome.model_copy(update=filled)


def recorded_outcome(outcome: Outcome) -> Outcome:
    """An outcome with what a recorded plan takes for granted: one event per unit was kept."""
    dated = outcome.start is not None or outcome.duration is not None
    return outcome.model_copy(update={"repeats": False}) if dated and outcome.repeats is None else outcome
