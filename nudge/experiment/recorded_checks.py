"""What only two keys of a recorded plan together can get wrong: ways of reading that clash, columns a design needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nudge.experiment.codes import ExperimentCode as Code
from nudge.experiment.definition import Outcome, OutcomeType, RecordedData, RecordedDesign
from nudge.experiment.draft import (
    BOTH,
    LIVE_OUTCOME_KEYS,
    RECORDED_KEYS,
    Check,
    Draft,
    Finding,
    Path,
    exposed,
    found,
    misfits,
    stated,
)


def recorded_outcomes(draft: Draft) -> Iterator[Finding]:
    """Each outcome has the keys of its type, and exactly one way of reading its value."""
    for index, outcome in draft.outcomes():
        path: Path = ("outcomes", index)
        yield from misfits(
            draft, index, outcome.type, RECORDED_KEYS, LIVE_OUTCOME_KEYS, Code.KEY_OF_LIVE, "`design.method: blocked`"
        )
        if outcome.type is OutcomeType.TIME_TO_EVENT:
            if outcome.horizon is None:
                yield found(path, Code.HORIZON_MISSING)
            yield from _recorded_time(path, outcome)
        elif outcome.type is OutcomeType.PROPORTION and outcome.column is None:
            yield from _recorded_time(path, outcome, or_column=True)
            if outcome.within is None and (outcome.start or outcome.duration):
                yield found(path, Code.WITHIN_MISSING)
        elif outcome.column is None:
            yield found(path, Code.COLUMN_OF_DATA_MISSING)
        elif outcome.type is OutcomeType.PROPORTION:
            for key in sorted(stated(draft, index) & {"start", "event", "duration", "happened"}):
                yield found((*path, key), Code.RECORDED_FORM_TWICE, on_key=True, first="`column`", second=f"`{key}`")
        if outcome.type is OutcomeType.RATE:
            yield from exposed(path, outcome)
        elif outcome.type is OutcomeType.RATIO and outcome.over is None:
            yield found(path, Code.OVER_MISSING)
        elif outcome.type is OutcomeType.PERCENTILE:
            yield from _percentile(path, outcome)


def _percentile(path: Path, outcome: Outcome) -> Iterator[Finding]:
    if outcome.percentile is None:
        yield found(path, Code.PERCENTILE_MISSING)
    elif outcome.percentile >= 100:
        yield found((*path, "percentile"), Code.PERCENTILE_OUT_OF_RANGE)
    for key, other, what in (
        ("upper", "counts", "how many readings lie in each band"),
        ("counts", "upper", "the upper edge of each band"),
    ):
        if getattr(outcome, key) is not None and getattr(outcome, other) is None:
            fix = f"Add `{other}:` with the column of {what}."
            yield found((*path, key), Code.KEY_ALONE, key=key, other=other, fix=fix)


def _recorded_time(path: Path, outcome: Outcome, *, or_column: bool = False) -> Iterator[Finding]:
    if len(outcome.event) > 1:
        yield found((*path, "event"), Code.RECORDED_ONE_EVENT)
    dates, durations = outcome.start or outcome.event, outcome.duration or outcome.happened
    if dates and durations:
        key = "duration" if outcome.duration else "happened"
        first, second = "`start` and `event`", "`duration` and `happened`"
        yield found((*path, key), Code.RECORDED_FORM_TWICE, on_key=True, first=first, second=second)
    elif dates:
        if outcome.start is None or not outcome.event:
            missing = "start" if outcome.start is None else "event"
            yield found(path, Code.RECORDED_FORM, forms=f"`{missing}:` with its column of dates")
        if outcome.data_cut is None and outcome.follow_up is None:
            forms = "`data_cut:` (the last day the data cover) or `follow_up:` (days from start)"
            yield found(path, Code.RECORDED_FORM, forms=forms)
    elif durations:
        if outcome.duration is None or outcome.happened is None:
            missing = "duration" if outcome.duration is None else "happened"
            yield found(path, Code.RECORDED_FORM, forms=f"`{missing}:` with its column")
    else:
        forms = "`start`, `event` and `data_cut`, or `duration` and `happened`"
        yield found(path, Code.RECORDED_FORM, forms=f"`column`, or {forms}" if or_column else forms)


def recorded_design(draft: Draft) -> Iterator[Finding]:
    """The design as declared has the columns it needs."""
    design: RecordedDesign | None = draft.one("design")
    data: RecordedData | None = draft.one("data")
    if design is None or data is None:
        return
    needed = {"clusters": "cluster", "blocked": "strata", "pairs": "pair"}.get(design.drawn or "")
    if needed is not None and not getattr(data, needed):
        yield found(("data",), Code.DATA_KEY_MISSING, on_key=True, key=needed)
    if data.before and data.period is None:
        yield found(("data",), Code.DATA_KEY_MISSING, on_key=True, key="period")
    if (data.weigh or data.spanning) and data.cluster is None:
        yield found(("data",), Code.DATA_KEY_MISSING, on_key=True, key="cluster")


_SEQUENCED: Final = frozenset({"stepped_wedge", "crossover"})
_NO_USE: Final = {
    "unit": "each row is a unit in one period",
    "pair": "sequences are drawn, not pairs",
    "spanning": "every site has both arms by design",
    "weigh": "periods are compared unit by unit",
    "batch": "the period says when",
    "before": "periods before the first change have no weight by themselves",
}


def recorded_sequences(draft: Draft) -> Iterator[Finding]:
    """Sites that had one arm after the other need their site and period, two arms, and an outcome in each period."""
    design, data = draft.one("design"), draft.one("data")
    if design is None or design.drawn not in _SEQUENCED:
        return
    drawn = f"{design.drawn}"
    if data is not None:
        for key in ("cluster", "period"):
            if getattr(data, key) is None:
                yield found(("data",), Code.DATA_KEY_MISSING, on_key=True, key=key)
        for key, why in _NO_USE.items():
            if getattr(data, key):
                yield found(("data", key), Code.SEQUENCE_KEY, on_key=True, drawn=drawn, key=key, why=why)
    analysis = draft.one("analysis")
    if analysis is not None:
        for key in ("subgroups", "covariates"):
            if getattr(analysis, key):
                why = "it is not estimated here"
                yield found(("analysis", key), Code.SEQUENCE_KEY, on_key=True, drawn=drawn, key=key, why=why)
    if draft.sound("arms") and len(draft.items("arms")) != 2:
        yield found(("arms",), Code.SEQUENCE_ARMS, on_key=True, drawn=drawn)
    for index, outcome in draft.outcomes():
        fits = outcome.type not in {OutcomeType.TIME_TO_EVENT, OutcomeType.RATIO}
        if not fits or outcome.start or outcome.duration or outcome.baseline:
            yield found(("outcomes", index), Code.SEQUENCE_OUTCOME)


_NO_USE_COMPARED: Final = {
    "unit": "each row is one period, or one unit in one period",
    "before": "the arm says which periods came before",
    "pair": "a series has none",
}


def recorded_compared(draft: Draft) -> Iterator[Finding]:
    """What stands in for the draw fits the data: a series has periods, a difference in differences a value before."""
    design, data = draft.one("design"), draft.one("data")
    if design is None:
        return
    series = design.compare == "interrupted_series"
    for key in ("season", "lag"):
        if getattr(design, key) is not None and not series:
            fix = f"Remove `{key}`, or add `compare: interrupted_series`."
            yield found(("design", key), Code.KEY_ALONE, on_key=True, key=key, other="compare", fix=fix)
    if design.compare is None:
        return
    if design.randomised == "yes":
        yield found(("design", "compare"), Code.COMPARE_RANDOMISED, on_key=True)
    if design.drawn in _SEQUENCED:
        why = "it has periods of its own"
        yield found(("design", "drawn"), Code.COMPARE_KEY, on_key=True, compare=design.compare, key="drawn", why=why)
    if series and data is not None:
        if data.period is None:
            yield found(("data",), Code.DATA_KEY_MISSING, on_key=True, key="period")
        for key, why in _NO_USE_COMPARED.items():
            if getattr(data, key):
                yield found(("data", key), Code.COMPARE_KEY, on_key=True, compare=design.compare, key=key, why=why)
    if series and draft.sound("arms") and len(draft.items("arms")) != 2:
        yield found(("arms",), Code.COMPARE_ARMS, on_key=True)
    for index, outcome in draft.outcomes():
        path: Path = ("outcomes", index)
        counted = series and outcome.type is OutcomeType.RATE and outcome.baseline is None
        if design.compare != "before_after" and outcome.type is not OutcomeType.MEAN and not counted:
            yield found(path, Code.COMPARE_NOT_A_MEAN, compare=design.compare)
        elif design.compare == "difference_in_differences" and outcome.baseline is None:
            yield found(path, Code.COMPARE_NO_BASELINE)


def recorded_subgroups(draft: Draft) -> Iterator[Finding]:
    """A pair is one comparison: it has no part in two subgroups."""
    data, analysis = draft.one("data"), draft.one("analysis")
    if data is not None and analysis is not None and analysis.subgroups and (data.pair or _paired(draft)):
        yield found(("analysis", "subgroups"), Code.SUBGROUP_PAIRS, on_key=True)


def _paired(draft: Draft) -> bool:
    design = draft.one("design")
    return design is not None and design.drawn == "pairs"


def recorded_arms(draft: Draft) -> Iterator[Finding]:
    """Nothing is posted or put up here, so no arm has a letter or a sign."""
    for index, arm in draft.items("arms"):
        for key in ("letter", "sign"):
            if getattr(arm, key) is not None:
                switch = "`design.method: blocked`"
                yield found(("arms", index, key), Code.KEY_OF_LIVE, on_key=True, key=key, switch=switch)


def recorded_primaries(draft: Draft) -> Iterator[Finding]:
    """Several primary outcomes need a rule for testing them together."""
    primaries = [index for index, outcome in draft.outcomes() if outcome.primary]
    if len(primaries) > 1 and draft.one("multiplicity") is None and draft.sound("multiplicity"):
        yield found(("outcomes", primaries[1], "primary"), Code.MULTIPLICITY_MISSING, count=len(primaries))


def recorded_costs(draft: Draft) -> Iterator[Finding]:
    """Every arm has a cost or none has; what was spent on each unit is said once."""
    arms = draft.items("arms")
    costed = [index for index, arm in arms if arm.cost is not None]
    data: RecordedData | None = draft.one("data")
    if costed and data is not None and data.spent is not None:
        yield found(("arms", costed[0], "cost"), Code.COST_TWICE, on_key=True)
    elif costed and draft.sound("arms"):
        for index, arm in arms:
            if arm.cost is None:
                yield found(("arms", index), Code.COST_OF_SOME_ARMS, arm=arm.id)


def recorded_analysis(draft: Draft) -> Iterator[Finding]:
    """The data are all there: nobody can look before the end."""
    analysis = draft.one("analysis")
    if analysis is not None and analysis.looks is not None:
        switch = "`design.method: blocked`"
        yield found(("analysis", "looks"), Code.KEY_OF_LIVE, on_key=True, key="looks", switch=switch)


RECORDED: Final[tuple[Check, ...]] = (
    *BOTH,
    recorded_analysis,
    recorded_outcomes,
    recorded_arms,
    recorded_design,
    recorded_primaries,
    recorded_costs,
    recorded_subgroups,
    recorded_sequences,
    recorded_compared,
)
