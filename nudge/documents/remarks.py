"""What is said of a rendered letter beyond the refusals of `checks`: of its words, its plainness and its look.

A machine reads words, not meaning: it finds what its lists hold (`wording.toml`), so a letter without a remark is
still read by a person. Names, addresses and what else stands in a cell are taken out first: somebody may live in
Court Road, and may be called Mrs Fine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, Protocol

from nudge.base.errors import Place, Problem
from nudge.documents import wording
from nudge.documents.blocks import Block, Contents, read_contents
from nudge.documents.figures import TELEPHONE
from nudge.documents.form import Format, templates_in
from nudge.documents.letter import LetterSpec
from nudge.documents.page import Drawn
from nudge.documents.plain import AIM, most_capitals, plainness_of
from nudge.documents.profiles import Zone
from nudge.documents.readback import ReadBack, bare, heights, read_back
from nudge.documents.remark_codes import Remark, RemarkCode, Weight
from nudge.documents.required import families
from nudge.documents.sight import look_at
from nudge.documents.wording import STAGES, UNSTATED

__all__ = [
    "DEBTS",
    "Figure",
    "Remark",
    "RemarkCode",
    "Weight",
    "remarks_of",
    "remarks_on_claims",
    "remarks_on_look",
    "remarks_on_words",
]

DEBTS: Final = frozenset({"arrears", "council_tax", "overpayment", "invoice"})
"""Families that ask for money which people may not have: help is named in each, and capitals are held."""
HIGHEST_AGE: Final = 14  # years of reading age beyond which a letter is refused; Surrey's own limit for its letters
LONGEST_SENTENCE: Final = 25  # words
MOST_CAPITALS: Final = 3  # words running
NEARBY: Final = 8  # lines between what may happen and where to get help
APART: Final = 2.0  # millimetres between the middles of what stands on two lines; on one line they differ by less
NEARLY_ALL: Final = 0.9
WEAK: Final = 0.6
_OF_ALL: Final = re.compile(r"\b(?:nearly|almost) (?:all|everyone|everybody|every)\b", re.I)
_TELEPHONE: Final = re.compile(TELEPHONE)
_SHOUT: Final = re.compile(r"!(?!\w)")
_LETTERS: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


class Figure(Protocol):
    """A claim worked out (`claims.ClaimFigure`)."""

    @property
    def claim(self) -> str: ...
    @property
    def numerator(self) -> int: ...
    @property
    def denominator(self) -> int: ...
    @property
    def wording(self) -> str: ...


def remarks_of(html: str, drawn: Drawn, spec: LetterSpec) -> tuple[Remark, ...]:
    """Everything there is to say of one rendered letter, what refuses first. The place is the template's name."""
    page = read_back(drawn.pdf, Zone(0, 0, 0, 0))
    found = (*remarks_on_words(html, drawn, spec, page), *remarks_on_look(drawn, _place(spec), page))
    order = list(Weight)
    return tuple(sorted(dict.fromkeys(found), key=lambda remark: order.index(remark.weight)))


def _place(spec: LetterSpec) -> Place:
    """The template that was filled in: the one of the letter's format and first language."""
    return Place(templates_in(spec.template, spec.form)[0])


def remarks_on_words(html: str, drawn: Drawn, spec: LetterSpec, page: ReadBack) -> tuple[Remark, ...]:
    """What is said of the words of a letter, which the values of a row can change. `page` is its PDF read back.

    The formula of the reading age and most of the lists are of English: a half in another language is looked through
    for its words of law only.
    """
    letter = _Letter(read_contents(html), _place(spec), _masked(spec))
    return (
        *_kind(letter),
        *_wording(letter),
        *_support(letter, drawn, page),
        *_plain(letter),
        *_asks(letter, page, len(spec.languages), apart=spec.format is Format.EASY_READ),
        *_whole(letter, drawn, page, spec),
    )


def remarks_on_look(drawn: Drawn, place: Place, page: ReadBack) -> tuple[Remark, ...]:
    """What is said of how a letter looks, which hangs on its template alone."""
    runs = look_at(drawn.pdf, page.ink)
    found = []
    faint = [run for run in runs if run.contrast < run.least - 0.01]
    if faint:
        worst = min(faint, key=lambda run: run.contrast)
        facts = {"least": f"{worst.least:g}", "found": worst.contrast, "page": worst.page, "down": worst.zone.y}
        found.append(RemarkCode.CONTRAST_LOW.at(place, **facts))
    covered = [run for run in runs if not run.whole]
    if covered:
        found.append(RemarkCode.TEXT_COVERED.at(place, page=covered[0].page, down=covered[0].zone.y))
    if reds := [run.page for run in runs if run.red]:
        found.append(RemarkCode.RED_TYPE.at(place, page=reds[0]))
    return tuple(found)


