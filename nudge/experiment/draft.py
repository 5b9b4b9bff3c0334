"""The sound parts of a plan, and what a check finds in them.

Each check takes a `Draft` and yields findings, so that one slip elsewhere hides nothing; a check that needs a part
which is not sound is passed over, so that one slip is not reported twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, TypeAlias

from nudge.base.columns import Kind
from nudge.experiment.codes import ExperimentCode as Code
from nudge.experiment.definition import BUILT_IN_EVENTS, Outcome, OutcomeType
from nudge.experiment.spelling import listed, meant

Key: TypeAlias = str | int
Path: TypeAlias = tuple[Key, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One refusal or note by its path of keys. `on_key`: at the key itself, not at its value."""

    path: Path
    code: Code
    facts: Mapping[str, object]
    on_key: bool = False
    offset: int | None = None  # characters into a text value
    note: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """The sound parts of a plan by top-level key: items of a list or mapping with the key they stand under."""

    parts: Mapping[str, Any]
    broken: frozenset[str]  # top-level keys of which some part is unsound or missing
    given: Mapping[str, Any]  # as written, to tell what was stated from what was filled in

    def items(self, key: str) -> list[tuple[Key, Any]]:
        found = self.parts.get(key, [])
        return list(found)

    def one(self, key: str) -> Any:
        return self.parts.get(key)

    def sound(self, *keys: str) -> bool:
        return not self.broken & set(keys)

    @property
    def kinds(self) -> dict[str, Kind]:
        return {str(name): kind for name, kind in self.items("columns")}

    @property
    def names(self) -> dict[str, Kind]:
        return {**self.kinds, **{str(name): Kind.TEXT for name, _ in self.items("bands")}}

    @property
    def events(self) -> tuple[str, ...]:
        return (*(str(name) for name, _ in self.items("events")), *BUILT_IN_EVENTS)

    def outcomes(self) -> list[tuple[int, Outcome]]:
        return [(int(index), outcome) for index, outcome in self.items("outcomes")]


Check: TypeAlias = Callable[[Draft], Iterator[Finding]]


def found(path: Path, code: Code, /, *, on_key: bool = False, **facts: object) -> Finding:
    """A refusal at a path."""
    return Finding(path=path, code=code, facts=facts, on_key=on_key)


def unknown(path: Path, name: str, valid: Iterable[str], code: Code, *, on_key: bool = False) -> Iterator[Finding]:
    """A refusal where the name is not among the valid ones, with the nearest that is."""
    names = list(valid)
    if name not in names:
        fix = meant(name, names, "Declare it in this file, or use one that is.")
        yield found(path, code, on_key=on_key, valid=listed(names), fix=fix)


# What an outcome may hold, by kind of plan and by type

_ANY: Final = frozenset({"id", "type", "primary", "better", "label"})
LIVE_KEYS: Final[Mapping[OutcomeType, frozenset[str]]] = {
    OutcomeType.TIME_TO_EVENT: _ANY | {"event", "horizon", "competing", "repeats", "value"},
    OutcomeType.PROPORTION: _ANY | {"event", "within", "repeats", "value"},
    OutcomeType.MEAN: _ANY | {"column", "at", "window", "baseline", "source", "absent", "range", "value"},
    OutcomeType.RATE: _ANY
    | {"event", "within", "repeats", "column", "at", "window", "source", "absent"}
    | {"exposure", "baseline", "baseline_exposure"},
    OutcomeType.RATIO: _ANY,
    OutcomeType.PERCENTILE: _ANY,
}
_RECORDED_ANY: Final = _ANY | {"missing", "blank"}
_DATED: Final = frozenset({"start", "event", "data_cut", "follow_up", "duration", "happened", "repeats", "time_unit"})
RECORDED_KEYS: Final[Mapping[OutcomeType, frozenset[str]]] = {
    OutcomeType.TIME_TO_EVENT: _RECORDED_ANY | _DATED | {"horizon", "competing", "value"},
    OutcomeType.PROPORTION: _RECORDED_ANY | _DATED | {"column", "success", "within", "absent", "value"},
    OutcomeType.MEAN: _RECORDED_ANY | {"column", "baseline", "absent", "range", "value"},
    OutcomeType.RATE: _RECORDED_ANY | {"column", "exposure", "baseline", "baseline_exposure", "absent"},
    OutcomeType.RATIO: _RECORDED_ANY - {"blank"} | {"column", "over"},
    OutcomeType.PERCENTILE: _RECORDED_ANY - {"blank"} | {"column", "percentile", "upper", "counts"},
}
_READ: Final = _ANY | {"source"}
SITE_KEYS: Final[Mapping[OutcomeType, frozenset[str]]] = {
    OutcomeType.TIME_TO_EVENT: _ANY,
    OutcomeType.PROPORTION: _READ | {"limit"},
    OutcomeType.MEAN: _READ,
    OutcomeType.RATE: _READ | {"column"},
    OutcomeType.RATIO: _ANY,
    OutcomeType.PERCENTILE: _READ | {"percentile"},
}
LIVE_OUTCOME_KEYS: Final = frozenset[str]().union(*LIVE_KEYS.values())
RECORDED_OUTCOME_KEYS: Final = frozenset[str]().union(*RECORDED_KEYS.values())
SITE_OUTCOME_KEYS: Final = frozenset[str]().union(*SITE_KEYS.values())


