"""What may be wrong with a sign, in words. Facts are names of templates, counts, colours and millimetres."""

from __future__ import annotations

from enum import unique

from nudge.base.codes import Code

_LAW = "near a road only the traffic signs that the regulations prescribe may stand (TSRGD 2016)"


@unique
class SignCode(Code):
    """Why a sign is not sent to be printed."""

    SIZE_UNKNOWN = ("a size of sign: {valid}", "Write one of these sizes.")
    ORIENTATION_UNKNOWN = ("a way up: {valid}", "Write one of the two.")
    PRESET_UNKNOWN = ("bleed and marks by preset: {valid}", "Write one of these presets, as your print house asks.")
    REFERENCE_UNREADABLE = ("a reference such as {example}", "Let nudge give the sign its reference.")
    REFERENCE_TWICE = ("every reference on one sign of a run", "Two signs have the same reference: report this.")
    REFERENCE_NOT_ONCE = (
        "the sign's own reference once in its words, and it stands {count} times",
        "Print `sign.reference` exactly once.",
    )
    REFERENCE_OF_ANOTHER = ("no other sign's reference", "Report this, and print none of these signs.")
    CODE_NOT_ONCE = (
        "the installer's QR code of this sign once, whole and undistorted, and it stands {count} times",
        "Print `sign.qr` exactly once, as a square and nothing over it.",
    )
    COUNCIL_NOT_NAMED = ("the council's name on the sign", "Print `council.name`: people may ask who put it up.")
    PAGES_NOT_ONE = ("a sign of one page, and there are {pages}", "Shorten the words, or make their type smaller.")
    SHEET_DIFFERS = (
        "a sheet of {width:g} x {height:g} mm when cut, and the page is {found}",
        "Leave the page's size to the sheet: no `@page` in a sign's own style.",
    )
    BLEED_TOO_NARROW = (
        "{least:g} mm of bleed on every side, and there is {found:.1f} mm",
        "Leave the bleed to the preset: no `@page` in a sign's own style.",
    )
    BLEED_NOT_COVERED = (
        "colour out to the bleed at the {edge} edge, where it ends at the cut",
        'Put that colour on an element with `data-zone="ground"`, `"panel"` or `"foot"`, which reach beyond the cut.',
    )
    TOO_NEAR_EDGE = (
        "all words and the QR code {safe:g} mm or more inside the cut ({count} are not)",
        "Move them inward, or make their type smaller: the guillotine may slip.",
    )
    PRINTED_OVER = ("no words over other words or over the QR code", "Shorten the words, or make their type smaller.")
    TYPE_TOO_SMALL = (
        "type of {least:g} pt or more, and there is type of {found:.1f} pt",
        "Make the type larger in the style sheet.",
    )
    CONTRAST_TOO_LOW = (
        "words that stand out 7 to 1 from what is behind them, and the worst stand out {ratio:.1f} to 1",
        "Make the words lighter or darker, or put plain colour behind them.",
    )
    WORDS_IN_CAPITALS = ("sentences in small letters with one capital", "Write {count} of the lines as a sentence.")
    IMITATES_RED_RING = (
        f"no red ring: {_LAW}",
        "Take the ring of {size:.0f} mm away, or give it a colour that no traffic sign has.",
    )
    IMITATES_NO_ENTRY = (f"no red disc with a bar: {_LAW}", "Take the disc of {size:.0f} mm away.")
    IMITATES_TRIANGLE = (f"no triangle with a red edge: {_LAW}", "Take the triangle of {size:.0f} mm away.")
    IMITATES_OCTAGON = (f"no octagon: {_LAW}", "Give the shape of {size:.0f} mm another number of sides.")
    IMITATES_ROUNDEL = (
        f"no number alone in a circle: {_LAW}",
        "Take the circle away, or write the number in a sentence.",
    )
    IMITATES_DIAGONAL = (f"no red bar aslant: {_LAW}", "Take the bar of {size:.0f} mm away.")
    IMITATES_ROAD_WORDS = (
        f"no words that tell drivers of a hazard or what they must do, and {{count}} of the lines do: {_LAW}",
        "Say it as a request or a fact, without the words of traffic signs: speed limits, stop, slow, danger, ahead.",
    )
