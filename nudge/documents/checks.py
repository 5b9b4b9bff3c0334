"""Is this the right letter, whole, in the right place? Asked of every letter, of its values and of its finished PDF.

The page is read back by another library than the one that drew it, so a fault of the drawing is seen too (I1).
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

from nudge.base.errors import Place, Problem
from nudge.base.languages import ENGLISH, LANGUAGES
from nudge.base.values import MONTHS, uk_date
from nudge.documents.address import address_lines, check_address
from nudge.documents.agreement import check_agreement
from nudge.documents.codes import LetterCode, TemplateCode
from nudge.documents.form import LARGE_PRINT_PAGES, Format, templates_in
from nudge.documents.halves import large_head
from nudge.documents.letter import REFERENCE_PATTERN, LetterSpec, read_reference
from nudge.documents.marks import FIRST_PAGE, stamped_zones
from nudge.documents.page import Drawn, Mark, characters
from nudge.documents.profiles import PAGE_HEIGHT, PAGE_WIDTH, TOLERANCE, Profile, Zone
from nudge.documents.readback import ReadBack, bare, read_back
from nudge.documents.templates import TemplateFolder, composed
from nudge.workspace import PLAIN_PRINTING, PrintSettings

LEAST_POINTS: Final = 10.0  # of anything on the page; most of the text is larger, as the profile says
OVERPRINT: Final = 0.6  # millimetres by which the tight boxes of two lines may overlap: accents above, tails below
_LEFT_OVER: Final = re.compile(r"\{\{|\}\}|\{%|%\}|\(\(|\)\)|<<|>>|«|»|\[\[|\]\]|\bNone\b|\bnan\b|\bundefined\b")
_ASKS: Final = ("ask", "time_limit")
_DAY: Final = re.compile(rf"\b\d{{1,2}} (?:{'|'.join(MONTHS)}) \d{{4}}\b")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})


def check_values(spec: LetterSpec) -> tuple[Problem, ...]:
    """What can be said before anything is drawn: the address, and characters the letter's font does not have."""
    lines = address_lines(spec.name, spec.post_to)
    nameless = not spec.name.strip() or not spec.salutation.strip()
    return (
        *([LetterCode.NAME_ABSENT.at(spec.place)] if nameless else ()),
        *check_address(lines, spec.place),
        *_check_characters(spec),
    )


def check_text_values(spec: LetterSpec) -> tuple[Problem, ...]:
    """The same of a letter that is not printed: no font is asked of it, and only braille is posted to an address."""
    address = check_address(address_lines(spec.name, spec.post_to), spec.place) if spec.format is Format.BRAILLE else ()
    unseen = {LetterCode.CHARACTER_HIDDEN.slug}
    return (*address, *(problem for problem in _check_characters(spec) if problem.code in unseen))


def check_letter(
    drawn: Drawn,
    spec: LetterSpec,
    profile: Profile,
    folder: TemplateFolder,
    printing: PrintSettings = PLAIN_PRINTING,
    *,
    page: ReadBack | None = None,
) -> tuple[Problem, ...]:
    """Everything wrong with a finished letter, at once. Empty: it may be posted. `page` is it where it is read back.

    What the pack will add to it needs its place free: that is known now, before anything is drawn by lot (I4).
    """
    page = read_back(drawn.pdf, profile.window) if page is None else page
    return (
        *check_complaints(drawn, spec.place),
        *_check_window(page, spec, profile),
        *_check_margins(page, spec.place, profile),
        *_check_panels(drawn, page, spec.place, profile),
        *_check_overprint(page, spec.place),
        *_check_length(drawn, page, spec, profile),
        *_check_type(drawn, page, spec.place, profile),
        *_check_pack(drawn, page, spec.place, printing),
        *_check_words(page, spec),
        *check_marks(drawn.marks, page.text, spec, folder),
        *check_asks(drawn.marks, spec),
        *check_agreement(drawn.halves, spec.place),
    )


