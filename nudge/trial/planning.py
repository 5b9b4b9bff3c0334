"""`nudge power`: whether an experiment can answer its question, from the council's past letters or stated figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
from scipy.special import ndtr

from nudge.allocation.schemes import stratum_of
from nudge.base.columns import Kind, Value
from nudge.base.errors import Place, Refused
from nudge.experiment.conditions import compile_condition
from nudge.experiment.definition import HOUSEHOLD, LiveExperiment, Outcome
from nudge.experiment.live_checks import CHANGING
from nudge.experiment.loader import Loaded, load
from nudge.experiment.seal import definition_hash
from nudge.intake.history import History, HistoryRow, read_history
from nudge.intake.mapping import load_mappings
from nudge.planning.background import Background, from_baseline, from_history
from nudge.planning.feasibility import WEEKS, Feasibility, Step, cannot_reach, feasibility
from nudge.planning.past import PastLetters
from nudge.planning.plan import MOST_UNITS, Plan
from nudge.planning.question import Question
from nudge.planning.rehearsal import Rehearsed, rehearse
from nudge.planning.response import Amounts, Counted, Times
from nudge.trial.codes import TrialCode
from nudge.trial.units import with_bands
from nudge.uplift.monitoring import Spending, looks, sequence_critical

_RETURNED: Final = "returned"
MOST_REHEARSED: Final = 5_000
"""Trials of more units than this are not invented: the formula serves, and it would take minutes."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What can be said of an experiment before it begins: its primary outcome first, then the others that are known.

    `history` is the name of the file of past letters, None where stated figures were used. `baseline` has the keys of
    the block to copy into the experiment, empty where there is no history.
    """

    experiment: LiveExperiment
    definition_hash: str
    main: Feasibility
    others: tuple[Feasibility, ...]
    history: str | None
    baseline: Mapping[str, object]
    notes: tuple[str, ...]


def plan_trial(path: Path, history: Path | None = None, *, weeks: int | None = None) -> Planned:
    """Read an experiment file, and its past letters where there are any, and work out what the trial can tell.

    Without `history` the source that `baseline` names is read, if it is there; else its figures are taken. Raises
    Refused where nothing is known of the primary outcome, or the draw cannot reach significance at all.
    """
    loaded = load(path)
    experiment = loaded.experiment
    if not isinstance(experiment, LiveExperiment):
        raise Refused(TrialCode.IS_RECORDED.at(Place(str(path)), path=path))
    if experiment.design.method in CHANGING:
        raise Refused(TrialCode.PLAN_CHANGES_OVER.at(loaded.place("design", "method")))
    root = path.absolute().parent.parent
    file = history or _source(experiment, root)
    if file is not None and not file.is_file():
        raise Refused(TrialCode.PLAN_HISTORY_MISSING.at(Place(str(file))))
    past: PastLetters | None = None
    notes: list[str] = []
    letters = (date.min, date.min)
    if file is not None:
        learnt = load_mappings(root / "columns.json").get("history") if (root / "columns.json").is_file() else None
        with read_history(file, experiment.columns, learnt) as read:
            past, letters, notes = past_letters(experiment, read)
    found: dict[str, Feasibility] = {}
    for outcome in experiment.outcomes:
        question = Question.of(experiment, outcome)
        background = _background(experiment, question, past)
        if background is not None:
            found[outcome.id] = feasibility(question, background, weeks=weeks or WEEKS)
    primary = experiment.primary
    if primary is None or primary.id not in found:
        facts = {"outcome": primary.id if primary else "the primary outcome"}
        raise Refused(TrialCode.PLAN_NO_FIGURES.at(loaded.place("outcomes"), **facts))
    main = found.pop(primary.id)
    _refuse_hopeless(loaded, main)
    from_file = past is not None and from_history(main.question, past, pool=False) is not None
    return Planned(
        experiment=experiment,
        definition_hash=definition_hash(experiment),
        main=main,
        others=tuple(found.values()),
        history=file.name if file is not None and from_file else None,
        baseline=_block(main, past, letters, _relative(file, root)) if file and past and from_file else {},
        notes=(*notes, *_silent(primary, past, from_file), *_of_design(experiment, main.question, main.plan)),
    )


def experiment_file(named: str, here: Path) -> Path:
    """The file of an experiment given by its path, or by its id in the workspace at `here`. Refused without one."""
    if Path(named).is_file():
        return Path(named)
    folder = here / "experiments"
    path = folder / f"{named}.yaml"
    if path.is_file():
        return path
    known = ", ".join(sorted(one.stem for one in folder.glob("*.yaml"))) or "none"
    raise Refused(TrialCode.NO_SUCH_EXPERIMENT.at(Place(named), known=known))


def past_letters(experiment: LiveExperiment, history: History) -> tuple[PastLetters, tuple[date, date], list[str]]:
    """The past letters that the trial would have taken, the days of the first and the last letter, and what to say.

    A letter is in where the trial's own condition holds and no exclusion does, by the values of its row. Where the
    file lacks what the condition asks, so that it holds of none, letters that cannot be judged are in. Refused where
    no letter is left.
    """
    eligible = compile_condition(experiment.eligible, experiment.kinds)
    kept: list[HistoryRow] = []
    unsure: list[HistoryRow] = []
    first = last = None
    total = 0
    for row in history.rows():
        total += 1
        first = row.letter_on if first is None else min(first, row.letter_on)
        last = row.letter_on if last is None else max(last, row.letter_on)
        if any(row.values.get(column) for column in experiment.exclude_if.values()):
            continue
        holds = eligible.holds(with_bands(experiment, row.values))
        if holds:
            kept.append(row)
        elif holds is None:
            unsure.append(row)
    notes = []
    if unsure and not kept:
        notes.append("The past letters do not say who was eligible: all of them are counted.")
        kept = unsure
    if not kept or first is None or last is None:
        raise Refused(TrialCode.PLAN_NONE_ELIGIBLE.at(Place(history.name), count=total))
    return _arrays(experiment, history, kept, first, last, total - len(kept)), (first, last), notes


def _arrays(
    experiment: LiveExperiment, history: History, rows: list[HistoryRow], first: date, last: date, others: int
) -> PastLetters:
    def cluster(row: HistoryRow) -> str:
        if experiment.cluster is None:
            return row.reference
        named = row.household if experiment.cluster == HOUSEHOLD else row.values.get(experiment.cluster)
        return f"\0{row.reference}" if named is None else str(named)

    declared = experiment.design.strata
    strata = [_stratum(with_bands(experiment, row.values), declared) for row in rows]
    names = tuple(sorted(set(strata)))
    place = {name: number for number, name in enumerate(names)}
    known = experiment.cluster is not None and (
        history.has_household if experiment.cluster == HOUSEHOLD else bool(rows[0].values.get(experiment.cluster))
    )
    return PastLetters(
        day=np.array([(row.letter_on - first).days for row in rows], dtype=np.int64),
        last_day=(last - first).days,
        cut=(history.cut - first).days,
        cluster=_codes(cluster(row) for row in rows),
        clusters_known=known,
        stratum=np.array([place[name] for name in strata], dtype=np.int64),
        strata=names,
        first={
            kind: np.array(
                [(row.events[kind] - row.letter_on).days if kind in row.events else np.inf for row in rows],
                dtype=np.float64,
            )
            for kind in history.event_kinds
        },
        amounts={
            name: np.array([_amount(row.values.get(name)) for row in rows], dtype=np.float64)
            for name, kind in experiment.columns.items()
            if kind in {Kind.MONEY, Kind.NUMBER}
        },
        returned=np.array([_RETURNED in row.events for row in rows]) if _RETURNED in history.event_kinds else None,
        ineligible=others,
    )


def _codes(names: Iterable[str]) -> np.ndarray:
    codes: dict[str, int] = defaultdict(lambda: len(codes))
    return np.array([codes[name] for name in names], dtype=np.int64)


def _stratum(values: Mapping[str, Value], declared: tuple[str, ...]) -> str:
    return stratum_of([None if values.get(name) is None else str(values[name]) for name in declared])


def _amount(value: Value | None) -> float:
    return float(value) if isinstance(value, (int, float)) else float("nan")


def _source(experiment: LiveExperiment, root: Path) -> Path | None:
    if experiment.baseline is None:
        return None
    path = root / experiment.baseline.source
    return path if path.is_file() else None


def _relative(file: Path, root: Path) -> str:
    path = file.absolute()
    return str(path.relative_to(root)) if path.is_relative_to(root) else file.name


def _background(experiment: LiveExperiment, question: Question, past: PastLetters | None) -> Background | None:
    once = experiment.design.enrol == "once"
    found = from_history(question, past, pool=once) if past is not None else None
    if found is None and experiment.baseline is not None:
        found = from_baseline(question, experiment.baseline, pool=once)
    return found


def _refuse_hopeless(loaded: Loaded, main: Feasibility) -> None:
    clusters = round(main.units / main.plan.cluster_size)
    p = cannot_reach(main.plan, main.units)
    if p is not None:
        facts = {"clusters": clusters, "p": p, "alpha": 1 - main.plan.confidence}
        raise Refused(TrialCode.PLAN_CANNOT_REACH.at(loaded.place("design"), **facts))


def _block(main: Feasibility, past: PastLetters, letters: tuple[date, date], source: str) -> dict[str, object]:
    """The keys of `baseline:` as the past letters give them: what the experiment file wants."""
    outcome, horizon = main.question.outcome, main.question.horizon
    first, last = letters
    block: dict[str, object] = {"outcome": outcome.id}
    if isinstance(main.plan.response, Amounts):
        amounts = past.amounts[outcome.column or ""][past.drawn]
        amounts = amounts[np.isfinite(amounts)] / (100 if main.question.money else 1)
        block |= {"mean": round(float(amounts.mean()), 2), "sd": round(float(amounts.std(ddof=1)), 2)}
        block["units"] = int(amounts.size)
    elif horizon is not None:
        seen = past.drawn & (past.followed >= horizon)
        events = int((past.answered(outcome.event)[seen] <= horizon).sum())
        if isinstance(main.plan.response, Times):
            block |= {"rmst": round(main.plan.response.reference, 1), "horizon": horizon}
        else:
            block["share"] = round(events / int(seen.sum()), 3)
        block |= {"units": int(seen.sum()), "events": events}
    return block | {"period": f"{first:%Y-%m}..{last:%Y-%m}", "source": source}


def _of_design(experiment: LiveExperiment, question: Question, plan: Plan) -> list[str]:
    """What the plan takes for granted of the arms, the draw and the looks."""
    said = []
    if question.contrasts:
        said.append(
            "The trial is planned for the effect of one part of the letter, averaged over the others. Telling whether "
            "two parts add up takes about four times as many; no trials were invented."
        )
    elif question.outside:
        said.append("Those held out are not counted in either arm.")
    if question.paired:
        said.append(
            "Arms are drawn within pairs. How alike the two of a pair will be is not known and taken as not at all; "
            "trials are invented in blocks. The nearer they are, the more the trial finds."
        )
    elif experiment.design.method != "blocked":
        said.append(
            "The draw balances more than blocks do. Trials are invented in blocks: the trial finds about as often as "
            "is said here, or a little more."
        )
    if (looks_declared := experiment.analysis.looks) is not None:
        alpha = 1 - question.confidence
        if looks_declared.method == "confidence_sequence":
            end = sequence_critical(looks_declared.planned, alpha=alpha, planned=looks_declared.planned)
        else:
            spending = Spending(looks_declared.method)
            end = looks([*looks_declared.at, 1.0], alpha=alpha, spending=spending)[-1].critical
        # A look is analysed at the confidence of its own bound, and several arms widen that (Dunnett).
        dearer = replace(plan, confidence=float(2 * ndtr(end) - 1))
        said.append(
            f"Looks before the end have a price: at the end a difference must lie {dearer.critical(MOST_UNITS):.2f} "
            f"standard errors from none instead of {plan.critical(MOST_UNITS):.2f}. The figures here are without looks."
        )
    return said


def _silent(primary: Outcome, past: PastLetters | None, used: bool) -> list[str]:
    """What the past letters do not say of the primary outcome."""
    if past is None:
        return []
    if not used:
        return ["The past letters do not tell of the primary outcome as far as its horizon: stated figures are taken."]
    absent = [event for event in primary.event if event not in past.first]
    return [f"The past letters have no dates of {event}: it is taken not to have happened." for event in absent]


@dataclass(frozen=True, kw_only=True)
class Rehearsals:
    """Invented trials: with the worthwhile difference, one for each length, and without any at the planned one."""

    worthwhile: tuple[Rehearsed, ...] = ()
    nothing: Rehearsed | None = None


def rehearsals(planned: Planned, trials: int, *, progress: Callable[[int, int], None] | None = None) -> Rehearsals:
    """Invent so many trials for each of some lengths, and analyse each; none where `trials` is 0 or no size is asked.

    Factorial trials are not invented: their power is by formula alone.

    `progress` is told how many are done, of how many.
    """
    main = planned.main
    effect = main.question.worthwhile
    if not trials or effect is None or main.beyond or main.question.contrasts:
        return Rehearsals()
    steps = [step for step in main.steps if step.units <= MOST_REHEARSED]
    total, done = trials * (len(steps) + 1), 0

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    def run(size: float, step: Step) -> Rehearsed:
        return rehearse(
            main.question,
            main.background,
            main.plan,
            effect=size,
            units=step.units,
            weeks=step.weeks,
            trials=trials,
            key=planned.definition_hash,
            progress=tick,
        )

    here = next((step for step in steps if step.units == main.units), None)
    return Rehearsals(
        worthwhile=tuple(run(effect, step) for step in steps),
        nothing=None if here is None else run(0.0, here),
    )


def document(planned: Planned, tried: Rehearsals) -> dict[str, object]:
    """The figures as plain values, schema `nudge-power/1`; a quantity that does not exist is null."""
    main = planned.main
    return {
        "schema": "nudge-power/1",
        "experiment": planned.experiment.id,
        "definition_hash": planned.definition_hash,
        "history": planned.history,
        "outcome": _outcome(main),
        "weeks": main.weeks,
        "units": main.units,
        "answers": main.answers,
        "figures": [
            {"figure": one.fact.value, "value": one.value, "origin": one.origin.value}
            for one in main.background.figures
        ],
        "steps": [asdict(step) for step in main.steps],
        "alternatives": [
            {**asdict(one), "change": one.change.value, "changes": [each.value for each in one.changes]}
            for one in main.alternatives
        ],
        "events": None if main.events is None else asdict(main.events),
        "simulated": [_tried(one) for one in (*tried.worthwhile, *([tried.nothing] if tried.nothing else []))],
        "others": [_outcome(one) for one in planned.others],
        "baseline": dict(planned.baseline) or None,
        "notes": list(planned.notes),
    }


def _outcome(found: Feasibility) -> dict[str, object]:
    question = found.question
    return {
        "id": question.outcome.id,
        "measure": question.measure.value,
        "scale": "log" if isinstance(found.plan.response, Counted) else "difference",
        "better": "higher" if question.higher else "lower",
        "smallest_worthwhile": question.worthwhile,
        "power": found.power,
        "exaggeration": None if found.worth is None else found.worth.exaggeration,
        "wrong_sign": None if found.worth is None else found.worth.wrong_sign,
        "detectable": found.detectable,
        "units_needed": found.needed,
        "weeks_needed": found.needed_weeks,
        "typical_effect": found.typical,
        "typical": None if found.typical_chances is None else asdict(found.typical_chances),
        "design_effect": found.plan.design_effect,
        "se": None if found.power is None else found.plan.se(question.worthwhile or 0.0, found.units),
    }


def _tried(one: Rehearsed) -> dict[str, object]:
    return {
        "effect": one.effect,
        "weeks": one.weeks,
        "units": one.units,
        "trials": one.trials,
        "works": one.works,
        "harms": one.harms,
        "power": one.share,
        "error": one.error,
        "exaggeration": one.exaggeration,
        "verdicts": {str(code): count for code, count in one.verdicts.items()},
    }
