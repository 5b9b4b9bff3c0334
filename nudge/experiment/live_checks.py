"""What only two keys of a live experiment together can get wrong: undeclared names, keys or counts that differ."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from nudge.base.columns import Kind
from nudge.base.languages import ENGLISH, LANGUAGES
from nudge.experiment.claim import ELIGIBLE, OBSERVED
from nudge.experiment.codes import ExperimentCode as Code
from nudge.experiment.conditions import EVENT_COLUMNS, ConditionError, compile_condition
from nudge.experiment.definition import (
    ANSWERS,
    HOUSEHOLD,
    MOST_DETAILS,
    Analysis,
    Baseline,
    DesignSpec,
    Outcome,
    OutcomeType,
)
from nudge.experiment.draft import (
    BOTH,
    LIVE_KEYS,
    RECORDED_OUTCOME_KEYS,
    Check,
    Draft,
    Finding,
    Path,
    exposed,
    found,
    misfits,
    stated,
    unknown,
)
from nudge.experiment.spelling import listed

LEAST_ACCEPTANCE: Final = 0.001
LEAST_CHANCE: Final = 0.55
MOST_CHANCE: Final = 0.95
_NUMERIC: Final = (Kind.MONEY, Kind.NUMBER)
_MANY_VALUED: Final = frozenset({Kind.MONEY, Kind.NUMBER, Kind.DATE})


def columns_known(draft: Draft) -> Iterator[Finding]:
    """Every column named anywhere is declared, and of a kind that can serve there."""
    if not draft.sound("columns"):
        return
    kinds = draft.kinds
    for name, band in draft.items("bands"):
        yield from _column(("bands", name, "of"), band.of, kinds, _NUMERIC)
    for reason, column in draft.items("exclude_if"):
        yield from _column(("exclude_if", reason), column, kinds, (Kind.FLAG, Kind.DATE))
    cluster = draft.one("cluster")
    if cluster is not None and cluster != HOUSEHOLD:
        yield from unknown(("cluster",), cluster, [HOUSEHOLD, *kinds], Code.COLUMN_UNKNOWN)
    analysis: Analysis | None = draft.one("analysis")
    if analysis is not None and draft.sound("bands"):
        for key in ("covariates", "subgroups"):
            for number, name in enumerate(getattr(analysis, key)):
                path: Path = ("analysis", key, number)
                yield from unknown(path, name, list(draft.names), Code.COLUMN_OR_BAND_UNKNOWN)
                if key == "subgroups" and (kind := draft.names.get(name)) in _MANY_VALUED:
                    yield found(path, Code.SUBGROUP_FINE, column=name, kind=kind)


def outcome_columns_known(draft: Draft) -> Iterator[Finding]:
    """What an outcome is read from is declared, and a number."""
    for index, outcome in draft.outcomes() if draft.sound("columns") else ():
        for key in ("column", "baseline", "exposure", "baseline_exposure"):
            column = getattr(outcome, key)
            if column is not None:
                yield from _column(("outcomes", index, key), column, draft.kinds, _NUMERIC)


def letters_only(draft: Draft) -> Iterator[Finding]:
    """Letters have no signs, and none of the designs in which a site changes over."""
    for index, arm in draft.items("arms"):
        if arm.sign is not None:
            yield found(("arms", index, "sign"), Code.SIGN_OF_SITES, on_key=True)
    design: DesignSpec | None = draft.one("design")
    if design is not None and design.method in CHANGING:
        yield found(("design", "method"), Code.DESIGN_OF_SITES)
    for index, outcome in draft.outcomes():
        if outcome.source in SITE_SOURCES:
            valid = "rent_accounts or readings"
            fix = "Files of incidents, surveys and speeds are for trials of signs."
            yield found(("outcomes", index, "source"), Code.NAME_UNKNOWN, valid=valid, fix=fix)


def bands_well_cut(draft: Draft) -> Iterator[Finding]:
    """Edges ascend, money edges are whole pence, and no band takes a column's name."""
    for name, band in draft.items("bands"):
        if draft.sound("columns") and name in draft.kinds:
            yield found(("bands", name), Code.BAND_NAME_TAKEN, on_key=True, name=name)
        if any(after <= before for before, after in zip(band.edges, band.edges[1:], strict=False)):
            yield found(("bands", name, "edges"), Code.EDGES_NOT_ASCENDING, sorted=_numbers(sorted(set(band.edges))))
        if draft.kinds.get(band.of) is Kind.MONEY:
            for index, edge in enumerate(band.edges):
                if Decimal(str(edge)) * 100 % 1:
                    yield found(("bands", name, "edges", index), Code.EDGE_BELOW_A_PENNY)