def remarks_on_claims(figures: Iterable[Figure], place: Mapping[str, Place]) -> tuple[Remark, ...]:
    """What the counts of the claims do not bear, or bear only just. `place` is where each claim stands."""
    found = []
    for figure in figures:
        facts = {"claim": figure.claim, "numerator": figure.numerator, "denominator": figure.denominator}
        share = figure.numerator / figure.denominator if figure.denominator else 0.0
        where = place[figure.claim]
        if share < NEARLY_ALL and (said := _OF_ALL.search(figure.wording)) is not None:
            found.append(RemarkCode.NOT_NEARLY_ALL.at(where, words=said.group(), **facts))
        if share < WEAK:
            found.append(RemarkCode.NORM_WEAK.at(where, **facts))
    return tuple(found)


def refusals(remarks: Iterable[Remark], place: Place) -> tuple[Problem, ...]:
    """Those of the remarks that stop a letter, at the letter's own place."""
    refused = dict.fromkeys(replace(one.problem, place=place) for one in remarks if one.weight is Weight.REFUSE)
    return tuple(refused)


class _Letter:
    """One letter's blocks, where it is, and its sentences without anybody's cell."""

    def __init__(self, reading: Contents, place: Place, masked: re.Pattern[str] | None) -> None:
        self.reading, self.place, self._masked = reading, place, masked
        self.stage = reading.stage if reading.stage in STAGES else UNSTATED
        self.is_debt = reading.family in DEBTS

    def sentences(self, block: Block) -> Iterator[str]:
        """The sentences of a block, what stands in cells left out."""
        for sentence in block.sentences:
            plain = sentence.replace("\u00a0", " ")
            yield self._masked.sub("…", plain) if self._masked is not None else plain

    def own_words(self, block: Block) -> str:
        """What the block says outside every claim."""
        plain = block.own.replace("\u00a0", " ")
        return self._masked.sub("…", plain) if self._masked is not None else plain


def _masked(spec: LetterSpec) -> re.Pattern[str] | None:
    """What is in cells and names: each line of the address, the name, the council's own lines, and what else is
    written like a name, with capitals. `free debt advice` in the council's settings stays: it is a sentence."""
    named = [spec.name, spec.salutation, *spec.name.split(), *spec.salutation.split(), *spec.post_to]
    named += [part for line in (*spec.post_to, spec.council.get("return_address", "")) for part in line.split(",")]
    named += [spec.council.get(name, "") for name in ("name", "return_address", "signed_by", "website", "email")]
    others = (*spec.fields.values(), *spec.details.values(), spec.council.get("service", ""))
    named += [value for value in others if isinstance(value, str) and _like_a_name(value)]
    parts = sorted({" ".join(value.split()) for value in named if len(value.strip()) > 2}, key=len, reverse=True)
    return re.compile("|".join(rf"(?<!\w){re.escape(part)}(?!\w)" for part in parts)) if parts else None


def _like_a_name(value: str) -> bool:
    """Every longer word with a capital, and not all of it in capitals: `Bailiff Lane`, not `eviction proceedings`."""
    words = [word for word in _LETTERS.findall(value) if len(word) > 3]
    return bool(words) and all(word[0].isupper() for word in words) and not value.isupper()


def _kind(letter: _Letter) -> Iterator[Remark]:
    reading = letter.reading
    if reading.stage and reading.stage not in STAGES:
        yield RemarkCode.STAGE_UNKNOWN.at(letter.place, valid=", ".join(STAGES))
    if reading.family and reading.family not in families():
        yield RemarkCode.FAMILY_UNKNOWN.at(letter.place, valid=", ".join(families()))


def _wording(letter: _Letter) -> Iterator[Remark]:
    at = STAGES.index(letter.stage)
    disguised = sum(
        len(wording.disguised(sentence)) for block in letter.reading.written for sentence in letter.sentences(block)
    )
    if disguised:
        yield RemarkCode.WORD_DISGUISED.at(letter.place, count=disguised)
    for block in letter.reading.written:
        for sentence in letter.sentences(block):
            for found, denied in wording.legal_wording(sentence):
                if STAGES.index(found.first) > at:
                    code = RemarkCode.LEGAL_WORD_DENIED if denied else RemarkCode.STAGE_FORBIDS
                    yield code.at(letter.place, words=found.words.lower(), first=found.first, stage=letter.stage)
            for found in wording.told_as_certain(sentence):
                yield RemarkCode.CONSEQUENCE_CERTAIN.at(letter.place, words=found.words.lower())
            for found, certain in wording.consequences(sentence):
                if certain:
                    yield RemarkCode.CONSEQUENCE_CERTAIN.at(letter.place, words=found.words.lower())
            for found in wording.fear_wording(sentence):
                yield RemarkCode.FEAR_WORDING.at(letter.place, words=found.words.lower())
            for found in wording.up_to(sentence):
                yield RemarkCode.UP_TO.at(letter.place, words=found.words.lower())
        for found in wording.figures_of_people(letter.own_words(block)):
            yield RemarkCode.FIGURE_OUTSIDE_CLAIM.at(letter.place, words=found.words.lower())


