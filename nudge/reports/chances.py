"""How likely an arm is to be better, in words a councillor can read aloud, and that it decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from nudge.reports.gains import gain_words, size_words
from nudge.reports.lines import compared
from nudge.reports.parts import Part, Section, Table, Text
from nudge.reports.wording import NONE, Wording, between, number

_NO_RULE: Final = (
    "This is the same result put as a chance. It is not the verdict, and it is never a reason to stop a trial early"
    " or to let one run on."
)
BELIEFS: Final[Mapping[str, str]] = {
    "flat": "Nothing believed beforehand",
    "redesign": "A redrawn letter, as in 126 earlier trials",
    "norm": "A line with a norm, as in earlier trials",
    "reminder": "A letter against none, as in earlier trials",
    "eyes": "A sign with eyes, as in earlier studies",
    "stated": "As the plan stated beforehand",
}
_WHY_NOT: Final[Mapping[str, str]] = {
    "no_standard_error": "The trial gives no error to work with, so no chance can be given.",
    "prior_is_of_a_ratio": "What was believed beforehand is of a ratio, and does not fit a mean.",
    "no_reference_event": "Nobody in the arm compared with had the event, so what was believed beforehand has nothing"
    " to stand on.",
}


def chances(outcome: Mapping[str, Any], lines: Sequence[Mapping[str, Any]], wording: Wording) -> Section:
    """The section of the panel `bayes`."""
    known = [line for line in lines if line["probability_better"] is not None]
    parts: list[Part] = [Text(words=_NO_RULE)]
    for arm in dict.fromkeys(line["arm"] for line in known):
        parts.append(Text(words=_sentence([line for line in known if line["arm"] == arm], outcome, wording)))
    if known:
        parts.append(_table(known, outcome, wording))
    parts += [
        Text(words=f"{wording.arm(line['arm'])}, {_belief(line)}: {_WHY_NOT[line['reason']]}", aside=True)
        for line in lines
        if line["reason"] is not None
    ]
    slug = f"{outcome['id'].lower().replace('_', '-')}-chances"
    return Section(slug=slug, heading="How likely is it to be better?", parts=tuple(parts))


def chance(probability: float) -> str:
    """`89 in 100`; beyond 99 and 1 only that it is."""
    if probability > 0.99:
        return "more than 99 in 100"
    if probability < 0.01:
        return "less than 1 in 100"
    return f"{round(100 * probability)} in 100"


def _sentence(lines: Sequence[Mapping[str, Any]], outcome: Mapping[str, Any], wording: Wording) -> str:
    """The chance under what was believed beforehand, and beside it with nothing believed."""
    first = lines[0]
    arm, reference = (f"‘{side}’" for side in compared(first, outcome, wording))
    given = "" if first["prior"] == "flat" else ", with what was known before the trial counted in,"
    least = first["worthwhile"]
    enough = (
        ""
        if least is None
        else f"; that it is better by at least {size_words(least, outcome, wording)},"
        f" {chance(first['probability_worthwhile'])}"
    )
    words = f"The chance that {arm} is better than {reference}{given} is {chance(first['probability_better'])}{enough}."
    flat = lines[-1]
    if flat is not first:
        words += f" With nothing believed beforehand it is {chance(flat['probability_better'])}."
    return words


def _belief(line: Mapping[str, Any]) -> str:
    return BELIEFS[line["prior"]][:1].lower() + BELIEFS[line["prior"]][1:]


def _loss(loss: float, outcome: Mapping[str, Any], wording: Wording) -> str:
    words = size_words(loss, outcome, wording)
    return words if any(digit in "123456789" for digit in words.partition(" of every")[0]) else "next to nothing"


def _table(lines: Sequence[Mapping[str, Any]], outcome: Mapping[str, Any], wording: Wording) -> Table:
    several = len({line["arm"] for line in lines}) > 1
    enough = any(line["worthwhile"] is not None for line in lines)
    rows = []
    for line in lines:
        rows.append(
            (
                *((compared(line, outcome, wording)[0],) if several else ()),
                BELIEFS[line["prior"]],
                chance(line["probability_better"]),
                *((chance(line["probability_worthwhile"]),) if enough else ()),
                gain_words(line["gain"], outcome, wording),
                between(*(gain_words(end, outcome, wording) for end in line["interval"])),
                _loss(line["loss_if_chosen"], outcome, wording),
                _loss(line["loss_if_kept"], outcome, wording),
            )
        )
    first = lines[0]
    level = round(10 * first["level"])
    least = NONE if first["worthwhile"] is None else size_words(first["worthwhile"], outcome, wording)
    columns = (
        *(("Arm",) if several else ()),
        "Believed beforehand",
        "Chance it is better",
        *((f"By at least {least}",) if enough else ()),
        "Middle estimate",
        f"{level} chances in 10 between",
        "Given up if it is chosen",
        f"Given up if ‘{compared(first, outcome, wording)[1]}’ is kept",
    )
    beliefs = [line for line in lines if line["prior_mean"] is not None]
    note = "Given up: what that choice loses on average, by being the wrong one. The smaller, the safer."
    if beliefs:
        means = "; ".join(
            dict.fromkeys(
                f"{_belief(line)}: mean {number(line['prior_mean'], 2)}, spread {number(line['prior_sd'], 2)}"
                for line in beliefs
            )
        )
        note += f" What was believed is a normal distribution of the logarithm of the ratio ({means})."
    words = tuple(range(1, len(columns))) if several else tuple(range(len(columns)))
    return Table(caption="The chances, and what is at stake", columns=columns, rows=tuple(rows), words=words, note=note)
