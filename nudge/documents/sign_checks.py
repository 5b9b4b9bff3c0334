"""Is this sign fit to print and to put up? Asked of every sign, of its finished PDF and of what it is drawn from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from nudge.base.errors import Place, Problem
from nudge.documents.artwork import Artwork, Colour, Pixels, Words, read_artwork
from nudge.documents.checks import check_complaints
from nudge.documents.codes import LetterCode, TemplateCode
from nudge.documents.imitations import imitations
from nudge.documents.letter import REFERENCE_PATTERN, read_reference
from nudge.documents.page import Drawn
from nudge.documents.profiles import TOLERANCE, Zone
from nudge.documents.qr import QUIET, sign_modules
from nudge.documents.readback import bare
from nudge.documents.sheet import LEAST_BLEED, SAFE
from nudge.documents.sign_codes import SignCode
from nudge.documents.sign_spec import SignSpec
from nudge.documents.structure import check_structure
from nudge.documents.templates import TemplateFolder

Mask = npt.NDArray[np.bool_]
LEAST_POINTS: Final = 14.0  # of anything on a sign: the reference on A4, read at arm's length
LEAST_CONTRAST: Final = 7.0  # WCAG 2 level AAA
_EXACT: Final = 0.1  # millimetres by which a box may differ from its size, for rounding
_WHITE: Final = 253  # paper; the palest tint that a plate holds is darker
_RUN: Final = 0.08  # of an edge: a stretch of bare bleed that long is no accident of the drawing


def check_sign(drawn: Drawn, spec: SignSpec, folder: TemplateFolder) -> tuple[Problem, ...]:
    """Everything wrong with a finished sign, at once. Empty: it may be printed."""
    art = read_artwork(drawn.pdf)
    place = spec.place
    return (
        *check_complaints(drawn, place),
        *_check_boxes(art, spec),
        *_check_bleed(art, place),
        *_check_words(art, drawn, spec),
        *_check_reference(art, spec),
        *_check_code(art, spec),
        *_check_claims(art, drawn, spec, folder),
        *_check_contrast(art, place),
        *imitations(art, drawn.blocks, place),
        *check_structure(drawn.pdf, place),
    )


def _check_boxes(art: Artwork, spec: SignSpec) -> Iterator[Problem]:
    sheet, trim, bleed = spec.sheet, art.trim, art.bleed
    if art.pages != 1:
        yield SignCode.PAGES_NOT_ONE.at(spec.place, pages=art.pages)
    if abs(trim.width - sheet.width) > _EXACT or abs(trim.height - sheet.height) > _EXACT:
        found = f"{trim.width:.1f} x {trim.height:.1f} mm"
        yield SignCode.SHEET_DIFFERS.at(spec.place, width=sheet.width, height=sheet.height, found=found)
    beyond = min(-bleed.x, -bleed.y, bleed.right - trim.width, bleed.foot - trim.height)
    if beyond < LEAST_BLEED - _EXACT:
        yield SignCode.BLEED_TOO_NARROW.at(spec.place, least=LEAST_BLEED, found=beyond)


def _check_bleed(art: Artwork, place: Place) -> Iterator[Problem]:
    """Paper beyond the cut, beside colour within it, for a stretch: a white hair along the edge of the cut sign."""
    width, height = art.trim.width, art.trim.height
    inside, step = 0.8, 1 / art.dots
    edges = {
        "top": (Zone(0, -LEAST_BLEED, width, LEAST_BLEED), Zone(0, inside, width, step)),
        "bottom": (Zone(0, height, width, LEAST_BLEED), Zone(0, height - inside - step, width, step)),
        "left": (Zone(-LEAST_BLEED, 0, LEAST_BLEED, height), Zone(inside, 0, step, height)),
        "right": (Zone(width, 0, LEAST_BLEED, height), Zone(width - inside - step, 0, step, height)),
    }
    for edge, zones in edges.items():
        bare_paper, inked = (_along(art.part(zone), upright=edge in ("left", "right")) for zone in zones)
        length = min(len(bare_paper), len(inked))
        if _longest(bare_paper[:length] & ~inked[:length]) > _RUN * length:
            yield SignCode.BLEED_NOT_COVERED.at(place, edge=edge)


def _along(part: Pixels, *, upright: bool) -> Mask:
    """At each place along an edge, whether there is bare paper across it."""
    return np.asarray((part.min(axis=2) >= _WHITE).max(axis=1 if upright else 0), dtype=np.bool_)


def _longest(flags: Mask) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return int(max(edges[1::2] - edges[::2], default=0))


def _check_words(art: Artwork, drawn: Drawn, spec: SignSpec) -> Iterator[Problem]:
    place, safe = spec.place, spec.sheet.safe
    zones = [*(word.zone for word in art.words), *_codes(art, spec)]
    beyond = sum(not safe.holds(zone, slack=TOLERANCE) for zone in zones)
    if beyond:
        yield SignCode.TOO_NEAR_EDGE.at(place, safe=SAFE, count=beyond)
    if any(_overlap(first, second) for at, first in enumerate(zones) for second in zones[at + 1 :]):
        yield SignCode.PRINTED_OVER.at(place)
    smallest = min((word.points for word in art.words), default=LEAST_POINTS)
    if smallest < LEAST_POINTS - 0.01:
        yield SignCode.TYPE_TOO_SMALL.at(place, least=LEAST_POINTS, found=smallest)
    shouted = sum(_in_capitals(block, spec) for block in drawn.blocks)
    if shouted:
        yield SignCode.WORDS_IN_CAPITALS.at(place, count=shouted)
    name = bare(spec.council.get("name", ""))
    if not name or name not in bare(art.text):
        yield SignCode.COUNCIL_NOT_NAMED.at(place)


def _overlap(first: Zone, second: Zone) -> bool:
    """More than a tail of one line may reach into the ascenders of the next."""
    return first.meets(second, slack=0.25 * min(first.height, second.height))


def _in_capitals(block: str, spec: SignSpec) -> bool:
    words = [word for word in block.replace(spec.reference, "").split() if sum(map(str.isalpha, word)) > 2]
    return bool(words) and sum(word.isupper() for word in words) * 2 > len(words)


def _check_reference(art: Artwork, spec: SignSpec) -> Iterator[Problem]:
    count = bare(art.text).count(bare(spec.reference))
    if count != 1:
        yield SignCode.REFERENCE_NOT_ONCE.at(spec.place, count=count)
    found = {found for found in REFERENCE_PATTERN.findall(art.text) if read_reference(found) == found}
    if found - {spec.reference}:
        yield SignCode.REFERENCE_OF_ANOTHER.at(spec.place)


def _check_code(art: Artwork, spec: SignSpec) -> Iterator[Problem]:
    count = len(_codes(art, spec))
    if count != 1:
        yield SignCode.CODE_NOT_ONCE.at(spec.place, count=count)


def _codes(art: Artwork, spec: SignSpec) -> list[Zone]:
    """Where this sign's own code is to be seen, module by module, square and covered by nothing."""
    modules = np.pad(np.array(sign_modules(spec.council.get("website", ""), spec.reference)), QUIET)
    side = len(modules)
    found = []
    for square in art.squares:
        middles = [((np.arange(side) + 0.5) * length / side).astype(int) for length in square.grey.shape]
        if min(square.grey.shape) >= side and ((square.grey[np.ix_(*middles)] < 128) == modules).mean() > 0.99:
            found.append(square.zone)
    return found