def conditions_readable(draft: Draft) -> Iterator[Finding]:
    """`eligible` over the declared columns, each event's `when` over its file's."""
    eligible = draft.one("eligible")
    if eligible is not None and draft.sound("columns", "bands"):
        yield from _condition(("eligible",), eligible, draft.names)
    for name, rule in draft.items("events"):
        yield from _condition(("events", name, "when"), rule.when, EVENT_COLUMNS[rule.source_kind])


def events_known(draft: Draft) -> Iterator[Finding]:
    """Every event named anywhere is defined or built in."""
    if not draft.sound("events"):
        return
    named: list[tuple[Path, str]] = []
    for index, outcome in draft.outcomes():
        if "event" in stated(draft, index):
            named += _each(("outcomes", index, "event"), outcome.event, draft.given)
        named += _each(("outcomes", index, "competing"), outcome.competing, draft.given)
    for place, wave in draft.items("waves"):
        named += _each(("waves", place, "unless"), wave.unless, draft.given)
    named += [(("harms", number), name) for number, name in enumerate(draft.one("harms") or ())]
    named += [
        (("claims", name, "numerator"), claim.numerator)
        for name, claim in draft.items("claims")
        if claim.population != OBSERVED
    ]
    for path, name in named:
        yield from unknown(path, name, draft.events, Code.EVENT_UNKNOWN)


def design_fits(draft: Draft) -> Iterator[Finding]:
    """Strata are columns or bands, each once; the ratio has one number for each arm."""
    design: DesignSpec | None = draft.one("design")
    if design is None:
        return
    names = draft.names
    for index, name in enumerate(design.strata):
        path: Path = ("design", "strata", index)
        if name in design.strata[:index]:
            yield found(path, Code.STRATUM_TWICE, name=name)
        elif draft.sound("columns", "bands"):
            yield from unknown(path, name, list(names), Code.COLUMN_OR_BAND_UNKNOWN)
            if names.get(name) in {Kind.MONEY, Kind.NUMBER, Kind.DATE}:
                facts = {"column": name, "kind": f"{names[name]}"}
                yield Finding(path=path, code=Code.NOTE_STRATUM_FINE, facts=facts, note=True)
    arms = len(draft.given["arms"]) if isinstance(draft.given.get("arms"), list) else 0
    yield from _method_fits(draft, design, arms)
    if design.ratio and arms and len(design.ratio) != arms:
        example = _numbers([1] * arms)
        yield found(("design", "ratio"), Code.RATIO_LENGTH, arms=arms, example=example)


CHANGING: Final = ("stepped_wedge", "crossover")
SITE_SOURCES: Final = ("incidents", "surveys", "speeds")
_TERMS: Final[Mapping[str, tuple[str, ...]]] = {
    "pairs": ("pair", "covariates"),
    "rerandomised": ("covariates", "acceptance"),
    "minimised": ("chance", "imbalance"),
}