def _support(letter: _Letter, drawn: Drawn, page: ReadBack) -> Iterator[Remark]:
    helps: list[Block] = []
    threats: dict[tuple[str, ...] | int, list[Block]] = {}  # those of one block of the letter stand together
    told: dict[tuple[str, ...] | int, str] = {}
    for number, block in enumerate(letter.reading.body):
        if wording.support(block.words):
            helps.append(block)
        words = [
            found.words
            for sentence in letter.sentences(block)
            for found in (*(found for found, _ in wording.consequences(sentence)), *wording.told_as_certain(sentence))
        ]
        if words:
            whole = block.required or number
            threats.setdefault(whole, []).append(block)
            told.setdefault(whole, words[0].lower())
    if letter.is_debt and not helps:
        yield RemarkCode.SUPPORT_MISSING.at(letter.place)
    if not threats:
        return
    wanted = [*helps, *(block for together in threats.values() for block in together)]
    places = dict(zip(map(id, wanted), heights(drawn.pdf, [bare(block.words) for block in wanted]), strict=True))
    for name, together in threats.items():
        if not any(_nearby(places[id(one)], places[id(other)], page) for one in together for other in helps):
            yield RemarkCode.THREAT_WITHOUT_SUPPORT.at(letter.place, within=NEARBY, words=told[name])


def _nearby(one: tuple[int, float] | None, other: tuple[int, float] | None, page: ReadBack) -> bool:
    """Whether two places are on one page with no more than so many lines of type from one to the other."""
    if one is None or other is None or one[0] != other[0]:
        return False
    centres = sorted(
        ink.zone.y + ink.zone.height / 2 for ink in page.ink if ink.page == one[0] and ink.points is not None
    )
    lines = [centre for centre, before in zip(centres, (0.0, *centres), strict=False) if centre - before > APART]
    above, below = sorted((one[1], other[1]))
    return sum(above < line <= below for line in lines) <= NEARBY


def _plain(letter: _Letter) -> Iterator[Remark]:
    english = [block for block in letter.reading.body if block.language in {"", "en"}]
    found = plainness_of(english)
    if found.reading_age > HIGHEST_AGE:
        yield RemarkCode.READING_AGE_TOO_HIGH.at(letter.place, most=HIGHEST_AGE, age=found.reading_age, aim=AIM)
    elif found.reading_age > AIM:
        yield RemarkCode.READING_AGE.at(letter.place, most=AIM, age=found.reading_age)
    lengths = [len(_LETTERS.findall(part)) for block in letter.reading.body for part in block.sentences]
    if long := [words for words in lengths if words > LONGEST_SENTENCE]:
        yield RemarkCode.SENTENCE_LONG.at(letter.place, most=LONGEST_SENTENCE, count=len(long), found=max(long))
    sentences = [sentence for block in letter.reading.body for sentence in letter.sentences(block)]
    capitals = max((most_capitals(_LETTERS.findall(sentence)) for sentence in sentences), default=0)
    if capitals > MOST_CAPITALS:
        code = RemarkCode.CAPITALS_IN_DEBT_LETTER if letter.is_debt else RemarkCode.CAPITALS
        yield code.at(letter.place, most=MOST_CAPITALS, count=capitals)
    shouts = sum(len(_SHOUT.findall(sentence)) for sentence in sentences)
    if shouts:
        yield RemarkCode.EXCLAMATION.at(letter.place, count=shouts)


def _asks(letter: _Letter, page: ReadBack, halves: int, *, apart: bool) -> Iterator[Remark]:
    """`apart`: in Easy Read the first page is the letterhead's, and the ask comes after it."""
    asks = [block for block in letter.reading.body if "ask" in block.required or "ask" in block.classes]
    if not asks:
        yield RemarkCode.ASK_MISSING.at(letter.place)
    elif len(asks) > halves:
        yield RemarkCode.ASK_TWICE.at(letter.place, count=len(asks) // halves)
    first = bare(page.texts[0]) if page.texts else ""
    if asks and not apart and bare(asks[0].words) not in first:
        yield RemarkCode.ASK_NOT_ON_PAGE_1.at(letter.place)
    if page.texts and _TELEPHONE.search(page.texts[0]) is None:
        yield RemarkCode.TELEPHONE_NOT_ON_PAGE_1.at(letter.place)


def _whole(letter: _Letter, drawn: Drawn, page: ReadBack, spec: LetterSpec) -> Iterator[Remark]:
    if drawn.pages > len(spec.languages) and spec.format is Format.STANDARD:
        yield RemarkCode.PAGES_MANY.at(letter.place, pages=drawn.pages)
    text = bare(page.text).casefold()
    lost = [block for block in letter.reading.written if not _stands(block.words, text, drawn.pages)]
    if lost:
        yield RemarkCode.TEXT_LOST.at(letter.place, count=len(lost))
    if cut := [ink for ink in page.ink if ink.cut]:
        yield RemarkCode.TEXT_COVERED.at(letter.place, page=cut[0].page, down=cut[0].zone.y)


def _stands(said: str, text: str, pieces: int) -> bool:
    """Whether a block is found in the text of the pages, in one piece or cut by the foot of a page."""
    if bare(said).casefold() in text:
        return True
    words, cuts = [bare(word).casefold() for word in said.split()], 1
    start = 0
    for end in range(1, len(words) + 1):
        if "".join(words[start:end]) not in text:
            cuts, start = cuts + 1, end - 1
            if cuts > pieces or words[start] not in text:
                return False
    return True
