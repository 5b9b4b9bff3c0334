"""What may be wrong with a sign, in words. Facts are names of templates, counts and millimetres."""

from __future__ import annotations

from enum import unique

from nudge.base.codes import Code


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
        "the installer's QR code once, and it stands {count} times",
        "Print `sign.qr` exactly once.",
    )
