"""What `nudge power` says, in the order in which it is read: can the trial answer, what would, what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from nudge._version import __version__
from nudge.experiment.definition import LiveExperiment
from nudge.planning.alternatives import TWO_YEARS, Alternative, Change
from nudge.planning.background import Fact, Figure, Origin
from nudge.planning.feasibility import Feasibility
from nudge.planning.plan import Plan
from nudge.planning.power import TARGET
from nudge.planning.question import Question
from nudge.planning.rehearsal import Rehearsed
from nudge.planning.response import Counted, Shares, Times
from nudge.reports.parts import Answer, Listing, Part, PowerDot, PowerPicture, Section, Story, Table, Text, Tone
from nudge.reports.wording import count_of, listed, money, number, periods, plural, whole
from nudge.uplift.verdict import HEADLINES, VerdictCode

_ORIGINS: Final = {
    Origin.HISTORY: "from the past letters",
    Origin.STATED: "as the experiment states",
    Origin.ASSUMED: "assumed: nothing was known",
}


def tell_plan(
    experiment: LiveExperiment,
    main: Feasibility,
    others: Sequence[Feasibility],
    *,
    definition_hash: str,
    rehearsed: Sequence[Rehearsed] = (),
    nothing: Rehearsed | None = None,
    notes: Sequence[str] = (),
) -> Story:
    """The whole answer. `rehearsed` are trials invented with the worthwhile difference, `nothing` those without any."""
    sections = [
        _changes(main),
        _lengths(main, rehearsed),
        _belief(main),
        _invented(main, rehearsed, nothing),
        _others(main, others),
        _rests(main, notes),
        _analyst(main),
    ]
    return Story(
        kind="Plan of a trial",
        title=experiment.title,
        question=experiment.question,
        facts=_facts(experiment, main),
        banner=None,
        answers_heading="Can it answer?",
        answers=(_answer(main),),
        sections=tuple(section for section in sections if section is not None),
        colophon=f"nudge {__version__} · {experiment.id} · definition {definition_hash[:16]}",
    )


def _facts(experiment: LiveExperiment, main: Feasibility) -> tuple[tuple[str, str], ...]:
    question, unit = main.question, main.question.unit
    facts = [
        ("Compared", listed([arm.name for arm in experiment.arms])),
        ("Judged by", question.outcome.name),
        ("Enrolled", "all at once" if main.weeks is None else f"for {count_of(main.weeks, 'week')}"),
        (plural(unit).capitalize(), f"about {main.units:,}: {main.arms[0]:,} in {experiment.control.name!r}"),
    ]
    if main.weeks is not None:
        days = (question.horizon or question.outcome.at or 0) + experiment.analysis.lag_days
        facts.append(("Results", f"about {count_of(main.weeks + -(-days // 7), 'week')} after the first letter"))
    return tuple(facts)


def _answer(main: Feasibility) -> Answer:
    question = main.question
    if main.beyond:
        most = question.said(main.plan.response.most)
        return Answer(
            head="No trial can answer that question",
            tone=Tone.BAD,
            sentence=f"No letter could bring {question.said(question.worthwhile or 0)}: the most there is to gain is "
            f"{most}, if everybody answered at once.",
            meaning=("Ask for a smaller difference under `smallest_worthwhile`.",),
        )
    if main.power is None or question.worthwhile is None:
        return Answer(
            head="No size is asked for",
            tone=Tone.PLAIN,
            sentence="The experiment does not say which difference would be worth having.",
        )
    size = question.said(question.worthwhile)
    span = "in all" if main.weeks is None else f"in {count_of(main.weeks, 'week')}"
    sentence = (
        f"Suppose the truth is {size}, the least that would be worth having. Of 100 trials like this one"
        f" ({count_of(main.units, question.unit)} {span}), {_of_100(main.power)} would find it, and "
        f"{_of_100(1 - main.power)} would end as too small to tell, or wrong. {_of_100(TARGET)} in 100 is what is "
        "usually asked of a trial."
    )
    meaning = []
    if main.detectable is not None:
        meaning.append(f"The least that it finds {_of_100(TARGET)} times in 100 is {question.said(main.detectable)}.")
    else:
        meaning.append(f"There is no difference that it would find {_of_100(TARGET)} times in 100.")
    if main.needed is not None:
        took = "" if main.needed_weeks is None else f", about {count_of(main.needed_weeks, 'week')} of letters"
        meaning.append(f"To find {size} that often takes {count_of(main.needed, question.unit)}{took}.")
    head = "This trial can answer its question" if main.answers else "This trial cannot answer its question"
    return Answer(
        head=head,
        tone=Tone.GOOD if main.answers else Tone.BAD,
        sentence=sentence,
        basis=_basis(main),
        meaning=tuple(meaning),
    )


def _basis(main: Feasibility) -> str:
    wording = main.question.wording
    words = wording.basis.lstrip(", ")
    return f"{words[:1].upper()}{words[1:]}." if words.startswith("on average") else ""


def _changes(main: Feasibility) -> Section | None:
    if not main.alternatives:
        return None
    reach = [one for one in main.alternatives if one.reaches]
    short = [one for one in main.alternatives if not one.reaches]
    parts: list[Part] = []
    if reach:
        parts += [
            Text(words="These would, the easiest first:"),
            Listing(items=tuple(("", _change(main, one)) for one in reach)),
        ]
    else:
        parts.append(Text(words="No single change would make it able to."))
    if short:
        parts += [
            Text(words="These help, but not enough by themselves:"),
            Listing(items=tuple(("", _change(main, one)) for one in short)),
        ]
    return Section(slug="changes", heading="What would", parts=tuple(parts))


def _change(main: Feasibility, one: Alternative) -> str:
    question, value = main.question, one.value or 0
    unit, event = question.outcome.time_unit, listed(question.outcome.event, "or")
    ratio = " to ".join(map(str, one.ratio))
    match one.change:
        case Change.EVEN_RATIO:
            words = f"Share out the letters {ratio}, not {' to '.join(map(str, main.plan.ratio))}"
        case Change.SHARE_OUTCOME:
            words = f"Judge by how many had {event or 'the event'} within {periods(value, unit)}, yes or no"
        case Change.OTHER_HORIZON:
            words = f"Judge earlier, after {periods(value, unit)} instead of {periods(question.horizon or 0, unit)}"
        case Change.FEWER_STRATA:
            words = f"Leave out strata: {value:.0f} are too many for {count_of(main.units, question.unit)}"
        case Change.FEWER_ARMS:
            words = "Test one new letter against today's, and keep the others for later"
        case Change.LONGER if (one.needed_weeks or 0) <= TWO_YEARS:
            words = f"Send letters for {count_of(one.needed_weeks or 0, 'week')}"
        case Change.LONGER:
            words = f"Send letters for two years ({one.needed_weeks:,} weeks would be enough)"
        case Change.WIDER:
            words = f"Take every first letter into the trial: {number(value)} times as many"
        case Change.LARGER_DIFFERENCE:
            return f"Be content to find {question.said(value)}: if that is the least worth having, this trial will do."
        case Change.COUNCILS:
            span = "" if main.weeks is None else " over the same weeks"
            words = f"Run it with other councils: {value:.0f} like yours{span}, results put together"
        case Change.TOGETHER:
            words = "All changes of the design together"
    later = ""
    if not one.reaches and one.needed_weeks is not None and one.change not in {Change.LONGER, Change.COUNCILS}:
        later = f"; with it {count_of(one.needed_weeks, 'week')} would be enough"
    return f"{words}: {_of_100(one.power)} in 100 would find it{later}."


def _lengths(main: Feasibility, rehearsed: Sequence[Rehearsed]) -> Section:
    question, unit = main.question, main.question.unit
    drawn = {one.units: one for one in rehearsed}
    once = main.weeks is None
    asked = question.worthwhile is not None and not main.beyond
    columns = [] if once else ["Weeks"]
    columns.append(plural(unit).capitalize())
    if asked:
        columns.append("Find it, of 100")
    if asked and drawn:
        columns.append("… of invented trials")
    columns.append(f"Found {_of_100(TARGET)} times in 100")
    rows = []
    for step in main.steps:
        row = [] if once else [whole(step.weeks)]
        row.append(whole(step.units))
        if asked:
            row.append(_of_100(step.power or 0))
        if asked and drawn:
            one = drawn.get(step.units)
            row.append("" if one is None else f"{_of_100(one.share)} ± {100 * 1.96 * one.error:.0f}")
        row.append("nothing" if step.detectable is None else question.said(step.detectable))
        rows.append(tuple(row))
    size = "" if question.worthwhile is None else question.said(question.worthwhile)
    caption = (
        f"How often {size} is found, and the least that is found {_of_100(TARGET)} times in 100"
        if asked
        else (f"The least that is found {_of_100(TARGET)} times in 100")
    )
    note = "Invented trials: with the error of so many, at 95 in 100." if asked and drawn else ""
    table = Table(caption=caption, columns=tuple(columns), rows=tuple(rows), words=(len(columns) - 1,), note=note)
    parts: tuple[Part, ...] = (table,)
    if asked:
        parts = (_picture(main, rehearsed), table)
    heading = "If it were larger or smaller" if once else "If it were longer or shorter"
    return Section(slug="lengths", heading=heading, parts=parts)


def _picture(main: Feasibility, rehearsed: Sequence[Rehearsed]) -> PowerPicture:
    question, inflow = main.question, main.background.inflow
    effect = question.worthwhile or 0.0
    once = main.weeks is None
    last = float(max((step.units if once else step.weeks or 0) for step in main.steps))
    most = main.needed_weeks if not once else main.needed
    if most is not None and most < last:
        last = max(1.25 * most, 1.25 * (main.units if once else main.weeks or 0))
    last *= 1.06  # so that no dot stands on the edge
    count = 60
    points = [last * number / count for number in range(1, count + 1)]
    units = [point if once else point * inflow for point in points]
    dots = tuple(
        PowerDot(at=float(one.units if once else one.weeks or 0), share=100 * one.share, error=196 * one.error)
        for one in rehearsed
        if (one.units if once else one.weeks or 0) <= last
    )
    what = plural(question.unit).capitalize() if once else "Weeks of letters"
    return PowerPicture(
        at=tuple(points),
        share=tuple(100 * main.plan.power(effect, max(size, 2.0)) for size in units),
        dots=dots,
        planned=float(main.units if once else main.weeks or 0),
        target=100 * TARGET,
        axis=what,
        unit=f"Trials of 100 that would find {question.said(effect)}",
        alt=f"Of 100 trials, how many would find {question.said(effect)}, against {what.lower()}: "
        f"{_of_100(main.power or 0)} as planned.",
        caption="Line: worked out by formula."
        + (" Dots: trials invented and analysed as the real one will be, with their error." if dots else ""),
    )


def _belief(main: Feasibility) -> Section | None:
    question = main.question
    items = []
    for effect, chances, words in (
        (question.worthwhile, main.worth, "the least worth having"),
        (main.typical, main.typical_chances, "what such changes have usually done, in trials that were all published"),
    ):
        if effect is None or chances is None:
            continue
        wrong = chances.wrong_sign
        sign = (
            "hardly any of them would point the wrong way"
            if wrong < 0.005
            else f"{_of_100(wrong)} in 100 of them would point the wrong way"
        )
        items.append(
            (
                "",
                f"If the truth is {question.said(effect)} ({words}): {_of_100(chances.power)} in 100 trials find a "
                f"difference, the figure they report is on average {number(chances.exaggeration)} times the truth, "
                f"and {sign}.",
            )
        )
    if not items:
        return None
    intro = Text(
        words="A trial that is too small finds a difference only when chance has made it look larger than it is. So "
        "what a small trial finds is too large."
    )
    parts = (intro, Listing(items=tuple(items)))
    return Section(slug="belief", heading="How far to believe what it finds", parts=parts)


def _invented(main: Feasibility, rehearsed: Sequence[Rehearsed], nothing: Rehearsed | None) -> Section | None:
    planned = next((one for one in rehearsed if one.units == main.units), None)
    if planned is None:
        return None
    counts = sorted(planned.verdicts.items(), key=lambda item: -item[1])
    rows = [
        (HEADLINES[VerdictCode(code)].rstrip("."), f"{100 * count / planned.trials:.1f}", _null_share(nothing, code))
        for code, count in counts
    ]
    for code in () if nothing is None else nothing.verdicts:
        if code not in planned.verdicts:
            rows.append((HEADLINES[VerdictCode(code)].rstrip("."), "0.0", _null_share(nothing, code)))
    question = main.question
    columns = ["The report would say", f"if the truth is {question.said(planned.effect)}"]
    if nothing is not None:
        columns.append("if there is no difference")
    table = Table(
        caption=f"Of 100 invented trials of {count_of(main.units, question.unit)}",
        columns=tuple(columns),
        rows=tuple(row[: len(columns)] for row in rows),
        note=f"{planned.trials:,} trials each, drawn and analysed as this one will be; error at most ± "
        f"{100 * 1.96 * 0.5 / planned.trials**0.5:.0f} in 100.",
    )
    return Section(slug="invented", heading="What its report would say", parts=(table,))


def _null_share(nothing: Rehearsed | None, code: str) -> str:
    return "" if nothing is None else f"{100 * nothing.verdicts.get(code, 0) / nothing.trials:.1f}"


def _others(main: Feasibility, others: Sequence[Feasibility]) -> Section | None:
    rows = [
        (one.question.outcome.name, "nothing" if one.detectable is None else one.question.said(one.detectable))
        for one in others
    ]
    if not rows:
        return None
    table = Table(
        caption=f"The least that {count_of(main.units, main.question.unit)} show {_of_100(TARGET)} times in 100",
        columns=("Outcome", "Difference"),
        rows=tuple(rows),
        words=(1,),
    )
    return Section(slug="others", heading="The other outcomes", parts=(table,))


def _rests(main: Feasibility, notes: Sequence[str]) -> Section:
    rows = [(words, value, _ORIGINS[figure.origin]) for figure in main.background.figures
            for words, value in [_figure(main, figure)]]  # fmt: skip
    table = Table(caption="Figures used", columns=("Figure", "Value", "Where from"), rows=tuple(rows), words=(2,))
    said = [*notes, *_weeks(main)]
    figures = {one.fact: one for one in main.background.figures}
    if Fact.SIZES in figures and figures[Fact.SIZES].origin is Origin.ASSUMED:
        said.append(
            f"How many share a {main.question.cluster} was not known, so the trial is taken to need "
            f"{number(main.plan.design_effect)} times as many {plural(main.question.unit)} as without. Past letters "
            "that name it would tell (`--history`)."
        )
    if Fact.RETURNED in figures and figures[Fact.RETURNED].value > 0:
        said.append(
            "Letters that come back change nobody's mind, yet stay in the count: the others must do a little more."
        )
    parts: tuple[Part, ...] = (table,)
    if said:
        parts = (table, Listing(items=tuple(("", words) for words in said)))
    return Section(slug="rests", heading="What this rests on", parts=parts)


def _weeks(main: Feasibility) -> list[str]:
    weekly, weeks = main.background.weekly, main.weeks
    if not weekly or weeks is None:
        return []
    unit = main.question.unit
    quiet = sum(count < 0.5 * main.background.inflow for count in weekly)
    found = [
        f"The mean counts quiet weeks too: {quiet} of {len(weekly)} weeks had less than half of it, the quietest had "
        f"{count_of(min(weekly), unit)}."
    ]
    if weeks <= len(weekly):
        fewest = min(sum(weekly[start : start + weeks]) for start in range(len(weekly) - weeks + 1))
        found.append(f"The fewest in any {count_of(weeks, 'week')} on end were {count_of(fewest, unit)}.")
    return found


def _figure(main: Feasibility, figure: Figure) -> tuple[str, str]:
    question, response, value = main.question, main.plan.response, figure.value
    unit, units = question.unit, plural(question.unit)
    cluster = question.cluster or unit
    match figure.fact:
        case Fact.INFLOW:
            return (
                (f"{units.capitalize()} in all", whole(round(value)))
                if main.weeks is None
                else (f"New {units} a week", number(value))
            )
        case Fact.RESPONSE if isinstance(response, Times):
            return _waits(question, response), number(value)
        case Fact.RESPONSE if isinstance(response, Shares):
            return f"Of 100 {units} with today's letter", number(100 * value)
        case Fact.RESPONSE:
            return f"Mean count of a {unit}", number(value)
        case Fact.SPREAD if isinstance(response, Counted):
            return "How much their rates differ (standard deviation over mean)", number(value, 2)
        case Fact.SPREAD:
            return f"How much {units} differ (standard deviation)", money(value) if question.money else number(value)
        case Fact.SIZES:
            return f"{units.capitalize()} in a {cluster}", number(value, 2)
        case Fact.ICC:
            return f"How alike those of one {cluster} are (0 not at all, 1 the same)", number(value, 2)
        case Fact.RETURNED:
            return "Of 100 letters, returned", number(100 * value)
        case Fact.STRATA:
            return "Strata, as past letters fall into them", whole(round(value))
    return "Gain from knowing the figure before (correlation)", number(value, 2)


def _waits(question: Question, times: Times) -> str:
    return f"Mean {plural(question.outcome.time_unit)} with today's letter, others as {times.horizon:g}"


def _over(plan: Plan) -> str:
    if plan.contrasts > 1:
        return "Dunnett over factors, "
    return "Dunnett over arms, " if len(plan.ratio) > 2 else ""


def _analyst(main: Feasibility) -> Section:
    plan, question = main.plan, main.question
    items = [
        ("Test", f"two-sided at {1 - plan.confidence:.2g}, {_over(plan)}"
                 f"bound {plan.critical(main.units):.3f}"),
        ("Design effect", f"{plan.design_effect:.3f}"),
    ]  # fmt: skip
    if question.worthwhile is not None and not main.beyond and main.units >= 2:
        items.append(("Standard error", f"{plan.se(question.worthwhile, main.units):.4g}"))
    if main.events is not None:
        events = main.events
        items.append(
            (
                "Log-rank",
                f"hazard ratio {events.hazard_ratio:.3f}; events needed {events.schoenfeld:,.0f} (Schoenfeld), "
                f"{events.freedman:,.0f} (Freedman); expected {events.expected:,.0f}",
            )
        )
    belief = question.prior
    items.append(("Prior", f"{belief.name}: mean {belief.mean:g}, sd {belief.sd:g}, on the logarithm of a ratio"))
    return Section(slug="analyst", heading="For the analyst", parts=(Listing(items=tuple(items)),))


def _of_100(share: float) -> str:
    """A share as so many of 100, whole."""
    return f"{100 * share:.0f}"
