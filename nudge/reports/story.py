"""What a report says, in the order in which it is read: the answer, what it means, the figures, the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nudge.reports import account, glossary, outcomes, panels
from nudge.reports.answers import answers
from nudge.reports.overrides import overrides
from nudge.reports.parts import Section, Story
from nudge.reports.wording import Wording, day, listed, plural, whole

_AS_IF: Final = (
    " so a difference between them may come from who got which, not from what they got. No verdict is given, and"
    " p-values are worked out as if arms had been drawn by chance."
)
_IN_TURN: Final = (
    "This was not a randomised comparison. One arm came after the other, so whatever else changed with time is in the"
    " difference between them. No verdict is given, and p-values are worked out as if arms had been drawn by chance."
)
_BANNER: Final = {
    "no": f"This was not a randomised comparison. The arms were not drawn by chance,{_AS_IF}",
    "unknown": f"Nobody has said that the arms were drawn by chance. Perhaps they were not,{_AS_IF}",
}


def tell(summary: Mapping[str, Any], wording: Wording) -> Story:
    """The whole report of a valid `nudge-summary/1`."""
    every = [outcome for outcome in summary["outcomes"] if outcome["id"] not in wording.harms]
    featured = [outcome for outcome in every if outcome["primary"]] or every
    rest = [outcome for outcome in every if outcome not in featured]
    live = summary["seal"] is not None
    drawn_here = summary["randomised"] == "yes"
    main = account.main_outcome(summary)
    unit = "unit" if main is None else main["unit"]
    sections: list[Section | None] = []
    for outcome in featured:
        sections += outcomes.sections(outcome, wording, featured=True, live=live)
        sections += panels.sections(outcome, wording, several=len(featured) > 1)
    sections.append(account.flow(summary, wording, unit))
    if rest:
        sections.append(Section(slug="other", heading="Other outcomes", parts=()))
        for outcome in rest:
            sections += outcomes.sections(outcome, wording, featured=False, live=live)
    sections += [
        account.estimates(summary, wording),
        account.methods(summary, wording),
        account.missing(summary, wording),
        account.harms(summary, wording),
        *(one for harm in summary["outcomes"] if harm["id"] in wording.harms for one in panels.harmed(harm, wording)),
        account.sensitivity(summary, wording),
        account.checks(summary, wording),
        account.notes(summary),
        account.amendments(summary),
        overrides(summary),
        account.trust(summary),
        account.responders(summary, wording),
        glossary.how_to_read(summary, unit, signs=wording.signs),
    ]
    found = tuple(answer for outcome in featured for answer in answers(outcome, wording, drawn_here=drawn_here))
    return Story(
        title=wording.title,
        question=wording.question,
        facts=_facts(summary, wording, main),
        banner=_banner(summary),
        answers_heading="The answer" if any(answer.head for answer in found) else "What was found",
        answers=found,
        sections=tuple(section for section in sections if section is not None),
        colophon=f"nudge {summary['nudge_version']} · {summary['schema']} · {summary['experiment']} · definition"
        f" {summary['definition_hash'][:16]}",
    )


def _banner(summary: Mapping[str, Any]) -> str | None:
    """What must be known before any figure; nothing of a trial drawn by chance."""
    lines = [line for outcome in summary["outcomes"] for line in outcome.get("panels", {}).get("not_randomised", ())]
    in_turn = any(line["compare"] in {"before_after", "interrupted_series"} for line in lines)
    return _IN_TURN if in_turn else _BANNER.get(summary["randomised"])


def _facts(summary: Mapping[str, Any], wording: Wording, main: Mapping[str, Any] | None) -> tuple[tuple[str, str], ...]:
    unit = plural("unit" if main is None else main["unit"])
    facts = [
        ("Compared", listed([wording.arm(arm["arm"]) for arm in summary["arms"]], "and")),
        (unit.capitalize(), whole(summary["flow"]["allocated"])),
    ]
    if main is not None and isinstance(main["day0"], str):
        facts.append(("Day 0", day(main["day0"])))
    elif main is not None and isinstance(main["day0"], (list, tuple)) and main["day0"]:
        first, last = day(str(main["day0"][0])), day(str(main["day0"][-1]))
        facts.append(("Day 0", first if first == last else f"{first} to {last}"))
    if main is not None and main["data_cut"]:
        facts.append(("Followed to", day(main["data_cut"])))
    if summary["as_of"]:
        facts.append(("Report of", day(summary["as_of"])))
    return tuple(facts)