def _method_fits(draft: Draft, design: DesignSpec, arms: int) -> Iterator[Finding]:
    """The method has the keys it needs and no others, and as many arms as it can compare."""
    method = design.method
    for key in ("pair", "covariates", "acceptance", "chance", "imbalance"):
        if getattr(design, key) and key not in _TERMS.get(method, ()):
            yield found(("design", key), Code.DESIGN_KEY_MISFITS, on_key=True, key=key, method=method)
    if method == "pairs" and design.pair is not None and design.covariates:
        yield found(("design", "pair"), Code.DESIGN_PAIR_TWICE, on_key=True)
    wanted = {"pairs": "covariates", "rerandomised": "covariates", "minimised": "strata"}.get(method)
    if wanted is not None and not getattr(design, wanted) and design.pair is None:
        example = f"{wanted}: [{'patch' if wanted == 'strata' else 'arrears'}]"
        yield found(("design", "method"), Code.DESIGN_KEY_NEEDED, key=wanted, method=method, example=example)
    if method in {"pairs", "minimised"} and arms and (arms != 2 or len(set(design.ratio)) > 1):
        yield found(("design", "method"), Code.DESIGN_TWO_ARMS, method=method)
    if design.acceptance is not None and not LEAST_ACCEPTANCE <= design.acceptance <= 1:
        example, least = "acceptance: 0.1", LEAST_ACCEPTANCE
        yield found(("design", "acceptance"), Code.DESIGN_SHARE, least=least, most=1, example=example)
    if design.chance is not None and not LEAST_CHANCE <= design.chance <= MOST_CHANCE:
        example, least, most = "chance: 0.8", LEAST_CHANCE, MOST_CHANCE
        yield found(("design", "chance"), Code.DESIGN_SHARE, least=least, most=most, example=example)
    if draft.sound("columns"):
        for index, name in enumerate(design.covariates):
            yield from _column(("design", "covariates", index), name, draft.kinds, (*_NUMERIC, Kind.FLAG))
        if design.pair is not None:
            yield from unknown(("design", "pair"), design.pair, draft.kinds, Code.COLUMN_UNKNOWN)


def live_primary(draft: Draft) -> Iterator[Finding]:
    """Exactly one primary outcome, with a horizon (or a day it is measured at) and a direction."""
    primaries = [(index, outcome) for index, outcome in draft.outcomes() if outcome.primary]
    for index, _ in primaries[1:]:
        fix = "Remove `primary` here; the report prints the others beside it."
        yield found(("outcomes", index, "primary"), Code.PRIMARY_TWICE, first=primaries[0][1].id, fix=fix)
    if not primaries and draft.sound("outcomes"):
        yield found(("outcomes",), Code.PRIMARY_NONE, on_key=True)
    for index, outcome in primaries[:1]:
        if outcome.better is None and {*outcome.event} <= {*draft.events}:
            yield found(("outcomes", index), Code.BETTER_MISSING)
        sizes = [name for name, _ in draft.items("smallest_worthwhile")]
        if draft.sound("smallest_worthwhile") and outcome.id not in sizes:
            yield found(("smallest_worthwhile",), Code.SIZE_OF_PRIMARY_MISSING, on_key=True, outcome=outcome.id)


def live_outcomes(draft: Draft) -> Iterator[Finding]:
    """Each outcome has the keys of its type, and what they need beside them."""
    for index, outcome in draft.outcomes():
        path: Path = ("outcomes", index)
        if outcome.type not in _LIVE_OUTCOME:
            yield found((*path, "type"), Code.TYPE_OF_RECORDED, type=f"{outcome.type}")
            continue
        yield from misfits(
            draft, index, outcome.type, LIVE_KEYS, RECORDED_OUTCOME_KEYS,
            Code.KEY_OF_RECORDED, "`design.method: recorded`",
        )  # fmt: skip
        yield from _LIVE_OUTCOME[outcome.type](path, outcome, draft)
        yield from _measured(path, outcome)


def _live_time(path: Path, outcome: Outcome, draft: Draft) -> Iterator[Finding]:
    if draft.sound("events") and "event" not in stated(draft, int(path[1])) and not {*ANSWERS} <= {*draft.events}:
        yield found(path, Code.EVENT_MISSING)
    if outcome.horizon is None:
        yield found(path, Code.HORIZON_MISSING)
    elif not isinstance(outcome.horizon, int):
        yield found((*path, "horizon"), Code.WHOLE_DAYS_WANTED, key="horizon")


