"""What the letter did to those whom it reached, under what everybody is counted for; and what befell the letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nudge.reports.lines import directed, interval_words
from nudge.reports.parts import Section, Table, Text
from nudge.reports.summary import headline
from nudge.reports.wording import NONE, Wording, per_100, plural, reason, whole
from nudge.uplift.estimate import Measure

_FIRST: Final = (
    "The answer above counts everybody in the arm drawn, whether or not the letter reached them: it says what sending"
    " the letter does. Here is what it did to those whom it reached, worked out from the draw and never by leaving"
    " anybody out."
)
_ASSUMED: Final = (
    "This leans on two things that the trial cannot show: that a letter which never arrived changed nothing for that"
    " {unit}, and that being drawn to the arm made the letter arrive for nobody less often than not being drawn to it."
)
DIFFERS: Final = 0.01
"""A p-value below which a difference between the arms is pointed out."""


def compliers(outcome: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], wording: Wording) -> Section:
    """The section of the panel `compliance`."""
    parts = [Text(words=_FIRST), *(Text(words=_sentence(line, outcome, wording)) for line in lines)]
    if any(line["estimate"] is not None for line in lines):
        parts.append(Text(words=_ASSUMED.format(unit=outcome["unit"]), aside=True))
    slug = f"{outcome['id'].lower().replace('_', '-')}-received"
    return Section(slug=slug, heading="Those whom the letter reached", parts=tuple(parts))


def _sentence(line: Mapping[str, Any], outcome: Mapping[str, Any], wording: Wording) -> str:
    arm, units = f"‘{wording.arm(line['arm'])}’", plural(outcome["unit"])
    if line["received_arm"] is None:
        return f"{arm}: no {outcome['unit']} has this outcome."
    reached = f"The letter of {arm} reached {per_100(line['received_arm'])} of every 100 {units} drawn to it"
    if line["received_reference"]:
        reached += f", and {per_100(line['received_reference'])} of ‘{wording.arm(line['reference'])}’"
    if "weak_first_stage" in line["flags"]:
        return f"{reached}: too small a difference to tell what the letter did to those whom it reached."
    if line["estimate"] is None:
        return f"{reached}. Nothing can be said of those whom it reached: there is no spread to measure."
    first = headline(outcome)[0]
    told = {**first, **{key: line[key] for key in ("estimate", "ci", "confidence")}, "simultaneous": None}
    amount, direction = directed(line["estimate"], told, outcome, wording)
    of = f" of every 100 {units}" if first["measure"] == Measure.RISK_DIFFERENCE else ""
    return (
        f"{reached}. Among those whom it reached because they were drawn to it, the difference was measured as"
        f" {amount} {direction}{of} ({interval_words(told['ci'], told, outcome, wording)})."
    )


def after_draw(summary: Mapping[str, Any], wording: Wording, unit: str) -> tuple[Table, ...]:
    """What befell letters and units after the draw, by arm; differences beyond chance are said."""
    found = summary["checks"].get("after_draw")
    if not found:
        return ()
    arms = [arm["arm"] for arm in summary["arms"]]
    rows = []
    for name, told in found.items():
        cells = [
            NONE if arm not in told["of"] else f"{whole(told['counts'].get(arm, 0))} of {whole(told['of'][arm])}"
            for arm in arms
        ]
        p = told["p_value"]
        apart = NONE if p is None else "more than by chance" if p < DIFFERS else "no more than by chance"
        rows.append((_BEFELL.get(name, _withheld(name)), *cells, apart))
    return (
        Table(
            caption=f"After the draw: what became of the letters and of the {plural(unit)}",
            columns=(f"{plural(unit).capitalize()} that", *(wording.arm(arm) for arm in arms), "Do the arms differ?"),
            rows=tuple(rows),
            words=(len(arms) + 1,),
            note="All of them stay in the analysis. ‘More than by chance’: seen less than once in 100 trials of arms"
            " that fare alike. Moving out, dying or Breathing Space can also follow from a letter.",
        ),
    )


_BEFELL: Final[Mapping[str, str]] = {
    "posted": "had a letter posted",
    "returned": "had a letter come back",
    "vacated": "moved out",
    "deceased": "had a death recorded",
    "breathing_space": "entered Breathing Space",
    "not_received": "did not receive their arm’s letter",
}


def _withheld(name: str) -> str:
    return f"had the letter withheld: {reason(name.removeprefix('withheld_'))}"
