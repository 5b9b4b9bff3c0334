"""Where things may stand on the page, asked of finished pages by coordinate: at each boundary and 1 mm either side.

Boundaries are met to `TOLERANCE` (0.35 mm, for rounding and the overhang of a glyph), stated once in `profiles`.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Final

import pikepdf
import pytest
from invented import CURRENT, folder_with, invented, shipped

from nudge.documents.checks import OVERPRINT, check_letter
from nudge.documents.codes import LetterCode
from nudge.documents.page import Drawn, draw
from nudge.documents.profiles import PAGE_HEIGHT, TOLERANCE, Profile, Zone, profile_named, profiles
from nudge.documents.readback import MM, read_back

SPEC: Final = invented(template=CURRENT, post_to=("12 Mill Lane", "Hartfield", "TN7 4AB"))
DOT: Final = 0.5  # a side of the dot, in millimetres
SIDES: Final = ("left", "top", "right", "foot")


@cache
def letter(profile: str) -> Drawn:
    return draw(shipped().html(SPEC), shipped().path, profile=profile_named(profile), template=CURRENT)


def dotted(profile: str, dot: Zone, page: int = 0) -> set[str]:
    """The codes that a letter gets by a black dot there, drawn over the finished page; on a page after it, if told."""
    return _added(profile, dot, page, image=False)


def imaged(profile: str, image: Zone) -> set[str]:
    """The same of a black image."""
    return _added(profile, image, 0, image=True)


def _added(profile: str, dot: Zone, page: int, *, image: bool) -> set[str]:
    with pikepdf.open(io.BytesIO(letter(profile).pdf)) as document:
        while len(document.pages) <= page:
            document.add_blank_page(page_size=(210 / MM, 297 / MM))
        x, y, width, height = dot.x / MM, (PAGE_HEIGHT - dot.foot) / MM, dot.width / MM, dot.height / MM
        ink = f"q 0 g {x:.4f} {y:.4f} {width:.4f} {height:.4f} re f Q"
        if image:
            ink = f"q {width:.4f} 0 0 {height:.4f} {x:.4f} {y:.4f} cm BI /W 1 /H 1 /CS /G /BPC 8 /F /AHx ID 00> EI Q"
        document.pages[page].contents_add(document.make_stream(ink.encode()), prepend=True)
        stream = io.BytesIO()
        document.save(stream)
    paper = profile_named(profile)
    return {
        problem.code
        for problem in check_letter(replace(letter(profile), pdf=stream.getvalue()), SPEC, paper, shipped())
    }


def inside(zone: Zone, side: str, by: float, along: float = 0.5) -> Zone:
    """A dot whose outer edge lies `by` millimetres inside that side of the zone; below 0, beyond it."""
    x, y = zone.x + along * (zone.width - DOT), zone.y + along * (zone.height - DOT)
    place = {
        "left": (zone.x + by, y),
        "right": (zone.right - by - DOT, y),
        "top": (x, zone.y + by),
        "foot": (x, zone.foot - by - DOT),
    }
    return Zone(*place[side], DOT, DOT)


def outside(zone: Zone, side: str, by: float, along: float = 0.5) -> Zone:
    """A dot whose inner edge lies `by` millimetres outside that side of the zone; below 0, it reaches into it."""
    return inside(zone, side, -by - DOT, along)


def test_the_letter_itself_has_nothing_wrong_with_it() -> None:
    for profile in profiles():
        assert check_letter(letter(profile), SPEC, profile_named(profile), shipped()) == ()


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("profile", profiles())
def test_i1_print_may_touch_the_border_of_the_page_and_not_pass_it(profile: str, side: str) -> None:
    border, code = profile_named(profile).border, LetterCode.MARGIN_BREACHED.slug
    along = 0.55 if side in {"left", "right"} else 0.3  # clear of the window
    assert code not in dotted(profile, inside(border, side, 1, along))
    assert code not in dotted(profile, inside(border, side, 0, along))
    assert code in dotted(profile, inside(border, side, -1, along))


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("profile", profiles())
def test_i1_print_may_touch_the_window_and_not_be_seen_through_it(profile: str, side: str) -> None:
    window, code = profile_named(profile).window, LetterCode.ADDRESS_NOT_ALONE.slug
    along = 0.92  # where the address is not
    assert code not in dotted(profile, outside(window, side, 1, along))
    assert code not in dotted(profile, outside(window, side, 0, along))
    assert code in dotted(profile, outside(window, side, -1, along))


KEEP_OUT: Final = [(name, number) for name, one in profiles().items() for number in range(len(one.keep_out))]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("profile", "number"), KEEP_OUT)
def test_i1_print_may_touch_the_printers_own_places_and_not_enter_them(profile: str, number: int, side: str) -> None:
    zone, code = profile_named(profile).keep_out[number], LetterCode.KEEP_OUT_BREACHED.slug
    assert code not in dotted(profile, outside(zone, side, 1))
    assert code not in dotted(profile, outside(zone, side, 0))
    assert code in dotted(profile, outside(zone, side, -1))


def _clear(paper: Profile, dot: Zone) -> bool:
    """Whether the dot lies where only the panels decide: above the text, out of the window and of other panels."""
    return dot.foot < paper.body.y - 2 and not dot.meets(paper.window, slack=-0.1)


@pytest.mark.parametrize("panel", ["head", "contact"])
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("profile", profiles())
def test_i1_the_councils_panels_keep_to_their_places(profile: str, side: str, panel: str) -> None:
    paper, code = profile_named(profile), LetterCode.PANEL_TOO_LONG.slug
    zone: Zone = getattr(paper, panel)
    for by, refused in ((1, False), (0, False), (-1, True)):
        dot = inside(zone, side, by, 0.9)
        if _clear(paper, dot):
            assert (code in dotted(profile, dot)) is refused, (by, dot)


@pytest.mark.parametrize("profile", profiles())
def test_i1_the_text_of_page_1_begins_where_the_fold_or_the_printer_lets_it(profile: str) -> None:
    body, code = profile_named(profile).body, LetterCode.PANEL_TOO_LONG.slug
    for by, refused in ((1, False), (0, False), (-1, True)):
        assert (code in dotted(profile, inside(body, "top", by, 0.9))) is refused, by


@cache
def _address(profile: str) -> Zone:
    """The rectangle of the address as it is printed, read back from the page."""
    paper = profile_named(profile)
    lines = [
        ink.zone
        for ink in read_back(letter(profile).pdf, paper.window).ink
        if ink.page == 1 and ink.zone.meets(paper.window)
    ]
    left, top = min(zone.x for zone in lines), min(zone.y for zone in lines)
    return Zone(left, top, max(zone.right for zone in lines) - left, max(zone.foot for zone in lines) - top)


SHIFT: Final[dict[str, Callable[[Zone, Zone, float], tuple[float, float]]]] = {
    "left": lambda zone, lines, by: (zone.x + by - lines.x, 0),
    "right": lambda zone, lines, by: (zone.right - by - lines.right, 0),
    "top": lambda zone, lines, by: (0, zone.y + by - lines.y),
    "foot": lambda zone, lines, by: (0, zone.foot - by - lines.foot),
}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("profile", profiles())
def test_i1_the_whole_address_lies_in_its_zone_wherever_the_sheet_slips(profile, side, tmp_path) -> None:
    paper, code = profile_named(profile), LetterCode.ADDRESS_OUTSIDE_WINDOW.slug
    css = (shipped().path / "letters/letter.css").read_text("utf-8")
    for by, refused in ((1, False), (0, False), (-1, True)):
        right, down = SHIFT[side](paper.address, _address(profile), by)
        moved = (
            f'{css}\n[data-zone="address"] {{ overflow: visible; transform: translate({right:.4f}mm, {down:.4f}mm) }}\n'
        )
        folder = folder_with(tmp_path / f"{by}", "letters/letter.css", moved)
        page = draw(folder.html(SPEC), folder.path, profile=paper, template=CURRENT)
        assert (code in {problem.code for problem in check_letter(page, SPEC, paper, folder)}) is refused, by


def test_the_tolerance_is_a_third_of_a_millimetre_and_the_same_everywhere() -> None:
    border = profile_named("dl").border
    assert TOLERANCE == 0.35
    assert border.holds(replace(border, x=border.x - 0.34))
    assert not border.holds(replace(border, x=border.x - 0.36))


# The other checks of the page that measure: each at its boundary and just beyond it.


@pytest.mark.parametrize("profile", profiles())
@pytest.mark.parametrize("side", SIDES)
def test_i1_a_later_page_has_the_same_border(profile: str, side: str) -> None:
    border, code = profile_named(profile).border, LetterCode.MARGIN_BREACHED.slug
    for by, refused in ((1, False), (0, False), (-1, True)):
        assert (code in dotted(profile, inside(border, side, by, 0.4), page=1)) is refused, by


@pytest.mark.parametrize("profile", profiles())
def test_i1_type_may_touch_type_and_not_be_printed_over_it(profile: str) -> None:
    line = next(
        ink.zone
        for ink in read_back(letter(profile).pdf, profile_named(profile).window).ink
        if ink.page == 1 and ink.points is not None and ink.zone.y > profile_named(profile).body.y + 40
    )
    code = LetterCode.PRINTED_OVER.slug
    for by, refused in ((-OVERPRINT + 0.2, False), (0, False), (1, False), (-1, True)):
        below = Zone(line.x + 2, line.foot + by, 6, 1.5)
        assert (code in imaged(profile, below)) is refused, by


@pytest.mark.parametrize(
    ("points", "code"),
    [
        (12, None),
        (11, None),
        (10.9, LetterCode.TEXT_TOO_SMALL),
        (10, LetterCode.TEXT_TOO_SMALL),
        (9.9, LetterCode.TYPE_TOO_SMALL),
    ],
)
def test_the_text_is_11_points_at_least_and_nothing_is_below_10(points, code, tmp_path) -> None:
    css = (shipped().path / "letters/letter.css").read_text("utf-8")
    assert "body { font-size: 11.5pt" in css
    small = css.replace("body { font-size: 11.5pt", f"body {{ font-size: {points}pt")
    folder = folder_with(tmp_path, "letters/letter.css", small)
    paper = profile_named("dl")
    page = draw(folder.html(SPEC), folder.path, profile=paper, template=CURRENT)
    found = {problem.code for problem in check_letter(page, SPEC, paper, folder)}
    named = {LetterCode.TEXT_TOO_SMALL.slug, LetterCode.TYPE_TOO_SMALL.slug}
    assert (found & named == set()) is (code is None)
    assert code is None or code.slug in found


def test_a_profile_may_ask_for_larger_text() -> None:
    paper = replace(profile_named("dl"), text_points=11.6)
    found = {problem.code for problem in check_letter(letter("dl"), SPEC, paper, shipped())}
    assert found == {LetterCode.TEXT_TOO_SMALL.slug}
    assert check_letter(letter("dl"), SPEC, replace(paper, text_points=11.5), shipped()) == ()