def _live_counted(path: Path, outcome: Outcome, draft: Draft) -> Iterator[Finding]:
    if not outcome.event:
        yield found(path, Code.EVENT_MISSING)
    if outcome.within is None:
        yield found(path, Code.WITHIN_MISSING)
        return
    if not isinstance(outcome.within, int):
        yield found((*path, "within"), Code.WHOLE_DAYS_WANTED, key="within")
    for _, wave in draft.items("waves"):
        if outcome.within > wave.after:
            facts = {"wave": wave.id, "after": wave.after}
            yield Finding(path=(*path, "within"), code=Code.NOTE_WITHIN_SPANS_WAVE, facts=facts, note=True)
            return


def _live_mean(path: Path, outcome: Outcome, draft: Draft) -> Iterator[Finding]:
    if outcome.column is None:
        yield found(
            path, Code.COLUMN_MISSING, valid=listed(name for name, kind in draft.kinds.items() if kind in _NUMERIC)
        )


def _live_rate(path: Path, outcome: Outcome, draft: Draft) -> Iterator[Finding]:
    if outcome.column is None:
        yield from _live_counted(path, outcome, draft)
    yield from exposed(path, outcome)


_LIVE_OUTCOME: Final[Mapping[OutcomeType, Callable[[Path, Outcome, Draft], Iterator[Finding]]]] = {
    OutcomeType.TIME_TO_EVENT: _live_time,
    OutcomeType.PROPORTION: _live_counted,
    OutcomeType.MEAN: _live_mean,
    OutcomeType.RATE: _live_rate,
}


def _measured(path: Path, outcome: Outcome) -> Iterator[Finding]:
    """What is read from a later file: on which days, and what absence from it means."""
    if outcome.at is not None and outcome.window is None:
        yield found((*path, "at"), Code.AT_NEEDS_WINDOW)
    if outcome.window is not None:
        if outcome.at is None:
            fix = "Add `at: 56`: the day measured from day 0."
            yield found((*path, "window"), Code.KEY_ALONE, key="window", other="at", fix=fix)
        elif outcome.at + outcome.window[0] <= 0:
            yield found((*path, "window"), Code.WINDOW_BEFORE_DAY_0, first=1 - outcome.at)
        if not outcome.window[0] <= 0 <= outcome.window[1]:
            yield found((*path, "window"), Code.WINDOW_ILL_FORMED)
    if outcome.column is not None:
        if outcome.at is None and outcome.window is None:
            fix = "Add `at: 56` and `window: [-3, 10]`."
            yield found((*path, "column"), Code.KEY_ALONE, key="column", other="at", fix=fix)
        if outcome.source is None and outcome.absent is None:
            yield found(path, Code.ABSENT_UNDECLARED)
        if outcome.source is not None and outcome.absent is not None:
            yield found((*path, "absent"), Code.SOURCE_AND_ABSENT, on_key=True)


_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}|[{}]")
_TRANSLATED: Final = tuple(f"says_{code}" for code in LANGUAGES if code != ENGLISH)
_OTHER_GROUP: Final = re.compile(
    r"this letter|people like you|(?:people|tenants|households) in your (?:situation|position)", re.IGNORECASE
)


def claims_well_worded(draft: Draft) -> Iterator[Finding]:
    """A claim prints its figure and says whom it counts (TRIAL-RULES §7)."""
    for name, claim in draft.items("claims"):
        worded = {"says": claim.says} | {key: getattr(claim, key) for key in _TRANSLATED if getattr(claim, key)}
        for key, words in worded.items():
            yield from _claim_worded(("claims", name, key), words)


def _claim_worded(path: Path, words: str) -> Iterator[Finding]:
    marks = list(_PLACEHOLDER.finditer(words))
    if all(mark[1] != "share" for mark in marks):
        yield found(path, Code.CLAIM_NO_SHARE)
    for mark in marks:
        if mark[1] not in {"share", "period_end"}:
            yield Finding(path=path, code=Code.CLAIM_PLACEHOLDER, facts={}, offset=mark.start())
    for other in _OTHER_GROUP.finditer(words):
        yield Finding(path=path, code=Code.CLAIM_OTHER_GROUP, facts={"words": other[0]}, offset=other.start())


_SAYS_WHO: Final = re.compile(r"\bwho\b|\bof those\b|\bsydd\b", re.IGNORECASE)