def _check_characters(spec: LetterSpec) -> Iterator[Problem]:
    written = "".join(
        (
            spec.name,
            spec.salutation,
            *spec.post_to,
            spec.tenancy_reference,
            spec.payment_reference,
            *(value for value in spec.fields.values() if isinstance(value, str)),
            *spec.claims.values(),
            *(words for claims in spec.claims_in.values() for words in claims.values()),
            *spec.council.values(),
            *(value for value in spec.details.values() if isinstance(value, str)),
        )
    )
    signs = set(composed(written)) - set("\n\t ")
    hidden = {sign for sign in signs if unicodedata.category(sign) in _HIDDEN}
    if hidden:
        yield LetterCode.CHARACTER_HIDDEN.at(spec.place)
    missing = {sign for sign in signs - hidden if ord(sign) not in characters()}
    if missing:
        # The script says what to do and tells nothing of whom; the name of a picture would quote the cell.
        letters = sorted(sign for sign in missing if unicodedata.category(sign).startswith("L"))
        first = unicodedata.name(letters[0], "other").split(" ")[0].lower() if letters else "signs"
        yield LetterCode.CHARACTER_MISSING.at(spec.place, count=len(missing), block=first)


def check_complaints(drawn: Drawn, place: Place) -> Iterator[Problem]:
    """What the page maker itself warned of."""
    for complaint in drawn.complaints:
        kind, _, words = complaint.partition(":")
        if kind == "glyph":
            yield LetterCode.CHARACTER_MISSING.at(place, count=1, block="seen while drawing")
        elif kind == "alt":
            yield TemplateCode.IMAGE_WITHOUT_WORDS.at(place)
        else:
            yield TemplateCode.STYLE_NOT_UNDERSTOOD.at(place, sheet="the style", reason=words or "a warning")


def _check_window(page: ReadBack, spec: LetterSpec, profile: Profile) -> Iterator[Problem]:
    expected = "".join(bare(line) for line in address_lines(spec.name, spec.post_to))
    found = bare(page.windowed)
    window, zone = profile.window, profile.address
    if found != expected:
        code = LetterCode.ADDRESS_NOT_ALONE if expected and expected in found else LetterCode.ADDRESS_DIFFERS
        yield code.at(spec.place, top=window.y, foot=window.foot)
    inside = [ink for ink in page.ink if ink.page == 1 and ink.zone.meets(window)]
    if any(ink.points is not None and not zone.holds(ink.zone) for ink in inside):
        yield LetterCode.ADDRESS_OUTSIDE_WINDOW.at(spec.place, zone=_words(zone))
    if any(ink.points is None for ink in inside):
        yield LetterCode.ADDRESS_NOT_ALONE.at(spec.place, top=window.y, foot=window.foot)


def _check_margins(page: ReadBack, place: Place, profile: Profile) -> Iterator[Problem]:
    if any(abs(width - PAGE_WIDTH) > 0.5 or abs(height - PAGE_HEIGHT) > 0.5 for width, height in page.sizes):
        yield LetterCode.PAGE_NOT_DRAWN.at(place, reason="the page size, which is not A4 upright")
    beyond = sorted({ink.page for ink in page.ink if not profile.border.holds(ink.zone)})
    for number in beyond:
        yield LetterCode.MARGIN_BREACHED.at(place, page=number)
    for zone in profile.keep_out:
        if any(ink.page == 1 and ink.zone.meets(zone) for ink in page.ink):
            yield LetterCode.KEEP_OUT_BREACHED.at(place, x=zone.x, y=zone.y)


def _check_panels(drawn: Drawn, page: ReadBack, place: Place, profile: Profile) -> Iterator[Problem]:
    above = [
        ink.zone
        for ink in page.ink
        if ink.page == 1 and ink.zone.y < profile.body.y - TOLERANCE and not ink.zone.meets(profile.window)
    ]
    homes = (profile.head if drawn.points is None else large_head(profile), profile.contact)
    strays = [zone for zone in above if not any(home.holds(zone) for home in homes)]
    if strays:
        near = min(homes, key=lambda home: abs(home.x - strays[0].x))
        yield LetterCode.PANEL_TOO_LONG.at(place, zone=_words(near))