def _check_claims(art: Artwork, drawn: Drawn, spec: SignSpec, folder: TemplateFolder) -> Iterator[Problem]:
    text = bare(art.text)
    printed: dict[str, list[str]] = {}
    for mark in drawn.marks:
        if mark.kind == "claim":
            printed.setdefault(mark.id, []).append(mark.text)
    for claim in folder.marks(spec.template, "claim"):
        wording = spec.claims.get(claim)
        if wording is None:
            yield TemplateCode.CLAIM_UNKNOWN.at(Place(spec.template), claim=claim)
        elif [bare(found).rstrip(".") for found in printed.get(claim, [])] != [bare(wording).rstrip(".")] or (
            text.count(bare(wording)) != 1
        ):
            yield LetterCode.CLAIM_DIFFERS.at(spec.place, claim=claim)


def _check_contrast(art: Artwork, place: Place) -> Iterator[Problem]:
    ratios = [ratio for word in art.words for ratio in _contrasts(art, word)]
    if ratios and min(ratios) < LEAST_CONTRAST:
        yield SignCode.CONTRAST_TOO_LOW.at(place, ratio=min(ratios))


def _contrasts(art: Artwork, word: Words) -> Iterator[float]:
    """With each colour that makes up a tenth or more of what is around the word, its own left out."""
    zone, rim = word.zone, 0.15 * word.zone.height
    around = art.part(Zone(zone.x - rim, zone.y - rim, zone.width + 2 * rim, zone.height + 2 * rim)).reshape(-1, 3)
    other = around[np.abs(around.astype(int) - word.colour).max(axis=1) > 24]
    if len(other) < 0.1 * len(around):  # words in the colour of their ground
        yield 1.0
        return
    steps, counts = np.unique(other // 16, axis=0, return_counts=True)
    for step, count in zip(steps, counts, strict=True):
        if count >= 0.1 * len(other):
            yield contrast(word.colour, tuple(int(level) for level in step * 16 + 8))


def contrast(first: Colour | Sequence[int], second: Colour | Sequence[int]) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2)."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Sequence[int]) -> float:
    parts = [level / 255 for level in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