def claims_counted(draft: Draft) -> Iterator[Finding]:
    """A claim's population is one that can be counted, and the days are there where letters are counted from."""
    for name, claim in draft.items("claims"):
        path: Path = ("claims", name)
        if claim.population == OBSERVED:
            if claim.within is not None:
                yield found((*path, "within"), Code.CLAIM_WITHIN_OBSERVED, on_key=True)
            continue
        if claim.within is None:
            yield found(path, Code.CLAIM_WITHIN_MISSING)
        if claim.population == ELIGIBLE or not draft.sound("events"):
            continue
        where: Path = (*path, "population")
        valid = [ELIGIBLE, OBSERVED, *draft.events]
        yield from unknown(where, claim.population, valid, Code.CLAIM_POPULATION)
        if claim.population == claim.numerator:
            yield found(where, Code.CLAIM_OF_ITSELF, event=claim.numerator)
        elif claim.population in draft.events and not _SAYS_WHO.search(claim.says):
            yield found((*path, "says"), Code.CLAIM_CONDITION_UNSAID, event=claim.population)


_FIGURE: Final = {
    OutcomeType.TIME_TO_EVENT: "rmst",
    OutcomeType.PROPORTION: "share",
    OutcomeType.MEAN: "mean",
    OutcomeType.RATE: "rate",
    OutcomeType.RATIO: "mean",
    OutcomeType.PERCENTILE: "mean",
}


def baseline_fits(draft: Draft) -> Iterator[Finding]:
    """The baseline is of an outcome of this file, with the figure that suits its type."""
    baseline: Baseline | None = draft.one("baseline")
    if baseline is None or not draft.sound("outcomes"):
        return
    outcomes = {outcome.id: outcome for _, outcome in draft.outcomes()}
    outcome = outcomes.get(baseline.outcome)
    if outcome is None:
        yield from unknown(("baseline", "outcome"), baseline.outcome, list(outcomes), Code.OUTCOME_UNKNOWN)
        return
    wanted = _FIGURE[outcome.type]
    others = [key for key in _FIGURE.values() if key != wanted and getattr(baseline, key) is not None]
    for key in others:
        yield found(
            ("baseline", key), Code.BASELINE_FIGURE_OTHER, on_key=True, wanted=wanted, type=f"{outcome.type}", key=key
        )
    if getattr(baseline, wanted) is None and not others:
        yield found(("baseline",), Code.BASELINE_FIGURE, on_key=True, wanted=wanted)
    if wanted == "mean" and baseline.mean is not None and baseline.sd is None:
        yield found(("baseline", "mean"), Code.BASELINE_COMPANION, on_key=True, wanted="sd", key="mean")
    if wanted == "rmst" and baseline.rmst is not None and baseline.horizon is None:
        yield found(("baseline", "rmst"), Code.BASELINE_COMPANION, on_key=True, wanted="horizon", key="rmst")
    yield from _at_most("rmst", baseline.rmst, baseline.horizon, "horizon")
    yield from _at_most("share", baseline.share, 1, "the units it counts: 0.3 is 30 per cent")
    yield from _at_most("events", baseline.events, baseline.units, "units")
    if baseline.horizon is not None and outcome.horizon is not None and baseline.horizon != outcome.horizon:
        facts = {"outcome": outcome.id, "horizon": outcome.horizon}
        yield Finding(path=("baseline", "horizon"), code=Code.NOTE_BASELINE_HORIZON, facts=facts, note=True)


def money_whole(draft: Draft) -> Iterator[Finding]:
    """What the arms' letters and the officers' minutes cost needs the price that they stand beside."""
    if not draft.sound("costs"):
        return
    prices = {str(name) for name, _ in draft.items("costs")}
    for index, arm in draft.items("arms"):
        if arm.cost is not None and "letter" not in prices:
            fix = "Add `letter:` under `costs`, in pounds: what a letter of the other arms costs."
            yield found(("arms", index, "cost"), Code.KEY_ALONE, on_key=True, key="cost", other="costs.letter", fix=fix)
    for name, _ in draft.items("minutes"):
        if draft.sound("events"):
            yield from unknown(("minutes", name), str(name), draft.events, Code.EVENT_UNKNOWN, on_key=True)
        if "officer_minute" not in prices:
            fix = "Add `officer_minute:` under `costs`, in pounds."
            facts = {"key": "minutes", "other": "costs.officer_minute", "fix": fix}
            yield found(("minutes", name), Code.KEY_ALONE, on_key=True, **facts)


