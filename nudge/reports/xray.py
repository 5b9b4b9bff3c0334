"""A published "before and after" looked through, in words: what else could have made it, and what would settle it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from nudge._version import __version__
from nudge.reports.parts import Answer, Listing, Section, Story, Table, Text, Tone
from nudge.reports.wording import number, whole
from nudge.uplift.xray import Cause, Finding, Published

_HEADS: Final[Mapping[Cause, str]] = {
    Cause.WINDOW: "How long each letter was followed",
    Cause.SELECTION: "Who responded at all",
    Cause.TREND: "What was changing anyway",
    Cause.REGRESSION: "Whether the month before was a bad one",
    Cause.CHANCE: "Chance",
}
_SETTLE: Final = (
    ("", "Draw by lot who gets which letter, in the same weeks: trend, season and bad months then fall on both alike."),
    ("", "Count everybody who was sent a letter, not only those who responded."),
    ("", "Follow both letters for the same number of days, fixed beforehand, from the day of posting."),
)


def tell_xray(claim: Published, findings: Sequence[Finding], *, title: str | None = None) -> Story:
    """The page of an X-ray: what was claimed, what each cause could do, and what would settle it."""
    heading = title or f"From {_days(claim.before)} to {_days(claim.after)}: what else could it be?"
    sections = [Section(slug="summary", heading="What each cause could make of it", parts=(_table(claim, findings),))]
    sections += [
        Section(slug=item.cause.value.replace("_", "-"), heading=_HEADS[item.cause], parts=_parts(item, claim))
        for item in findings
    ]
    sections.append(Section(slug="settle", heading="What would settle it", parts=(Listing(items=_SETTLE),)))
    return Story(
        kind="X-ray of a published comparison",
        title=heading,
        question=None,
        facts=(
            ("Before", f"{_days(claim.before)} on average, among those who responded"),
            ("After", f"{_days(claim.after)} on average, among those who responded"),
            ("The fall", _days(claim.fall)),
        ),
        banner="This was not a randomised comparison. Nothing on this page says that the letter worked, or that it did"
        " not: it says what the published figures can and cannot show.",
        answers_heading="What was found",
        answers=(Answer(head="", tone=Tone.UNSURE, sentence=_answer(claim, findings)),),
        sections=tuple(sections),
        colophon=f"nudge {__version__} · X-ray of a published comparison · no evidence grade: not a trial",
    )


def _answer(claim: Published, findings: Sequence[Finding]) -> str:
    by_window = findings[0]
    if by_window.days is not None and by_window.days >= 0.95 * claim.fall:
        one, other = by_window.figures["followed"]
        told = "Two letters that do exactly the same, one"
        return (
            f"{told} followed for {whole(one)} days and the other for {whole(other)}, would give these figures: the"
            f" whole fall of {_days(claim.fall)} needs no better letter."
        )
    if by_window.days is not None and by_window.days > 0.05 * claim.fall:
        return (
            f"Of the {_days(claim.fall)}, {_days(by_window.days)} come of following one letter for longer than the"
            " other. What is left may be the letter, or any of the causes below."
        )
    return f"The fall of {_days(claim.fall)} may be the letter, or any of the causes below: the figures cannot tell."


def _table(claim: Published, findings: Sequence[Finding]) -> Table:
    rows = []
    for item in findings:
        made = "cannot be said" if item.days is None else _days(item.days)
        share = "–" if item.days is None else f"{number(100 * min(item.days / claim.fall, 1), 0)}%"
        if item.cause is Cause.CHANCE and item.days is not None:
            made, share = f"up to {_days(item.days)} either way", "–"
        rows.append((_HEADS[item.cause], made, share, item.wanted or "–"))
    return Table(
        caption=f"Of a fall of {_days(claim.fall)}: what each cause alone could make",
        columns=("Cause", "Days", "Of the fall", "To say more one must know"),
        rows=tuple(rows),
        words=(0, 3),
        note="Each line supposes that the cause acted alone; they do not add up.",
    )


def _parts(item: Finding, claim: Published) -> tuple[Text, ...]:
    if not item.figures:
        return (Text(words=f"Nothing can be said without {item.wanted}."),)
    return tuple(Text(words=words) for words in _TOLD[item.cause](item, claim))


def _window(item: Finding, claim: Published) -> tuple[str, ...]:
    figures = item.figures
    (one, other), (first, second) = figures["followed"], figures["means"]
    rate = f"{number(100 * -math.expm1(-figures['hazard']))} in every 100 of those still waiting respond each day"
    if figures["assumed"]:
        return (
            f"Suppose that {rate}, whichever letter they got. Of those who respond within {whole(one)} days, the"
            f" average is day {number(first)}; of those within {whole(other)}, day {number(second)}. Nobody responded"
            " sooner: the second letter was only followed for less long.",
            "For how long each was followed was not published. It is the first thing to ask for.",
        )
    return (
        f"With the letter before, {_days(claim.before)} within {whole(one)} days is what comes of a steady rate:"
        f" {rate}. At that same rate those who respond within {whole(other)} days do so after {_days(second)} on"
        " average.",
        f"Counting everybody, and those without a response as {figures['horizon']}, both would wait"
        f" {_days(figures['rmst'])} on average over the first {figures['horizon']}.",
    )


def _selection(item: Finding, claim: Published) -> tuple[str, ...]:
    figures = item.figures
    before, after = figures["rmst"]
    return (
        f"A mean of those who responded falls when slow callers are lost. Had nobody called sooner, and had everybody"
        f" who used to call after day {figures['cut']} not called at all, it would also be {_days(claim.after)}:"
        f" {number(100 * figures['lost'], 0)} in 100 callers fewer.",
        f"Counting everybody over {whole(figures['followed'])} days, the average wait would then have risen from"
        f" {_days(before)} to {_days(after)}. How many were written to, and how many responded, tells the two apart.",
    )


def _trend(item: Finding, claim: Published) -> tuple[str, ...]:
    figures = item.figures
    text = (
        f"Over the same {whole(figures['followed'])} days of follow-up, contact would have to have become"
        f" {number(figures['times'])} times as frequent, for whatever reason: a new phone line, a rent rise, the"
        " season, a second letter."
    )
    if "a_month" in figures:
        text += f" Over {number(figures['months'], 0)} months that is {number(100 * figures['a_month'])}% a month."
    return (text,)


def _regression(item: Finding, claim: Published) -> tuple[str, ...]:
    figures = item.figures
    if "usual" in figures:
        away = claim.before - figures["usual"]
        ends = [figures["by_correlation"][key] for key in ("0.7", "0.3")]
        return (
            f"The figure before was {_days(abs(away))} {'above' if away > 0 else 'below'} the usual one of"
            f" {_days(figures['usual'])}. A letter is often changed after a bad spell, and a bad spell is followed by a"
            f" better one whatever is done: by {number(ends[0])} to {number(ends[1])} days where one month's figure"
            " foretells the next with a correlation of 0.7 to 0.3.",
        )
    worst = figures["worst_of"]
    return (
        f"If the letter was changed after the worst of twelve months, of figures that vary by {_days(figures['sd'])}"
        f" from month to month, the next would be better by {_days(worst['12'])} whatever was done"
        f" (by {_days(worst['4'])} after the worst of four; at a correlation of 0.5 between one month and the next).",
    )


def _chance(item: Finding, claim: Published) -> tuple[str, ...]:
    low, high = item.figures["interval"]
    return (
        f"With so many responders, chance leaves the fall uncertain by {_days(item.days or 0)} either way:"
        f" {number(low)} to {number(high)} days. That says only that the two means differ, not why.",
    )


_TOLD: Final[Mapping[Cause, Callable[[Finding, Published], tuple[str, ...]]]] = {
    Cause.WINDOW: _window,
    Cause.SELECTION: _selection,
    Cause.TREND: _trend,
    Cause.REGRESSION: _regression,
    Cause.CHANCE: _chance,
}


def _days(value: float) -> str:
    shown = number(value).removesuffix(".0")
    return f"{shown} {'day' if shown == '1' else 'days'}"
