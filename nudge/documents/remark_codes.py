"""What is said of a rendered letter beyond what makes it wrong: refused, held for a named override, or warned of.

Sorted as `practice.md` §4 of the references has it. Facts are counts, stages and words of nudge's own lists; a
sentence is never quoted, as it may hold a tenant's cell (I12).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum, unique
from typing import Final

from nudge.base.errors import Place, Problem

LET_THROUGH: Final = '`overrides: {{{key}: "AB 2026-11-20: because …"}}` under `governance`.'


class Weight(StrEnum):
    """What a remark does: `refuse` stops the seal and the letter, `hold` the seal until a person overrides it by name
    in `governance.overrides`, and `warn` is said."""

    REFUSE = "refuse"
    HOLD = "hold"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One remark: its code, its weight, its place, what was expected there, and one fix."""

    code: str
    weight: Weight
    place: Place
    expected: str
    fix: str

    @property
    def key(self) -> str:
        """The name of this remark under `governance.overrides`: `fear-wording` is `fear_wording` there."""
        return self.code.replace("-", "_")

    @property
    def problem(self) -> Problem:
        """The same as a refusal; of what is held with the way to let it through."""
        way = f" Or let it through by name: {LET_THROUGH.format(key=self.key)}" if self.weight is Weight.HOLD else ""
        return Problem(self.code, self.place, self.expected, f"{self.fix}{way}")

    def __str__(self) -> str:
        return str(Problem(self.code, self.place, self.expected, self.fix))


@unique
class RemarkCode(Enum):
    """A kind of remark: its weight, what was expected, and one fix."""

    # Refused
    STAGE_UNKNOWN = (Weight.REFUSE, "data-stage to be one of {valid}", "Correct it in the first line of the template.")
    FAMILY_UNKNOWN = (Weight.REFUSE, "data-family to be one of {valid}", "Correct it in the first line.")
    READING_AGE_TOO_HIGH = (
        Weight.REFUSE,
        "a reading age of {most} or less, and this letter's is {age:.1f}",
        "Write shorter sentences and everyday words: aim at {aim}.",
    )
    STAGE_FORBIDS = (
        Weight.REFUSE,
        "no `{words}` before the stage `{first}`, and this letter is at `{stage}`",
        "Take it out: at this stage a letter asks and helps.",
    )
    WORD_DISGUISED = (
        Weight.REFUSE,
        "words written whole and in one alphabet, and {count} are not: no check and no screen reader reads them",
        "Type them again without spaces or other alphabets' letters in them; `letter-spacing` sets letters apart.",
    )
    FIGURE_OUTSIDE_CLAIM = (
        Weight.REFUSE,
        "what other people do only as a claim of the experiment, and `{words}` stands outside data-claim",
        "Define it under `claims:` with its source, and print `claims.NAME` in an element with data-claim.",
    )
    NOT_NEARLY_ALL = (
        Weight.REFUSE,
        "`{words}` in the claim {claim} only from 90 in 100, and it is {numerator} of {denominator}",
        "Write {{share}} in its place.",
    )
    SUPPORT_MISSING = (
        Weight.REFUSE,
        "free debt advice named in every letter about a debt",
        "Print `council.debt_advice` in an element with data-required.",
    )
    CONTRAST_LOW = (
        Weight.REFUSE,
        "a contrast of {least}:1 between type and ground, and on page {page}, {down:.0f} mm down, it is {found:.1f}:1",
        "Make the type darker or its ground lighter.",
    )
    TEXT_LOST = (
        Weight.REFUSE,
        "every word of the letter on its pages, and {count} passage(s) cannot be found there",
        "Look for what hides or cuts them: display, visibility, overflow, a box too small.",
    )
    TEXT_COVERED = (
        Weight.REFUSE,
        "every word of the letter to be seen, and on page {page}, {down:.0f} mm down, type is cut off or covered",
        "Look for what lies over it or cuts it: an image, a filled box, overflow.",
    )

    # Held for a named override
    THREAT_WITHOUT_SUPPORT = (
        Weight.HOLD,
        "where to get help within {within} lines of `{words}`",
        "Put the line on free debt advice beside what may happen.",
    )
    CONSEQUENCE_CERTAIN = (
        Weight.HOLD,
        "what may happen told as what may happen, and `{words}` is told as certain",
        "Write may, or could, and say what would stop it.",
    )
    FEAR_WORDING = (
        Weight.HOLD,
        "no wording that works by fear, and `{words}` does",
        "Say what the reader can do and who helps: fear brought no more rent than a true norm did.",
    )
    CAPITALS_IN_DEBT_LETTER = (
        Weight.HOLD,
        "no more than {most} words in capitals running, and in a letter about a debt there are {count}",
        "Write them in small letters; bold type marks what matters.",
    )

    # Warned of
    READING_AGE = (
        Weight.WARN,
        "a reading age of {most} or less, and this letter's is {age:.1f}",
        "Shorten the longest sentences and swap long words for short ones.",
    )
    SENTENCE_LONG = (
        Weight.WARN,
        "sentences of {most} words or fewer, and {count} have more (the longest {found})",
        "Cut them in two.",
    )
    PAGES_MANY = (Weight.WARN, "one page, and there are {pages}", "Shorten the letter: the second page is rarely read.")
    CAPITALS = (
        Weight.WARN,
        "no more than {most} words in capitals running, and there are {count}",
        "Write them in small letters; bold type marks what matters.",
    )
    EXCLAMATION = (Weight.WARN, "no exclamation marks, and there are {count}", "End the sentence with a full stop.")
    RED_TYPE = (Weight.WARN, "no red type, and page {page} has some", "Use the colour of the other text.")
    LEGAL_WORD_DENIED = (
        Weight.WARN,
        "no `{words}` before the stage `{first}`, even to say that it will not come",
        "Say what does happen next: a threat denied is read as a threat.",
    )
    UP_TO = (
        Weight.WARN,
        "what people can count on, and `{words}` tells the most that anyone can have",
        "Say what is usual, or from where to where it goes.",
    )
    ASK_TWICE = (Weight.WARN, "one ask, and there are {count}", "Choose the one thing the reader is to do.")
    ASK_MISSING = (
        Weight.WARN,
        'one ask in an element with class="ask"',
        "Say in one sentence what to do and by when.",
    )
    ASK_NOT_ON_PAGE_1 = (Weight.WARN, "the ask on page 1", "Move it up, above what explains it.")
    TELEPHONE_NOT_ON_PAGE_1 = (Weight.WARN, "a telephone number on page 1", "Print `council.telephone` on page 1.")
    OVERRIDE_IDLE = (
        Weight.WARN,
        "an override of something that is held, and no letter is held for {key}",
        "Remove it, so that the report does not tell of wording that there is not.",
    )
    NORM_WEAK = (
        Weight.WARN,
        "a norm of 60 in 100 or more, and the claim {claim} is {numerator} of {denominator}",
        "Test it with care: a line that few more than half bear out can put people off.",
    )

    def __init__(self, weight: Weight, expected: str, fix: str) -> None:
        self.weight = weight
        self.expected = expected
        self.fix = fix

    @property
    def slug(self) -> str:
        """The code as printed and in JSON: `FEAR_WORDING` becomes `fear-wording`."""
        return self.name.lower().replace("_", "-")

    def at(self, place: Place, /, **facts: object) -> Remark:
        """This remark at a place, its sentence filled in."""
        return Remark(
            code=self.slug,
            weight=self.weight,
            place=place,
            expected=self.expected.format(**facts),
            fix=self.fix.format(**facts),
        )