def misfits(
    draft: Draft, index: int, type_: OutcomeType, fitting: Mapping[OutcomeType, frozenset[str]], others: frozenset[str],
    refuse: Code, switch: str,
) -> Iterator[Finding]:  # fmt: skip
    """Keys stated on an outcome that its type has no use for, or that belong to the other kind of plan."""
    here = frozenset[str]().union(*fitting.values())
    for key in sorted(stated(draft, index) - fitting[type_]):
        path: Path = ("outcomes", index, key)
        if key in others - here:
            yield found(path, refuse, on_key=True, key=key, switch=switch)
        else:
            yield found(path, Code.KEY_MISFITS_TYPE, on_key=True, type=f"{type_}", key=key)


def stated(draft: Draft, index: int) -> set[str]:
    """The keys that the file gives to one outcome, blank ones left out."""
    written = draft.given["outcomes"][index]
    return {key for key, value in written.items() if value is not None}


def exposed(path: Path, outcome: Outcome) -> Iterator[Finding]:
    """An earlier count needs the earlier exposure where the count has one."""
    if outcome.baseline is not None and outcome.exposure is not None and outcome.baseline_exposure is None:
        yield found(path, Code.BASELINE_EXPOSURE_MISSING)
    if outcome.baseline_exposure is not None and outcome.baseline is None:
        fix = "Add `baseline:` with the column of the earlier count."
        yield found((*path, "baseline_exposure"), Code.KEY_ALONE, key="baseline_exposure", other="baseline", fix=fix)


# Both kinds of plan


def one_control(draft: Draft) -> Iterator[Finding]:
    """Exactly one arm is the control, and it alone has no prior: it is what the others are believed to beat."""
    controls = [(index, arm) for index, arm in draft.items("arms") if arm.control]
    for index, _ in controls[1:]:
        yield found(("arms", index, "control"), Code.CONTROL_TWICE, first=controls[0][1].id)
    if not controls and draft.sound("arms"):
        yield found(("arms",), Code.CONTROL_NONE, on_key=True)
    for index, arm in controls:
        if arm.prior is not None:
            yield found(("arms", index, "prior"), Code.PRIOR_OF_CONTROL, on_key=True)