def _check_overprint(page: ReadBack, place: Place) -> Iterator[Problem]:
    """Words or images printed over one another: an address or a panel that ran into the text below it."""
    for number in range(1, len(page.texts) + 1):
        open_: list[Zone] = []
        inked = (ink.zone for ink in page.ink if ink.page == number and ink.solid and ink.zone.width > 0)
        for zone in sorted(inked, key=lambda zone: zone.y):
            open_ = [earlier for earlier in open_ if earlier.foot > zone.y]
            if any(zone.meets(earlier, slack=OVERPRINT) for earlier in open_):
                yield LetterCode.PRINTED_OVER.at(place, page=number, down=zone.y)
                break
            open_.append(zone)


def _check_length(drawn: Drawn, page: ReadBack, spec: LetterSpec, profile: Profile) -> Iterator[Problem]:
    asked = drawn.most_pages or profile.most_pages
    if spec.format is Format.LARGE_PRINT:
        asked *= LARGE_PRINT_PAGES
    most = min(asked, profile.most_pages)
    if drawn.pages > most:
        yield LetterCode.TOO_MANY_PAGES.at(spec.place, most=most, pages=drawn.pages)


def _check_type(drawn: Drawn, page: ReadBack, place: Place, profile: Profile) -> Iterator[Problem]:
    """No small print, and the text itself larger; in large print nothing smaller than asked, but for the address."""
    least = min(LEAST_POINTS, profile.address_points)
    for number in range(1, len(page.texts) + 1):
        sizes = [
            (
                ink.points,
                drawn.points if drawn.points and not (number == 1 and ink.zone.meets(profile.window)) else least,
            )
            for ink in page.ink
            if ink.page == number and ink.points is not None
        ]
        small = [(found, asked) for found, asked in sizes if found < asked - 0.01]
        if small:
            found, asked = min(small)
            yield LetterCode.TYPE_TOO_SMALL.at(place, least=asked, page=number, found=found)
    widths: dict[float, float] = defaultdict(float)  # of what is set in each size below the letterhead
    for ink in page.ink:
        if ink.points is not None and (ink.page > 1 or ink.zone.y >= profile.body.y - TOLERANCE):
            widths[round(ink.points, 1)] += ink.zone.width
    if widths and (most := max(widths, key=lambda size: widths[size])) < profile.text_points - 0.01:
        yield LetterCode.TEXT_TOO_SMALL.at(place, least=profile.text_points, found=most)


def _check_pack(drawn: Drawn, page: ReadBack, place: Place, printing: PrintSettings) -> Iterator[Problem]:
    sheets = printing.sheets(drawn.pages)
    if printing.most_sheets is not None and sheets > printing.most_sheets:
        yield LetterCode.TOO_MANY_SHEETS.at(place, most=printing.most_sheets, sheets=sheets)
    taken = {ink.page for ink in page.ink for zone in stamped_zones(printing) if ink.zone.meets(zone)}
    for number in sorted(taken):
        yield LetterCode.MARKS_TOUCHED.at(place, page=number)
    if printing.house == "fixed-zone" and bare(FIRST_PAGE) in bare(page.text):
        yield LetterCode.FIRST_PAGE_WORDS.at(place, words=FIRST_PAGE)


def _check_words(page: ReadBack, spec: LetterSpec) -> Iterator[Problem]:
    if _LEFT_OVER.search(page.text):
        yield LetterCode.PLACEHOLDER_LEFT.at(spec.place)
    text = bare(page.text)
    if text.replace(bare(page.windowed), "", 1).count(bare(spec.salutation)) < len(spec.languages):
        yield LetterCode.NAME_ABSENT.at(spec.place)
    count = text.count(bare(spec.reference))
    if count != 1:
        yield LetterCode.REFERENCE_NOT_ONCE.at(spec.place, count=count)
    own = bare("".join((spec.tenancy_reference, spec.payment_reference, *spec.council.values(), *spec.post_to)))
    others = {found for found in REFERENCE_PATTERN.findall(page.text) if read_reference(found) == found}
    if any(found != spec.reference and bare(found) not in own for found in others):
        yield LetterCode.REFERENCE_OF_ANOTHER.at(spec.place)