def languages_fit(draft: Draft) -> Iterator[Finding]:
    """The languages that every letter is in: each once, English among them, and every claim worded in each."""
    languages = draft.given.get("languages")
    if not isinstance(languages, list) or not draft.sound("languages"):
        return
    for index, language in enumerate(languages):
        if language in languages[:index]:
            yield found(("languages", index), Code.LANGUAGES_TWICE, language=language)
    if ENGLISH not in languages:
        yield found(("languages",), Code.LANGUAGES_WITHOUT_ENGLISH)
    for name, claim in draft.items("claims"):
        for code in dict.fromkeys(languages):
            if code != ENGLISH and getattr(claim, f"says_{code}") is None:
                facts = {"code": code, "language": LANGUAGES[code].name}
                yield found(("claims", name), Code.CLAIM_WITHOUT_LANGUAGE, **facts)


def details_few(draft: Draft) -> Iterator[Finding]:
    """A letter's constants are few; what differs from person to person is a column of the extract."""
    details = draft.items("details")
    if len(details) > MOST_DETAILS:
        yield found(("details", details[MOST_DETAILS][0]), Code.DETAILS_TOO_MANY, on_key=True, most=MOST_DETAILS)


def looks_placed(draft: Draft) -> Iterator[Finding]:
    """Declared looks say at which shares; a confidence sequence needs none, because every look is allowed for."""
    analysis: Analysis | None = draft.one("analysis")
    if analysis is None or analysis.looks is None:
        return
    path: Path = ("analysis", "looks")
    if analysis.looks.method == "confidence_sequence":
        if analysis.looks.at:
            yield found((*path, "at"), Code.KEY_MISFITS_TYPE, on_key=True, type="confidence_sequence", key="at")
    elif not analysis.looks.at:
        yield found(path, Code.LOOKS_WITHOUT_AT, on_key=True)


LIVE: Final[tuple[Check, ...]] = (
    *BOTH,
    looks_placed, letters_only,
    columns_known, outcome_columns_known, bands_well_cut, conditions_readable, events_known, design_fits, live_primary,
    live_outcomes, claims_well_worded, claims_counted, baseline_fits, money_whole,
    details_few, languages_fit,
)  # fmt: skip


def _each(path: Path, names: Iterable[str], given: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """Each name with its path: its place in a list, or the value itself where one word stands for a list."""
    stated: Any = given
    for key in path:
        stated = stated.get(key) if isinstance(stated, dict) else stated[key]
    in_list = isinstance(stated, list)
    return [((*path, index) if in_list else path, name) for index, name in enumerate(names)]


def _column(path: Path, name: str, kinds: Mapping[str, Kind], wanted: tuple[Kind, ...]) -> Iterator[Finding]:
    if name not in kinds:
        yield from unknown(path, name, kinds, Code.COLUMN_UNKNOWN)
    elif kinds[name] not in wanted:
        words = " or ".join(str(kind) for kind in wanted)
        yield found(path, Code.KIND_MISFITS, wanted=words, column=name, kind=str(kinds[name]))


def _condition(path: Path, text: str, kinds: Mapping[str, Kind]) -> Iterator[Finding]:
    try:
        compile_condition(text, kinds)
    except ConditionError as fault:
        yield Finding(path=path, code=fault.code, facts=fault.facts, offset=fault.offset)


def _at_most(key: str, figure: float | None, most: float | None, against: str) -> Iterator[Finding]:
    if figure is not None and most is not None and figure > most:
        yield found(("baseline", key), Code.BASELINE_TOO_LARGE, most=most, key=key, against=against)


def _numbers(numbers: Iterable[float]) -> str:
    return f"[{', '.join(map(str, numbers))}]"