def factors_crossed(draft: Draft) -> Iterator[Finding]:
    """A factorial trial has every combination of its levels, each in one arm."""
    design, arms = draft.one("design"), [(index, arm) for index, arm in draft.items("arms") if not arm.hold_out]
    if design is None or not draft.sound("arms"):
        return
    if design.method not in {"blocked", "recorded"}:
        held = next((index for index, arm in draft.items("arms") if arm.hold_out), None)
        if design.factorial is not None:
            yield found(("design", "factorial"), Code.CONTRAST_METHOD, on_key=True, key="factorial")
        if held is not None:
            yield found(("arms", held, "hold_out"), Code.CONTRAST_METHOD, on_key=True, key="hold_out")
    with_factors = [index for index, arm in draft.items("arms") if arm.factors]
    if design.factorial is None:
        if with_factors:
            yield found(("arms", with_factors[0], "factors"), Code.FACTORS_WITHOUT_FACTORIAL, on_key=True)
        return
    names = [sorted(arm.factors) for _, arm in arms]
    if not names or not names[0] or any(own != names[0] for own in names):
        yield found(("design", "factorial"), Code.FACTORIAL_WITHOUT_FACTORS, on_key=True)
        return
    data = draft.one("data")
    if data is not None and data.pair is not None:
        yield found(("design", "factorial"), Code.FACTORIAL_PAIRS, on_key=True)
    order = [*arms[0][1].factors]
    levels = {name: tuple(dict.fromkeys(arm.factors[name] for _, arm in arms)) for name in order}
    for name in order:
        if len(levels[name]) < 2:
            yield found(("design", "factorial"), Code.FACTOR_OF_ONE_LEVEL, on_key=True, factor=name)
    seen: dict[tuple[str, ...], str] = {}
    for index, arm in arms:
        cell = tuple(arm.factors[name] for name in order)
        if cell in seen:
            facts = {"first": seen[cell], "cell": _cell(order, cell)}
            yield found(("arms", index, "factors"), Code.FACTOR_CELL_TWICE, on_key=True, **facts)
        seen.setdefault(cell, arm.id)
    for cell in product(*levels.values()):
        if cell not in seen:
            yield found(("arms",), Code.FACTOR_CELL_MISSING, on_key=True, cell=_cell(order, cell))


def _cell(names: Iterable[str], cell: Iterable[str]) -> str:
    return "`factors: {" + ", ".join(f"{name}: {level}" for name, level in zip(names, cell, strict=True)) + "}`"


def hold_out_apart(draft: Draft) -> Iterator[Finding]:
    """At most one arm is held out, it is not the control, and two arms stay to be compared."""
    held = [(index, arm) for index, arm in draft.items("arms") if arm.hold_out]
    for index, arm in held:
        if arm.control:
            yield found(("arms", index, "hold_out"), Code.HOLD_OUT_OF_CONTROL, on_key=True)
    for index, _ in held[1:]:
        yield found(("arms", index, "hold_out"), Code.HOLD_OUT_TWICE, on_key=True, first=held[0][1].id)
    if len(held) == 1 and draft.sound("arms") and len(draft.items("arms")) < 3:
        yield found(("arms", held[0][0], "hold_out"), Code.HOLD_OUT_ALONE, on_key=True)


def ids_apart(draft: Draft) -> Iterator[Finding]:
    """Arms, outcomes and waves have ids of their own."""
    for key in ("arms", "outcomes", "waves"):
        seen: dict[str, Key] = {}
        for index, item in draft.items(key):
            if item.id in seen:
                yield found((key, index, "id"), Code.ID_TWICE, id=item.id, path=(key, seen[item.id], "id"))
            else:
                seen[item.id] = index


def sizes_of_outcomes(draft: Draft) -> Iterator[Finding]:
    """smallest_worthwhile names outcomes."""
    if draft.sound("outcomes"):
        names = [outcome.id for _, outcome in draft.outcomes()]
        for name, _ in draft.items("smallest_worthwhile"):
            yield from unknown(("smallest_worthwhile", name), str(name), names, Code.OUTCOME_UNKNOWN, on_key=True)
    for outcome in {outcome.id: outcome for _, outcome in reversed(draft.outcomes())}.values():
        size = dict(draft.items("smallest_worthwhile")).get(outcome.id)
        path: Path = ("smallest_worthwhile", outcome.id)
        if size is None:
            continue
        if outcome.type in {OutcomeType.PROPORTION, OutcomeType.RATE} and size >= 1:
            yield found(path, Code.SIZE_NOT_A_FRACTION)
        if outcome.horizon is not None and size >= outcome.horizon:
            yield found(path, Code.SIZE_BEYOND_HORIZON, horizon=outcome.horizon, unit=outcome.time_unit)


BOTH: Final[tuple[Check, ...]] = (one_control, factors_crossed, hold_out_apart, ids_apart, sizes_of_outcomes)