def check_asks(marks: Sequence[Mark], spec: LetterSpec) -> Iterator[Problem]:
    """Days by which the reader is asked to do something: none may be past when the letter is written.

    The day may come from the recipient's own row, so the message does not repeat it (I12). Other languages than
    English are held to the same days by `check_agreement`.
    """
    for block in _ASKS:
        days = [uk_date(day) for mark in marks if (mark.kind, mark.id) == ("required", block) for day in _days(mark)]
        if any(day is not None and day <= spec.letter_date for day in days):
            yield LetterCode.ASK_GONE_BY.at(spec.place, block=block)


def _days(mark: Mark) -> list[str]:
    return _DAY.findall(mark.text)


def check_marks(
    marks: Sequence[Mark],
    text: str,
    spec: LetterSpec,
    folder: TemplateFolder,
    *,
    plain: Callable[[str], str] = bare,
) -> Iterator[Problem]:
    """Claims word for word and required blocks with words in them, in every language.

    `text` is that of the letter; `plain` takes out of it, and of what is sought, what may differ.
    """
    text = plain(text)
    languages = spec.languages if len(spec.languages) > 1 else ("",)
    for half, template in zip(languages, templates_in(spec.template, spec.form), strict=True):
        own = [mark for mark in marks if mark.half == half]
        claims = spec.claims if half in {"", ENGLISH} else spec.claims_in.get(half, {})
        yield from _check_claims(own, text, claims, template, spec, folder, plain)
        blocks = {mark.id: plain(mark.text) for mark in own if mark.kind == "required"}
        for block in folder.marks(template, "required"):
            if half != languages[0] and any(mark.id == block and mark.once for mark in marks):
                continue
            if not (words := blocks.get(block, "")) or words not in text:
                yield LetterCode.BLOCK_NOT_PRINTED.at(spec.place, block=block)
    shared = {mark.id for mark in marks if mark.kind == "required" and mark.half == languages[0] and not mark.once}
    for half in languages[1:]:
        there = {mark.id for mark in marks if mark.kind == "required" and mark.half == half}
        for block in sorted(shared ^ there):
            yield LetterCode.BLOCK_NOT_IN_LANGUAGE.at(spec.place, block=block, language=LANGUAGES[half].name)


def _check_claims(
    marks: Sequence[Mark],
    text: str,
    claims: Mapping[str, str],
    template: str,
    spec: LetterSpec,
    folder: TemplateFolder,
    plain: Callable[[str], str],
) -> Iterator[Problem]:
    printed: dict[str, list[str]] = {}
    for mark in marks:
        if mark.kind == "claim":
            printed.setdefault(mark.id, []).append(mark.text)
    for claim in folder.marks(template, "claim"):
        wording = claims.get(claim)
        if wording is None:
            yield TemplateCode.CLAIM_UNKNOWN.at(Place(template), claim=claim)
        elif [plain(found).rstrip(".") for found in printed.get(claim, [])] != [plain(wording).rstrip(".")] or (
            text.count(plain(wording)) != 1
        ):
            yield LetterCode.CLAIM_DIFFERS.at(spec.place, claim=claim)


def check_batch(specs: Iterable[LetterSpec]) -> tuple[Problem, ...]:
    """What is wrong between letters: one reference twice."""
    seen: dict[str, int] = {}
    for spec in specs:
        seen[spec.reference] = seen.get(spec.reference, 0) + 1
    return tuple(LetterCode.REFERENCE_TWICE.at(Place(f"letter {reference}")) for reference, n in seen.items() if n > 1)


def _words(zone: Zone) -> str:
    return f"{zone.x:.0f} to {zone.right:.0f} mm across, {zone.y:.0f} to {zone.foot:.0f} mm down"
