"""Which claims are true, in words: the counts behind each, how sure they are, and the lines to paste."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from nudge._version import __version__
from nudge.base.errors import Problem
from nudge.base.values import day_in_words
from nudge.documents.claim_search import LEAST, LEAST_LATELY, Candidate, Search, as_yaml, month_in_words
from nudge.documents.claims import CONFIDENCE, WEAK_NORM, ClaimFigure, level_of
from nudge.documents.codes import ClaimCode
from nudge.experiment.claim import ELIGIBLE
from nudge.experiment.definition import LiveExperiment
from nudge.reports.parts import Answer, Listing, Part, Section, Story, Table, Text, Tone, Verbatim
from nudge.reports.wording import NONE, number, whole

_PASTED: Final = 3
"""Claims whose lines are printed: the strongest of everybody, and of those who got in touch."""
_WHY: Final[Mapping[str, str]] = {
    ClaimCode.CLAIM_NOT_MOST.slug: "not most, beyond chance",
    ClaimCode.CLAIM_NOT_MOST_LATELY.slug: "not most lately",
    ClaimCode.CLAIM_NO_TENANCIES.slug: "nobody to count",
    ClaimCode.CLAIM_PERIOD_UNCOVERED.slug: "the file does not cover the period",
    ClaimCode.CLAIM_EVENT_ABSENT.slug: "the file has no such date",
}


def tell_claims(experiment: LiveExperiment, search: Search, *, history: str, notes: Iterable[str] = ()) -> Story:
    """The page of a search for claims in past letters."""
    printable = best(search)
    sections: list[Section] = []
    if printable:
        sections.append(
            Section(
                slug="paste",
                heading="To paste under `claims:`",
                parts=(
                    Verbatim(lines="claims:\n" + "\n".join(as_yaml(one) for one in printable)),
                    Text(words='In the letter a claim is {{ claims.NAME }}, in an element with data-claim="NAME".'),
                ),
            )
        )
    sections.append(Section(slug="looked", heading="What was looked at", parts=tuple(_looked(search))))
    sections.append(Section(slug="rules", heading="By which rules", parts=(Listing(items=tuple(_rules(search))),)))
    return Story(
        kind="Claims that past letters could bear out",
        title=experiment.title,
        question=None,
        facts=(
            ("History", history),
            ("Period", f"{month_in_words(search.period.first)} to {month_in_words(search.period.last)}"),
            ("Written to and eligible", whole(search.eligible)),
            *([("Cannot be told, and left out", whole(search.unknown))] if search.unknown else []),
        ),
        banner=None,
        answers_heading="What may be said",
        answers=tuple(_answers(printable, search)),
        sections=tuple(sections),
        colophon=" · ".join((f"nudge {__version__}", experiment.id, *notes)),
    )


def best(search: Search) -> tuple[Candidate, ...]:
    """The claims to propose: for each population and event the strongest, the strongest of all first."""
    kept: dict[tuple[str, str], Candidate] = {}
    for one in search.printable:
        kept.setdefault((one.sought.population, one.sought.numerator), one)
    return tuple(kept.values())[:_PASTED]


def counts(figure: ClaimFigure) -> str:
    """The evidence in one sentence."""
    if figure.share is None or figure.lower is None or figure.upper is None:
        return "Nobody is counted."
    assumed = " (assumed)" if figure.design_effect_assumed else ""
    return (
        f"{whole(figure.numerator)} of {whole(figure.denominator)}, {_percent(figure.share)}; between"
        f" {_percent(figure.lower)} and {_percent(figure.upper)} at {number(100 * figure.confidence, 2)} in 100, with a"
        f" design effect of {number(figure.design_effect, 2)}{assumed}; in the last quarter {whole(figure.recent[0])}"
        f" of {whole(figure.recent[1])}. It may be printed until {day_in_words(figure.expires)}."
    )


def _answers(printable: tuple[Candidate, ...], search: Search) -> Iterator[Answer]:
    if not printable:
        yield Answer(
            head="No claim is true",
            tone=Tone.BAD,
            sentence="Nothing that was looked at holds of more than half, beyond chance, in the year and lately.",
            basis="Leave a norm line out, or test another lever. A line about what few people do tells the reader that"
            " it is normal not to.",
        )
    for one in printable:
        weak = (
            f" Below {WEAK_NORM:.0%} it is a weak norm, which can backfire: it tells many that they are not alone in"
            " not doing it. Test it, if at all, against a letter without it."
            if one.is_weak
            else ""
        )
        yield Answer(
            head="True, but weak" if one.is_weak else "True",
            tone=Tone.UNSURE if one.is_weak else Tone.GOOD,
            sentence=f"{one.figure.wording}.",
            basis=counts(one.figure) + _of_whom(one, search) + weak,
        )


def _of_whom(one: Candidate, search: Search) -> str:
    """How few a condition may leave, which a reader of the line cannot see."""
    if one.sought.population == ELIGIBLE:
        return ""
    return f" Those it counts are {whole(one.figure.denominator)} of {whole(search.eligible)} who were written to."


def _looked(search: Search) -> Iterator[Part]:
    everybody = [one for one in search.candidates if one.part is None]
    parts = [one for one in search.candidates if one.part is not None]
    yield _table("Of all who were written to, and of those who got in touch", everybody)
    if not parts:
        return
    hold = [one for one in parts if one.is_true]
    if hold:
        yield _table("Of a part of them: to know, not to print", hold)
    yield Text(
        words=f"Of {whole(len(parts))} claims about one patch or band {whole(len(hold))} hold. Such a claim would reach"
        " tenants whom it does not count, so a letter cannot print it. To use one, run the trial in that part alone:"
        f" put it into `eligible`, work the claim out again, and write `chosen_from: {len(search.candidates)}`."
    )


def _table(caption: str, found: list[Candidate]) -> Table:
    level = found[0].figure.confidence if found else CONFIDENCE
    rows = []
    for one in found:
        figure = one.figure
        limits = (
            NONE
            if figure.lower is None or figure.upper is None
            else f"{_percent(figure.lower)} to {_percent(figure.upper)}"
        )
        rows.append(
            (
                _words(one),
                str(one.sought.within),
                f"{whole(figure.numerator)} of {whole(figure.denominator)}",
                NONE if figure.share is None else _percent(figure.share),
                limits,
                f"{whole(figure.recent[0])} of {whole(figure.recent[1])}",
                _verdict(one),
            )
        )
    return Table(
        caption=caption,
        columns=(
            "Share with",
            "Days",
            "Count",
            "Share",
            f"Limits, {number(100 * level, 2)} in 100",
            "Last quarter",
            "May it be said?",
        ),
        rows=tuple(rows),
        words=(6,),
    )


def _words(one: Candidate) -> str:
    did = one.sought.numerator.replace("_", " ")
    if one.part is not None:
        return f"{did}, {one.part[0].replace('_', ' ')} {one.part[1]}"
    return did if one.sought.population == ELIGIBLE else f"{did}, of those with {one.sought.population}"


def _verdict(one: Candidate) -> str:
    if one.is_true:
        return "to know" if one.part is not None else "yes, but weak" if one.is_weak else "yes"
    return "no: " + next(iter(_WHY.get(problem.code, problem.code) for problem in one.figure.problems))


def _rules(search: Search) -> Iterator[tuple[str, str]]:
    looked = sum(one.part is None for one in search.candidates)
    level = number(100 * level_of(looked), 2)
    yield (
        "Whom it counts",
        "Every tenancy that meets `eligible` and was written to in the period, answered or not; of those with an event,"
        " the ones in which it happened within the same days. Joint tenants count once.",
    )
    yield (
        "Most",
        "The lower limit of Wilson's interval on the tenancies divided by the design effect of households is above one"
        " half for the period, and the share itself is above one half in its last quarter. Shares are rounded down.",
    )
    yield (
        "Chosen among many",
        f"{whole(looked)} claims that a letter could print were looked at. Among so many some pass by chance alone, so"
        f" each had to pass at {level} in 100: 95, corrected by Bonferroni. `chosen_from: {looked}` keeps that level at"
        " the seal: leave it in.",
    )
    yield (
        "Parts",
        f"A patch or band needs {LEAST} tenancies in the period and {LEAST_LATELY} in its last quarter to be looked at;"
        f" {whole(search.too_few)} had fewer.",
    )


def said(problem: Problem) -> str:
    """A refusal as one line."""
    return f"expected {problem.expected}. {problem.fix}"


def _percent(share: float) -> str:
    return f"{number(100 * share, 1)}%"
